/* Command A Vision: Aya Vision without a norm before its gated layer. transformers:
   models/cohere2_vision/modeling_cohere2_vision.py */
#include "models/blocks/cohere_vision.h"

static am_value features(am_builder *b)
{
    am_part_outputs tower = am_vision_tower(b, "vision_tower", "siglip_vision_model", AM_NONE);
    am_cohere_projector projector = {.inner = am_config_size(am_model_config(b), "alignment_intermediate_size", 36864)};
    return am_cohere_project(b, am_part_output(&tower, "last_hidden_state"), &projector);
}

static const am_vision_language_family family = {
    .features = features, .image_token = 255036, .tied = true, .text_type = "cohere2"};

static const am_architecture architectures[] = {
    {"Cohere2VisionModel", am_vision_language_model, NULL, 0},
    {"Cohere2VisionForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES},
    {0},
};

const am_model_type am_model_cohere2_vision = {
    .name = "cohere2_vision", .base_prefix = "model", .architectures = architectures, .family = &family};
