/* Cohere Compass: Qwen3-VL's tower, states of several layers of which go to the first layers of a Cohere Command.
   transformers: models/cohere_compass/modeling_cohere_compass.py */
#include "models/blocks/qwen3_vl.h"

static const am_vision_language_family family = {.features = am_qwen3_vl_features,
                                                 .video_features = am_qwen3_vl_video_features,
                                                 .deep_rows = am_qwen3_vl_deep_rows,
                                                 .image_token = 255031,
                                                 .video_token = 255032,
                                                 .text_type = "cohere_compass_text",
                                                 .logits_scale = "logit_scale",
                                                 .logits_scale_default = 1,
                                                 .hides_features = true,
                                                 .text_inputs = am_qwen3_vl_text_inputs};

static const am_architecture architectures[] = {
    {"CohereCompassModel", am_vision_language_model, NULL, 0},
    {"CohereCompassForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES | AM_READS_AT_ONCE},
    {"CohereCompassVisionModel", am_qwen3_vl_vision_model, NULL, 0},
    {0},
};

const am_model_type am_model_cohere_compass = {.name = "cohere_compass cohere_compass_vision",
                                               .base_prefix = "model",
                                               .architectures = architectures,
                                               .family = &family,
                                               .shaping_inputs = am_qwen_shaping_inputs};
