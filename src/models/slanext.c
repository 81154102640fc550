/* SLANeXt: SAM's image encoder, one convolution behind it, and SLANet's head, which writes the structure of a table.
   transformers: models/slanext/modeling_slanext.py */
#include "models/blocks/layers.h"
#include "models/blocks/sam.h"
#include "models/blocks/table_structure.h"
#include "models/blocks/vision.h"

#include <inttypes.h>

static am_value backbone(am_builder *b, const char *pixels)
{
    const am_config *c = am_model_config(b);
    am_config vision = am_config_child(c, "vision_config");
    am_sam_encoder encoder = {.scope = "vision_tower",
                              .hidden_states = "hidden_states",
                              .mlp_dim = 3072,
                              .image_size = 512,
                              .pixels = pixels};
    int64_t in = am_config_size(c, "post_conv_in_channels", 256),
            out = am_config_size(c, "post_conv_out_channels", 512);
    am_value x = am_sam_encode(b, &vision, &encoder).embeddings;
    if (x.id && am_dim(b, x, 1) != in)
        am_config_fail(c, "post_conv_in_channels", "expected what the tower gives, %" PRId64, am_dim(b, x, 1));
    am_shape two = am_shape_of(2, 2), one = am_shape_of(1, 1);
    x = am_conv(b, "post_conv", x, out, am_shape_of(3, 3), AM_NO_BIAS,
                &(am_convolution_attributes){.stride = two, .padding_before = one, .padding_after = one});
    return am_image_tokens(b, x);
}

static const am_table_family family = {.backbone = backbone, .width = 512, .hidden_size = 512};

static const am_architecture architectures[] = {
    {"SLANeXtBackbone", am_table_backbone, NULL, 0},
    {"SLANeXtSLAHead", am_table_head, NULL, AM_MEASURES},
    {"SLANeXtForTableRecognition", am_table_recognition, NULL, AM_MEASURES},
    {0},
};

const am_model_type am_model_slanext = {
    .name = "slanext", .base_prefix = "backbone", .architectures = architectures, .family = &family};
