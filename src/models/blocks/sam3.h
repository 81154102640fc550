/* Segment Anything 3: finds all objects in an image that a text, or boxes around examples, name. An encoder and a
   decoder of queries read the prompt; scores are products with the text, masks with the pixels. transformers:
   models/sam3/modeling_sam3.py, models/sam3_lite_text/modeling_sam3_lite_text.py */
#ifndef AM_MODELS_BLOCKS_SAM3_H
#define AM_MODELS_BLOCKS_SAM3_H

#include "models/model.h"

/* A text's tokens of a text_config, below the scope "text_encoder": [B, T, C]. */
typedef am_value am_sam3_text(am_builder *b, const am_config *c);

/* All outputs of the inputs pixel_values, those of the text, attention_mask, input_boxes and input_boxes_labels. */
void am_sam3_detect(am_builder *b, am_sam3_text *text);

#endif
