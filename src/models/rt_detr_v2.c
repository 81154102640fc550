/* The second version of RT-DETR: how far and how maps are read is configurable. transformers:
   models/rt_detr_v2/modeling_rt_detr_v2.py */
#include "models/blocks/rt_detr.h"

static const am_architecture architectures[] = {
    {"RTDetrV2Model", am_rt_detr_model, NULL, 0},
    {"RTDetrV2ForObjectDetection", am_rt_detr_for_object_detection, "object-detection", 0},
    {0},
};

static const bool is_second_version = true;

const am_model_type am_model_rt_detr_v2 = {
    .name = "rt_detr_v2", .base_prefix = "model", .architectures = architectures, .family = &is_second_version};
