#include "graph/ops/check.h"

static am_status infer(am_infer *c)
{
    const am_grid_sample_attributes *a = c->attributes;
    const am_shape *x = &c->inputs[0]->shape, *grid = &c->inputs[1]->shape;
    bool cubic = a->mode == AM_RESIZE_CUBIC;
    AM_TRY(am_check_float(c, 0));
    AM_TRY(am_check_float(c, 1));
    if (a->mode != AM_RESIZE_NEAREST && a->mode != AM_RESIZE_LINEAR && !cubic)
        return am_error(AM_INVALID_ARGUMENT, "takes nearest, linear or cubic mode");
    if (a->padding == AM_PAD_CIRCULAR)
        return am_error(AM_INVALID_ARGUMENT, "takes constant, reflect or replicate padding");
    if (x->rank != 4 && (x->rank != 5 || cubic))
        return am_error(AM_INVALID_ARGUMENT, "input 0 must have rank 4%s, found rank %d", cubic ? "" : " or 5",
                        x->rank);
    am_shape expected = *grid, shape = *x;
    expected.rank = x->rank;
    expected.dims[0] = x->dims[0];
    expected.dims[x->rank - 1] = x->rank - 2;
    AM_TRY(am_check_shape(c, 1, &expected));
    for (int i = 2; i < x->rank; i++) {
        if (x->dims[i] < 1) return am_error(AM_INVALID_ARGUMENT, "spatial dimension %d of input 0 is empty", i - 2);
        shape.dims[i] = grid->dims[i - 1];
    }
    return am_infer_one(c, c->inputs[0]->dtype, &shape);
}

am_value am_grid_sample(am_builder *b, am_value x, am_value grid, const am_grid_sample_attributes *options)
{
    return am_add_node(b, AM_OP_GRID_SAMPLE, (am_value[]){x, grid}, 2, options, NULL);
}

static const char *const modes[] = {"nearest", "nearest_exact", "linear", "cubic", "area", NULL};
static const char *const paddings[] = {"constant", "reflect", "replicate", "circular", NULL};
static const am_field fields[] = {AM_FIELD_OF_ENUM(am_grid_sample_attributes, mode, modes),
                                  AM_FIELD_OF_ENUM(am_grid_sample_attributes, padding, paddings),
                                  AM_FIELD(am_grid_sample_attributes, BOOL, align_corners), AM_FIELDS_END};

const am_op am_op_grid_sample = {
    .name = "grid_sample",
    .summary = "Samples [B, C, spatial..] at the places a grid names, in -1..1 (torch.nn.functional.grid_sample).",
    .min_inputs = 2,
    .max_inputs = 2,
    .fields = fields,
    .attributes_bytes = sizeof(am_grid_sample_attributes),
    .infer = infer,
};
