#include "targets/cpu/kernels/chain.h"

#include "targets/cpu/kernels/kernels.h"

/* An operand that is repeated goes by this many elements at a time at least. */
enum { LEAST_REPEATED = 16 };

/* Whether an operand has the last dimensions of `shape`, and no others than 1 before them. */
static bool repeats_in(const am_shape *operand, const am_shape *shape)
{
    int rank = operand->rank, first = 0;
    while (first < rank && operand->dims[first] == 1) first++;
    if (rank > shape->rank) return false;
    for (int i = first; i < rank; i++)
        if (operand->dims[i] != shape->dims[shape->rank - rank + i]) return false;
    return true;
}

bool am_chain_takes(const am_graph *graph, const am_node *const *nodes, int count, const am_node *next, int from)
{
    const am_shape *shape = &graph->values[nodes[0]->first_output.id].shape;
    (void)count;
    if (!am_all_f32(graph, next) || !am_shape_equal(&graph->values[next->first_output.id].shape, shape)) return false;
    if (next->op == AM_OP_UNARY) return true;
    if (next->op != AM_OP_BINARY) return false;
    const am_shape *operand = &graph->values[next->inputs[1 - from].id].shape;
    int64_t numbers = am_shape_count(operand);
    if (!am_shape_equal(&graph->values[next->inputs[from].id].shape, shape)) return false;
    return numbers == 1 || (numbers >= LEAST_REPEATED && repeats_in(operand, shape));
}

static void apply_binary(const am_kernel_call *call, const am_tail_step *step, int64_t at, int64_t count, float *y)
{
    am_binary_fn fn = (am_binary_fn)((const am_binary_attributes *)step->node->attributes)->fn;
    const float *operand = step->operands[0].data;
    int64_t period = am_shape_count(&step->operands[0].shape), done;
    for (int64_t i = 0; i < count; i += done) {
        int64_t offset = period == 1 ? 0 : (at + i) % period;
        done = period == 1 || count - i < period - offset ? count - i : period - offset;
        if (step->from == 0) call->micro->binary(fn, y + i, false, operand + offset, period == 1, y + i, done);
        else call->micro->binary(fn, operand + offset, period == 1, y + i, false, y + i, done);
    }
}

void am_chain_apply(const am_kernel_call *call, int64_t at, int64_t count)
{
    float *y = (float *)call->outputs[0].data + at;
    for (int i = 0; call->tail && i < call->tail->count; i++) {
        const am_tail_step *step = &call->tail->steps[i];
        if (step->node->op == AM_OP_BINARY) apply_binary(call, step, at, count, y);
        else call->micro->unary((am_unary_fn)((const am_unary_attributes *)step->node->attributes)->fn, y, y, count);
    }
}
