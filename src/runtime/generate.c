#include "runtime/generate.h"

#include "base/memory.h"
#include "runtime/sampler.h"

#include <string.h>
#include <time.h>

enum { SMALLEST_CACHE = 64, MORE_INPUTS = 4 };

am_generation_config am_generation_config_default(void)
{
    return (am_generation_config){.max_length = 20,
                                  .temperature = 1,
                                  .top_p = 1,
                                  .typical_p = 1,
                                  .repetition_penalty = 1,
                                  .num_beams = 1,
                                  .length_penalty = 1,
                                  .pad_token_id = -1,
                                  .bos_token_id = -1,
                                  .decoder_start_token_id = -1,
                                  .forced_bos_token_id = -1,
                                  .forced_eos_token_id = -1};
}

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* --- the decoder, fed with some tokens after others --- */

typedef struct feed {
    am_session *session;
    const am_generate_request *request;
    bool encoder_decoder;
    int64_t rows;             /* batch times beams */
    int64_t offset, capacity; /* positions in the caches, and their places */
    am_tensor encoded;        /* [rows, S, C], owned; of encoder-decoders */
    int64_t encoder_length;
    am_arena arena; /* of one step */
} feed;

static am_tensor repeat_rows(am_arena *arena, const am_tensor *x, int64_t rows)
{
    am_tensor y = *x;
    int64_t old = x->shape.dims[0], times = old ? rows / old : 0;
    y.shape.dims[0] = rows;
    size_t row_bytes = old ? am_tensor_bytes(x->dtype, &x->shape) / (size_t)old : 0;
    y.data = am_arena_alloc(arena, am_tensor_bytes(y.dtype, &y.shape));
    for (int64_t r = 0; y.data && r < rows; r++)
        memcpy((char *)y.data + (size_t)r * row_bytes, (const char *)x->data + (size_t)(r / times) * row_bytes,
               row_bytes);
    return y;
}

static am_status encode(feed *f)
{
    am_tensor found;
    am_run_options options = {.stage = AM_STAGE_ENCODE};
    AM_TRY(am_session_run(f->session, f->request->inputs, f->request->input_count, &options));
    if (!am_session_find_output(f->session, "encoder_last_hidden_state", &found))
        return am_error(AM_INTERNAL, "the encoder gives no encoder_last_hidden_state");
    f->encoder_length = found.shape.dims[1];
    f->encoded = found;
    f->encoded.data = am_alloc_aligned(am_tensor_bytes(found.dtype, &found.shape));
    if (!f->encoded.data) return am_out_of_memory();
    memcpy(f->encoded.data, found.data, am_tensor_bytes(found.dtype, &found.shape));
    return NULL;
}

/* attention_mask over all places of the cache: the prompt's, then ones. */
static am_tensor widen_mask(feed *f, const am_tensor *mask)
{
    am_tensor wide = {AM_I32, am_shape_of(f->rows, f->capacity), NULL};
    int64_t T = mask->shape.dims[1], times = f->rows / mask->shape.dims[0];
    int32_t *out = am_arena_array(&f->arena, (size_t)(f->rows * f->capacity), sizeof *out);
    for (int64_t r = 0; out && r < f->rows; r++)
        for (int64_t i = 0; i < f->capacity; i++)
            out[r * f->capacity + i] = i < T ? (int32_t)am_load_int(mask->dtype, mask->data, r / times * T + i) : 1;
    wide.data = out;
    return wide;
}

/* Positions count attended tokens, so that padding on the left does not shift a row (transformers: cumsum of
 * the mask - 1). */
static am_tensor mask_positions(feed *f, const int32_t *mask, int64_t T)
{
    am_tensor positions = {AM_I32, am_shape_of(f->rows, T), NULL};
    int32_t *out = am_arena_array(&f->arena, (size_t)(f->rows * T), sizeof *out);
    for (int64_t r = 0; out && r < f->rows; r++) {
        int32_t seen = 0;
        for (int64_t i = 0; i < f->offset + T; i++) {
            seen += mask[r * f->capacity + i];
            if (i >= f->offset) out[r * T + i - f->offset] = seen > 0 ? seen - 1 : 1;
        }
    }
    positions.data = out;
    return positions;
}

static bool has_zero(const am_tensor *mask)
{
    int64_t count = am_shape_count(&mask->shape);
    for (int64_t i = 0; i < count; i++)
        if (am_load_int(mask->dtype, mask->data, i) == 0) return true;
    return false;
}

/* An input given for the prompt goes on with its last value (token_type_ids); positions go on counting. */
static am_tensor last_column(feed *f, const am_tensor *x, int64_t T, bool counts)
{
    am_tensor y = {AM_I32, am_shape_of(f->rows, T), NULL};
    int64_t length = x->shape.dims[1], times = f->rows / x->shape.dims[0];
    int32_t *out = am_arena_array(&f->arena, (size_t)(f->rows * T), sizeof *out);
    for (int64_t r = 0; out && r < f->rows; r++)
        for (int64_t i = 0; i < T; i++)
            out[r * T + i] = (int32_t)am_load_int(x->dtype, x->data, r / times * length + length - 1) +
                             (counts ? (int32_t)(f->offset - length + 1 + i) : 0);
    y.data = out;
    return y;
}

static bool is_given(const feed *f, const char *name)
{
    for (int i = 0; i < f->request->input_count; i++)
        if (strcmp(f->request->inputs[i].name, name) == 0) return true;
    return false;
}

static int decoder_inputs(feed *f, int64_t T, am_session_input *out)
{
    int count = 0;
    for (int i = 0; i < f->request->input_count; i++) {
        const am_session_input *given = &f->request->inputs[i];
        bool is_mask = strcmp(given->name, "attention_mask") == 0;
        if (f->encoder_decoder && is_mask)
            out[count++] = (am_session_input){given->name, repeat_rows(&f->arena, &given->tensor, f->rows)};
        if (f->encoder_decoder) continue;
        if (f->offset && given->tensor.dtype == AM_F32) continue; /* images, sounds: the prompt's */
        if (!is_mask) {
            bool counts = strcmp(given->name, "position_ids") == 0;
            am_tensor tensor =
                f->offset ? last_column(f, &given->tensor, T, counts) : repeat_rows(&f->arena, &given->tensor, f->rows);
            out[count++] = (am_session_input){given->name, tensor};
        } else if (has_zero(&given->tensor)) {
            am_tensor wide = widen_mask(f, &given->tensor);
            out[count++] = (am_session_input){given->name, wide};
            if (wide.data && !is_given(f, "position_ids"))
                out[count++] = (am_session_input){"position_ids", mask_positions(f, wide.data, T)};
        }
    }
    if (f->encoder_decoder && f->offset == 0)
        out[count++] = (am_session_input){"encoder_hidden_states", repeat_rows(&f->arena, &f->encoded, f->rows)};
    return count;
}

static int64_t capacity_for(int64_t needed)
{
    int64_t capacity = SMALLEST_CACHE;
    while (capacity < needed) capacity *= 2;
    return capacity;
}

/* Runs T tokens of each row, ids: [rows, T], and gives the logits of the last: [rows, V], borrowed until the
 * next run. */
static am_status run_decoder(feed *f, const int32_t *ids, int64_t T, const float **logits, int64_t *vocab)
{
    am_session_input *inputs;
    am_tensor found;
    if (f->offset + T > f->capacity) f->capacity = capacity_for(f->offset + T);
    am_arena_deinit(&f->arena);
    inputs = am_arena_array(&f->arena, (size_t)f->request->input_count * 2 + MORE_INPUTS, sizeof *inputs);
    if (!inputs) return am_out_of_memory();
    int count = decoder_inputs(f, T, inputs);
    const char *name = f->encoder_decoder ? "decoder_input_ids" : "input_ids";
    inputs[count++] = (am_session_input){name, {AM_I32, am_shape_of(f->rows, T), (void *)(uintptr_t)ids}};
    for (int i = 0; i < count; i++)
        if (!inputs[i].tensor.data && am_shape_count(&inputs[i].tensor.shape)) return am_out_of_memory();
    am_run_options options = {.stage = f->encoder_decoder ? AM_STAGE_DECODE : AM_STAGE_FORWARD,
                              .last_logits_only = true,
                              .cache_capacity = f->capacity,
                              .cache_offset = f->offset,
                              .cross_cached = f->offset > 0,
                              .encoder_length = f->encoder_length};
    AM_TRY(am_session_run(f->session, inputs, count, &options));
    if (!am_session_find_output(f->session, "logits", &found) || found.dtype != AM_F32 || found.shape.rank != 3)
        return am_error(AM_UNSUPPORTED, "this class gives no logits over a vocabulary");
    f->offset += T;
    *logits = found.data;
    *vocab = found.shape.dims[2];
    return NULL;
}

static void feed_deinit(feed *f)
{
    am_arena_deinit(&f->arena);
    am_free_aligned(f->encoded.data);
}

/* --- one token after another --- */

typedef struct sequence_set {
    int32_t *ids; /* [rows, stride]: prompt and new tokens */
    int64_t rows, stride, prompt;
} sequence_set;

static bool is_stop(const am_generation_config *c, int32_t token)
{
    for (int i = 0; i < c->eos_count; i++)
        if (c->eos_token_id[i] == token) return true;
    return false;
}

static int64_t new_tokens_limit(const am_generation_config *c, int64_t prompt)
{
    int64_t limit = c->max_new_tokens ? c->max_new_tokens : c->max_length - prompt;
    return limit < 0 ? 0 : limit;
}

static am_status choose_all(am_sampler *sampler, const sequence_set *s, int64_t length, const float *logits,
                            int64_t vocab, bool *done, int32_t *next, const am_generate_request *request,
                            am_generated *out, bool *cancelled)
{
    const am_generation_config *c = request->config;
    for (int64_t r = 0; r < s->rows; r++) {
        next[r] = c->pad_token_id >= 0 ? c->pad_token_id : 0;
        if (done[r]) continue;
        AM_TRY(am_sampler_choose(sampler, logits + r * vocab, vocab, s->ids + r * s->stride, length, s->prompt,
                                 (uint64_t)r, &next[r]));
        out->ids[r * out->stride + out->lengths[r]++] = next[r];
        done[r] = is_stop(c, next[r]);
        if (request->on_token && !request->on_token(request->context, r, next[r])) *cancelled = true;
    }
    return NULL;
}

static bool all_done(const bool *done, int64_t rows)
{
    for (int64_t r = 0; r < rows; r++)
        if (!done[r]) return false;
    return true;
}

static am_status token_loop(feed *f, sequence_set *s, const am_generate_request *request, am_generated *out, bool *done,
                            int32_t *next)
{
    am_sampler *sampler;
    const float *logits;
    int64_t vocab, length = s->prompt;
    bool cancelled = false;
    double start = now_ms();
    AM_TRY(am_sampler_create(request->config, &sampler));
    am_status status = run_decoder(f, request->ids, s->prompt, &logits, &vocab);
    out->prefill_ms = now_ms() - start;
    start = now_ms();
    for (int64_t i = 0; i < out->stride && !status; i++) {
        status = choose_all(sampler, s, length, logits, vocab, done, next, request, out, &cancelled);
        for (int64_t r = 0; r < s->rows; r++) s->ids[r * s->stride + length] = next[r];
        length++;
        if (status || cancelled || all_done(done, s->rows) || i + 1 == out->stride) break;
        status = run_decoder(f, next, 1, &logits, &vocab);
        out->decode_steps++;
    }
    out->decode_ms = now_ms() - start;
    am_sampler_destroy(sampler);
    return status;
}

static am_status generate_tokens(feed *f, const am_generate_request *request, am_generated *out)
{
    sequence_set s = {.rows = request->batch, .prompt = request->length, .stride = request->length + out->stride};
    size_t rows = (size_t)s.rows;
    am_arena arena = {0};
    s.ids = am_arena_array(&arena, rows * (size_t)(s.stride ? s.stride : 1), sizeof *s.ids);
    bool *done = am_arena_array(&arena, rows, sizeof *done);
    int32_t *next = am_arena_array(&arena, rows, sizeof *next);
    if (!s.ids || !done || !next) {
        am_arena_deinit(&arena);
        return am_out_of_memory();
    }
    for (int64_t r = 0; r < s.rows; r++)
        memcpy(s.ids + r * s.stride, request->ids + r * request->length, (size_t)request->length * sizeof *s.ids);
    am_status status = out->stride ? token_loop(f, &s, request, out, done, next) : NULL;
    am_arena_deinit(&arena);
    return status;
}

/* --- */

static am_status start_tokens(const am_generate_request *request, am_arena *arena, int32_t **out)
{
    int32_t start = request->config->decoder_start_token_id;
    if (start < 0)
        return am_error(AM_INVALID_ARGUMENT, "the configuration names no decoder_start_token_id and none was given");
    *out = am_arena_array(arena, (size_t)request->batch, sizeof **out);
    if (!*out) return am_out_of_memory();
    for (int64_t r = 0; r < request->batch; r++) (*out)[r] = start;
    return NULL;
}

static am_status prepare(am_session *session, am_generate_request *request, am_arena *arena, am_generated *out)
{
    int flags = am_session_model(session)->architecture->flags;
    *out = (am_generated){.batch = request->batch};
    if (!(flags & AM_GENERATES))
        return am_error(AM_UNSUPPORTED, "class %s does not generate text",
                        am_session_model(session)->architecture->name);
    if (request->config->num_beams > 1)
        return am_error(AM_UNSUPPORTED,
                        "num_beams is %lld, and there is no beam search in this build; 1 generates greedily",
                        (long long)request->config->num_beams);
    if (!request->ids && (flags & AM_ENCODER_DECODER)) {
        int32_t *start;
        AM_TRY(start_tokens(request, arena, &start));
        request->ids = start;
        request->length = 1;
    }
    if (!request->ids || request->length < 1 || request->batch < 1)
        return am_error(AM_INVALID_ARGUMENT, "the prompt is empty");
    out->prompt_tokens = request->length;
    out->stride = new_tokens_limit(request->config, request->length);
    out->ids = am_alloc_zeroed((size_t)(out->batch * out->stride), sizeof *out->ids);
    out->lengths = am_alloc_zeroed((size_t)out->batch, sizeof *out->lengths);
    return out->ids && out->lengths ? NULL : am_out_of_memory();
}

am_status am_generate(am_session *session, const am_generate_request *given, am_generated *out)
{
    am_arena arena = {0};
    am_generate_request request = *given;
    feed f = {.session = session, .request = &request, .rows = request.batch};
    am_status status = prepare(session, &request, &arena, out);
    f.encoder_decoder = (am_session_model(session)->architecture->flags & AM_ENCODER_DECODER) != 0;
    f.capacity = capacity_for(request.length + 1);
    if (!status) am_session_reset(session);
    if (!status && f.encoder_decoder) status = encode(&f);
    if (!status) status = generate_tokens(&f, &request, out);
    feed_deinit(&f);
    am_arena_deinit(&arena);
    if (status) am_generated_deinit(out);
    return status;
}

void am_generated_deinit(am_generated *g)
{
    am_free(g->ids);
    am_free(g->lengths);
    *g = (am_generated){0};
}
