/* SigLIP: see blocks/siglip.h; images have one size, and their patches learned positions.
   transformers: models/siglip/modeling_siglip.py */
#include "models/blocks/siglip.h"

static am_value patches(am_builder *b, const am_config *c, int64_t C)
{
    am_image_options image = am_image_options_read(c, 224, 16);
    am_value x = am_pixel_values_sized(b, &image);
    x = am_image_tokens(b, am_patch_convolution(b, "patch_embedding", x, C, image.patch_size, AM_BIAS));
    return am_add(b, x, am_parameter(b, "position_embedding.weight", am_shape_of(am_image_patches(&image), C), x));
}

static const am_architecture architectures[] = {
    {"SiglipModel", am_siglip_model, "zero-shot-image-classification", 0},
    {"SiglipTextModel", am_siglip_text_model, NULL, 0},
    {"SiglipVisionModel", am_siglip_vision_model, "image-feature-extraction", 0},
    {"SiglipForImageClassification", am_siglip_for_image_classification, "image-classification", 0},
    {0},
};

static const am_siglip_family family = {.name = "siglip", .patches = patches};

const am_model_type am_model_siglip = {.name = "siglip siglip_text_model siglip_vision_model",
                                       .base_prefix = "siglip",
                                       .architectures = architectures,
                                       .family = &family};
