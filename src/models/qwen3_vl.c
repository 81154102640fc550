/* Qwen3-VL: Qwen2-VL whose patches have learned positions, too, states of several layers of whose tower go to the
   text's first layers, and whose videos are frames between the times they were taken at. transformers:
   models/qwen3_vl/modeling_qwen3_vl.py */
#include "models/blocks/qwen3_vl.h"

static const am_vision_language_family family = {.features = am_qwen3_vl_features,
                                                 .video_features = am_qwen3_vl_video_features,
                                                 .deep_rows = am_qwen3_vl_deep_rows,
                                                 .image_token = 151655,
                                                 .video_token = 151656,
                                                 .text_type = "qwen3_vl_text",
                                                 .hides_features = true,
                                                 .text_inputs = am_qwen3_vl_text_inputs};

static const am_architecture architectures[] = {
    {"Qwen3VLModel", am_vision_language_model, NULL, 0},
    {"Qwen3VLForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES | AM_READS_AT_ONCE},
    {"Qwen3VLVisionModel", am_qwen3_vl_vision_model, NULL, 0},
    {0},
};

const am_model_type am_model_qwen3_vl = {.name = "qwen3_vl qwen3_vl_vision",
                                         .base_prefix = "model",
                                         .architectures = architectures,
                                         .family = &family,
                                         .shaping_inputs = am_qwen_shaping_inputs};
