/* PI0: the cameras of a robot, all before the text, beside its state and its actions. */
#include "processors/rules.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <string.h>

/* Images of a text: as the call says, or all where there is one text. */
static int64_t cameras_of(const am_processor_call *run, int64_t text)
{
    return run->inputs->image_counts ? run->inputs->image_counts[text] : run->inputs->image_count;
}

static am_status check_cameras(const am_processor_call *run)
{
    int64_t texts = run->out->text_count, total = 0;
    for (int64_t i = 0; i < texts; i++) {
        if (cameras_of(run, i) < 1) return am_error(AM_INVALID_ARGUMENT, "text %" PRId64 " has no images", i);
        total += cameras_of(run, i);
    }
    if (total == run->inputs->image_count) return NULL;
    return am_error(AM_INVALID_ARGUMENT,
                    "%" PRId64 " images are given, but the %" PRId64 " texts have %" PRId64 " in all; expected the "
                    "number of each text's",
                    run->inputs->image_count, texts, total);
}

static am_status put_cameras(am_processor_call *run)
{
    int64_t length;
    if (!run->inputs->image_count) return am_error(AM_INVALID_ARGUMENT, "%s needs images", run->processor->kind->name);
    if (!run->out->text_count) AM_TRY(am_make_texts(run, 1));
    AM_TRY(check_cameras(run));
    AM_TRY(am_processor_image_integer(run->processor, "image_seq_length", &length));
    for (int64_t i = 0; i < run->out->text_count; i++) {
        const am_buffer *in = &run->out->texts[i];
        am_buffer text = {0};
        am_put_token(run, "image_token", length * cameras_of(run, i), &text);
        am_buffer_append_string(&text, am_special_text(run, "bos_token"));
        am_buffer_append(&text, am_buffer_text(in), in->length);
        am_buffer_append_char(&text, '\n');
        am_set_text(run, i, &text);
        AM_TRY(am_buffer_status(&run->out->texts[i]));
    }
    return NULL;
}

/* The class takes from its tokenizer what that adds to texts. */
static am_status encode(am_processor_call *run)
{
    am_encode_options options;
    AM_TRY(am_processor_encode_options(run->processor, &options));
    options.add_special_tokens = false;
    return am_processor_encode_with(run, run->processor->tokenizer, &options);
}

/* --- cameras --- */

/* pixel_values [texts, cameras, channels, height, width], those that a text has fewer of 0; pixel_attention_mask. */
static am_status give_cameras(am_processor_call *run)
{
    int64_t texts = run->out->text_count, most = 0;
    const am_tensor *pixels;
    am_tensor *made, *mask;
    for (int64_t i = 0; i < texts; i++)
        if (cameras_of(run, i) > most) most = cameras_of(run, i);
    AM_TRY(am_media_tensors_get(&run->out->tensors, "pixel_values", &pixels));
    const int64_t *dims = pixels->shape.dims;
    am_shape shape = am_shape_of(texts, most, dims[1], dims[2], dims[3]), flat = am_shape_of(texts, most);
    size_t image = am_tensor_bytes(pixels->dtype, &pixels->shape) / (size_t)dims[0];
    AM_TRY(am_media_tensors_add(&run->out->tensors, "cameras", pixels->dtype, &shape, &made));
    AM_TRY(am_media_tensors_add(&run->out->tensors, "pixel_attention_mask", AM_BOOL, &flat, &mask));
    const char *from = am_media_tensors_find(&run->out->tensors, "pixel_values")->tensors[0].data;
    for (int64_t i = 0; i < texts; from += (size_t)cameras_of(run, i) * image, i++) {
        memcpy((char *)made->data + (size_t)(i * most) * image, from, (size_t)cameras_of(run, i) * image);
        memset((uint8_t *)mask->data + i * most, 1, (size_t)cameras_of(run, i));
    }
    am_media_drop(&run->out->tensors, "pixel_values");
    am_media_rename(&run->out->tensors, "cameras", "pixel_values");
    return NULL;
}

/* --- state and actions --- */

/* Numbers in nested lists: how many, and how many the innermost lists have. */
typedef struct numbers {
    const char *name;
    int64_t count, width;
    float *values; /* null: they are counted only */
} numbers;

static am_status take_numbers(am_json value, numbers *out)
{
    am_json_kind kind = am_json_kind_of(value);
    int64_t begin = out->count;
    bool innermost = false;
    if (kind != AM_JSON_ARRAY) return am_error(AM_INVALID_ARGUMENT, "%s: expected lists of numbers", out->name);
    for (am_json_iterator i = am_json_iterate(value); am_json_next(&i);) {
        am_json_kind item = am_json_kind_of(i.value);
        innermost = item == AM_JSON_INTEGER || item == AM_JSON_REAL;
        if (!innermost) AM_TRY(take_numbers(i.value, out));
        else if (out->values) out->values[out->count++] = (float)am_json_real(i.value, 0.0);
        else out->count++;
    }
    if (!innermost) return NULL;
    if (out->width && out->width != out->count - begin)
        return am_error(AM_INVALID_ARGUMENT, "%s: lists of %" PRId64 " and of %" PRId64 " numbers", out->name,
                        out->width, out->count - begin);
    out->width = out->count - begin;
    return NULL;
}

/* The k-th of a statistic, which is one number for all or a list. */
static am_status read_statistic(am_json value, const char *feature, int64_t width, int64_t k, float *out)
{
    bool is_list = am_json_kind_of(value) == AM_JSON_ARRAY;
    int64_t count = is_list ? (int64_t)am_json_count(value) : 1, at = 0;
    if (am_json_kind_of(value) == AM_JSON_MISSING)
        return am_error(AM_INVALID_ARGUMENT, "processing %s needs %s_mean and %s_std", feature, feature, feature);
    if (count != 1 && count != width)
        return am_error(AM_INVALID_ARGUMENT, "%s: %" PRId64 " numbers, but statistics of %" PRId64, feature, width,
                        count);
    if (!is_list) *out = (float)am_json_real(value, 0.0);
    for (am_json_iterator i = am_json_iterate(value); is_list && am_json_next(&i); at++)
        if (at == (count == 1 ? 0 : k)) *out = (float)am_json_real(i.value, 0.0);
    return NULL;
}

static am_status normalize(const am_processor *p, numbers *n, const char *mean_name, const char *std_name)
{
    for (int64_t k = 0; k < n->width; k++) {
        float mean = 0.0f, std = 1.0f;
        AM_TRY(read_statistic(am_processor_setting(p, mean_name), n->name, n->width, k, &mean));
        AM_TRY(read_statistic(am_processor_setting(p, std_name), n->name, n->width, k, &std));
        for (int64_t i = k; i < n->count; i += n->width) n->values[i] = (n->values[i] - mean) / (std + 1e-8f);
    }
    return NULL;
}

/* Outputs a feature of the call, normalized and with zeros up to max_state_dim: [-1, steps, max_state_dim], or without
   the second dimension where steps is 0. */
static am_status give_feature(am_processor_call *run, const char *name, const char *mean, const char *std,
                              int64_t steps)
{
    am_json value = am_processor_setting(run->processor, name);
    numbers n = {.name = name};
    int64_t most;
    am_tensor *made;
    if (am_json_kind_of(value) == AM_JSON_MISSING) return NULL;
    AM_TRY(am_processor_integer(run->processor, "max_state_dim", &most));
    AM_TRY(take_numbers(value, &n));
    int64_t rows = n.width ? n.count / n.width : 0;
    if (!rows || n.width > most || (steps && rows % steps))
        return am_error(AM_INVALID_ARGUMENT,
                        "%s: %" PRId64 " rows of %" PRId64 " numbers; expected at most %" PRId64
                        " numbers, and rows that are a multiple of %" PRId64,
                        name, rows, n.width, most, steps ? steps : 1);
    n = (numbers){.name = name, .values = am_arena_array(&run->arena, (size_t)n.count, sizeof(float))};
    if (!n.values) return am_out_of_memory();
    AM_TRY(take_numbers(value, &n));
    AM_TRY(normalize(run->processor, &n, mean, std));
    am_shape shape = steps ? am_shape_of(rows / steps, steps, most) : am_shape_of(rows, most);
    AM_TRY(am_media_tensors_add(&run->out->tensors, name, AM_F32, &shape, &made));
    for (int64_t i = 0; i < rows; i++)
        memcpy((float *)made->data + i * most, n.values + i * n.width, (size_t)n.width * sizeof(float));
    return NULL;
}

static am_status finish(am_processor_call *run)
{
    int64_t steps;
    AM_TRY(am_processor_integer(run->processor, "chunk_size", &steps));
    if (!steps) return am_error(AM_INVALID_FILE, "chunk_size: expected a positive integer, found 0");
    AM_TRY(give_cameras(run));
    AM_TRY(give_feature(run, "actions", "actions_mean", "actions_std", steps));
    return give_feature(run, "state", "state_mean", "state_std", 0);
}

/* --- rows of the table --- */

/* clang-format off */
static const am_processor_class classes[] = {
    {.name = "PI0Processor",
     .settings = AM_JSON({"image_token": "<image>", "max_state_dim": 32, "chunk_size": 50, "state": null,
                          "actions": null, "text_kwargs": {"padding": "max_length", "max_length": 48,
                                                           "padding_side": "right"}}),
     .tokens = "image_token", .image = {.placeholder = "image_token"}, .prepare = put_cameras, .encode = encode,
     .finish = finish},
    {0},
};
/* clang-format on */

const am_processor_family am_processor_family_pi0 = {classes};
