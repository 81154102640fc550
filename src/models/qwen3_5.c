/* Qwen3.5: Qwen3-VL's tower, of which no further states go to the text's layers, before a text model of gated delta
   nets and attention. transformers: models/qwen3_5/modeling_qwen3_5.py */
#include "models/blocks/qwen3_vl.h"

static const am_vision_language_family family = {.features = am_qwen3_5_features,
                                                 .video_features = am_qwen3_5_video_features,
                                                 .image_token = 248056,
                                                 .video_token = 248057,
                                                 .text_type = "qwen3_5_text",
                                                 .hides_features = true,
                                                 .text_inputs = am_qwen3_vl_text_inputs};

static const am_architecture architectures[] = {
    {"Qwen3_5Model", am_vision_language_model, NULL, 0},
    {"Qwen3_5ForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES | AM_READS_AT_ONCE},
    {"Qwen3_5ForSequenceClassification", am_vision_language_for_sequence_classification, "text-classification", 0},
    {"Qwen3_5ForTokenClassification", am_vision_language_for_token_classification, "token-classification", 0},
    {"Qwen3_5VisionModel", am_qwen3_5_vision_model, NULL, 0},
    {0},
};

const am_model_type am_model_qwen3_5 = {.name = "qwen3_5 qwen3_5_vision",
                                        .base_prefix = "model",
                                        .architectures = architectures,
                                        .family = &family,
                                        .shaping_inputs = am_qwen_shaping_inputs};
