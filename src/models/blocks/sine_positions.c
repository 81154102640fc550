#include "models/blocks/sine_positions.h"

#include <math.h>

/* How many radians are a step of each pair of features: F32 [pairs]. */
static am_value steps(am_builder *b, int64_t features, double temperature)
{
    int64_t pairs = features / 2;
    float *data = am_arena_array(am_builder_arena(b), (size_t)pairs + 1, sizeof *data);
    if (!data) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t i = 0; i < pairs; i++) data[i] = (float)pow(temperature, 2.0 * (double)i / (double)features);
    return am_constant_copy(b, AM_F32, am_shape_of(pairs), data);
}

am_value am_sine_waves(am_builder *b, am_value x, int64_t features, double temperature, double scale)
{
    int rank = am_rank(b, x);
    am_shape shape = am_shape_of_value(b, x);
    if (features < 2 || features % 2)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "waves come in pairs: %lld of them", (long long)features));
    if (am_builder_failed(b)) return AM_NONE;
    if (scale != 1) x = am_mul_number(b, x, scale);
    x = am_div(b, am_unsqueeze(b, x, rank), steps(b, features, temperature));
    am_value sine = am_unsqueeze(b, am_unary(b, AM_SIN, x), rank + 1);
    am_value cosine = am_unsqueeze(b, am_unary(b, AM_COS, x), rank + 1);
    shape.dims[shape.rank++] = features;
    return am_reshape(b, am_concat2(b, sine, cosine, rank + 1), shape);
}

/* Rows (axis 1) or columns (axis 2) that count up to each pixel. */
static am_value counted(am_builder *b, am_value mask, int axis, const am_sine_options *o)
{
    am_value x = am_scan(b, AM_REDUCE_SUM, mask, axis, false, false);
    if (o->scale == 0) return x;
    am_value last = am_add_number(b, am_slice(b, x, axis, -1, AM_SLICE_END), 1e-6);
    if (o->centres) x = am_add_number(b, x, -0.5);
    return am_mul_number(b, am_div(b, x, last), o->scale);
}

am_value am_sine_positions(am_builder *b, am_value mask, const am_sine_options *o)
{
    double temperature_x = o->temperature_x > 0 ? o->temperature_x : o->temperature;
    am_value y = am_sine_waves(b, counted(b, mask, 1, o), o->features, o->temperature, 1);
    am_value x = am_sine_waves(b, counted(b, mask, 2, o), o->features, temperature_x, 1);
    return am_flatten(b, am_concat2(b, y, x, 3), 1, 2);
}

am_value am_sine_coordinates(am_builder *b, am_value x, int64_t features, double temperature, double scale)
{
    am_value parts[4];
    int count = (int)am_dim(b, x, -1);
    if (count != 2 && count != 4) am_builder_fail(b, am_error(AM_INTERNAL, "%d coordinates", count));
    if (am_builder_failed(b)) return AM_NONE;
    for (int i = 0; i < count; i++) {
        int from = i < 2 ? 1 - i : i;
        parts[i] = am_sine_waves(b, am_index(b, x, -1, from), features, temperature, scale);
    }
    return am_concat(b, parts, count, -1);
}
