/* Aya Vision: SigLIP's patches, squares of them side by side through a gated layer among the words of a Cohere2.
   transformers: models/aya_vision/modeling_aya_vision.py */
#include "models/blocks/cohere_vision.h"

static am_value features(am_builder *b)
{
    static const int last = -1;
    const am_config *c = am_model_config(b);
    am_config text = am_text_config(b);
    am_part_outputs tower = am_vision_tower(b, "vision_tower", "siglip_vision_model", AM_NONE);
    am_value x = am_vision_states(b, &tower, &last, 1, am_vision_skips_first(b, "full"));
    am_cohere_projector projector = {
        .inner = am_config_size(c, "alignment_intermediate_size", am_config_size(&text, "hidden_size", 8192)),
        .norm_eps = am_config_real(c, "adapter_layer_norm_eps", 1e-6)};
    return am_cohere_project(b, x, &projector);
}

static const am_vision_language_family family = {
    .features = features, .image_token = 255036, .tied = true, .text_type = "cohere2"};

static const am_architecture architectures[] = {
    {"AyaVisionModel", am_vision_language_model, NULL, 0},
    {"AyaVisionForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES},
    {0},
};

const am_model_type am_model_aya_vision = {
    .name = "aya_vision", .base_prefix = "model", .architectures = architectures, .family = &family};
