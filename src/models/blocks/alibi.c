#include "models/blocks/alibi.h"

#include <math.h>

am_value am_alibi_slopes(am_builder *b, int64_t heads)
{
    am_shape shape = am_shape_of(1, heads, 1, 1);
    float *table = am_shape_check(&shape) ? am_arena_array(am_builder_arena(b), (size_t)heads, sizeof *table) : NULL;
    if (!table) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    int64_t n = 1;
    while (2 * n <= heads) n *= 2;
    for (int64_t i = 0; i < heads; i++) {
        double power = i < n ? (double)(i + 1) : (double)(2 * (i - n) + 1) / 2;
        table[i] = (float)pow(2, -8 * power / (double)n);
    }
    return am_constant_copy(b, AM_F32, shape, table);
}

am_value am_key_positions(am_builder *b, int64_t T)
{
    int64_t S = am_has_cache(b) ? am_cache_capacity(b) : T;
    return am_iota(b, AM_F32, am_shape_of(1, 1, 1, S), 3, 0, 1);
}

am_value am_attended_key_positions(am_builder *b, int64_t T)
{
    am_value mask = am_input_optional(b, "attention_mask", 2);
    if (!mask.id) return am_key_positions(b, T);
    mask = am_cast(b, mask, AM_I32);
    am_value seen = am_mul(b, am_add_number(b, am_scan(b, AM_REDUCE_SUM, mask, 1, false, false), -1), mask);
    return am_cast(b, am_reshape(b, seen, am_shape_of(am_dim(b, mask, 0), 1, 1, am_dim(b, mask, 1))), AM_F32);
}
