#include "api/example_generation.h"

#include <string.h>

/* Greedy, and no token ends it. */
static am_status read_generation(const am_loaded_model *model, int64_t new_tokens, am_arena *arena,
                                 am_generation_config *out)
{
    am_generation_config read, config = am_generation_config_default();
    AM_TRY(am_generation_config_read(model, &config, arena, &read));
    config.max_new_tokens = new_tokens;
    config.pad_token_id = read.pad_token_id;
    config.decoder_start_token_id = read.decoder_start_token_id;
    *out = config;
    return NULL;
}

/* A decoder continues input_ids; an encoder-decoder reads everything but decoder_input_ids. */
static void make_request(const am_loaded_model *model, const am_example_inputs *given,
                         const am_generation_config *config, am_session_input *inputs, am_generate_request *out)
{
    bool encodes = model->architecture->flags & AM_ENCODER_DECODER;
    const am_session_input *ids = am_example_inputs_find(given, "input_ids");
    *out = (am_generate_request){.inputs = inputs, .batch = given->items[0].tensor.shape.dims[0], .config = config};
    if (!encodes && ids) {
        out->ids = ids->tensor.data;
        out->length = ids->tensor.shape.dims[1];
        return;
    }
    for (int i = 0; i < given->count; i++)
        if (strcmp(given->items[i].name, "decoder_input_ids") != 0) inputs[out->input_count++] = given->items[i];
}

am_status am_example_generate(am_pipeline *p, const am_example_inputs *inputs, int64_t new_tokens, am_generated *out)
{
    am_generation_config config;
    am_generate_request request;
    am_session_input given[AM_EXAMPLE_INPUTS];
    am_arena arena = {0};
    *out = (am_generated){0};
    make_request(p->model, inputs, &config, given, &request);
    int64_t room = am_pipeline_context_length(p) - (request.ids ? request.length : 1);
    int64_t tokens = room < new_tokens ? room : new_tokens;
    if (tokens < 2) return NULL; /* the first token is the prefill's: there is no step after it */
    am_status status = read_generation(p->model, tokens, &arena, &config);
    if (!status) status = am_generate(p->session, &request, out);
    am_arena_deinit(&arena);
    return status;
}
