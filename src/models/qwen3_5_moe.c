/* Qwen3.5 MoE: Qwen3.5 with a text model of experts. transformers: models/qwen3_5_moe/modeling_qwen3_5_moe.py */
#include "models/blocks/qwen3_vl.h"

static const am_vision_language_family family = {.features = am_qwen3_5_features,
                                                 .video_features = am_qwen3_5_video_features,
                                                 .image_token = 248056,
                                                 .video_token = 248057,
                                                 .text_type = "qwen3_5_moe_text",
                                                 .hides_features = true,
                                                 .text_inputs = am_qwen3_vl_text_inputs};

static const am_architecture architectures[] = {
    {"Qwen3_5MoeModel", am_vision_language_model, NULL, 0},
    {"Qwen3_5MoeForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES | AM_READS_AT_ONCE},
    {"Qwen3_5MoeVisionModel", am_qwen3_5_vision_model, NULL, 0},
    {0},
};

const am_model_type am_model_qwen3_5_moe = {.name = "qwen3_5_moe qwen3_5_moe_vision",
                                            .base_prefix = "model",
                                            .architectures = architectures,
                                            .family = &family,
                                            .shaping_inputs = am_qwen_shaping_inputs};
