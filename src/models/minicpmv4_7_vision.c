/* The image tower of MiniCPM-V 4.7, which is 4.6's. transformers: models/minicpmv4_7/modeling_minicpmv4_7.py */
#include "models/blocks/minicpm_vision.h"

static const am_architecture architectures[] = {
    {"MiniCPMV4_7VisionModel", am_minicpm_vision_model, NULL, 0},
    {0},
};

const am_model_type am_model_minicpmv4_7_vision = {.name = "minicpmv4_7_vision",
                                                   .base_prefix = "vision_tower",
                                                   .architectures = architectures,
                                                   .shaping_inputs = am_minicpm_shaping_inputs};
