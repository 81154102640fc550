#include "models/blocks/relative_places.h"

/* Row i - j + size - 1 of table: [rows, D] for query i and key j: F32 [size, size, D]. */
static am_value table_of(am_builder *b, const char *name, int64_t size, int64_t side, int64_t D)
{
    am_value x = am_cast(b, am_weight(b, name, am_shape_of(2 * side - 1, D)), AM_F32);
    int64_t rows = 2 * size - 1;
    int32_t *places = am_arena_array(am_builder_arena(b), (size_t)(size * size) + 1, sizeof *places);
    if (!places) am_builder_fail(b, am_out_of_memory());
    if (am_builder_failed(b)) return AM_NONE;
    if (side != size) {
        x = am_unsqueeze(b, am_transpose(b, x, 0, 1), 0);
        x = am_resize(b, x, &(am_resize_attributes){.size = am_shape_of(rows), .mode = AM_RESIZE_LINEAR});
        x = am_transpose(b, am_squeeze(b, x, 0), 0, 1);
    }
    for (int64_t i = 0; i < size; i++)
        for (int64_t j = 0; j < size; j++) places[i * size + j] = (int32_t)(i - j + size - 1);
    return am_gather(b, x, am_constant_copy(b, AM_I32, am_shape_of(size, size), places), 0, false);
}

/* Queries q: [N, h, w, H, D] with table: [h, h, D] of their rows (axis 1), or [w, w, D] of their columns (axis 2):
   [that size, N, the other size, H, that size]. */
static am_value compare(am_builder *b, am_value q, am_value table, int axis)
{
    am_shape order = axis == 1 ? am_shape_of(1, 0, 2, 3, 4) : am_shape_of(2, 0, 1, 3, 4);
    am_value x = am_permute(b, q, order);
    am_shape s = am_shape_of_value(b, x);
    x = am_reshape(b, x, am_shape_of(s.dims[0], s.dims[1] * s.dims[2] * s.dims[3], s.dims[4]));
    x = am_matmul(b, x, table, false, true);
    s.dims[4] = s.dims[0];
    return am_reshape(b, x, s);
}

am_value am_relative_places(am_builder *b, am_value q, const int64_t size[2], const int64_t side[2])
{
    am_shape s = am_shape_of_value(b, q);
    int64_t N = s.dims[0], T = s.dims[1], H = s.dims[2], D = s.dims[3], h = size[0], w = size[1];
    if (am_builder_failed(b)) return AM_NONE;
    q = am_reshape(b, q, am_shape_of(N, h, w, H, D));
    am_value rows = compare(b, q, table_of(b, "rel_pos_h", h, side[0], D), 1);
    am_value columns = compare(b, q, table_of(b, "rel_pos_w", w, side[1], D), 2);
    rows = am_unsqueeze(b, am_permute(b, rows, am_shape_of(1, 3, 0, 2, 4)), 5);
    columns = am_unsqueeze(b, am_permute(b, columns, am_shape_of(1, 3, 2, 0, 4)), 4);
    return am_reshape(b, am_add(b, rows, columns), am_shape_of(N, H, T, T));
}
