#include "models/blocks/transformer_xl.h"

am_value am_xl_heads(am_builder *b, const char *name, am_value x, int64_t H, int64_t D)
{
    int64_t C = am_dim(b, x, -1);
    am_value weight = am_reshape(b, am_weight(b, name, am_shape_of(C, H, D)), am_shape_of(C, H * D));
    am_value y = am_linear_op(b, x, weight, AM_NONE, AM_NONE, &(am_linear_attributes){.in_out = true});
    am_shape s = am_shape_of_value(b, y);
    if (s.rank == 0) return AM_NONE;
    s.dims[s.rank - 1] = H;
    s.dims[s.rank++] = D;
    return am_reshape(b, y, s);
}

am_value am_xl_biased(am_builder *b, am_value q, const char *name)
{
    am_value bias = am_weight(b, name, am_shape_of(am_dim(b, q, 2), am_dim(b, q, 3)));
    return am_add(b, q, am_cast(b, bias, AM_F32));
}

am_value am_xl_products(am_builder *b, am_value q, am_value rows)
{
    return am_matmul(b, am_transpose(b, q, 1, 2), am_unsqueeze(b, am_transpose(b, rows, 0, 1), 0), false, true);
}

am_value am_xl_scores(am_builder *b, am_value q, am_value rows, am_value index)
{
    am_value products = am_xl_products(b, q, rows);
    am_shape s = am_shape_of_value(b, products);
    s.dims[3] = am_dim(b, index, -1);
    return am_gather(b, products, am_broadcast(b, index, s), 3, true);
}

am_value am_xl_shifted(am_builder *b, am_value products)
{
    int64_t B = am_dim(b, products, 0), H = am_dim(b, products, 1), T = am_dim(b, products, 2);
    if (T < 2) return products;
    /* Query t's product for key s stands at t (2 T - 1) + T - 1 - t + s: rows that are one shorter are aligned. */
    am_value x = am_reshape(b, products, am_shape_of(B, H, T * (2 * T - 1)));
    x = am_slice(b, x, 2, T - 1, T - 1 + T * (2 * T - 2));
    return am_slice(b, am_reshape(b, x, am_shape_of(B, H, T, 2 * T - 2)), 3, 0, T);
}
