/* PP-OCRv6's text detector of middle size, over PP-LCNet V4. transformers:
 * models/pp_ocrv6_medium_det/modeling_pp_ocrv6_medium_det.py */
#include "models/blocks/ocr_detector.h"

static const am_ocr_family family = {
    .neck = am_ocr_path_neck, .pixels = "pixel_values", .neck_channels = 256, .biased = true};

static const am_architecture architectures[] = {
    {"PPOCRV6MediumDetModel", am_ocr_detector_model, NULL, 0},
    {"PPOCRV6MediumDetForObjectDetection", am_ocr_detector_for_object_detection, NULL, 0},
    {0},
};

const am_model_type am_model_pp_ocrv6_medium_det = {
    .name = "pp_ocrv6_medium_det", .base_prefix = "model", .architectures = architectures, .family = &family};
