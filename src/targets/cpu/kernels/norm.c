#include "targets/cpu/kernels/kernels.h"

#include "base/threads.h"

#include <math.h>
#include <string.h>

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

/* Longer rows are not given rounded. */
enum { MOST_ROUNDED = 8192 };

static void norm_rows(void *context, int64_t begin, int64_t end)
{
    const rows *r = context;
    const am_norm_attributes *a = AM_ATTRIBUTES(am_norm_attributes, r->call);
    const am_micro *micro = r->call->micro;
    const float *x = r->call->inputs[0].data;
    float alone[MOST_ROUNDED];
    am_pair *rounded = r->call->output_rounded ? r->call->outputs[0].data : r->call->also_rounded;
    int64_t C = r->C;
    for (int64_t i = begin; i < end; i++) {
        float *y = r->call->output_rounded ? alone : (float *)r->call->outputs[0].data + i * C;
        if (a->kind == AM_NORM_LAYER) micro->layer_norm(x + i * C, r->weight, r->bias, y, C, (float)a->eps);
        else micro->rms_norm(x + i * C, r->weight, (float)a->weight_offset, y, C, (float)a->eps);
        if (rounded) micro->round_pairs(y, C, rounded + i * C / 2);
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

static unsigned writes_rounded(const am_graph *graph, const am_node *const *nodes, int count)
{
    const am_shape *y = &graph->values[nodes[0]->first_output.id].shape;
    int64_t C = y->dims[y->rank - 1];
    return count == 1 && C % 2 == 0 && C <= MOST_ROUNDED ? AM_ROUNDED_ALONE | AM_ROUNDED_TOO : 0;
}

const am_kernel am_cpu_norm_rows = {.name = "norm_rows_f32",
                                    .op = AM_OP_NORM,
                                    .writes_rounded = writes_rounded,
                                    .run = run_rows,
                                    .supports = supports_rows,
                                    .scratch_bytes = rows_scratch,
                                    .in_place = true};

/* --- group and batch norm: [B, C, inner] --- */

/* A function may follow, while the numbers are at hand. */
static bool takes_function(const am_graph *graph, const am_node *const *nodes, int count, const am_node *next, int from)
{
    (void)nodes, (void)count, (void)from;
    return next->op == AM_OP_UNARY && am_all_f32(graph, next);
}

static void finish(const am_kernel_call *call, float *y, int64_t count)
{
    for (int i = 0; call->tail && i < call->tail->count; i++) {
        const am_unary_attributes *a = call->tail->steps[i].node->attributes;
        call->micro->unary((am_unary_fn)a->fn, y, y, count);
    }
}

am_norm_line am_norm_line_of(const am_norm_attributes *a, const float *weight, const float *bias, int64_t channel,
                             double mean, double variance)
{
    double factor = 1 / sqrt(variance + a->eps);
    if (weight) factor *= (double)weight[channel] + a->weight_offset;
    return (am_norm_line){factor, (bias ? (double)bias[channel] : 0) - mean * factor};
}

static am_norm_line line_of(const am_kernel_call *call, int64_t channel, double mean, double variance)
{
    return am_norm_line_of(AM_ATTRIBUTES(am_norm_attributes, call), optional(call, 1), optional(call, 2), channel, mean,
                           variance);
}

static void norm_channel(const am_kernel_call *call, int64_t row, int64_t channel, int64_t inner, double mean,
                         double variance)
{
    am_norm_line line = line_of(call, channel, mean, variance);
    call->micro->scale((const float *)call->inputs[0].data + row * inner, (float)line.factor, (float)line.term,
                       (float *)call->outputs[0].data + row * inner, inner);
    finish(call, (float *)call->outputs[0].data + row * inner, inner);
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
            norm_channel(call, i * per_group + k, (i * per_group + k) % C, inner, mean, variance);
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

/* --- the same where channels are last: [B, P, C]. Moments are those of BLOCK places, about their own mean while they
   are in the cache, put together by Chan's formulas; SPAN places, a multiple of it, are one piece of work. --- */

enum { BLOCK = 64, SPAN = 1024 };

typedef struct moments {
    double count, mean, squares; /* squares: of the differences to the mean */
} moments;

typedef struct last_norm {
    const am_kernel_call *call;
    int64_t B, P, C, spans;
    moments *pieces;        /* of each of B, of spans and of C */
    float *factors, *terms; /* of each of B and C: y = x * factor + term */
    float *sums;            /* of each of B and of spans: two rows of C */
} last_norm;

static void join(moments *all, const moments *more)
{
    double count = all->count + more->count, apart = more->mean - all->mean;
    if (more->count == 0) return;
    all->mean += apart * more->count / count;
    all->squares += more->squares + apart * apart * all->count * more->count / count;
    all->count = count;
}

/* Of a block of places; `memory` has two rows. */
static void add_block(const last_norm *n, const float *x, int64_t places, float *memory, moments *to)
{
    const am_micro *micro = n->call->micro;
    float *means = memory, *rest = memory + n->C;
    memset(means, 0, (size_t)n->C * sizeof *means);
    for (int64_t i = 0; i < places; i++) micro->binary(AM_ADD, means, false, x + i * n->C, false, means, n->C);
    micro->scale(means, 1 / (float)places, 0, means, n->C);
    for (int64_t c0 = 0; c0 < n->C; c0 += BLOCK) {
        int64_t count = n->C - c0 < BLOCK ? n->C - c0 : BLOCK;
        float squares[BLOCK] = {0}, sums[BLOCK] = {0};
        for (int64_t i = 0; i < places; i++) {
            micro->binary(AM_SUB, x + i * n->C + c0, false, means + c0, false, rest, count);
            micro->binary(AM_ADD, sums, false, rest, false, sums, count);
            micro->binary(AM_MUL, rest, false, rest, false, rest, count);
            micro->binary(AM_ADD, squares, false, rest, false, squares, count);
        }
        for (int64_t c = 0; c < count; c++) {
            double off = (double)sums[c] / (double)places; /* of the mean, which was rounded */
            moments block = {(double)places, (double)means[c0 + c] + off,
                             (double)squares[c] - off * off * (double)places};
            join(&to[c0 + c], &block);
        }
    }
}

static void find_moments(void *context, int64_t begin, int64_t end)
{
    const last_norm *n = context;
    for (int64_t i = begin; i < end; i++) {
        int64_t first = i % n->spans * SPAN, last = n->P - first < SPAN ? n->P : first + SPAN;
        moments *to = n->pieces + i * n->C;
        for (int64_t c = 0; c < n->C; c++) to[c] = (moments){0};
        for (int64_t p = first; p < last; p += BLOCK)
            add_block(n, (const float *)n->call->inputs[0].data + (i / n->spans * n->P + p) * n->C,
                      last - p < BLOCK ? last - p : BLOCK, n->sums + i * 2 * n->C, to);
    }
}

/* Mean and variance of a channel's group. */
static moments group_of(const last_norm *n, int64_t batch, int64_t channel)
{
    int64_t each = n->C / AM_ATTRIBUTES(am_norm_attributes, n->call)->groups, first = channel / each * each;
    moments all = {0};
    for (int64_t i = batch * n->spans; i < (batch + 1) * n->spans; i++)
        for (int64_t c = first; c < first + each; c++) join(&all, &n->pieces[i * n->C + c]);
    return all;
}

static void set_factor(const last_norm *n, int64_t batch, int64_t c, double mean, double variance)
{
    am_norm_line line = line_of(n->call, c, mean, variance);
    n->factors[batch * n->C + c] = (float)line.factor, n->terms[batch * n->C + c] = (float)line.term;
}

static void find_factors(const last_norm *n)
{
    const am_norm_attributes *a = AM_ATTRIBUTES(am_norm_attributes, n->call);
    const am_tensor *in = n->call->inputs;
    moments group = {0};
    for (int64_t batch = 0; batch < n->B; batch++)
        for (int64_t c = 0; c < n->C; c++) {
            if (a->kind == AM_NORM_BATCH) {
                set_factor(n, batch, c, (double)((const float *)in[3].data)[c], (double)((const float *)in[4].data)[c]);
                continue;
            }
            if (c % (n->C / a->groups) == 0) group = group_of(n, batch, c);
            set_factor(n, batch, c, group.mean, group.squares / group.count);
        }
}

/* A place of which the results are rounded, a piece of its channels after the other. */
static void scale_rounded(const last_norm *n, const float *x, int64_t channel, am_pair *to)
{
    const am_micro *micro = n->call->micro;
    const am_tail *tail = n->call->tail;
    float part[SPAN];
    for (int64_t c = 0; c < n->C; c += SPAN) {
        int64_t count = n->C - c < SPAN ? n->C - c : SPAN;
        am_unary_fn fn = AM_IDENTITY;
        micro->binary(AM_MUL, x + c, false, n->factors + channel + c, false, part, count);
        micro->binary(AM_ADD, part, false, n->terms + channel + c, false, part, count);
        for (int i = 0; tail && i < tail->count; i++) {
            if (fn != AM_IDENTITY) micro->unary(fn, part, part, count);
            fn = (am_unary_fn)((const am_unary_attributes *)tail->steps[i].node->attributes)->fn;
        }
        micro->round_function(fn, part, NULL, count, to + c / 2);
    }
}

static void scale_places(void *context, int64_t begin, int64_t end)
{
    const last_norm *n = context;
    for (int64_t i = begin; i < end; i++) {
        const float *x = (const float *)n->call->inputs[0].data + i * n->C;
        float *y = (float *)n->call->outputs[0].data + i * n->C;
        int64_t channel = i / n->P * n->C;
        if (n->call->output_rounded) {
            scale_rounded(n, x, channel, (am_pair *)n->call->outputs[0].data + i * n->C / 2);
            continue;
        }
        n->call->micro->binary(AM_MUL, x, false, n->factors + channel, false, y, n->C);
        n->call->micro->binary(AM_ADD, y, false, n->terms + channel, false, y, n->C);
        finish(n->call, y, n->C);
    }
}

static int64_t spans_of(const am_shape *x)
{
    int64_t channels = x->dims[0] * x->dims[1];
    return channels > 0 ? (am_shape_count(x) / channels + SPAN - 1) / SPAN : 0;
}

static am_status run_last(const am_kernel_call *call)
{
    const am_shape *x = &call->inputs[0].shape;
    last_norm n = {.call = call, .B = x->dims[0], .C = x->dims[1], .spans = spans_of(x), .pieces = call->scratch};
    if (!am_shape_count(x)) return NULL;
    n.P = am_shape_count(x) / (n.B * n.C);
    n.factors = (float *)(n.pieces + n.B * n.spans * n.C), n.terms = n.factors + n.B * n.C;
    n.sums = n.terms + n.B * n.C;
    if (AM_ATTRIBUTES(am_norm_attributes, call)->kind == AM_NORM_GROUP)
        am_parallel_for(n.B * n.spans, 1, find_moments, &n);
    find_factors(&n);
    am_parallel_for(n.B * n.P, 1 + 4096 / (n.C + 1), scale_places, &n);
    return NULL;
}

static size_t last_scratch(const am_graph *graph, const am_node *node)
{
    const am_shape *x = &graph->values[node->inputs[0].id].shape;
    size_t channels = (size_t)(x->dims[0] * x->dims[1]), spans = (size_t)spans_of(x);
    return channels * (spans * (sizeof(moments) + 2 * sizeof(float)) + 2 * sizeof(float));
}

static unsigned last_writes_rounded(const am_graph *graph, const am_node *const *nodes, int count)
{
    (void)count;
    return graph->values[nodes[0]->first_output.id].shape.dims[1] % 2 == 0 ? AM_ROUNDED_ALONE : 0;
}

static const am_kernel norm_last = {.name = "norm_channels_last_f32",
                                    .op = AM_OP_NORM,
                                    .writes_rounded = last_writes_rounded,
                                    .run = run_last,
                                    .supports = supports_groups,
                                    .scratch_bytes = last_scratch,
                                    .takes = takes_function,
                                    .keeps_layout = am_every_node};

const am_kernel am_cpu_norm_channels = {.name = "norm_channels_f32",
                                        .op = AM_OP_NORM,
                                        .run = run_groups,
                                        .supports = supports_groups,
                                        .in_place = true,
                                        .takes = takes_function,
                                        .channels_last = &norm_last};

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

/* --- sums, means and maxima over axes that follow each other: [outer, span, inner] --- */

typedef struct reduction {
    const am_kernel_call *call;
    int64_t span, inner;
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

enum { COLUMNS_REDUCED = 64, SUMMED_AS_FLOATS = 32 };

/* Columns of [span, inner], neighbours together. Sums of a few rows are added as doubles. */
static void reduce_columns(const reduction *r, const float *x, int64_t count, float *y)
{
    const am_micro *micro = r->call->micro;
    int fn = AM_ATTRIBUTES(am_reduce_attributes, r->call)->fn;
    float part[COLUMNS_REDUCED];
    double sum[COLUMNS_REDUCED] = {0};
    memcpy(part, x, (size_t)count * sizeof *part);
    for (int64_t k = 1; k <= r->span; k++) {
        bool starts = fn != AM_REDUCE_MAX && k % SUMMED_AS_FLOATS == 0;
        for (int64_t i = 0; (starts || k == r->span) && i < count; i++) sum[i] += (double)part[i];
        if (k == r->span) break;
        if (starts) memcpy(part, x + k * r->inner, (size_t)count * sizeof *part);
        else micro->binary(fn == AM_REDUCE_MAX ? AM_MAX : AM_ADD, part, false, x + k * r->inner, false, part, count);
    }
    for (int64_t i = 0; i < count; i++)
        y[i] = fn == AM_REDUCE_MAX ? part[i] : (float)(fn == AM_REDUCE_MEAN ? sum[i] / (double)r->span : sum[i]);
}

static void reduce_column_blocks(void *context, int64_t begin, int64_t end)
{
    const reduction *r = context;
    int64_t blocks = (r->inner + COLUMNS_REDUCED - 1) / COLUMNS_REDUCED;
    for (int64_t i = begin; i < end; i++) {
        int64_t outer = i / blocks, from = i % blocks * COLUMNS_REDUCED, left = r->inner - from;
        reduce_columns(r, (const float *)r->call->inputs[0].data + outer * r->span * r->inner + from,
                       left < COLUMNS_REDUCED ? left : COLUMNS_REDUCED,
                       (float *)r->call->outputs[0].data + outer * r->inner + from);
    }
}

static am_status run_reduce(const am_kernel_call *call)
{
    const am_reduce_attributes *a = AM_ATTRIBUTES(am_reduce_attributes, call);
    const am_shape *x = &call->inputs[0].shape;
    reduction r = {call, 1, 1};
    for (int i = 0; i < a->axes.rank; i++) r.span *= x->dims[a->axes.dims[i]];
    for (int i = a->axes.rank ? (int)a->axes.dims[a->axes.rank - 1] + 1 : x->rank; i < x->rank; i++)
        r.inner *= x->dims[i];
    if (r.inner > 1 && r.span > 0) {
        int64_t blocks = (r.inner + COLUMNS_REDUCED - 1) / COLUMNS_REDUCED;
        am_parallel_for(am_shape_count(&call->outputs[0].shape) / r.inner * blocks,
                        1 + 8192 / (r.span * COLUMNS_REDUCED + 1), reduce_column_blocks, &r);
    } else am_parallel_for(am_shape_count(&call->outputs[0].shape), 1 + 8192 / (r.span + 1), reduce_rows, &r);
    return NULL;
}

static bool supports_reduce(const am_graph *graph, const am_node *node)
{
    const am_reduce_attributes *a = node->attributes;
    for (int i = 1; i < a->axes.rank; i++)
        if (a->axes.dims[i] != a->axes.dims[i - 1] + 1) return false;
    return (a->fn == AM_REDUCE_SUM || a->fn == AM_REDUCE_MEAN || a->fn == AM_REDUCE_MAX) && am_all_f32(graph, node);
}

const am_kernel am_cpu_reduce = {
    .name = "reduce_f32", .op = AM_OP_REDUCE, .run = run_reduce, .supports = supports_reduce};
