/* Unlimited-OCR's eyes: DeepSeek-OCR's, Segment Anything's map, made smaller, of which CLIP's layers make more, both
   side by side. transformers: models/unlimited_ocr/modeling_unlimited_ocr.py */
#ifndef AM_MODELS_BLOCKS_UNLIMITED_OCR_H
#define AM_MODELS_BLOCKS_UNLIMITED_OCR_H

#include "models/blocks/deepseek_ocr2.h"

/* The states of images: [B, channels, H, W], by the vision configuration c: [B, P, C + C']; weights lie below the
   scopes `sam` and `encoder`. hidden_states as in am_pre_norm_options. */
am_value am_unlimited_ocr_look(am_builder *b, const am_config *c, am_value images, const char *sam, const char *encoder,
                               const char *hidden_states);

#endif
