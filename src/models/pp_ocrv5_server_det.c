/* PP-OCRv5's large text detector, over HGNetV2. transformers:
 * models/pp_ocrv5_server_det/modeling_pp_ocrv5_server_det.py */
#include "models/blocks/ocr_detector.h"

static const am_ocr_family family = {
    .neck = am_ocr_path_neck, .pixels = "pixel_values", .neck_channels = 256, .refines = true};

static const am_architecture architectures[] = {
    {"PPOCRV5ServerDetModel", am_ocr_detector_model, NULL, 0},
    {"PPOCRV5ServerDetForObjectDetection", am_ocr_detector_for_object_detection, NULL, 0},
    {0},
};

const am_model_type am_model_pp_ocrv5_server_det = {
    .name = "pp_ocrv5_server_det", .base_prefix = "model", .architectures = architectures, .family = &family};
