/* PP-OCRv5's large reader of lines, over HGNetV2. transformers:
 * models/pp_ocrv5_server_rec/modeling_pp_ocrv5_server_rec.py */
#include "models/blocks/ocr_recognizer.h"

static const am_ocr_reader_family family = {
    .before = am_ocr_narrow, .behind = am_ocr_join, .characters = 18385, .kernel = {1, 3}};

static const am_architecture architectures[] = {
    {"PPOCRV5ServerRecEncoderWithSVTR", am_ocr_recognizer_encoder, NULL, 0},
    {"PPOCRV5ServerRecModel", am_ocr_recognizer_model, NULL, 0},
    {"PPOCRV5ServerRecForTextRecognition", am_ocr_recognizer_for_text_recognition, NULL, 0},
    {0},
};

const am_model_type am_model_pp_ocrv5_server_rec = {
    .name = "pp_ocrv5_server_rec", .base_prefix = "model", .architectures = architectures, .family = &family};
