/* Convolutions whose x, y or both have channels last: products of windows (convolution_windows.c), and filters of
   single channels, many channels at a time. */
#include "targets/cpu/kernels/convolution.h"

#include "base/memory.h"
#include "base/threads.h"

#include <string.h>

/* --- bias and tail --- */

size_t am_conv_scratch(int64_t O)
{
    return (size_t)(2 * AM_TAIL_LIMIT * O) * sizeof(float);
}

/* The norm as factors and terms of all channels, terms before it included. */
static void fill_norm(int64_t O, const am_tail_step *step, const float *before, float *factors, float *terms)
{
    for (int64_t o = 0; o < O; o++) {
        am_norm_line line = am_conv_norm(step, o);
        factors[o] = (float)line.factor;
        terms[o] = (float)(line.term + (before ? (double)before[o] * line.factor : 0));
    }
}

am_conv_passes am_conv_collect(const am_kernel_call *call, int64_t O, float *scratch)
{
    am_conv_passes all = {0};
    am_conv_pass *p = all.passes;
    *p = (am_conv_pass){.terms = call->input_count > 2 ? call->inputs[2].data : NULL, .fn = AM_IDENTITY};
    bool is_used = p->terms != NULL;
    for (int i = 0; call->tail && i < call->tail->count; i++, is_used = true) {
        const am_tail_step *step = &call->tail->steps[i];
        bool is_norm = step->node->op == AM_OP_NORM, is_sum = step->node->op == AM_OP_BINARY;
        bool ends = p->fn != AM_IDENTITY;
        if (is_norm) ends = ends || p->factors || p->residual || p->relu;
        if (is_sum) ends = ends || p->residual || p->relu;
        if (ends) *++p = (am_conv_pass){.fn = AM_IDENTITY};
        if (is_norm) {
            fill_norm(O, step, p->terms, scratch, scratch + O);
            p->factors = scratch, p->terms = scratch + O;
            scratch += 2 * O;
        } else if (is_sum) p->residual = step->operands[0].data;
        else {
            am_unary_fn fn = (am_unary_fn)((const am_unary_attributes *)step->node->attributes)->fn;
            if (fn == AM_RELU) p->relu = true;
            else p->fn = fn;
        }
    }
    all.count = (int)(p - all.passes) + is_used;
    return all;
}

am_unary_fn am_conv_take_function(const am_kernel_call *call, am_conv_passes *passes)
{
    if (!call->output_rounded || !passes->count) return AM_IDENTITY;
    am_unary_fn *last = &passes->passes[passes->count - 1].fn, fn = *last;
    *last = AM_IDENTITY;
    return fn;
}

am_ending am_conv_ending(const am_kernel_call *call, const am_conv_passes *passes, int64_t channel, const float *y)
{
    const am_conv_pass *p = &passes->passes[0];
    return (am_ending){p->factors ? p->factors + channel : NULL, p->terms ? p->terms + channel : NULL,
                       p->residual ? p->residual + (y - (const float *)call->outputs[0].data) : NULL, p->relu};
}

void am_conv_pass_over(const am_kernel_call *call, const am_conv_passes *passes, int64_t row, int64_t channel,
                       int64_t count, float *y, int64_t places, bool has_begun)
{
    for (int i = 0; i < passes->count; i++) {
        const am_conv_pass *p = &passes->passes[i];
        const float *residual = p->residual ? p->residual + (y - (const float *)call->outputs[0].data) : NULL;
        if (i > 0 || !has_begun)
            call->micro->affine(y, residual, row, places, count, p->factors ? p->factors + channel : NULL,
                                p->terms ? p->terms + channel : NULL, p->relu);
        for (int64_t k = 0; k < places && p->fn != AM_IDENTITY; k++)
            call->micro->unary(p->fn, y + k * row, y + k * row, count);
    }
}

/* --- filters of single channels: results are sums of places of a piece of x with its padding around, CHANNELS channels
   at a time. Weights are [tap, channel]. --- */

enum { CHANNELS = 32, PIECE = 24 << 10, WIDTH = 64, MOST_TAPS = 1024 };

typedef struct filter {
    const am_kernel_call *call;
    const float *weights;
    const am_conv_passes *passes;
    am_conv_geometry g;
    int64_t taps, rows, row_blocks, width, width_blocks, channel_blocks;
} filter;

/* Sets how results are cut; false where this is no such convolution, or a piece would not fit. */
static bool cut(filter *f, const am_conv_geometry *g)
{
    f->g = *g;
    f->taps = g->kernel[1] * g->kernel[2];
    if (g->groups != g->C || g->O != g->C || !am_conv_is_planar(g) || f->taps > MOST_TAPS) return false;
    for (f->width = g->out[2] < WIDTH ? g->out[2] : WIDTH;
         f->width > 1 && am_conv_piece_rows(g, 1) * am_conv_piece_width(g, f->width) * CHANNELS > PIECE;)
        f->width = (f->width + 1) / 2;
    if (am_conv_piece_rows(g, 1) * am_conv_piece_width(g, f->width) * CHANNELS > PIECE) return false;
    for (f->rows = 1; f->rows < g->out[1] &&
                      am_conv_piece_rows(g, f->rows + 1) * am_conv_piece_width(g, f->width) * CHANNELS <= PIECE;)
        f->rows++;
    f->row_blocks = (g->out[1] + f->rows - 1) / f->rows, f->width_blocks = (g->out[2] + f->width - 1) / f->width;
    f->channel_blocks = (g->C + CHANNELS - 1) / CHANNELS;
    return true;
}

/* x at rows and columns from (y0, x0) on, zeros outside of it, as [row, column, channel]. */
static void copy_piece(const filter *f, int64_t batch, int64_t channel, int64_t count, int64_t y0, int64_t x0,
                       int64_t rows, int64_t span, float *to)
{
    const am_conv_geometry *g = &f->g;
    int64_t plane = g->size[1] * g->size[2];
    const float *from = (const float *)f->call->inputs[0].data + batch * plane * g->C;
    for (int64_t y = y0; y < y0 + rows; y++)
        for (int64_t x = x0; x < x0 + span; x++, to += count) {
            bool inside = y >= 0 && y < g->size[1] && x >= 0 && x < g->size[2];
            int64_t place = y * g->size[2] + x;
            if (!inside) memset(to, 0, (size_t)count * sizeof *to);
            else if (f->call->input_last) memcpy(to, from + place * g->C + channel, (size_t)count * sizeof *to);
            else
                for (int64_t c = 0; c < count; c++) to[c] = from[(channel + c) * plane + place];
        }
}

static void filter_block(const filter *f, int64_t batch, int64_t channel, int64_t y0, int64_t x0)
{
    const am_conv_geometry *g = &f->g;
    _Alignas(64) float piece[PIECE];
    int64_t offsets[MOST_TAPS], count = g->C - channel < CHANNELS ? g->C - channel : CHANNELS;
    int64_t rows = g->out[1] - y0 < f->rows ? g->out[1] - y0 : f->rows;
    int64_t width = g->out[2] - x0 < f->width ? g->out[2] - x0 : f->width, line = am_conv_piece_width(g, width) * count;
    for (int64_t t = 0; t < f->taps; t++)
        offsets[t] = t / g->kernel[2] * g->dilation[1] * line + t % g->kernel[2] * g->dilation[2] * count;
    copy_piece(f, batch, channel, count, y0 * g->stride[1] - g->before[1], x0 * g->stride[2] - g->before[2],
               am_conv_piece_rows(g, rows), am_conv_piece_width(g, width), piece);
    for (int64_t r = 0; r < rows; r++) {
        int64_t place = (batch * g->out[1] + y0 + r) * g->out[2] + x0;
        float *y = (float *)f->call->outputs[0].data + place * g->C + channel;
        f->call->micro->filter(piece + r * g->stride[1] * line, g->stride[2] * count, offsets, f->weights + channel,
                               g->C, f->taps, y, g->C, width, count);
        am_conv_pass_over(f->call, f->passes, g->O, channel, count, y, width, false);
    }
}

static void filter_blocks(void *context, int64_t begin, int64_t end)
{
    const filter *f = context;
    for (int64_t i = begin; i < end; i++) {
        int64_t x = i % f->width_blocks, y = i / f->width_blocks % f->row_blocks,
                rest = i / f->width_blocks / f->row_blocks;
        filter_block(f, rest / f->channel_blocks, rest % f->channel_blocks * CHANNELS, y * f->rows, x * f->width);
    }
}

static void prepare_filters(const am_kernel_call *call, float *to)
{
    const am_shape *w = &call->inputs[1].shape;
    int64_t taps = am_shape_count(w) / w->dims[0];
    for (int64_t c = 0; c < w->dims[0]; c++)
        for (int64_t t = 0; t < taps; t++) to[t * w->dims[0] + c] = ((const float *)call->inputs[1].data)[c * taps + t];
}

/* --- the kernel --- */

/* Only where both have channels last: it costs as much to turn x as to filter it as it is. */
static bool is_filter(const am_graph *graph, const am_node *node)
{
    const am_shape *x = &graph->values[node->inputs[0].id].shape, *w = &graph->values[node->inputs[1].id].shape;
    return w->dims[1] == 1 && w->dims[0] == x->dims[1];
}

static bool supports(const am_graph *graph, const am_node *node)
{
    const am_shape *weight = &graph->values[node->inputs[1].id].shape;
    filter f;
    if (!am_cpu_convolution.supports(graph, node)) return false;
    am_conv_geometry g = am_conv_of_node(graph, node);
    if (is_filter(graph, node)) return cut(&f, &g);
    return (weight->dims[1] > 1 || g.C == 1) && am_conv_has_windows(&g);
}

bool am_conv_adds_early(const am_graph *graph, const am_node *const *nodes, int count)
{
    (void)graph;
    int at = count > 1 && nodes[1]->op == AM_OP_NORM ? 2 : 1, sums = 0;
    for (int i = 1; i < count; i++) sums += nodes[i]->op == AM_OP_BINARY;
    return sums == 1 && at < count && nodes[at]->op == AM_OP_BINARY;
}

/* Products end with the first pass. */
static bool adds_in_place(const am_graph *graph, const am_node *const *nodes, int count)
{
    am_conv_geometry g = am_conv_of_node(graph, nodes[0]);
    return am_conv_adds_early(graph, nodes, count) && !is_filter(graph, nodes[0]) && am_conv_is_one_product(&g);
}

size_t am_conv_last_scratch(const am_graph *graph, const am_node *node)
{
    return am_conv_scratch(graph->values[node->first_output.id].shape.dims[1]);
}

static bool has_filters(const am_kernel_call *call)
{
    const am_shape *w = &call->inputs[1].shape;
    int64_t groups = AM_ATTRIBUTES(am_convolution_attributes, call)->groups;
    return w->dims[1] == 1 && w->dims[0] == (groups ? groups : 1);
}

static size_t prepared_bytes(const am_kernel_call *call)
{
    if (!has_filters(call)) return am_conv_window_bytes(call, false);
    return (size_t)am_shape_count(&call->inputs[1].shape) * sizeof(float);
}

static void prepare(const am_kernel_call *call, void *prepared)
{
    if (has_filters(call)) prepare_filters(call, prepared);
    else am_conv_prepare_windows(call, prepared, false);
}

static void compute(const am_kernel_call *call, const float *prepared, bool has_pairs)
{
    filter f = {.call = call, .weights = prepared};
    am_conv_geometry g = am_conv_of_call(call);
    am_conv_passes passes = am_conv_collect(call, g.O, call->scratch);
    f.passes = &passes;
    if (has_filters(call) && cut(&f, &g))
        am_parallel_for(g.B * f.channel_blocks * f.row_blocks * f.width_blocks, 1, filter_blocks, &f);
    else am_conv_run_windows(call, &g, prepared, &passes, has_pairs);
}

am_status am_conv_run(const am_kernel_call *call, const am_kernel *kernel, am_conv_compute fn)
{
    float *own = NULL;
    if (!am_shape_count(&call->outputs[0].shape)) return NULL;
    if (!call->prepared) {
        size_t bytes = kernel->prepared_bytes(call);
        own = am_alloc_large(bytes);
        if (!own) return am_error(AM_OUT_OF_MEMORY, "no memory for %zu bytes of packed weights", bytes);
        kernel->prepare(call, own);
    }
    fn(call, own ? own : call->prepared, kernel->is_bf16);
    am_free_aligned(own);
    return NULL;
}

static am_status run(const am_kernel_call *call)
{
    return am_conv_run(call, &am_cpu_convolution_last, compute);
}

static am_status run_bf16(const am_kernel_call *call)
{
    return am_conv_run(call, &am_cpu_convolution_last_bf16, compute);
}

static size_t prepared_bytes_bf16(const am_kernel_call *call)
{
    return am_conv_window_bytes(call, true);
}

static void prepare_bf16(const am_kernel_call *call, void *prepared)
{
    am_conv_prepare_windows(call, prepared, true);
}

static bool supports_bf16(const am_graph *graph, const am_node *node)
{
    am_conv_geometry g = am_conv_of_node(graph, node);
    return supports(graph, node) && !is_filter(graph, node) && am_conv_has_pairs(&g);
}

bool am_conv_reads_rounded(const am_graph *graph, const am_node *node)
{
    return graph->values[node->inputs[1].id].shape.dims[1] % 2 == 0;
}

unsigned am_conv_writes_rounded(const am_graph *graph, const am_node *const *nodes, int count)
{
    const am_convolution_attributes *a = nodes[0]->attributes;
    bool adds = false;
    for (int i = 1; i < count; i++) adds = adds || nodes[i]->op == AM_OP_BINARY;
    int64_t channels = graph->values[nodes[0]->inputs[1].id].shape.dims[0] / (a->groups ? a->groups : 1);
    return channels % 2 ? 0 : adds ? AM_ROUNDED_TOO : AM_ROUNDED_ALONE | AM_ROUNDED_TOO;
}

const am_kernel am_cpu_convolution_last = {.name = "convolution_channels_last_f32",
                                           .op = AM_OP_CONVOLUTION,
                                           .run = run,
                                           .supports = supports,
                                           .scratch_bytes = am_conv_last_scratch,
                                           .takes = am_conv_takes,
                                           .adds_in_place = adds_in_place,
                                           .prepared_input = 1,
                                           .prepared_version = 2,
                                           .prepared_bytes = prepared_bytes,
                                           .prepare = prepare,
                                           .keeps_layout = is_filter};

const am_kernel am_cpu_convolution_last_bf16 = {.name = "convolution_channels_last_bf16",
                                                .op = AM_OP_CONVOLUTION,
                                                .is_bf16 = true,
                                                .reads_rounded = am_conv_reads_rounded,
                                                .writes_rounded = am_conv_writes_rounded,
                                                .run = run_bf16,
                                                .supports = supports_bf16,
                                                .scratch_bytes = am_conv_last_scratch,
                                                .takes = am_conv_takes,
                                                .adds_in_place = adds_in_place,
                                                .prepared_input = 1,
                                                .prepared_version = 2,
                                                .prepared_bytes = prepared_bytes_bf16,
                                                .prepare = prepare_bf16};
