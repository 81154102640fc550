/* ViTPose: maps of how likely each keypoint is where, of the last layer of a transformer. transformers:
   models/vitpose/modeling_vitpose.py */
#include "models/blocks/feature_maps.h"
#include "models/blocks/keypoints.h"

enum { DECODER_CHANNELS = 256, KERNEL = 4 }; /* not configurable */

static const double BATCH_NORM_EPS = 1e-5; /* the same */

typedef struct pose_config {
    int64_t scale_factor, labels;
    bool is_simple;
    am_image_options image; /* of the backbone */
} pose_config;

static pose_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config child = am_config_child(c, "backbone_config");
    pose_config r = {.scale_factor = am_config_size(c, "scale_factor", 4),
                     .labels = am_config_labels(c),
                     .is_simple = am_config_flag(c, "use_simple_decoder", true),
                     .image = am_image_options_read(&child, 256, 16)};
    if (!am_config_has(c, "backbone_config")) am_config_unsupported(c, "backbone_config", "has to be given");
    if (!am_config_has(&child, "image_size")) r.image.image_size[1] = 192;
    return r;
}

/* relu(norm(convolution(x))), transposed, which doubles the size. */
static am_value enlarge(am_builder *b, const char *convolution, const char *norm, am_value x)
{
    am_shape one = am_shape_of(1, 1);
    am_convolution_attributes options = {.stride = am_shape_of(2, 2), .padding_before = one, .padding_after = one};
    am_scope(b, "%s", convolution);
    am_value weight = am_weight(b, "weight", am_shape_of(am_dim(b, x, 1), DECODER_CHANNELS, KERNEL, KERNEL));
    am_end_scope(b);
    x = am_conv_transpose(b, x, weight, AM_NONE, &options);
    return am_unary(b, AM_RELU, am_batch_norm(b, norm, x, BATCH_NORM_EPS));
}

static am_value decode(am_builder *b, const pose_config *c, am_value x)
{
    am_shape one = am_shape_of(1, 1);
    am_scope(b, "head");
    if (c->is_simple) {
        am_convolution_attributes same = {.padding_before = one, .padding_after = one};
        x = am_image_resized(b, am_unary(b, AM_RELU, x), c->scale_factor * am_dim(b, x, 2),
                             c->scale_factor * am_dim(b, x, 3));
        x = am_conv(b, "conv", x, c->labels, am_shape_of(3, 3), AM_BIAS, &same);
    } else {
        x = enlarge(b, "deconv2", "batchnorm2", enlarge(b, "deconv1", "batchnorm1", x));
        x = am_conv(b, "conv", x, c->labels, one, AM_BIAS, &(am_convolution_attributes){0});
    }
    am_end_scope(b);
    return x;
}

static void for_pose_estimation(am_builder *b)
{
    pose_config c = read_config(b);
    am_value pairs = am_input_optional(b, "flip_pairs", 2);
    am_scope(b, "backbone");
    am_feature_maps maps = am_backbone_maps(b, 1, AM_STAGES_LIMIT);
    am_end_scope(b);
    if (am_builder_failed(b)) return;
    am_value x = am_transpose(b, maps.maps[maps.count - 1], 1, 2);
    x = am_reshape(b, x,
                   am_shape_of(am_dim(b, x, 0), am_dim(b, x, 1), c.image.image_size[0] / c.image.patch_size[0],
                               c.image.image_size[1] / c.image.patch_size[1]));
    x = decode(b, &c, x);
    am_output(b, "heatmaps", pairs.id ? am_flip_keypoints(b, x, pairs) : x);
    am_output_part_list(b, &maps.outputs, "hidden_states", "hidden_states");
}

static const am_architecture architectures[] = {{"VitPoseForPoseEstimation", for_pose_estimation, NULL, 0}, {0}};

const am_model_type am_model_vitpose = {.name = "vitpose", .architectures = architectures};
