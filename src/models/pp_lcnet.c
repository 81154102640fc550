/* PP-LCNet. transformers: models/pp_lcnet/modeling_pp_lcnet.py */
#include "models/blocks/lcnet.h"

static am_value conv(am_builder *b, const char *name, am_value x, const am_lcnet *net, const int64_t sizes[2],
                     const int64_t stride[2], int64_t groups)
{
    int64_t kernel = sizes[1], padding = kernel / 2;
    am_convolution_attributes options = {.stride = am_shape_of(stride[0], stride[1]),
                                         .padding_before = am_shape_of(padding, padding),
                                         .padding_after = am_shape_of(padding, padding),
                                         .groups = groups};
    am_scope(b, "%s", name);
    x = am_conv(b, "convolution", x, sizes[0], am_shape_of(kernel, kernel), AM_NO_BIAS, &options);
    x = am_unary(b, net->hidden_act, am_batch_norm(b, "normalization", x, 1e-5));
    am_end_scope(b);
    return x;
}

static am_value embed(am_builder *b, am_value x, const am_lcnet *net)
{
    const int64_t stride[] = {net->stem_stride, net->stem_stride};
    return conv(b, "convolution", x, net, (const int64_t[]){net->stem_channels, 3}, stride, 1);
}

static am_value layer(am_builder *b, am_value x, const am_lcnet *net, const am_lcnet_layer *l)
{
    x = conv(b, "depthwise_convolution", x, net, (const int64_t[]){l->in, l->kernel}, l->stride, l->in);
    if (l->squeezes) x = am_affine_squeeze(b, "squeeze_excitation_module", x, net->reduction);
    return conv(b, "pointwise_convolution", x, net, (const int64_t[]){l->out, 1}, (const int64_t[]){1, 1}, 1);
}

#define LAYER(kernel, in, out, stride, squeezes)                                                                       \
    {                                                                                                                  \
        kernel, in, out, {stride, stride}, false, squeezes                                                             \
    }

static const am_lcnet defaults = {
    .stages = 5,
    .depths = {1, 2, 2, 6, 2},
    .layers = {{LAYER(3, 16, 32, 1, false)},
               {LAYER(3, 32, 64, 2, false), LAYER(3, 64, 64, 1, false)},
               {LAYER(3, 64, 128, 2, false), LAYER(3, 128, 128, 1, false)},
               {LAYER(3, 128, 256, 2, false), LAYER(5, 256, 256, 1, false), LAYER(5, 256, 256, 1, false),
                LAYER(5, 256, 256, 1, false), LAYER(5, 256, 256, 1, false), LAYER(5, 256, 256, 1, false)},
               {LAYER(5, 256, 512, 2, true), LAYER(5, 512, 512, 1, true)}},
    .hidden_act = AM_HARD_SWISH,
    .list = "layers",
    .embed = embed,
    .layer = layer,
};

static void backbone(am_builder *b)
{
    am_lcnet net;
    am_lcnet_read(am_model_config(b), &defaults, true, &net);
    am_lcnet_backbone(b, &net);
}

/* What this class calls its last hidden state are the logits. */
static void for_image_classification(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_lcnet net;
    am_lcnet_read(c, &defaults, true, &net);
    am_value x = am_image_mean(b, am_lcnet_body(b, &net, NULL), true);
    x = am_conv(b, "last_convolution", x, am_config_size(c, "class_expand", 1280), am_shape_of(1, 1), AM_NO_BIAS,
                &(am_convolution_attributes){0});
    x = am_unary(b, net.hidden_act, am_flatten(b, x, 1, 3));
    x = am_mul_number(b, x, 1 - am_config_real(c, "hidden_dropout_prob", 0.2)); /* in place of dropout */
    am_output(b, "last_hidden_state", am_linear(b, "head", x, am_config_labels(c), AM_BIAS));
}

static const am_architecture architectures[] = {
    {"PPLCNetForImageClassification", for_image_classification, NULL, 0},
    {"PPLCNetBackbone", backbone, NULL, 0},
    {0},
};

const am_model_type am_model_pp_lcnet = {.name = "pp_lcnet", .base_prefix = "model", .architectures = architectures};
