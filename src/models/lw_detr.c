/* LW-DETR: a small detector whose maps, of several scales, come of a vision transformer's layers. transformers:
   models/lw_detr/modeling_lw_detr.py */
#include "models/blocks/group_detr.h"

enum { WIDEST = 512 }; /* channels that are enlarged in one step */

static const double SCALE_NORM_EPS = 1e-6; /* not configurable */

static const am_group_names names = {.reference = "reference_point_embed.weight",
                                     .proposals = "",
                                     .decoder = "decoder",
                                     .norms = {"self_attn_layer_norm", "cross_attn_layer_norm", "layer_norm"},
                                     .last_norm = "layernorm",
                                     .fc1 = "mlp.fc1",
                                     .fc2 = "mlp.fc2",
                                     .conv1 = "conv1",
                                     .conv2 = "conv2",
                                     .bottlenecks = "bottlenecks",
                                     .norm = "norm"};

typedef struct lw_config {
    am_group_options base;
    double scales[AM_LEVELS_LIMIT];
    int count;
} lw_config;

static lw_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    lw_config r = {0};
    am_json list = am_json_get(c->object, "projector_scale_factors");
    for (am_json_iterator it = am_json_iterate(list); r.count < AM_LEVELS_LIMIT && am_json_next(&it);) {
        double scale = am_json_real(it.value, 0);
        if (scale != 0.5 && scale != 1 && scale != 2)
            am_config_fail(c, "projector_scale_factors", "expected 0.5, 1.0 or 2.0");
        r.scales[r.count++] = scale;
    }
    if (am_json_count(list) < 1 || am_json_count(list) > AM_LEVELS_LIMIT)
        am_config_fail(c, "projector_scale_factors", "expected 1 to %d of them", AM_LEVELS_LIMIT);
    r.base = am_group_read(b, &names, r.count ? r.count : 1);
    r.base.norm_eps = am_config_real(c, "batch_norm_eps", 1e-5);
    if (!am_config_has(c, "backbone_config")) am_config_unsupported(c, "backbone_config", "has to be given");
    return r;
}

/* layers.I: a transposed convolution that doubles the map's sides. */
static am_value enlarge(am_builder *b, int i, am_value x, int64_t out)
{
    am_shape two = am_shape_of(2, 2);
    am_scope(b, "layers.%d", i);
    am_value weight = am_weight(b, "weight", am_shape_of(am_dim(b, x, 1), out, 2, 2));
    x = am_conv_transpose(b, x, weight, am_weight(b, "bias", am_shape_of(out)),
                          &(am_convolution_attributes){.stride = two});
    am_end_scope(b);
    return x;
}

static am_value sample(am_builder *b, const lw_config *c, am_value x, double scale)
{
    int64_t C = am_dim(b, x, 1);
    if (scale < 1) return am_group_conv(b, &c->base, "layers.0", x, C, 3, 2, AM_RELU);
    if (scale <= 1) return x;
    if (C <= WIDEST) return enlarge(b, 0, x, C / 2);
    return enlarge(b, 1, am_group_conv(b, &c->base, "layers.0", x, C / 2, 1, 1, AM_RELU), C / 4);
}

/* Maps of all scales: [B, C, h, w]. */
static void project(am_builder *b, const lw_config *c, am_value *out)
{
    am_config child = am_config_child(am_model_config(b), "backbone_config");
    am_value parts[AM_STAGES_LIMIT + 1];
    am_scope(b, "backbone.backbone");
    am_feature_maps maps = am_backbone_maps_of(b, &child, 1, AM_STAGES_LIMIT);
    am_end_scope(b);
    for (int i = 0; i < c->count && !am_builder_failed(b); i++) {
        am_scope(b, "backbone.projector.scale_layers.%d", i);
        for (int j = 0; j < maps.count; j++) {
            am_scope(b, "sampling_layers.%d", j);
            parts[j] = sample(b, c, maps.maps[j], c->scales[i]);
            am_end_scope(b);
        }
        am_scope(b, "projector_layer");
        out[i] = am_group_project(b, &c->base, am_concat(b, parts, maps.count, 1));
        am_end_scope(b);
        out[i] = am_layer_norm_channels_first(b, "layer_norm", out[i], SCALE_NORM_EPS);
        am_end_scope(b);
    }
}

static am_group_result run(am_builder *b, const lw_config *c)
{
    am_value maps[AM_LEVELS_LIMIT];
    project(b, c, maps);
    return am_builder_failed(b) ? (am_group_result){0} : am_group_run(b, &c->base, maps, c->count);
}

static void output_rest(am_builder *b, const am_group_result *r, am_value logits)
{
    am_group_output_decoded(b, r);
    am_output(b, "enc_outputs_class", logits);
    am_output(b, "enc_outputs_coord_logits", r->boxes);
    am_states_output(b, "hidden_states", &r->states);
}

static void lw_model(am_builder *b)
{
    lw_config c = read_config(b);
    am_group_result r = run(b, &c);
    if (!am_builder_failed(b)) output_rest(b, &r, r.objects);
}

static void for_object_detection(am_builder *b)
{
    lw_config c = read_config(b);
    am_scope(b, "model");
    am_group_result r = run(b, &c);
    if (am_builder_failed(b)) return;
    am_value logits = am_group_object_logits(b, &c.base, &r);
    am_end_scope(b);
    am_group_output_detections(b, &c.base, &r);
    output_rest(b, &r, logits);
}

static const am_architecture architectures[] = {
    {"LwDetrModel", lw_model, NULL, 0},
    {"LwDetrForObjectDetection", for_object_detection, "object-detection", 0},
    {0},
};

const am_model_type am_model_lw_detr = {.name = "lw_detr", .base_prefix = "model", .architectures = architectures};
