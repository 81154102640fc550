/* PP-OCRv5's small text detector, over PP-LCNet V3. transformers:
 * models/pp_ocrv5_mobile_det/modeling_pp_ocrv5_mobile_det.py */
#include "models/blocks/ocr_detector.h"

static const am_ocr_family family = {.neck = am_ocr_light_neck,
                                     .pixels = "hidden_states",
                                     .neck_channels = 96,
                                     .projects = true,
                                     .default_kernels = true};

static const am_architecture architectures[] = {
    {"PPOCRV5MobileDetModel", am_ocr_detector_model, NULL, 0},
    {"PPOCRV5MobileDetForObjectDetection", am_ocr_detector_for_object_detection, NULL, 0},
    {0},
};

const am_model_type am_model_pp_ocrv5_mobile_det = {
    .name = "pp_ocrv5_mobile_det", .base_prefix = "model", .architectures = architectures, .family = &family};
