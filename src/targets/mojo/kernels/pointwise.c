#include "targets/mojo/kernels/kernels.h"

enum { CHUNK = 4096 };

static am_status run_unary(const am_kernel_call *call)
{
    const am_tensor *x = &call->inputs[0];
    const int64_t args[] = {x->dtype, AM_ATTRIBUTES(am_unary_attributes, call)->fn, am_mojo_address(x->data),
                            am_mojo_address(call->outputs[0].data)};
    am_mojo_launch(AM_MOJO_UNARY, args, am_shape_count(&x->shape), CHUNK);
    return NULL;
}

static am_status run_binary(const am_kernel_call *call)
{
    am_strided s;
    int64_t words[AM_MOJO_STRIDED_WORDS];
    am_strided_of_broadcast(&s, call, 2, CHUNK);
    am_mojo_strided(&s, words);
    const int64_t args[] = {call->inputs[0].dtype,
                            AM_ATTRIBUTES(am_binary_attributes, call)->fn,
                            am_mojo_address(call->inputs[0].data),
                            am_mojo_address(call->inputs[1].data),
                            am_mojo_address(call->outputs[0].data),
                            am_mojo_address(words)};
    am_mojo_launch(AM_MOJO_BINARY, args, s.rows, 1 + CHUNK / (s.inner + 1));
    return NULL;
}

static am_status run_select(const am_kernel_call *call)
{
    am_strided s;
    int64_t words[AM_MOJO_STRIDED_WORDS];
    am_strided_of_broadcast(&s, call, 3, CHUNK);
    am_mojo_strided(&s, words);
    const int64_t args[] = {(int64_t)am_dtype_bytes(call->outputs[0].dtype), am_mojo_address(call->inputs[0].data),
                            am_mojo_address(call->inputs[1].data),           am_mojo_address(call->inputs[2].data),
                            am_mojo_address(call->outputs[0].data),          am_mojo_address(words)};
    am_mojo_launch(AM_MOJO_SELECT, args, s.rows, 1 + CHUNK / (s.inner + 1));
    return NULL;
}

static am_status run_gated(const am_kernel_call *call)
{
    const am_tensor *y = &call->outputs[0];
    bool packed = call->input_count < 2 || !call->inputs[1].data;
    int64_t n = y->shape.rank ? y->shape.dims[y->shape.rank - 1] : 1, count = am_shape_count(&y->shape);
    const char *gate = call->inputs[0].data, *up = call->inputs[1].data;
    if (packed) up = gate + n * (int64_t)am_dtype_bytes(y->dtype);
    const int64_t args[] = {y->dtype,
                            AM_ATTRIBUTES(am_gated_activation_attributes, call)->fn,
                            am_mojo_address(gate),
                            am_mojo_address(up),
                            am_mojo_address(y->data),
                            n,
                            packed ? 2 * n : n};
    am_mojo_launch(AM_MOJO_GATED_ACTIVATION, args, n ? count / n : 0, 1 + CHUNK / (n + 1));
    return NULL;
}

static am_status run_cast(const am_kernel_call *call)
{
    const am_tensor *x = &call->inputs[0], *y = &call->outputs[0];
    const int64_t args[] = {x->dtype, am_mojo_address(x->data), y->dtype, am_mojo_address(y->data)};
    am_mojo_launch(AM_MOJO_CAST, args, am_shape_count(&x->shape), CHUNK);
    return NULL;
}

static am_status run_iota(const am_kernel_call *call)
{
    const am_iota_attributes *a = AM_ATTRIBUTES(am_iota_attributes, call);
    int64_t strides[AM_RANK_LIMIT] = {1}, axis = a->axis;
    am_shape_strides(&a->shape, strides);
    const int64_t args[] = {a->dtype,
                            am_mojo_address(call->outputs[0].data),
                            am_mojo_real(a->start),
                            am_mojo_real(a->step),
                            a->shape.rank ? a->shape.dims[axis] : 1,
                            a->shape.rank ? strides[axis] : 1};
    am_mojo_launch(AM_MOJO_IOTA, args, am_shape_count(&a->shape), CHUNK);
    return NULL;
}

static am_status run_random(const am_kernel_call *call)
{
    const am_random_attributes *a = AM_ATTRIBUTES(am_random_attributes, call);
    const int64_t args[] = {am_mojo_address(call->outputs[0].data), a->seed, a->normal};
    am_mojo_launch(AM_MOJO_RANDOM, args, am_shape_count(&a->shape), CHUNK);
    return NULL;
}

static const char *refuses_iota(const am_graph *graph, const am_node *node)
{
    if (graph->values[node->first_output.id].dtype == AM_BOOL) return "counts in numbers only";
    return am_mojo_refuses_f8(graph, node);
}

static const am_mojo_kernel
    unary = {{.name = "unary_mojo", .op = AM_OP_UNARY, .run = run_unary, .in_place = true}, am_mojo_refuses_f8},
    binary = {{.name = "binary_mojo", .op = AM_OP_BINARY, .run = run_binary, .in_place = true}, am_mojo_refuses_f8},
    select_one = {{.name = "select_mojo", .op = AM_OP_SELECT, .run = run_select}, NULL},
    gated = {{.name = "gated_activation_mojo", .op = AM_OP_GATED_ACTIVATION, .run = run_gated, .in_place = true},
             am_mojo_refuses_f8_and_integers},
    cast = {{.name = "cast_mojo", .op = AM_OP_CAST, .run = run_cast}, am_mojo_refuses_f8},
    iota = {{.name = "iota_mojo", .op = AM_OP_IOTA, .run = run_iota}, refuses_iota},
    random_numbers = {{.name = "random_mojo", .op = AM_OP_RANDOM, .run = run_random}, NULL};

const am_mojo_kernel *const am_mojo_pointwise[] = {&unary, &binary, &select_one,     &gated,
                                                   &cast,  &iota,   &random_numbers, NULL};
