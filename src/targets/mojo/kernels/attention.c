#include "targets/mojo/kernels/kernels.h"

#include <math.h>

/* QUERIES is that of attention.mojo. */
enum { QUERIES = 24, Q = 0, K, V, MASK, BIAS, SINKS, OFFSET };

static am_status place_in_cache(const am_tensor *offset, int64_t T, int64_t S, int64_t *first, int64_t *keys)
{
    *first = am_load_int(offset->dtype, offset->data, 0);
    *keys = *first + T;
    if (*first >= 0 && *keys <= S) return NULL;
    return am_error(AM_OUT_OF_RANGE, "positions %lld to %lld in a cache of %lld places", (long long)*first,
                    (long long)*keys - 1, (long long)S);
}

static am_status run_attention(const am_kernel_call *call)
{
    const am_attention_attributes *a = AM_ATTRIBUTES(am_attention_attributes, call);
    const am_tensor *in = call->inputs;
    int64_t B = in[Q].shape.dims[0], T = in[Q].shape.dims[1], H = in[Q].shape.dims[2], D = in[Q].shape.dims[3];
    int64_t S = in[K].shape.dims[1], G = in[K].shape.dims[2], first = S - T, keys = S;
    int64_t mask_strides[AM_RANK_LIMIT], bias_strides[AM_RANK_LIMIT];
    am_shape scores = am_shape_of(B, H, T, S);
    if (in[OFFSET].data) AM_TRY(place_in_cache(&in[OFFSET], T, S, &first, &keys));
    am_shape_broadcast_strides(&in[MASK].shape, &scores, mask_strides);
    am_shape_broadcast_strides(&in[BIAS].shape, &scores, bias_strides);
    bool folded = T == 1;
    int64_t heads = folded ? G : H, rows = folded ? H / (G ? G : 1) : T, blocks = (rows + QUERIES - 1) / QUERIES;
    const int64_t args[] = {am_mojo_address(in[Q].data),
                            am_mojo_address(in[K].data),
                            am_mojo_address(in[V].data),
                            am_mojo_address(in[MASK].data),
                            am_mojo_address(in[BIAS].data),
                            am_mojo_address(in[SINKS].data),
                            am_mojo_address(call->outputs[0].data),
                            T,
                            H,
                            D,
                            S,
                            G,
                            in[V].shape.dims[3],
                            first,
                            keys,
                            am_mojo_real(a->scale != 0 ? a->scale : 1 / sqrt((double)D)),
                            am_mojo_real(a->soft_cap),
                            a->causal,
                            a->window,
                            am_mojo_address(mask_strides),
                            am_mojo_address(bias_strides),
                            blocks,
                            folded};
    am_mojo_launch(AM_MOJO_ATTENTION, args, B * heads * blocks, 1);
    return NULL;
}

static const char *refuses_attention(const am_graph *graph, const am_node *node)
{
    for (int i = 0; i < node->input_count; i++)
        if (node->inputs[i].id && i != MASK && i != OFFSET && graph->values[node->inputs[i].id].dtype != AM_F32)
            return "works on f32 only";
    return NULL;
}

static am_status run_rope(const am_kernel_call *call)
{
    const int64_t *x = call->inputs[0].shape.dims, *table = call->inputs[1].shape.dims;
    const int64_t args[] = {am_mojo_address(call->inputs[0].data),
                            am_mojo_address(call->inputs[1].data),
                            am_mojo_address(call->inputs[2].data),
                            am_mojo_address(call->outputs[0].data),
                            x[1],
                            x[2],
                            x[3],
                            table[2],
                            AM_ATTRIBUTES(am_rope_attributes, call)->interleaved,
                            table[0] == 1};
    am_mojo_launch(AM_MOJO_ROPE, args, x[0] * x[1], 1 + 4096 / (x[2] * x[3] + 1));
    return NULL;
}

static const am_mojo_kernel attention = {{.name = "attention_mojo", .op = AM_OP_ATTENTION, .run = run_attention},
                                         refuses_attention},
                            rope = {{.name = "rope_mojo", .op = AM_OP_ROPE, .run = run_rope, .in_place = true},
                                    am_mojo_refuses_all_but_f32};

const am_mojo_kernel *const am_mojo_attention[] = {&attention, &rope, NULL};
