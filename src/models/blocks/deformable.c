#include "models/blocks/deformable.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static const double GROUP_NORM_EPS = 1e-5; /* not configurable */

/* --- levels --- */

/* How much of each map's first row and first column is no padding: [B, 1, 2] of width and height. */
static am_value valid_ratio(am_builder *b, am_value mask)
{
    am_value y = am_reduce(b, AM_REDUCE_MEAN, am_index(b, mask, 2, 0), am_shape_of(1), true);
    am_value x = am_reduce(b, AM_REDUCE_MEAN, am_index(b, mask, 1, 0), am_shape_of(1), true);
    return am_unsqueeze(b, am_concat2(b, x, y, 1), 1);
}

am_levels am_levels_of(am_builder *b, const am_value *maps, const am_value *masks, int count)
{
    am_levels r = {.count = count};
    am_value attended[AM_LEVELS_LIMIT], ratios[AM_LEVELS_LIMIT];
    for (int i = 0; i < count; i++) {
        r.heights[i] = am_dim(b, maps[i], 2);
        r.widths[i] = am_dim(b, maps[i], 3);
        r.tokens += r.heights[i] * r.widths[i];
        if (!masks) continue;
        attended[i] = am_flatten(b, masks[i], 1, 2);
        ratios[i] = valid_ratio(b, masks[i]);
    }
    if (!masks || am_builder_failed(b)) return r;
    r.attended = am_concat(b, attended, count, 1);
    r.ratios = am_concat(b, ratios, count, 1);
    return r;
}

am_value am_levels_flatten(am_builder *b, const am_value *maps, int count)
{
    am_value parts[AM_LEVELS_LIMIT];
    for (int i = 0; i < count; i++) parts[i] = am_image_tokens(b, maps[i]);
    return am_concat(b, parts, count, 1);
}

void am_levels_split(am_builder *b, const am_levels *l, am_value tokens, am_value *out)
{
    int64_t from = 0, B = am_dim(b, tokens, 0), C = am_dim(b, tokens, 2);
    for (int i = 0; i < l->count; i++) {
        int64_t count = l->heights[i] * l->widths[i];
        am_value x = am_transpose(b, am_slice(b, tokens, 1, from, from + count), 1, 2);
        out[i] = am_reshape(b, x, am_shape_of(B, C, l->heights[i], l->widths[i]));
        from += count;
    }
}

/* x or y of the middle of each pixel of a level, in pixels: F32 [1, h * w, 1]. */
static am_value centres(am_builder *b, int64_t height, int64_t width, int axis)
{
    am_value x = am_iota(b, AM_F32, am_shape_of(height, width), axis, 0.5, 1);
    return am_reshape(b, x, am_shape_of(1, height * width, 1));
}

/* Column i of ratios, [B, 1, 1], of a level. */
static am_value ratio_of(am_builder *b, const am_levels *l, int level, int i)
{
    return am_slice(b, am_slice(b, l->ratios, 1, level, level + 1), 2, i, i + 1);
}

/* The middle of each pixel of a level as a share of what is no padding: [B or 1, h * w, 2]. */
static am_value level_centres(am_builder *b, const am_levels *l, int i)
{
    am_value x = am_mul_number(b, centres(b, l->heights[i], l->widths[i], 1), 1 / (double)l->widths[i]);
    am_value y = am_mul_number(b, centres(b, l->heights[i], l->widths[i], 0), 1 / (double)l->heights[i]);
    if (l->ratios.id) {
        x = am_div(b, x, ratio_of(b, l, i, 0));
        y = am_div(b, y, ratio_of(b, l, i, 1));
    }
    return am_concat2(b, x, y, 2);
}

static am_value all_centres(am_builder *b, const am_levels *l)
{
    am_value parts[AM_LEVELS_LIMIT];
    for (int i = 0; i < l->count; i++) parts[i] = level_centres(b, l, i);
    return am_concat(b, parts, l->count, 1);
}

am_value am_points_in_levels(am_builder *b, const am_levels *l, am_value points)
{
    am_value ratios = l->ratios;
    points = am_unsqueeze(b, points, 2);
    if (!ratios.id) return points;
    if (am_dim(b, points, 3) == 4) ratios = am_concat2(b, ratios, ratios, 2);
    return am_mul(b, points, am_unsqueeze(b, ratios, 1));
}

am_value am_level_points(am_builder *b, const am_levels *l)
{
    return am_points_in_levels(b, l, all_centres(b, l));
}

/* --- pyramids --- */

/* Level i in the model's width: of the backbone's map as it is, or of the level before in half the size. */
static am_value project(am_builder *b, const am_pyramid_options *o, am_value x, int i, bool halves)
{
    am_convolution_attributes options = {0};
    if (halves) options.stride = am_shape_of(2, 2), options.padding_before = options.padding_after = am_shape_of(1, 1);
    am_scope(b, "%s.%d", o->projections, i);
    x = am_conv(b, "0", x, o->C, halves ? am_shape_of(3, 3) : am_shape_of(1, 1), AM_BIAS, &options);
    x = am_group_norm(b, "1", x, AM_PYRAMID_GROUPS, GROUP_NORM_EPS);
    am_end_scope(b);
    return x;
}

static am_value places_of(am_builder *b, const am_pyramid_options *o, am_value mask)
{
    if (o->learned) return am_learned_places(b, o->learned, am_dim(b, mask, 1), am_dim(b, mask, 2), o->C);
    return am_sine_positions(b, mask, &o->sine);
}

am_pyramid am_read_pyramid(am_builder *b, const am_pyramid_options *o)
{
    am_pyramid r = {0};
    am_value maps[AM_LEVELS_LIMIT], masks[AM_LEVELS_LIMIT], places[AM_LEVELS_LIMIT];
    bool is_masked = am_has_input(b, "pixel_mask");
    am_scope(b, "backbone.conv_encoder.model");
    am_feature_maps found = am_backbone_maps(b, 1, o->levels);
    am_end_scope(b);
    if (am_builder_failed(b)) return r;
    am_value mask = am_pixel_mask(b), embeddings = am_weight(b, "level_embed", am_shape_of(o->levels, o->C));
    for (int i = 0; i < o->levels; i++) {
        bool is_own = i < found.count;
        am_value from = is_own ? found.maps[i] : i == found.count ? found.maps[i - 1] : maps[i - 1];
        maps[i] = project(b, o, from, i, !is_own);
        masks[i] = am_mask_of_map(b, mask, maps[i]);
        am_value level = am_cast(b, am_slice(b, embeddings, 0, i, i + 1), AM_F32);
        places[i] = am_add(b, places_of(b, o, masks[i]), level);
    }
    r.levels = am_levels_of(b, maps, is_masked ? masks : NULL, o->levels);
    r.tokens = am_levels_flatten(b, maps, o->levels);
    r.places = am_concat(b, places, o->levels, 1);
    return r;
}

/* --- attention --- */

am_deformable_options am_deformable_options_read(const am_config *c, int64_t heads, const char *points, int64_t levels)
{
    am_deformable_options o = {.heads = heads};
    int64_t count = am_config_size(c, points, 4);
    for (int64_t i = 0; i < levels && i < AM_LEVELS_LIMIT; i++) o.points[i] = count;
    return o;
}

/* What the attention of one level reads. */
typedef struct level {
    am_value value;     /* [B, h * w, H, D] */
    am_value offsets;   /* [B, Q, H, P, 2] */
    am_value scale;     /* F32 [P, 1]; AM_NONE: 1 / P */
    am_value weights;   /* [B, Q, H, P] */
    am_value reference; /* [B or 1, Q, 1, 1, 2 or 4] */
    int64_t height, width, points;
} level;

/* Where it is read, as shares of width and height: [B, Q, H, P, 2]. */
static am_value locations(am_builder *b, const level *l, double offset_scale)
{
    am_value middle = am_slice(b, l->reference, 4, 0, 2);
    if (am_dim(b, l->reference, 4) == 4) {
        double share = l->scale.id ? offset_scale : offset_scale / (double)l->points;
        am_value sides = am_mul_number(b, am_slice(b, l->reference, 4, 2, 4), share);
        if (l->scale.id) sides = am_mul(b, sides, l->scale);
        return am_add(b, middle, am_mul(b, l->offsets, sides));
    }
    const float steps[] = {1 / (float)l->width, 1 / (float)l->height};
    return am_add(b, middle, am_mul(b, l->offsets, am_constant_copy(b, AM_F32, am_shape_of(2), steps)));
}

/* values: [B * H, D, h, w] at places: [B * H, Q, P, 2] -> [B * H, D, Q, P]. */
static am_value read_between(am_builder *b, am_value values, am_value places)
{
    am_value grid = am_add_number(b, am_mul_number(b, places, 2), -1);
    return am_grid_sample(b, values, grid, &(am_grid_sample_attributes){.mode = AM_RESIZE_LINEAR});
}

/* Coordinate i of places in whole pixels, 0 .. size - 1: I32 [B * H, Q, P]. */
static am_value whole(am_builder *b, am_value places, int i, int64_t size)
{
    am_value x = am_add_number(b, am_mul_number(b, am_index(b, places, 3, i), (double)size), 0.5);
    x = am_binary_number(b, AM_MIN, am_binary_number(b, AM_MAX, am_unary(b, AM_TRUNC, x), 0), (double)(size - 1));
    return am_cast(b, x, AM_I32);
}

/* The same of the pixels that the places are rounded to, those beyond the border at it. */
static am_value read_nearest(am_builder *b, am_value values, am_value places)
{
    am_shape s = am_shape_of_value(b, places), v = am_shape_of_value(b, values);
    am_value at =
        am_add(b, am_mul_number(b, whole(b, places, 1, v.dims[2]), (double)v.dims[3]), whole(b, places, 0, v.dims[3]));
    at = am_broadcast(b, am_reshape(b, at, am_shape_of(s.dims[0], 1, s.dims[1] * s.dims[2])),
                      am_shape_of(s.dims[0], v.dims[1], s.dims[1] * s.dims[2]));
    am_value x = am_gather(b, am_flatten(b, values, 2, 3), at, 2, true);
    return am_reshape(b, x, am_shape_of(s.dims[0], v.dims[1], s.dims[1], s.dims[2]));
}

/* [B * H, D, Q] */
static am_value read_level(am_builder *b, const level *l, const am_deformable_options *o)
{
    am_shape v = am_shape_of_value(b, l->value);
    int64_t N = v.dims[0] * v.dims[2], D = v.dims[3], Q = am_dim(b, l->offsets, 1), P = l->points;
    am_value values =
        am_reshape(b, am_permute(b, l->value, am_shape_of(0, 2, 3, 1)), am_shape_of(N, D, l->height, l->width));
    am_value places = locations(b, l, o->offset_scale > 0 ? o->offset_scale : 0.5);
    places = am_reshape(b, am_permute(b, places, am_shape_of(0, 2, 1, 3, 4)), am_shape_of(N, Q, P, 2));
    am_value weights = am_reshape(b, am_transpose(b, l->weights, 1, 2), am_shape_of(N, 1, Q, P));
    am_value x = o->is_discrete ? read_nearest(b, values, places) : read_between(b, values, places);
    return am_reduce(b, AM_REDUCE_SUM, am_mul(b, x, weights), am_shape_of(3), false);
}

/* Values of heads, zero at padding: [B, tokens, H, D]. */
static am_value values_of(am_builder *b, am_value tokens, const am_levels *levels, const am_deformable_options *o)
{
    am_value x = o->no_projections ? tokens : am_linear(b, "value_proj", tokens, am_dim(b, tokens, 2), AM_BIAS);
    if (levels->attended.id) x = am_mul(b, x, am_unsqueeze(b, levels->attended, 2));
    return am_split_heads(b, x, o->heads);
}

am_value am_deformable_attend(am_builder *b, const char *name, am_value x, am_value tokens, am_value reference,
                              const am_levels *levels, const am_deformable_options *o)
{
    int64_t B = am_dim(b, x, 0), Q = am_dim(b, x, 1), C = am_dim(b, tokens, 2), H = o->heads, points = 0, token = 0;
    for (int i = 0; i < levels->count; i++) points += o->points[i];
    am_scope(b, "%s", name);
    am_value value = values_of(b, tokens, levels, o), sum = AM_NONE;
    am_value offsets = am_linear(b, "sampling_offsets", x, H * points * 2, AM_BIAS);
    am_value weights = am_linear(b, "attention_weights", x, H * points, AM_BIAS);
    offsets = am_reshape(b, offsets, am_shape_of(B, Q, H, points, 2));
    weights = am_softmax(b, am_reshape(b, weights, am_shape_of(B, Q, H, points)), 3);
    am_value scale = AM_NONE;
    if (o->point_scale)
        scale = am_unsqueeze(b, am_cast(b, am_weight(b, o->point_scale, am_shape_of(points)), AM_F32), 1);
    reference = am_unsqueeze(b, reference, 3); /* [B, Q, levels, 1, n] */
    bool by_level = am_dim(b, reference, 2) > 1;
    points = 0;
    for (int i = 0; i < levels->count && !am_builder_failed(b); i++) {
        int64_t count = levels->heights[i] * levels->widths[i], to = points + o->points[i];
        level l = {.value = am_slice(b, value, 1, token, token + count),
                   .offsets = am_slice(b, offsets, 3, points, to),
                   .weights = am_slice(b, weights, 3, points, to),
                   .scale = scale.id ? am_slice(b, scale, 0, points, to) : AM_NONE,
                   .reference = by_level ? am_slice(b, reference, 2, i, i + 1) : reference,
                   .height = levels->heights[i],
                   .width = levels->widths[i],
                   .points = o->points[i]};
        am_value part = read_level(b, &l, o);
        sum = sum.id ? am_add(b, sum, part) : part;
        token += count;
        points = to;
    }
    sum = am_transpose(b, am_reshape(b, sum, am_shape_of(B, C, Q)), 1, 2);
    if (!o->no_projections) sum = am_linear(b, "output_proj", sum, C, AM_BIAS);
    am_end_scope(b);
    return sum;
}

/* --- proposals --- */

am_value am_level_boxes(am_builder *b, const am_levels *l, am_value *out_valid)
{
    am_value parts[AM_LEVELS_LIMIT];
    for (int i = 0; i < l->count; i++) {
        am_value middle = level_centres(b, l, i);
        am_value side = am_scalar(b, AM_F32, 0.05 * pow(2, i));
        parts[i] = am_concat2(b, middle, am_broadcast(b, side, am_shape_of_value(b, middle)), 2);
    }
    am_value boxes = am_concat(b, parts, l->count, 1);
    am_value inside = am_binary(b, AM_LOGICAL_AND, am_binary_number(b, AM_GREATER, boxes, 0.01),
                                am_binary_number(b, AM_LESS, boxes, 0.99));
    inside = am_reduce(b, AM_REDUCE_ALL, inside, am_shape_of(2), true);
    if (l->attended.id)
        inside =
            am_binary(b, AM_LOGICAL_AND, inside, am_binary_number(b, AM_NOT_EQUAL, am_unsqueeze(b, l->attended, 2), 0));
    *out_valid = inside;
    return boxes;
}

am_value am_level_proposals(am_builder *b, const am_levels *l, am_value *out_valid)
{
    am_value boxes = am_level_boxes(b, l, out_valid), rest = am_add_number(b, am_unary(b, AM_NEG, boxes), 1);
    return am_select(b, *out_valid, am_unary(b, AM_LOG, am_div(b, boxes, rest)), am_scalar(b, AM_F32, INFINITY));
}

am_value am_take_rows(am_builder *b, am_value x, am_value rows)
{
    am_shape shape = am_shape_of(am_dim(b, x, 0), am_dim(b, rows, 1), am_dim(b, x, 2));
    return am_gather(b, x, am_broadcast(b, am_unsqueeze(b, rows, 2), shape), 1, true);
}

am_value am_best_rows(am_builder *b, am_value scores, int64_t k)
{
    am_value rows = AM_NONE;
    if (!am_builder_failed(b) && k > am_dim(b, scores, 1))
        am_builder_fail(
            b, am_error(AM_INVALID_ARGUMENT, "%" PRId64 " queries, of %" PRId64 " tokens", k, am_dim(b, scores, 1)));
    if (am_builder_failed(b)) return AM_NONE;
    am_top_k(b, scores, 1, k, false, &rows);
    return rows;
}

void am_open_tied_head(am_builder *b, const char *name, int64_t i, const char *weight, bool is_of_decoder)
{
    char path[64], probe[128];
    const int64_t places[] = {i, i, 0, 0};
    for (int k = 0; k < 4; k++) {
        bool inside = is_of_decoder == (k % 2 == 0);
        snprintf(path, sizeof path, "%s%s.%" PRId64, inside ? "model.decoder." : "", name, places[k]);
        snprintf(probe, sizeof probe, "%s.%s", path, weight);
        if (am_has_weight(b, probe)) break;
    }
    am_scope(b, "%s", path);
}
