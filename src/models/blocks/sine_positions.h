/* Places in an image as waves: sine and cosine of rows and of columns, in turn, at frequencies that fall from one to
   the next (DETR, arXiv 2005.12872). */
#ifndef AM_MODELS_BLOCKS_SINE_POSITIONS_H
#define AM_MODELS_BLOCKS_SINE_POSITIONS_H

#include "models/model.h"

typedef struct am_sine_options {
    int64_t features;                  /* of each direction; even */
    double temperature, temperature_x; /* of rows; of columns, 0: the same */
    double scale;                      /* not 0: the last row or column that counts stands there; 0: rows are counted */
    bool centres;                      /* a pixel stands half a step before what is counted up to it */
} am_sine_options;

/* Pixels that count, mask: F32 [B, H, W] of 0 and 1, as waves [B, H * W, 2 * features], rows first. */
am_value am_sine_positions(am_builder *b, am_value mask, const am_sine_options *options);

/* x: [..] times scale as waves: [.., features]. */
am_value am_sine_waves(am_builder *b, am_value x, int64_t features, double temperature, double scale);

/* Coordinates [.., 2] or [.., 4] (x, y, width, height), each as waves; y before x: [.., n * features]. */
am_value am_sine_coordinates(am_builder *b, am_value x, int64_t features, double temperature, double scale);

#endif
