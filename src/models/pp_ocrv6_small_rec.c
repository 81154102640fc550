/* PP-OCRv6's small reader of lines, over PP-LCNet V4: what the layers give is added to what was.
   transformers: models/pp_ocrv6_small_rec/modeling_pp_ocrv6_small_rec.py */
#include "models/blocks/ocr_recognizer.h"

static am_value before(am_builder *b, am_value x, int64_t C, am_value *residual)
{
    am_unary_fn act = am_config_activation(am_model_config(b), "hidden_act", AM_SILU);
    *residual = am_ocr_conv(b, 0, x, &(am_ocr_conv_options){C, 0, false, act});
    x = am_ocr_conv(b, 1, x, &(am_ocr_conv_options){C, 0, false, act});
    return am_add(b, x, am_ocr_conv(b, 2, x, &(am_ocr_conv_options){C, C, true, act}));
}

static am_value behind(am_builder *b, am_value x, am_value residual)
{
    return am_add(b, x, residual);
}

static const am_ocr_reader_family family = {.before = before, .behind = behind, .characters = 18714, .kernel = {1, 7}};

static const am_architecture architectures[] = {
    {"PPOCRV6SmallRecEncoderWithSVTR", am_ocr_recognizer_encoder, NULL, 0},
    {"PPOCRV6SmallRecModel", am_ocr_recognizer_model, NULL, 0},
    {"PPOCRV6SmallRecForTextRecognition", am_ocr_recognizer_for_text_recognition, NULL, 0},
    {0},
};

const am_model_type am_model_pp_ocrv6_small_rec = {
    .name = "pp_ocrv6_small_rec", .base_prefix = "model", .architectures = architectures, .family = &family};
