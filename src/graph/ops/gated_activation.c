#include "graph/ops/check.h"

static am_status infer(am_infer *c)
{
    am_shape shape = c->inputs[0]->shape;
    AM_TRY(am_check_float(c, 0));
    if (c->input_count < 2 || !c->inputs[1]) {
        if (shape.rank < 1 || shape.dims[shape.rank - 1] % 2 != 0)
            return am_error(AM_INVALID_ARGUMENT, "a packed input must have an even last dimension");
        shape.dims[shape.rank - 1] /= 2;
    } else {
        AM_TRY(am_check_dtype(c, 1, c->inputs[0]->dtype));
        AM_TRY(am_check_shape(c, 1, &shape));
    }
    return am_infer_one(c, c->inputs[0]->dtype, &shape);
}

static void expand(am_builder *b, const am_node *node, const am_value *in, am_value *out)
{
    const am_gated_activation_attributes *a = node->attributes;
    am_value gate = in[0], up = node->input_count > 1 ? in[1] : AM_NONE;
    if (!up.id) {
        int64_t n = am_dim(b, in[0], -1) / 2;
        gate = am_slice(b, in[0], -1, 0, n);
        up = am_slice(b, in[0], -1, n, AM_SLICE_END);
    }
    out[0] = am_mul(b, am_unary(b, (am_unary_fn)a->fn, gate), up);
}

am_value am_gated_activation(am_builder *b, am_unary_fn fn, am_value gate, am_value up)
{
    am_gated_activation_attributes a = {(int)fn};
    return am_add_node(b, AM_OP_GATED_ACTIVATION, (am_value[]){gate, up}, 2, &a, NULL);
}

static const am_field fields[] = {AM_FIELD_OF_ENUM(am_gated_activation_attributes, fn, am_unary_names), AM_FIELDS_END};

const am_op am_op_gated_activation = {
    .name = "gated_activation",
    .summary = "fn(gate) * up, as in SwiGLU and GeGLU.",
    .min_inputs = 1,
    .max_inputs = 2,
    .fields = fields,
    .attributes_bytes = sizeof(am_gated_activation_attributes),
    .infer = infer,
    .expand = expand,
    .is_composite = true,
};
