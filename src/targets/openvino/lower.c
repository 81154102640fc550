#include "targets/openvino/lower.h"

#include "base/memory.h"
#include "graph/ops.h"

static const am_ov_lowering *const tables[] = {am_ov_movement, am_ov_pointwise, am_ov_axis,
                                               am_ov_products, am_ov_windows,   am_ov_indexing};

static const am_ov_lowering *find_lowering(am_op_kind op)
{
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        for (const am_ov_lowering *row = tables[i]; row->lower; row++)
            if (row->op == op) return row;
    return NULL;
}

/* --- what fits --- */

static bool is_empty(const am_shape *shape)
{
    return am_shape_count(shape) == 0;
}

/* Ops that read a weight in the dtype in which it is stored. */
static bool takes_narrow_weight(const am_node *node, int i)
{
    switch (node->op) {
    case AM_OP_LINEAR:
    case AM_OP_CONVOLUTION:
    case AM_OP_CONV_TRANSPOSE:
        return i == 1 || i == 2;
    case AM_OP_GROUPED_MATMUL:
        return i > 1;
    case AM_OP_NORM:
        return i > 0;
    case AM_OP_EMBEDDING:
    case AM_OP_CAST:
        return i == 0;
    default:
        return false;
    }
}

static bool fits(const am_graph *graph, const am_node *node, int i, am_reason *why)
{
    const am_value_info *info = am_node_in(graph, node, i);
    bool constant = am_graph_producer(graph, node->inputs[i])->op == AM_OP_CONSTANT;
    bool narrow = info->dtype == AM_BF16 || info->dtype == AM_F16;
    if (is_empty(&info->shape)) return am_reason_no(why, "input %d has no elements", i);
    if (info->dtype == AM_F32 || info->dtype == AM_I32 || info->dtype == AM_BOOL) return true;
    if (narrow && constant && takes_narrow_weight(node, i)) return true;
    return am_reason_no(why, "input %d is %s", i, am_dtype_name(info->dtype));
}

static bool gives(am_dtype dtype)
{
    return dtype == AM_F32 || dtype == AM_I32 || dtype == AM_BOOL;
}

bool am_ov_supports(const am_graph *graph, const am_node *node, am_reason *why)
{
    const am_ov_lowering *row = find_lowering(node->op);
    if (!row) return am_reason_no(why, "openvino has no lowering of %s", am_op_of(node->op)->name);
    for (int i = 0; i < node->input_count; i++)
        if (node->inputs[i].id && !fits(graph, node, i, why)) return false;
    for (int i = 0; i < node->output_count; i++) {
        const am_value_info *info = am_graph_value(graph, (am_value){node->first_output.id + i});
        if (is_empty(&info->shape)) return am_reason_no(why, "output %d has no elements", i);
        if (!gives(info->dtype)) return am_reason_no(why, "output %d is %s", i, am_dtype_name(info->dtype));
    }
    return !row->supports || row->supports(graph, node, why);
}

/* --- writing --- */

am_ir_value am_ov_input(am_ir *ir, const am_node *node, int i)
{
    const am_value_info *info = am_node_in(ir->graph, node, i);
    am_ir_value x = ir->values[node->inputs[i].id];
    return info->dtype == AM_BF16 || info->dtype == AM_F16 ? am_ir_widen(ir, x) : x;
}

am_ir_value am_ov_reshape(am_ir *ir, am_ir_value x, const am_shape *shape)
{
    return am_ir_add2(ir, "Reshape", "opset1", "special_zero=\"false\"", x, am_ir_shape(ir, shape));
}

static void lower_node(am_ir *ir, const am_node *node)
{
    am_ir_value first = find_lowering(node->op)->lower(ir, node);
    for (int i = 0; i < node->output_count; i++)
        ir->values[node->first_output.id + i] = (am_ir_value){first.layer, first.port + i};
}

/* What a node reads, where nobody brought it in yet: constants come with their first reader. */
static void bring_in_constants(am_ir *ir, const am_node *node)
{
    for (int k = 0; k < node->input_count; k++) {
        const am_node *from = node->inputs[k].id ? am_graph_producer(ir->graph, node->inputs[k]) : NULL;
        if (!from || from->op != AM_OP_CONSTANT || ir->is_there[node->inputs[k].id]) continue;
        const am_constant_attributes *a = from->attributes;
        ir->values[node->inputs[k].id] = am_ir_lent(ir, a->dtype, &a->shape, a->data);
        ir->is_there[node->inputs[k].id] = true;
    }
}

am_status am_ov_lower(am_ir *ir, const am_graph *graph, const am_ov_stages *stages, int number)
{
    const am_ov_stage *stage = &stages->items[number];
    size_t values = (size_t)graph->value_count + 1;
    *ir = (am_ir){.graph = graph, .for_file = ir->for_file};
    ir->values = am_arena_array(&ir->arena, values, sizeof *ir->values);
    ir->is_there = am_arena_array(&ir->arena, values, sizeof *ir->is_there);
    if (!ir->values || !ir->is_there) return am_out_of_memory();
    for (int i = 0; i < stage->input_count; i++) {
        const am_value_info *info = am_graph_value(graph, stage->inputs[i]);
        ir->values[stage->inputs[i].id] = am_ir_parameter(ir, info->dtype, &info->shape);
    }
    for (int i = 0; i < graph->node_count; i++) {
        if (stages->stage_of[i] != number) continue;
        bring_in_constants(ir, &graph->nodes[i]);
        lower_node(ir, &graph->nodes[i]);
    }
    for (int i = 0; i < stage->output_count; i++) am_ir_result(ir, ir->values[stage->outputs[i].id]);
    return ir->failed ? am_out_of_memory() : NULL;
}
