#include "graph/ops/check.h"
#include "graph/ops/window.h"

static am_status infer(am_infer *c)
{
    const am_unfold_attributes *a = c->attributes;
    int64_t kernel = 1, positions = 1;
    if (c->inputs[0]->dtype == AM_BOOL) return am_error(AM_INVALID_ARGUMENT, "sums are not defined for bool");
    AM_TRY(am_check_rank(c, 0, 3));
    AM_TRY(am_unfold_check(a, a->output.rank));
    const am_shape *x = &c->inputs[0]->shape;
    am_shape shape = {.rank = 2 + a->output.rank, .dims = {x->dims[0]}};
    for (int i = 0; i < a->output.rank; i++) {
        int64_t places;
        am_window window = am_unfold_window(a, i, a->output.dims[i]);
        if (window.size < 0 || window.size > INT32_MAX)
            return am_error(AM_INVALID_ARGUMENT, "output size %lld is not in 0..2^31", (long long)window.size);
        AM_TRY(am_window_places(&window, &places));
        if (__builtin_mul_overflow(kernel, window.kernel, &kernel) ||
            __builtin_mul_overflow(positions, places, &positions))
            return am_error(AM_OUT_OF_RANGE, "the windows are too many");
        shape.dims[2 + i] = window.size;
    }
    if (x->dims[1] % kernel || x->dims[2] != positions)
        return am_error(AM_INVALID_ARGUMENT, "input 0 must be [B, C * %lld, %lld], found [%lld, %lld, %lld]",
                        (long long)kernel, (long long)positions, (long long)x->dims[0], (long long)x->dims[1],
                        (long long)x->dims[2]);
    shape.dims[1] = x->dims[1] / kernel;
    return am_infer_one(c, c->inputs[0]->dtype, &shape);
}

am_value am_fold(am_builder *b, am_value x, const am_unfold_attributes *options)
{
    return am_add_node(b, AM_OP_FOLD, &x, 1, options, NULL);
}

static const am_field fields[] = {AM_FIELD(am_unfold_attributes, INTS, kernel),
                                  AM_FIELD(am_unfold_attributes, INTS, stride),
                                  AM_FIELD(am_unfold_attributes, INTS, dilation),
                                  AM_FIELD(am_unfold_attributes, INTS, padding_before),
                                  AM_FIELD(am_unfold_attributes, INTS, padding_after),
                                  AM_FIELD(am_unfold_attributes, INTS, output),
                                  AM_FIELDS_END};

const am_op am_op_fold = {
    .name = "fold",
    .summary = "Columns [B, C * kernel, positions] put back as windows of [B, C, spatial..], overlaps summed "
               "(torch.nn.Fold).",
    .min_inputs = 1,
    .max_inputs = 1,
    .fields = fields,
    .attributes_bytes = sizeof(am_unfold_attributes),
    .infer = infer,
};
