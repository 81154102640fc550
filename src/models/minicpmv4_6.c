/* MiniCPM-V 4.6: patches of pictures of any size in one strip, windows of which become one in the middle of the tower,
   squares of what it gives among the words of a Qwen3.5. transformers: models/minicpmv4_6/modeling_minicpmv4_6.py */
#include "models/blocks/minicpm_vision.h"

static const am_vision_language_family family = {.features = am_minicpm_features,
                                                 .video_features = am_minicpm_video_features,
                                                 .image_token = -1,
                                                 .video_token = -1,
                                                 .text_type = "qwen3_5_text",
                                                 .hides_features = true};

static const am_architecture architectures[] = {
    {"MiniCPMV4_6Model", am_vision_language_model, NULL, 0},
    {"MiniCPMV4_6ForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES},
    {0},
};

const am_model_type am_model_minicpmv4_6 = {.name = "minicpmv4_6 minicpmv4_6_vision",
                                            .base_prefix = "model",
                                            .architectures = architectures,
                                            .family = &family,
                                            .shaping_inputs = am_minicpm_shaping_inputs};
