#include "targets/common/nodes.h"

const am_value_info *am_node_in(const am_graph *graph, const am_node *node, int i)
{
    return am_graph_value(graph, node->inputs[i]);
}

const am_value_info *am_node_out(const am_graph *graph, const am_node *node)
{
    return am_graph_value(graph, node->first_output);
}

bool am_node_has(const am_node *node, int i)
{
    return i < node->input_count && node->inputs[i].id;
}
