#include "runtime/decoder_feed.h"

#include "base/memory.h"
#include "models/blocks/rotary.h"

#include <string.h>

enum { SMALLEST_CACHE = 64, MORE_INPUTS = 4, PART_TOKENS = 16 };

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

static const char *const STATES = "encoder_hidden_states";

static am_status keep_encoded(am_decoder_feed *f, const char *name, const am_tensor *found)
{
    bool is_states = strcmp(name, "encoder_last_hidden_state") == 0;
    size_t bytes = am_tensor_bytes(found->dtype, &found->shape);
    am_session_input *kept = &f->encoded[f->encoded_count++];
    *kept = (am_session_input){
        am_arena_string(&f->encoding, is_states ? STATES : name, strlen(is_states ? STATES : name)), *found};
    kept->tensor.data = am_arena_alloc(&f->encoding, bytes);
    if (!kept->name || !kept->tensor.data) return am_out_of_memory();
    memcpy(kept->tensor.data, found->data, bytes);
    if (is_states) f->encoder_length = found->shape.dims[1];
    return NULL;
}

static am_status encode(am_decoder_feed *f)
{
    am_run_options options = {.stage = AM_STAGE_ENCODE};
    AM_TRY(am_session_run(f->session, f->request->inputs, f->request->input_count, &options));
    int count = am_session_output_count(f->session);
    f->encoded = am_arena_array(&f->encoding, (size_t)count + 1, sizeof *f->encoded);
    if (!f->encoded) return am_out_of_memory();
    for (int i = 0; i < count; i++) {
        am_tensor found = am_session_output(f->session, i);
        AM_TRY(keep_encoded(f, am_session_output_name(f->session, i), &found));
    }
    return f->encoder_length ? NULL : am_error(AM_INTERNAL, "the encoder gives no encoder_last_hidden_state");
}

/* attention_mask over all places of the cache: the prompt's, then ones. */
static am_tensor widen_mask(am_decoder_feed *f, const am_tensor *mask)
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
static am_tensor mask_positions(am_decoder_feed *f, const int32_t *mask, int64_t T)
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
static am_tensor last_column(am_decoder_feed *f, const am_tensor *x, int64_t T, bool counts)
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

static bool is_given(const am_decoder_feed *f, const char *name)
{
    for (int i = 0; i < f->request->input_count; i++)
        if (strcmp(f->request->inputs[i].name, name) == 0) return true;
    return false;
}

/* Whether there is an element for each token of the prompt. */
static bool goes_with_text(const am_decoder_feed *f, const am_tensor *x)
{
    return !am_dtype_is_float(x->dtype) && x->shape.rank == 2 && x->shape.dims[1] == f->request->length;
}

/* Whether it says something of each row, whatever the text: what its cross-attention may see, its language. */
static bool goes_with_rows(const am_session_input *x)
{
    return strcmp(x->name, "encoder_attention_mask") == 0 || strcmp(x->name, "lang_ids") == 0;
}

static int decoder_inputs(am_decoder_feed *f, int64_t T, am_session_input *out)
{
    int count = 0;
    for (int i = 0; i < f->request->input_count; i++) {
        const am_session_input *given = &f->request->inputs[i];
        bool is_mask = strcmp(given->name, "attention_mask") == 0;
        if (f->encoder_decoder && is_mask)
            out[count++] = (am_session_input){given->name, repeat_rows(&f->arena, &given->tensor, f->rows)};
        if (f->encoder_decoder) continue;
        bool is_media = !goes_with_text(f, &given->tensor); /* images, sounds, states: the prompt's */
        if (goes_with_rows(given)) {
            out[count++] = (am_session_input){given->name, repeat_rows(&f->arena, &given->tensor, f->rows)};
            continue;
        }
        if (is_media && f->offset) continue;
        if (is_media && f->rows == f->request->batch) { /* tiles may be more than rows */
            out[count++] = *given;
            continue;
        }
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
    for (int i = 0; i < f->encoded_count; i++)
        if (f->offset == 0 || strcmp(f->encoded[i].name, STATES) != 0)
            out[count++] =
                (am_session_input){f->encoded[i].name, repeat_rows(&f->arena, &f->encoded[i].tensor, f->rows)};
    return count;
}

/* --- classes that run the whole text for every token --- */

/* An input of the prompt, [batch, length], for T tokens: goes on with its last value, a mask with ones. Inputs of
   another rank stay. */
static am_tensor whole_input(am_decoder_feed *f, const am_session_input *given, int64_t T)
{
    const am_tensor *x = &given->tensor;
    am_tensor y = {AM_I32, am_shape_of(f->rows, T), NULL};
    if (x->shape.rank != 2) return repeat_rows(&f->arena, x, f->rows);
    bool is_mask = strcmp(given->name, "attention_mask") == 0;
    int64_t length = x->shape.dims[1], times = f->rows / x->shape.dims[0];
    int32_t *out = am_arena_array(&f->arena, (size_t)(f->rows * T), sizeof *out);
    for (int64_t i = 0; out && i < f->rows * T; i++) {
        int64_t row = i / T / times, at = i % T < length ? i % T : length - 1;
        bool is_new_mask = is_mask && i % T >= length;
        out[i] = is_new_mask ? 1 : (int32_t)am_load_int(x->dtype, x->data, row * length + at);
    }
    y.data = out;
    return y;
}

/* All tokens fed so far and ids: [rows, T], in the arena: [rows, fed]. */
static int32_t *whole_text(am_decoder_feed *f, const int32_t *ids, int64_t T)
{
    int32_t *text = am_arena_array(&f->arena, (size_t)(f->rows * (f->read.length + T)), sizeof *text);
    if (text) am_tokens_read_join(&f->read, ids, f->rows, T, text);
    return text;
}

static int whole_inputs(am_decoder_feed *f, int64_t T, am_session_input *out)
{
    for (int i = 0; i < f->request->input_count; i++)
        out[i] = (am_session_input){f->request->inputs[i].name, whole_input(f, &f->request->inputs[i], T)};
    return f->request->input_count;
}

/* --- */

static int64_t capacity_for(int64_t needed)
{
    int64_t capacity = SMALLEST_CACHE;
    while (capacity < needed) capacity *= 2;
    return capacity;
}

static am_status run(am_decoder_feed *f, const int32_t *ids, int64_t T, const float **logits, int64_t *vocab)
{
    am_session_input *inputs;
    am_tensor found;
    int64_t fed = f->offset + T, width = f->recomputes ? fed : T;
    if (fed > f->capacity) f->capacity = capacity_for(fed);
    am_arena_deinit(&f->arena);
    inputs = am_arena_array(&f->arena, (size_t)(f->request->input_count * 2 + f->encoded_count + MORE_INPUTS),
                            sizeof *inputs);
    if (!inputs) return am_out_of_memory();
    int count = f->recomputes ? whole_inputs(f, fed, inputs) : decoder_inputs(f, T, inputs);
    const int32_t *run = f->recomputes ? whole_text(f, ids, T) : ids;
    const char *name = f->encoder_decoder ? "decoder_input_ids" : "input_ids";
    inputs[count++] = (am_session_input){name, {AM_I32, am_shape_of(f->rows, width), (void *)(uintptr_t)run}};
    for (int i = 0; i < count; i++)
        if (!inputs[i].tensor.data && am_shape_count(&inputs[i].tensor.shape)) return am_out_of_memory();
    am_run_options options = {.stage = f->encoder_decoder ? AM_STAGE_DECODE : AM_STAGE_FORWARD,
                              .last_logits_only = true,
                              .cache_capacity = f->recomputes ? 0 : f->capacity,
                              .cache_offset = f->recomputes ? 0 : f->offset,
                              .cross_cached = f->offset > 0 && !f->in_parts,
                              .encoder_length = f->encoder_length};
    AM_TRY(am_session_run(f->session, inputs, count, &options));
    if (!am_session_find_output(f->session, "logits", &found) || found.dtype != AM_F32 || found.shape.rank != 3)
        return am_error(AM_UNSUPPORTED, "this class gives no logits over a vocabulary");
    *logits = found.data;
    *vocab = found.shape.dims[2];
    if (f->offset == 0 && am_session_find_output(f->session, "cross_attention_states", &found))
        f->encoder_length = found.shape.dims[1];
    f->offset = fed;
    return NULL;
}

/* Where a target compiles long for each new shape, PART_TOKENS at a time and the rest one by one, so that texts of all
   lengths need the same two graphs. */
static am_status run_parts(am_decoder_feed *f, const int32_t *ids, int64_t T, const float **logits, int64_t *vocab)
{
    int64_t count = 0;
    if (!f->in_parts) return run(f, ids, T, logits, vocab);
    int32_t *part = am_alloc((size_t)(f->rows * PART_TOKENS) * sizeof *part);
    am_status status = part ? NULL : am_out_of_memory();
    for (int64_t at = 0; at < T && !status; at += count) {
        count = T - at < PART_TOKENS ? 1 : PART_TOKENS;
        for (int64_t r = 0; r < f->rows; r++) memcpy(part + r * count, ids + r * T + at, (size_t)count * sizeof *part);
        status = run(f, part, count, logits, vocab);
    }
    am_free(part);
    return status;
}

static am_status read_again(am_decoder_feed *f, const int32_t *ids, int64_t T, const float **logits, int64_t *vocab)
{
    for (int i = 0; i < f->request->input_count; i++)
        if (strcmp(f->request->inputs[i].name, "attention_mask") != 0)
            return am_error(AM_UNSUPPORTED, "a text with %s cannot outgrow %lld tokens", f->request->inputs[i].name,
                            (long long)f->again_beyond);
    int64_t length = f->read.length + T;
    int32_t *all = am_alloc((size_t)(f->rows * length) * sizeof *all);
    if (!all) return am_out_of_memory();
    am_tokens_read_join(&f->read, ids, f->rows, T, all);
    f->offset = 0;
    am_status status = run_parts(f, all, length, logits, vocab);
    am_free(all);
    am_tokens_read_deinit(&f->read);
    return status;
}

am_status am_decoder_feed_run(am_decoder_feed *f, const int32_t *ids, int64_t T, const float **logits, int64_t *vocab)
{
    int64_t length = f->offset + T;
    if (f->offset > 0 && f->offset <= f->again_beyond && length > f->again_beyond)
        return read_again(f, ids, T, logits, vocab);
    AM_TRY(run_parts(f, ids, T, logits, vocab));
    bool is_kept = f->recomputes || length <= f->again_beyond;
    return is_kept ? am_tokens_read_append(&f->read, ids, f->rows, T) : NULL;
}

/* What is given beside the mask belongs to the whole prompt. */
static bool takes_parts(const am_decoder_feed *f, const am_loaded_model *model)
{
    if (f->encoder_decoder || f->recomputes || !am_session_compiles_long(f->session)) return false;
    if (model->architecture->flags & AM_READS_AT_ONCE || am_rope_follows_length(&model->config)) return false;
    for (int i = 0; i < f->request->input_count; i++)
        if (strcmp(f->request->inputs[i].name, "attention_mask") != 0) return false;
    return true;
}

am_status am_decoder_feed_init(am_decoder_feed *f, am_session *session, const am_generate_request *request)
{
    const am_loaded_model *model = am_session_model(session);
    *f = (am_decoder_feed){.session = session, .request = request, .rows = request->batch};
    if (model->type->reads_again_beyond) f->again_beyond = model->type->reads_again_beyond(&model->config);
    f->encoder_decoder = (model->architecture->flags & AM_ENCODER_DECODER) != 0;
    f->recomputes = (model->architecture->flags & AM_RECOMPUTES) != 0;
    f->in_parts = takes_parts(f, model);
    f->capacity = capacity_for(request->length + 1);
    am_session_reset(session);
    if (f->encoder_decoder) return encode(f);
    for (int i = 0; i < request->input_count; i++)
        if (strcmp(request->inputs[i].name, STATES) == 0 && request->inputs[i].tensor.shape.rank == 3)
            f->encoder_length = request->inputs[i].tensor.shape.dims[1];
    return NULL;
}

am_status am_decoder_feed_repeat(am_decoder_feed *f, int64_t times)
{
    am_arena arena = {0};
    int64_t rows = f->rows * times;
    int32_t *origin = am_arena_array(&arena, (size_t)rows, sizeof *origin);
    for (int64_t r = 0; origin && r < rows; r++) origin[r] = (int32_t)(r / times);
    am_status status = origin ? am_session_reorder(f->session, origin, f->rows, rows) : am_out_of_memory();
    if (!status) status = am_tokens_read_reorder(&f->read, origin, rows);
    am_arena_deinit(&arena);
    f->rows = rows;
    return status;
}

am_status am_decoder_feed_reorder(am_decoder_feed *f, const int32_t *origin)
{
    bool is_same = true;
    for (int64_t r = 0; r < f->rows && is_same; r++) is_same = origin[r] == r;
    if (is_same) return NULL;
    AM_TRY(am_session_reorder(f->session, origin, f->rows, f->rows));
    return am_tokens_read_reorder(&f->read, origin, f->rows);
}

void am_decoder_feed_deinit(am_decoder_feed *f)
{
    am_arena_deinit(&f->arena);
    am_tokens_read_deinit(&f->read);
    am_arena_deinit(&f->encoding);
}
