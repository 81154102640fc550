/* Idefics3: SigLIP's tower on every tile of an image, squares of patches side by side through one matrix among the
   words of a LLaMA. transformers: models/idefics3/modeling_idefics3.py */
#include "models/blocks/idefics.h"
#include "models/blocks/vision_language.h"

static am_value features(am_builder *b)
{
    am_value tower;
    return am_flatten(b, am_idefics3_rows(b, &tower), 0, 1);
}

static const am_vision_language_family family = {.features = features, .image_token = 128257};

static const am_architecture architectures[] = {
    {"Idefics3Model", am_vision_language_model, NULL, 0},
    {"Idefics3ForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES},
    {"Idefics3VisionTransformer", am_idefics3_vision_model, "image-feature-extraction", 0},
    {0},
};

const am_model_type am_model_idefics3 = {
    .name = "idefics3 idefics3_vision", .base_prefix = "model", .architectures = architectures, .family = &family};
