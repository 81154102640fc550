/* Post-processing of what a vision model gave: the class, the method, its arguments as a JSON object and an object of
   the outputs' shapes ({"logits": [2, 9, 5]}), with zero bytes between; then numbers, a byte each, over and over. */
#include "media/post_processing/post_processing.h"
#include "tensor/shape.h"

#include "fuzz_parts.h"
#include "fuzz_settings.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PARTS = 5, MOST_NUMBERS = 4096, NAME_BYTES = 48 };

static void require(bool holds)
{
    if (!holds) abort();
}

static float number_of(unsigned byte)
{
    if (byte >= 253) return byte == 255 ? NAN : byte == 254 ? INFINITY : -INFINITY;
    return byte & 1 ? (float)byte / 255.0f : (float)byte / 16.0f - 8.0f;
}

/* A tensor of a shape given as a list; a string before the dimensions makes it one of whole numbers. */
static bool add_output(am_media_tensors *to, const char *name, am_json dims, am_text numbers)
{
    am_shape shape = {0};
    am_tensor *tensor;
    int64_t count = 1;
    bool is_whole = false;
    for (am_json_iterator i = am_json_iterate(dims); am_json_next(&i);) {
        is_whole = is_whole || am_json_kind_of(i.value) == AM_JSON_STRING;
        if (am_json_kind_of(i.value) == AM_JSON_STRING) continue;
        int64_t dim = am_json_int(i.value, 1);
        if (dim < 0 || dim > 64 || shape.rank == AM_RANK_LIMIT || (count *= dim) > MOST_NUMBERS) return false;
        shape.dims[shape.rank++] = dim;
    }
    if (strlen(name) >= NAME_BYTES || to->count == AM_MEDIA_TENSORS) return false;
    require(!am_media_tensors_add(to, name, is_whole ? AM_I64 : AM_F32, &shape, &tensor));
    for (int64_t i = 0; i < count && numbers.length; i++) {
        unsigned byte = (unsigned char)numbers.bytes[(size_t)i % numbers.length];
        if (is_whole) ((int64_t *)tensor->data)[i] = (int64_t)byte - 2;
        else ((float *)tensor->data)[i] = number_of(byte);
    }
    return true;
}

static void check(const am_post_results *results)
{
    for (int64_t i = 0; i < results->count; i++)
        for (int f = 0; f < results->items[i].field_count; f++)
            for (int64_t k = 0; k < results->items[i].fields[f].count; k++)
                require(am_shape_check(&results->items[i].fields[f].tensors[k].shape));
}

static void call(const char *class_name, const char *method, am_json options, am_json shapes, am_text numbers)
{
    am_json_document *settings = NULL;
    am_image_processor *processor = NULL;
    am_media_tensors outputs = {0};
    am_post_results results = {0};
    bool fits = true;
    require(!am_json_parse("{}", 2, "settings", &settings));
    am_status status = am_image_processor_create(am_json_root(settings), class_name, &processor);
    for (am_json_iterator i = am_json_iterate(shapes); am_json_next(&i) && fits;)
        fits = add_output(&outputs, i.key.bytes, i.value, numbers);
    if (!status && fits) status = am_post_process(processor, method, &outputs, options, &results);
    require(!status || am_status_code(status) != AM_INTERNAL);
    if (!status) check(&results);
    am_post_results_deinit(&results);
    am_media_tensors_deinit(&outputs);
    am_image_processor_close(processor);
    am_json_close(settings);
    am_status_free(status);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    am_text parts[PARTS];
    char names[2][NAME_BYTES + 1] = {"", ""};
    am_json_document *options = NULL, *shapes = NULL;
    fuzz_cut(data, size, parts, PARTS);
    for (int i = 0; i < 2 && parts[i].length <= NAME_BYTES; i++) memcpy(names[i], parts[i].bytes, parts[i].length);
    am_status status = am_json_parse(parts[2].bytes, parts[2].length, "options", &options);
    if (!status) status = am_json_parse(parts[3].bytes, parts[3].length, "shapes", &shapes);
    if (!status && fuzz_is_small(am_json_root(options), FUZZ_MOST_SETTING) &&
        am_json_kind_of(am_json_root(shapes)) == AM_JSON_OBJECT)
        call(names[0], names[1], am_json_root(options), am_json_root(shapes), parts[4]);
    am_json_close(options);
    am_json_close(shapes);
    am_status_free(status);
    return 0;
}
