#include "api/example_generation.h"
#include "api/json_writer.h"
#include "api/model_internal.h"
#include "base/clock.h"
#include "base/file.h"
#include "text/tokenizer.h"

#include <sys/stat.h>

/* --- compiling --- */

/* Tasks on text give the types of tokens where the tokenizer has them and the class reads them. */
static am_status prepare_with_types(am_model *model, const am_example_inputs *inputs, bool *done)
{
    am_tokenizer *tokenizer;
    am_session_input given[AM_EXAMPLE_INPUTS + 1];
    const am_session_input *ids = am_example_inputs_find(inputs, "input_ids");
    *done = false;
    if (!ids) return NULL;
    am_status status = am_pipeline_tokenizer(model->pipeline, &tokenizer);
    bool has_types = !status && am_tokenizer_has_type_ids(tokenizer);
    am_status_free(status); /* a model without a tokenizer has none either */
    if (!has_types) return NULL;
    for (int i = 0; i < inputs->count; i++) given[i] = inputs->items[i];
    given[inputs->count] = (am_session_input){"token_type_ids", ids->tensor};
    status = am_session_prepare(model->pipeline->session, given, inputs->count + 1, NULL);
    *done = !status;
    if (am_status_code(status) != AM_INVALID_ARGUMENT) return status;
    am_status_free(status); /* the class does not read them */
    return NULL;
}

static am_status compile_generation(am_model *model, am_example_inputs *inputs, int new_tokens)
{
    am_arena arena = {0};
    am_generated made = {0};
    am_status status = am_example_inputs_fill(model->pipeline->model, &arena, inputs);
    if (!status) status = am_example_generate(model->pipeline, inputs, new_tokens, &made);
    bool too_long = !status && !made.decode_steps;
    am_generated_deinit(&made);
    am_arena_deinit(&arena);
    return too_long ? am_error(AM_INVALID_ARGUMENT, "shapes: the context has no room for two more tokens") : status;
}

am_status am_model_compile(am_model *model, const char *shapes, int new_tokens)
{
    enum { NEW_TOKENS = 64 };
    am_example_inputs inputs;
    am_pipeline *p = model->pipeline;
    bool done, generates = p->model->architecture->flags & AM_GENERATES;
    int64_t context = am_pipeline_context_length(p);
    if (new_tokens < 0) return am_error(AM_INVALID_ARGUMENT, "new_tokens: expected at least 0, found %d", new_tokens);
    AM_TRY(am_example_inputs_choose(p->model, shapes, generates ? context / 2 : context, &inputs));
    if (generates) return compile_generation(model, &inputs, new_tokens ? new_tokens : NEW_TOKENS);
    AM_TRY(prepare_with_types(model, &inputs, &done));
    return done ? NULL : am_session_prepare(p->session, inputs.items, inputs.count, NULL);
}

/* --- saving --- */

static void put_row(void *context, const am_artefact_row *row)
{
    am_buffer *out = context;
    am_put_open(out, NULL, '{');
    am_put_text(out, "graph", row->signature);
    am_put_integer(out, "piece", row->piece);
    am_put_text(out, "target", row->target);
    am_put_integer(out, "nodes", row->nodes);
    am_put_integer(out, "compiled_bytes", (int64_t)row->bytes);
    am_put_close(out, '}');
}

am_status am_model_save_compiled(am_model *model, const char *path, char **out_json)
{
    am_pipeline *p = model->pipeline;
    am_session *const sessions[] = {p->session, p->base_session};
    am_artefact_source source = {.sessions = sessions,
                                 .session_count = p->base_session ? 2 : 1,
                                 .targets = &p->options.targets,
                                 .program_version = am_version()};
    am_buffer out = {0};
    struct stat info = {0};
    if (out_json) *out_json = NULL;
    if (!path) return am_error(AM_INVALID_ARGUMENT, "no file to write to was given");
    if (model->artefact)
        return am_error(AM_INVALID_ARGUMENT, "%s is compiled already: give the model directory", p->directory);
    if (p->options.weights.format.bits)
        return am_error(AM_UNSUPPORTED, "%s: a compiled file has no rounded weights", p->directory);
    if (p->options.program.allows_bf16)
        return am_error(AM_UNSUPPORTED, "%s: a compiled file computes in float32", p->directory);
    if (am_directory_exists(path)) return am_error(AM_INVALID_ARGUMENT, "%s is a folder", path);
    am_put_open(&out, NULL, '{');
    am_put_text(&out, "file", path);
    am_put_text(&out, "architecture", am_model_architecture(model));
    am_put_open(&out, "pieces", '[');
    am_status status = am_artefact_write(path, &source, put_row, &out);
    am_put_close(&out, ']');
    if (!status && stat(path, &info) != 0) status = am_error_from_errno("read the size of", path);
    am_put_integer(&out, "bytes", (int64_t)info.st_size);
    am_put_real(&out, "seconds", (am_clock_ms() - model->opened_ms) / 1e3);
    am_put_close(&out, '}');
    char *json = NULL;
    status = am_put_finish(&out, status, &json);
    if (out_json) *out_json = json;
    else am_string_free(json);
    return status;
}
