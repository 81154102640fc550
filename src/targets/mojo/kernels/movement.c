#include "targets/mojo/kernels/kernels.h"

#include <string.h>

enum { CHUNK = 16384 };

/* --- permute, broadcast, slice --- */

static void copy(const am_kernel_call *call, int64_t (*strides)[AM_RANK_LIMIT], int64_t first)
{
    const am_tensor *x = &call->inputs[0], *y = &call->outputs[0];
    int64_t bytes = (int64_t)am_dtype_bytes(y->dtype), words[AM_MOJO_STRIDED_WORDS];
    am_strided s;
    am_strided_make(&s, &y->shape, 1, strides, CHUNK);
    am_mojo_strided(&s, words);
    const int64_t args[] = {bytes, am_mojo_address((const char *)x->data + first * bytes), am_mojo_address(y->data),
                            am_mojo_address(words)};
    am_mojo_launch(AM_MOJO_COPY, args, s.rows, 1 + CHUNK / (s.inner * bytes + 1));
}

static am_status run_permute(const am_kernel_call *call)
{
    const am_permute_attributes *a = AM_ATTRIBUTES(am_permute_attributes, call);
    int64_t strides[AM_RANK_LIMIT], reordered[1][AM_RANK_LIMIT];
    am_shape_strides(&call->inputs[0].shape, strides);
    for (int i = 0; i < a->order.rank; i++) reordered[0][i] = strides[a->order.dims[i]];
    copy(call, reordered, 0);
    return NULL;
}

static am_status run_broadcast(const am_kernel_call *call)
{
    int64_t strides[1][AM_RANK_LIMIT];
    am_shape_broadcast_strides(&call->inputs[0].shape, &call->outputs[0].shape, strides[0]);
    copy(call, strides, 0);
    return NULL;
}

static am_status run_slice(const am_kernel_call *call)
{
    const am_slice_attributes *a = AM_ATTRIBUTES(am_slice_attributes, call);
    int64_t strides[1][AM_RANK_LIMIT];
    am_shape_strides(&call->inputs[0].shape, strides[0]);
    int64_t first = am_shape_count(&call->outputs[0].shape) ? a->start * strides[0][a->axis] : 0;
    strides[0][a->axis] *= a->step;
    copy(call, strides, first);
    return NULL;
}

/* --- concat, pad --- */

static am_status run_concat(const am_kernel_call *call)
{
    int axis = (int)AM_ATTRIBUTES(am_axis_attributes, call)->axis;
    const am_tensor *y = &call->outputs[0];
    int64_t outer = 1, inner = (int64_t)am_dtype_bytes(y->dtype), at = 0;
    for (int i = 0; i < axis; i++) outer *= y->shape.dims[i];
    for (int i = axis + 1; i < y->shape.rank; i++) inner *= y->shape.dims[i];
    for (int i = 0; i < call->input_count; i++) {
        int64_t row = call->inputs[i].shape.dims[axis] * inner;
        const int64_t args[] = {am_mojo_address(call->inputs[i].data), am_mojo_address((char *)y->data + at), row, row,
                                y->shape.dims[axis] * inner};
        if (row) am_mojo_launch(AM_MOJO_COPY_ROWS, args, outer, 1 + CHUNK / row);
        at += row;
    }
    return NULL;
}

static am_status run_pad(const am_kernel_call *call)
{
    const am_pad_attributes *a = AM_ATTRIBUTES(am_pad_attributes, call);
    const am_tensor *x = &call->inputs[0], *y = &call->outputs[0];
    int64_t last = y->shape.dims[y->shape.rank - 1], count = am_shape_count(&y->shape);
    uint64_t value = 0, part = 0;
    int bytes = (int)am_dtype_bytes(y->dtype);
    unsigned char stored[8] = {0};
    am_store_real(y->dtype, stored, 0, a->value);
    for (int i = 0; i < bytes; i++) { /* as a number, whatever the order of bytes */
        const uint16_t one = 1;
        bool little = *(const unsigned char *)&one;
        part = stored[little ? i : bytes - 1 - i];
        value |= part << 8 * i;
    }
    const int64_t args[] = {bytes,
                            am_mojo_address(x->data),
                            am_mojo_address(y->data),
                            y->shape.rank,
                            am_mojo_address(x->shape.dims),
                            am_mojo_address(y->shape.dims),
                            am_mojo_address(a->before.dims),
                            a->mode,
                            (int64_t)value};
    am_mojo_launch(AM_MOJO_PAD, args, last ? count / last : 0, 1 + CHUNK / (last + 1));
    return NULL;
}

static const char *refuses_pad(const am_graph *graph, const am_node *node)
{
    return graph->values[node->inputs[0].id].shape.rank ? NULL : "a scalar has nothing to pad";
}

/* --- gather, scatter, embedding --- */

static am_status check_indices(const am_tensor *index, int64_t size)
{
    int64_t count = am_shape_count(&index->shape), at;
    for (int64_t i = 0; i < count; i++) AM_TRY(am_read_index(index, i, size, &at));
    return NULL;
}

static const char *refuses_index(const am_graph *graph, const am_node *node)
{
    am_dtype dtype = graph->values[node->inputs[1].id].dtype;
    return dtype == AM_I32 || dtype == AM_I64 ? NULL : "takes indices of i32 or i64 only";
}

static am_status run_gather_elements(const am_kernel_call *call)
{
    const am_gather_attributes *a = AM_ATTRIBUTES(am_gather_attributes, call);
    const am_tensor *x = &call->inputs[0], *index = &call->inputs[1], *y = &call->outputs[0];
    int64_t strides[AM_RANK_LIMIT];
    am_shape_strides(&x->shape, strides);
    AM_TRY(check_indices(index, x->shape.dims[a->axis]));
    const int64_t args[] = {(int64_t)am_dtype_bytes(x->dtype),
                            am_mojo_address(x->data),
                            am_mojo_address(index->data),
                            index->dtype == AM_I64,
                            am_mojo_address(y->data),
                            y->shape.rank,
                            am_mojo_address(y->shape.dims),
                            am_mojo_address(strides),
                            a->axis};
    am_mojo_launch(AM_MOJO_GATHER_ELEMENTS, args, am_shape_count(&y->shape), 1024);
    return NULL;
}

static am_status run_gather(const am_kernel_call *call)
{
    const am_gather_attributes *a = AM_ATTRIBUTES(am_gather_attributes, call);
    const am_tensor *x = &call->inputs[0], *index = &call->inputs[1];
    int64_t n = am_shape_count(&index->shape), outer = 1, bytes = (int64_t)am_dtype_bytes(x->dtype);
    if (a->elementwise) return run_gather_elements(call);
    AM_TRY(check_indices(index, x->shape.dims[a->axis]));
    for (int i = 0; i < a->axis; i++) outer *= x->shape.dims[i];
    for (int i = (int)a->axis + 1; i < x->shape.rank; i++) bytes *= x->shape.dims[i];
    const int64_t args[] = {(int64_t)am_dtype_bytes(x->dtype),
                            am_mojo_address(x->data),
                            am_mojo_address(index->data),
                            index->dtype == AM_I64,
                            am_mojo_address(call->outputs[0].data),
                            n,
                            x->shape.dims[a->axis],
                            bytes};
    if (am_shape_count(&call->outputs[0].shape)) am_mojo_launch(AM_MOJO_GATHER, args, outer * n, 64);
    return NULL;
}

static void scatter_rows(const am_kernel_call *call, int64_t axis)
{
    const am_tensor *y = &call->outputs[0], *index = &call->inputs[1];
    int64_t outer = 1, bytes = (int64_t)am_dtype_bytes(y->dtype);
    for (int i = 0; i < axis; i++) outer *= y->shape.dims[i];
    for (int i = (int)axis + 1; i < y->shape.rank; i++) bytes *= y->shape.dims[i];
    const int64_t args[] = {am_mojo_address(y->data),
                            am_mojo_address(index->data),
                            index->dtype == AM_I64,
                            am_mojo_address(call->inputs[2].data),
                            am_shape_count(&index->shape),
                            y->shape.dims[axis],
                            bytes};
    am_mojo_launch(AM_MOJO_SCATTER_ROWS, args, outer, 1);
}

static am_status run_scatter(const am_kernel_call *call)
{
    const am_scatter_attributes *a = AM_ATTRIBUTES(am_scatter_attributes, call);
    const am_tensor *x = &call->inputs[0], *index = &call->inputs[1], *updates = &call->inputs[2],
                    *y = &call->outputs[0];
    size_t bytes = am_tensor_bytes(x->dtype, &x->shape);
    int64_t strides[AM_RANK_LIMIT], count = am_shape_count(&updates->shape);
    am_shape_strides(&y->shape, strides);
    if (count) AM_TRY(check_indices(index, x->shape.dims[a->axis]));
    if (bytes && y->data != x->data) memcpy(y->data, x->data, bytes);
    const int64_t args[] = {y->dtype,
                            a->fn,
                            am_mojo_address(index->data),
                            index->dtype == AM_I64,
                            am_mojo_address(updates->data),
                            am_mojo_address(y->data),
                            updates->shape.rank,
                            am_mojo_address(updates->shape.dims),
                            am_mojo_address(strides),
                            a->axis,
                            a->elementwise};
    if (!count) return NULL;
    if (!a->elementwise && a->fn == AM_SCATTER_SET) scatter_rows(call, a->axis);
    else am_mojo_launch(AM_MOJO_SCATTER, args, count / updates->shape.dims[a->axis], 16);
    return NULL;
}

static const char *refuses_scatter(const am_graph *graph, const am_node *node)
{
    const char *reason = refuses_index(graph, node);
    return reason ? reason : am_mojo_refuses_f8(graph, node);
}

static am_status run_embedding(const am_kernel_call *call)
{
    const am_tensor *w = &call->inputs[0], *ids = &call->inputs[1];
    const int64_t args[] = {w->dtype,
                            am_mojo_address(w->data),
                            am_mojo_address(ids->data),
                            ids->dtype == AM_I64,
                            am_mojo_address(call->outputs[0].data),
                            w->shape.dims[1]};
    AM_TRY(check_indices(ids, w->shape.dims[0]));
    am_mojo_launch(AM_MOJO_EMBEDDING, args, am_shape_count(&ids->shape), 16);
    return NULL;
}

static const char *refuses_embedding(const am_graph *graph, const am_node *node)
{
    am_dtype w = graph->values[node->inputs[0].id].dtype;
    if (w != AM_F32 && w != AM_BF16 && w != AM_F16) return "takes tables of f32, bf16 and f16 only";
    return refuses_index(graph, node);
}

static const am_mojo_kernel
    permute = {{.name = "permute_mojo", .op = AM_OP_PERMUTE, .run = run_permute}, NULL},
    broadcast = {{.name = "broadcast_mojo", .op = AM_OP_BROADCAST, .run = run_broadcast}, NULL},
    slice = {{.name = "slice_mojo", .op = AM_OP_SLICE, .run = run_slice}, NULL},
    concat = {{.name = "concat_mojo", .op = AM_OP_CONCAT, .run = run_concat}, NULL},
    pad = {{.name = "pad_mojo", .op = AM_OP_PAD, .run = run_pad}, refuses_pad},
    gather = {{.name = "gather_mojo", .op = AM_OP_GATHER, .run = run_gather}, refuses_index},
    scatter = {{.name = "scatter_mojo", .op = AM_OP_SCATTER, .run = run_scatter, .in_place = true}, refuses_scatter},
    embedding = {{.name = "embedding_mojo", .op = AM_OP_EMBEDDING, .run = run_embedding}, refuses_embedding};

const am_mojo_kernel *const am_mojo_movement[] = {&permute, &broadcast, &slice,     &concat, &pad,
                                                  &gather,  &scatter,   &embedding, NULL};
