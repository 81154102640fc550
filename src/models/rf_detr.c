/* RF-DETR: LW-DETR over one map of a DINOv2 in windows; with a head that makes a mask of each query. transformers:
   models/rf_detr/modeling_rf_detr.py */
#include "models/blocks/group_detr.h"

static const double PROJECTOR_NORM_EPS = 1e-6, BLOCK_NORM_EPS = 1e-6, QUERY_NORM_EPS = 1e-5; /* not configurable */

static const am_group_names names = {.reference = "refpoint_embed.weight",
                                     .proposals = "transformer",
                                     .decoder = "transformer.decoder",
                                     .norms = {"norm1", "norm2", "norm3"},
                                     .last_norm = "norm",
                                     .fc1 = "linear1",
                                     .fc2 = "linear2",
                                     .fused = true,
                                     .conv1 = "cv1",
                                     .conv2 = "cv2",
                                     .bottlenecks = "m",
                                     .norm = "bn"};

typedef struct rf_result {
    am_group_options options;
    am_group_result r;
    am_value map; /* [B, C, h, w] */
} rf_result;

/* What all classes have; files have it at the root. */
static rf_result run(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config child = am_config_child(c, "backbone_config");
    rf_result m = {.options = am_group_read(b, &names, am_config_size(c, "num_feature_levels", 1))};
    m.options.norm_eps = am_config_real(c, "layer_norm_eps", 1e-5);
    m.options.layer_norms = true;
    if (am_config_size(c, "num_feature_levels", 1) != 1) am_config_fail(c, "num_feature_levels", "expected 1");
    if (!am_config_has(c, "backbone_config")) am_config_unsupported(c, "backbone_config", "has to be given");
    am_scope(b, "backbone.0.encoder.encoder");
    am_feature_maps maps = am_backbone_maps_of(b, &child, 1, AM_STAGES_LIMIT);
    am_end_scope(b);
    if (am_builder_failed(b)) return m;
    am_scope(b, "backbone.0.projector.stages.0");
    am_scope(b, "0");
    m.map = am_group_project(b, &m.options, am_concat(b, maps.maps, maps.count, 1));
    am_end_scope(b);
    m.map = am_layer_norm_channels_first(b, "1", m.map, PROJECTOR_NORM_EPS);
    am_end_scope(b);
    m.r = am_group_run(b, &m.options, &m.map, 1);
    return m;
}

static void output_rest(am_builder *b, const rf_result *m, am_value logits)
{
    am_group_output_decoded(b, &m->r);
    am_output(b, "enc_outputs_class", logits);
    am_output(b, "enc_outputs_coord_logits", m->r.boxes);
    am_states_output(b, "hidden_states", &m->r.states);
    am_output(b, "backbone_features", m->map);
}

static void rf_model(am_builder *b)
{
    rf_result m = run(b);
    if (!am_builder_failed(b)) output_rest(b, &m, m.r.objects);
}

static void for_object_detection(am_builder *b)
{
    rf_result m = run(b);
    if (am_builder_failed(b)) return;
    am_group_output_detections(b, &m.options, &m.r);
    output_rest(b, &m, am_group_object_logits(b, &m.options, &m.r));
}

/* --- masks --- */

/* x: [B, C, h, w], seen by a depthwise convolution, a norm and a linear of each pixel. */
static am_value mask_block(am_builder *b, am_value x, am_unary_fn act)
{
    int64_t C = am_dim(b, x, 1);
    am_shape one = am_shape_of(1, 1);
    am_convolution_attributes depthwise = {.padding_before = one, .padding_after = one, .groups = C};
    am_value h = am_conv(b, "dwconv", x, C, am_shape_of(3, 3), AM_BIAS, &depthwise);
    h = am_layer_norm(b, "norm", am_permute(b, h, am_shape_of(0, 2, 3, 1)), BLOCK_NORM_EPS);
    h = am_linear_activation(b, "pwconv1", h, C, AM_BIAS, act);
    return am_add(b, am_permute(b, h, am_shape_of(0, 3, 1, 2)), x);
}

/* How much each pixel of map: [B, C, h, w] is like each query: [B, Q, C]: [B, Q, h, w]. */
static am_value mask_logits(am_builder *b, const rf_result *m, am_value queries, am_value map, int64_t inner)
{
    am_shape s = am_shape_of_value(b, map);
    int64_t C = m->options.C, Q = am_dim(b, queries, 1);
    am_unary_fn act = am_config_activation(am_model_config(b), "segmentation_head_activation_function", AM_GELU);
    am_scope(b, "query_features_block");
    am_value h = am_layer_norm(b, "norm_in", queries, QUERY_NORM_EPS);
    h = am_linear_activation(b, "layers.0", h, inner, AM_BIAS, act);
    queries = am_add(b, queries, am_linear(b, "layers.2", h, C, AM_BIAS));
    am_end_scope(b);
    queries = am_linear(b, "query_features_proj", queries, C, AM_BIAS);
    am_value x = am_matmul(b, queries, am_flatten(b, map, 2, 3), false, false);
    x = am_add(b, x, am_parameter(b, "bias", am_shape_of(1), x));
    return am_reshape(b, x, am_shape_of(s.dims[0], Q, s.dims[2], s.dims[3]));
}

/* Masks of the queries by blocks over the map, and those of the objects that they began with by the map itself. */
static void make_masks(am_builder *b, const rf_result *m, am_value *masks, am_value *object_masks)
{
    const am_config *c = am_model_config(b);
    int64_t ratio = am_config_size(c, "mask_downsample_ratio", 4), inner = am_config_size(c, "intermediate_size", 1024);
    am_unary_fn act = am_config_activation(c, "segmentation_head_activation_function", AM_GELU);
    am_value pixels = am_input(b, "pixel_values", 4);
    am_value map = am_image_resized(b, m->map, am_dim(b, pixels, 2) / ratio, am_dim(b, pixels, 3) / ratio);
    am_scope(b, "segmentation_head");
    *object_masks = mask_logits(b, m, m->r.objects, map, inner);
    for (int64_t i = 0; i < m->options.layers && !am_builder_failed(b); i++) {
        am_scope(b, "blocks.%d", (int)i);
        map = mask_block(b, map, act);
        am_end_scope(b);
    }
    map = am_conv(b, "spatial_features_proj", map, m->options.C, am_shape_of(1, 1), AM_BIAS,
                  &(am_convolution_attributes){0});
    *masks = mask_logits(b, m, m->r.x, map, inner);
    am_end_scope(b);
}

static void for_instance_segmentation(am_builder *b)
{
    am_value masks, object_masks;
    rf_result m = run(b);
    if (am_builder_failed(b)) return;
    make_masks(b, &m, &masks, &object_masks);
    am_group_output_detections(b, &m.options, &m.r);
    am_output(b, "pred_masks", masks);
    am_group_output_decoded(b, &m.r);
    am_output(b, "enc_outputs_mask_logits", object_masks);
    am_states_output(b, "hidden_states", &m.r.states);
}

static const am_architecture architectures[] = {
    {"RfDetrModel", rf_model, NULL, 0},
    {"RfDetrForObjectDetection", for_object_detection, "object-detection", 0},
    {"RfDetrForInstanceSegmentation", for_instance_segmentation, "image-segmentation", 0},
    {0},
};

const am_model_type am_model_rf_detr = {.name = "rf_detr", .architectures = architectures};
