/* LLaVA-NeXT: LLaVA that sees an image of any size as tiles, and a small picture of the whole. transformers:
   models/llava_next/modeling_llava_next.py */
#include "models/blocks/llava.h"

static const int64_t pinpoints[][2] = {{336, 672}, {672, 336}, {672, 672}, {1008, 336}, {336, 1008}};

static const am_llava_defaults defaults = {.tower_type = "clip_vision_model",
                                           .feature_layer = -2,
                                           .select_strategy = "default",
                                           .pinpoints = pinpoints,
                                           .pinpoint_count = sizeof pinpoints / sizeof *pinpoints};

static am_value features(am_builder *b)
{
    return am_anyres_rows(b, &defaults);
}

static const am_vision_language_family family = {.features = features, .image_token = 32000};

static const am_architecture architectures[] = {
    {"LlavaNextModel", am_vision_language_model, NULL, 0},
    {"LlavaNextForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES},
    {0},
};

const am_model_type am_model_llava_next = {.name = "llava_next",
                                           .base_prefix = "model",
                                           .architectures = architectures,
                                           .family = &family,
                                           .shaping_inputs = am_anyres_shaping_inputs};
