/* Depth Anything: depths of an image by DPT's neck over a backbone's tokens. transformers:
   models/depth_anything/modeling_depth_anything.py */
#include "models/blocks/depth_anything.h"

static const am_architecture architectures[] = {
    {"DepthAnythingForDepthEstimation", am_depth_anything_for_depth_estimation, "depth-estimation", 0},
    {0},
};

static const am_depth_anything_family family = {0};

const am_model_type am_model_depth_anything = {
    .name = "depth_anything", .architectures = architectures, .family = &family};
