/* EoMT over DINOv2's layers. transformers: models/eomt/modeling_eomt.py */
#include "models/blocks/eomt.h"

static void for_universal_segmentation(am_builder *b)
{
    const am_config *c = am_model_config(b);
    int64_t C = am_config_size(c, "hidden_size", 1024), registers = am_config_count(c, "num_register_tokens", 4);
    am_image_options image = am_image_options_read(c, 640, 16);
    am_pre_norm_options layers = am_eomt_layers_read(c, C);
    am_eomt o = am_eomt_read(c, &image, layers.num_hidden_layers);
    o.layers = layers;
    o.prefix = 1 + registers;
    am_eomt_segment(b, am_eomt_embed(b, am_pixel_values_sized(b, &image), &image, C, registers), &o);
}

static const am_architecture architectures[] = {
    {"EomtForUniversalSegmentation", for_universal_segmentation, NULL, 0},
    {0},
};

const am_model_type am_model_eomt = {.name = "eomt", .base_prefix = "eomt", .architectures = architectures};
