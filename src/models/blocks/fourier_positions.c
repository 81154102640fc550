#include "models/blocks/fourier_positions.h"

#include <math.h>

/* [rows, 1 + 2 bands]: a place p between -1 and 1, sin(pi f p) and cos(pi f p) for `bands` frequencies f from 1 up to
   half the resolution. The last row is at 1 where it is `closed`, else one step before it. */
static am_value axis_features(am_builder *b, am_grid_axis a, int64_t bands, bool closed)
{
    am_shape shape = am_shape_of(a.rows, 1 + 2 * bands);
    float *data = am_shape_check(&shape)
                      ? am_arena_array(am_builder_arena(b), (size_t)(a.rows * shape.dims[1]), sizeof *data)
                      : NULL;
    if (!data) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    int64_t steps = closed ? a.rows - 1 : a.rows;
    for (int64_t i = 0; i < a.rows; i++) {
        float *row = data + i * shape.dims[1];
        double place = steps ? -1 + 2 * (double)i / (double)steps : -1;
        row[0] = (float)place;
        for (int64_t k = 0; k < bands; k++) {
            double frequency = 1 + (a.resolution / 2 - 1) * (double)k / (double)(bands - 1);
            row[1 + k] = (float)sin(acos(-1) * frequency * place);
            row[1 + bands + k] = (float)cos(acos(-1) * frequency * place);
        }
    }
    return am_constant_copy(b, AM_F32, shape, data);
}

/* Features [.., 1 + 2 bands] of each axis as those of a point: all places, all sines, all cosines. */
static am_value join_axes(am_builder *b, const am_value *features, int axes, int64_t bands)
{
    am_value parts[3 * AM_GRID_AXES_LIMIT];
    for (int i = 0; i < axes; i++) {
        parts[i] = am_slice(b, features[i], -1, 0, 1);
        parts[axes + i] = am_slice(b, features[i], -1, 1, 1 + bands);
        parts[2 * axes + i] = am_slice(b, features[i], -1, 1 + bands, 1 + 2 * bands);
    }
    return am_concat(b, parts, 3 * axes, am_rank(b, features[0]) - 1);
}

/* Features of all points of a grid: [points, axes (1 + 2 bands)]. */
static am_value grid_features(am_builder *b, const am_grid_axis *grid, int axes, int64_t bands)
{
    am_value features[AM_GRID_AXES_LIMIT];
    am_shape whole = {.rank = axes + 1};
    for (int i = 0; i < axes; i++) whole.dims[i] = grid[i].rows;
    whole.dims[axes] = 1 + 2 * bands;
    for (int i = 0; i < axes; i++) {
        am_shape own = {.rank = axes + 1};
        for (int j = 0; j <= axes; j++) own.dims[j] = j == i || j == axes ? whole.dims[j] : 1;
        features[i] = am_broadcast(b, am_reshape(b, axis_features(b, grid[i], bands, true), own), whole);
    }
    return am_flatten(b, join_axes(b, features, axes, bands), 0, axes - 1);
}

am_value am_grid_point_positions(am_builder *b, am_value points, const am_grid_axis *grid, int axes, int64_t bands)
{
    am_value features[AM_GRID_AXES_LIMIT];
    double stride = 1;
    for (int i = axes - 1; i >= 0; i--) {
        am_value row = am_binary_number(b, AM_DIV, points, stride);
        row = am_binary_number(b, AM_MOD, row, (double)grid[i].rows);
        features[i] = am_gather(b, axis_features(b, grid[i], bands, false), row, 0, false);
        stride *= (double)grid[i].rows;
    }
    return join_axes(b, features, axes, bands);
}

am_value am_with_grid_positions(am_builder *b, am_value x, const double *resolution, int axes, int64_t bands)
{
    am_grid_axis grid[AM_GRID_AXES_LIMIT];
    if (x.id && am_rank(b, x) != axes + 2) {
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "inputs of %d dimensions where %d are positions, expected %d",
                                    am_rank(b, x) - 2, axes, axes));
        return AM_NONE;
    }
    for (int i = 0; i < axes; i++) grid[i] = (am_grid_axis){am_dim(b, x, i + 1), resolution[i]};
    am_value features = grid_features(b, grid, axes, bands);
    features = am_broadcast(b, features, am_shape_of(am_dim(b, x, 0), am_dim(b, features, 0), am_dim(b, features, 1)));
    return am_concat2(b, am_flatten(b, x, 1, axes), features, 2);
}
