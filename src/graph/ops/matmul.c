#include "graph/ops/check.h"

static am_shape leading(const am_shape *shape)
{
    am_shape batch = *shape;
    batch.rank -= 2;
    return batch;
}

static am_status infer(am_infer *c)
{
    const am_matmul_attributes *a = c->attributes;
    const am_shape *x = &c->inputs[0]->shape, *y = &c->inputs[1]->shape;
    char x_text[AM_SHAPE_TEXT], y_text[AM_SHAPE_TEXT];
    am_shape shape;
    AM_TRY(am_check_float(c, 0));
    AM_TRY(am_check_dtype(c, 1, c->inputs[0]->dtype));
    if (x->rank >= 2 && y->rank >= 2) {
        am_shape x_batch = leading(x), y_batch = leading(y);
        int64_t m = x->dims[x->rank - (a->transpose_a ? 1 : 2)], k = x->dims[x->rank - (a->transpose_a ? 2 : 1)];
        int64_t k2 = y->dims[y->rank - (a->transpose_b ? 1 : 2)], n = y->dims[y->rank - (a->transpose_b ? 2 : 1)];
        if (k == k2 && am_shape_broadcast(&x_batch, &y_batch, &shape)) {
            shape.dims[shape.rank++] = m;
            shape.dims[shape.rank++] = n;
            return am_infer_one(c, c->inputs[0]->dtype, &shape);
        }
    }
    return am_error(AM_INVALID_ARGUMENT, "shapes %s%s and %s%s do not fit", am_shape_text(x, x_text),
                    a->transpose_a ? "^T" : "", am_shape_text(y, y_text), a->transpose_b ? "^T" : "");
}

am_value am_matmul(am_builder *b, am_value x, am_value y, bool transpose_x, bool transpose_y)
{
    am_matmul_attributes a = {.transpose_a = transpose_x, .transpose_b = transpose_y};
    return am_add_node(b, AM_OP_MATMUL, (am_value[]){x, y}, 2, &a, NULL);
}

static const am_field fields[] = {AM_FIELD(am_matmul_attributes, BOOL, transpose_a),
                                  AM_FIELD(am_matmul_attributes, BOOL, transpose_b), AM_FIELDS_END};

const am_op am_op_matmul = {
    .name = "matmul",
    .summary = "Matrix product of the last two dimensions, leading ones broadcast.",
    .min_inputs = 2,
    .max_inputs = 2,
    .fields = fields,
    .attributes_bytes = sizeof(am_matmul_attributes),
    .infer = infer,
};
