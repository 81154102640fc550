#include "recorded/post_processing.h"

#include "base/memory.h"
#include "base/prng.h"
#include "media/post_processing/boxes.h"
#include "media/post_processing/post_processing.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static bool is_there(am_json object, const char *key)
{
    am_json_kind kind = am_json_kind_of(am_json_get(object, key));
    return kind != AM_JSON_MISSING && kind != AM_JSON_NULL;
}

static const char *text_of(am_json object, const char *key)
{
    return am_json_text(am_json_get(object, key)).bytes;
}

/* --- what the model gave --- */

/* Whole numbers in nested lists, each an i64 tensor of its own: run lengths. */
static am_status add_rows(am_media_tensors *to, const char *name, am_json rows)
{
    am_tensor *tensors;
    AM_TRY(am_media_tensors_add_list(to, name, (int64_t)am_json_count(rows), &tensors));
    for (am_json_iterator row = am_json_iterate(rows); am_json_next(&row); tensors++) {
        am_shape shape = am_shape_of((int64_t)am_json_count(row.value));
        AM_TRY(am_media_tensor_alloc(tensors, AM_I64, &shape));
        int64_t *at = tensors->data;
        for (am_json_iterator i = am_json_iterate(row.value); am_json_next(&i);) *at++ = am_json_int(i.value, -1);
    }
    return NULL;
}

/* The same of one length, [[image, begin, end], ...], as i64 [rows, columns]. */
static am_status add_table(am_media_tensors *to, const char *name, am_json rows)
{
    am_json first = am_verify_element(rows, 0);
    am_shape shape = am_shape_of((int64_t)am_json_count(rows), (int64_t)am_json_count(first));
    am_tensor *tensor;
    AM_TRY(am_media_tensors_add(to, name, AM_I64, &shape, &tensor));
    int64_t *at = tensor->data, *end = at + am_shape_count(&shape);
    for (am_json_iterator row = am_json_iterate(rows); am_json_next(&row);)
        for (am_json_iterator i = am_json_iterate(row.value); am_json_next(&i) && at < end;)
            *at++ = am_json_int(i.value, -1);
    return at == end ? NULL : am_error(AM_INVALID_FILE, "%s: rows of different lengths", name);
}

static am_status add_output(am_media_tensors *to, const char *name, am_json value)
{
    bool is_list = am_json_kind_of(value) == AM_JSON_ARRAY;
    am_tensor *tensors;
    int64_t at = 0;
    if (is_list && am_json_kind_of(am_verify_element(value, 0)) == AM_JSON_ARRAY)
        return strcmp(name, "all_masks") == 0 ? add_rows(to, name, value) : add_table(to, name, value);
    AM_TRY(am_media_tensors_add_list(to, name, is_list ? (int64_t)am_json_count(value) : 1, &tensors));
    if (!is_list) {
        to->items[to->count - 1].is_list = false;
        return am_verify_seeded(value, tensors);
    }
    for (am_json_iterator i = am_json_iterate(value); am_json_next(&i); at++)
        AM_TRY(am_verify_seeded(i.value, &tensors[at]));
    return NULL;
}

static bool is_one_of(const char *name, const char *const *names)
{
    while (*names && strcmp(*names, name) != 0) names++;
    return *names != NULL;
}

/* The members of an object that are seeded arrays or lists of them; those of an object in it under "OUTER.INNER". */
static am_status add_outputs(am_media_tensors *to, const char *prefix, am_json object)
{
    static const char *const tables[] = {"patch_offsets", "all_masks", "all_boxes", NULL};
    char name[96];
    for (am_json_iterator i = am_json_iterate(object); am_json_next(&i);) {
        am_json_kind kind = am_json_kind_of(i.value), first = am_json_kind_of(am_verify_element(i.value, 0));
        snprintf(name, sizeof name, "%.40s%.40s", prefix, i.key.bytes);
        bool is_seeded = kind == AM_JSON_OBJECT && is_there(i.value, "prng");
        bool is_list = kind == AM_JSON_ARRAY && is_there(am_verify_element(i.value, 0), "prng");
        bool is_table = kind == AM_JSON_ARRAY && first == AM_JSON_ARRAY && is_one_of(name, tables);
        if (is_seeded || is_list || is_table) AM_TRY(am_note(add_output(to, name, i.value), "%s", name));
    }
    return NULL;
}

/* Outputs of the model, and arguments of the call that are arrays. */
static am_status read_outputs(am_json row, am_media_tensors *out)
{
    am_json kwargs = am_json_get(row, "kwargs");
    AM_TRY(add_outputs(out, "", am_json_get(row, "outputs")));
    AM_TRY(add_outputs(out, "", am_json_get(row, "inputs")));
    AM_TRY(add_outputs(out, "", kwargs));
    return add_outputs(out, "outputs_flipped.", am_json_get(kwargs, "outputs_flipped"));
}

/* --- comparing --- */

static const struct {
    const char *name;
    am_dtype dtype;
} dtypes[] = {{"float32", AM_F32}, {"float64", AM_F64}, {"int64", AM_I64}, {"int32", AM_I32},
              {"int16", AM_I16},   {"uint8", AM_U8},    {"bool", AM_BOOL}};

static am_status check_dtype(am_json expected, am_dtype found)
{
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
        if (am_json_equals(am_json_get(expected, "dtype"), dtypes[i].name) && dtypes[i].dtype == found) return NULL;
    return am_error(AM_FAILED, "type %s, expected %s", am_dtype_name(found), text_of(expected, "dtype"));
}

static am_verify_tolerance tolerance_of(const char *name, am_dtype dtype)
{
    static const char *const places[] = {"boxes", "bbox", "keypoints", NULL};
    static const char *const scores[] = {"scores", "matching_scores", NULL};
    am_verify_tolerance t = {.relative = 1e-5, .mean_absolute = 1e-5, .mean_relative = 1e-5};
    t.absolute = is_one_of(name, places) ? 1e-4 : is_one_of(name, scores) ? 1e-6 : 2e-5;
    if (dtype != AM_F32 && dtype != AM_F64) t = (am_verify_tolerance){.mean_absolute = 1e-8, .mean_relative = 1e-8};
    return t;
}

static am_status compare_array(const char *name, am_json expected, const am_tensor *found)
{
    am_verify_tolerance tolerance = tolerance_of(name, found->dtype);
    AM_TRY(check_dtype(expected, found->dtype));
    return am_verify_array(expected, found, &tolerance);
}

/* Run lengths: a list of whole numbers. */
static am_status compare_runs(am_json expected, const am_tensor *found)
{
    const int64_t *numbers = found->data;
    int64_t count = am_shape_count(&found->shape), at = 0;
    if (found->dtype != AM_I64 || count != (int64_t)am_json_count(expected))
        return am_error(AM_FAILED, "%" PRId64 " numbers, expected %zu", count, am_json_count(expected));
    for (am_json_iterator i = am_json_iterate(expected); am_json_next(&i); at++)
        if (am_json_int(i.value, -1) != numbers[at])
            return am_error(AM_FAILED, "number %" PRId64 " is %" PRId64, at, numbers[at]);
    return NULL;
}

static am_status compare_text(am_json expected, const am_tensor *found)
{
    am_json_string text = am_json_text(expected);
    int64_t length = am_shape_count(&found->shape);
    if (found->dtype == AM_U8 && (size_t)length == text.length && memcmp(text.bytes, found->data, text.length) == 0)
        return NULL;
    return am_error(AM_FAILED, "\"%.*s\", expected \"%.60s\"", length < 60 ? (int)length : 60,
                    (const char *)found->data, text.bytes);
}

/* An array, a text, run lengths or None. */
static am_status compare_value(const char *name, am_json expected, const am_tensor *found)
{
    switch (am_json_kind_of(expected)) {
    case AM_JSON_STRING:
        return compare_text(expected, found);
    case AM_JSON_ARRAY:
        return compare_runs(expected, found);
    case AM_JSON_NULL:
        return found->data ? am_error(AM_FAILED, "it is not None") : NULL;
    default:
        return compare_array(name, expected, found);
    }
}

static am_status compare_list(const char *name, am_json expected, const am_post_field *found)
{
    int64_t at = 0;
    if ((int64_t)am_json_count(expected) != found->count)
        return am_error(AM_FAILED, "%" PRId64 " of them, expected %zu", found->count, am_json_count(expected));
    for (am_json_iterator i = am_json_iterate(expected); am_json_next(&i); at++)
        AM_TRY(am_note(compare_value(name, i.value, &found->tensors[at]), "[%" PRId64 "]", at));
    return NULL;
}

static am_status compare_segments(am_json expected, const am_post_item *found)
{
    int64_t at = 0;
    if (!found->has_segments || (int64_t)am_json_count(expected) != found->segment_count)
        return am_error(AM_FAILED, "%" PRId64 " segments, expected %zu", found->segment_count, am_json_count(expected));
    for (am_json_iterator i = am_json_iterate(expected); am_json_next(&i); at++) {
        const am_segment *segment = &found->segments[at];
        double score = am_json_real(am_json_get(i.value, "score"), NAN);
        bool same = am_json_int(am_json_get(i.value, "id"), -1) == segment->id &&
                    am_json_int(am_json_get(i.value, "label_id"), -1) == segment->label_id &&
                    is_there(i.value, "was_fused") == segment->says_fused &&
                    am_json_bool(am_json_get(i.value, "was_fused"), false) == segment->was_fused;
        if (same && fabs(score - segment->score) <= fmax(1.5e-6, 1e-5 * fabs(score))) continue;
        return am_error(AM_FAILED, "segment %" PRId64 ": id %" PRId64 ", label %" PRId64 ", fused %d, score %.6f", at,
                        segment->id, segment->label_id, segment->was_fused, segment->score);
    }
    return NULL;
}

static am_status compare_field(const char *name, am_json expected, const am_post_item *found)
{
    if (strcmp(name, "segments_info") == 0) return compare_segments(expected, found);
    const am_post_field *field = am_post_find(found, name);
    bool is_list = am_json_kind_of(expected) == AM_JSON_ARRAY;
    if (am_json_kind_of(expected) == AM_JSON_NULL) return field ? am_error(AM_FAILED, "it is not None") : NULL;
    if (!field || field->is_list != is_list) return am_error(AM_FAILED, field ? "it is a list" : "it is None");
    return is_list ? compare_list(name, expected, field) : compare_value(name, expected, field->tensors);
}

static am_status compare_item(am_json expected, const am_post_item *found)
{
    if (is_there(expected, "dtype")) return compare_array(found->fields[0].name, expected, found->fields[0].tensors);
    size_t members = (size_t)found->field_count + (found->has_segments ? 1 : 0);
    if (members != am_json_count(expected))
        return am_error(AM_FAILED, "%zu members, expected %zu", members, am_json_count(expected));
    for (am_json_iterator i = am_json_iterate(expected); am_json_next(&i);)
        AM_TRY(am_note(compare_field(i.key.bytes, i.value, found), "%s", i.key.bytes));
    return NULL;
}

/* Items of one image of lists of them, from *at on. */
static am_status compare_nested(am_json expected, const am_post_results *found, int64_t image, int64_t *at)
{
    for (am_json_iterator i = am_json_iterate(expected); am_json_next(&i); ++*at) {
        if (*at >= found->count || found->items[*at].image != image) return am_error(AM_FAILED, "too few items");
        AM_TRY(am_note(compare_item(i.value, &found->items[*at]), "[%" PRId64 "]", *at));
    }
    return NULL;
}

static am_status compare_results(am_json expected, const am_post_results *found)
{
    int64_t at = 0, image = 0;
    for (am_json_iterator i = am_json_iterate(expected); am_json_next(&i); image++) {
        if (found->is_nested) {
            AM_TRY(am_note(compare_nested(i.value, found, image, &at), "[%" PRId64 "]", image));
            continue;
        }
        if (at >= found->count || is_there(i.value, "dtype") != found->is_bare)
            return am_error(AM_FAILED, "%" PRId64 " items, expected more, or of another kind", found->count);
        AM_TRY(am_note(compare_item(i.value, &found->items[at]), "[%" PRId64 "]", at));
        at++;
    }
    return at == found->count ? NULL : am_error(AM_FAILED, "%" PRId64 " items, expected %" PRId64, found->count, at);
}

/* --- cases --- */

static am_status check_call(am_json row, const am_image_processor *processor, const am_media_tensors *outputs)
{
    am_post_results found;
    am_status status = am_post_process(processor, text_of(row, "method"), outputs, am_json_get(row, "kwargs"), &found);
    if (is_there(row, "error")) status = am_verify_expect_failure(status);
    else if (!status) status = compare_results(am_json_get(row, "result"), &found);
    am_post_results_deinit(&found);
    return status;
}

static am_status check_case(am_json row)
{
    am_image_processor *processor;
    am_media_tensors outputs = {0};
    AM_TRY(am_image_processor_create(am_json_get(row, "settings"), text_of(row, "class"), &processor));
    am_status status = read_outputs(row, &outputs);
    if (!status) status = check_call(row, processor, &outputs);
    am_media_tensors_deinit(&outputs);
    am_image_processor_close(processor);
    return status;
}

am_status am_recorded_post_processing(am_verifier *v)
{
    am_json_document *document = NULL;
    AM_TRY(am_verify_open(v, "post_processing.json", &document));
    if (!document) return NULL;
    am_status status = NULL;
    int number = 0;
    for (am_json_iterator i = am_json_iterate(am_json_root(document)); !status && am_json_next(&i); number++)
        status = am_verify_count(v, check_case(i.value), "post_processing %d: %s.%s", number, text_of(i.value, "class"),
                                 text_of(i.value, "method"));
    am_json_close(document);
    return status;
}

/* --- boxes --- */

/* A group's boxes as centers and as corners, with scores and labels. */
typedef struct box_group {
    int64_t count;
    float *centers, *corners, *scores; /* the first [count, 4] */
    int64_t *labels;
    am_arena arena;
} box_group;

/* "LOW..HIGH"; strtod alone would take "0." of "0..1". */
static bool read_range(const char *text, double *low, double *high)
{
    const char *dots = strstr(text, "..");
    char first[32];
    if (!dots || (size_t)(dots - text) >= sizeof first) return false;
    snprintf(first, sizeof first, "%.*s", (int)(dots - text), text);
    return sscanf(first, "%lf", low) == 1 && sscanf(dots + 2, "%lf", high) == 1;
}

/* "prng NAME (n,4) LOW..HIGH": what numbers are made of. */
static am_status seed_numbers(box_group *g, am_json recipe, int64_t count, float **out)
{
    const char *text = am_json_text(recipe).bytes;
    char name[64];
    double low, high;
    int end = 0;
    *out = am_arena_array(&g->arena, (size_t)count, sizeof **out);
    if (!*out) return am_out_of_memory();
    bool is_named = sscanf(text, "prng %63s%n", name, &end) == 1;
    if (is_named && strncmp(text + end, " (n,4)", 6) == 0) end += 6;
    if (!is_named || !read_range(text + end, &low, &high))
        return am_error(AM_INVALID_FILE, "\"%.60s\": expected \"prng NAME LOW..HIGH\"", text);
    am_uniform_floats(am_fnv1a(name, strlen(name)), low, high, count, *out);
    return NULL;
}

/* "floor(prng NAME LOW..HIGH)". */
static am_status seed_labels(box_group *g, am_json recipe)
{
    am_buffer text = {0};
    am_json_document *document = NULL;
    am_json_string given = am_json_text(recipe);
    float *numbers;
    if (given.length < 8 || strncmp(given.bytes, "floor(", 6) != 0)
        return am_error(AM_INVALID_FILE, "labels: expected floor(prng ..)");
    am_buffer_append_json_string(&text, given.bytes + 6, given.length - 7);
    am_status status = am_buffer_status(&text);
    if (!status) status = am_json_parse(am_buffer_text(&text), text.length, "labels", &document);
    if (!status) status = seed_numbers(g, am_json_root(document), g->count, &numbers);
    am_json_close(document);
    am_buffer_deinit(&text);
    g->labels = status ? NULL : am_arena_array(&g->arena, (size_t)g->count, sizeof *g->labels);
    if (!g->labels) return status ? status : am_out_of_memory();
    for (int64_t i = 0; i < g->count; i++) g->labels[i] = (int64_t)floorf(numbers[i]);
    return NULL;
}

static am_status read_group(am_json row, box_group *g)
{
    g->count = am_json_int(am_json_get(row, "n"), 0);
    if (g->count < 1 || g->count > 10000) return am_error(AM_INVALID_FILE, "n: expected 1 to 10000");
    AM_TRY(seed_numbers(g, am_json_get(row, "boxes_center"), 4 * g->count, &g->centers));
    AM_TRY(seed_numbers(g, am_json_get(row, "scores"), g->count, &g->scores));
    AM_TRY(seed_labels(g, am_json_get(row, "labels")));
    g->corners = am_arena_array(&g->arena, (size_t)g->count * 4, sizeof *g->corners);
    if (!g->corners) return am_out_of_memory();
    am_boxes_to_corners(g->centers, g->count, g->corners);
    return NULL;
}

static am_status compare_boxes(am_json expected, const char *name, float *boxes, int64_t rows, int64_t columns)
{
    am_verify_tolerance tolerance = {.absolute = 1e-6, .relative = 1e-5, .mean_absolute = 1e-6, .mean_relative = 1e-5};
    am_tensor found = {.dtype = AM_F32, .shape = am_shape_of(rows, columns), .data = boxes};
    return am_note(am_verify_array(am_json_get(expected, name), &found, &tolerance), "%s", name);
}

static am_status compare_pairs(am_json row, const box_group *g, const char *name,
                               float (*measure)(const float *a, const float *b))
{
    float *table = am_alloc_aligned((size_t)(g->count * g->count) * sizeof *table);
    if (!table) return am_out_of_memory();
    for (int64_t i = 0; i < g->count * g->count; i++)
        table[i] = measure(g->corners + i / g->count * 4, g->corners + i % g->count * 4);
    am_status status = compare_boxes(row, name, table, g->count, g->count);
    am_free_aligned(table);
    return status;
}

static am_status compare_nms(am_json row, box_group *g, const char *name, const int64_t *labels)
{
    am_json expected = am_json_get(row, name);
    int64_t kept, at = 0, *keep = am_arena_array(&g->arena, (size_t)g->count, sizeof *keep);
    if (!keep) return am_out_of_memory();
    double threshold = am_json_real(am_json_get(row, "iou_threshold"), 0.5);
    AM_TRY(am_boxes_nms(g->corners, g->scores, labels, g->count, threshold, keep, &kept));
    for (am_json_iterator i = am_json_iterate(expected); am_json_next(&i) && at < kept; at++)
        if (am_json_int(i.value, -1) != keep[at])
            return am_error(AM_FAILED, "%s: number %" PRId64 " is %" PRId64, name, at, keep[at]);
    if ((int64_t)am_json_count(expected) == kept) return NULL;
    return am_error(AM_FAILED, "%s: %" PRId64 " boxes, expected %zu", name, kept, am_json_count(expected));
}

static am_status check_group(am_json row, box_group *g)
{
    float *back;
    AM_TRY(read_group(row, g));
    back = am_arena_array(&g->arena, (size_t)g->count * 4, sizeof *back);
    if (!back) return am_out_of_memory();
    am_boxes_to_centers(g->corners, g->count, back);
    AM_TRY(compare_boxes(row, "corners", g->corners, g->count, 4));
    AM_TRY(compare_boxes(row, "back", back, g->count, 4));
    AM_TRY(compare_pairs(row, g, "iou", am_box_iou));
    AM_TRY(compare_pairs(row, g, "giou", am_box_giou));
    AM_TRY(compare_nms(row, g, "nms", NULL));
    return compare_nms(row, g, "batched_nms", g->labels);
}

am_status am_recorded_boxes(am_verifier *v)
{
    am_json_document *document = NULL;
    AM_TRY(am_verify_open(v, "boxes.json", &document));
    am_status status = NULL;
    int number = 0;
    for (am_json_iterator i = am_json_iterate(document ? am_json_root(document) : (am_json){0});
         !status && am_json_next(&i); number++) {
        box_group g = {0};
        am_status outcome = check_group(i.value, &g);
        am_arena_deinit(&g.arena);
        status = am_verify_count(v, outcome, "boxes.json group %d", number);
    }
    am_json_close(document);
    return status;
}
