/* PP-DocLayoutV3: RT-DETR whose queries draw masks, too, and begin at the boxes of these; each layer says what it
   found, where, and what is read before what. transformers: models/pp_doclayout_v3/modeling_pp_doclayout_v3.py */
#include "models/blocks/global_pointer.h"
#include "models/blocks/rt_detr.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

typedef struct layout_options {
    am_rt_detr_options base;
    int64_t channels[2], prototypes, strides[AM_LEVELS_LIMIT]; /* of the maps for masks */
    bool mask_enhanced, tied;
} layout_options;

/* What each layer gives beside RT-DETR's. */
typedef struct layout_outputs {
    am_states orders, masks;
} layout_outputs;

static layout_options read_options(am_builder *b, bool with_heads)
{
    const am_config *c = am_model_config(b);
    layout_options o = {.base = am_rt_detr_read(b, with_heads, false),
                        .prototypes = am_config_size(c, "num_prototypes", 32),
                        .mask_enhanced = am_config_flag(c, "mask_enhanced", true),
                        .tied = am_config_flag(c, "tie_word_embeddings", true)};
    int64_t channels[AM_STAGES_LIMIT];
    o.base.keeps_finest = true;
    am_stage_sizes(c, "mask_feature_channels", 2, 1, (const int64_t[]){64, 64}, 2, channels);
    for (int i = 0; i < 2; i++) o.channels[i] = channels[i];
    am_stage_sizes(c, "feat_strides", o.base.encoder.count, 1, (const int64_t[]){8, 16, 32}, 3, o.strides);
    return o;
}

/* --- maps for masks --- */

static am_value conv(am_builder *b, const char *name, am_value x, int64_t out)
{
    am_shape one = am_shape_of(1, 1);
    am_convolution_attributes around = {.padding_before = one, .padding_after = one};
    am_scope(b, "%s", name);
    x = am_conv(b, "convolution", x, out, am_shape_of(3, 3), AM_NO_BIAS, &around);
    x = am_unary(b, AM_SILU, am_batch_norm(b, "normalization", x, 1e-5));
    am_end_scope(b);
    return x;
}

static am_value doubled(am_builder *b, am_value x)
{
    return am_image_resized(b, x, 2 * am_dim(b, x, 2), 2 * am_dim(b, x, 3));
}

/* A map of that stride as one of the least: as many convolutions as it takes doublings. */
static am_value scale_head(am_builder *b, int i, am_value x, int64_t stride, int64_t least, int64_t out)
{
    int count = (int)(log2((double)stride) - log2((double)least));
    bool grows = stride != least;
    char name[64];
    for (int k = 0; k < (count > 1 ? count : 1); k++) {
        snprintf(name, sizeof name, "scale_heads.%d.layers.%d", i, grows ? 2 * k : k);
        x = conv(b, name, x, out);
        if (grows) x = doubled(b, x);
    }
    return x;
}

/* Places of the maps by their strides, the least first; equal ones stay in order. */
static void order_strides(const layout_options *o, int *out)
{
    for (int i = 0; i < o->base.encoder.count; i++) {
        int k = i;
        for (; k > 0 && o->strides[out[k - 1]] > o->strides[i]; k--) out[k] = out[k - 1];
        out[k] = i;
    }
}

/* Prototypes of masks from the encoder's maps and the finest one: [B, prototypes, h, w]. */
static am_value mask_features(am_builder *b, const layout_options *o, const am_rt_detr_start *s)
{
    int order[AM_LEVELS_LIMIT];
    order_strides(o, order);
    am_value sum = AM_NONE;
    am_scope(b, "mask_feature_head");
    for (int i = 0; i < o->base.encoder.count; i++) {
        am_value x = scale_head(b, i, s->maps[order[i]], o->strides[order[i]], o->strides[order[0]], o->channels[0]);
        sum = i ? am_add(b, sum, am_image_resized(b, x, am_dim(b, sum, 2), am_dim(b, sum, 3))) : x;
    }
    am_value x = doubled(b, conv(b, "output_conv", sum, o->channels[1]));
    am_end_scope(b);
    x = am_add(b, x, conv(b, "encoder_mask_lateral", s->finest, o->channels[1]));
    am_scope(b, "encoder_mask_output");
    x = conv(b, "base_conv", x, o->channels[1]);
    x = am_conv(b, "conv", x, o->prototypes, am_shape_of(1, 1), AM_BIAS, &(am_convolution_attributes){0});
    am_end_scope(b);
    return x;
}

/* queries: [B, Q, C], normed -> [B, Q, h, w]. */
static am_value masks_of(am_builder *b, const layout_options *o, am_value queries, am_value features)
{
    int64_t B = am_dim(b, queries, 0), Q = am_dim(b, queries, 1), h = am_dim(b, features, 2),
            w = am_dim(b, features, 3);
    am_value x = am_mlp_head(b, "mask_query_head", queries, o->base.C, o->prototypes, 3);
    x = am_matmul(b, x, am_flatten(b, features, 2, 3), false, false);
    return am_reshape(b, x, am_shape_of(B, Q, h, w));
}

/* Begin and end of a mask's pixels along one direction as parts of the whole: *out_low, *out_high: [B, Q, 1]. */
static void extent(am_builder *b, am_value inside, int axis, am_value *out_low, am_value *out_high)
{
    int64_t size = am_dim(b, inside, axis);
    am_value place = am_iota(b, AM_F32, am_shape_of_value(b, inside), axis, 0, 1), zero = am_scalar(b, AM_F32, 0);
    am_value high = am_reduce(b, AM_REDUCE_MAX, am_select(b, inside, place, zero), am_shape_of(2, 3), false);
    am_value low = am_select(b, inside, place, am_scalar(b, AM_F32, FLT_MAX));
    low = am_reduce(b, AM_REDUCE_MIN, low, am_shape_of(2, 3), false);
    am_value any = am_reduce(b, AM_REDUCE_ANY, inside, am_shape_of(2, 3), false);
    high = am_select(b, any, am_add_number(b, high, 1), zero);
    low = am_select(b, any, low, zero);
    *out_low = am_unsqueeze(b, am_mul_number(b, low, 1 / (double)size), 2);
    *out_high = am_unsqueeze(b, am_mul_number(b, high, 1 / (double)size), 2);
}

/* The boxes around masks: [B, Q, h, w] -> [B, Q, 4]. */
static am_value boxes_of(am_builder *b, am_value masks)
{
    am_value inside = am_binary_number(b, AM_GREATER, masks, 0), low[2], high[2], parts[4];
    for (int i = 0; i < 2; i++) {
        extent(b, inside, 3 - i, &low[i], &high[i]);
        parts[i] = am_mul_number(b, am_add(b, low[i], high[i]), 0.5);
        parts[2 + i] = am_sub(b, high[i], low[i]);
    }
    return am_concat(b, parts, 4, 2);
}

/* --- decoder --- */

/* The scope of the decoder's heads, or of those that they are tied to. */
static const char *head_scope(am_builder *b, const layout_options *o, const char *own, const char *tied,
                              const char *weight)
{
    char name[96];
    snprintf(name, sizeof name, "%s.%s", o->tied ? tied : own, weight);
    return am_has_weight(b, name) == o->tied ? tied : own;
}

static am_value refine(am_builder *b, const layout_options *o, am_value x, am_value reference)
{
    const char *scope = head_scope(b, o, "decoder.bbox_embed", "enc_bbox_head", "layers.0.weight");
    x = am_mlp_head(b, scope, x, o->base.C, 4, 3);
    return am_unary(b, AM_SIGMOID, am_add(b, x, am_inverse_sigmoid(b, reference, 1e-5)));
}

static void say(am_builder *b, const layout_options *o, int64_t i, am_value x, am_value features, layout_outputs *more,
                am_states *logits)
{
    char name[64];
    snprintf(name, sizeof name, "decoder_order_head.%" PRId64, i);
    x = am_layer_norm(b, "decoder_norm", x, o->base.encoder.layer_norm_eps);
    am_states_add(&more->masks, masks_of(b, o, x, features));
    am_states_add(logits, am_linear(b, head_scope(b, o, "decoder.class_embed", "enc_score_head", "weight"), x,
                                    o->base.labels, AM_BIAS));
    am_value order = am_linear(b, name, x, o->base.C, AM_BIAS);
    am_states_add(&more->orders, am_global_pointer(b, "decoder_global_pointer", order, am_model_config(b)));
}

static am_rt_detr_decoded decode(am_builder *b, const layout_options *o, const am_rt_detr_start *s, am_value features,
                                 layout_outputs *more)
{
    am_rt_detr_decoded r = am_rt_detr_decoded_make(b, &o->base);
    am_value x = s->queries, reference = am_unary(b, AM_SIGMOID, s->reference);
    am_states_add(&r.states, x);
    for (int64_t i = 0; i < o->base.layers && !am_builder_failed(b); i++) {
        am_value places = am_mlp_head(b, "decoder.query_pos_head", reference, 2 * o->base.C, o->base.C, 2);
        am_scope(b, "decoder.layers.%d", (int)i);
        x = am_rt_detr_layer(b, &o->base, s, x, places, am_unsqueeze(b, reference, 2));
        am_end_scope(b);
        reference = refine(b, o, x, reference);
        am_states_add(&r.states, x);
        am_states_add(&r.hidden, x);
        am_states_add(&r.references, reference);
        say(b, o, i, x, features, more, &r.logits);
    }
    return r;
}

static void build(am_builder *b, bool with_heads)
{
    layout_options o = read_options(b, with_heads);
    am_rt_detr_start s = am_rt_detr_begin(b, &o.base);
    layout_outputs more = {am_states_make(b, o.base.layers), am_states_make(b, o.base.layers)};
    if (am_builder_failed(b)) return;
    if (with_heads) am_scope(b, "model");
    am_scope(b, "encoder");
    am_value features = mask_features(b, &o, &s);
    am_end_scope(b);
    if (o.mask_enhanced) {
        am_value x = am_layer_norm(b, "decoder_norm", s.queries, o.base.encoder.layer_norm_eps);
        s.reference = am_inverse_sigmoid(b, boxes_of(b, masks_of(b, &o, x, features)), 1e-5);
    }
    am_rt_detr_decoded r = decode(b, &o, &s, features, &more);
    if (with_heads) am_end_scope(b);
    if (am_builder_failed(b)) return;
    int64_t last = o.base.layers - 1;
    if (with_heads) {
        am_output(b, "logits", r.logits.items[last]);
        am_output(b, "pred_boxes", r.references.items[last]);
        am_output(b, "order_logits", more.orders.items[last]);
        am_output(b, "out_masks", more.masks.items[last]);
    }
    am_rt_detr_output_decoded(b, &o.base, &s, &r);
    if (with_heads) return;
    am_output(b, "out_order_logits", am_states_stack(b, &more.orders, 1));
    am_output(b, "out_masks", am_states_stack(b, &more.masks, 1));
}

static void model(am_builder *b)
{
    build(b, false);
}

static void for_object_detection(am_builder *b)
{
    build(b, true);
}

static const am_architecture architectures[] = {
    {"PPDocLayoutV3Model", model, NULL, 0},
    {"PPDocLayoutV3ForObjectDetection", for_object_detection, NULL, 0},
    {0},
};

const am_model_type am_model_pp_doclayout_v3 = {
    .name = "pp_doclayout_v3", .base_prefix = "model", .architectures = architectures};
