#include "graph/ops/check.h"
#include "graph/ops/window.h"

static am_status check_inputs(const am_infer *c, int64_t groups)
{
    const am_shape *x = &c->inputs[0]->shape, *weight = &c->inputs[1]->shape;
    for (int i = 0; i < 3; i++) AM_TRY(am_check_float(c, i));
    AM_TRY(am_check_rank(c, 1, x->rank));
    if (weight->dims[0] != x->dims[1])
        return am_error(AM_INVALID_ARGUMENT, "weight takes %lld channels, found %lld", (long long)weight->dims[0],
                        (long long)x->dims[1]);
    if (groups < 1 || x->dims[1] % groups)
        return am_error(AM_INVALID_ARGUMENT, "%lld channels do not fall into %lld groups", (long long)x->dims[1],
                        (long long)groups);
    return NULL;
}

/* How the result covers one dimension; as in PyTorch, what output_padding adds must be below the stride or
   the dilation. */
static am_status output_size(const am_convolution_attributes *a, int i, int64_t size, int64_t kernel, int64_t *out)
{
    int64_t more = am_window_number(&a->output_padding, i, 0);
    am_window w = {.kernel = kernel,
                   .stride = am_window_number(&a->stride, i, 1),
                   .dilation = am_window_number(&a->dilation, i, 1),
                   .before = am_window_number(&a->padding_before, i, 0),
                   .after = am_window_number(&a->padding_after, i, 0)};
    AM_TRY(am_window_check(&w));
    if (more < 0 || (more >= w.stride && more >= w.dilation))
        return am_error(AM_INVALID_ARGUMENT, "output_padding %lld is not below the stride or the dilation",
                        (long long)more);
    if (size < 1 || size > INT32_MAX)
        return am_error(AM_INVALID_ARGUMENT, "spatial dimension %d must have 1..2^31 elements, found %lld", i,
                        (long long)size);
    *out = (size - 1) * w.stride - w.before - w.after + w.dilation * (w.kernel - 1) + more + 1;
    if (*out >= 0) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "the paddings of spatial dimension %d are larger than the result", i);
}

static am_status infer(am_infer *c)
{
    const am_convolution_attributes *a = c->attributes;
    const am_shape *const lists[] = {&a->stride, &a->dilation, &a->padding_before, &a->padding_after,
                                     &a->output_padding};
    const am_shape *x = &c->inputs[0]->shape, *weight = &c->inputs[1]->shape;
    int64_t groups = a->groups ? a->groups : 1;
    int spatial = x->rank - 2;
    am_shape shape = *x;
    if (spatial < 1 || spatial > 3)
        return am_error(AM_INVALID_ARGUMENT, "%d spatial dimensions, expected 1 to 3", spatial);
    AM_TRY(check_inputs(c, groups));
    AM_TRY(am_window_check_lists(lists, 5, spatial));
    if (__builtin_mul_overflow(weight->dims[1], groups, &shape.dims[1]))
        return am_error(AM_OUT_OF_RANGE, "too many output channels");
    am_shape bias = am_shape_of(shape.dims[1]);
    AM_TRY(am_check_shape(c, 2, &bias));
    for (int i = 0; i < spatial; i++)
        AM_TRY(output_size(a, i, x->dims[2 + i], weight->dims[2 + i], &shape.dims[2 + i]));
    return am_infer_one(c, c->inputs[0]->dtype, &shape);
}

am_value am_conv_transpose(am_builder *b, am_value x, am_value weight, am_value bias,
                           const am_convolution_attributes *options)
{
    am_value inputs[] = {x, am_cast_like(b, weight, x), am_cast_like(b, bias, x)};
    return am_add_node(b, AM_OP_CONV_TRANSPOSE, inputs, 3, options, NULL);
}

static const am_field fields[] = {AM_FIELD(am_convolution_attributes, INTS, stride),
                                  AM_FIELD(am_convolution_attributes, INTS, dilation),
                                  AM_FIELD(am_convolution_attributes, INTS, padding_before),
                                  AM_FIELD(am_convolution_attributes, INTS, padding_after),
                                  AM_FIELD(am_convolution_attributes, INTS, output_padding),
                                  AM_FIELD(am_convolution_attributes, INT, groups),
                                  AM_FIELDS_END};

const am_op am_op_conv_transpose = {
    .name = "conv_transpose",
    .summary = "Transposed convolution over 1 to 3 spatial dimensions: every input element adds its multiple "
               "of the kernel.",
    .min_inputs = 2,
    .max_inputs = 3,
    .fields = fields,
    .attributes_bytes = sizeof(am_convolution_attributes),
    .infer = infer,
};
