/* Cosmos 3 Omni, what of it reads: Qwen3-VL in files of other names. transformers:
   models/cosmos3_omni/modeling_cosmos3_omni.py */
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
    {"Cosmos3OmniModel", am_vision_language_model, NULL, 0},
    {"Cosmos3OmniForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES | AM_READS_AT_ONCE},
    {0},
};

const am_model_type am_model_cosmos3_omni = {.name = "cosmos3_omni",
                                             .base_prefix = "model",
                                             .architectures = architectures,
                                             .family = &family,
                                             .shaping_inputs = am_qwen_shaping_inputs};
