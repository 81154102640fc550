#include "targets/cpu/kernels/kernels.h"

#include "base/threads.h"

#include <math.h>

/* --- layer and rms norm: rows of the last dimension --- */

static const float *optional(const am_kernel_call *call, int i)
{
    return call->input_count > i ? call->inputs[i].data : NULL;
}

typedef struct rows {
    const am_kernel_call *call;
    const float *weight, *bias; /* or null */
    int64_t C;
} rows;

static void norm_rows(void *context, int64_t begin, int64_t end)
{
    const rows *r = context;
    const am_norm_attributes *a = AM_ATTRIBUTES(am_norm_attributes, r->call);
    const am_micro *micro = r->call->micro;
    const float *x = r->call->inputs[0].data;
    float *y = r->call->outputs[0].data;
    int64_t C = r->C;
    for (int64_t i = begin; i < end; i++) {
        if (a->kind == AM_NORM_LAYER) micro->layer_norm(x + i * C, r->weight, r->bias, y + i * C, C, (float)a->eps);
        else micro->rms_norm(x + i * C, r->weight, (float)a->weight_offset, y + i * C, C, (float)a->eps);
    }
}

/* A weight or a bias as float32, made in `to` where it is something else. */
static const float *as_floats(const am_kernel_call *call, int i, int64_t C, float *to)
{
    if (!optional(call, i) || call->inputs[i].dtype == AM_F32) return optional(call, i);
    call->micro->widen(call->inputs[i].dtype, call->inputs[i].data, to, C);
    return to;
}

static am_status run_rows(const am_kernel_call *call)
{
    const am_shape *x = &call->inputs[0].shape;
    int64_t C = x->dims[x->rank - 1], count = am_shape_count(x);
    float *memory = call->scratch;
    rows r = {call, as_floats(call, 1, C, memory), as_floats(call, 2, C, memory + C), C};
    am_parallel_for(C ? count / C : 0, 1 + 4096 / (C + 1), norm_rows, &r);
    return NULL;
}

static size_t rows_scratch(const am_graph *graph, const am_node *node)
{
    const am_shape *x = &graph->values[node->inputs[0].id].shape;
    return 2 * (size_t)x->dims[x->rank - 1] * sizeof(float);
}

/* x and y are float32, weight and bias of a form that widens to it. */
static bool has_row_types(const am_graph *graph, const am_node *node)
{
    for (int i = 0; i < node->input_count; i++) {
        am_dtype dtype = graph->values[node->inputs[i].id].dtype;
        bool widens = i > 0 && (dtype == AM_BF16 || dtype == AM_F16);
        if (node->inputs[i].id && dtype != AM_F32 && !widens) return false;
    }
    return graph->values[node->first_output.id].dtype == AM_F32;
}

static bool supports_rows(const am_graph *graph, const am_node *node)
{
    const am_norm_attributes *a = node->attributes;
    bool rms_with_bias = a->kind == AM_NORM_RMS && node->input_count > 2 && node->inputs[2].id;
    bool layer_with_offset = a->kind == AM_NORM_LAYER && a->weight_offset != 0;
    return (a->kind == AM_NORM_LAYER || a->kind == AM_NORM_RMS) && !rms_with_bias && !layer_with_offset &&
           has_row_types(graph, node);
}

const am_kernel am_cpu_norm_rows = {.name = "norm_rows_f32",
                                    .op = AM_OP_NORM,
                                    .run = run_rows,
                                    .supports = supports_rows,
                                    .scratch_bytes = rows_scratch,
                                    .in_place = true};

/* --- group and batch norm: [B, C, inner] --- */

static void norm_channel(const am_kernel_call *call, int64_t row, int64_t channel, int64_t inner, double mean,
                         double scale)
{
    const am_norm_attributes *a = AM_ATTRIBUTES(am_norm_attributes, call);
    const float *weight = optional(call, 1), *bias = optional(call, 2);
    double factor = weight ? scale * ((double)weight[channel] + a->weight_offset) : scale;
    double term = (bias ? (double)bias[channel] : 0) - mean * factor;
    call->micro->scale((const float *)call->inputs[0].data + row * inner, (float)factor, (float)term,
                       (float *)call->outputs[0].data + row * inner, inner);
}

static void norm_groups(void *context, int64_t begin, int64_t end)
{
    const am_kernel_call *call = context;
    const am_norm_attributes *a = AM_ATTRIBUTES(am_norm_attributes, call);
    const am_shape *x = &call->inputs[0].shape;
    int64_t C = x->dims[1], per_group = a->kind == AM_NORM_GROUP ? C / a->groups : 1, inner = 1;
    for (int i = 2; i < x->rank; i++) inner *= x->dims[i];
    for (int64_t i = begin; i < end; i++) {
        double mean, variance;
        if (a->kind == AM_NORM_GROUP)
            call->micro->moments((const float *)call->inputs[0].data + i * per_group * inner, per_group * inner, &mean,
                                 &variance);
        else
            mean = (double)((const float *)call->inputs[3].data)[i % C],
            variance = (double)((const float *)call->inputs[4].data)[i % C];
        for (int64_t k = 0; k < per_group; k++)
            norm_channel(call, i * per_group + k, (i * per_group + k) % C, inner, mean, 1 / sqrt(variance + a->eps));
    }
}

static am_status run_groups(const am_kernel_call *call)
{
    const am_norm_attributes *a = AM_ATTRIBUTES(am_norm_attributes, call);
    const am_shape *x = &call->inputs[0].shape;
    int64_t items = x->dims[0] * (a->kind == AM_NORM_GROUP ? a->groups : x->dims[1]);
    if (am_shape_count(x)) am_parallel_for(items, 1, norm_groups, (void *)(uintptr_t)call);
    return NULL;
}

static bool supports_groups(const am_graph *graph, const am_node *node)
{
    const am_norm_attributes *a = node->attributes;
    return (a->kind == AM_NORM_GROUP || a->kind == AM_NORM_BATCH) && am_all_f32(graph, node);
}

const am_kernel am_cpu_norm_channels = {
    .name = "norm_channels_f32", .op = AM_OP_NORM, .run = run_groups, .supports = supports_groups, .in_place = true};

/* --- softmax of the last axis --- */

static void softmax_rows(void *context, int64_t begin, int64_t end)
{
    const am_kernel_call *call = context;
    bool log_form = AM_ATTRIBUTES(am_softmax_attributes, call)->log;
    int64_t C = call->inputs[0].shape.dims[call->inputs[0].shape.rank - 1];
    for (int64_t i = begin; i < end; i++)
        call->micro->softmax((const float *)call->inputs[0].data + i * C, (float *)call->outputs[0].data + i * C, C,
                             log_form);
}

static am_status run_softmax(const am_kernel_call *call)
{
    const am_shape *x = &call->inputs[0].shape;
    int64_t C = x->dims[x->rank - 1], count = am_shape_count(x);
    am_parallel_for(C ? count / C : 0, 1 + 2048 / (C + 1), softmax_rows, (void *)(uintptr_t)call);
    return NULL;
}

static bool supports_softmax(const am_graph *graph, const am_node *node)
{
    const am_softmax_attributes *a = node->attributes;
    return a->axis == graph->values[node->inputs[0].id].shape.rank - 1 && am_all_f32(graph, node);
}

const am_kernel am_cpu_softmax = {
    .name = "softmax_f32", .op = AM_OP_SOFTMAX, .run = run_softmax, .supports = supports_softmax, .in_place = true};

/* --- sums, means and maxima over the last axes --- */

typedef struct reduction {
    const am_kernel_call *call;
    int64_t span;
} reduction;

static void reduce_rows(void *context, int64_t begin, int64_t end)
{
    const reduction *r = context;
    int fn = AM_ATTRIBUTES(am_reduce_attributes, r->call)->fn;
    const float *x = r->call->inputs[0].data;
    float *y = r->call->outputs[0].data;
    for (int64_t i = begin; i < end; i++) {
        double sum = 0;
        if (fn == AM_REDUCE_MAX) {
            y[i] = r->call->micro->largest(x + i * r->span, r->span);
            continue;
        }
        for (int64_t k = 0; k < r->span; k += 1024)
            sum += (double)r->call->micro->sum(x + i * r->span + k, r->span - k < 1024 ? r->span - k : 1024);
        y[i] = (float)(fn == AM_REDUCE_MEAN ? sum / (double)r->span : sum);
    }
}

static am_status run_reduce(const am_kernel_call *call)
{
    const am_reduce_attributes *a = AM_ATTRIBUTES(am_reduce_attributes, call);
    reduction r = {call, 1};
    for (int i = 0; i < a->axes.rank; i++) r.span *= call->inputs[0].shape.dims[a->axes.dims[i]];
    am_parallel_for(am_shape_count(&call->outputs[0].shape), 1 + 8192 / (r.span + 1), reduce_rows, &r);
    return NULL;
}

static bool supports_reduce(const am_graph *graph, const am_node *node)
{
    const am_reduce_attributes *a = node->attributes;
    int rank = graph->values[node->inputs[0].id].shape.rank;
    for (int i = 0; i < a->axes.rank; i++)
        if (a->axes.dims[i] != rank - a->axes.rank + i) return false;
    return (a->fn == AM_REDUCE_SUM || a->fn == AM_REDUCE_MEAN || a->fn == AM_REDUCE_MAX) && am_all_f32(graph, node);
}

const am_kernel am_cpu_reduce = {
    .name = "reduce_last_f32", .op = AM_OP_REDUCE, .run = run_reduce, .supports = supports_reduce};
