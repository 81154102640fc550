/* Prompt Depth Anything: Depth Anything that may be given measured depths of fewer pixels. transformers:
   models/prompt_depth_anything/modeling_prompt_depth_anything.py */
#include "models/blocks/depth_anything.h"

static const am_architecture architectures[] = {
    {"PromptDepthAnythingForDepthEstimation", am_depth_anything_for_depth_estimation, "depth-estimation", 0},
    {0},
};

static const am_depth_anything_family family = {.has_prompt = true};

const am_model_type am_model_prompt_depth_anything = {
    .name = "prompt_depth_anything", .architectures = architectures, .family = &family};
