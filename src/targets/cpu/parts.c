#include "targets/cpu/parts.h"

#include "graph/ops.h"

static bool joins(const am_node *node)
{
    return node->op == AM_OP_CONCAT && ((const am_axis_attributes *)node->attributes)->axis == 0;
}

void am_parts_find(am_cpu_program *p, const bool *known)
{
    const am_graph *g = p->graph;
    bool *apart = p->apart;
    for (int i = 0; i < g->node_count; i++)
        apart[g->nodes[i].first_output.id] = known[g->nodes[i].first_output.id] && joins(&g->nodes[i]);
    for (int i = 0; i < g->output_count; i++) apart[g->outputs[i].value.id] = false;
    for (int i = 0; i < g->state_count; i++) apart[g->states[i].updated.id] = false;
    for (int i = g->node_count - 1; i >= 0; i--) {
        const am_node *node = &g->nodes[i];
        for (int k = 0; k < node->input_count; k++) {
            bool *is_apart = &apart[node->inputs[k].id];
            if (!*is_apart || (joins(node) && apart[node->first_output.id])) continue;
            const am_kernel *kernel = am_cpu_choose_kernel(p, node);
            bool is_known = known[node->first_output.id];
            *is_apart = !is_known && kernel->reads_parts && kernel->prepared_input == k;
        }
    }
}

am_tensor am_part_of(const am_value_info *weight)
{
    am_tensor part = {.dtype = weight->dtype, .shape.rank = weight->shape.rank - 1};
    for (int i = 0; i < part.shape.rank; i++) part.shape.dims[i] = weight->shape.dims[i + 1];
    return part;
}
