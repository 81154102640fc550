/* Positions as Fourier features (Perceiver, arXiv 2103.03206): of every axis of a grid the place, and sines and cosines
   of it in frequencies that rise up to what the resolution can tell apart. */
#ifndef AM_MODELS_BLOCKS_FOURIER_POSITIONS_H
#define AM_MODELS_BLOCKS_FOURIER_POSITIONS_H

#include "models/model.h"

enum { AM_GRID_AXES_LIMIT = 3 };

/* x: [B, rows.., C] -> [B, points, C + axes (1 + 2 bands)]: behind x the features of each point of the grid of `axes`
   axes, places being from -1 to 1, and resolution[i] the pixels along axis i at which the frequencies end. */
am_value am_with_grid_positions(am_builder *b, am_value x, const double *resolution, int axes, int64_t bands);

/* One axis of a grid: its rows, and its resolution. */
typedef struct am_grid_axis {
    int64_t rows;
    double resolution;
} am_grid_axis;

/* Features of some points of a grid, by their numbers I32 [N] in row-major order: [N, axes (1 + 2 bands)]. Places are
   from -1 up to one step before 1; numbers beyond the grid begin again. */
am_value am_grid_point_positions(am_builder *b, am_value points, const am_grid_axis *grid, int axes, int64_t bands);

#endif
