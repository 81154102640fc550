/* LightOnOCR: Pixtral's tower and a Qwen3 that writes what stands on a page. transformers:
   models/lighton_ocr/modeling_lighton_ocr.py */
#include "models/blocks/mistral3.h"

static am_value features(am_builder *b)
{
    static const am_mistral3 names = {.tower = "vision_encoder", .projector = "vision_projection"};
    return am_mistral3_rows(b, &names);
}

static const am_vision_language_family family = {
    .features = features, .image_token = 151655, .tied = true, .text_type = "qwen3"};

static const am_architecture architectures[] = {
    {"LightOnOcrModel", am_vision_language_model, NULL, 0},
    {"LightOnOcrForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES},
    {0},
};

const am_model_type am_model_lighton_ocr = {.name = "lighton_ocr",
                                            .base_prefix = "model",
                                            .architectures = architectures,
                                            .family = &family,
                                            .shaping_inputs = am_mistral3_shaping_inputs};
