/* A target: something that runs graphs, or pieces of them. Each has a folder here with one `const am_target`.

   A target says from files and device nodes whether it is here (probe), which nodes it takes (supports), and makes a
   program of a graph (create) that runs like the cpu's: inputs and states in, outputs out. Vendor libraries are opened
   at run time, so that one binary runs everywhere and builds without any of them. */
#ifndef AM_TARGETS_TARGET_H
#define AM_TARGETS_TARGET_H

#include "graph/graph.h"

#include <limits.h>
#include <stdatomic.h>

enum { AM_TARGET_LIMIT = 16, AM_TARGET_DEVICES = 8 };

/* Text of at most 511 bytes that is written without allocating. */
typedef struct am_reason {
    char text[512];
} am_reason;

/* printf into `reason`, which may be null; longer text is cut. Gives false, so that a `supports` can return it. */
bool am_reason_no(am_reason *reason, const char *format, ...) AM_PRINTF(2, 3);

typedef struct am_target_device {
    char name[128];
    int64_t memory_bytes; /* -1: not known without opening it */
} am_target_device;

/* What a probe found. */
typedef struct am_target_report {
    bool present;     /* what the target needs is on this machine */
    char version[64]; /* of the library or driver; "" where no file tells */
    char path[PATH_MAX];
    am_reason reason; /* where it is absent: what was looked for and not found */
    am_reason remedy; /* how to get it */
    am_target_device devices[AM_TARGET_DEVICES];
    int device_count;
} am_target_report;

typedef struct am_target_options {
    const char *device;                         /* "GPU" of "openvino:GPU"; null: the target's first */
    bool profile;                               /* keep the time of each node, where the target can */
    bool reference_only;                        /* cpu: only the kernels that define the ops */
    bool allows_bf16;                           /* what is multiplied may be rounded to BF16, with sums in F32 */
    size_t other_bytes;                         /* what the caller will allocate beside */
    bool allow_untested;                        /* take versions of the vendor's library that were never tried */
    bool plan_only;                             /* targets that compile long are left out until the first run */
    const atomic_bool *cancelled;               /* becomes true when nobody waits for `create` any more; null: never */
    const struct am_compiled_program *compiled; /* am_program_create imports its pieces; null: it compiles */
} am_target_options;

/* Something that a program calls once in a run. */
typedef struct am_target_step {
    const char *kernel;         /* as am_target.kernel has it */
    int64_t nanoseconds, calls; /* of all runs so far */
} am_target_step;

typedef struct am_target {
    const char *name;    /* "openvino" */
    const char *summary; /* "OpenVINO (Intel's inference library)" */

    bool compiles_long; /* minutes for each new shape: a prompt is read in parts of few lengths, a plan is made without
                         */

    /* Looks at files and device nodes only: loads nothing, starts nothing, takes far less than a millisecond, never
       guesses. */
    void (*probe)(am_target_report *out);

    /* Whether the target computes this node; where not, why in words ("top_k over an axis of 70000"). `create` takes
       every graph of nodes for which this says yes, beside inputs and constants. Null: no graph can be lowered to the
       target yet. why may be null. */
    bool (*supports)(const am_graph *graph, const am_node *node, am_reason *why);

    /* Compiles a graph, which is borrowed and must outlive the program. Fails with AM_UNAVAILABLE where the library
       cannot be opened, AM_UNSUPPORTED, AM_INTERNAL with what its compiler said. */
    am_status (*create)(const am_graph *graph, const am_target_options *options, void **out);
    void (*destroy)(void *program);

    /* Runs once. inputs[i].data belongs to graph->inputs[i] and states[i] to graph->states[i]; states are replaced by
       their updated values. Not for two threads at once on one program. A failed run leaves states as they were. */
    am_status (*run)(void *program, const am_tensor *inputs, void *const *states);

    /* Output i of the last run; borrowed until the next. */
    am_tensor (*output)(const void *program, int i);

    /* Bytes that the program holds beside the mapped weights, as far as known. */
    size_t (*bytes)(const void *program);

    /* What computes a node of the program's graph ("linear_f32_avx2"); "" for nodes that need nothing. Null: the target
       does not tell. */
    const char *(*kernel)(const void *program, const am_node *node);

    /* Step i of those that a run of a program with am_target_options.profile takes; false where there are no more.
       Null: the target keeps no times. */
    bool (*step)(const void *program, int i, am_target_step *out);

    /* What `create` would compile is kept in the cache folder under this text and the graph's hash: names version and
       everything else that the result depends on. Null: nothing is kept. */
    am_status (*version)(am_buffer *out);

    /* Appends what `create` compiled, for `import` in another process with the same version of the vendor's library on
       a cpu with the same features. Null, as `import` is then: creating compiles nothing that is worth keeping. */
    am_status (*export)(const void *program, am_buffer *out);

    /* `create` without compiling, from what `export` gave for this graph: `length` bytes at an address that is a
       multiple of 64, borrowed as long as the program lives. Fails with AM_UNSUPPORTED, saying what differs, where they
       are of no use here. */
    am_status (*import)(const am_graph *graph, const am_target_options *options, const void *bytes, size_t length,
                        void **out);
} am_target;

/* All targets, ended by null; generated from the folders. */
extern const am_target *const am_target_registry[];

/* The target of that name; null when there is none. */
const am_target *am_target_find(const char *name, size_t length);

#endif
