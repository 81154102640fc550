#include "base/file.h"
#include "base/memory.h"
#include "base/prng.h"
#include "media/image_processor.h"
#include "recorded/case.h"
#include "recorded/images.h"
#include "recorded/post_processing.h"
#include "recorded/videos.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const am_verify_tolerance float_tolerance = {.absolute = 2e-5, .mean_relative = 1e-5};

/* Member of an object as text; "" when it is none. */
static const char *text_of(am_json object, const char *key)
{
    return am_json_text(am_json_get(object, key)).bytes;
}

static bool is_there(am_json object, const char *key)
{
    return am_json_kind_of(am_json_get(object, key)) != AM_JSON_MISSING;
}

typedef am_status (*image_opener)(const char *path, int64_t max_pixels, am_image *out);

static am_status open_image_by(const am_verifier *v, const char *file, image_opener open, am_image *out)
{
    char name[300];
    snprintf(name, sizeof name, "images/%s", file);
    char *path = am_verifier_path(v, name);
    am_status status = path ? open(path, 0, out) : am_out_of_memory();
    am_free(path);
    return status;
}

static am_status open_image(const am_verifier *v, const char *file, am_image *out)
{
    return open_image_by(v, file, am_image_open, out);
}

/* At most `allowed` of the bytes may be off, by one. */
static am_status compare_bytes(const am_image *image, const am_mapped_file *answers, am_json offset, int64_t allowed)
{
    int64_t at = am_json_int(offset, -1), count = image->width * image->height * 3, off = 0;
    if (at < 0 || at > (int64_t)answers->size_bytes - count)
        return am_error(AM_INVALID_FILE, "no answer at offset %" PRId64, at);
    for (int64_t i = 0; i < count; i++) {
        int found = image->pixels[i], expected = answers->bytes[at + i];
        if (found == expected) continue;
        if (++off > allowed || abs(found - expected) > 1)
            return am_error(AM_FAILED, "byte %" PRId64 " (row, column, channel) is %d, expected %d", i, found,
                            expected);
    }
    return NULL;
}

static am_status check_decoded(const am_verifier *v, am_json row, const am_mapped_file *answers)
{
    am_image image = {0};
    const char *file = text_of(row, "file");
    AM_TRY(open_image(v, file, &image));
    am_json shape = am_json_get(row, "loaded_shape");
    int64_t height = am_json_int(am_verify_element(shape, 0), -1), width = am_json_int(am_verify_element(shape, 1), -1);
    bool jpeg = strcmp(am_path_extension(file), ".jpg") == 0;
    am_status status = NULL;
    if (image.height != height || image.width != width)
        status = am_error(AM_FAILED, "%" PRId64 "x%" PRId64 " (height, width), expected %" PRId64 "x%" PRId64,
                          image.height, image.width, height, width);
    else status = compare_bytes(&image, answers, am_json_get(row, "offset"), jpeg ? height * width * 3 / 500 : 0);
    am_image_deinit(&image);
    return status;
}

/* torchvision keeps 16-bit grey as it is, three times: uint16 [height, width, 3] at the offset. */
static am_status check_decoded_wide(const am_verifier *v, am_json row, const am_mapped_file *answers)
{
    am_image image = {0};
    int64_t at = am_json_int(am_json_get(row, "torchvision_offset"), -1);
    AM_TRY(open_image_by(v, text_of(row, "file"), am_image_open_stored, &image));
    int64_t count = image.width * image.height * 3;
    am_status status = NULL;
    if (!image.wide || at < 0 || at > (int64_t)answers->size_bytes - 2 * count)
        status = am_error(AM_FAILED, "no grey of 16 bits, or no answer at offset %" PRId64, at);
    for (int64_t i = 0; i < count && !status; i++) {
        const uint8_t *bytes = answers->bytes + at + 2 * i;
        int expected = bytes[0] | bytes[1] << 8, found = image.wide[i / 3];
        if (found != expected)
            status = am_error(AM_FAILED, "sample %" PRId64 " is %d, expected %d", i, found, expected);
    }
    am_image_deinit(&image);
    return status;
}

static am_status verify_decoded(am_verifier *v, am_json rows, const am_mapped_file *answers)
{
    for (am_json_iterator i = am_json_iterate(rows); am_json_next(&i);) {
        AM_TRY(am_verify_count(v, check_decoded(v, i.value, answers), "decoded %s", text_of(i.value, "file")));
        if (!is_there(i.value, "torchvision_offset")) continue;
        am_status wide = check_decoded_wide(v, i.value, answers);
        AM_TRY(am_verify_count(v, wide, "decoded %s by torchvision", text_of(i.value, "file")));
    }
    return NULL;
}

/* One way of resizing, and the key under which its answer is recorded. */
typedef struct resize_way {
    const char *answer, *error;
    bool pil, is_float, antialias;
} resize_way;

static const resize_way resize_ways[] = {
    {.answer = "pil", .error = "pil_err", .pil = true},
    {.answer = "tv_uint8_aa1", .error = "tv_err_aa1", .antialias = true},
    {.answer = "tv_uint8_aa0", .error = "tv_err_aa0"},
    {.answer = "tv_float_aa1", .error = "tv_err_aa1", .antialias = true, .is_float = true},
    {.answer = "tv_float_aa0", .error = "tv_err_aa0", .is_float = true},
};

typedef struct resize_case {
    am_image source;
    int64_t height, width;
    am_resample resample;
} resize_case;

/* The image divided by 255 as [3, H, W], resized. */
static am_status resize_floats(const resize_case *c, bool antialias, am_tensor *out)
{
    am_plane_size from = {c->source.height, c->source.width}, to = {c->height, c->width};
    int64_t plane = from.height * from.width;
    am_shape shape = am_shape_of(3, to.height, to.width);
    *out = (am_tensor){.dtype = AM_F32, .shape = shape, .data = am_alloc_aligned(am_tensor_bytes(AM_F32, &shape))};
    float *planes = am_alloc((size_t)plane * 3 * sizeof *planes);
    am_status status = planes && out->data ? NULL : am_out_of_memory();
    for (int64_t i = 0; i < 3 * plane && !status; i++)
        planes[i] = (float)c->source.pixels[i % plane * 3 + i / plane] / 255.0f;
    if (!status) status = am_resize_torch_f32(planes, 3, from, to, c->resample, antialias, out->data);
    am_free(planes);
    return status;
}

static am_status check_float_resize(const resize_case *c, const resize_way *way, am_json expected)
{
    am_tensor found = {0};
    am_status status = resize_floats(c, way->antialias, &found);
    if (!status) status = am_verify_array(expected, &found, &float_tolerance);
    am_free_aligned(found.data);
    return status;
}

static am_status resize_bytes(const resize_case *c, const resize_way *way, am_image *out)
{
    if (way->pil) return am_resize_pil(&c->source, c->width, c->height, c->resample, out);
    return am_resize_torch(&c->source, c->width, c->height, c->resample, way->antialias, out);
}

static am_status check_byte_resize(const resize_case *c, const resize_way *way, am_json offset,
                                   const am_mapped_file *answers)
{
    am_image found;
    AM_TRY(resize_bytes(c, way, &found));
    am_status status = compare_bytes(&found, answers, offset, 0);
    am_image_deinit(&found);
    return status;
}

static am_status check_resize_error(const resize_case *c, const resize_way *way)
{
    am_image found = {0};
    am_status status = am_verify_expect_failure(resize_bytes(c, way, &found));
    am_image_deinit(&found);
    return status;
}

static am_status verify_resize_row(am_verifier *v, am_json row, const resize_case *c, const am_mapped_file *answers)
{
    for (size_t i = 0; i < sizeof resize_ways / sizeof *resize_ways; i++) {
        const resize_way *way = &resize_ways[i];
        am_json answer = am_json_get(row, way->answer);
        am_status outcome = NULL;
        if (is_there(row, way->answer) && way->is_float) outcome = check_float_resize(c, way, answer);
        else if (is_there(row, way->answer)) outcome = check_byte_resize(c, way, answer, answers);
        else if (is_there(row, way->error) && !way->is_float) outcome = check_resize_error(c, way);
        else continue;
        AM_TRY(am_verify_count(v, outcome, "resize %s %" PRId64 "x%" PRId64 " to %" PRId64 "x%" PRId64 " %s",
                               way->answer, c->source.height, c->source.width, c->height, c->width,
                               am_resample_name(c->resample)));
    }
    return NULL;
}

/* A row either gives the source image of those that follow, or is a case. */
static am_status read_resize_source(am_json row, const am_mapped_file *answers, resize_case *c)
{
    am_json shape = am_json_get(row, "source");
    int64_t offset = am_json_int(am_json_get(row, "offset"), -1);
    am_image_deinit(&c->source);
    AM_TRY(am_image_create(am_json_int(am_verify_element(shape, 1), 0), am_json_int(am_verify_element(shape, 0), 0),
                           &c->source));
    int64_t bytes = c->source.width * c->source.height * 3;
    if (offset < 0 || offset > (int64_t)answers->size_bytes - bytes)
        return am_error(AM_INVALID_FILE, "no source at offset %" PRId64, offset);
    memcpy(c->source.pixels, answers->bytes + offset, (size_t)bytes);
    return NULL;
}

static am_status read_resize_case(am_json row, resize_case *c)
{
    am_json size = am_json_get(row, "size");
    c->height = am_json_int(am_verify_element(size, 0), -1);
    c->width = am_json_int(am_verify_element(size, 1), -1);
    int64_t resample = am_json_int(am_json_get(row, "resample"), -1);
    if (!c->source.pixels || resample < 0 || resample >= AM_RESAMPLE_COUNT || c->height < 1 || c->width < 1 ||
        c->height > 4096 || c->width > 4096)
        return am_error(AM_INVALID_FILE,
                        "resize.json: a case without source, with size %" PRId64 "x%" PRId64 " or resample %" PRId64,
                        c->height, c->width, resample);
    c->resample = (am_resample)resample;
    return NULL;
}

static am_status verify_resize(am_verifier *v, am_json rows, const am_mapped_file *answers)
{
    resize_case c = {0};
    am_status status = NULL;
    for (am_json_iterator i = am_json_iterate(rows); !status && am_json_next(&i);) {
        if (is_there(i.value, "source")) {
            status = read_resize_source(i.value, answers, &c);
            continue;
        }
        status = read_resize_case(i.value, &c);
        if (!status) status = verify_resize_row(v, i.value, &c, answers);
    }
    am_image_deinit(&c.source);
    return status;
}

/* NAME.json with the bytes of its answers in NAME.bin. */
static am_status verify_with_bytes(am_verifier *v, const char *json_name, const char *bin_name,
                                   am_status (*verify)(am_verifier *, am_json, const am_mapped_file *))
{
    am_json_document *document = NULL;
    AM_TRY(am_verify_open(v, json_name, &document));
    if (!document) return NULL;
    am_mapped_file answers = {0};
    char *path = am_verifier_path(v, bin_name);
    am_status status = path ? am_file_map(path, &answers) : am_out_of_memory();
    if (!status) {
        status = verify(v, am_json_root(document), &answers);
        am_file_unmap(&answers);
    }
    am_free(path);
    am_json_close(document);
    return status;
}

enum { MAX_BATCH = 16 };

static am_status open_images(const am_verifier *v, am_json files, am_image images[MAX_BATCH], int64_t *count)
{
    for (am_json_iterator i = am_json_iterate(files); am_json_next(&i); ++*count) {
        if (*count == MAX_BATCH) return am_error(AM_INVALID_FILE, "more than %d images", MAX_BATCH);
        AM_TRY(open_image(v, am_json_text(i.value).bytes, &images[*count]));
    }
    return NULL;
}

/* Texts beside the bytes of tensors. */
static am_status compare_texts(am_json expected, const am_media_output *found)
{
    int64_t at = 0;
    for (am_json_iterator i = am_json_iterate(expected); am_json_next(&i); at++) {
        am_json_string text = am_json_text(i.value);
        const am_tensor *made = &found->tensors[at];
        int64_t length = am_shape_count(&made->shape);
        if (made->dtype == AM_U8 && length == (int64_t)text.length && memcmp(made->data, text.bytes, text.length) == 0)
            continue;
        return am_error(AM_FAILED, "text %" PRId64 " is of %" PRId64 " bytes, expected \"%s\"", at, length, text.bytes);
    }
    return NULL;
}

static const am_verify_tolerance exact = {.mean_absolute = 1e-8, .mean_relative = 1e-8};

static bool is_number_or_flag(am_json value)
{
    am_json_kind kind = am_json_kind_of(value);
    return kind == AM_JSON_INTEGER || kind == AM_JSON_BOOL;
}

/* The first value inside nested lists. */
static am_json first_leaf(am_json list)
{
    am_json_iterator i = am_json_iterate(list);
    return am_json_kind_of(list) == AM_JSON_ARRAY && am_json_next(&i) ? first_leaf(i.value) : list;
}

/* Nested lists of whole numbers or flags, which classes do not make tensors, beside a tensor of i64 or bool. */
static am_status compare_lists(am_json expected, const am_tensor *found, int axis, int64_t *at)
{
    if (is_number_or_flag(expected)) {
        int64_t number =
            am_json_kind_of(expected) == AM_JSON_BOOL ? am_json_bool(expected, false) : am_json_int(expected, -1);
        int64_t value =
            found->dtype == AM_BOOL ? ((const uint8_t *)found->data)[*at] : ((const int64_t *)found->data)[*at];
        ++*at;
        if (axis == found->shape.rank && number == value) return NULL;
        return am_error(AM_FAILED, "number %" PRId64 " is %" PRId64 ", expected %" PRId64, *at - 1, value, number);
    }
    if (axis >= found->shape.rank || (int64_t)am_json_count(expected) != found->shape.dims[axis])
        return am_error(AM_FAILED, "a list of %zu is expected along axis %d", am_json_count(expected), axis);
    for (am_json_iterator i = am_json_iterate(expected); am_json_next(&i);)
        AM_TRY(compare_lists(i.value, found, axis + 1, at));
    return NULL;
}

/* Of bytes that were resized some may be off by one, which shows in the mean of all. */
static const am_verify_tolerance byte_tolerance = {.mean_relative = 1e-5};

static const am_verify_tolerance *tolerance_of(am_dtype dtype)
{
    if (dtype == AM_U8) return &byte_tolerance;
    return dtype == AM_F32 ? &float_tolerance : &exact;
}

/* One output: an array, or a list of arrays where the images made no batch, or nested lists of numbers. */
static am_status compare_output(am_json expected, const am_media_output *found)
{
    bool is_list = am_json_kind_of(expected) == AM_JSON_ARRAY;
    if (is_list && !am_json_count(expected) && found->is_list && !found->count) return NULL;
    if (!found->count) return am_error(AM_FAILED, "nothing was given");
    const am_verify_tolerance *tolerance = tolerance_of(found->tensors[0].dtype);
    int64_t number = 0;
    bool has_numbers = found->tensors[0].dtype == AM_I64 || found->tensors[0].dtype == AM_BOOL;
    if (is_list && has_numbers && !found->is_list && is_number_or_flag(first_leaf(expected)))
        return compare_lists(expected, &found->tensors[0], 0, &number);
    if (!is_list && !found->is_list) return am_verify_array(expected, &found->tensors[0], tolerance);
    if (is_list != found->is_list || (int64_t)am_json_count(expected) != found->count)
        return am_error(AM_FAILED, "%s of %" PRId64 ", expected %s of %zu", found->is_list ? "a list" : "a tensor",
                        found->count, is_list ? "a list" : "a tensor", am_json_count(expected));
    if (am_json_kind_of(first_leaf(expected)) == AM_JSON_STRING) return compare_texts(expected, found);
    int64_t at = 0;
    for (am_json_iterator i = am_json_iterate(expected); am_json_next(&i); at++)
        AM_TRY(am_note(am_verify_array(i.value, &found->tensors[at], tolerance), "[%" PRId64 "]", at));
    return NULL;
}

am_status am_verify_media(am_json expected, const am_media_tensors *found)
{
    if ((int)am_json_count(expected) != found->count)
        return am_error(AM_FAILED, "%d outputs, expected %zu", found->count, am_json_count(expected));
    for (am_json_iterator i = am_json_iterate(expected); am_json_next(&i);) {
        const am_media_output *output = am_media_tensors_find(found, i.key.bytes);
        if (!output) return am_error(AM_FAILED, "there is no output %s", i.key.bytes);
        AM_TRY(am_note(compare_output(i.value, output), "%s", i.key.bytes));
    }
    return NULL;
}

/* The outputs of one case, compared; an error where one is expected. */
static am_status check_images(const am_image_processor *p, const am_image_inputs *inputs, am_json row)
{
    am_media_tensors found;
    am_status status = am_image_processor_run(p, inputs, &found);
    if (is_there(row, "error")) status = am_verify_expect_failure(status);
    else if (!status) status = am_verify_media(am_json_get(row, "outputs"), &found);
    am_media_tensors_deinit(&found);
    return status;
}

/* What a case says of its inputs beside the images. */
static bool has_note(am_json row, const char *beginning)
{
    return strncmp(text_of(row, "input_note"), beginning, strlen(beginning)) == 0;
}

/* "pair": one picture goes with itself. */
static am_status open_noted(const am_verifier *v, am_json row, am_json files, am_image images[MAX_BATCH],
                            int64_t *count)
{
    AM_TRY(open_images(v, files, images, count));
    if (!has_note(row, "pair") || *count != 1) return NULL;
    return open_images(v, files, images, count);
}

/* "trimap prng": 0, 127 and 254 by the seeded numbers of "trimap". */
static am_status make_trimaps(const am_image *images, int64_t count, am_tensor *trimaps)
{
    uint64_t seed = am_fnv1a("trimap", strlen("trimap"));
    for (int64_t i = 0; i < count; i++) {
        am_shape shape = am_shape_of(images[i].height, images[i].width);
        AM_TRY(am_media_tensor_alloc(&trimaps[i], AM_U8, &shape));
        uint8_t *values = trimaps[i].data;
        for (int64_t k = 0; k < am_shape_count(&shape); k++)
            values[k] = (uint8_t)(127 * (int)(3.0 * am_uniform(seed, (uint64_t)k)));
    }
    return NULL;
}

/* "boxes 0.1,0.1,0.6,0.7 and ..": of the first image, in parts of its size; the others have none. */
static void write_boxes(am_json row, const am_image *image, am_buffer *out)
{
    double x, y, width, height;
    const char *text = text_of(row, "input_note") + strlen("boxes"), *separator = "{\"boxes\": [[";
    for (int used = 0; sscanf(text, "%lf,%lf,%lf,%lf%n", &x, &y, &width, &height, &used) == 4; text += used) {
        am_buffer_printf(out, "%s[%.17g, %.17g, %.17g, %.17g]", separator, x * (double)image->width,
                         y * (double)image->height, width * (double)image->width, height * (double)image->height);
        separator = ", ";
        if (strncmp(text + used, " and ", 5) == 0) used += 5;
    }
    am_buffer_append_string(out, "]]}");
}

/* "task_inputs NAME": the same of each image. */
static void write_tasks(am_json row, int64_t count, am_buffer *out)
{
    for (int64_t i = 0; i < count; i++)
        am_buffer_printf(out, "%s\"%s\"", i ? ", " : "{\"task_inputs\": [",
                         text_of(row, "input_note") + strlen("task_inputs "));
    am_buffer_append_string(out, "]}");
}

static am_status noted_arguments(am_json row, const am_image *images, int64_t count, am_json_document **out)
{
    am_buffer text = {0};
    if (has_note(row, "boxes ")) write_boxes(row, images, &text);
    else if (has_note(row, "task_inputs ")) write_tasks(row, count, &text);
    else return NULL;
    am_status status = am_buffer_status(&text);
    if (!status) status = am_json_parse(am_buffer_text(&text), text.length, "input_note", out);
    am_buffer_deinit(&text);
    return status;
}

static am_status check_noted(const am_image_processor *p, am_json row, const am_image *images, int64_t count)
{
    am_json_document *arguments = NULL;
    am_tensor trimaps[MAX_BATCH] = {{0}};
    am_image_inputs inputs = {.images = images, .count = count};
    am_status status = noted_arguments(row, images, count, &arguments);
    if (arguments) inputs.arguments = am_json_root(arguments);
    if (!status && has_note(row, "trimap prng")) {
        status = make_trimaps(images, count, trimaps);
        inputs.trimaps = trimaps;
    }
    if (!status) status = check_images(p, &inputs, row);
    for (int64_t i = 0; i < MAX_BATCH; i++) am_free_aligned(trimaps[i].data);
    am_json_close(arguments);
    return status;
}

static am_status check_opened(const am_verifier *v, const am_image_processor *p, am_json row, am_json files)
{
    am_image images[MAX_BATCH] = {{0}};
    int64_t count = 0;
    am_status status = open_noted(v, row, files, images, &count);
    if (!status) status = check_noted(p, row, images, count);
    for (int64_t i = 0; i < MAX_BATCH; i++) am_image_deinit(&images[i]);
    return status;
}

static bool knows_note(am_json row)
{
    return !is_there(row, "input_note") || has_note(row, "pair") || has_note(row, "boxes ") ||
           has_note(row, "task_inputs ") || has_note(row, "trimap prng");
}

static am_status check_processor_case(const am_verifier *v, am_json config, const char *class_name, am_json row,
                                      am_json files)
{
    am_image_processor *p;
    am_status status = am_image_processor_create(config, class_name, &p);
    if (status) return is_there(row, "error") ? am_verify_expect_failure(status) : status;
    if (!knows_note(row) || am_json_count(am_json_get(row, "kwargs")))
        status = am_error(AM_UNSUPPORTED, "other inputs than images, or arguments of the call");
    if (!status) status = check_opened(v, p, row, files);
    am_image_processor_close(p);
    return status;
}

static am_status verify_processor(am_verifier *v, const char *path)
{
    if (strcmp(am_path_base(path), "index.json") == 0) return NULL;
    if (!am_recorded_part(v->recorded, "processors/%s", am_path_base(path))) return NULL;
    am_json_document *document = NULL;
    AM_TRY(am_json_open(path, &document));
    am_json root = am_json_root(document), configs = am_json_get(root, "configs");
    const char *class_name = text_of(root, "class");
    am_status status = NULL;
    int number = 0;
    for (am_json_iterator i = am_json_iterate(am_json_get(root, "cases")); !status && am_json_next(&i); number++) {
        am_json config = am_verify_element(configs, am_json_int(am_json_get(i.value, "config"), -1));
        if (am_json_kind_of(config) == AM_JSON_MISSING) config = am_json_get(i.value, "settings");
        am_status outcome = check_processor_case(v, config, class_name, i.value, am_json_get(i.value, "images"));
        status = am_verify_count(v, outcome, "%s case %d", class_name, number);
    }
    am_json_close(document);
    return status;
}

/* One line of modes.jsonl: one file, opened as pipelines do ("load_image"), or by PIL alone. */
static am_status check_mode(const am_verifier *v, am_json row)
{
    am_image_processor *p;
    am_image image = {0};
    AM_TRY(am_image_processor_create(am_json_get(row, "settings"), text_of(row, "class"), &p));
    bool loaded = am_json_equals(am_json_get(row, "how"), "load_image");
    am_status status = open_image_by(v, text_of(row, "image"), loaded ? am_image_open : am_image_open_stored, &image);
    am_image_inputs inputs = {.images = &image, .count = 1};
    if (!status) status = check_images(p, &inputs, row);
    am_image_deinit(&image);
    am_image_processor_close(p);
    return status;
}

static am_status verify_mode_line(am_verifier *v, const char *line, size_t length, int number)
{
    am_json_document *document = NULL;
    AM_TRY(am_json_parse(line, length, "modes.jsonl", &document));
    am_json row = am_json_root(document);
    am_status status = am_verify_count(v, check_mode(v, row), "modes.jsonl line %d: %s %s", number,
                                       text_of(row, "class"), text_of(row, "image"));
    am_json_close(document);
    return status;
}

static am_status verify_modes(am_verifier *v)
{
    char *path = am_verifier_path(v, "modes.jsonl"), *text = NULL;
    size_t length = 0;
    am_status status = path ? NULL : am_out_of_memory();
    if (!status && am_file_exists(path)) status = am_file_read(path, (size_t)1 << 28, &text, &length);
    int number = 1;
    for (const char *line = text; line && *line && !status; number++) {
        const char *end = strchr(line, '\n');
        size_t line_length = end ? (size_t)(end - line) : strlen(line);
        if (line_length) status = verify_mode_line(v, line, line_length, number);
        line += line_length + (end ? 1 : 0);
    }
    am_free(text);
    am_free(path);
    return status;
}

am_status am_recorded_images(const char *folder, am_recorded *recorded)
{
    am_verifier v = {.folder = folder, .recorded = recorded};
    if (!am_directory_exists(folder)) return am_error(AM_NOT_FOUND, "there is no folder %s", folder);
    if (am_recorded_part(recorded, "decoded"))
        AM_TRY(verify_with_bytes(&v, "decoded.json", "decoded.bin", verify_decoded));
    if (am_recorded_part(recorded, "resize")) AM_TRY(verify_with_bytes(&v, "resize.json", "resize.bin", verify_resize));
    AM_TRY(am_verify_each_file(&v, "processors", ".json", verify_processor));
    if (am_recorded_part(recorded, "modes")) AM_TRY(verify_modes(&v));
    AM_TRY(am_verify_each_file(&v, "videos", ".json", am_verify_videos));
    if (am_recorded_part(recorded, "post_processing")) AM_TRY(am_recorded_post_processing(&v));
    if (am_recorded_part(recorded, "boxes")) AM_TRY(am_recorded_boxes(&v));
    am_recorded_end_part(recorded);
    return NULL;
}
