#include "models/blocks/packed_attention.h"

#include "models/blocks/attention.h"

static am_value packed_heads(am_builder *b, am_value x, int part, int64_t heads)
{
    int64_t C = am_dim(b, x, -1);
    am_value weight = am_slice(b, am_weight(b, "in_proj_weight", am_shape_of(3 * C, C)), 0, part * C, (part + 1) * C);
    am_value bias = am_slice(b, am_weight(b, "in_proj_bias", am_shape_of(3 * C)), 0, part * C, (part + 1) * C);
    return am_split_heads(b, am_linear_with(b, x, weight, bias), heads);
}

am_value am_packed_attend(am_builder *b, const char *name, am_value q, am_value k, am_value v, int64_t heads,
                          am_value mask)
{
    int64_t C = am_dim(b, q, -1);
    am_scope(b, "%s", name);
    am_attention_inputs inputs = {.q = packed_heads(b, q, 0, heads),
                                  .k = packed_heads(b, k, 1, heads),
                                  .v = packed_heads(b, v, 2, heads),
                                  .mask = mask};
    am_value x = am_merge_heads(b, am_attention_op(b, &inputs, &(am_attention_attributes){0}));
    x = am_linear(b, "out_proj", x, C, AM_BIAS);
    am_end_scope(b);
    return x;
}
