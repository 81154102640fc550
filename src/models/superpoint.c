/* SuperPoint: where an image has corners that are found again in other images of the scene, and a vector that describes
   each. Convolutions give every pixel a score; pixels that no neighbour exceeds are keypoints, as many as there are:
   the results are as long as the row with most of them. transformers: models/superpoint/modeling_superpoint.py */
#include "models/blocks/vision.h"

#include <inttypes.h>

enum { CELL = 8 }; /* pixels along a side of what one place of the encoder's map stands for */

typedef struct superpoint_config {
    int64_t sizes[AM_STAGES_LIMIT], decoder_size, descriptor_size;
    int blocks;
    int64_t most; /* keypoints of an image; below 0: any number */
    int64_t radius, border;
    double threshold;
} superpoint_config;

static superpoint_config read_config(am_builder *b)
{
    static const int64_t sizes[] = {64, 64, 128, 128};
    const am_config *c = am_model_config(b);
    superpoint_config s = {.decoder_size = am_config_size(c, "decoder_hidden_size", 256),
                           .descriptor_size = am_config_size(c, "descriptor_decoder_dim", 256),
                           .most = am_config_int(c, "max_keypoints", -1),
                           .radius = am_config_int(c, "nms_radius", 4),
                           .border = am_config_int(c, "border_removal_distance", 4),
                           .threshold = am_config_real(c, "keypoint_threshold", 0.005)};
    s.blocks = am_config_sizes(c, "encoder_hidden_sizes", s.sizes, AM_STAGES_LIMIT, sizes, 4);
    if (s.blocks < 2) am_config_fail(c, "encoder_hidden_sizes", "expected 2 sizes or more");
    if (am_config_int(c, "keypoint_decoder_dim", CELL * CELL + 1) != CELL * CELL + 1)
        am_config_fail(c, "keypoint_decoder_dim", "expected %d", CELL * CELL + 1);
    if (s.radius < 0) am_config_fail(c, "nms_radius", "%" PRId64 " is below 0", s.radius);
    return s;
}

static am_value conv(am_builder *b, const char *name, am_value x, int64_t out, int64_t kernel)
{
    int64_t n = kernel / 2;
    return am_conv(
        b, name, x, out, am_shape_of(kernel, kernel), AM_BIAS,
        &(am_convolution_attributes){.padding_before = am_shape_of(n, n), .padding_after = am_shape_of(n, n)});
}

static am_value encoder(am_builder *b, am_value x, const superpoint_config *c)
{
    am_pool_attributes halving = {.fn = AM_POOL_MAX, .kernel = am_shape_of(2, 2)};
    for (int i = 0; i < c->blocks && !am_builder_failed(b); i++) {
        am_scope(b, "encoder.conv_blocks.%d", i);
        x = am_unary(b, AM_RELU, conv(b, "conv_a", x, c->sizes[i], 3));
        x = am_unary(b, AM_RELU, conv(b, "conv_b", x, c->sizes[i], 3));
        if (i + 1 < c->blocks) x = am_pool(b, x, &halving);
        am_end_scope(b);
        am_output_hidden_state(b, "hidden_states", i, x);
    }
    return x;
}

/* The largest of x: [B, H, W] no further away than `radius` in either direction. */
static am_value largest_near(am_builder *b, am_value x, int64_t radius)
{
    x = am_unsqueeze(b, x, 1);
    for (int axis = 0; axis < 2; axis++) {
        int64_t size = am_dim(b, x, 2 + axis), r = radius < size ? radius : size,
                sides[2] = {axis ? 0 : r, axis ? r : 0};
        am_shape padding = am_shape_of(sides[0], sides[1]);
        am_pool_attributes options = {.fn = AM_POOL_MAX,
                                      .kernel = am_shape_of(2 * sides[0] + 1, 2 * sides[1] + 1),
                                      .stride = am_shape_of(1, 1),
                                      .padding_before = padding,
                                      .padding_after = padding};
        x = am_pool(b, x, &options);
    }
    return am_squeeze(b, x, 1);
}

/* Scores where they are the largest around, and then, twice, where they are that without what stands around those; else
   0. */
static am_value suppress(am_builder *b, am_value scores, int64_t radius)
{
    am_value zero = am_scalar(b, AM_F32, 0);
    am_value largest = am_binary(b, AM_EQUAL, scores, largest_near(b, scores, radius));
    for (int i = 0; i < 2; i++) {
        am_value near = am_binary_number(b, AM_GREATER, largest_near(b, am_cast(b, largest, AM_F32), radius), 0);
        am_value left = am_select(b, near, zero, scores);
        am_value next = am_binary(b, AM_EQUAL, left, largest_near(b, left, radius));
        next = am_binary(b, AM_LOGICAL_AND, next, am_unary(b, AM_LOGICAL_NOT, near));
        largest = am_binary(b, AM_LOGICAL_OR, largest, next);
    }
    return am_select(b, largest, scores, zero);
}

/* x: [B, C, h, w] -> scores of pixels: [B, H, W]. */
static am_value pixel_scores(am_builder *b, am_value x, const superpoint_config *c)
{
    int64_t B = am_dim(b, x, 0), h = am_dim(b, x, 2), w = am_dim(b, x, 3);
    am_scope(b, "keypoint_decoder");
    x = am_unary(b, AM_RELU, conv(b, "conv_score_a", x, c->decoder_size, 3));
    x = am_softmax(b, conv(b, "conv_score_b", x, CELL * CELL + 1, 1), 1);
    am_end_scope(b);
    x = am_reshape(b, am_slice(b, x, 1, 0, -1), am_shape_of(B, CELL, CELL, h, w));
    x = am_reshape(b, am_permute(b, x, am_shape_of(0, 3, 1, 4, 2)), am_shape_of(B, h * CELL, w * CELL));
    return suppress(b, x, c->radius);
}

/* Which places of `count` along an axis are no border; transformers takes the image for eight times as long. */
static am_value inside(am_builder *b, am_shape shape, int axis, int64_t border)
{
    am_value at = am_iota(b, AM_I32, shape, axis, 0, 1);
    int64_t end = shape.dims[axis] * CELL;
    double least = border < 0 ? 0 : border < end ? (double)border : (double)end;
    am_value is = am_binary_number(b, AM_GREATER_EQUAL, at, least);
    return am_binary(b, AM_LOGICAL_AND, is, am_binary_number(b, AM_LESS, at, (double)end - least));
}

/* BOOL [B, H * W]. */
static am_value keypoint_pixels(am_builder *b, am_value scores, const superpoint_config *c)
{
    int64_t H = am_dim(b, scores, 1), W = am_dim(b, scores, 2);
    am_value is = am_binary_number(b, AM_GREATER, scores, c->threshold);
    is = am_binary(b, AM_LOGICAL_AND, is, inside(b, am_shape_of(1, H, 1), 1, c->border));
    is = am_binary(b, AM_LOGICAL_AND, is, inside(b, am_shape_of(1, 1, W), 2, c->border));
    return am_flatten(b, is, 1, 2);
}

/* The first `length` keypoints of each row in the order of their pixels, or, of rows with more than `most`, by their
   scores: I32 [B, length]; places beyond a row's keypoints hold any pixels. */
static am_value chosen_pixels(am_builder *b, am_value scores, am_value is, am_value counts, int64_t length,
                              int64_t most)
{
    am_value by_score, so_far = am_scan(b, AM_REDUCE_SUM, am_cast(b, is, AM_I32), 1, false, false);
    am_value numbers = am_iota(b, AM_I32, am_shape_of(am_dim(b, is, 0), length), 1, 1, 1);
    am_value by_place = am_search_sorted(b, so_far, numbers, false);
    if (most < 0) return by_place;
    am_sort(b, am_select(b, is, scores, am_scalar(b, AM_F32, -1)), 1, true, &by_score);
    by_score = am_slice(b, by_score, 1, 0, length);
    return am_select(b, am_binary_number(b, AM_GREATER, counts, (double)most), by_score, by_place);
}

/* Places of pixels in columns and rows: F32 [B, L, 2]. */
static am_value points_of(am_builder *b, am_value pixels, int64_t W)
{
    am_value x = am_binary_number(b, AM_MOD, pixels, (double)W), y = am_binary_number(b, AM_DIV, pixels, (double)W);
    return am_cast(b, am_concat2(b, am_unsqueeze(b, x, 2), am_unsqueeze(b, y, 2), 2), AM_F32);
}

static am_value pair(am_builder *b, double x, double y)
{
    float numbers[] = {(float)x, (float)y};
    return am_constant_copy(b, AM_F32, am_shape_of(2), numbers);
}

/* x: [B, C, h, w], points: [B, L, 2] -> [B, L, descriptor_size]. */
static am_value descriptors(am_builder *b, am_value x, am_value points, const superpoint_config *c)
{
    double h = (double)(am_dim(b, x, 2) * CELL), w = (double)(am_dim(b, x, 3) * CELL), shift = CELL / 2.0 - 0.5;
    am_scope(b, "descriptor_decoder");
    x = am_unary(b, AM_RELU, conv(b, "conv_descriptor_a", x, c->decoder_size, 3));
    x = conv(b, "conv_descriptor_b", x, c->descriptor_size, 1);
    am_end_scope(b);
    x = am_permute(b, am_unit_length(b, am_permute(b, x, am_shape_of(0, 2, 3, 1)), 1e-12), am_shape_of(0, 3, 1, 2));
    am_value grid = am_div(b, am_add_number(b, points, -shift), pair(b, w - shift - 1, h - shift - 1));
    grid = am_unsqueeze(b, am_add_number(b, am_mul_number(b, grid, 2), -1), 1);
    x = am_grid_sample(b, x, grid, &(am_grid_sample_attributes){.mode = AM_RESIZE_LINEAR, .align_corners = true});
    return am_unit_length(b, am_transpose(b, am_squeeze(b, x, 2), 1, 2), 1e-12);
}

static am_value where_valid(am_builder *b, am_value valid, am_value x)
{
    return am_select(b, am_unsqueeze(b, valid, 2), x, am_scalar(b, AM_F32, 0));
}

/* Everything about the keypoints; counts: I32 [B, 1]. */
static void outputs(am_builder *b, am_value image, am_value map, am_value scores, am_value is, am_value counts,
                    const superpoint_config *c)
{
    int64_t N = am_dim(b, is, 1), length = am_model_argument(b, "length", c->most >= 0 && c->most < N ? c->most : N);
    am_value all = am_flatten(b, scores, 1, 2), kept = counts;
    if (c->most >= 0) kept = am_binary(b, AM_MIN, counts, am_scalar(b, AM_I32, (double)(c->most < N ? c->most : N)));
    am_value valid = am_binary(b, AM_LESS, am_iota(b, AM_I32, am_shape_of(1, length), 1, 0, 1), kept);
    am_value pixels = chosen_pixels(b, all, is, counts, length, c->most < N ? c->most : N);
    pixels = am_select(b, valid, pixels, am_scalar(b, AM_I32, 0));
    am_value points = points_of(b, pixels, am_dim(b, scores, 2));
    am_value relative = am_div(b, points, pair(b, (double)am_dim(b, image, 3), (double)am_dim(b, image, 2)));
    am_output(b, "keypoints", where_valid(b, valid, relative));
    am_output(b, "scores", am_select(b, valid, am_gather(b, all, pixels, 1, true), am_scalar(b, AM_F32, 0)));
    am_output(b, "descriptors", where_valid(b, valid, descriptors(b, map, points, c)));
    am_output(b, "mask", am_cast(b, valid, AM_I32));
}

static void keypoint_detection(am_builder *b)
{
    superpoint_config c = read_config(b);
    am_value image = am_input(b, "pixel_values", 4);
    if (am_builder_failed(b)) return;
    am_value map = encoder(b, am_slice(b, image, 1, 0, 1), &c), scores = pixel_scores(b, map, &c);
    if (am_builder_failed(b)) return;
    am_value is = keypoint_pixels(b, scores, &c);
    am_value counts = am_reduce(b, AM_REDUCE_SUM, am_cast(b, is, AM_I32), am_shape_of(1), true);
    if (am_model_stage(b) == AM_STAGE_MEASURE) {
        am_value longest = am_reduce(b, AM_REDUCE_MAX, counts, am_shape_of(0), true);
        if (c.most >= 0 && c.most < INT32_MAX)
            longest = am_binary(b, AM_MIN, longest, am_scalar(b, AM_I32, (double)c.most));
        am_output(b, "length", longest);
        return;
    }
    outputs(b, image, map, scores, is, counts, &c);
}

static const am_architecture architectures[] = {
    {"SuperPointForKeypointDetection", keypoint_detection, NULL, AM_MEASURES},
    {0},
};

const am_model_type am_model_superpoint = {
    .name = "superpoint", .base_prefix = "superpoint", .architectures = architectures};
