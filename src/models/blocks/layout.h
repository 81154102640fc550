/* Boxes of words on a page, as LayoutLM and its kin embed them. */
#ifndef AM_MODELS_BLOCKS_LAYOUT_H
#define AM_MODELS_BLOCKS_LAYOUT_H

#include "models/blocks/layers.h"

enum { AM_BOX_PARTS = 6 };

typedef struct am_box_options {
    int64_t edge_size, length_size; /* widths of the tables of edges, of those of height and width */
    bool clips_lengths;             /* heights and widths to 0 .. 1023 */
} am_box_options;

/* Input bbox as left, top, right, bottom: I32 [B, T, 4]; zeros [1, T, 4] where it is not given. */
am_value am_boxes(am_builder *b, int64_t T);

/* boxes: [B, T, 4] through the tables {x,y,h,w}_position_embeddings: [max_2d_position_embeddings, edge_size or
   length_size] below the scope: left, top, right, bottom, height, width: [B, T, ..] each. */
void am_box_embeddings(am_builder *b, am_value boxes, const am_box_options *options, am_value out_parts[AM_BOX_PARTS]);

#endif
