/* Running a model: graphs compiled on demand and kept by signature, caches that live from run to run. */
#ifndef AM_RUNTIME_SESSION_H
#define AM_RUNTIME_SESSION_H

#include "runtime/model.h"
#include "targets/program.h"

typedef struct am_session am_session;
typedef struct am_artefact am_artefact;

/* An input of any dtype and shape that the class takes; data is borrowed for the call. */
typedef struct am_session_input {
    const char *name;
    am_tensor tensor;
} am_session_input;

typedef struct am_run_options {
    am_stage stage;
    bool output_hidden_states;
    bool last_logits_only;
    int64_t cache_capacity; /* 0: no caches */
    int64_t cache_offset;   /* positions already in the caches */
    bool cross_cached;
    int64_t encoder_length;
    const am_argument *arguments; /* of forward; names are borrowed for the call */
    int argument_count;
} am_run_options;

typedef struct am_session_options {
    am_target_choice targets; /* zeros: the cpu */
    am_target_options program;
    am_weight_options weights; /* zeros: as the files have them; not with an artefact */
    am_artefact *artefact;     /* graphs are taken from it instead of being compiled; borrowed; null: none */
    bool expose;               /* every intermediate value is an output too, named after its scope */
    bool expand;               /* run the expansions of the composites instead of the composites (a test of both) */
} am_session_options;

/* The model is borrowed and must outlive the session. options may be null. Not for two threads at once. */
am_status am_session_create(am_loaded_model *model, const am_session_options *options, am_session **out) AM_NODISCARD;
void am_session_destroy(am_session *session);

/* Runs once. Fails with AM_INVALID_ARGUMENT on missing or unknown inputs and wrong shapes, AM_OUT_OF_RANGE on
   values that the model cannot take. options may be null. */
am_status am_session_run(am_session *session, const am_session_input *inputs, int input_count,
                         const am_run_options *options) AM_NODISCARD;

/* Whether the session runs on a target that compiles long for every new shape of an input. */
bool am_session_compiles_long(const am_session *session);

/* Outputs of the last run, borrowed until the next. */
int am_session_output_count(const am_session *session);
const char *am_session_output_name(const am_session *session, int i);
am_tensor am_session_output(const am_session *session, int i);

/* The output of that name; false when there is none. */
bool am_session_find_output(const am_session *session, const char *name, am_tensor *out);

/* Forgets the caches' contents. */
void am_session_reset(am_session *session);

/* Row i, of `to`, of every cache becomes what row rows[i], of `from`, was (beam search). A cache of n times as many
   rows has n for each, one after the other. Fails with AM_INVALID_ARGUMENT when `from` does not divide the caches'
   rows. */
am_status am_session_reorder(am_session *session, const int32_t *rows, int64_t from, int64_t to) AM_NODISCARD;

/* Graph and program of the last run; borrowed. Null before the first. */
const am_graph *am_session_graph(const am_session *session);
am_program *am_session_program(const am_session *session);
am_loaded_model *am_session_model(const am_session *session);

/* Calls back for each node that is not on the first target of the choice, with its op and why. */
void am_session_each_elsewhere(const am_session *session,
                               void (*on_node)(void *context, const char *op, const char *reason), void *context);

/* Calls back for each graph that is compiled now, in the order in which they were. */
void am_session_each_compiled(const am_session *session,
                              void (*on_program)(void *context, const am_signature *signature, am_program *program),
                              void *context);

/* Nodes that the session's programs compute, all of them and those on a target other than the cpu. */
void am_session_count_nodes(const am_session *session, int64_t *out_nodes, int64_t *out_native);

/* Compiles what a run of these shapes would use, without running it. The inputs' data may be null. */
am_status am_session_prepare(am_session *session, const am_session_input *inputs, int input_count,
                             const am_run_options *options) AM_NODISCARD;

/* am_session_prepare, but a target that compiles long is left for the first run: what runs where is known without. */
am_status am_session_plan(am_session *session, const am_session_input *inputs, int input_count,
                          const am_run_options *options) AM_NODISCARD;

#endif
