/* LLaVA: the states of a tower's layer, most often CLIP's last but one, through two linear layers among the words of a
   text model. transformers: models/llava/modeling_llava.py */
#include "models/blocks/llava.h"

static const am_llava_defaults defaults = {
    .tower_type = "clip_vision_model", .feature_layer = -2, .select_strategy = "default"};

static am_value features(am_builder *b)
{
    return am_flatten(b, am_llava_rows(b, AM_NONE, &defaults), 0, 1);
}

static const am_vision_language_family family = {.features = features, .image_token = 32000};

static const am_architecture architectures[] = {
    {"LlavaModel", am_vision_language_model, NULL, 0},
    {"LlavaForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES},
    {0},
};

/* Read by Pixtral's tower. */
static const am_shaping_input shaping_inputs[] = {{.name = "image_sizes"}, {0}};

const am_model_type am_model_llava = {.name = "llava",
                                      .base_prefix = "model",
                                      .architectures = architectures,
                                      .family = &family,
                                      .shaping_inputs = shaping_inputs};
