#include "graph/ops/check.h"
#include "graph/ops/window.h"

static am_status infer(am_infer *c)
{
    const am_unfold_attributes *a = c->attributes;
    const am_shape *x = &c->inputs[0]->shape;
    int64_t positions = 1, rows = x->dims[1];
    AM_TRY(am_unfold_check(a, x->rank - 2));
    for (int i = 0; i < a->kernel.rank; i++) {
        int64_t places;
        am_window window = am_unfold_window(a, i, x->dims[2 + i]);
        AM_TRY(am_window_places(&window, &places));
        if (__builtin_mul_overflow(rows, window.kernel, &rows) || __builtin_mul_overflow(positions, places, &positions))
            return am_error(AM_OUT_OF_RANGE, "the result is too large");
    }
    am_shape shape = am_shape_of(x->dims[0], rows, positions);
    return am_infer_one(c, c->inputs[0]->dtype, &shape);
}

am_value am_unfold(am_builder *b, am_value x, const am_unfold_attributes *options)
{
    am_unfold_attributes a = *options;
    a.output.rank = 0;
    return am_add_node(b, AM_OP_UNFOLD, &x, 1, &a, NULL);
}

static const am_field fields[] = {
    AM_FIELD(am_unfold_attributes, INTS, kernel),        AM_FIELD(am_unfold_attributes, INTS, stride),
    AM_FIELD(am_unfold_attributes, INTS, dilation),      AM_FIELD(am_unfold_attributes, INTS, padding_before),
    AM_FIELD(am_unfold_attributes, INTS, padding_after), AM_FIELDS_END};

const am_op am_op_unfold = {
    .name = "unfold",
    .summary = "The windows of [B, C, spatial..] as columns [B, C * kernel, positions], zeros outside "
               "(torch.nn.Unfold).",
    .min_inputs = 1,
    .max_inputs = 1,
    .fields = fields,
    .attributes_bytes = sizeof(am_unfold_attributes),
    .infer = infer,
};
