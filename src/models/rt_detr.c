/* RT-DETR: DETR in real time, by an encoder that is mostly convolutions and queries that the encoder proposes.
   transformers: models/rt_detr/modeling_rt_detr.py */
#include "models/blocks/rt_detr.h"

static const am_architecture architectures[] = {
    {"RTDetrModel", am_rt_detr_model, NULL, 0},
    {"RTDetrForObjectDetection", am_rt_detr_for_object_detection, "object-detection", 0},
    {0},
};

const am_model_type am_model_rt_detr = {.name = "rt_detr", .base_prefix = "model", .architectures = architectures};
