/* A way from a wrong result to its cause: the intermediate values of a golden case beside what every module of the
   model gave in transformers, as tools/golden records it (golden.py trace). */
#ifndef AM_RUNTIME_TRACE_H
#define AM_RUNTIME_TRACE_H

#include "runtime/golden.h"

typedef enum am_trace_verdict {
    AM_TRACE_SAME,    /* a value of the graph is within tolerance */
    AM_TRACE_DIFFERS, /* values of its scope and shape are there, and none is within tolerance */
    AM_TRACE_ABSENT,  /* no value of its scope has its shape: the graph computes it in another form */
} am_trace_verdict;

/* One tensor of the trace, in the order in which transformers made it. Strings are borrowed for the call. */
typedef struct am_trace_step {
    const char *module; /* its name in model files, with ".0", "#2" where the trace numbers results and calls */
    am_shape shape;
    am_trace_verdict verdict;
    double error, tolerance; /* of the nearest value: largest |difference|; NaN when absent */
    const char *scope;       /* of that value; null when absent */
    int64_t element;         /* where the error is largest */
    double expected, found;  /* there */
} am_trace_step;

/* Runs an opened case, its composites expanded, and compares it with the trace in the file. Calls on_step for each
   module's tensor. Fails as am_session_run and am_safetensors_read do, and with AM_INVALID_FILE when the trace is of
   another case or has no order. */
am_status am_trace_compare(am_golden_case *c, const char *trace_path,
                           void (*on_step)(void *context, const am_trace_step *step), void *context) AM_NODISCARD;

#endif
