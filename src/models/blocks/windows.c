#include "models/blocks/windows.h"

#include "base/memory.h"

am_windows am_windows_of(int64_t height, int64_t width, int64_t side, int64_t shift)
{
    return (am_windows){.height = height,
                        .width = width,
                        .side = side,
                        .shift = shift,
                        .rows = (height + side - 1) / side,
                        .columns = (width + side - 1) / side};
}

/* The first `count` elements along an axis behind the others (torch.roll by -count). */
static am_value roll(am_builder *b, am_value x, int axis, int64_t count)
{
    if (count == 0) return x;
    return am_concat2(b, am_slice(b, x, axis, count, AM_SLICE_END), am_slice(b, x, axis, 0, count), axis);
}

am_value am_windows_split(am_builder *b, am_value x, const am_windows *w)
{
    int64_t B = am_dim(b, x, 0), C = am_dim(b, x, 2), s = w->side;
    int64_t padding[] = {w->rows * s - w->height, w->columns * s - w->width};
    x = am_reshape(b, x, am_shape_of(B, w->height, w->width, C));
    for (int i = 0; i < 2; i++) {
        if (padding[i] > 0) x = am_pad_zero(b, x, 1 + i, 0, padding[i]);
        x = roll(b, x, 1 + i, w->shift);
    }
    x = am_transpose(b, am_reshape(b, x, am_shape_of(B, w->rows, s, w->columns, s, C)), 2, 3);
    return am_reshape(b, x, am_shape_of(B * w->rows * w->columns, s * s, C));
}

am_value am_windows_join(am_builder *b, am_value x, const am_windows *w)
{
    int64_t count = w->rows * w->columns, B = am_dim(b, x, 0) / (count ? count : 1), C = am_dim(b, x, 2), s = w->side;
    int64_t sizes[] = {w->height, w->width}, padded[] = {w->rows * s, w->columns * s};
    x = am_transpose(b, am_reshape(b, x, am_shape_of(B, w->rows, w->columns, s, s, C)), 2, 3);
    x = am_reshape(b, x, am_shape_of(B, padded[0], padded[1], C));
    for (int i = 0; i < 2; i++) {
        if (w->shift) x = roll(b, x, 1 + i, padded[i] - w->shift);
        if (padded[i] > sizes[i]) x = am_slice(b, x, 1 + i, 0, sizes[i]);
    }
    return am_reshape(b, x, am_shape_of(B, w->height * w->width, C));
}

/* For each pair of a window's tokens the row of the way from the second to the first. */
static am_value ways(am_builder *b, int64_t side)
{
    int64_t T = side * side, reach = 2 * side - 1;
    int32_t *rows = am_alloc_zeroed((size_t)(T * T), sizeof *rows);
    for (int64_t i = 0; i < T * T && rows; i++) {
        int64_t to = i / T, from = i % T;
        rows[i] = (int32_t)((to / side - from / side + side - 1) * reach + to % side - from % side + side - 1);
    }
    if (!rows) am_builder_fail(b, am_out_of_memory());
    am_value ways = rows ? am_constant_copy(b, AM_I32, am_shape_of(T, T), rows) : AM_NONE;
    am_free(rows);
    return ways;
}

am_value am_windows_bias(am_builder *b, am_value table, int64_t side)
{
    am_value bias = am_embedding_op(b, table, ways(b, side)); /* [T, T, H] */
    return am_unsqueeze(b, am_permute(b, bias, am_shape_of(2, 0, 1)), 0);
}

/* F32 [1, 1, T, T]: `apart` for tokens of a window that the shift alone brought together: it has rows, columns or both
   from the map's other end. */
static am_value borders(am_builder *b, const am_windows *w, bool in_rows, bool in_columns, double apart)
{
    int64_t T = w->side * w->side, first = w->side - w->shift;
    float *mask = am_alloc_zeroed((size_t)(T * T), sizeof *mask);
    for (int64_t i = 0; i < T * T && mask; i++) {
        int64_t to = i / T, from = i % T;
        bool row_differs = (to / w->side >= first) != (from / w->side >= first),
             column_differs = (to % w->side >= first) != (from % w->side >= first);
        mask[i] = (in_rows && row_differs) || (in_columns && column_differs) ? (float)apart : 0.0F;
    }
    if (!mask) am_builder_fail(b, am_out_of_memory());
    am_value borders = mask ? am_constant_copy(b, AM_F32, am_shape_of(1, 1, T, T), mask) : AM_NONE;
    am_free(mask);
    return borders;
}

/* The windows of some rows and columns of x: [B, rows, columns, T, H, D] -> [windows, T, H, D]. */
static am_value part_of(am_builder *b, am_value x, const int64_t row[2], const int64_t column[2])
{
    x = am_slice(b, am_slice(b, x, 1, row[0], row[1]), 2, column[0], column[1]);
    return am_flatten(b, am_flatten(b, x, 0, 1), 0, 1);
}

/* The attention of the windows of these rows and columns: [B, rows, columns, T, H * D]. */
static am_value attend_part(am_builder *b, const am_value qkv[3], const int64_t row[2], const int64_t column[2],
                            const am_attention_options *o)
{
    am_value q = part_of(b, qkv[0], row, column), k = part_of(b, qkv[1], row, column),
             v = part_of(b, qkv[2], row, column);
    am_value h = am_merge_heads(b, am_attend_cached(b, q, k, v, o));
    return am_reshape(
        b, h,
        am_shape_of(am_dim(b, qkv[0], 0), row[1] - row[0], column[1] - column[0], am_dim(b, h, 1), am_dim(b, h, 2)));
}

/* Only the last row and the last column of windows have tokens that are apart, so that there are four kinds of windows.
   Each is attended to by itself: a bias of all windows would be as large as the scores. */
static am_value attend_shifted(am_builder *b, const am_value qkv[3], const am_windows *w, const am_attention_options *o,
                               double apart)
{
    const int64_t row[][2] = {{0, w->rows - 1}, {w->rows - 1, w->rows}},
                  column[][2] = {{0, w->columns - 1}, {w->columns - 1, w->columns}};
    am_value rows[2], h = AM_NONE;
    int count = 0;
    for (int i = 0; i < 2; i++) {
        am_value parts[2];
        int found = 0;
        for (int j = 0; j < 2; j++) {
            am_attention_options part = *o;
            if (row[i][0] == row[i][1] || column[j][0] == column[j][1]) continue;
            if (i || j) part.bias = am_add(b, o->bias, borders(b, w, i == 1, j == 1, apart));
            parts[found++] = attend_part(b, qkv, row[i], column[j], &part);
        }
        if (found) rows[count++] = found == 1 ? parts[0] : am_concat(b, parts, found, 2);
    }
    if (count) h = count == 1 ? rows[0] : am_concat(b, rows, count, 1);
    return am_flatten(b, am_flatten(b, h, 0, 1), 0, 1);
}

am_value am_windows_attend(am_builder *b, const am_value qkv[3], const am_windows *w, const am_attention_options *o,
                           double apart)
{
    if (!w->shift) return am_merge_heads(b, am_attend_cached(b, qkv[0], qkv[1], qkv[2], o));
    int64_t count = w->rows * w->columns;
    am_value grid[3];
    for (int i = 0; i < 3; i++) {
        am_shape s = am_shape_of_value(b, qkv[i]);
        grid[i] = s.rank != 4 ? AM_NONE
                              : am_reshape(b, qkv[i],
                                           am_shape_of(s.dims[0] / (count ? count : 1), w->rows, w->columns, s.dims[1],
                                                       s.dims[2], s.dims[3]));
    }
    return attend_shifted(b, grid, w, o, apart);
}
