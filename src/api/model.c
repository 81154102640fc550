#include "api/arguments.h"
#include "api/model_internal.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A file of `anymodel compile`: it says what to run on, and whose graphs it has. */
static am_status open_artefact(am_model *model, const char *path, const am_model_options *options)
{
    am_artefact_options how = {.program_version = am_version(), .policy = getenv("ANYMODEL_TARGET_POLICY")};
    if (how.policy && !*how.policy) how.policy = NULL;
    if (options && options->target_policy) how.policy = options->target_policy;
    if (options) how.target = options->target;
    am_session_options wish = {0};
    AM_TRY(am_read_precision(options ? options->weights : NULL, options ? options->dtype : NULL, &wish));
    if (wish.weights.format.bits)
        return am_error(AM_UNSUPPORTED, "%s: weights: %s: a compiled file has the graphs of the weights as they are",
                        path, options->weights);
    if (wish.program.allows_bf16)
        return am_error(AM_UNSUPPORTED, "%s: dtype: %s: a compiled file computes in float32", path, options->dtype);
    AM_TRY(am_artefact_open(path, &how, &model->artefact));
    am_class_choice choice = {.architecture = am_artefact_architecture(model->artefact)};
    if (options && options->architecture) choice.architecture = options->architecture;
    if (options && options->auto_class) choice = (am_class_choice){.auto_class = options->auto_class};
    am_session_options session = {.targets = *am_artefact_targets(model->artefact), .artefact = model->artefact};
    return am_pipeline_open(am_artefact_directory(model->artefact), &choice, &session, &model->pipeline);
}

static am_status open_directory(am_model *model, const char *directory, const am_model_options *options)
{
    am_session_options session = {0};
    am_class_choice choice = {0};
    AM_TRY(
        am_target_choose(options ? options->target : NULL, options ? options->target_policy : NULL, &session.targets));
    AM_TRY(am_read_precision(options ? options->weights : NULL, options ? options->dtype : NULL, &session));
    if (options) choice = (am_class_choice){options->architecture, options->auto_class};
    return am_pipeline_open(directory, &choice, &session, &model->pipeline);
}

am_status am_model_open(const char *path, const am_model_options *options, am_model **out)
{
    *out = NULL;
    if (!path) return am_error(AM_INVALID_ARGUMENT, "no model directory was given");
    am_model *model = am_alloc_zeroed(1, sizeof *model);
    if (!model) return am_out_of_memory();
    model->opened_ms = am_clock_ms();
    struct stat info; /* of the disk: such a file is a folder too while it is open */
    bool is_file = stat(path, &info) == 0 && !S_ISDIR(info.st_mode);
    am_tokenizer_mode mode = AM_TOKENIZER_AUTO;
    am_status status = options ? am_read_tokenizer_mode(options->tokenizer, &mode) : NULL;
    if (!status) status = (is_file ? open_artefact : open_directory)(model, path, options);
    if (status) {
        am_model_close(model);
        return status;
    }
    model->pipeline->tokenizer_as_file = mode == AM_TOKENIZER_FILE;
    model->task = model->pipeline->model->architecture->task;
    *out = model;
    return NULL;
}

void am_model_close(am_model *model)
{
    if (!model) return;
    am_arena_deinit(&model->borrowed);
    am_pipeline_close(model->pipeline);
    am_artefact_close(model->artefact);
    am_free(model);
}

const char *am_model_architecture(const am_model *model)
{
    return model->pipeline->model->architecture->name;
}

const char *am_model_task(const am_model *model)
{
    return model->task;
}

const char *am_mapped_file_at(const void *address)
{
    return am_file_mapped_at(address);
}

void am_string_free(char *text)
{
    am_free(text);
}

/* --- the bare model --- */

static am_status list_outputs(am_model *model, const am_named_array **outputs, size_t *out_count)
{
    am_session *session = model->pipeline->session;
    int count = am_session_output_count(session);
    am_arena_deinit(&model->borrowed);
    am_named_array *rows = am_arena_array(&model->borrowed, (size_t)count + 1, sizeof *rows);
    if (!rows) return am_out_of_memory();
    for (int i = 0; i < count; i++)
        rows[i] = (am_named_array){am_session_output_name(session, i), am_session_output(session, i)};
    *outputs = rows;
    *out_count = (size_t)count;
    return NULL;
}

am_status am_model_forward(am_model *model, const am_named_array *inputs, size_t count, bool output_hidden_states,
                           const am_named_array **outputs, size_t *out_count)
{
    enum { MOST_INPUTS = 64 };
    am_session_input given[MOST_INPUTS];
    am_run_options options = {.output_hidden_states = output_hidden_states};
    *outputs = NULL;
    *out_count = 0;
    if (count > MOST_INPUTS)
        return am_error(AM_INVALID_ARGUMENT, "%zu inputs, expected at most %d", count, MOST_INPUTS);
    for (size_t i = 0; i < count; i++) {
        if (!inputs[i].name || !inputs[i].tensor.data)
            return am_error(AM_INVALID_ARGUMENT, "input %zu has no name or no data", i);
        given[i] = (am_session_input){inputs[i].name, inputs[i].tensor};
    }
    AM_TRY(am_session_run(model->pipeline->session, given, (int)count, &options));
    return list_outputs(model, outputs, out_count);
}
