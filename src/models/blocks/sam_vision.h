/* Segment Anything's image encoder (arXiv 2304.02643): a ViT whose scores know how far apart rows and columns are, most
   of whose layers see windows, and a neck of convolutions. */
#ifndef AM_MODELS_BLOCKS_SAM_VISION_H
#define AM_MODELS_BLOCKS_SAM_VISION_H

#include "models/model.h"

/* The input pixel_values: [B, channels, height, width] by configuration c, below the scope -> [B, output_channels,
   rows, columns]. hidden_states: whether the outputs hidden_states, [B, rows, columns, C], are named. */
am_value am_sam_vision(am_builder *b, const am_config *c, am_value pixels, bool hidden_states);

#endif
