#include "models/blocks/sam2.h"

#include "models/blocks/detr.h"
#include "models/blocks/sam.h"

#include <inttypes.h>
#include <stdio.h>

static const double UPSCALE_NORM_EPS = 1e-6, NORM_EPS = 1e-5; /* not configurable */

enum { LABEL_IGNORED = -10, LABEL_NONE = -1, TOKENS_BEFORE_MASKS = 2 };

typedef struct sam2_decoder {
    int64_t C, mlp_dim, layers, heads, rate, masks, score_layers, score_size;
    bool is_dynamic;
    double delta, threshold;
} sam2_decoder;

static sam2_decoder read_decoder(am_builder *b)
{
    am_config c = am_config_child(am_model_config(b), "mask_decoder_config");
    sam2_decoder d = {
        .C = am_config_size(&c, "hidden_size", 256),
        .mlp_dim = am_config_size(&c, "mlp_dim", 2048),
        .layers = am_config_count(&c, "num_hidden_layers", 2),
        .heads = am_config_size(&c, "num_attention_heads", 8),
        .rate = am_config_size(&c, "attention_downsample_rate", 2),
        .masks = 1 + am_config_size(&c, "num_multimask_outputs", 3),
        .score_layers = am_config_count(&c, "iou_head_depth", 3),
        .score_size = am_config_size(&c, "iou_head_hidden_dim", 256),
        .is_dynamic = am_config_flag(&c, "dynamic_multimask_via_stability", true),
        .delta = am_config_real(&c, "dynamic_multimask_stability_delta", 0.05),
        .threshold = am_config_real(&c, "dynamic_multimask_stability_thresh", 0.98),
    };
    am_config_check_divides(&c, "num_attention_heads", d.heads, "hidden_size", d.C);
    am_config_check_divides(&c, "num_attention_heads", d.heads, "attention_downsample_rate", d.C / d.rate);
    if (d.C < 8 || d.C / d.rate < 1) am_config_fail(&c, "hidden_size", "an eighth of it is nothing");
    if (d.masks > AM_SAM_STATES) am_config_fail(&c, "num_multimask_outputs", "more than %d", AM_SAM_STATES - 1);
    return d;
}

/* --- the image --- */

static am_value narrow_conv(am_builder *b, const char *name, am_value x, int64_t out)
{
    return am_conv(b, name, x, out, am_shape_of(1, 1), AM_BIAS, &(am_convolution_attributes){0});
}

/* The sizes that the configuration names are taken for those of the maps. */
static void check_sizes(am_builder *b, const am_value *maps)
{
    static const int64_t sizes[AM_SAM2_LEVELS] = {256, 128, 64};
    am_config c = am_config_child(am_model_config(b), "vision_config");
    for (int i = 0; i < AM_SAM2_LEVELS; i++) {
        int64_t found[2] = {0};
        int count =
            am_config_inner_sizes(&c, "backbone_feature_sizes", i, found, 2, (int64_t[]){sizes[i], sizes[i]}, 2);
        int64_t h = am_dim(b, maps[i], 2), w = am_dim(b, maps[i], 3);
        if (!am_builder_failed(b) && (count != 2 || found[0] != h || found[1] != w))
            am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                        "map %d has %" PRId64 " x %" PRId64
                                        " places, backbone_feature_sizes says %" PRId64 " x %" PRId64,
                                        i, h, w, found[0], found[1]));
    }
}

static void embed_maps(am_builder *b, const am_value *maps, int count, am_value *out)
{
    sam2_decoder d = read_decoder(b);
    int64_t C = am_dim(b, maps[count - 1], 1);
    am_value no_memory = am_cast(b, am_weight(b, "no_memory_embedding", am_shape_of(1, 1, C)), AM_F32);
    am_scope(b, "mask_decoder");
    for (int i = 0; i < AM_SAM2_LEVELS; i++) out[i] = maps[i];
    out[0] = narrow_conv(b, "conv_s0", maps[0], d.C / 8);
    out[1] = narrow_conv(b, "conv_s1", maps[1], d.C / 4);
    am_end_scope(b);
    if (count == AM_SAM2_LEVELS) out[2] = am_add(b, maps[2], am_reshape(b, no_memory, am_shape_of(1, C, 1, 1)));
    check_sizes(b, out);
}

void am_sam2_embed(am_builder *b, const am_value *maps, int count, am_value *out)
{
    char name[32];
    for (int i = 0; i < AM_SAM2_LEVELS; i++) out[i] = AM_NONE;
    if (maps && count < AM_SAM2_LEVELS && !am_builder_failed(b))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "%d maps of the image, expected %d", count, AM_SAM2_LEVELS));
    if (am_builder_failed(b)) return;
    if (maps) {
        embed_maps(b, maps, count, out);
        return;
    }
    for (int i = 0; i < AM_SAM2_LEVELS; i++) {
        snprintf(name, sizeof name, "image_embeddings.%d", i);
        out[i] = am_input(b, name, 4);
    }
}

/* --- prompts --- */

/* A row of the table NAME.weight, of `count` rows: F32 [1, 1, 1, C]. */
static am_value table_row(am_builder *b, const char *name, int64_t count, int64_t row, int64_t C)
{
    am_value table = am_slice(b, am_weight(b, name, am_shape_of(count, C)), 0, row, row + 1);
    return am_reshape(b, am_cast(b, table, AM_F32), am_shape_of(1, 1, 1, C));
}

typedef struct prompt_tables {
    const am_sam_prompt_options *options;
    int64_t kinds;       /* of points */
    am_value directions; /* of places */
} prompt_tables;

static am_value waves(am_builder *b, const prompt_tables *t, am_value places)
{
    return am_sam_place_waves(b, t->directions, places);
}

/* points: [B, P, n, 2], labels: I32 [B, P, n]; with `pads` a point that is none stands behind. */
static am_value embed_points(am_builder *b, const prompt_tables *t, am_value points, am_value labels, bool pads)
{
    int64_t B = am_dim(b, points, 0), P = am_dim(b, points, 1), C = t->options->hidden_size;
    points = am_sam_centres(b, points, t->options);
    if (pads) {
        points = am_pad_zero(b, points, 2, 0, 1);
        labels = am_concat2(b, labels, am_broadcast(b, am_scalar(b, AM_I32, LABEL_NONE), am_shape_of(B, P, 1)), 2);
    }
    am_value x = waves(b, t, points), label = am_unsqueeze(b, labels, 3);
    x = am_select(b, am_binary_number(b, AM_EQUAL, label, LABEL_NONE),
                  table_row(b, "not_a_point_embed.weight", 1, 0, C), x);
    x = am_select(b, am_binary_number(b, AM_EQUAL, label, LABEL_IGNORED), am_scalar(b, AM_F32, 0), x);
    am_value kinds = am_embedding(b, "point_embed", am_binary_number(b, AM_MAX, labels, 0), t->kinds, C);
    return am_select(b, am_binary_number(b, AM_GREATER_EQUAL, label, 0), am_add(b, x, kinds), x);
}

/* boxes: [B, P, 4] -> [B, P, 3, C]: their corners, and a point that is none. */
static am_value embed_boxes(am_builder *b, const prompt_tables *t, am_value boxes)
{
    int64_t B = am_dim(b, boxes, 0), P = am_dim(b, boxes, 1), C = t->options->hidden_size;
    am_value corners = am_reshape(b, boxes, am_shape_of(B, P, 2, 2));
    corners = waves(b, t, am_sam_centres(b, corners, t->options));
    am_value kinds = am_concat2(b, table_row(b, "point_embed.weight", t->kinds, 2, C),
                                table_row(b, "point_embed.weight", t->kinds, 3, C), 2);
    am_value none = table_row(b, "not_a_point_embed.weight", 1, 0, C);
    return am_concat2(b, am_add(b, corners, kinds), am_broadcast(b, none, am_shape_of(B, P, 1, C)), 2);
}

/* The input input_masks in the size that the encoder takes. */
static am_value sized_masks(am_builder *b, am_value masks, const am_sam_prompt_options *p)
{
    am_resize_attributes options = {
        .size = am_shape_of(4 * p->side, 4 * p->side), .mode = AM_RESIZE_LINEAR, .antialias = true};
    if (am_dtype_of(b, masks) != AM_F32) masks = am_cast(b, masks, AM_F32);
    bool fits = am_dim(b, masks, 2) == 4 * p->side && am_dim(b, masks, 3) == 4 * p->side;
    return fits ? masks : am_resize(b, masks, &options);
}

static am_sam_prompts read_prompts(am_builder *b, const am_sam_prompt_options *p, int64_t B)
{
    am_config c = am_config_child(am_model_config(b), "prompt_encoder_config");
    prompt_tables t = {.options = p, .kinds = am_config_size(&c, "num_point_embeddings", 4)};
    am_sam_prompts out = {AM_NONE, AM_NONE};
    am_value points = am_input_optional(b, "input_points", 4), boxes = am_input_optional(b, "input_boxes", 3),
             masks = am_input_optional(b, "input_masks", 4), labels = AM_NONE;
    if (t.kinds < 4 && boxes.id) am_config_fail(&c, "num_point_embeddings", "boxes take 4");
    if (points.id) labels = am_sam_point_labels(b, points);
    if (!points.id && !boxes.id) {
        points = am_broadcast(b, am_scalar(b, AM_F32, 0), am_shape_of(B, 1, 1, 2));
        labels = am_broadcast(b, am_scalar(b, AM_I32, LABEL_NONE), am_shape_of(B, 1, 1));
    }
    am_scope(b, "prompt_encoder");
    t.directions = am_weight(b, "shared_embedding.positional_embedding", am_shape_of(2, p->hidden_size / 2));
    if (points.id) out.sparse = embed_points(b, &t, points, labels, !boxes.id);
    if (boxes.id) {
        am_value corners = embed_boxes(b, &t, boxes);
        out.sparse = out.sparse.id ? am_concat2(b, out.sparse, corners, 2) : corners;
    }
    if (masks.id) out.dense = am_sam_embed_masks(b, sized_masks(b, masks, p), p);
    else
        out.dense = am_reshape(b, table_row(b, "no_mask_embed.weight", 1, 0, p->hidden_size),
                               am_shape_of(1, p->hidden_size, 1, 1));
    am_end_scope(b);
    return out;
}

/* --- the decoder --- */

/* Tokens and image that read each other; `places` and `first` say where they are. */
typedef struct two_way {
    am_value tokens, image, first, places;
} two_way;

static am_value read_from(am_builder *b, const char *name, am_value q, am_value k, am_value v, const sam2_decoder *d,
                          int64_t width)
{
    return am_detr_attend(b, name, q, k, v, &(am_detr_attention){.heads = d->heads, .width = width, .out = "o_proj"});
}

static void two_way_layer(am_builder *b, two_way *s, const sam2_decoder *d, bool is_first)
{
    int64_t narrow = d->C / d->rate;
    am_value x = is_first ? s->tokens : am_add(b, s->tokens, s->first);
    am_value h = read_from(b, "self_attn", x, x, s->tokens, d, d->C);
    x = am_layer_norm(b, "layer_norm1", is_first ? h : am_add(b, s->tokens, h), NORM_EPS);
    am_value key = am_add(b, s->image, s->places);
    h = read_from(b, "cross_attn_token_to_image", am_add(b, x, s->first), key, s->image, d, narrow);
    x = am_layer_norm(b, "layer_norm2", am_add(b, x, h), NORM_EPS);
    h = am_sam_feed_forward(b, "mlp", x, d->mlp_dim, d->C, d->layers);
    x = am_layer_norm(b, "layer_norm3", am_add(b, x, h), NORM_EPS);
    h = read_from(b, "cross_attn_image_to_token", key, am_add(b, x, s->first), x, d, narrow);
    s->image = am_layer_norm(b, "layer_norm4", am_add(b, s->image, h), NORM_EPS);
    s->tokens = x;
}

static void two_way_transformer(am_builder *b, two_way *s, const sam2_decoder *d)
{
    am_scope(b, "transformer");
    for (int i = 0; i < d->layers && !am_builder_failed(b); i++) {
        am_scope(b, "layers.%d", i);
        two_way_layer(b, s, d, i == 0);
        am_end_scope(b);
    }
    am_value h = read_from(b, "final_attn_token_to_image", am_add(b, s->tokens, s->first),
                           am_add(b, s->image, s->places), s->image, d, d->C / d->rate);
    s->tokens = am_layer_norm(b, "layer_norm_final_attn", am_add(b, s->tokens, h), NORM_EPS);
    am_end_scope(b);
}

/* The decoder's own tokens and those of prompts: [B P, n, C]. */
static am_value tokens_of(am_builder *b, am_value sparse, const sam2_decoder *d)
{
    int64_t N = am_dim(b, sparse, 0) * am_dim(b, sparse, 1);
    am_value parts[] = {am_weight(b, "obj_score_token.weight", am_shape_of(1, d->C)),
                        am_weight(b, "iou_token.weight", am_shape_of(1, d->C)),
                        am_weight(b, "mask_tokens.weight", am_shape_of(d->masks, d->C))};
    for (int i = 0; i < 3; i++) parts[i] = am_cast(b, parts[i], AM_F32);
    am_value own = am_unsqueeze(b, am_concat(b, parts, 3, 0), 0);
    own = am_broadcast(b, own, am_shape_of(N, TOKENS_BEFORE_MASKS + d->masks, d->C));
    return am_concat2(b, own, am_flatten(b, sparse, 0, 1), 1);
}

/* The image upscaled, finer maps added: [B P, C / 8, 4 h, 4 w]. */
static am_value upscale(am_builder *b, am_value x, const am_value *image, const sam2_decoder *d, int64_t P)
{
    x = am_add(b, am_sam_double(b, "upscale_conv1", x, d->C / 4), am_sam_repeated(b, image[1], P));
    x = am_unary(b, AM_GELU, am_layer_norm_channels_first(b, "upscale_layer_norm", x, UPSCALE_NORM_EPS));
    x = am_add(b, am_sam_double(b, "upscale_conv2", x, d->C / 8), am_sam_repeated(b, image[0], P));
    return am_unary(b, AM_GELU, x);
}

/* What each mask token's network makes of it: tokens: [B P, n, C] -> [B P, masks, C / 8]. */
static am_value hyper(am_builder *b, am_value tokens, const sam2_decoder *d)
{
    am_value parts[AM_SAM_STATES];
    char name[48];
    for (int i = 0; i < d->masks; i++) {
        snprintf(name, sizeof name, "output_hypernetworks_mlps.%d", i);
        am_value x = am_slice(b, tokens, 1, TOKENS_BEFORE_MASKS + i, TOKENS_BEFORE_MASKS + i + 1);
        parts[i] = am_sam_feed_forward(b, name, x, d->C, d->C / 8, 3);
    }
    return am_concat(b, parts, (int)d->masks, 1);
}

/* How much of each mask stays where it is asked for more: masks: [B, P, 1, N] -> [B, P, 1]. */
static am_value stability(am_builder *b, am_value masks, double delta)
{
    am_value inner = am_cast(b, am_binary_number(b, AM_GREATER, masks, delta), AM_F32);
    am_value outer = am_cast(b, am_binary_number(b, AM_GREATER, masks, -delta), AM_F32);
    inner = am_reduce(b, AM_REDUCE_SUM, inner, am_shape_of(3), false);
    outer = am_reduce(b, AM_REDUCE_SUM, outer, am_shape_of(3), false);
    am_value share = am_div(b, inner, am_binary_number(b, AM_MAX, outer, 1));
    return am_select(b, am_binary_number(b, AM_GREATER, outer, 0), share, am_scalar(b, AM_F32, 1));
}

/* The first mask where it is stable, else the best of the others: masks: [B, P, n, N], scores: [B, P, n]. */
static void choose_one(am_builder *b, const sam2_decoder *d, am_value *masks, am_value *scores)
{
    am_shape s = am_shape_of_value(b, *masks);
    am_value first = am_slice(b, *masks, 2, 0, 1), others = am_slice(b, *masks, 2, 1, AM_SLICE_END);
    am_value first_score = am_slice(b, *scores, 2, 0, 1), other_scores = am_slice(b, *scores, 2, 1, AM_SLICE_END);
    am_value best = am_unsqueeze(b, am_arg_reduce(b, other_scores, 2, false), 2);
    am_value at = am_broadcast(b, am_unsqueeze(b, best, 3), am_shape_of(s.dims[0], s.dims[1], 1, s.dims[3]));
    am_value is_stable = am_binary_number(b, AM_GREATER_EQUAL, stability(b, first, d->delta), d->threshold);
    *masks = am_select(b, am_unsqueeze(b, is_stable, 3), first, am_gather(b, others, at, 2, true));
    *scores = am_select(b, is_stable, first_score, am_gather(b, other_scores, best, 2, true));
}

/* tokens: [B P, n, C], pixels: [B P, C / 8, H, W] */
static void output_masks(am_builder *b, const sam2_decoder *d, am_value tokens, am_value pixels, int64_t B)
{
    int64_t P = am_dim(b, tokens, 0) / (B > 0 ? B : 1), H = am_dim(b, pixels, 2), W = am_dim(b, pixels, 3);
    am_value masks = am_matmul(b, hyper(b, tokens, d), am_flatten(b, pixels, 2, 3), false, false);
    am_value scores = am_sam_feed_forward(b, "iou_prediction_head", am_index(b, tokens, 1, 1), d->score_size, d->masks,
                                          d->score_layers);
    am_value object = am_sam_feed_forward(b, "pred_obj_score_head", am_index(b, tokens, 1, 0), d->C, 1, 3);
    masks = am_reshape(b, masks, am_shape_of(B, P, d->masks, H * W));
    scores = am_reshape(b, am_unary(b, AM_SIGMOID, scores), am_shape_of(B, P, d->masks));
    bool several = am_model_argument(b, "multimask_output", 1) != 0;
    if (!several && d->is_dynamic) {
        choose_one(b, d, &masks, &scores);
    } else {
        masks = am_slice(b, masks, 2, several ? 1 : 0, several ? AM_SLICE_END : 1);
        scores = am_slice(b, scores, 2, several ? 1 : 0, several ? AM_SLICE_END : 1);
    }
    am_output(b, "iou_scores", scores);
    am_output(b, "pred_masks", am_reshape(b, masks, am_shape_of(B, P, am_dim(b, masks, 2), H, W)));
    am_output(b, "object_score_logits", am_reshape(b, object, am_shape_of(B, P, 1)));
}

void am_sam2_segment(am_builder *b, const am_value *image)
{
    char name[32];
    sam2_decoder d = read_decoder(b);
    am_sam_prompt_options p = am_sam_prompt_options_read(b);
    int64_t B = am_dim(b, image[2], 0), h = am_dim(b, image[2], 2), w = am_dim(b, image[2], 3);
    if (am_builder_failed(b)) return;
    am_sam_prompts prompts = read_prompts(b, &p, B);
    int64_t P = am_dim(b, prompts.sparse, 1);
    if (!am_builder_failed(b) && am_dim(b, prompts.sparse, 0) != B)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "prompts are for %" PRId64 " images, expected %" PRId64,
                                    am_dim(b, prompts.sparse, 0), B));
    am_value directions =
        am_weight(b, "shared_image_embedding.positional_embedding", am_shape_of(2, p.hidden_size / 2));
    am_value x = am_sam_repeated(b, am_add(b, image[2], prompts.dense), P);
    two_way s = {.image = am_image_tokens(b, x), .places = am_sam_image_places(b, &p, directions)};
    am_scope(b, "mask_decoder");
    s.first = s.tokens = tokens_of(b, prompts.sparse, &d);
    two_way_transformer(b, &s, &d);
    output_masks(b, &d, s.tokens, upscale(b, am_tokens_image(b, s.image, h, w), image, &d, P), B);
    am_end_scope(b);
    for (int i = 0; i < AM_SAM2_LEVELS; i++) {
        snprintf(name, sizeof name, "image_embeddings.%d", i);
        am_output(b, name, image[i]);
    }
}
