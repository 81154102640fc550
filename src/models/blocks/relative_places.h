/* Relative places of height and width that queries are compared with (MViTv2, arXiv 2112.01526). */
#ifndef AM_MODELS_BLOCKS_RELATIVE_PLACES_H
#define AM_MODELS_BLOCKS_RELATIVE_PLACES_H

#include "models/model.h"

/* Bias of attention, F32 [N, H, T, T], for queries q: [N, T, H, D] of a map of size[0] * size[1] = T tokens, by the
   weights rel_pos_h and rel_pos_w: [2 side - 1, D], which are resized to the map where it has other sides. */
am_value am_relative_places(am_builder *b, am_value q, const int64_t size[2], const int64_t side[2]);

#endif
