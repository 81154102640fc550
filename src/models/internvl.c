/* InternVL: a ViT whose layers scale what they add, squares of patches side by side through two linear layers among the
   words of a Qwen2. transformers: models/internvl/modeling_internvl.py */
#include "models/blocks/internvl.h"
#include "models/blocks/vision_language.h"

static void vision_model(am_builder *b)
{
    am_internvl_vision(b, &am_internvl_own_names, false);
}

static am_value features(am_builder *b)
{
    return am_internvl_rows(b, &am_internvl_own_parts);
}

static const am_vision_language_family family = {
    .features = features, .image_token = 151667, .tied = true, .text_type = "qwen2"};

static const am_architecture architectures[] = {
    {"InternVLModel", am_vision_language_model, NULL, 0},
    {"InternVLForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES},
    {"InternVLVisionModel", vision_model, "image-feature-extraction", 0},
    {0},
};

const am_model_type am_model_internvl = {
    .name = "internvl internvl_vision", .base_prefix = "model", .architectures = architectures, .family = &family};
