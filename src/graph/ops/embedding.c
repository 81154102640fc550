#include "graph/ops/check.h"

static am_status infer(am_infer *c)
{
    am_shape shape = c->inputs[1]->shape;
    AM_TRY(am_check_float(c, 0));
    AM_TRY(am_check_rank(c, 0, 2));
    AM_TRY(am_check_index(c, 1));
    if (shape.rank == AM_RANK_LIMIT) return am_error(AM_INVALID_ARGUMENT, "indices of rank %d", shape.rank);
    shape.dims[shape.rank++] = c->inputs[0]->shape.dims[1];
    return am_infer_one(c, c->inputs[0]->dtype == AM_F64 ? AM_F64 : AM_F32, &shape);
}

static void expand(am_builder *b, const am_node *node, const am_value *in, am_value *out)
{
    (void)node;
    out[0] = am_cast(b, am_gather(b, in[0], in[1], 0, false), am_dtype_of(b, in[0]) == AM_F64 ? AM_F64 : AM_F32);
}

am_value am_embedding_op(am_builder *b, am_value weight, am_value ids)
{
    return am_add_node(b, AM_OP_EMBEDDING, (am_value[]){weight, ids}, 2, NULL, NULL);
}

const am_op am_op_embedding = {
    .name = "embedding",
    .summary = "Rows of a table at ids, widened to f32.",
    .min_inputs = 2,
    .max_inputs = 2,
    .infer = infer,
    .expand = expand,
    .is_composite = true,
};
