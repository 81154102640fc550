#include "models/blocks/decomposed.h"

/* Vectors of distances from -(n - 1) to n - 1: [2 n - 1, D]. */
static am_value vectors(am_builder *b, const char *name, int64_t n, int64_t own, int64_t D)
{
    am_value table = am_cast(b, am_weight(b, name, am_shape_of(2 * own - 1, D)), AM_F32);
    if (n == own) return table;
    am_resize_attributes linear = {.size = am_shape_of(2 * n - 1), .mode = AM_RESIZE_LINEAR};
    table = am_resize(b, am_unsqueeze(b, am_transpose(b, table, 0, 1), 0), &linear);
    return am_transpose(b, am_squeeze(b, table, 0), 0, 1);
}

/* The vector from each of n places to each: [n, n, D]. */
static am_value distances(am_builder *b, const char *name, int64_t n, int64_t own, int64_t D)
{
    am_value rows = am_iota(b, AM_I32, am_shape_of(n, 1), 0, (double)(n - 1), 1),
             columns = am_iota(b, AM_I32, am_shape_of(1, n), 1, 0, 1);
    return am_gather(b, vectors(b, name, n, own, D), am_sub(b, rows, columns), 0, false);
}

am_value am_decomposed_bias(am_builder *b, am_value q, const int64_t size[2], const int64_t sizes[2])
{
    int64_t B = am_dim(b, q, 0), H = am_dim(b, q, 2), D = am_dim(b, q, 3), h = size[0], w = size[1];
    if (am_builder_failed(b)) return AM_NONE;
    am_value map = am_reshape(b, q, am_shape_of(B, h, w, H, D));
    /* [h, B H w, D] times [h, D, h]; columns likewise */
    am_value rows = am_reshape(b, am_permute(b, map, am_shape_of(1, 0, 3, 2, 4)), am_shape_of(h, B * H * w, D)),
             columns = am_reshape(b, am_permute(b, map, am_shape_of(2, 0, 3, 1, 4)), am_shape_of(w, B * H * h, D));
    rows = am_matmul(b, rows, distances(b, "rel_pos_h", h, sizes[0], D), false, true);
    columns = am_matmul(b, columns, distances(b, "rel_pos_w", w, sizes[1], D), false, true);
    rows = am_permute(b, am_reshape(b, rows, am_shape_of(h, B, H, w, h)), am_shape_of(1, 2, 0, 3, 4));
    columns = am_permute(b, am_reshape(b, columns, am_shape_of(w, B, H, h, w)), am_shape_of(1, 2, 3, 0, 4));
    rows = am_reshape(b, rows, am_shape_of(B, H, h * w, h, 1));
    columns = am_reshape(b, columns, am_shape_of(B, H, h * w, 1, w));
    return am_reshape(b, am_add(b, rows, columns), am_shape_of(B, H, h * w, h * w));
}

am_value am_decomposed_attention(am_builder *b, am_value x, int64_t heads, bool qkv_bias, const int64_t size[2],
                                 const int64_t sizes[2])
{
    am_attention_options options = {.heads = heads, .qkv = "qkv", .no_q_bias = !qkv_bias};
    int64_t C = am_dim(b, x, -1);
    am_value qkv[3];
    am_attention_heads(b, x, &options, qkv);
    if (sizes) options.bias = am_decomposed_bias(b, qkv[0], size, sizes);
    return am_linear(b, "proj", am_attend(b, qkv[0], qkv[1], qkv[2], &options), C, AM_BIAS);
}
