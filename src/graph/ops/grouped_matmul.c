#include "graph/ops/check.h"

/* Inputs: x [N, K] or [N, S, K], experts [N, S], weight [E, M, K], bias [E, M]. */
static am_status infer(am_infer *c)
{
    const am_shape *x = &c->inputs[0]->shape, *experts = &c->inputs[1]->shape, *weight = &c->inputs[2]->shape;
    AM_TRY(am_check_float(c, 0));
    AM_TRY(am_check_index(c, 1));
    AM_TRY(am_check_float(c, 2));
    AM_TRY(am_check_float(c, 3));
    AM_TRY(am_check_rank(c, 1, 2));
    AM_TRY(am_check_rank(c, 2, 3));
    int64_t n = experts->dims[0], s = experts->dims[1], m = weight->dims[1], k = weight->dims[2];
    am_shape expected = x->rank == 3 ? am_shape_of(n, s, k) : am_shape_of(n, k), bias = am_shape_of(weight->dims[0], m);
    AM_TRY(am_check_shape(c, 0, &expected));
    AM_TRY(am_check_shape(c, 3, &bias));
    am_shape shape = am_shape_of(n, s, m);
    return am_infer_one(c, c->inputs[0]->dtype, &shape);
}

am_value am_grouped_matmul(am_builder *b, am_value x, am_value experts, am_value weight, am_value bias)
{
    return am_add_node(b, AM_OP_GROUPED_MATMUL, (am_value[]){x, experts, weight, bias}, 4, NULL, NULL);
}

const am_op am_op_grouped_matmul = {
    .name = "grouped_matmul",
    .summary = "Each row of x times the weights of the experts it names: the linear layer of a mixture of experts.",
    .min_inputs = 3,
    .max_inputs = 4,
    .infer = infer,
};
