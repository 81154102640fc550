/* DeepSeek-OCR-2's eyes: Segment Anything's image encoder, whose map two convolutions make smaller, and a Qwen2 in
   which its places see one another, and queries after them all of them and the queries before. transformers:
   models/deepseek_ocr2/modeling_deepseek_ocr2.py */
#ifndef AM_MODELS_BLOCKS_DEEPSEEK_OCR2_H
#define AM_MODELS_BLOCKS_DEEPSEEK_OCR2_H

#include "models/blocks/sam.h"
#include "models/blocks/vision_language.h"

/* What files call the weights, below the scope. */
typedef struct am_deepseek_ocr2_names {
    const char *sam, *encoder, *query_768, *query_1024;
    const char *halves[2]; /* the convolutions, below sam */
    const am_sam_names *sam_names;
} am_deepseek_ocr2_names;

/* Segment Anything's map by the vision configuration c, of which sam_config is a part, made smaller: [B, C, H / 4, W /
   4], H and W in patches; channels: what downsample_channels is where it is absent. */
am_value am_deepseek_ocr2_map(am_builder *b, const am_config *c, am_value images, const am_deepseek_ocr2_names *names,
                              const int64_t channels[2]);

/* What the queries collect of images: [B, channels, H, W], by the vision configuration c: [B, 144 or 256, C], more of
   them where the map has more than 144 places; *out_encoder (may be null): outputs of the encoder, hidden states among
   them. */
am_value am_deepseek_ocr2_look(am_builder *b, const am_config *c, am_value images, const am_deepseek_ocr2_names *names,
                               am_part_outputs *out_encoder);

#endif
