#include "models/blocks/masked_queries.h"

#include "models/blocks/packed_attention.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { POINTS = 4, GROUPS = 32 };

static const double GROUP_NORM_EPS = 1e-5, TEMPERATURE = 10000; /* not configurable */

/* --- parts --- */

am_value am_query_masks(am_builder *b, am_value queries, am_value pixels)
{
    am_shape shape =
        am_shape_of(am_dim(b, queries, 0), am_dim(b, queries, 1), am_dim(b, pixels, 2), am_dim(b, pixels, 3));
    return am_reshape(b, am_matmul(b, queries, am_flatten(b, pixels, 2, 3), false, false), shape);
}

am_value am_map_places(am_builder *b, am_value map, int64_t C)
{
    am_sine_options sine = {.features = C / 2, .temperature = TEMPERATURE, .scale = 2 * acos(-1)};
    am_value ones = am_broadcast(b, am_scalar(b, AM_F32, 1), am_shape_of(1, am_dim(b, map, 2), am_dim(b, map, 3)));
    return am_sine_positions(b, ones, &sine);
}

/* --- pixels --- */

int64_t am_fine_levels_read(const am_config *c, const char *strides)
{
    int64_t list[AM_STAGES_LIMIT], least = INT64_MAX;
    int count = am_config_sizes(c, strides, list, AM_STAGES_LIMIT, (const int64_t[]){4, 8, 16, 32}, 4);
    int64_t common = am_config_size(c, "common_stride", 4);
    for (int i = count > AM_PIXEL_LEVELS ? count - AM_PIXEL_LEVELS : 0; i < count; i++)
        if (list[i] < least) least = list[i];
    if (count == 0) {
        am_config_fail(c, strides, "the list is empty");
        return 0;
    }
    int64_t levels = (int64_t)(log2((double)least) - log2((double)common));
    if (levels < 0)
        am_config_fail(c, "common_stride", "%" PRId64 " is more than a stride of the maps, %" PRId64, common, least);
    return levels < 0 ? 0 : levels;
}

/* relu?(NAME.1(NAME.0(x))), a convolution and a norm of groups. */
static am_value grouped_conv(am_builder *b, const char *name, int i, am_value x, int64_t C, int64_t kernel, int bias)
{
    am_shape padding = am_shape_of(kernel / 2, kernel / 2);
    am_convolution_attributes options = {.padding_before = padding, .padding_after = padding};
    am_scope(b, "%s%d", name, i);
    x = am_conv(b, "0", x, C, am_shape_of(kernel, kernel), bias, &options);
    x = am_group_norm(b, "1", x, GROUPS, GROUP_NORM_EPS);
    am_end_scope(b);
    return x;
}

static am_value encoder_layer(am_builder *b, const am_pixel_options *o, am_value x, am_value places, am_value points,
                              const am_levels *levels)
{
    am_deformable_options options = {.heads = o->heads};
    for (int i = 0; i < AM_PIXEL_LEVELS; i++) options.points[i] = POINTS;
    am_value h = am_deformable_attend(b, "self_attn", am_add(b, x, places), x, points, levels, &options);
    x = am_layer_norm(b, "self_attn_layer_norm", am_add(b, x, h), o->layer_norm_eps);
    h = am_detr_mlp(b, x, o->inner, AM_RELU);
    return am_layer_norm(b, "final_layer_norm", am_add(b, x, h), o->layer_norm_eps);
}

/* The coarsest maps of the backbone through the encoder's layers. */
static void encode(am_builder *b, const am_pixel_options *o, am_pixels *r)
{
    am_value maps[AM_PIXEL_LEVELS], parts[AM_PIXEL_LEVELS];
    am_value embeddings = am_cast(b, am_weight(b, "level_embed", am_shape_of(AM_PIXEL_LEVELS, o->C)), AM_F32);
    for (int i = 0; i < AM_PIXEL_LEVELS; i++) {
        maps[i] = grouped_conv(b, "input_projections.", i, r->found.maps[r->found.count - 1 - i], o->C, 1, AM_BIAS);
        parts[i] = am_add(b, am_map_places(b, maps[i], o->C), am_slice(b, embeddings, 0, i, i + 1));
    }
    if (am_builder_failed(b)) return;
    am_levels levels = am_levels_of(b, maps, NULL, AM_PIXEL_LEVELS);
    am_value x = am_levels_flatten(b, maps, AM_PIXEL_LEVELS), places = am_concat(b, parts, AM_PIXEL_LEVELS, 1);
    am_value points = am_level_points(b, &levels);
    for (int64_t i = 0; i < o->layers && !am_builder_failed(b); i++) {
        am_scope(b, "encoder.layers.%d", (int)i);
        x = encoder_layer(b, o, x, places, points, &levels);
        am_end_scope(b);
    }
    am_levels_split(b, &levels, x, r->maps);
}

/* The finest of the encoder's maps, to which finer ones of the backbone are added. */
static am_value refine(am_builder *b, const am_pixel_options *o, const am_pixels *r)
{
    am_value x = r->maps[AM_PIXEL_LEVELS - 1];
    int count = o->fine_levels < r->found.count ? (int)o->fine_levels : r->found.count;
    for (int i = count; i >= 1 && !am_builder_failed(b); i--) {
        am_value own = grouped_conv(b, "adapter_", i, r->found.maps[i - 1], o->C, 1, AM_NO_BIAS);
        x = am_add(b, own, am_image_resized(b, x, am_dim(b, own, 2), am_dim(b, own, 3)));
        x = am_unary(b, AM_RELU, grouped_conv(b, "layer_", i, x, o->C, 3, AM_NO_BIAS));
    }
    return x;
}

am_pixels am_read_pixels(am_builder *b, const am_pixel_options *o)
{
    const am_config *c = am_model_config(b);
    am_pixels r = {0};
    (void)am_input_optional(b, "pixel_mask", 3); /* changes nothing */
    if (!am_config_has(c, "backbone_config"))
        am_config_unsupported(c, "backbone_config", "a default is not known for it");
    am_scope(b, "pixel_level_module");
    am_scope(b, "encoder");
    r.found = am_backbone_maps(b, AM_PIXEL_LEVELS, AM_STAGES_LIMIT);
    am_end_scope(b);
    am_scope(b, "decoder");
    if (!am_builder_failed(b)) {
        encode(b, o, &r);
        am_convolution_attributes options = {0};
        r.vectors =
            am_conv(b, "mask_projection", refine(b, o, &r), o->mask_channels, am_shape_of(1, 1), AM_BIAS, &options);
    }
    am_end_scope(b);
    am_end_scope(b);
    return r;
}

/* --- decoders --- */

void am_masked_read(am_builder *b, const am_masked_options *o, const am_pixels *pixels, am_masked_decoding *d)
{
    am_value embeddings = am_cast(b, am_weight(b, "level_embed.weight", am_shape_of(AM_PIXEL_LEVELS, o->C)), AM_F32);
    char name[32];
    for (int i = 0; i < AM_PIXEL_LEVELS; i++) {
        am_value map = pixels->maps[i];
        d->heights[i] = am_dim(b, map, 2);
        d->widths[i] = am_dim(b, map, 3);
        d->places[i] = am_map_places(b, map, o->C);
        snprintf(name, sizeof name, "input_projections.%d", i);
        if (o->projects) map = am_conv(b, name, map, o->C, am_shape_of(1, 1), AM_BIAS, &(am_convolution_attributes){0});
        d->features[i] = am_add(b, am_image_tokens(b, map), am_slice(b, embeddings, 0, i, i + 1));
    }
    d->pixels = pixels->vectors;
}

/* Where each query found its segment in a map of that level, or everything where it found nothing: BOOL [B, 1, Q, S].
 */
static am_value seen_by(am_builder *b, const am_masked_decoding *d, am_value masks, int level)
{
    int64_t B = am_dim(b, masks, 0), Q = am_dim(b, masks, 1), h = d->heights[level], w = d->widths[level];
    am_value x = am_reshape(b, am_image_resized(b, masks, h, w), am_shape_of(B, 1, Q, h * w));
    am_value seen = am_binary_number(b, AM_GREATER_EQUAL, x, 0);
    am_value nothing = am_unary(b, AM_LOGICAL_NOT, am_reduce(b, AM_REDUCE_ANY, seen, am_shape_of(3), true));
    return am_binary(b, AM_LOGICAL_OR, seen, nothing);
}

/* The norm NAME, where layers have it on that side. */
static am_value norm_if(am_builder *b, const am_masked_options *o, bool wanted, const char *name, am_value x)
{
    return wanted ? am_layer_norm(b, name, x, o->layer_norm_eps) : x;
}

static am_value layer(am_builder *b, const am_masked_options *o, const am_masked_decoding *d, am_value x, int level,
                      am_value mask)
{
    const am_masked_names *n = o->names;
    am_value memory = d->features[level], keys = am_add(b, memory, d->places[level]);
    am_value h = norm_if(b, o, o->pre_norm, n->cross_norm, x);
    h = am_packed_attend(b, n->cross, am_add(b, h, d->query_places), keys, memory, o->heads, mask);
    x = norm_if(b, o, !o->pre_norm, n->cross_norm, am_add(b, x, h));
    h = norm_if(b, o, o->pre_norm, n->self_norm, x);
    am_value placed = am_add(b, h, d->query_places);
    h = am_detr_attend(b, n->self, placed, placed, h, &(am_detr_attention){.heads = o->heads});
    x = norm_if(b, o, !o->pre_norm, n->self_norm, am_add(b, x, h));
    h = norm_if(b, o, o->pre_norm, n->last_norm, x);
    h = am_linear_activation(b, n->up, h, o->inner, AM_BIAS, o->activation);
    return norm_if(b, o, !o->pre_norm, n->last_norm, am_add(b, x, am_linear(b, n->down, h, o->C, AM_BIAS)));
}

/* What the queries x say: their masks are given back. */
static am_value predict(am_builder *b, const am_masked_options *o, am_masked_decoding *d, am_value x)
{
    am_value normed = am_layer_norm(b, o->names->norm, x, o->layer_norm_eps);
    am_value masks =
        am_query_masks(b, am_prediction_head(b, o->names->masks, normed, o->C, o->mask_channels, 3), d->pixels);
    am_states_add(&d->states, x);
    am_states_add(&d->normed, normed);
    am_states_add(&d->masks, masks);
    return masks;
}

am_value am_masked_decode(am_builder *b, const am_masked_options *o, am_masked_decoding *d)
{
    am_value x = d->queries;
    d->states = am_states_make(b, o->layers + 1);
    d->normed = am_states_make(b, o->layers + 1);
    d->masks = am_states_make(b, o->layers + 1);
    am_value masks = predict(b, o, d, x);
    for (int64_t i = 0; i < o->layers && !am_builder_failed(b); i++) {
        int level = (int)(i % AM_PIXEL_LEVELS);
        am_value mask = seen_by(b, d, masks, level);
        am_scope(b, "layers.%d", (int)i);
        x = layer(b, o, d, x, level, mask);
        am_end_scope(b);
        masks = predict(b, o, d, x);
    }
    return x;
}

void am_output_early_masks(am_builder *b, const char *name, const am_states *classes, const am_states *masks)
{
    char output[96];
    for (int i = 0; i + 1 < masks->count; i++) {
        snprintf(output, sizeof output, "%s.%d.class_queries_logits", name, i);
        am_output(b, output, classes->items[i]);
        snprintf(output, sizeof output, "%s.%d.masks_queries_logits", name, i);
        am_output(b, output, masks->items[i]);
    }
}
