#include "targets/mojo/kernels.h"

#include "targets/mojo/kernels/kernels.h"

static const am_mojo_kernel *const *const groups[] = {am_mojo_pointwise,  am_mojo_products, am_mojo_rows,
                                                      am_mojo_attention,  am_mojo_movement, am_mojo_windows,
                                                      am_mojo_recurrence, am_mojo_sampling};

const am_kernel *am_mojo_kernel_for(const am_graph *graph, const am_node *node, const char **out_reason)
{
    const char *reason = "there is no Mojo kernel of this op";
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        for (const am_mojo_kernel *const *k = groups[i]; *k; k++) {
            if ((*k)->kernel.op != node->op) continue;
            const char *refusal = (*k)->refuses ? (*k)->refuses(graph, node) : NULL;
            if (!refusal) return &(*k)->kernel;
            reason = refusal;
        }
    if (out_reason) *out_reason = reason;
    return NULL;
}

const am_kernel *am_mojo_kernel_or_null(const am_graph *graph, const am_node *node)
{
    return am_mojo_kernel_for(graph, node, NULL);
}
