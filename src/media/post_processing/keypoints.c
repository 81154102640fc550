/* Keypoints and pairs of them: post_process_keypoint_detection, post_process_keypoint_matching. */
#include "media/post_processing/methods.h"

#include "tensor/dtype.h"
#include "tensor/shape.h"

#include <string.h>

/* --- SuperPoint --- */

typedef struct keypoint_outputs {
    const am_tensor *mask, *keypoints, *scores, *descriptors; /* [batch, n], [batch, n, 2], [batch, n], [batch, n, d] */
} keypoint_outputs;

static am_status find_keypoints(const am_post_run *run, keypoint_outputs *out)
{
    AM_TRY(am_post_numbers(run, "mask", 2, &out->mask));
    AM_TRY(am_post_tensor(run, "keypoints", 3, &out->keypoints));
    AM_TRY(am_post_tensor(run, "scores", 2, &out->scores));
    AM_TRY(am_post_tensor(run, "descriptors", 3, &out->descriptors));
    for (int axis = 0; axis < 2; axis++) {
        int64_t expected = out->mask->shape.dims[axis];
        AM_TRY(am_post_check(out->keypoints, "keypoints", axis, expected));
        AM_TRY(am_post_check(out->scores, "scores", axis, expected));
        AM_TRY(am_post_check(out->descriptors, "descriptors", axis, expected));
    }
    return am_post_check(out->keypoints, "keypoints", 2, 2);
}

static bool is_masked(const am_tensor *mask, int64_t at)
{
    return am_load_real(mask->dtype, mask->data, at) != 0.0;
}

static am_status add_floats(am_post_run *run, am_post_item *item, const char *name, const am_shape *shape, float **out)
{
    am_tensor *tensor;
    AM_TRY(am_post_add_field(run, item, name, AM_F32, shape, &tensor));
    *out = tensor->data;
    return NULL;
}

/* "keypoints": parts of an image as whole pixels, i32 [count, 2]. */
static am_status add_points(am_post_run *run, am_post_item *item, const char *name, int64_t count, int32_t **out)
{
    am_tensor *tensor;
    am_shape shape = am_shape_of(count, 2);
    AM_TRY(am_post_add_field(run, item, name, AM_I32, &shape, &tensor));
    *out = tensor->data;
    return NULL;
}

static void put_point(const float *from, am_plane_size size, int32_t *to)
{
    to[0] = (int32_t)am_load_int(AM_F32, &(float){from[0] * (float)size.width}, 0);
    to[1] = (int32_t)am_load_int(AM_F32, &(float){from[1] * (float)size.height}, 0);
}

static am_status give_keypoints(am_post_run *run, const keypoint_outputs *from, int64_t image, am_plane_size size)
{
    int64_t all = from->mask->shape.dims[1], width = from->descriptors->shape.dims[2], count = 0;
    am_post_item *item;
    int32_t *points;
    float *scores, *descriptors;
    for (int64_t i = 0; i < all; i++) count += is_masked(from->mask, image * all + i);
    am_shape line = am_shape_of(count), table = am_shape_of(count, width);
    AM_TRY(am_post_add(run, image, &item));
    AM_TRY(add_points(run, item, "keypoints", count, &points));
    AM_TRY(add_floats(run, item, "scores", &line, &scores));
    AM_TRY(add_floats(run, item, "descriptors", &table, &descriptors));
    for (int64_t at = image * all; at < (image + 1) * all; at++) {
        if (!is_masked(from->mask, at)) continue;
        put_point(am_post_floats(from->keypoints) + 2 * at, size, points);
        *scores++ = am_post_floats(from->scores)[at];
        memcpy(descriptors, am_post_floats(from->descriptors) + at * width, (size_t)width * sizeof *descriptors);
        points += 2;
        descriptors += width;
    }
    return NULL;
}

static am_status detect(am_post_run *run)
{
    keypoint_outputs outputs;
    am_plane_size *sizes;
    AM_TRY(find_keypoints(run, &outputs));
    AM_TRY(am_post_sizes(run, "target_sizes", outputs.mask->shape.dims[0], &sizes));
    if (!sizes) return am_error(AM_INVALID_ARGUMENT, "target_sizes: expected a list, found none");
    for (int64_t b = 0; b < outputs.mask->shape.dims[0]; b++) AM_TRY(give_keypoints(run, &outputs, b, sizes[b]));
    return NULL;
}

/* --- pairs of images --- */

/* All [pairs, 2, n] save keypoints, [pairs, 2, n, 2]. */
typedef struct matching_outputs {
    const am_tensor *mask, *keypoints, *matches, *scores; /* mask is null where the class has none */
    int64_t pairs, count;
    am_plane_size *sizes; /* [pairs, 2] */
    double threshold;
} matching_outputs;

static am_status read_pair_sizes(const am_post_run *run, matching_outputs *out)
{
    am_json list = am_json_get(run->options, "target_sizes");
    int64_t at = 0;
    if ((int64_t)am_json_count(list) != out->pairs)
        return am_error(AM_INVALID_ARGUMENT, "target_sizes: expected one pair for each of %lld, found %zu",
                        (long long)out->pairs, am_json_count(list));
    out->sizes = am_arena_array(run->scratch, (size_t)out->pairs * 2 + 1, sizeof *out->sizes);
    if (!out->sizes) return am_out_of_memory();
    for (am_json_iterator pair = am_json_iterate(list); am_json_next(&pair);) {
        if (am_json_count(pair.value) != 2)
            return am_error(AM_INVALID_ARGUMENT, "target_sizes: expected [[height, width], [height, width]] in it");
        for (am_json_iterator i = am_json_iterate(pair.value); am_json_next(&i); at++)
            AM_TRY(am_post_size(i.value, "target_sizes", &out->sizes[at]));
    }
    return NULL;
}

static am_status find_matches(const am_post_run *run, bool has_mask, matching_outputs *out)
{
    *out = (matching_outputs){0};
    AM_TRY(am_post_numbers(run, "matches", 3, &out->matches));
    AM_TRY(am_post_tensor(run, "keypoints", 4, &out->keypoints));
    AM_TRY(am_post_tensor(run, "matching_scores", 3, &out->scores));
    if (has_mask) AM_TRY(am_post_numbers(run, "mask", 3, &out->mask));
    out->pairs = out->matches->shape.dims[0];
    out->count = out->matches->shape.dims[2];
    const int64_t expected[] = {out->pairs, 2, out->count, 2};
    for (int axis = 0; axis < 4; axis++) AM_TRY(am_post_check(out->keypoints, "keypoints", axis, expected[axis]));
    for (int axis = 0; axis < 3; axis++) {
        AM_TRY(am_post_check(out->matches, "matches", axis, expected[axis]));
        AM_TRY(am_post_check(out->scores, "matching_scores", axis, expected[axis]));
        if (has_mask) AM_TRY(am_post_check(out->mask, "mask", axis, expected[axis]));
    }
    AM_TRY(read_pair_sizes(run, out));
    return am_post_number(run, "threshold", 0.0, &out->threshold);
}

/* The answer of a pair: keypoints by their places in the whole arrays. */
static am_status give_pair(am_post_run *run, const matching_outputs *m, int64_t pair, const int64_t *first,
                           int64_t first_count, const int64_t *second, int64_t second_count)
{
    am_post_item *item;
    int32_t *points;
    float *scores;
    am_shape line = am_shape_of(first_count);
    AM_TRY(am_post_add(run, pair, &item));
    AM_TRY(add_points(run, item, "keypoints0", first_count, &points));
    for (int64_t i = 0; i < first_count; i++)
        put_point(am_post_floats(m->keypoints) + 2 * first[i], m->sizes[2 * pair], points + 2 * i);
    AM_TRY(add_points(run, item, "keypoints1", second_count, &points));
    for (int64_t i = 0; i < second_count; i++)
        put_point(am_post_floats(m->keypoints) + 2 * second[i], m->sizes[2 * pair + 1], points + 2 * i);
    AM_TRY(add_floats(run, item, "matching_scores", &line, &scores));
    for (int64_t i = 0; i < first_count; i++) scores[i] = am_post_floats(m->scores)[first[i]];
    return NULL;
}

static bool is_match(const matching_outputs *m, int64_t at)
{
    return am_post_floats(m->scores)[at] > (float)m->threshold &&
           am_load_int(m->matches->dtype, m->matches->data, at) > -1;
}

/* Each keypoint of the first image that is masked names its partner among those of the second that are. */
static am_status match(am_post_run *run)
{
    matching_outputs m;
    AM_TRY(find_matches(run, true, &m));
    int64_t *partners, *first, *second;
    AM_TRY(am_post_integer_array(run, m.count, 1, &partners));
    AM_TRY(am_post_integer_array(run, m.count, 1, &first));
    AM_TRY(am_post_integer_array(run, m.count, 1, &second));
    for (int64_t pair = 0; pair < m.pairs; pair++) {
        int64_t begin = pair * 2 * m.count, partner_count = 0, found = 0;
        for (int64_t at = begin + m.count; at < begin + 2 * m.count; at++)
            if (is_masked(m.mask, at)) partners[partner_count++] = at;
        for (int64_t at = begin; at < begin + m.count; at++) {
            int64_t partner = am_load_int(m.matches->dtype, m.matches->data, at);
            if (!is_masked(m.mask, at) || !is_match(&m, at) || partner >= partner_count) continue;
            first[found] = at;
            second[found++] = partners[partner];
        }
        AM_TRY(give_pair(run, &m, pair, first, found, second, found));
    }
    return NULL;
}

/* Keypoints of both images that have a match, in their order. */
static am_status match_in_order(am_post_run *run)
{
    matching_outputs m;
    AM_TRY(find_matches(run, false, &m));
    int64_t *found[2], counts[2];
    AM_TRY(am_post_integer_array(run, m.count, 1, &found[0]));
    AM_TRY(am_post_integer_array(run, m.count, 1, &found[1]));
    for (int64_t pair = 0; pair < m.pairs; pair++) {
        for (int side = 0; side < 2; side++) {
            int64_t begin = (2 * pair + side) * m.count;
            counts[side] = 0;
            for (int64_t at = begin; at < begin + m.count; at++)
                if (is_match(&m, at)) found[side][counts[side]++] = at;
        }
        AM_TRY(give_pair(run, &m, pair, found[0], counts[0], found[1], counts[1]));
    }
    return NULL;
}

/* clang-format off */
static const am_post_method methods[] = {
    {"post_process_keypoint_detection", "SuperPoint", detect, NULL},
    {"post_process_keypoint_matching", "LightGlue SuperGlue", match, NULL},
    {"post_process_keypoint_matching", "EfficientLoFTR", match_in_order, NULL},
    {0},
};
/* clang-format on */

const am_post_family am_post_family_keypoints = {methods};
