#include "models/blocks/group_detr.h"

#include "models/blocks/sine_positions.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { BLOCKS_LIMIT = 64 };

static const double LAYER_NORM_EPS = 1e-5, TEMPERATURE = 10000; /* not configurable */

/* --- configuration --- */

static void check(const am_config *c, const am_group_options *r, int64_t levels)
{
    if (r->C % 4) am_config_fail(c, "d_model", "%" PRId64 " does not divide into the parts of positions", r->C);
    if (r->layers < 1) am_config_fail(c, "decoder_layers", "expected 1 or more");
    if (r->blocks > BLOCKS_LIMIT) am_config_unsupported(c, "c2f_num_blocks", "at most %d are supported", BLOCKS_LIMIT);
    if (!(r->expansion > 0 && r->expansion <= 1024) || r->expansion * (double)r->C < 1)
        am_config_fail(c, "hidden_expansion", "leaves no channels, or too many");
    if (levels < 1 || levels > AM_LEVELS_LIMIT)
        am_config_fail(c, "num_feature_levels", "expected 1 to %d", AM_LEVELS_LIMIT);
    am_config_check_divides(c, "decoder_cross_attention_heads", r->attention.heads, "d_model", r->C);
}

am_group_options am_group_read(am_builder *b, const am_group_names *names, int64_t levels)
{
    const am_config *c = am_model_config(b);
    int64_t C = am_config_size(c, "d_model", 256), heads = am_config_size(c, "decoder_self_attention_heads", 8),
            points = am_config_size(c, "decoder_n_points", 4);
    am_group_options r = {
        .names = names,
        .C = C,
        .num_queries = am_config_size(c, "num_queries", 300),
        .labels = am_config_labels(c),
        .layers = am_config_count(c, "decoder_layers", 3),
        .heads = heads,
        .head_dim = am_config_size(c, "head_dim", C / heads ? C / heads : 1),
        .inner = am_config_size(c, "decoder_ffn_dim", 2048),
        .groups = am_config_size(c, "group_detr", 13),
        .attention = {.heads = am_config_size(c, "decoder_cross_attention_heads", 16)},
        .act = am_config_activation(c, "decoder_activation_function", AM_RELU),
        .projector_act = am_config_activation(c, "activation_function", AM_SILU),
        .attention_bias = am_config_flag(c, "attention_bias", true),
        .blocks = am_config_count(c, "c2f_num_blocks", 3),
        .expansion = am_config_real(c, "hidden_expansion", 0.5),
    };
    for (int i = 0; i < levels && i < AM_LEVELS_LIMIT; i++) r.attention.points[i] = points;
    check(c, &r, levels);
    return r;
}

/* --- the projector --- */

am_value am_group_conv(am_builder *b, const am_group_options *o, const char *name, am_value x, int64_t out,
                       int64_t kernel, int64_t stride, am_unary_fn act)
{
    am_shape padding = am_shape_of(kernel / 2, kernel / 2);
    am_convolution_attributes options = {
        .stride = am_shape_of(stride, stride), .padding_before = padding, .padding_after = padding};
    am_scope(b, "%s", name);
    x = am_conv(b, "conv", x, out, am_shape_of(kernel, kernel), AM_NO_BIAS, &options);
    x = o->layer_norms ? am_layer_norm_channels_first(b, o->names->norm, x, o->norm_eps)
                       : am_batch_norm(b, o->names->norm, x, o->norm_eps);
    am_end_scope(b);
    return am_unary(b, act, x);
}

am_value am_group_project(am_builder *b, const am_group_options *o, am_value x)
{
    int64_t inner = (int64_t)((double)o->C * o->expansion);
    am_value parts[BLOCKS_LIMIT + 2];
    int count = o->blocks > BLOCKS_LIMIT ? 0 : (int)o->blocks;
    x = am_group_conv(b, o, o->names->conv1, x, 2 * inner, 1, 1, o->projector_act);
    parts[0] = am_slice(b, x, 1, 0, inner);
    parts[1] = x = am_slice(b, x, 1, inner, AM_SLICE_END);
    for (int i = 0; i < count; i++) {
        am_scope(b, "%s.%d", o->names->bottlenecks, i);
        x = am_group_conv(b, o, o->names->conv1, x, inner, 3, 1, o->projector_act);
        parts[i + 2] = x = am_group_conv(b, o, o->names->conv2, x, inner, 3, 1, o->projector_act);
        am_end_scope(b);
    }
    return am_group_conv(b, o, o->names->conv2, am_concat(b, parts, count + 2, 1), o->C, 1, 1, o->projector_act);
}

/* --- proposals --- */

am_value am_refine_boxes(am_builder *b, am_value boxes, am_value deltas)
{
    am_value middle = am_slice(b, boxes, 2, 0, 2), sides = am_slice(b, boxes, 2, 2, 4);
    middle = am_add(b, am_mul(b, am_slice(b, deltas, 2, 0, 2), sides), middle);
    return am_concat2(b, middle, am_mul(b, am_unary(b, AM_EXP, am_slice(b, deltas, 2, 2, 4)), sides), 2);
}

/* The tokens that look most like objects, and their boxes; of groups' heads those of the first. */
static void propose(am_builder *b, const am_group_options *o, am_group_result *r)
{
    am_value valid, zero = am_scalar(b, AM_F32, 0);
    am_value boxes = am_level_boxes(b, &r->levels, &valid), x = am_select(b, valid, r->tokens, zero);
    boxes = am_select(b, valid, boxes, zero);
    am_scope(b, "%s", o->names->proposals);
    x = am_layer_norm(b, "enc_output_norm.0", am_linear(b, "enc_output.0", x, o->C, AM_BIAS), LAYER_NORM_EPS);
    am_value scores = am_linear(b, "enc_out_class_embed.0", x, o->labels, AM_BIAS);
    scores = am_select(b, valid, scores, am_scalar(b, AM_F32, -INFINITY));
    boxes = am_refine_boxes(b, boxes, am_mlp_head(b, "enc_out_bbox_embed.0", x, o->C, 4, 3));
    am_end_scope(b);
    am_value best = am_best_rows(b, am_reduce(b, AM_REDUCE_MAX, scores, am_shape_of(2), false), o->num_queries);
    r->boxes = am_take_rows(b, boxes, best);
    r->objects = am_take_rows(b, x, best);
}

/* --- decoder --- */

/* Rows from .. to of a weight of three projections. */
static am_value third(am_builder *b, const am_group_options *o, am_value x, int i)
{
    int64_t size = o->heads * o->head_dim;
    return x.id ? am_slice(b, x, 0, i * size, (i + 1) * size) : AM_NONE;
}

static am_value attend_queries(am_builder *b, const am_group_options *o, am_value x, am_value places)
{
    static const char *const names[] = {"q_proj", "k_proj", "v_proj"};
    int64_t width = o->heads * o->head_dim;
    am_value placed = am_add(b, x, places), from[] = {placed, placed, x}, qkv[3], weight = AM_NONE, bias = AM_NONE;
    am_scope(b, "self_attn");
    if (o->names->fused) weight = am_weight(b, "in_proj_weight", am_shape_of(3 * width, o->C));
    if (o->names->fused && o->attention_bias) bias = am_weight(b, "in_proj_bias", am_shape_of(3 * width));
    for (int i = 0; i < 3; i++) {
        am_value y = o->names->fused ? am_linear_with(b, from[i], third(b, o, weight, i), third(b, o, bias, i))
                                     : am_linear(b, names[i], from[i], width, o->attention_bias ? AM_BIAS : AM_NO_BIAS);
        qkv[i] = am_split_heads(b, y, o->heads);
    }
    am_attention_inputs inputs = {.q = qkv[0], .k = qkv[1], .v = qkv[2]};
    am_value h = am_merge_heads(b, am_attention_op(b, &inputs, &(am_attention_attributes){0}));
    h = am_linear(b, o->names->fused ? "out_proj" : "o_proj", h, o->C, o->attention_bias ? AM_BIAS : AM_NO_BIAS);
    am_end_scope(b);
    return am_add_norm(b, o->names->norms[0], x, h);
}

static am_value layer(am_builder *b, const am_group_options *o, const am_group_result *r, am_value x, am_value places,
                      am_value reference)
{
    x = attend_queries(b, o, x, places);
    am_value h =
        am_deformable_attend(b, "cross_attn", am_add(b, x, places), r->tokens, reference, &r->levels, &o->attention);
    x = am_add_norm(b, o->names->norms[1], x, h);
    h = am_linear_activation(b, o->names->fc1, x, o->inner, AM_BIAS, o->act);
    return am_add_norm(b, o->names->norms[2], x, am_linear(b, o->names->fc2, h, o->C, AM_BIAS));
}

static void decode(am_builder *b, const am_group_options *o, am_group_result *r, am_value x)
{
    r->states = am_states_make(b, o->layers + 1);
    r->intermediate = am_states_make(b, o->layers);
    am_states_add(&r->states, x);
    am_scope(b, "%s", o->names->decoder);
    am_value reference = am_points_in_levels(b, &r->levels, r->reference);
    am_value waves = am_sine_coordinates(b, am_index(b, reference, 2, 0), o->C / 2, TEMPERATURE, 2 * acos(-1));
    am_value places = am_mlp_head(b, "ref_point_head", waves, o->C, o->C, 2);
    for (int64_t i = 0; i < o->layers && !am_builder_failed(b); i++) {
        am_scope(b, "layers.%d", (int)i);
        x = layer(b, o, r, x, places, reference);
        am_end_scope(b);
        am_states_add(&r->states, x);
        am_states_add(&r->intermediate, r->x = am_layer_norm(b, o->names->last_norm, x, LAYER_NORM_EPS));
    }
    am_end_scope(b);
    if (r->states.count > 1) r->states.items[r->states.count - 1] = r->x;
}

/* The first group's rows of a parameter: [B, Q, out]. */
static am_value first_group(am_builder *b, const am_group_options *o, const char *name, int64_t B, int64_t out)
{
    am_value x = am_cast(b, am_weight(b, name, am_shape_of(o->num_queries * o->groups, out)), AM_F32);
    x = am_unsqueeze(b, am_slice(b, x, 0, 0, o->num_queries), 0);
    return am_broadcast(b, x, am_shape_of(B, o->num_queries, out));
}

am_group_result am_group_run(am_builder *b, const am_group_options *o, const am_value *maps, int count)
{
    am_group_result r = {0};
    am_value masks[AM_LEVELS_LIMIT], mask = am_pixel_mask(b);
    bool is_masked = am_has_input(b, "pixel_mask");
    for (int i = 0; i < count && is_masked; i++) masks[i] = am_mask_of_map(b, mask, maps[i]);
    if (am_builder_failed(b)) return r;
    r.levels = am_levels_of(b, maps, is_masked ? masks : NULL, count);
    r.tokens = am_levels_flatten(b, maps, count);
    propose(b, o, &r);
    int64_t B = am_dim(b, r.tokens, 0);
    r.reference = am_refine_boxes(b, r.boxes, first_group(b, o, o->names->reference, B, 4));
    decode(b, o, &r, first_group(b, o, "query_feat.weight", B, o->C));
    return r;
}

/* --- outputs --- */

void am_group_output_detections(am_builder *b, const am_group_options *o, const am_group_result *r)
{
    am_output(b, "logits", am_linear(b, "class_embed", r->x, o->labels, AM_BIAS));
    am_output(b, "pred_boxes", am_refine_boxes(b, r->reference, am_mlp_head(b, "bbox_embed", r->x, o->C, 4, 3)));
}

am_value am_group_object_logits(am_builder *b, const am_group_options *o, const am_group_result *r)
{
    am_scope(b, "%s", o->names->proposals);
    am_value x = am_linear(b, "enc_out_class_embed.0", r->objects, o->labels, AM_BIAS);
    am_end_scope(b);
    return x;
}

void am_group_output_decoded(am_builder *b, const am_group_result *r)
{
    am_output(b, "init_reference_points", r->reference);
    am_output(b, "last_hidden_state", r->x);
    am_output(b, "intermediate_hidden_states", am_states_stack(b, &r->intermediate, 0));
    am_output(b, "intermediate_reference_points", am_unsqueeze(b, r->reference, 0));
}
