#include "graph/ops.h"
#include "targets/openvino/lower.h"

#include <stdio.h>

static am_ir_value lower_reshape(am_ir *ir, const am_node *node)
{
    return am_ov_reshape(ir, am_ov_input(ir, node, 0), &am_node_out(ir->graph, node)->shape);
}

static am_ir_value lower_permute(am_ir *ir, const am_node *node)
{
    AM_OV_ATTRIBUTES(am_permute_attributes);
    return am_ir_add2(ir, "Transpose", "opset1", "", am_ov_input(ir, node, 0), am_ir_shape(ir, &a->order));
}

static am_ir_value lower_broadcast(am_ir *ir, const am_node *node)
{
    return am_ir_add2(ir, "Broadcast", "opset3", "mode=\"numpy\"", am_ov_input(ir, node, 0),
                      am_ir_shape(ir, &am_node_out(ir->graph, node)->shape));
}

/* A stop below 0 would count from the end, so that walking down to index 0 stops far below it. */
static am_ir_value lower_slice(am_ir *ir, const am_node *node)
{
    AM_OV_ATTRIBUTES(am_slice_attributes);
    int64_t stop = a->start + a->count * a->step;
    if (stop < 0) stop = -INT32_MAX;
    am_ir_value inputs[] = {am_ov_input(ir, node, 0), am_ir_integers(ir, &a->start, 1), am_ir_integers(ir, &stop, 1),
                            am_ir_integers(ir, &a->step, 1), am_ir_integers(ir, &a->axis, 1)};
    return am_ir_add(ir, "Slice", "opset8", "", inputs, 5, 1);
}

/* Halves side by side, which is how rotary position embeddings end. */
static bool is_two_halves(const am_ir *ir, const am_node *node)
{
    AM_OV_ATTRIBUTES(am_axis_attributes);
    if (node->input_count != 2) return false;
    const am_shape *x = &am_node_in(ir->graph, node, 0)->shape, *y = &am_node_in(ir->graph, node, 1)->shape;
    return x->rank < AM_RANK_LIMIT && a->axis == x->rank - 1 && am_shape_equal(x, y);
}

/* [.., n] and [.., n] by way of [.., 2, n]. OpenVINO 2026.4.1 makes a RoPE of halves put together directly, and writes
   it to a file without the width of its tables: read again it reads beyond their ends. */
static am_ir_value lower_halves(am_ir *ir, const am_node *node)
{
    am_shape one = am_node_in(ir->graph, node, 0)->shape;
    char axis[32];
    snprintf(axis, sizeof axis, "axis=\"%d\"", one.rank - 1);
    one.dims[one.rank] = one.dims[one.rank - 1];
    one.dims[one.rank++ - 1] = 1;
    am_ir_value x = am_ov_reshape(ir, am_ov_input(ir, node, 0), &one);
    am_ir_value y = am_ov_reshape(ir, am_ov_input(ir, node, 1), &one);
    return am_ov_reshape(ir, am_ir_add2(ir, "Concat", "opset1", axis, x, y), &am_node_out(ir->graph, node)->shape);
}

static am_ir_value lower_concat(am_ir *ir, const am_node *node)
{
    AM_OV_ATTRIBUTES(am_axis_attributes);
    if (ir->for_file && is_two_halves(ir, node)) return lower_halves(ir, node);
    am_ir_value inputs[AM_IR_INPUTS];
    am_buffer text = {0};
    for (int i = 0; i < node->input_count; i++) inputs[i] = am_ov_input(ir, node, i);
    am_buffer_printf(&text, "axis=\"%lld\"", (long long)a->axis);
    am_ir_value y = am_ir_add(ir, "Concat", "opset1", am_buffer_text(&text), inputs, node->input_count, 1);
    am_buffer_deinit(&text);
    return y;
}

static bool supports_pad(const am_graph *graph, const am_node *node, am_reason *why)
{
    AM_OV_ATTRIBUTES(am_pad_attributes);
    (void)graph;
    return a->mode != AM_PAD_CIRCULAR || am_reason_no(why, "openvino has no circular padding");
}

static am_ir_value lower_pad(am_ir *ir, const am_node *node)
{
    static const char *const modes[] = {[AM_PAD_CONSTANT] = "pad_mode=\"constant\"",
                                        [AM_PAD_REFLECT] = "pad_mode=\"reflect\"",
                                        [AM_PAD_REPLICATE] = "pad_mode=\"edge\""};
    AM_OV_ATTRIBUTES(am_pad_attributes);
    am_ir_value inputs[] = {am_ov_input(ir, node, 0), am_ir_shape(ir, &a->before), am_ir_shape(ir, &a->after),
                            am_ir_scalar(ir, am_node_out(ir->graph, node)->dtype, a->value)};
    return am_ir_add(ir, "Pad", "opset12", modes[a->mode], inputs, a->mode == AM_PAD_CONSTANT ? 4 : 3, 1);
}

/* Reals go into integers by way of a clamp, for conversion itself does not saturate; NaN becomes 0. */
static am_ir_value real_to_integer(am_ir *ir, am_ir_value x)
{
    am_ir_value is_number = am_ir_binary(ir, "Equal", "opset1", x, x);
    am_ir_value inputs[] = {is_number, x, am_ir_scalar(ir, AM_F32, 0)};
    x = am_ir_add(ir, "Select", "opset1", "auto_broadcast=\"numpy\"", inputs, 3, 1);
    am_ir_value large = am_ir_binary(ir, "GreaterEqual", "opset1", x, am_ir_scalar(ir, AM_F32, 0x1p31));
    am_ir_value bounded = am_ir_add1(ir, "Clamp", "opset1", "min=\"-2147483648\" max=\"2147483520\"", x);
    am_ir_value whole[] = {large, am_ir_scalar(ir, AM_I32, INT32_MAX), am_ir_convert(ir, bounded, AM_I32)};
    return am_ir_add(ir, "Select", "opset1", "auto_broadcast=\"numpy\"", whole, 3, 1);
}

static am_ir_value lower_cast(am_ir *ir, const am_node *node)
{
    AM_OV_ATTRIBUTES(am_cast_attributes);
    am_dtype from = am_node_in(ir->graph, node, 0)->dtype;
    am_ir_value x = am_ov_input(ir, node, 0);
    if (from == AM_BF16 || from == AM_F16) from = AM_F32;
    if (from == a->dtype) return x;
    if (a->dtype == AM_BOOL) return am_ir_binary(ir, "NotEqual", "opset1", x, am_ir_scalar(ir, from, 0));
    if (from == AM_F32 && a->dtype == AM_I32) return real_to_integer(ir, x);
    return am_ir_convert(ir, x, a->dtype);
}

const am_ov_lowering am_ov_movement[] = {
    {AM_OP_RESHAPE, NULL, lower_reshape},     {AM_OP_PERMUTE, NULL, lower_permute},
    {AM_OP_BROADCAST, NULL, lower_broadcast}, {AM_OP_SLICE, NULL, lower_slice},
    {AM_OP_CONCAT, NULL, lower_concat},       {AM_OP_PAD, supports_pad, lower_pad},
    {AM_OP_CAST, NULL, lower_cast},           {AM_OP_COUNT, NULL, NULL},
};
