/* The tower of Qwen4-Exp, which is Qwen3.5's. transformers: models/qwen4_exp/modeling_qwen4_exp.py */
#include "models/blocks/qwen3_vl.h"

static const am_architecture architectures[] = {
    {"Qwen4ExpVisionModel", am_qwen3_5_vision_model, NULL, 0},
    {0},
};

const am_model_type am_model_qwen4_exp_vision = {
    .name = "qwen4_exp_vision", .architectures = architectures, .shaping_inputs = am_qwen_shaping_inputs};
