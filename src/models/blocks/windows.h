/* Windows of a map of tokens within which these attend to each other (Swin, arXiv 2103.14030). A shifted map has its
   first rows and columns behind its last ones, so that windows reach over the borders of those of the layer before. */
#ifndef AM_MODELS_BLOCKS_WINDOWS_H
#define AM_MODELS_BLOCKS_WINDOWS_H

#include "models/blocks/attention.h"

typedef struct am_windows {
    int64_t height, width; /* of the map, in tokens */
    int64_t side, shift;   /* of a window; how far the map is shifted before */
    int64_t rows, columns; /* of windows: the map is padded with zeros to whole ones */
} am_windows;

/* side is 1 or more, shift less than it. */
am_windows am_windows_of(int64_t height, int64_t width, int64_t side, int64_t shift);

/* x: [B, height * width, C] -> [B * rows * columns, side * side, C]. */
am_value am_windows_split(am_builder *b, am_value x, const am_windows *windows);

/* The map that am_windows_split made x of: [B * rows * columns, side * side, C] -> [B, height * width, C]. */
am_value am_windows_join(am_builder *b, am_value x, const am_windows *windows);

/* Rows of table: [(2 side - 1)^2, H], which has one for each way from a token of a window to another, as a bias F32
   [1, H, side * side, side * side]. */
am_value am_windows_bias(am_builder *b, am_value table, int64_t side);

/* Attention of heads: [B * rows * columns, side * side, H, D] each, within the windows, with options' scale and the
   bias of am_windows_bias -> [B * rows * columns, side * side, H * D]. Of a shifted map `apart` is added to the scores
   of tokens that came side by side by the shift only. */
am_value am_windows_attend(am_builder *b, const am_value qkv[3], const am_windows *windows,
                           const am_attention_options *options, double apart);

#endif
