#include "targets/work.h"

#include "base/memory.h"
#include "graph/ops.h"
#include "targets/fold.h"

static const am_shape *input_shape(const am_graph *graph, const am_node *node, int i)
{
    return &am_graph_value(graph, node->inputs[i])->shape;
}

static double output_count(const am_graph *graph, const am_node *node)
{
    return (double)am_shape_count(&am_graph_value(graph, node->first_output)->shape);
}

static double last_dim(const am_shape *shape)
{
    return shape->rank ? (double)shape->dims[shape->rank - 1] : 1;
}

static double matmul_flops(const am_graph *graph, const am_node *node)
{
    const am_matmul_attributes *a = node->attributes;
    const am_shape *x = input_shape(graph, node, 0);
    double inner = a->transpose_a && x->rank > 1 ? (double)x->dims[x->rank - 2] : last_dim(x);
    return 2 * output_count(graph, node) * inner;
}

/* Elements of the weight that one output (or, transposed, one input) element meets. */
static double window_count(const am_shape *weight)
{
    return weight->rank && weight->dims[0] ? (double)am_shape_count(weight) / (double)weight->dims[0] : 0;
}

/* Query t stands at S - T + t: how many keys all queries together look at. */
static double attended_pairs(const am_attention_attributes *a, int64_t T, int64_t S)
{
    double pairs = 0;
    for (int64_t t = 0; t < T; t++) {
        int64_t at = S - T + t, last = a->causal && at + 1 < S ? at + 1 : S,
                first = a->window > 0 ? at - a->window + 1 : 0;
        if (!a->causal && a->window > 0 && at + a->window < last) last = at + a->window;
        if (first < 0) first = 0;
        if (last > first) pairs += (double)(last - first);
    }
    return pairs;
}

static double attention_flops(const am_graph *graph, const am_node *node)
{
    const am_shape *q = input_shape(graph, node, 0), *k = input_shape(graph, node, 1), *v = input_shape(graph, node, 2);
    double pairs = attended_pairs(node->attributes, q->dims[1], k->dims[1]);
    return 2 * (double)q->dims[0] * (double)q->dims[2] * pairs * (last_dim(q) + last_dim(v));
}

static double graph_flops(const am_graph *graph);

double am_graph_node_flops(const am_graph *graph, const am_node *node)
{
    switch (node->op) {
    case AM_OP_LINEAR:
    case AM_OP_QUANTIZED_LINEAR:
        return 2 * output_count(graph, node) * last_dim(input_shape(graph, node, 0));
    case AM_OP_MATMUL:
        return matmul_flops(graph, node);
    case AM_OP_GROUPED_MATMUL:
        return 2 * output_count(graph, node) * last_dim(input_shape(graph, node, 0));
    case AM_OP_CONVOLUTION:
        return 2 * output_count(graph, node) * window_count(input_shape(graph, node, 1));
    case AM_OP_CONV_TRANSPOSE:
        return 2 * (double)am_shape_count(input_shape(graph, node, 0)) * window_count(input_shape(graph, node, 1));
    case AM_OP_ATTENTION:
        return attention_flops(graph, node);
    case AM_OP_LOOP: {
        const am_loop_attributes *a = node->attributes;
        return (double)a->trips * graph_flops(a->body);
    }
    default:
        return 0;
    }
}

static double graph_flops(const am_graph *graph)
{
    double flops = 0;
    for (int i = 0; i < graph->node_count; i++) flops += am_graph_node_flops(graph, &graph->nodes[i]);
    return flops;
}

static double constant_bytes(const am_graph *graph, const am_node *node, const bool *constant)
{
    double bytes = 0;
    for (int i = 0; i < node->input_count; i++) {
        if (!node->inputs[i].id || !constant[node->inputs[i].id]) continue;
        const am_value_info *info = am_graph_value(graph, node->inputs[i]);
        bytes += (double)am_tensor_bytes(info->dtype, &info->shape);
    }
    return bytes;
}

/* How much of its constants a node reads: of a mixture's experts as many as its rows name, when they name others each.
 */
static double read_share(const am_graph *graph, const am_node *node)
{
    if (node->op != AM_OP_GROUPED_MATMUL) return 1;
    double named = (double)am_shape_count(input_shape(graph, node, 1)),
           experts = (double)input_shape(graph, node, 2)->dims[0];
    return named < experts ? named / experts : 1;
}

/* What a node that computes little reads and writes. */
static double moved_bytes(const am_graph *graph, const am_node *node)
{
    double bytes = 0;
    bool nothing = node->op == AM_OP_INPUT || node->op == AM_OP_CONSTANT || node->op == AM_OP_RESHAPE;
    for (int i = 0; i < node->input_count && !nothing; i++) {
        if (!node->inputs[i].id) continue;
        const am_value_info *info = am_graph_value(graph, node->inputs[i]);
        bytes += (double)am_tensor_bytes(info->dtype, &info->shape);
    }
    for (int i = 0; i < node->output_count && !nothing; i++) {
        const am_value_info *info = am_graph_value(graph, (am_value){node->first_output.id + i});
        bytes += (double)am_tensor_bytes(info->dtype, &info->shape);
    }
    return bytes;
}

am_status am_graph_work_add(const am_graph *graph, am_graph_work *out)
{
    bool *constant = am_graph_find_fixed(graph);
    if (!constant) return am_out_of_memory();
    for (int i = 0; i < graph->node_count; i++) {
        const am_node *node = &graph->nodes[i];
        if (constant[node->first_output.id]) continue;
        double flops = am_graph_node_flops(graph, node);
        out->flops += flops;
        if (flops > 0) out->weight_bytes += constant_bytes(graph, node, constant) * read_share(graph, node);
        else out->moved_bytes += moved_bytes(graph, node);
    }
    am_free(constant);
    return NULL;
}
