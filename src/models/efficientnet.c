/* EfficientNet: MobileNet V2's layers with squeeze and excitation; two coefficients scale widths and depths of all
   stages. transformers: models/efficientnet/modeling_efficientnet.py */
#include "models/blocks/efficientnet.h"

enum { TOP_WIDTH = 1280 };

/* [B, hidden_dim, H, W] */
static am_value body(am_builder *b, const am_efficientnet *c)
{
    am_value x = am_efficientnet_layers(b, c, "hidden_states");
    am_scope(b, "encoder");
    x = am_efficientnet_pointwise(b, "top_conv", "top_bn", x, c, am_efficientnet_width(c, TOP_WIDTH));
    am_end_scope(b);
    return am_unary(b, c->hidden_act, x);
}

static void efficientnet_model(am_builder *b)
{
    am_efficientnet c = am_efficientnet_read(am_model_config(b));
    am_value x = body(b, &c);
    am_output(b, "last_hidden_state", x);
    am_output(b, "pooler_output", am_efficientnet_pool(b, x, &c));
}

static void for_image_classification(am_builder *b)
{
    const am_config *config = am_model_config(b);
    am_efficientnet c = am_efficientnet_read(config);
    am_scope(b, "efficientnet");
    am_value x = am_efficientnet_pool(b, body(b, &c), &c);
    am_end_scope(b);
    am_output(b, "logits", am_linear(b, "classifier", x, am_config_labels(config), AM_BIAS));
}

static const am_architecture architectures[] = {
    {"EfficientNetModel", efficientnet_model, "image-feature-extraction", 0},
    {"EfficientNetForImageClassification", for_image_classification, "image-classification", 0},
    {0},
};

const am_model_type am_model_efficientnet = {
    .name = "efficientnet", .base_prefix = "efficientnet", .architectures = architectures};
