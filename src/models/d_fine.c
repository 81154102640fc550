/* D-FINE: see blocks/d_fine.h. transformers: models/d_fine/modeling_d_fine.py */
#include "models/blocks/d_fine.h"

static const am_architecture architectures[] = {
    {"DFineModel", am_fine_model, NULL, 0},
    {"DFineForObjectDetection", am_fine_for_object_detection, "object-detection", 0},
    {0},
};

const am_model_type am_model_d_fine = {.name = "d_fine", .base_prefix = "model", .architectures = architectures};
