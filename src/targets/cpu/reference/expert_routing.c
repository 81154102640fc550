#include "base/memory.h"
#include "targets/cpu/kernel.h"

#include <math.h>

/* One row of E experts at a time. */
typedef struct router {
    const am_expert_routing_attributes *options;
    int64_t experts;
    double *scores, *ranks; /* [E]: what weights are made of, what the choice looks at */
} router;

static void softmax(double *x, int64_t count)
{
    double most = -INFINITY, sum = 0;
    for (int64_t i = 0; i < count; i++) most = am_binary_real(AM_MAX, most, x[i]);
    for (int64_t i = 0; i < count; i++) sum += x[i] = exp(x[i] - most);
    for (int64_t i = 0; i < count; i++) x[i] /= sum;
}

/* The larger first, NaN being the largest number, of equals the lower index. */
static bool goes_before(const double *x, int64_t i, int64_t k)
{
    if (x[i] != x[i] || x[k] != x[k]) return x[k] == x[k] || (x[i] != x[i] && i < k);
    return x[i] > x[k] || (x[i] == x[k] && i < k);
}

/* Index of the first in that order after `previous` (-1: of all). */
static int64_t next_best(const double *x, int64_t count, int64_t previous)
{
    int64_t best = -1;
    for (int64_t i = 0; i < count; i++)
        if ((previous < 0 || goes_before(x, previous, i)) && (best < 0 || goes_before(x, i, best))) best = i;
    return best;
}

/* Sets the ranks of all experts outside of the best groups to minus infinity. `spare`: [2 E]. */
static void keep_groups(const router *r, double *spare)
{
    const am_expert_routing_attributes *a = r->options;
    int64_t members = r->experts / a->groups, wanted = a->group_best ? a->group_best : 2;
    double *values = spare + r->experts;
    for (int64_t g = 0; g < a->groups; g++) {
        values[g] = 0;
        for (int64_t i = 0, best = -1; i < wanted; i++) {
            best = next_best(r->ranks + g * members, members, best);
            values[g] += r->ranks[g * members + best];
        }
    }
    for (int64_t i = 0; i < r->experts; i++) spare[i] = -INFINITY;
    for (int64_t k = 0, g = -1; k < a->group_top_k; k++) {
        g = next_best(values, a->groups, g);
        for (int64_t i = g * members; i < (g + 1) * members; i++) spare[i] = r->ranks[i];
    }
    for (int64_t i = 0; i < r->experts; i++) r->ranks[i] = spare[i];
}

static void load_row(const am_kernel_call *call, router *r, int64_t row)
{
    const am_tensor *logits = &call->inputs[0], *bias = &call->inputs[1];
    for (int64_t i = 0; i < r->experts; i++)
        r->scores[i] = am_load_real(logits->dtype, logits->data, row * r->experts + i);
    for (int64_t i = 0; r->options->sigmoid && !r->options->softmax_after && i < r->experts; i++)
        r->scores[i] = am_unary_real(AM_SIGMOID, r->scores[i]);
    if (!r->options->sigmoid && !r->options->softmax_after) softmax(r->scores, r->experts);
    for (int64_t i = 0; i < r->experts; i++) r->ranks[i] = r->scores[i];
    for (int64_t i = 0; call->input_count > 1 && bias->data && i < r->experts; i++)
        r->ranks[i] += am_load_real(bias->dtype, bias->data, i);
}

/* chosen: [K] scores, made weights in place. */
static void finish_weights(const am_expert_routing_attributes *a, double *chosen)
{
    double sum = 1e-20;
    if (a->softmax_after) softmax(chosen, a->top_k);
    for (int64_t k = 0; k < a->top_k; k++) sum += chosen[k];
    for (int64_t k = 0; k < a->top_k; k++) chosen[k] *= (a->scale != 0 ? a->scale : 1) / (a->normalize ? sum : 1);
}

static void route_row(const am_kernel_call *call, router *r, int64_t row, double *spare)
{
    const am_expert_routing_attributes *a = r->options;
    int32_t *experts = (int32_t *)call->outputs[1].data + row * a->top_k;
    load_row(call, r, row);
    if (a->groups) keep_groups(r, spare);
    for (int64_t k = 0, best = -1; k < a->top_k; k++) {
        best = next_best(r->ranks, r->experts, best);
        experts[k] = (int32_t)best;
        spare[k] = r->scores[best];
    }
    finish_weights(a, spare);
    for (int64_t k = 0; k < a->top_k; k++)
        am_store_real(call->outputs[0].dtype, call->outputs[0].data, row * a->top_k + k, spare[k]);
}

am_status am_reference_expert_routing(const am_kernel_call *call)
{
    const am_shape *logits = &call->inputs[0].shape;
    router r = {.options = AM_ATTRIBUTES(am_expert_routing_attributes, call), .experts = logits->dims[1]};
    r.scores = am_alloc_zeroed((size_t)r.experts, 4 * sizeof *r.scores);
    if (!r.scores) return am_out_of_memory();
    r.ranks = r.scores + r.experts;
    for (int64_t row = 0; row < logits->dims[0]; row++) route_row(call, &r, row, r.ranks + r.experts);
    am_free(r.scores);
    return NULL;
}
