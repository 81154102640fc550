#include "graph/ops/check.h"
#include "graph/ops/window.h"

static am_status check(const am_infer *c, int spatial)
{
    const am_convolution_attributes *a = c->attributes;
    const am_shape *x = &c->inputs[0]->shape, *w = &c->inputs[1]->shape;
    const am_shape *const lists[] = {&a->stride, &a->dilation, &a->padding_before, &a->padding_after};
    char x_text[AM_SHAPE_TEXT], w_text[AM_SHAPE_TEXT];
    int64_t groups = a->groups ? a->groups : 1;
    AM_TRY(am_check_float(c, 0));
    AM_TRY(am_check_float(c, 1));
    if (spatial < 1 || spatial > 3)
        return am_error(AM_INVALID_ARGUMENT, "%d spatial dimensions, expected 1 to 3", spatial);
    AM_TRY(am_check_rank(c, 1, x->rank));
    AM_TRY(am_window_check_lists(lists, 4, spatial));
    if (groups < 1 || x->dims[1] % groups != 0 || w->dims[0] % groups != 0 || w->dims[1] != x->dims[1] / groups)
        return am_error(AM_INVALID_ARGUMENT, "input %s does not fit weight %s in %lld groups", am_shape_text(x, x_text),
                        am_shape_text(w, w_text), (long long)groups);
    am_shape bias = am_shape_of(w->dims[0]);
    AM_TRY(am_check_float(c, 2));
    return am_check_shape(c, 2, &bias);
}

static am_status infer(am_infer *c)
{
    const am_convolution_attributes *a = c->attributes;
    am_shape shape = c->inputs[0]->shape;
    int spatial = shape.rank - 2;
    AM_TRY(check(c, spatial));
    for (int i = 0; i < spatial; i++) {
        am_window window = {.size = shape.dims[i + 2],
                            .kernel = c->inputs[1]->shape.dims[i + 2],
                            .stride = am_window_number(&a->stride, i, 1),
                            .dilation = am_window_number(&a->dilation, i, 1),
                            .before = am_window_number(&a->padding_before, i, 0),
                            .after = am_window_number(&a->padding_after, i, 0)};
        AM_TRY(am_window_places(&window, &shape.dims[i + 2]));
    }
    shape.dims[1] = c->inputs[1]->shape.dims[0];
    return am_infer_one(c, c->inputs[0]->dtype, &shape);
}

am_value am_convolution(am_builder *b, am_value x, am_value weight, am_value bias,
                        const am_convolution_attributes *options)
{
    am_value inputs[] = {x, am_cast_like(b, weight, x), am_cast_like(b, bias, x)};
    return am_add_node(b, AM_OP_CONVOLUTION, inputs, 3, options, NULL);
}

static const am_field fields[] = {
    AM_FIELD(am_convolution_attributes, INTS, stride),         AM_FIELD(am_convolution_attributes, INTS, dilation),
    AM_FIELD(am_convolution_attributes, INTS, padding_before), AM_FIELD(am_convolution_attributes, INTS, padding_after),
    AM_FIELD(am_convolution_attributes, INT, groups),          AM_FIELDS_END};

const am_op am_op_convolution = {
    .name = "convolution",
    .summary = "Convolution over one to three spatial dimensions with stride, dilation, padding and groups.",
    .min_inputs = 2,
    .max_inputs = 3,
    .fields = fields,
    .attributes_bytes = sizeof(am_convolution_attributes),
    .infer = infer,
};
