/* Phi-4 multimodal's image tower: SigLIP for images of any size, whose patches count their places as parts of its
   sides, and whose vector a learned query collects. transformers: models/phi4_multimodal/modeling_phi4_multimodal.py */
#include "models/blocks/attention.h"
#include "models/blocks/idefics.h"
#include "models/blocks/siglip.h"

static const am_idefics_tower defaults = {.hidden_size = 1152,
                                          .intermediate_size = 4304,
                                          .num_hidden_layers = 27,
                                          .num_attention_heads = 16,
                                          .image_size = 448,
                                          .patch_size = 14};

static void vision_model(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_idefics_images images = {am_input(b, "pixel_values", 4), am_input_optional(b, "patch_attention_mask", 3)};
    if (images.attended.id && am_dtype_of(b, images.attended) != AM_BOOL)
        images.attended = am_binary_number(b, AM_NOT_EQUAL, images.attended, 0);
    am_value x = am_idefics_vision(b, c, &defaults, &images, NULL);
    am_siglip_pool pool = {.intermediate_size = am_config_size(c, "intermediate_size", defaults.intermediate_size),
                           .hidden_act = am_config_activation(c, "hidden_act", AM_GELU_TANH),
                           .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-6),
                           .heads = am_config_size(c, "num_attention_heads", defaults.num_attention_heads)};
    if (images.attended.id) pool.mask = am_padding_mask_of(b, am_flatten(b, images.attended, 1, 2));
    am_output(b, "last_hidden_state", x);
    am_output(b, "pooler_output", am_siglip_pooled(b, x, &pool));
}

static const am_architecture architectures[] = {
    {"Phi4MultimodalVisionModel", vision_model, "image-feature-extraction", 0},
    {0},
};

const am_model_type am_model_phi4_multimodal_vision = {.name = "phi4_multimodal_vision",
                                                       .architectures = architectures};
