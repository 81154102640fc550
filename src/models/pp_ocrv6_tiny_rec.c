/* PP-OCRv6's smallest reader of lines, over PP-LCNet V4: convolutions along the line in place of layers.
   transformers: models/pp_ocrv6_tiny_rec/modeling_pp_ocrv6_tiny_rec.py */
#include "models/blocks/layers.h"
#include "models/blocks/ocr_recognizer.h"

#include <inttypes.h>

static const double NORM_EPS = 1e-5;

/* x: [B, C, 1, W] -> [B, W, characters]. */
static am_value head(am_builder *b, am_value x)
{
    const am_config *c = am_model_config(b);
    int64_t C = am_dim(b, x, 1);
    am_convolution_attributes along = {.padding_before = am_shape_of(2), .padding_after = am_shape_of(2), .groups = C};
    if (am_dim(b, x, 2) != 1 && !am_builder_failed(b))
        am_builder_fail(
            b, am_error(AM_INVALID_ARGUMENT, "the line's map has %" PRId64 " rows, expected 1", am_dim(b, x, 2)));
    x = am_conv(b, "conv1", am_squeeze(b, x, 2), C, am_shape_of(5), AM_NO_BIAS, &along);
    x = am_unary(b, AM_HARD_SWISH, am_batch_norm(b, "norm1", x, NORM_EPS));
    x = am_conv(b, "conv2", x, C, am_shape_of(1), AM_NO_BIAS, &(am_convolution_attributes){0});
    x = am_unary(b, AM_HARD_SWISH, am_batch_norm(b, "norm2", x, NORM_EPS));
    x = am_linear(b, "fc1", am_transpose(b, x, 1, 2), am_config_size(c, "hidden_size", 120), AM_BIAS);
    return am_softmax(b, am_linear(b, "fc2", x, am_config_size(c, "head_out_channels", 6625), AM_BIAS), 2);
}

static void for_text_recognition(am_builder *b)
{
    am_part_outputs outputs;
    am_scope(b, "model");
    am_value x = am_ocr_line(b, &outputs);
    am_end_scope(b);
    am_scope(b, "head");
    am_output(b, "last_hidden_state", head(b, x));
    am_end_scope(b);
    am_output_part_list(b, &outputs, "hidden_states", "hidden_states");
}

static const am_architecture architectures[] = {
    {"PPOCRV6TinyRecModel", am_ocr_recognizer_model, NULL, 0},
    {"PPOCRV6TinyRecForTextRecognition", for_text_recognition, NULL, 0},
    {0},
};

const am_model_type am_model_pp_ocrv6_tiny_rec = {
    .name = "pp_ocrv6_tiny_rec", .base_prefix = "model", .architectures = architectures};
