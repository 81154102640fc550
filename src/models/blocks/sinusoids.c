#include "models/blocks/sinusoids.h"

#include <math.h>

am_value am_sinusoid_table(am_builder *b, int64_t rows, int64_t C, double steps, int64_t zero_row)
{
    am_shape shape = am_shape_of(rows, C);
    int64_t half = C / 2;
    float *data = am_shape_check(&shape) ? am_arena_array(am_builder_arena(b), (size_t)(rows * C), sizeof *data) : NULL;
    if (!data) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t p = 0; p < rows; p++)
        for (int64_t i = 0; i < half && p != zero_row; i++) {
            double angle = (double)p * pow(10000, -(double)i / steps);
            data[p * C + i] = (float)sin(angle);
            data[p * C + half + i] = (float)cos(angle);
        }
    return am_constant_copy(b, AM_F32, shape, data);
}
