/* PP-OCRv6's small text detector, over PP-LCNet V4. transformers:
 * models/pp_ocrv6_small_det/modeling_pp_ocrv6_small_det.py */
#include "models/blocks/ocr_detector.h"

static const am_ocr_family family = {.neck = am_ocr_light_neck,
                                     .pixels = "pixel_values",
                                     .neck_channels = 96,
                                     .default_kernels = true,
                                     .separable = true};

static const am_architecture architectures[] = {
    {"PPOCRV6SmallDetModel", am_ocr_detector_model, NULL, 0},
    {"PPOCRV6SmallDetForObjectDetection", am_ocr_detector_for_object_detection, NULL, 0},
    {0},
};

const am_model_type am_model_pp_ocrv6_small_det = {
    .name = "pp_ocrv6_small_det", .base_prefix = "model", .architectures = architectures, .family = &family};
