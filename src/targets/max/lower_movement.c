#include "graph/ops.h"
#include "targets/max/lower.h"

static void lower_reshape(am_mlir *m, const am_node *node, am_mx_value *y)
{
    y[0] = am_mx_reshape(m, am_mx_input(m, node, 0), am_node_out(m->graph, node)->shape);
}

static void lower_permute(am_mlir *m, const am_node *node, am_mx_value *y)
{
    AM_MX_ATTRIBUTES(am_permute_attributes);
    y[0] = am_mx_permute(m, am_mx_input(m, node, 0), &a->order);
}

static void lower_broadcast(am_mlir *m, const am_node *node, am_mx_value *y)
{
    y[0] = am_mx_broadcast(m, am_mx_input(m, node, 0), am_node_out(m->graph, node)->shape);
}

/* MAX steps forward only; what walks backward is gathered. */
static am_mx_value walk(am_mlir *m, am_mx_value x, const am_slice_attributes *a)
{
    am_shape shape = x.shape, places = am_shape_of(a->count);
    int32_t *numbers = am_mx_room(m, places);
    if (!numbers) return x;
    for (int64_t i = 0; i < a->count; i++) numbers[i] = (int32_t)(a->start + i * a->step);
    am_mx_value index = am_mx_cast(m, am_mx_lent(m, AM_I32, places, numbers), AM_I64);
    shape.dims[a->axis] = a->count;
    return am_mx_add2(m, "rmo.mo.gather", am_mx_format(" [axis = %d]", (int)a->axis).text, x, index, x.dtype, shape);
}

static void lower_slice(am_mlir *m, const am_node *node, am_mx_value *y)
{
    AM_MX_ATTRIBUTES(am_slice_attributes);
    am_mx_value x = am_mx_input(m, node, 0);
    int64_t stop = a->start + (a->count - 1) * a->step + 1;
    y[0] = a->step > 0 ? am_mx_slice(m, x, (int)a->axis, a->start, stop, a->step) : walk(m, x, a);
}

static void lower_concat(am_mlir *m, const am_node *node, am_mx_value *y)
{
    AM_MX_ATTRIBUTES(am_axis_attributes);
    am_mx_value inputs[AM_MX_INPUTS];
    const am_value_info *info = am_node_out(m->graph, node);
    for (int i = 0; i < node->input_count; i++) inputs[i] = am_mx_input(m, node, i);
    y[0] = node->input_count == 1 ? inputs[0]
                                  : am_mx_add(m, "rmo.concat", am_mx_format(" [axis = %d : index]", (int)a->axis).text,
                                              inputs, node->input_count, info->dtype, info->shape);
}

/* --- pad --- */

static bool supports_pad(const am_graph *graph, const am_node *node, am_reason *why)
{
    AM_MX_ATTRIBUTES(am_pad_attributes);
    if (a->mode == AM_PAD_CIRCULAR) return am_reason_no(why, "max has no circular padding");
    return am_node_in(graph, node, 0)->dtype != AM_BOOL || am_reason_no(why, "max does not pad bool");
}

/* Negative counts crop. */
static am_mx_value crop(am_mlir *m, am_mx_value x, am_shape *before, am_shape *after)
{
    for (int i = 0; i < before->rank; i++) {
        int64_t start = before->dims[i] < 0 ? -before->dims[i] : 0, size = x.shape.dims[i];
        int64_t stop = after->dims[i] < 0 ? size + after->dims[i] : size;
        x = am_mx_slice(m, x, i, start, stop, 1);
        if (start) before->dims[i] = 0;
        if (stop < size) after->dims[i] = 0;
    }
    return x;
}

static void lower_pad(am_mlir *m, const am_node *node, am_mx_value *y)
{
    AM_MX_ATTRIBUTES(am_pad_attributes);
    const am_shape shape = am_node_out(m->graph, node)->shape;
    am_shape before = a->before, after = a->after;
    int64_t pads[2 * AM_RANK_LIMIT];
    am_mx_value x = crop(m, am_mx_input(m, node, 0), &before, &after);
    y[0] = x;
    if (am_shape_equal(&x.shape, &shape)) return;
    for (int i = 0; i < shape.rank; i++) pads[2 * i] = before.dims[i], pads[2 * i + 1] = after.dims[i];
    am_mx_value inputs[] = {x, am_mx_integers(m, pads, 2 * shape.rank), {0}};
    if (a->mode == AM_PAD_CONSTANT) {
        inputs[2] = am_mx_scalar(m, x.dtype, a->value);
        y[0] = am_mx_add(m, "rmo.mo.pad.constant", "", inputs, 3, x.dtype, shape);
    } else
        y[0] = am_mx_add(m, a->mode == AM_PAD_REFLECT ? "rmo.mo.pad.reflect" : "rmo.mo.pad.repeat", "", inputs, 2,
                         x.dtype, shape);
}

/* --- cast --- */

/* Reals go into integers by way of a clamp, for conversion itself does not saturate; NaN becomes 0. */
static am_mx_value real_to_integer(am_mlir *m, am_mx_value x)
{
    am_mx_value is_nan = am_mx_function(m, AM_IS_NAN, x);
    x = am_mx_select(m, is_nan, am_mx_scalar(m, AM_F32, 0), x);
    am_mx_value large = am_mx_compare(m, "rmo.greater_equal", x, am_mx_scalar(m, AM_F32, 0x1p31));
    am_mx_value bounded = am_mx_with_number(m, "rmo.max", am_mx_with_number(m, "rmo.min", x, 2147483520.0), -0x1p31);
    return am_mx_select(m, large, am_mx_scalar(m, AM_I32, INT32_MAX), am_mx_cast(m, bounded, AM_I32));
}

static bool supports_cast(const am_graph *graph, const am_node *node, am_reason *why)
{
    AM_MX_ATTRIBUTES(am_cast_attributes);
    bool wide = am_node_in(graph, node, 0)->dtype == AM_F64;
    return !wide || a->dtype == AM_F32 || a->dtype == AM_F64 || am_reason_no(why, "input 0 is f64");
}

static void lower_cast(am_mlir *m, const am_node *node, am_mx_value *y)
{
    AM_MX_ATTRIBUTES(am_cast_attributes);
    am_mx_value x = am_mx_input(m, node, 0);
    if (x.dtype == a->dtype) y[0] = x;
    else if (a->dtype == AM_BOOL) y[0] = am_mx_truth(m, x);
    else if (x.dtype == AM_F32 && a->dtype == AM_I32) y[0] = real_to_integer(m, x);
    else y[0] = am_mx_cast(m, x, a->dtype);
}

const am_mx_lowering am_mx_movement[] = {
    {AM_OP_RESHAPE, NULL, lower_reshape},     {AM_OP_PERMUTE, NULL, lower_permute},
    {AM_OP_BROADCAST, NULL, lower_broadcast}, {AM_OP_SLICE, NULL, lower_slice},
    {AM_OP_CONCAT, NULL, lower_concat},       {AM_OP_PAD, supports_pad, lower_pad},
    {AM_OP_CAST, supports_cast, lower_cast},  {AM_OP_COUNT, NULL, NULL},
};
