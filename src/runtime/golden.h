/* One case of a golden file as a model, inputs and expected outputs. */
#ifndef AM_RUNTIME_GOLDEN_H
#define AM_RUNTIME_GOLDEN_H

#include "runtime/session.h"

enum { AM_GOLDEN_INPUTS = 64 };

typedef struct am_golden_case {
    am_arena arena;
    am_json json; /* the case */
    const char *name, *architecture;
    const am_tensor_table *arrays; /* of the file */
    am_loaded_model *model;
    am_session_input inputs[AM_GOLDEN_INPUTS];
    int input_count;
    void *memory[AM_GOLDEN_INPUTS]; /* of generated inputs */
} am_golden_case;

/* Makes weights and inputs by formula. Fails with AM_UNSUPPORTED for a class that is not there,
 * AM_INVALID_FILE on a malformed case. Closed by am_golden_case_close in any case. */
am_status am_golden_case_open(am_json json, const char *file, const am_tensor_table *arrays,
                              am_golden_case *out) AM_NODISCARD;
void am_golden_case_close(am_golden_case *c);

/* The arrays that lie beside a golden JSON file, in NAME.safetensors; none where there is no such file. */
am_status am_golden_read_arrays(const char *json_path, am_tensor_table *arrays) AM_NODISCARD;

/* Paths of the golden files of a folder (index.json and files of other kinds are passed over), sorted, in the arena.
   Fails with AM_NOT_FOUND where there are none. */
am_status am_golden_list_files(const char *folder, am_arena *arena, char ***out, size_t *out_count) AM_NODISCARD;

/* How the case is run: its kwargs; memory is the case's. Fails with AM_UNSUPPORTED on an argument that is neither a
   number nor false. */
am_status am_golden_run_options(am_golden_case *c, am_run_options *out) AM_NODISCARD;

/* Judges the session's outputs. *worst is raised to the largest |error| / torch_err. Fails with AM_FAILED
 * saying what differs. */
am_status am_golden_check_outputs(const am_golden_case *c, const am_session *session, double *worst) AM_NODISCARD;

/* Judges the session's outputs where weights were rounded: *worst is raised to the largest root mean square of an
   output's errors over that of what is expected. Fails with AM_FAILED where one is larger than `bound`; whole numbers
   are not compared. */
am_status am_golden_check_distance(const am_golden_case *c, const am_session *session, double bound,
                                   double *worst) AM_NODISCARD;

/* Judges greedy generation: token by token with caches, and again as one prefill. */
am_status am_golden_check_generation(const am_golden_case *c, am_session *session) AM_NODISCARD;

#endif
