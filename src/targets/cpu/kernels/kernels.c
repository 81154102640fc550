#include "targets/cpu/kernels/kernels.h"

const am_kernel *const am_cpu_kernels[] = {NULL};

bool am_all_f32(const am_graph *graph, const am_node *node)
{
    for (int i = 0; i < node->input_count; i++)
        if (node->inputs[i].id && graph->values[node->inputs[i].id].dtype != AM_F32) return false;
    for (int i = 0; i < node->output_count; i++)
        if (graph->values[node->first_output.id + i].dtype != AM_F32) return false;
    return true;
}
