/* Kernels that only move elements, of any dtype. */
#include "targets/cpu/kernels/kernels.h"

#include "base/threads.h"
#include "targets/cpu/kernels/strided.h"

#include <string.h>

enum { CHUNK = 16384 };

static void copy(const am_kernel_call *call, int64_t (*strides)[AM_RANK_LIMIT], int64_t first)
{
    const am_tensor *x = &call->inputs[0], *y = &call->outputs[0];
    int64_t bytes = (int64_t)am_dtype_bytes(y->dtype);
    am_strided s;
    am_strided_make(&s, &y->shape, 1, strides, CHUNK);
    am_strided_copy(&s, (const char *)x->data + first * bytes, y->data, bytes);
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

/* Copies `outer` rows of `row_bytes` between places `from_pitch` and `to_pitch` bytes apart. */
typedef struct rows {
    const char *from;
    char *to;
    int64_t row_bytes, from_pitch, to_pitch;
} rows;

static void copy_rows(void *context, int64_t begin, int64_t end)
{
    const rows *r = context;
    for (int64_t i = begin; i < end; i++)
        memcpy(r->to + i * r->to_pitch, r->from + i * r->from_pitch, (size_t)r->row_bytes);
}

static am_status run_concat(const am_kernel_call *call)
{
    int axis = (int)AM_ATTRIBUTES(am_axis_attributes, call)->axis;
    const am_tensor *y = &call->outputs[0];
    int64_t outer = 1, inner = (int64_t)am_dtype_bytes(y->dtype), at = 0;
    for (int i = 0; i < axis; i++) outer *= y->shape.dims[i];
    for (int i = axis + 1; i < y->shape.rank; i++) inner *= y->shape.dims[i];
    for (int i = 0; i < call->input_count; i++) {
        int64_t row = call->inputs[i].shape.dims[axis] * inner;
        rows r = {call->inputs[i].data, (char *)y->data + at, row, row, y->shape.dims[axis] * inner};
        if (row) am_parallel_for(outer, 1 + CHUNK / row, copy_rows, &r);
        at += row;
    }
    return NULL;
}

/* Constant padding: everything gets the value, then the rows of the last dimension inside are copied over it.
 */
typedef struct padding {
    const am_kernel_call *call;
    const am_pad_attributes *options;
    int64_t bytes;
    char value[8];
} padding;

static void fill(char *to, const char *value, int64_t count, int64_t bytes)
{
    for (int64_t i = 0; i < count; i++) memcpy(to + i * bytes, value, (size_t)bytes);
}

/* Where row `index` of the result lies in x (in rows), or -1. */
static int64_t source_row(const padding *p, int64_t index)
{
    const am_shape *x = &p->call->inputs[0].shape, *y = &p->call->outputs[0].shape;
    int64_t row = 0, scale = 1;
    for (int i = x->rank - 2; i >= 0; i--) {
        int64_t at = index % y->dims[i] - p->options->before.dims[i];
        index /= y->dims[i];
        if (at < 0 || at >= x->dims[i]) return -1;
        row += at * scale;
        scale *= x->dims[i];
    }
    return row;
}

static void pad_rows(void *context, int64_t begin, int64_t end)
{
    const padding *p = context;
    const am_tensor *x = &p->call->inputs[0], *y = &p->call->outputs[0];
    int last = x->shape.rank - 1;
    int64_t from = x->shape.dims[last], to = y->shape.dims[last], before = p->options->before.dims[last];
    int64_t skip = before < 0 ? -before : 0, left = before > 0 ? before : 0;
    int64_t count = from - skip < to - left ? from - skip : to - left;
    if (count < 0) count = 0;
    for (int64_t i = begin; i < end; i++) {
        char *row = (char *)y->data + i * to * p->bytes;
        int64_t source = source_row(p, i), inside = source < 0 ? 0 : count, start = source < 0 || left > to ? 0 : left;
        fill(row, p->value, start, p->bytes);
        if (inside)
            memcpy(row + start * p->bytes, (const char *)x->data + (source * from + skip) * p->bytes,
                   (size_t)(inside * p->bytes));
        fill(row + (start + inside) * p->bytes, p->value, to - start - inside, p->bytes);
    }
}

static am_status run_pad(const am_kernel_call *call)
{
    const am_tensor *y = &call->outputs[0];
    padding p = {call, AM_ATTRIBUTES(am_pad_attributes, call), (int64_t)am_dtype_bytes(y->dtype), {0}};
    int64_t last = y->shape.dims[y->shape.rank - 1], count = am_shape_count(&y->shape);
    am_store_real(y->dtype, p.value, 0, p.options->value);
    am_parallel_for(last ? count / last : 0, 1 + CHUNK / (last + 1), pad_rows, &p);
    return NULL;
}

static bool supports_pad(const am_graph *graph, const am_node *node)
{
    (void)graph;
    return ((const am_pad_attributes *)node->attributes)->mode == AM_PAD_CONSTANT &&
           graph->values[node->inputs[0].id].shape.rank > 0;
}

/* --- cast --- */

static void cast_chunks(void *context, int64_t begin, int64_t end)
{
    const am_kernel_call *call = context;
    const am_tensor *x = &call->inputs[0], *y = &call->outputs[0];
    int64_t count = am_shape_count(&x->shape), from = begin * CHUNK,
            n = (end * CHUNK < count ? end * CHUNK : count) - from;
    const char *in = (const char *)x->data + from * (int64_t)am_dtype_bytes(x->dtype);
    char *out = (char *)y->data + from * (int64_t)am_dtype_bytes(y->dtype);
    bool half = x->dtype == AM_BF16 || x->dtype == AM_F16;
    if (x->dtype == y->dtype) memcpy(out, in, (size_t)n * am_dtype_bytes(x->dtype));
    else if (half && y->dtype == AM_F32) call->micro->widen(x->dtype, in, (float *)(void *)out, n);
    else am_convert(y->dtype, out, x->dtype, in, n);
}

static am_status run_cast(const am_kernel_call *call)
{
    am_parallel_for((am_shape_count(&call->inputs[0].shape) + CHUNK - 1) / CHUNK, 1, cast_chunks,
                    (void *)(uintptr_t)call);
    return NULL;
}

/* --- gather of slices, embedding --- */

static am_status check_indices(const am_tensor *index, int64_t size)
{
    int64_t count = am_shape_count(&index->shape), at;
    for (int64_t i = 0; i < count; i++) AM_TRY(am_read_index(index, i, size, &at));
    return NULL;
}

static void gather_rows(void *context, int64_t begin, int64_t end)
{
    const am_kernel_call *call = context;
    const am_tensor *x = &call->inputs[0], *index = &call->inputs[1];
    int axis = (int)AM_ATTRIBUTES(am_gather_attributes, call)->axis;
    int64_t n = am_shape_count(&index->shape), size = x->shape.dims[axis], bytes = (int64_t)am_dtype_bytes(x->dtype);
    for (int i = axis + 1; i < x->shape.rank; i++) bytes *= x->shape.dims[i];
    for (int64_t i = begin; i < end; i++) {
        int64_t from = i / n * size + am_load_int(index->dtype, index->data, i % n);
        memcpy((char *)call->outputs[0].data + i * bytes, (const char *)x->data + from * bytes, (size_t)bytes);
    }
}

static am_status run_gather(const am_kernel_call *call)
{
    const am_tensor *x = &call->inputs[0];
    int axis = (int)AM_ATTRIBUTES(am_gather_attributes, call)->axis;
    int64_t items = am_shape_count(&call->inputs[1].shape);
    AM_TRY(check_indices(&call->inputs[1], x->shape.dims[axis]));
    for (int i = 0; i < axis; i++) items *= x->shape.dims[i];
    if (am_shape_count(&call->outputs[0].shape)) am_parallel_for(items, 64, gather_rows, (void *)(uintptr_t)call);
    return NULL;
}

static bool supports_gather(const am_graph *graph, const am_node *node)
{
    (void)graph;
    return !((const am_gather_attributes *)node->attributes)->elementwise;
}

static void embedding_rows(void *context, int64_t begin, int64_t end)
{
    const am_kernel_call *call = context;
    const am_tensor *w = &call->inputs[0], *ids = &call->inputs[1];
    int64_t C = w->shape.dims[1], bytes = (int64_t)am_dtype_bytes(w->dtype);
    for (int64_t i = begin; i < end; i++) {
        const char *from = (const char *)w->data + am_load_int(ids->dtype, ids->data, i) * C * bytes;
        float *to = (float *)call->outputs[0].data + i * C;
        if (w->dtype == AM_F32) memcpy(to, from, (size_t)(C * bytes));
        else call->micro->widen(w->dtype, from, to, C);
    }
}

static am_status run_embedding(const am_kernel_call *call)
{
    AM_TRY(check_indices(&call->inputs[1], call->inputs[0].shape.dims[0]));
    am_parallel_for(am_shape_count(&call->inputs[1].shape), 16, embedding_rows, (void *)(uintptr_t)call);
    return NULL;
}

static bool supports_embedding(const am_graph *graph, const am_node *node)
{
    am_dtype w = graph->values[node->inputs[0].id].dtype;
    return (w == AM_F32 || w == AM_BF16 || w == AM_F16) && graph->values[node->first_output.id].dtype == AM_F32;
}

/* --- scatter of slices that replace --- */

static am_status run_scatter(const am_kernel_call *call)
{
    const am_tensor *x = &call->inputs[0], *index = &call->inputs[1], *updates = &call->inputs[2],
                    *y = &call->outputs[0];
    int axis = (int)AM_ATTRIBUTES(am_scatter_attributes, call)->axis;
    int64_t size = x->shape.dims[axis], n = am_shape_count(&index->shape), outer = 1,
            bytes = (int64_t)am_dtype_bytes(x->dtype);
    for (int i = 0; i < axis; i++) outer *= x->shape.dims[i];
    for (int i = axis + 1; i < x->shape.rank; i++) bytes *= x->shape.dims[i];
    if (am_shape_count(&updates->shape)) AM_TRY(check_indices(index, size));
    if (y->data != x->data && am_shape_count(&x->shape) > 0) memcpy(y->data, x->data, (size_t)(outer * size * bytes));
    for (int64_t o = 0; o < outer && bytes; o++)
        for (int64_t i = 0; i < n; i++)
            memcpy((char *)y->data + (o * size + am_load_int(index->dtype, index->data, i)) * bytes,
                   (const char *)updates->data + (o * n + i) * bytes, (size_t)bytes);
    return NULL;
}

static bool supports_scatter(const am_graph *graph, const am_node *node)
{
    const am_scatter_attributes *a = node->attributes;
    (void)graph;
    return !a->elementwise && a->fn == AM_SCATTER_SET;
}

const am_kernel am_cpu_permute = {.name = "permute", .op = AM_OP_PERMUTE, .run = run_permute};
const am_kernel am_cpu_broadcast = {.name = "broadcast", .op = AM_OP_BROADCAST, .run = run_broadcast};
const am_kernel am_cpu_slice = {.name = "slice", .op = AM_OP_SLICE, .run = run_slice};
const am_kernel am_cpu_concat = {.name = "concat", .op = AM_OP_CONCAT, .run = run_concat};
const am_kernel am_cpu_pad = {.name = "pad_constant", .op = AM_OP_PAD, .run = run_pad, .supports = supports_pad};
const am_kernel am_cpu_cast = {.name = "cast", .op = AM_OP_CAST, .run = run_cast};
const am_kernel am_cpu_gather = {
    .name = "gather_slices", .op = AM_OP_GATHER, .run = run_gather, .supports = supports_gather};
const am_kernel am_cpu_embedding = {
    .name = "embedding_f32", .op = AM_OP_EMBEDDING, .run = run_embedding, .supports = supports_embedding};
const am_kernel am_cpu_scatter = {
    .name = "scatter_slices", .op = AM_OP_SCATTER, .run = run_scatter, .supports = supports_scatter, .in_place = true};
