/* What classes share, apart from spectra: arguments, padding, results. */
#include "media/extractors/extractor.h"

#include "base/memory.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* --- arguments --- */

bool am_feature_argument_bool(const am_feature_run *run, const char *name, bool fallback)
{
    return am_json_bool(am_json_get(run->options.arguments, name), fallback);
}

int64_t am_feature_argument_int(const am_feature_run *run, const char *name, int64_t fallback)
{
    return am_json_int(am_json_get(run->options.arguments, name), fallback);
}

bool am_feature_wants_mask(const am_feature_run *run)
{
    am_choice wanted = run->options.return_attention_mask;
    return wanted == AM_CHOICE_DEFAULT ? run->extractor->return_attention_mask : wanted == AM_CHOICE_YES;
}

/* --- sequences --- */

am_status am_sequences_init(am_feature_run *run, int64_t count, int64_t width, am_sequences *out)
{
    *out = (am_sequences){.count = count, .width = width};
    out->lengths = am_arena_array(&run->arena, (size_t)count, sizeof *out->lengths);
    out->places = am_arena_array(&run->arena, (size_t)count, sizeof *out->places);
    return out->lengths && out->places ? NULL : am_out_of_memory();
}

am_status am_sequences_add(am_feature_run *run, am_sequences *s, int64_t i, int64_t length)
{
    s->lengths[i] = length;
    s->places[i] = am_arena_array(&run->arena, (size_t)length + 1, (size_t)s->width * sizeof **s->places);
    return s->places[i] ? NULL : am_out_of_memory();
}

am_status am_sequences_of_sounds(am_feature_run *run, am_sequences *out)
{
    AM_TRY(am_sequences_init(run, run->count, run->sounds[0].channels, out));
    for (int64_t i = 0; i < run->count; i++) {
        out->lengths[i] = run->sounds[i].frames;
        out->places[i] = run->sounds[i].samples;
    }
    return NULL;
}

am_status am_sequences_copy_sounds(am_feature_run *run, am_sequences *out)
{
    AM_TRY(am_sequences_init(run, run->count, run->sounds[0].channels, out));
    for (int64_t i = 0; i < run->count; i++) {
        AM_TRY(am_sequences_add(run, out, i, run->sounds[i].frames));
        memcpy(out->places[i], run->sounds[i].samples,
               (size_t)(run->sounds[i].frames * out->width) * sizeof **out->places);
    }
    return NULL;
}

static int64_t round_up(int64_t length, int64_t multiple)
{
    int64_t rest = multiple > 0 ? length % multiple : 0;
    return rest ? length + multiple - rest : length;
}

/* How many places of a row are kept. */
static int64_t kept_length(int64_t length, const am_feature_options *o)
{
    int64_t limit = round_up(o->max_length, o->pad_to_multiple_of);
    return o->truncation == AM_CHOICE_YES && length > limit ? limit : length;
}

static am_status check_options(const am_feature_options *o)
{
    enum { LIMIT = 1 << 30 };
    if (o->max_length < 0 || o->max_length > LIMIT || o->pad_to_multiple_of < 0 || o->pad_to_multiple_of > LIMIT)
        return am_error(AM_INVALID_ARGUMENT,
                        "max_length %" PRId64 ", pad_to_multiple_of %" PRId64 "; expected 0 to %d samples",
                        o->max_length, o->pad_to_multiple_of, LIMIT);
    if (!o->max_length && (o->padding == AM_PADDING_MAX_LENGTH || o->truncation == AM_CHOICE_YES))
        return am_error(AM_INVALID_ARGUMENT, "padding to max_length, or truncation, without a max_length");
    return NULL;
}

/* The length that all rows are padded to, 0 for none. */
static int64_t padded_length(const am_sequences *s, const am_feature_options *o)
{
    int64_t longest = 0;
    if (o->padding == AM_PADDING_NONE) return 0;
    if (o->padding == AM_PADDING_MAX_LENGTH) return round_up(o->max_length, o->pad_to_multiple_of);
    for (int64_t i = 0; i < s->count; i++) {
        int64_t length = kept_length(s->lengths[i], o);
        if (length > longest) longest = length;
    }
    return round_up(longest, o->pad_to_multiple_of);
}

static void pad_row(const am_feature_run *run, const am_sequences *s, int64_t i, int64_t kept, am_padded *out)
{
    int64_t first = run->extractor->pad_left ? out->length - kept : 0;
    float *row = out->values + i * out->length * out->width;
    int32_t *ones = out->mask + i * out->length;
    if (kept) memcpy(row + first * s->width, s->places[i], (size_t)(kept * s->width) * sizeof *row);
    for (int64_t t = first; t < first + kept; t++) ones[t] = 1;
}

am_status am_sequences_pad(am_feature_run *run, const am_sequences *s, const am_feature_options *options,
                           double padding_value, am_padded *out)
{
    AM_TRY(check_options(options));
    int64_t padded = padded_length(s, options), length = kept_length(s->lengths[0], options);
    if (padded > length) length = padded;
    *out = (am_padded){.count = s->count, .length = length, .width = s->width};
    size_t places = (size_t)(s->count * length);
    out->values = am_arena_array(&run->arena, places, (size_t)s->width * sizeof *out->values);
    out->mask = am_arena_array(&run->arena, places, sizeof *out->mask);
    if (!out->values || !out->mask) return am_out_of_memory();
    for (size_t i = 0; i < places * (size_t)s->width && padding_value != 0.0; i++)
        out->values[i] = (float)padding_value;
    for (int64_t i = 0; i < s->count; i++) {
        int64_t kept = kept_length(s->lengths[i], options);
        if (kept > length || (kept < length && !padded))
            return am_error(AM_INVALID_ARGUMENT,
                            "sound %" PRId64 " has %" PRId64 " samples, others %" PRId64
                            ": without padding they make no batch",
                            i, kept, length);
        pad_row(run, s, i, kept, out);
    }
    return NULL;
}

/* Over the first `used` samples; the others become `padding`. */
static void normalize(float *samples, int64_t length, int64_t used, float padding)
{
    double mean = 0.0, variance = 0.0;
    for (int64_t t = 0; t < used; t++) mean += (double)samples[t];
    mean /= (double)used;
    for (int64_t t = 0; t < used; t++) variance += ((double)samples[t] - mean) * ((double)samples[t] - mean);
    double scale = 1.0 / sqrt(variance / (double)used + 1e-7);
    for (int64_t t = 0; t < used; t++) samples[t] = (float)(((double)samples[t] - mean) * scale);
    for (int64_t t = used; t < length; t++) samples[t] = padding;
}

void am_padded_normalize(const am_feature_run *run, bool by_mask, am_padded *padded)
{
    int64_t length = padded->length;
    for (int64_t i = 0; i < padded->count; i++) {
        const int32_t *ones = padded->mask + i * length;
        int64_t used = by_mask ? 0 : length;
        for (int64_t t = 0; t < length && by_mask; t++) used += ones[t];
        if (length) normalize(padded->values + i * length, length, used, (float)run->extractor->padding_value);
    }
}

am_status am_padded_group(am_feature_run *run, const am_padded *padded, int64_t stride, am_padded *out)
{
    *out = (am_padded){padded->count, padded->length / stride, padded->width * stride, NULL, NULL};
    size_t places = (size_t)(out->count * out->length);
    out->values = am_arena_array(&run->arena, places, (size_t)out->width * sizeof *out->values);
    out->mask = am_arena_array(&run->arena, places, sizeof *out->mask);
    if (!out->values || !out->mask) return am_out_of_memory();
    for (int64_t i = 0; i < out->count; i++) {
        if (out->length)
            memcpy(out->values + i * out->length * out->width, padded->values + i * padded->length * padded->width,
                   (size_t)(out->length * out->width) * sizeof *out->values);
        for (int64_t t = 0; t < out->length; t++) {
            int32_t least = 1;
            for (int64_t k = 0; k < stride; k++)
                if (!padded->mask[i * padded->length + t * stride + k]) least = 0;
            out->mask[i * out->length + t] = least;
        }
    }
    return NULL;
}

/* --- results --- */

const am_mask_columns am_all_columns = {.step = 1, .limit = INT64_MAX};

am_status am_feature_add(am_feature_run *run, const char *name, am_dtype dtype, am_shape shape, am_tensor *out)
{
    if (!am_shape_check(&shape)) return am_out_of_memory();
    size_t bytes = am_tensor_bytes(dtype, &shape);
    void *data = am_alloc_aligned(bytes ? bytes : 1);
    if (!data) return am_out_of_memory();
    memset(data, 0, bytes);
    *out = (am_tensor){.dtype = dtype, .shape = shape, .data = data};
    run->out->items[run->out->count++] = (am_feature){name, *out};
    return NULL;
}

am_status am_feature_add_values(am_feature_run *run, const char *name, int rank, const am_padded *padded)
{
    am_tensor tensor;
    am_shape shape = am_shape_of(padded->count, padded->length, padded->width);
    shape.rank = rank;
    AM_TRY(am_feature_add(run, name, AM_F32, shape, &tensor));
    size_t count = (size_t)(padded->count * padded->length * padded->width);
    if (count) memcpy(tensor.data, padded->values, count * sizeof *padded->values);
    return NULL;
}

am_status am_feature_add_channels(am_feature_run *run, const char *name, const am_padded *padded)
{
    am_tensor tensor;
    int64_t length = padded->length, width = padded->width;
    AM_TRY(am_feature_add(run, name, AM_F32, am_shape_of(padded->count, width, length), &tensor));
    float *to = tensor.data;
    for (int64_t i = 0; i < padded->count; i++)
        for (int64_t c = 0; c < width; c++)
            for (int64_t t = 0; t < length; t++) *to++ = padded->values[(i * length + t) * width + c];
    return NULL;
}

am_status am_feature_add_mask(am_feature_run *run, const char *name, am_dtype dtype, const am_padded *padded,
                              const am_mask_columns *columns)
{
    am_tensor tensor;
    int64_t rest = padded->length - columns->first, kept = rest > 0 ? (rest - 1) / columns->step + 1 : 0;
    if (kept > columns->limit) kept = columns->limit;
    AM_TRY(am_feature_add(run, name, dtype, am_shape_of(padded->count, kept), &tensor));
    for (int64_t i = 0; i < padded->count; i++)
        for (int64_t t = 0; t < kept; t++)
            am_store_real(dtype, tensor.data, i * kept + t,
                          padded->mask[i * padded->length + columns->first + t * columns->step]);
    return NULL;
}

am_status am_feature_add_lengths_mask(am_feature_run *run, const char *name, am_dtype dtype, const int64_t *lengths,
                                      int64_t count, int64_t length)
{
    am_tensor tensor;
    AM_TRY(am_feature_add(run, name, dtype, am_shape_of(count, length), &tensor));
    for (int64_t i = 0; i < count; i++)
        for (int64_t t = 0; t < lengths[i] && t < length; t++) am_store_real(dtype, tensor.data, i * length + t, 1.0);
    return NULL;
}
