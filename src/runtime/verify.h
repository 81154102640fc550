/* Runs golden files (format 1, tests/golden/data/FORMAT.md) and judges every stored element of every output.
 */
#ifndef AM_RUNTIME_VERIFY_H
#define AM_RUNTIME_VERIFY_H

#include "base/buffer.h"
#include "runtime/session.h"
#include "runtime/trace.h"

typedef enum am_verdict { AM_CASE_PASSED, AM_CASE_FAILED, AM_CASE_UNSUPPORTED } am_verdict;

typedef struct am_case_report {
    const char *file, *name, *architecture;
    am_verdict verdict;
    double worst; /* largest |error| / torch_err over outputs that have one; 0 when there is none. With a bound: what
                     am_golden_check_distance says */
    const char *message; /* why it failed: output, place, expected, found */
    double milliseconds;
    int64_t nodes, native_nodes; /* computed by runs of the case; of those, on a target other than the cpu */
} am_case_report;

typedef struct am_verify_options {
    am_session_options session;
    double bound;     /* above 0: of am_golden_check_distance, which then judges the outputs; for rounded weights */
    const char *only; /* run only cases whose name contains this; null: all */
    void (*on_case)(void *context, const am_case_report *report);
    void (*on_elsewhere)(void *context, const char *op,
                         const char *reason); /* see am_session_each_elsewhere; or null */
    void *context;
} am_verify_options;

typedef struct am_verify_counts {
    int64_t passed, failed, unsupported;
    int64_t nodes, native_nodes;
} am_verify_counts;

/* Runs one golden JSON file, or every one in a folder (index.json and files of other kinds are passed over).
   Adds to `counts`. Fails only when a file cannot be read as a golden file at all, or memory is short. */
am_status am_verify_path(const char *path, const am_verify_options *options, am_verify_counts *counts) AM_NODISCARD;

/* Compares the case of a golden file that a trace was recorded of with that trace, module by module: see
   am_trace_compare. Fails with AM_NOT_FOUND when the file has no such case. */
am_status am_verify_trace(const char *path, const char *trace_path,
                          void (*on_step)(void *context, const am_trace_step *step), void *context) AM_NODISCARD;

#endif
