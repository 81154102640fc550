/* Gemma 4: see blocks/gemma4_multimodal.h. transformers: models/gemma4/modeling_gemma4.py */
#include "models/blocks/gemma4_multimodal.h"

static const am_gemma4_multimodal family = {
    .text_type = "gemma4_text", .pictures = am_gemma4_pictures, .sounds = am_gemma4_sounds};

static const am_architecture architectures[] = {
    {"Gemma4Model", am_gemma4_model, NULL, 0},
    {"Gemma4ForConditionalGeneration", am_gemma4_for_conditional_generation, NULL, AM_GENERATES | AM_READS_AT_ONCE},
    {0},
};

const am_model_type am_model_gemma4 = {.name = "gemma4",
                                       .base_prefix = "model",
                                       .architectures = architectures,
                                       .family = &family,
                                       .shaping_inputs = am_gemma4_shaping_inputs};
