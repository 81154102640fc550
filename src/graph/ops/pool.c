#include "graph/ops/check.h"
#include "graph/ops/window.h"

static am_status infer_adaptive(am_infer *c, int spatial)
{
    const am_pool_attributes *a = c->attributes;
    am_shape shape = c->inputs[0]->shape;
    if (a->adaptive.rank != spatial)
        return am_error(AM_INVALID_ARGUMENT, "%d output sizes for %d spatial dimensions", a->adaptive.rank, spatial);
    for (int i = 0; i < spatial; i++) {
        if (a->adaptive.dims[i] < 1 || shape.dims[i + 2] < 1)
            return am_error(AM_INVALID_ARGUMENT, "pooling %lld elements into %lld", (long long)shape.dims[i + 2],
                            (long long)a->adaptive.dims[i]);
        shape.dims[i + 2] = a->adaptive.dims[i];
    }
    return am_infer_one(c, c->inputs[0]->dtype, &shape);
}

static am_status infer(am_infer *c)
{
    const am_pool_attributes *a = c->attributes;
    const am_shape *const lists[] = {&a->kernel, &a->stride, &a->dilation, &a->padding_before, &a->padding_after};
    am_shape shape = c->inputs[0]->shape;
    int spatial = shape.rank - 2;
    AM_TRY(am_check_float(c, 0));
    if (spatial < 1 || spatial > 3)
        return am_error(AM_INVALID_ARGUMENT, "%d spatial dimensions, expected 1 to 3", spatial);
    if (a->adaptive.rank) return infer_adaptive(c, spatial);
    if (a->kernel.rank != spatial)
        return am_error(AM_INVALID_ARGUMENT, "a kernel of %d sizes for %d spatial dimensions", a->kernel.rank, spatial);
    AM_TRY(am_window_check_lists(lists, 5, spatial));
    for (int i = 0; i < spatial; i++) {
        am_window window = {.size = shape.dims[i + 2],
                            .kernel = a->kernel.dims[i],
                            .stride = am_window_number(&a->stride, i, a->kernel.dims[i]),
                            .dilation = am_window_number(&a->dilation, i, 1),
                            .before = am_window_number(&a->padding_before, i, 0),
                            .after = am_window_number(&a->padding_after, i, 0),
                            .ceil_mode = a->ceil_mode};
        AM_TRY(am_window_places(&window, &shape.dims[i + 2]));
    }
    return am_infer_one(c, c->inputs[0]->dtype, &shape);
}

am_value am_pool(am_builder *b, am_value x, const am_pool_attributes *options)
{
    return am_add_node(b, AM_OP_POOL, &x, 1, options, NULL);
}

static const char *const functions[] = {"max", "average", NULL};
static const am_field fields[] = {
    AM_FIELD_OF_ENUM(am_pool_attributes, fn, functions), AM_FIELD(am_pool_attributes, INTS, kernel),
    AM_FIELD(am_pool_attributes, INTS, stride),          AM_FIELD(am_pool_attributes, INTS, dilation),
    AM_FIELD(am_pool_attributes, INTS, padding_before),  AM_FIELD(am_pool_attributes, INTS, padding_after),
    AM_FIELD(am_pool_attributes, BOOL, count_padding),   AM_FIELD(am_pool_attributes, BOOL, ceil_mode),
    AM_FIELD(am_pool_attributes, INTS, adaptive),        AM_FIELDS_END};

const am_op am_op_pool = {
    .name = "pool",
    .summary = "Maximum or average of sliding windows, or adaptive pooling to given sizes.",
    .min_inputs = 1,
    .max_inputs = 1,
    .fields = fields,
    .attributes_bytes = sizeof(am_pool_attributes),
    .infer = infer,
};
