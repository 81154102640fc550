#include "graph/ops.h"
#include "targets/openvino/lower.h"

/* --- reduce --- */

static const char *const reduce_types[] = {
    [AM_REDUCE_SUM] = "ReduceSum",       [AM_REDUCE_MEAN] = "ReduceMean", [AM_REDUCE_MAX] = "ReduceMax",
    [AM_REDUCE_MIN] = "ReduceMin",       [AM_REDUCE_PROD] = "ReduceProd", [AM_REDUCE_ANY] = "ReduceLogicalOr",
    [AM_REDUCE_ALL] = "ReduceLogicalAnd"};

/* Axes are kept and dropped by a reshape: OpenVINO 2026.4 gives an addition of a constant that follows a reduction
   without them the wrong element of the constant (test targets_openvino__a_constant_beside_a_reduction_is_its_own). */
static am_ir_value lower_reduce(am_ir *ir, const am_node *node)
{
    AM_OV_ATTRIBUTES(am_reduce_attributes);
    am_ir_value x = am_ov_input(ir, node, 0);
    if (a->axes.rank == 0) return x;
    am_ir_value y = am_ir_add2(ir, reduce_types[a->fn], "opset1", "keep_dims=\"true\"", x, am_ir_shape(ir, &a->axes));
    return a->keep_dims ? y : am_ov_reshape(ir, y, &am_node_out(ir->graph, node)->shape);
}

/* --- order --- */

static am_ir_value top_k(am_ir *ir, am_ir_value x, int64_t axis, int64_t k, bool smallest)
{
    am_buffer text = {0};
    am_buffer_printf(&text, "axis=\"%lld\" mode=\"%s\" sort=\"value\" index_element_type=\"i32\" stable=\"true\"",
                     (long long)axis, smallest ? "min" : "max");
    am_ir_value inputs[] = {x, am_ir_integer(ir, k)};
    am_ir_value y = am_ir_add(ir, "TopK", "opset11", am_buffer_text(&text), inputs, 2, 2);
    am_buffer_deinit(&text);
    return y;
}

static bool supports_order(const am_graph *graph, const am_node *node, am_reason *why)
{
    if (am_node_in(graph, node, 0)->dtype != AM_BOOL) return true;
    return am_reason_no(why, "openvino does not order bool");
}

static bool supports_top_k(const am_graph *graph, const am_node *node, am_reason *why)
{
    AM_OV_ATTRIBUTES(am_top_k_attributes);
    if (a->torch_equals) return am_reason_no(why, "openvino takes others of equals than torch");
    return supports_order(graph, node, why);
}

/* The first place that holds the best: TopK with k = 1 gives any of equals. */
static am_ir_value lower_arg_reduce(am_ir *ir, const am_node *node)
{
    AM_OV_ATTRIBUTES(am_arg_reduce_attributes);
    const am_shape *shape = &am_node_in(ir->graph, node, 0)->shape;
    am_shape along = {.rank = shape->rank};
    int64_t size = shape->dims[a->axis];
    int32_t *places = am_arena_array(&ir->arena, (size_t)size + 1, sizeof *places);
    if (!places) {
        ir->failed = true;
        return am_ov_input(ir, node, 0);
    }
    for (int64_t i = 0; i < size; i++) places[i] = (int32_t)i;
    for (int i = 0; i < along.rank; i++) along.dims[i] = i == a->axis ? size : 1;
    am_ir_value x = am_ov_input(ir, node, 0), axis = am_ir_integers(ir, &a->axis, 1);
    am_ir_value best = am_ir_add2(ir, a->is_min ? "ReduceMin" : "ReduceMax", "opset1", "keep_dims=\"true\"", x, axis);
    am_ir_value choices[] = {am_ir_binary(ir, "Equal", "opset1", x, best), am_ir_lent(ir, AM_I32, &along, places),
                             am_ir_scalar(ir, AM_I32, (double)size)};
    am_ir_value found = am_ir_add(ir, "Select", "opset1", "auto_broadcast=\"numpy\"", choices, 3, 1);
    am_ir_value first = am_ir_add2(ir, "ReduceMin", "opset1", "keep_dims=\"true\"", found, axis);
    return am_ov_reshape(ir, first, &am_node_out(ir->graph, node)->shape);
}

static am_ir_value lower_sort(am_ir *ir, const am_node *node)
{
    AM_OV_ATTRIBUTES(am_sort_attributes);
    int64_t size = am_node_in(ir->graph, node, 0)->shape.dims[a->axis];
    return top_k(ir, am_ov_input(ir, node, 0), a->axis, size, !a->descending);
}

static am_ir_value lower_top_k(am_ir *ir, const am_node *node)
{
    AM_OV_ATTRIBUTES(am_top_k_attributes);
    return top_k(ir, am_ov_input(ir, node, 0), a->axis, a->k, a->smallest);
}

/* --- scan --- */

static bool supports_scan(const am_graph *graph, const am_node *node, am_reason *why)
{
    AM_OV_ATTRIBUTES(am_scan_attributes);
    (void)graph;
    return a->fn == AM_REDUCE_SUM || am_reason_no(why, "openvino has no running %s", am_reduce_names[a->fn]);
}

static am_ir_value lower_scan(am_ir *ir, const am_node *node)
{
    AM_OV_ATTRIBUTES(am_scan_attributes);
    am_buffer text = {0};
    am_buffer_printf(&text, "exclusive=\"%s\" reverse=\"%s\"", a->exclusive ? "true" : "false",
                     a->reverse ? "true" : "false");
    am_ir_value y =
        am_ir_add2(ir, "CumSum", "opset3", am_buffer_text(&text), am_ov_input(ir, node, 0), am_ir_integer(ir, a->axis));
    am_buffer_deinit(&text);
    return y;
}

/* --- softmax --- */

static am_ir_value lower_softmax(am_ir *ir, const am_node *node)
{
    AM_OV_ATTRIBUTES(am_softmax_attributes);
    am_buffer text = {0};
    am_buffer_printf(&text, "axis=\"%lld\"", (long long)a->axis);
    am_ir_value y = am_ir_add1(ir, a->log ? "LogSoftmax" : "SoftMax", a->log ? "opset5" : "opset8",
                               am_buffer_text(&text), am_ov_input(ir, node, 0));
    am_buffer_deinit(&text);
    return y;
}

/* --- norm --- */

static bool supports_norm(const am_graph *graph, const am_node *node, am_reason *why)
{
    AM_OV_ATTRIBUTES(am_norm_attributes);
    (void)graph;
    return a->kind == AM_NORM_LAYER || a->kind == AM_NORM_RMS || am_reason_no(why, "openvino takes it expanded");
}

static am_ir_value layer_norm(am_ir *ir, am_ir_value x, double eps)
{
    am_buffer text = {0};
    am_buffer_printf(&text, "eps=\"%.9g\" normalize_variance=\"true\" eps_mode=\"inside_sqrt\"", eps);
    am_ir_value y = am_ir_add2(ir, "MVN", "opset6", am_buffer_text(&text), x, am_ir_integers(ir, (int64_t[]){-1}, 1));
    am_buffer_deinit(&text);
    return y;
}

static am_ir_value rms_norm(am_ir *ir, am_ir_value x, double eps)
{
    am_ir_value square = am_ir_binary(ir, "Power", "opset1", x, am_ir_scalar(ir, AM_F32, 2));
    am_ir_value mean =
        am_ir_add2(ir, "ReduceMean", "opset1", "keep_dims=\"true\"", square, am_ir_integers(ir, (int64_t[]){-1}, 1));
    am_ir_value root =
        am_ir_add1(ir, "Sqrt", "opset1", "", am_ir_binary(ir, "Add", "opset1", mean, am_ir_scalar(ir, AM_F32, eps)));
    return am_ir_binary(ir, "Multiply", "opset1", x,
                        am_ir_binary(ir, "Divide", "opset1", am_ir_scalar(ir, AM_F32, 1), root));
}

static am_ir_value lower_norm(am_ir *ir, const am_node *node)
{
    AM_OV_ATTRIBUTES(am_norm_attributes);
    am_ir_value x = am_ov_input(ir, node, 0);
    am_ir_value y = a->kind == AM_NORM_LAYER ? layer_norm(ir, x, a->eps) : rms_norm(ir, x, a->eps);
    if (am_node_has(node, 1)) {
        am_ir_value weight = am_ov_input(ir, node, 1);
        if (a->weight_offset != 0)
            weight = am_ir_binary(ir, "Add", "opset1", weight, am_ir_scalar(ir, AM_F32, a->weight_offset));
        y = am_ir_binary(ir, "Multiply", "opset1", y, weight);
    }
    return am_node_has(node, 2) ? am_ir_binary(ir, "Add", "opset1", y, am_ov_input(ir, node, 2)) : y;
}

const am_ov_lowering am_ov_axis[] = {
    {AM_OP_REDUCE, NULL, lower_reduce},       {AM_OP_ARG_REDUCE, supports_order, lower_arg_reduce},
    {AM_OP_SORT, supports_order, lower_sort}, {AM_OP_TOP_K, supports_top_k, lower_top_k},
    {AM_OP_SCAN, supports_scan, lower_scan},  {AM_OP_SOFTMAX, NULL, lower_softmax},
    {AM_OP_NORM, supports_norm, lower_norm},  {AM_OP_COUNT, NULL, NULL},
};
