/* Conditional DETR: DETR whose queries carry a point of the image, by which they attend to places beside what they
   attend to by content. transformers: models/conditional_detr/modeling_conditional_detr.py */
#include "models/blocks/detr.h"
#include "models/blocks/sine_positions.h"

#include <math.h>

static const double TEMPERATURE = 10000; /* not configurable */

/* The sum of two projections, each of its own. */
static am_value both(am_builder *b, const char *content, am_value x, const char *place, am_value y)
{
    int64_t C = am_dim(b, x, -1);
    return am_add(b, am_linear(b, content, x, C, AM_BIAS), am_linear(b, place, y, C, AM_BIAS));
}

static am_value attend(am_builder *b, const char *out, const am_attention_inputs *inputs)
{
    am_value x = am_merge_heads(b, am_attention_op(b, inputs, &(am_attention_attributes){0}));
    return am_linear(b, out, x, am_dim(b, x, -1), AM_BIAS);
}

static am_value attend_queries(am_builder *b, const am_detr_options *o, const am_detr_decoding *d, am_value x)
{
    int64_t H = o->decoder_attention_heads;
    am_attention_inputs inputs = {
        .q = am_split_heads(b, both(b, "sa_qcontent_proj", x, "sa_qpos_proj", d->query_places), H),
        .k = am_split_heads(b, both(b, "sa_kcontent_proj", x, "sa_kpos_proj", d->query_places), H),
        .v = am_split_heads(b, am_linear(b, "sa_v_proj", x, o->d_model, AM_BIAS), H)};
    return attend(b, "self_attn.out_proj", &inputs);
}

/* Heads of content and of places side by side; in the first layer content knows of places, too. */
static am_value attend_memory(am_builder *b, const am_detr_options *o, const am_detr_decoding *d, am_value x,
                              am_value waves, bool is_first)
{
    int64_t C = o->d_model, H = o->decoder_attention_heads;
    am_value q = am_linear(b, "ca_qcontent_proj", x, C, AM_BIAS);
    am_value k = am_linear(b, "ca_kcontent_proj", d->memory, C, AM_BIAS);
    am_value k_place = am_linear(b, "ca_kpos_proj", d->places, C, AM_BIAS);
    am_value all = am_broadcast(b, k_place, am_shape_of_value(b, k));
    if (is_first) {
        q = am_add(b, q, am_linear(b, "ca_qpos_proj", d->query_places, C, AM_BIAS));
        k = am_add(b, k, k_place);
    }
    am_value q_place = am_split_heads(b, am_linear(b, "ca_qpos_sine_proj", waves, C, AM_BIAS), H);
    am_attention_inputs inputs = {.q = am_concat2(b, am_split_heads(b, q, H), q_place, 3),
                                  .k = am_concat2(b, am_split_heads(b, k, H), am_split_heads(b, all, H), 3),
                                  .v = am_split_heads(b, am_linear(b, "ca_v_proj", d->memory, C, AM_BIAS), H),
                                  .mask = d->mask};
    return attend(b, "encoder_attn.out_proj", &inputs);
}

static am_value decode(am_builder *b, const am_detr_options *o, am_detr_decoding *d)
{
    am_value x = d->queries;
    d->reference = am_mlp_head(b, "ref_point_head", d->query_places, o->d_model, 2, 2);
    am_value point = am_unary(b, AM_SIGMOID, d->reference);
    am_value waves = am_sine_coordinates(b, point, o->d_model / 2, TEMPERATURE, 2 * acos(-1));
    for (int64_t i = 0; i < o->decoder_layers && !am_builder_failed(b); i++) {
        am_value scaled = i ? am_mul(b, waves, am_mlp_head(b, "query_scale", x, o->d_model, o->d_model, 2)) : waves;
        am_scope(b, "layers.%d", (int)i);
        x = am_add_norm(b, "self_attn_layer_norm", x, attend_queries(b, o, d, x));
        x = am_add_norm(b, "encoder_attn_layer_norm", x, attend_memory(b, o, d, x, scaled, i == 0));
        x = am_add_norm(b, "final_layer_norm", x, am_detr_mlp(b, x, o->decoder_ffn_dim, o->activation));
        am_end_scope(b);
        x = am_detr_layer_end(b, o, d, x);
    }
    return x;
}

static const am_architecture architectures[] = {
    {"ConditionalDetrModel", am_detr_model, NULL, 0},
    {"ConditionalDetrForObjectDetection", am_detr_for_object_detection, "object-detection", 0},
    {"ConditionalDetrForSegmentation", am_detr_for_segmentation, "image-segmentation", 0},
    {0},
};

static const am_detr_family family = {
    .prefix = "conditional_detr", .positions = "position_embedding", .num_queries = 300, .decode = decode};

const am_model_type am_model_conditional_detr = {
    .name = "conditional_detr", .base_prefix = "model", .architectures = architectures, .family = &family};
