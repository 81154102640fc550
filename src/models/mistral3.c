/* Mistral Small 3.1: Pixtral's tower and a Mistral. transformers: models/mistral3/modeling_mistral3.py */
#include "models/blocks/mistral3.h"

static am_value features(am_builder *b)
{
    static const am_mistral3 names = {
        .tower = "vision_tower", .projector = "multi_modal_projector", .reads_projector = true};
    return am_mistral3_rows(b, &names);
}

static const am_vision_language_family family = {
    .features = features, .image_token = 10, .tied = true, .text_type = "mistral"};

static const am_architecture architectures[] = {
    {"Mistral3Model", am_vision_language_model, NULL, 0},
    {"Mistral3ForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES},
    {0},
};

const am_model_type am_model_mistral3 = {.name = "mistral3",
                                         .base_prefix = "model",
                                         .architectures = architectures,
                                         .family = &family,
                                         .shaping_inputs = am_mistral3_shaping_inputs};
