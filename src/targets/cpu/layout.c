#include "targets/cpu/layout.h"

am_layout_move am_layout_move_of(const am_graph *graph, const am_node *node)
{
    if (node->op != AM_OP_PERMUTE || graph->values[node->first_output.id].dtype != AM_F32) return AM_MOVE_NONE;
    const am_shape *order = &((const am_permute_attributes *)node->attributes)->order;
    int rank = order->rank, to = 0, from = 0;
    for (int i = 0; i < rank; i++) {
        to += order->dims[i] == (i == 0 ? 0 : i == rank - 1 ? 1 : i + 1);
        from += order->dims[i] == (i == 0 ? 0 : i == 1 ? rank - 1 : i - 1);
    }
    if (rank < 3) return AM_MOVE_NONE;
    return to == rank ? AM_MOVE_TO_LAST : from == rank ? AM_MOVE_FROM_LAST : AM_MOVE_NONE;
}

am_value am_layouts_result(const am_layouts *l, int node)
{
    const am_node_tail *t = l->tails[node];
    return l->graph->nodes[t ? t->nodes[t->count - 1] : node].first_output;
}

static bool is_head(const am_layouts *l, int node)
{
    return !l->tails[node] || l->tails[node]->head == node;
}

static const am_shape *shape_of(const am_layouts *l, am_value v)
{
    return &l->graph->values[v.id].shape;
}

/* One place for each channel lies the same in both ways. */
static bool is_one_place(const am_shape *shape)
{
    for (int i = 2; i < shape->rank; i++)
        if (shape->dims[i] != 1) return false;
    return true;
}

/* The place of a node in its tail. */
static int place_in(const am_node_tail *t, int node)
{
    int i = 0;
    while (t->nodes[i] != node) i++;
    return i;
}

/* Whether all inputs of a node lie with channels last. */
static bool all_last(const am_layouts *l, const am_node *node)
{
    for (int k = 0; k < node->input_count; k++)
        if (!l->last[node->inputs[k].id]) return false;
    return true;
}

/* Whether a node reads its input k with channels last where that lies so; a kernel of several takes all so, or none. */
static bool reads_last(const am_layouts *l, int node, int k)
{
    am_value result = am_layouts_result(l, node);
    if (l->moves[node] != AM_MOVE_NONE) return l->moves[node] == AM_MOVE_TO_LAST;
    if (is_head(l, node)) {
        const am_kernel *kernel = l->kernels[node];
        if (!kernel || (k > 0 && !kernel->all_inputs)) return false;
        if (kernel->all_inputs && !all_last(l, &l->graph->nodes[node])) return false;
        bool keeps = kernel->keeps_layout && kernel->keeps_layout(l->graph, &l->graph->nodes[node]);
        return !keeps || l->last[result.id] || is_one_place(shape_of(l, result));
    }
    const am_node_tail *t = l->tails[node];
    am_value operand = l->graph->nodes[node].inputs[k];
    if (k == t->from[place_in(t, node)]) return true; /* it never lies anywhere */
    return l->last[result.id] && am_shape_equal(shape_of(l, operand), shape_of(l, result));
}

/* Whether all operands of a tail that have the result's shape lie with channels last. */
static bool tail_is_last(const am_layouts *l, int head)
{
    const am_node_tail *t = l->tails[head];
    am_value result = am_layouts_result(l, head);
    for (int i = 0; t && i < t->count; i++) {
        const am_node *part = &l->graph->nodes[t->nodes[i]];
        for (int k = 0; k < part->input_count; k++)
            if (k != t->from[i] && part->inputs[k].id && !l->last[part->inputs[k].id] &&
                am_shape_equal(shape_of(l, part->inputs[k]), shape_of(l, result)))
                return false;
    }
    return true;
}

/* Whether the step of a head may give its result with channels last. */
static bool can_write_last(const am_layouts *l, int head)
{
    const am_node *node = &l->graph->nodes[head];
    const am_kernel *kernel = l->kernels[head];
    if (l->moves[head] == AM_MOVE_FROM_LAST) return true;
    if (kernel->keeps_layout && kernel->keeps_layout(l->graph, node) && !l->last[node->inputs[0].id]) return false;
    for (int k = 1; k < node->input_count && kernel->all_inputs; k++)
        if (!l->last[node->inputs[k].id]) return false;
    return tail_is_last(l, head);
}

/* Whether a node may give a value with channels last at all. */
static bool may_write_last(const am_layouts *l, int node)
{
    return is_head(l, node) && (l->kernels[node] || l->moves[node] == AM_MOVE_FROM_LAST);
}

/* Takes away, first to last, what cannot lie so; false where there was nothing. */
static bool drop_what_cannot(am_layouts *l)
{
    bool changed = false;
    for (int i = 0; i < l->graph->node_count; i++) {
        int id = am_layouts_result(l, i).id;
        if (!may_write_last(l, i) || !l->last[id] || can_write_last(l, i)) continue;
        l->last[id] = false;
        changed = true;
    }
    return changed;
}

/* Takes away, last to first, what nobody would read so. `read` is by value. */
static bool drop_what_nobody_reads(am_layouts *l, bool *read)
{
    bool changed = false;
    for (int i = 0; i < l->graph->value_count; i++) read[i] = false;
    for (int i = l->graph->node_count - 1; i >= 0; i--) {
        const am_node *node = &l->graph->nodes[i];
        int id = am_layouts_result(l, i).id;
        if (may_write_last(l, i) && l->last[id] && !read[id]) {
            l->last[id] = false;
            changed = true;
        }
        for (int k = 0; k < node->input_count; k++)
            if (l->last[node->inputs[k].id] && reads_last(l, i, k)) read[node->inputs[k].id] = true;
    }
    return changed;
}

void am_layouts_choose(am_layouts *l)
{
    const am_graph *g = l->graph;
    for (int i = 0; i < g->node_count; i++)
        if (may_write_last(l, i)) l->last[am_layouts_result(l, i).id] = true;
    for (bool changed = true; changed;) {
        changed = drop_what_cannot(l);
        changed = drop_what_nobody_reads(l, l->plain) || changed;
    }
    for (int i = 0; i < g->value_count; i++) l->plain[i] = false;
    for (int i = 0; i < g->node_count; i++)
        for (int k = 0; k < g->nodes[i].input_count; k++) {
            int id = g->nodes[i].inputs[k].id;
            if (l->last[id] && !reads_last(l, i, k)) l->plain[id] = true;
        }
    for (int i = 0; i < g->output_count; i++) l->plain[g->outputs[i].value.id] = true;
    for (int i = 0; i < g->state_count; i++) l->plain[g->states[i].updated.id] = true;
}

bool am_layouts_reads_last(const am_layouts *l, int node)
{
    return l->kernels[node] && l->last[l->graph->nodes[node].inputs[0].id] && reads_last(l, node, 0);
}

bool am_layouts_is_used(const am_layouts *l, int node)
{
    return l->kernels[node] && (am_layouts_reads_last(l, node) || l->last[am_layouts_result(l, node).id]);
}
