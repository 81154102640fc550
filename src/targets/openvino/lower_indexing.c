#include "graph/ops.h"
#include "targets/openvino/lower.h"

static am_ir_value put_axis(am_ir *ir, const char *type, const char *opset, am_ir_value x, am_ir_value index,
                            int64_t axis)
{
    am_buffer text = {0};
    am_buffer_printf(&text, "axis=\"%lld\"", (long long)axis);
    am_ir_value y = am_ir_add2(ir, type, opset, am_buffer_text(&text), x, index);
    am_buffer_deinit(&text);
    return y;
}

/* 0, 1, .. count - 1. */
static am_ir_value first_integers(am_ir *ir, int64_t count)
{
    int64_t *numbers = am_arena_array(&ir->arena, (size_t)count + 1, sizeof *numbers);
    if (!numbers) {
        ir->failed = true;
        return am_ir_integer(ir, 0);
    }
    for (int64_t i = 0; i < count; i++) numbers[i] = i;
    return am_ir_integers(ir, numbers, (int)count);
}

/* torch.gather's index may be smaller than x along the other axes; OpenVINO's may not. */
static am_ir_value gather_elements(am_ir *ir, const am_node *node, int64_t axis)
{
    const am_shape *x_shape = &am_node_in(ir->graph, node, 0)->shape, *shape = &am_node_in(ir->graph, node, 1)->shape;
    am_ir_value x = am_ov_input(ir, node, 0);
    for (int64_t i = 0; i < shape->rank; i++) {
        if (i == axis || shape->dims[i] == x_shape->dims[i]) continue;
        am_ir_value inputs[] = {x, first_integers(ir, shape->dims[i]), am_ir_integer(ir, i)};
        x = am_ir_add(ir, "Gather", "opset8", "batch_dims=\"0\"", inputs, 3, 1);
    }
    return put_axis(ir, "GatherElements", "opset6", x, am_ov_input(ir, node, 1), axis);
}

static am_ir_value lower_gather(am_ir *ir, const am_node *node)
{
    AM_OV_ATTRIBUTES(am_gather_attributes);
    if (a->elementwise) return gather_elements(ir, node, a->axis);
    am_ir_value inputs[] = {am_ov_input(ir, node, 0), am_ov_input(ir, node, 1), am_ir_integer(ir, a->axis)};
    return am_ir_add(ir, "Gather", "opset8", "batch_dims=\"0\"", inputs, 3, 1);
}

/* Rows of the stored table, widened after they are gathered. */
static am_ir_value lower_embedding(am_ir *ir, const am_node *node)
{
    am_ir_value inputs[] = {ir->values[node->inputs[0].id], am_ov_input(ir, node, 1), am_ir_integer(ir, 0)};
    am_dtype dtype = am_node_in(ir->graph, node, 0)->dtype;
    am_ir_value rows = am_ir_add(ir, "Gather", "opset8", "batch_dims=\"0\"", inputs, 3, 1);
    return dtype == AM_F32 ? rows : am_ir_convert(ir, rows, AM_F32);
}

static am_ir_value lower_scatter(am_ir *ir, const am_node *node)
{
    static const char *const reductions[] = {[AM_SCATTER_SET] = "reduction=\"none\" use_init_val=\"true\"",
                                             [AM_SCATTER_ADD] = "reduction=\"sum\" use_init_val=\"true\"",
                                             [AM_SCATTER_MIN] = "reduction=\"min\" use_init_val=\"true\"",
                                             [AM_SCATTER_MAX] = "reduction=\"max\" use_init_val=\"true\""};
    AM_OV_ATTRIBUTES(am_scatter_attributes);
    am_ir_value index = am_ov_input(ir, node, 1), axis = am_ir_integer(ir, a->axis);
    const am_shape *updates = &am_node_in(ir->graph, node, 2)->shape;
    if (!a->elementwise && a->fn == AM_SCATTER_SET) {
        am_ir_value inputs[] = {am_ov_input(ir, node, 0), index, am_ov_input(ir, node, 2), axis};
        return am_ir_add(ir, "ScatterUpdate", "opset3", "", inputs, 4, 1);
    }
    if (!a->elementwise) { /* one index a slice: the same for each of its elements */
        am_shape shape = {.rank = updates->rank};
        for (int i = 0; i < shape.rank; i++) shape.dims[i] = i == a->axis ? updates->dims[i] : 1;
        index = am_ir_add2(ir, "Broadcast", "opset3", "mode=\"numpy\"", am_ov_reshape(ir, index, &shape),
                           am_ir_shape(ir, updates));
    }
    am_ir_value inputs[] = {am_ov_input(ir, node, 0), index, am_ov_input(ir, node, 2), axis};
    return am_ir_add(ir, "ScatterElementsUpdate", "opset12", reductions[a->fn], inputs, 4, 1);
}

static am_ir_value lower_search_sorted(am_ir *ir, const am_node *node)
{
    AM_OV_ATTRIBUTES(am_search_sorted_attributes);
    return am_ir_add2(ir, "SearchSorted", "opset15",
                      a->right ? "right_mode=\"true\" output_type=\"i32\"" : "right_mode=\"false\" output_type=\"i32\"",
                      am_ov_input(ir, node, 0), am_ov_input(ir, node, 1));
}

static bool supports_search_sorted(const am_graph *graph, const am_node *node, am_reason *why)
{
    const am_shape *sorted = &am_node_in(graph, node, 0)->shape, *values = &am_node_in(graph, node, 1)->shape;
    if (sorted->rank == 1 || sorted->rank == values->rank) return true;
    return am_reason_no(why, "rows of another rank");
}

const am_ov_lowering am_ov_indexing[] = {
    {AM_OP_GATHER, NULL, lower_gather},
    {AM_OP_EMBEDDING, NULL, lower_embedding},
    {AM_OP_SCATTER, NULL, lower_scatter},
    {AM_OP_SEARCH_SORTED, supports_search_sorted, lower_search_sorted},
    {AM_OP_COUNT, NULL, NULL},
};
