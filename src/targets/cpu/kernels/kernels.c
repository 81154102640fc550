#include "targets/cpu/kernels/kernels.h"

const am_kernel *const am_cpu_kernels[] = {&am_cpu_linear_bf16,
                                           &am_cpu_attention_bf16,
                                           &am_cpu_convolution_bf16,
                                           &am_cpu_grouped_matmul_bf16,
                                           &am_cpu_linear,
                                           &am_cpu_quantized_linear,
                                           &am_cpu_matmul,
                                           &am_cpu_grouped_matmul,
                                           &am_cpu_convolution,
                                           &am_cpu_conv_transpose,
                                           &am_cpu_resize,
                                           &am_cpu_attention,
                                           &am_cpu_norm_rows,
                                           &am_cpu_norm_channels,
                                           &am_cpu_softmax,
                                           &am_cpu_reduce,
                                           &am_cpu_unary,
                                           &am_cpu_binary,
                                           &am_cpu_binary_truth,
                                           &am_cpu_select,
                                           &am_cpu_gated_activation,
                                           &am_cpu_rope,
                                           &am_cpu_permute,
                                           &am_cpu_broadcast,
                                           &am_cpu_slice,
                                           &am_cpu_concat,
                                           &am_cpu_pad,
                                           &am_cpu_cast,
                                           &am_cpu_gather,
                                           &am_cpu_embedding,
                                           &am_cpu_scatter,
                                           &am_cpu_pool,
                                           &am_cpu_recurrence,
                                           NULL};

bool am_all_f32(const am_graph *graph, const am_node *node)
{
    for (int i = 0; i < node->input_count; i++)
        if (node->inputs[i].id && graph->values[node->inputs[i].id].dtype != AM_F32) return false;
    for (int i = 0; i < node->output_count; i++)
        if (graph->values[node->first_output.id + i].dtype != AM_F32) return false;
    return true;
}

bool am_is_plain_sum(const am_graph *graph, const am_node *node, int from, const am_shape *shape)
{
    if (node->op != AM_OP_BINARY || ((const am_binary_attributes *)node->attributes)->fn != AM_ADD) return false;
    return am_shape_equal(&graph->values[node->inputs[1 - from].id].shape, shape) &&
           am_shape_equal(&graph->values[node->first_output.id].shape, shape);
}

bool am_has_even_rows(const am_shape *shape)
{
    return shape->rank > 0 && shape->dims[shape->rank - 1] % 2 == 0;
}

unsigned am_rounds_even_rows(const am_graph *graph, const am_node *const *nodes, int count)
{
    return count == 1 && am_has_even_rows(&graph->values[nodes[0]->first_output.id].shape) ? AM_ROUNDED_ALONE : 0;
}

bool am_every_node(const am_graph *graph, const am_node *node)
{
    (void)graph, (void)node;
    return true;
}
