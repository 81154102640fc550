#include "graph/ops.h"
#include "graph/ops/window.h"
#include "targets/openvino/lower.h"

static const char *flag(bool yes)
{
    return yes ? "true" : "false";
}

static am_ir_value matmul(am_ir *ir, am_ir_value x, am_ir_value y, bool transpose_x, bool transpose_y)
{
    am_buffer text = {0};
    am_buffer_printf(&text, "transpose_a=\"%s\" transpose_b=\"%s\"", flag(transpose_x), flag(transpose_y));
    am_ir_value z = am_ir_add2(ir, "MatMul", "opset1", am_buffer_text(&text), x, y);
    am_buffer_deinit(&text);
    return z;
}

static bool supports_matmul(const am_graph *graph, const am_node *node, am_reason *why)
{
    if (am_node_in(graph, node, 0)->dtype == AM_F32) return true;
    return am_reason_no(why, "openvino multiplies matrices of reals only");
}

static am_ir_value lower_matmul(am_ir *ir, const am_node *node)
{
    AM_OV_ATTRIBUTES(am_matmul_attributes);
    return matmul(ir, am_ov_input(ir, node, 0), am_ov_input(ir, node, 1), a->transpose_a, a->transpose_b);
}

static bool supports_linear(const am_graph *graph, const am_node *node, am_reason *why)
{
    AM_OV_ATTRIBUTES(am_linear_attributes);
    (void)graph;
    return a->activation != AM_NORMAL_ICDF || am_reason_no(why, "openvino has no normal_icdf");
}

static am_ir_value lower_linear(am_ir *ir, const am_node *node)
{
    AM_OV_ATTRIBUTES(am_linear_attributes);
    am_ir_value y = matmul(ir, am_ov_input(ir, node, 0), am_ov_input(ir, node, 1), false, !a->in_out);
    if (am_node_has(node, 2)) y = am_ir_binary(ir, "Add", "opset1", y, am_ov_input(ir, node, 2));
    y = am_ov_unary(ir, a->activation, y, AM_F32);
    return am_node_has(node, 3) ? am_ir_binary(ir, "Add", "opset1", y, am_ov_input(ir, node, 3)) : y;
}

/* --- experts --- */

enum { GATHERED_LIMIT = 1 << 24 };

/* Every row gets a copy of its experts' weights, which is right for a token or a few and wasteful for many. */
static bool supports_grouped(const am_graph *graph, const am_node *node, am_reason *why)
{
    const am_shape *weight = &am_node_in(graph, node, 2)->shape;
    double elements =
        (double)am_shape_count(&am_node_in(graph, node, 1)->shape) * (double)weight->dims[1] * (double)weight->dims[2];
    if (elements <= GATHERED_LIMIT) return true;
    return am_reason_no(why, "more experts' weights than are worth copying for each row");
}

static am_ir_value gather_experts(am_ir *ir, const am_node *node, int input)
{
    am_ir_value inputs[] = {am_ov_input(ir, node, input), am_ov_input(ir, node, 1), am_ir_integer(ir, 0)};
    return am_ir_add(ir, "Gather", "opset8", "batch_dims=\"0\"", inputs, 3, 1);
}

/* [N, S, M, K] times [N, 1 or S, K, 1]. */
static am_ir_value lower_grouped(am_ir *ir, const am_node *node)
{
    const am_shape *x = &am_node_in(ir->graph, node, 0)->shape, *y = &am_node_out(ir->graph, node)->shape;
    am_shape column = am_shape_of(x->dims[0], x->rank == 3 ? x->dims[1] : 1, x->dims[x->rank - 1], 1);
    am_ir_value product =
        matmul(ir, gather_experts(ir, node, 2), am_ov_reshape(ir, am_ov_input(ir, node, 0), &column), false, false);
    product = am_ov_reshape(ir, product, y);
    return am_node_has(node, 3) ? am_ir_binary(ir, "Add", "opset1", product, gather_experts(ir, node, 3)) : product;
}

/* --- convolutions --- */

static void put_list(am_buffer *out, const char *name, const am_shape *numbers, int count, int64_t otherwise)
{
    am_buffer_printf(out, "%s=\"", name);
    for (int i = 0; i < count; i++)
        am_buffer_printf(out, "%s%lld", i ? "," : "", (long long)am_window_number(numbers, i, otherwise));
    am_buffer_append_string(out, "\" ");
}

static void put_windows(am_buffer *out, const am_convolution_attributes *a, int spatial)
{
    put_list(out, "strides", &a->stride, spatial, 1);
    put_list(out, "dilations", &a->dilation, spatial, 1);
    put_list(out, "pads_begin", &a->padding_before, spatial, 0);
    put_list(out, "pads_end", &a->padding_after, spatial, 0);
    am_buffer_append_string(out, "auto_pad=\"explicit\" ");
}

static bool has_negative(const am_shape *shape)
{
    for (int i = 0; i < shape->rank; i++)
        if (shape->dims[i] < 0) return true;
    return false;
}

static bool supports_convolution(const am_graph *graph, const am_node *node, am_reason *why)
{
    AM_OV_ATTRIBUTES(am_convolution_attributes);
    if (am_node_in(graph, node, 0)->dtype != AM_F32) return am_reason_no(why, "openvino convolves reals only");
    if (has_negative(&a->padding_before) || has_negative(&a->padding_after))
        return am_reason_no(why, "a negative padding");
    return true;
}

/* The weight [A, B, ..] of a convolution in groups as [groups, A / groups, B, ..]. */
static am_ir_value grouped_weight(am_ir *ir, const am_node *node, int64_t groups)
{
    const am_shape *shape = &am_node_in(ir->graph, node, 1)->shape;
    am_ir_value weight = am_ov_input(ir, node, 1);
    am_shape grouped = {.rank = shape->rank + 1};
    if (groups == 1) return weight;
    grouped.dims[0] = groups;
    grouped.dims[1] = shape->dims[0] / groups;
    for (int i = 1; i < shape->rank; i++) grouped.dims[i + 1] = shape->dims[i];
    return am_ov_reshape(ir, weight, &grouped);
}

static am_ir_value add_bias(am_ir *ir, const am_node *node, am_ir_value y)
{
    int rank = am_node_out(ir->graph, node)->shape.rank;
    am_shape shape = {.rank = rank};
    if (!am_node_has(node, 2)) return y;
    for (int i = 0; i < rank; i++) shape.dims[i] = i == 1 ? am_node_in(ir->graph, node, 2)->shape.dims[0] : 1;
    return am_ir_binary(ir, "Add", "opset1", y, am_ov_reshape(ir, am_ov_input(ir, node, 2), &shape));
}

static am_ir_value lower_convolution(am_ir *ir, const am_node *node)
{
    AM_OV_ATTRIBUTES(am_convolution_attributes);
    int64_t groups = a->groups ? a->groups : 1;
    am_buffer text = {0};
    put_windows(&text, a, am_node_out(ir->graph, node)->shape.rank - 2);
    am_ir_value y = am_ir_add2(ir, groups == 1 ? "Convolution" : "GroupConvolution", "opset1", am_buffer_text(&text),
                               am_ov_input(ir, node, 0), grouped_weight(ir, node, groups));
    am_buffer_deinit(&text);
    return add_bias(ir, node, y);
}

static am_ir_value lower_conv_transpose(am_ir *ir, const am_node *node)
{
    AM_OV_ATTRIBUTES(am_convolution_attributes);
    int64_t groups = a->groups ? a->groups : 1;
    int spatial = am_node_out(ir->graph, node)->shape.rank - 2;
    am_buffer text = {0};
    put_windows(&text, a, spatial);
    put_list(&text, "output_padding", &a->output_padding, spatial, 0);
    am_ir_value y = am_ir_add2(ir, groups == 1 ? "ConvolutionBackpropData" : "GroupConvolutionBackpropData", "opset1",
                               am_buffer_text(&text), am_ov_input(ir, node, 0), grouped_weight(ir, node, groups));
    am_buffer_deinit(&text);
    return add_bias(ir, node, y);
}

const am_ov_lowering am_ov_products[] = {
    {AM_OP_MATMUL, supports_matmul, lower_matmul},
    {AM_OP_LINEAR, supports_linear, lower_linear},
    {AM_OP_GROUPED_MATMUL, supports_grouped, lower_grouped},
    {AM_OP_CONVOLUTION, supports_convolution, lower_convolution},
    {AM_OP_CONV_TRANSPOSE, supports_convolution, lower_conv_transpose},
    {AM_OP_COUNT, NULL, NULL},
};
