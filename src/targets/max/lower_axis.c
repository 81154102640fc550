#include "graph/ops.h"
#include "targets/max/lower.h"

#include <math.h>
#include <string.h>

/* --- reduce --- */

static const char *const reduce_forms[] = {
    [AM_REDUCE_SUM] = "rmo.mo.reduce.add",  [AM_REDUCE_MEAN] = "rmo.mo.reduce.mean",
    [AM_REDUCE_MAX] = "rmo.mo.reduce.max",  [AM_REDUCE_MIN] = "rmo.mo.reduce.min",
    [AM_REDUCE_PROD] = "rmo.mo.reduce.mul", [AM_REDUCE_ANY] = "rmo.mo.reduce.max",
    [AM_REDUCE_ALL] = "rmo.mo.reduce.min"};

/* Along one axis, kept with size 1. */
static am_mx_value reduce_axis(am_mlir *m, const char *form, am_mx_value x, int64_t axis, am_dtype dtype)
{
    am_shape shape = x.shape;
    shape.dims[axis] = 1;
    return am_mx_add1(m, form, am_mx_format(" [axis = %d]", (int)axis).text, x, dtype, shape);
}

/* Whether any element along the axes is NaN, as 0 or 1 of I32: MAX's own maxima and minima leave NaN out. */
static am_mx_value any_nan(am_mlir *m, am_mx_value x, const am_shape *axes)
{
    am_mx_value y = am_mx_cast(m, am_mx_function(m, AM_IS_NAN, x), AM_I32);
    for (int i = 0; i < axes->rank; i++) y = reduce_axis(m, "rmo.mo.reduce.max", y, axes->dims[i], AM_I32);
    return am_mx_truth(m, y);
}

static void lower_reduce(am_mlir *m, const am_node *node, am_mx_value *y)
{
    AM_MX_ATTRIBUTES(am_reduce_attributes);
    bool logical = a->fn == AM_REDUCE_ANY || a->fn == AM_REDUCE_ALL;
    bool loses_nan = a->fn == AM_REDUCE_MAX || a->fn == AM_REDUCE_MIN;
    am_mx_value x = am_mx_input(m, node, 0), from = x;
    if (logical) x = am_mx_cast(m, x, AM_I32);
    for (int i = 0; i < a->axes.rank; i++) x = reduce_axis(m, reduce_forms[a->fn], x, a->axes.dims[i], x.dtype);
    if (logical) x = am_mx_truth(m, x);
    if (loses_nan && from.dtype == AM_F32)
        x = am_mx_select(m, any_nan(m, from, &a->axes), am_mx_scalar(m, AM_F32, NAN), x);
    y[0] = am_mx_reshape(m, x, am_node_out(m->graph, node)->shape);
}

/* --- order --- */

static bool supports_order(const am_graph *graph, const am_node *node, am_reason *why)
{
    if (am_node_in(graph, node, 0)->dtype == AM_F32) return true;
    return am_reason_no(why, "max orders reals only");
}

static void lower_arg_reduce(am_mlir *m, const am_node *node, am_mx_value *y)
{
    AM_MX_ATTRIBUTES(am_arg_reduce_attributes);
    const char *form = a->is_min ? "rmo.mo.reduce.arg_min" : "rmo.mo.reduce.arg_max";
    am_mx_value x = am_mx_input(m, node, 0), best = reduce_axis(m, form, x, a->axis, AM_I64);
    am_shape axes = am_shape_of(a->axis);
    am_mx_value is_nan = am_mx_cast(m, am_mx_function(m, AM_IS_NAN, x), AM_F32);
    am_mx_value first_nan = reduce_axis(m, "rmo.mo.reduce.arg_max", is_nan, a->axis, AM_I64);
    best = am_mx_select(m, any_nan(m, x, &axes), first_nan, best);
    y[0] = am_mx_cast(m, am_mx_reshape(m, best, am_node_out(m->graph, node)->shape), AM_I32);
}

/* --- scan --- */

static bool supports_scan(const am_graph *graph, const am_node *node, am_reason *why)
{
    AM_MX_ATTRIBUTES(am_scan_attributes);
    (void)graph;
    return a->fn == AM_REDUCE_SUM || am_reason_no(why, "max has no running %s", am_reduce_names[a->fn]);
}

static void lower_scan(am_mlir *m, const am_node *node, am_mx_value *y)
{
    AM_MX_ATTRIBUTES(am_scan_attributes);
    am_mx_value x = am_mx_input(m, node, 0);
    am_mx_value wide = x.dtype == AM_I32 ? am_mx_cast(m, x, AM_I64) : x;
    am_mx_text text =
        am_mx_format(" [axis = %d, exclusive = %d, reverse = %d]", (int)a->axis, a->exclusive, a->reverse);
    y[0] = am_mx_cast(m, am_mx_add1(m, "rmo.mo.cumsum", text.text, wide, wide.dtype, wide.shape), x.dtype);
}

/* --- softmax --- */

/* MAX 26.7 fuses a sum into the softmax behind it, and its compiler dies where an operand of that sum is an argument of
   the graph: such a softmax is taken in parts. */
static bool supports_softmax(const am_graph *graph, const am_node *node, am_reason *why)
{
    const am_node *from = am_graph_producer(graph, node->inputs[0]);
    if (am_node_in(graph, node, 0)->dtype != AM_F32) return am_reason_no(why, "max has softmax of f32 only");
    if (from->op != AM_OP_BINARY || ((const am_binary_attributes *)from->attributes)->fn != AM_ADD) return true;
    for (int i = 0; i < 2; i++)
        if (am_graph_producer(graph, from->inputs[i])->op == AM_OP_INPUT)
            return am_reason_no(why, "max 26.7 cannot compile softmax of an input plus something");
    return true;
}

static void lower_softmax(am_mlir *m, const am_node *node, am_mx_value *y)
{
    AM_MX_ATTRIBUTES(am_softmax_attributes);
    am_mx_value x = am_mx_input(m, node, 0);
    y[0] = am_mx_add1(m, a->log ? "rmo.mo.reduce.logsoftmax" : "rmo.mo.reduce.softmax",
                      am_mx_format(" [axis = %d]", (int)a->axis).text, x, x.dtype, x.shape);
}

/* --- norm --- */

static bool supports_norm(const am_graph *graph, const am_node *node, am_reason *why)
{
    AM_MX_ATTRIBUTES(am_norm_attributes);
    if (am_node_in(graph, node, 0)->dtype != AM_F32) return am_reason_no(why, "max norms f32 only");
    return a->kind == AM_NORM_LAYER || a->kind == AM_NORM_RMS || am_reason_no(why, "max takes it expanded");
}

/* The weight or bias of the norm, or its neutral element. */
static am_mx_value scale(am_mlir *m, const am_node *node, int i, float neutral)
{
    const am_shape *x = &am_node_in(m->graph, node, 0)->shape;
    am_shape shape = am_shape_of(x->dims[x->rank - 1]);
    if (am_node_has(node, i)) return am_mx_input(m, node, i);
    float *numbers = am_mx_room(m, shape);
    for (int64_t k = 0; numbers && k < shape.dims[0]; k++) numbers[k] = neutral;
    return am_mx_lent(m, AM_F32, shape, numbers);
}

static am_mx_value layer_norm(am_mlir *m, const am_node *node, const am_norm_attributes *a)
{
    am_mx_value weight = scale(m, node, 1, 1);
    if (a->weight_offset != 0 && am_node_has(node, 1))
        weight = am_mx_with_number(m, "rmo.add", weight, a->weight_offset);
    am_mx_value inputs[] = {am_mx_input(m, node, 0), weight, scale(m, node, 2, 0), am_mx_scalar(m, AM_F32, a->eps)};
    return am_mx_add(m, "mo.reduce.layer_norm", "", inputs, 4, AM_F32, inputs[0].shape);
}

static uint32_t bits_of(double number)
{
    float narrow = (float)number;
    uint32_t bits;
    memcpy(&bits, &narrow, sizeof bits);
    return bits;
}

static am_mx_value rms_norm(am_mlir *m, const am_node *node, const am_norm_attributes *a)
{
    am_buffer text = {0};
    am_buffer_printf(&text,
                     " {epsilon = #M.dense_array<0x%08X> : tensor<f32>, weight_offset = #M.dense_array<0x%08X> : "
                     "tensor<f32>, multiply_before_cast = true}",
                     bits_of(a->eps), bits_of(am_node_has(node, 1) ? a->weight_offset : 0));
    am_mx_value x = am_mx_input(m, node, 0);
    am_mx_value y =
        am_mx_add2(m, "mo.reduce.rms_norm", am_buffer_text(&text), x, scale(m, node, 1, 1), AM_F32, x.shape);
    am_buffer_deinit(&text);
    return am_node_has(node, 2) ? am_mx_binary(m, "rmo.add", y, am_mx_input(m, node, 2)) : y;
}

static void lower_norm(am_mlir *m, const am_node *node, am_mx_value *y)
{
    AM_MX_ATTRIBUTES(am_norm_attributes);
    y[0] = a->kind == AM_NORM_LAYER ? layer_norm(m, node, a) : rms_norm(m, node, a);
}

const am_mx_lowering am_mx_axis[] = {
    {AM_OP_REDUCE, NULL, lower_reduce},      {AM_OP_ARG_REDUCE, supports_order, lower_arg_reduce},
    {AM_OP_SCAN, supports_scan, lower_scan}, {AM_OP_SOFTMAX, supports_softmax, lower_softmax},
    {AM_OP_NORM, supports_norm, lower_norm}, {AM_OP_COUNT, NULL, NULL},
};
