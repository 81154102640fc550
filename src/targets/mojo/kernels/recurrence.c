#include "targets/mojo/kernels/kernels.h"

#include <string.h>

/* Words as recurrence.mojo reads them. */
enum { Y = 6, STATE, SECOND, STEPS, BACKWARD, MORE, WORDS = MORE + 5 };

static int64_t dim(const am_kernel_call *call, int input, int i)
{
    return call->inputs[input].shape.dims[i];
}

/* What the kind needs beside; gives the kernel and how many items it has. */
static am_mojo_function describe(const am_kernel_call *call, int kind, int64_t *more, int64_t *items)
{
    const am_shape *y = &call->outputs[0].shape;
    int64_t B = y->dims[0];
    switch (kind) {
    case AM_RECURRENCE_LSTM:
    case AM_RECURRENCE_GRU:
        more[0] = y->dims[2];
        more[1] = am_mojo_address(call->scratch);
        *items = B;
        return kind == AM_RECURRENCE_LSTM ? AM_MOJO_RECURRENCE_LSTM : AM_MOJO_RECURRENCE_GRU;
    case AM_RECURRENCE_SELECTIVE_SCAN:
        more[0] = y->dims[2];
        more[1] = dim(call, 2, 1);
        more[2] = call->inputs[3].shape.rank == 4 ? dim(call, 3, 2) : 1;
        *items = B * y->dims[2];
        return AM_MOJO_RECURRENCE_SELECTIVE_SCAN;
    case AM_RECURRENCE_GATED_DELTA:
        for (int i = 0; i < 3; i++) more[i] = dim(call, 5, 1 + i);
        more[3] = call->inputs[3].shape.rank == 4;
        more[4] = am_mojo_address(call->scratch);
        *items = B * more[0];
        return AM_MOJO_RECURRENCE_GATED_DELTA;
    default:
        more[0] = 1;
        for (int i = 2; i < y->rank; i++) more[0] *= y->dims[i];
        *items = B * more[0];
        return AM_MOJO_RECURRENCE_LINEAR;
    }
}

static am_status run_recurrence(const am_kernel_call *call)
{
    const am_recurrence_attributes *a = AM_ATTRIBUTES(am_recurrence_attributes, call);
    int states = call->output_count - 1, first = call->input_count - states;
    int64_t args[WORDS] = {0}, items;
    for (int i = 0; i < 6 && i < call->input_count; i++) args[i] = am_mojo_address(call->inputs[i].data);
    for (int i = 0; i < call->output_count; i++) args[Y + i] = am_mojo_address(call->outputs[i].data);
    args[STEPS] = call->outputs[0].shape.dims[1], args[BACKWARD] = a->reverse;
    for (int i = 0; i < states; i++) {
        size_t bytes = am_tensor_bytes(AM_F32, &call->inputs[first + i].shape);
        if (bytes) memcpy(call->outputs[1 + i].data, call->inputs[first + i].data, bytes);
    }
    am_mojo_function function = describe(call, a->kind, args + MORE, &items);
    am_mojo_launch(function, args, items, a->kind == AM_RECURRENCE_LINEAR ? 256 : 1);
    return NULL;
}

/* Room for the gates of every row, or for one row of values of every head. */
static size_t recurrence_scratch(const am_graph *graph, const am_node *node)
{
    const am_recurrence_attributes *a = node->attributes;
    const am_shape *y = &graph->values[node->first_output.id].shape;
    if (a->kind == AM_RECURRENCE_LSTM || a->kind == AM_RECURRENCE_GRU)
        return (size_t)(y->dims[0] * 4 * y->dims[2]) * sizeof(float);
    return a->kind == AM_RECURRENCE_GATED_DELTA ? (size_t)(y->dims[0] * y->dims[2] * y->dims[3]) * sizeof(float) : 0;
}

static am_status run_routing(const am_kernel_call *call)
{
    const am_expert_routing_attributes *a = AM_ATTRIBUTES(am_expert_routing_attributes, call);
    const int64_t args[] = {am_mojo_address(call->inputs[0].data),
                            am_mojo_address(call->inputs[1].data),
                            am_mojo_address(call->outputs[0].data),
                            am_mojo_address(call->outputs[1].data),
                            dim(call, 0, 1),
                            a->top_k,
                            a->groups,
                            a->group_top_k,
                            a->group_best ? a->group_best : 2,
                            a->sigmoid,
                            a->softmax_after,
                            a->normalize,
                            am_mojo_real(a->scale != 0 ? a->scale : 1),
                            am_mojo_address(call->scratch)};
    am_mojo_launch(AM_MOJO_EXPERT_ROUTING, args, dim(call, 0, 0), 4);
    return NULL;
}

static size_t routing_scratch(const am_graph *graph, const am_node *node)
{
    return 4 * am_tensor_bytes(AM_F64, &graph->values[node->inputs[0].id].shape);
}

/* Experts are named by integers; all else is in single precision. */
static const char *refuses_routing(const am_graph *graph, const am_node *node)
{
    for (int i = 0; i < node->input_count; i++)
        if (node->inputs[i].id && graph->values[node->inputs[i].id].dtype != AM_F32) return "works on f32 only";
    return graph->values[node->first_output.id].dtype == AM_F32 ? NULL : "gives f32 only";
}

static const am_mojo_kernel recurrence = {{.name = "recurrence_mojo",
                                           .op = AM_OP_RECURRENCE,
                                           .run = run_recurrence,
                                           .scratch_bytes = recurrence_scratch},
                                          am_mojo_refuses_all_but_f32},
                            routing = {{.name = "expert_routing_mojo",
                                        .op = AM_OP_EXPERT_ROUTING,
                                        .run = run_routing,
                                        .scratch_bytes = routing_scratch},
                                       refuses_routing};

const am_mojo_kernel *const am_mojo_recurrence[] = {&recurrence, &routing, NULL};
