#include "models/blocks/sinusoids.h"

#include <math.h>

/* [rows, C] of zeros, kept as long as the graph; null where there is no memory for it, and after a failure */
static float *new_table(am_builder *b, int64_t rows, int64_t C)
{
    am_shape shape = am_shape_of(rows, C);
    if (am_builder_failed(b)) return NULL;
    float *data = am_shape_check(&shape) ? am_arena_array(am_builder_arena(b), (size_t)(rows * C), sizeof *data) : NULL;
    if (!data) am_builder_fail(b, am_out_of_memory());
    return data;
}

static void fill_row(float *row, double position, int64_t C, double steps)
{
    for (int64_t i = 0; i < C / 2; i++) {
        double angle = position * pow(10000, -(double)i / steps);
        row[i] = (float)sin(angle);
        row[C / 2 + i] = (float)cos(angle);
    }
}

am_value am_sinusoid_table(am_builder *b, int64_t rows, int64_t C, double steps, int64_t zero_row)
{
    float *data = new_table(b, rows, C);
    if (!data) return AM_NONE;
    for (int64_t p = 0; p < rows; p++)
        if (p != zero_row) fill_row(data + p * C, (double)p, C, steps);
    return am_constant_copy(b, AM_F32, am_shape_of(rows, C), data);
}

am_value am_sinusoids_at(am_builder *b, const double *positions, int64_t rows, int64_t C)
{
    float *data = new_table(b, rows, C);
    if (!data) return AM_NONE;
    for (int64_t r = 0; r < rows; r++) fill_row(data + r * C, positions[r], C, (double)(C / 2));
    return am_constant_copy(b, AM_F32, am_shape_of(rows, C), data);
}

am_value am_sinusoids_after_pad(am_builder *b, am_value rows, int64_t count, int64_t C, int64_t pad)
{
    int64_t longest = am_has_cache(b) ? am_cache_capacity(b) : am_dim(b, rows, -1);
    if (count < pad + 1 + longest) count = pad + 1 + longest;
    return am_embedding_op(b, am_sinusoid_table(b, count, C, (double)(C / 2 - 1), pad), rows);
}
