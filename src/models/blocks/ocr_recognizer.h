/* PaddleOCR's text recognizers: a backbone squeezes a line of text to a map of one row, a few transformer layers read
   that, and a linear layer says of each of its places which character stands there. transformers:
   models/pp_ocrv5_mobile_rec/modeling_pp_ocrv5_mobile_rec.py and its kin */
#ifndef AM_MODELS_BLOCKS_OCR_RECOGNIZER_H
#define AM_MODELS_BLOCKS_OCR_RECOGNIZER_H

#include "models/model.h"

/* What a member's descriptor carries as its family. */
typedef struct am_ocr_reader_family {
    /* Convolutions `conv_block` before the layers, of x: [B, C', H, W], to hidden_size channels; and what they, x and
       the layers' map give together, of hidden_size channels, too. */
    am_value (*before)(am_builder *b, am_value x, int64_t C, am_value *residual);
    am_value (*behind)(am_builder *b, am_value x, am_value residual);
    int64_t characters; /* what an absent head_out_channels stands for */
    int64_t kernel[2];  /* the same of conv_kernel_size */
} am_ocr_reader_family;

/* activation(norm(conv(x))) in the scope conv_block.i: x: [B, C', H, W] -> [B, out, H, W]. conv_kernel_size where
   `wide`, else 1 x 1; groups: 0: 1. */
typedef struct am_ocr_conv_options {
    int64_t out, groups;
    bool wide;
    am_unary_fn activation;
} am_ocr_conv_options;

am_value am_ocr_conv(am_builder *b, int i, am_value x, const am_ocr_conv_options *options);

/* The way of the fifth version: narrow, read, widen, and narrow again beside what was. */
am_value am_ocr_narrow(am_builder *b, am_value x, int64_t C, am_value *residual);
am_value am_ocr_join(am_builder *b, am_value x, am_value residual);

/* The map of the backbone, below its scope, squeezed: [B, C, h, w]; *outputs: the backbone's. */
am_value am_ocr_line(am_builder *b, am_part_outputs *outputs);

/* Builders for the rows of a member's table. */
void am_ocr_recognizer_model(am_builder *b);
void am_ocr_recognizer_encoder(am_builder *b);
void am_ocr_recognizer_for_text_recognition(am_builder *b);

#endif
