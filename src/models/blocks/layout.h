/* Boxes of words on a page, as LayoutLM and its kin embed them. */
#ifndef AM_MODELS_BLOCKS_LAYOUT_H
#define AM_MODELS_BLOCKS_LAYOUT_H

#include "models/blocks/layers.h"

enum { AM_BOX_PARTS = 6 };

/* Input bbox: [B, T, 4] as left, top, right, bottom (zeros where it is not given) through the tables
   {x,y,h,w}_position_embeddings: [max_2d_position_embeddings, C] below the scope: left, top, right, bottom,
   height, width: [1 or B, T, C] each. */
void am_box_embeddings(am_builder *b, int64_t T, int64_t C, am_value out_parts[AM_BOX_PARTS]);

#endif
