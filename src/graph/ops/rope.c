#include "graph/ops/check.h"

static am_status infer(am_infer *c)
{
    const am_shape *x = &c->inputs[0]->shape, *table = &c->inputs[1]->shape;
    char x_text[AM_SHAPE_TEXT], t_text[AM_SHAPE_TEXT];
    AM_TRY(am_check_float(c, 0));
    AM_TRY(am_check_rank(c, 0, 4));
    AM_TRY(am_check_rank(c, 1, 3));
    AM_TRY(am_check_dtype(c, 1, c->inputs[0]->dtype));
    AM_TRY(am_check_dtype(c, 2, c->inputs[0]->dtype));
    AM_TRY(am_check_shape(c, 2, table));
    bool fits = (table->dims[0] == 1 || table->dims[0] == x->dims[0]) && table->dims[1] == x->dims[1] &&
                table->dims[2] * 2 <= x->dims[3];
    if (!fits)
        return am_error(AM_INVALID_ARGUMENT, "tables of shape %s for heads of shape %s", am_shape_text(table, t_text),
                        am_shape_text(x, x_text));
    return am_infer_one(c, c->inputs[0]->dtype, x);
}

static void expand(am_builder *b, const am_node *node, const am_value *in, am_value *out)
{
    const am_rope_attributes *a = node->attributes;
    am_shape s = am_shape_of_value(b, in[0]);
    int64_t half = am_dim(b, in[1], 2);
    am_value cos = am_unsqueeze(b, in[1], 2), sin = am_unsqueeze(b, in[2], 2), first, second;
    am_value rotated = am_slice(b, in[0], 3, 0, 2 * half), rest = am_slice(b, in[0], 3, 2 * half, AM_SLICE_END);
    if (a->interleaved) {
        am_value pairs = am_reshape(b, rotated, am_shape_of(s.dims[0], s.dims[1], s.dims[2], half, 2));
        first = am_index(b, pairs, 4, 0);
        second = am_index(b, pairs, 4, 1);
    } else {
        first = am_slice(b, rotated, 3, 0, half);
        second = am_slice(b, rotated, 3, half, AM_SLICE_END);
    }
    am_value x = am_sub(b, am_mul(b, first, cos), am_mul(b, second, sin));
    am_value y = am_add(b, am_mul(b, second, cos), am_mul(b, first, sin));
    if (a->interleaved) {
        am_value pairs = am_concat2(b, am_unsqueeze(b, x, 4), am_unsqueeze(b, y, 4), 4);
        rotated = am_reshape(b, pairs, am_shape_of(s.dims[0], s.dims[1], s.dims[2], 2 * half));
    } else rotated = am_concat2(b, x, y, 3);
    out[0] = 2 * half == s.dims[3] ? rotated : am_concat2(b, rotated, rest, 3);
}

am_value am_rope_op(am_builder *b, am_value x, am_value cos, am_value sin, bool interleaved)
{
    am_rope_attributes a = {interleaved};
    return am_add_node(b, AM_OP_ROPE, (am_value[]){x, cos, sin}, 3, &a, NULL);
}

static const am_field fields[] = {AM_FIELD(am_rope_attributes, BOOL, interleaved), AM_FIELDS_END};

const am_op am_op_rope = {
    .name = "rope",
    .summary = "Rotary position embedding of the first dimensions of each head, from tables of cosines and sines.",
    .min_inputs = 3,
    .max_inputs = 3,
    .fields = fields,
    .attributes_bytes = sizeof(am_rope_attributes),
    .infer = infer,
    .expand = expand,
    .is_composite = true,
};
