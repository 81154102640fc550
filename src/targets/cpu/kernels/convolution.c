#include "targets/cpu/kernels/convolution.h"

#include "base/threads.h"
#include "graph/ops/window.h"

#include <string.h>

/* A result block is weight: [channels, C k] times columns: [C k, POSITIONS], the columns being gathered DEPTH at a
   time. Channels are cut, too, where there are few blocks of positions. */
enum { POSITIONS = 96, DEPTH = 128, LEAST_CHANNELS = 32, BLOCKS_A_THREAD = 3 };

typedef struct problem {
    const am_kernel_call *call;
    am_conv_geometry g;
    int64_t depth, channels, channel_blocks, position_blocks;
    int64_t rows, row_blocks, width, width_blocks; /* of a channel that is filtered alone */
    int64_t filters, filter_blocks;                /* of a channel: how many share a piece of it, and such pieces */
    bool direct;                                   /* the columns are x itself */
} problem;

static am_conv_geometry geometry_of(const am_convolution_attributes *attributes, const am_shape *x,
                                    const am_shape *weight, const am_shape *y)
{
    int spatial = x->rank - 2;
    am_conv_geometry out = {.B = x->dims[0],
                            .C = x->dims[1],
                            .O = y->dims[1],
                            .groups = attributes->groups ? attributes->groups : 1,
                            .positions = 1};
    for (int i = 0; i < 3; i++) {
        int from = i - (3 - spatial);
        bool real = from >= 0;
        out.size[i] = real ? x->dims[from + 2] : 1;
        out.kernel[i] = real ? weight->dims[from + 2] : 1;
        out.out[i] = real ? y->dims[from + 2] : 1;
        out.stride[i] = real ? am_window_number(&attributes->stride, from, 1) : 1;
        out.dilation[i] = real ? am_window_number(&attributes->dilation, from, 1) : 1;
        out.before[i] = real ? am_window_number(&attributes->padding_before, from, 0) : 0;
        out.positions *= out.out[i];
    }
    out.is_sequence = am_conv_is_sequence(attributes, weight);
    return out;
}

am_conv_geometry am_conv_of_node(const am_graph *graph, const am_node *node)
{
    return geometry_of(node->attributes, &graph->values[node->inputs[0].id].shape,
                       &graph->values[node->inputs[1].id].shape, &graph->values[node->first_output.id].shape);
}

am_conv_geometry am_conv_of_call(const am_kernel_call *call)
{
    return geometry_of(call->node->attributes, &call->inputs[0].shape, &call->inputs[1].shape, &call->outputs[0].shape);
}

bool am_conv_is_sequence(const am_convolution_attributes *a, const am_shape *weight)
{
    return weight->rank == 3 && weight->dims[2] > 1 && a->groups <= 1 && am_window_number(&a->dilation, 0, 1) == 1 &&
           am_window_number(&a->padding_before, 0, 0) == 0 && am_window_number(&a->padding_after, 0, 0) == 0;
}

bool am_conv_is_planar(const am_conv_geometry *g)
{
    return g->kernel[0] == 1 && g->size[0] == 1 && g->out[0] == 1 && g->before[0] == 0;
}

int64_t am_conv_piece_rows(const am_conv_geometry *g, int64_t rows)
{
    return (rows - 1) * g->stride[1] + (g->kernel[1] - 1) * g->dilation[1] + 1;
}

int64_t am_conv_piece_width(const am_conv_geometry *g, int64_t width)
{
    return (width - 1) * g->stride[2] + (g->kernel[2] - 1) * g->dilation[2] + 1;
}

static bool is_direct(const am_conv_geometry *g)
{
    for (int i = 0; i < 3; i++)
        if (g->kernel[i] != 1 || g->stride[i] != 1 || g->size[i] != g->out[i] || g->before[i] != 0) return false;
    return true;
}

/* --- what comes after, on numbers of one output channel --- */

am_norm_line am_conv_norm(const am_tail_step *step, int64_t channel)
{
    const float *weight = step->operands[0].data, *bias = step->operands[1].data, *mean = step->operands[2].data,
                *variance = step->operands[3].data;
    return am_norm_line_of(step->node->attributes, weight, bias, channel, (double)mean[channel],
                           (double)variance[channel]);
}

void am_conv_finish(const am_kernel_call *call, const am_conv_geometry *g, int64_t batch, int64_t channel, int64_t at,
                    float *y, int64_t count)
{
    const am_micro *micro = call->micro;
    for (int i = 0; call->tail && i < call->tail->count; i++) {
        const am_tail_step *step = &call->tail->steps[i];
        if (step->node->op == AM_OP_NORM) {
            am_norm_line line = am_conv_norm(step, channel);
            micro->scale(y, (float)line.factor, (float)line.term, y, count);
        } else if (step->node->op == AM_OP_UNARY) {
            micro->unary((am_unary_fn)((const am_unary_attributes *)step->node->attributes)->fn, y, y, count);
        } else {
            const float *other = step->operands[0].data;
            micro->binary(AM_ADD, y, false, other + (batch * g->O + channel) * g->positions + at, false, y, count);
        }
    }
}

void am_conv_finish_sums(const am_kernel_call *call, const am_conv_geometry *g, int64_t batch, int64_t channel,
                         int64_t at, float *y, int64_t count)
{
    const float *bias = call->input_count > 2 ? call->inputs[2].data : NULL;
    if (bias) call->micro->scale(y, 1, bias[channel], y, count);
    am_conv_finish(call, g, batch, channel, at, y, count);
}

/* --- columns --- */

/* A part of a row of results: `count` positions from (z, y, x) on. */
typedef struct segment {
    int64_t z, y, x, count;
} segment;

static int cut_into_rows(const problem *p, int64_t p0, int64_t count, segment *segments)
{
    int n = 0;
    int64_t z = p0 / (p->g.out[1] * p->g.out[2]), y = p0 / p->g.out[2] % p->g.out[1], x = p0 % p->g.out[2];
    for (int64_t i = 0; i < count; n++) {
        int64_t line = p->g.out[2] - x < count - i ? p->g.out[2] - x : count - i;
        segments[n] = (segment){z, y, x, line};
        i += line;
        x = 0;
        if (++y == p->g.out[1]) y = 0, z++;
    }
    return n;
}

/* Numbers of one row of x at every `stride`-th place from `first` on, which may lie outside. */
void am_conv_gather_line(const float *row, int64_t size, int64_t first, int64_t stride, int64_t count, float *to)
{
    int64_t i = 0, inside;
    for (; i < count && first < 0; i++, first += stride) to[i] = 0;
    inside = first < size ? (size - first + stride - 1) / stride : 0;
    if (inside > count - i) inside = count - i;
    if (stride == 1) memcpy(to + i, row + first, (size_t)inside * sizeof *to);
    else
        for (int64_t k = 0; k < inside; k++) to[i + k] = row[first + k * stride];
    for (i += inside; i < count; i++) to[i] = 0;
}

/* One row of columns: element (kz, ky, kx) of the window of one channel, at all positions of the segments. */
static void gather_row(const problem *p, const float *plane, const int64_t k[3], const segment *segments, int count,
                       float *to)
{
    for (int i = 0; i < count; to += segments[i++].count) {
        const segment *s = &segments[i];
        int64_t z = s->z * p->g.stride[0] - p->g.before[0] + k[0] * p->g.dilation[0];
        int64_t y = s->y * p->g.stride[1] - p->g.before[1] + k[1] * p->g.dilation[1];
        int64_t x = s->x * p->g.stride[2] - p->g.before[2] + k[2] * p->g.dilation[2];
        if (z < 0 || z >= p->g.size[0] || y < 0 || y >= p->g.size[1]) memset(to, 0, (size_t)s->count * sizeof *to);
        else
            am_conv_gather_line(plane + (z * p->g.size[1] + y) * p->g.size[2], p->g.size[2], x, p->g.stride[2],
                                s->count, to);
    }
}

/* Rows d0 .. d0 + n - 1 of the columns. */
static void gather(const problem *p, const float *x, int64_t d0, int64_t n, const segment *segments, int count,
                   float *columns)
{
    int64_t taps = p->g.kernel[0] * p->g.kernel[1] * p->g.kernel[2], plane = p->g.size[0] * p->g.size[1] * p->g.size[2];
    int64_t tap = d0 % taps;
    int64_t k[3] = {tap / (p->g.kernel[1] * p->g.kernel[2]), tap / p->g.kernel[2] % p->g.kernel[1],
                    tap % p->g.kernel[2]};
    x += d0 / taps * plane;
    for (int64_t i = 0; i < n; i++, columns += POSITIONS) {
        gather_row(p, x, k, segments, count, columns);
        if (++k[2] < p->g.kernel[2]) continue;
        k[2] = 0;
        if (++k[1] < p->g.kernel[1]) continue;
        k[1] = 0;
        if (++k[0] < p->g.kernel[0]) continue;
        k[0] = 0;
        x += plane;
    }
}

static void copy_direct(const float *x, int64_t plane, int64_t n, int64_t count, float *columns)
{
    for (int64_t i = 0; i < n; i++) memcpy(columns + i * POSITIONS, x + i * plane, (size_t)count * sizeof *x);
}

static void multiply(const problem *p, const float *weight, int64_t rows, const float *x, int64_t p0, int64_t count,
                     float *y)
{
    _Alignas(64) float columns[DEPTH * POSITIONS];
    segment segments[POSITIONS];
    int segment_count = cut_into_rows(p, p0, count, segments);
    for (int64_t d = 0; d < p->depth; d += DEPTH) {
        int64_t n = p->depth - d < DEPTH ? p->depth - d : DEPTH;
        if (p->direct) copy_direct(x + d * p->g.positions + p0, p->g.positions, n, count, columns);
        else gather(p, x, d, n, segments, segment_count, columns);
        p->call->micro->gemm_nn(rows, count, n, weight + d, p->depth, columns, POSITIONS, y, p->g.positions, d > 0);
    }
}

static void work(void *context, int64_t begin, int64_t end)
{
    const problem *p = context;
    const float *weight = p->call->inputs[1].data;
    int64_t per_group = p->g.O / p->g.groups, plane = p->g.size[0] * p->g.size[1] * p->g.size[2];
    for (int64_t i = begin; i < end; i++) {
        int64_t p0 = i % p->position_blocks * POSITIONS, rest = i / p->position_blocks;
        int64_t o0 = rest % p->channel_blocks * p->channels, group = rest / p->channel_blocks % p->g.groups;
        int64_t batch = rest / p->channel_blocks / p->g.groups;
        int64_t count = p->g.positions - p0 < POSITIONS ? p->g.positions - p0 : POSITIONS;
        int64_t rows = per_group - o0 < p->channels ? per_group - o0 : p->channels, first = group * per_group + o0;
        const float *x =
            (const float *)p->call->inputs[0].data + (batch * p->g.C + group * (p->g.C / p->g.groups)) * plane;
        float *y = (float *)p->call->outputs[0].data + (batch * p->g.O + first) * p->g.positions + p0;
        multiply(p, weight + first * p->depth, rows, x, p0, count, y);
        for (int64_t r = 0; r < rows; r++)
            am_conv_finish_sums(p->call, &p->g, batch, first + r, p0, y + r * p->g.positions, count);
    }
}

/* --- channels that are filtered alone: results are sums of shifted rows of a piece of x with its padding around --- */

enum { PIECE = 16 << 10, MOST_TAPS = 256, WIDTH = 512, LEAST_PIECES = 16 };

/* Numbers between the rows of a piece for `width` results: for each place modulo the stride those that have it, so that
   neighbours of a result's are neighbours in memory. */
static int64_t phase_length(const problem *p, int64_t width)
{
    return (am_conv_piece_width(&p->g, width) + p->g.stride[2] - 1) / p->g.stride[2];
}

/* Whether a channel is filtered alone; sets how its results are cut. */
static bool is_filter(problem *p)
{
    if (p->g.C != p->g.groups || !am_conv_is_planar(&p->g) || p->g.kernel[1] * p->g.kernel[2] > MOST_TAPS) return false;
    p->width = p->g.out[2] < WIDTH ? p->g.out[2] : WIDTH;
    int64_t row = phase_length(p, p->width) * p->g.stride[2];
    if (row > PIECE || row * am_conv_piece_rows(&p->g, 1) > PIECE) return false;
    for (p->rows = 1; p->rows < p->g.out[1] && row * am_conv_piece_rows(&p->g, p->rows + 1) <= PIECE;) p->rows++;
    p->row_blocks = (p->g.out[1] + p->rows - 1) / p->rows, p->width_blocks = (p->g.out[2] + p->width - 1) / p->width;
    return true;
}

/* The part of x: [size1, size2] that results from row y0, column x0 on need. */
static void copy_piece(const problem *p, const float *x, int64_t y0, int64_t rows, int64_t x0, int64_t length,
                       float *to)
{
    int64_t first = x0 * p->g.stride[2] - p->g.before[2];
    for (int64_t r = 0; r < am_conv_piece_rows(&p->g, rows); r++, to += length * p->g.stride[2]) {
        int64_t y = y0 * p->g.stride[1] - p->g.before[1] + r;
        if (y < 0 || y >= p->g.size[1]) {
            memset(to, 0, (size_t)(length * p->g.stride[2]) * sizeof *to);
            continue;
        }
        for (int64_t phase = 0; phase < p->g.stride[2]; phase++)
            am_conv_gather_line(x + y * p->g.size[2], p->g.size[2], first + phase, p->g.stride[2], length,
                                to + phase * length);
    }
}

/* Results of channel o, whose channel of x is in `piece`. */
static void filter_piece(const problem *p, int64_t batch, int64_t o, int64_t y0, int64_t x0, int64_t rows,
                         int64_t width, const int64_t *offsets, const float *piece)
{
    int64_t taps = p->g.kernel[1] * p->g.kernel[2];
    const float *bias = p->call->input_count > 2 ? p->call->inputs[2].data : NULL;
    float *y = (float *)p->call->outputs[0].data + (batch * p->g.O + o) * p->g.positions;
    for (int64_t r = 0; r < rows; r++) {
        int64_t at = (y0 + r) * p->g.out[2] + x0;
        p->call->micro->taps(piece + r * p->g.stride[1] * p->g.stride[2] * phase_length(p, width), offsets,
                             (const float *)p->call->inputs[1].data + o * taps, taps, bias ? bias[o] : 0, y + at,
                             width);
        am_conv_finish(p->call, &p->g, batch, o, at, y + at, width);
    }
}

/* `block`: which of the blocks of filters of a channel. */
static void filter_block(const problem *p, int64_t batch, int64_t channel, int64_t block, int64_t y0, int64_t x0)
{
    _Alignas(64) float piece[PIECE];
    int64_t offsets[MOST_TAPS], each = p->g.O / p->g.C;
    int64_t rows = p->g.out[1] - y0 < p->rows ? p->g.out[1] - y0 : p->rows,
            width = p->g.out[2] - x0 < p->width ? p->g.out[2] - x0 : p->width, length = phase_length(p, width);
    const float *x = (const float *)p->call->inputs[0].data + (batch * p->g.C + channel) * p->g.size[1] * p->g.size[2];
    for (int64_t t = 0; t < p->g.kernel[1] * p->g.kernel[2]; t++) {
        int64_t ky = t / p->g.kernel[2] * p->g.dilation[1], kx = t % p->g.kernel[2] * p->g.dilation[2];
        offsets[t] = (ky * p->g.stride[2] + kx % p->g.stride[2]) * length + kx / p->g.stride[2];
    }
    copy_piece(p, x, y0, rows, x0, length, piece);
    for (int64_t i = block * p->filters; i < each && i < (block + 1) * p->filters; i++)
        filter_piece(p, batch, channel * each + i, y0, x0, rows, width, offsets, piece);
}

static void filter(void *context, int64_t begin, int64_t end)
{
    const problem *p = context;
    for (int64_t i = begin; i < end; i++) {
        int64_t place = i % (p->row_blocks * p->width_blocks), item = i / (p->row_blocks * p->width_blocks);
        int64_t block = item % p->filter_blocks, plane = item / p->filter_blocks;
        filter_block(p, plane / p->g.C, plane % p->g.C, block, place / p->width_blocks * p->rows,
                     place % p->width_blocks * p->width);
    }
}

static void run_filters(problem *p)
{
    int64_t each = p->g.O / p->g.C, pieces = p->g.B * p->g.C * p->row_blocks * p->width_blocks;
    p->filter_blocks = (LEAST_PIECES + pieces - 1) / pieces;
    if (p->filter_blocks > each) p->filter_blocks = each;
    p->filters = (each + p->filter_blocks - 1) / p->filter_blocks;
    am_parallel_for(pieces * p->filter_blocks, 1, filter, p);
}

/* --- the kernel --- */

static am_status run_convolution(const am_kernel_call *call)
{
    problem p = {.call = call, .g = am_conv_of_call(call)};
    am_conv_geometry *g = &p.g;
    if (!am_shape_count(&call->outputs[0].shape)) return NULL;
    if (is_filter(&p)) {
        run_filters(&p);
        return NULL;
    }
    if (call->prepared && am_conv_has_windows(g)) {
        am_conv_run_windows(call, g, call->prepared, NULL, false);
        return NULL;
    }
    p.direct = is_direct(g);
    p.depth = g->C / g->groups * g->kernel[0] * g->kernel[1] * g->kernel[2];
    p.position_blocks = (g->positions + POSITIONS - 1) / POSITIONS;
    p.channel_blocks = BLOCKS_A_THREAD * am_threads_count() / (g->B * g->groups * p.position_blocks) + 1;
    p.channels = (g->O / g->groups + p.channel_blocks - 1) / p.channel_blocks;
    p.channels = (p.channels + LEAST_CHANNELS - 1) / LEAST_CHANNELS * LEAST_CHANNELS;
    p.channel_blocks = (g->O / g->groups + p.channels - 1) / p.channels;
    am_parallel_for(g->B * g->groups * p.channel_blocks * p.position_blocks, 1, work, &p);
    return NULL;
}

static bool supports(const am_graph *graph, const am_node *node)
{
    return am_all_f32(graph, node) && am_shape_count(&graph->values[node->inputs[1].id].shape) > 0;
}

bool am_conv_takes(const am_graph *graph, const am_node *const *nodes, int count, const am_node *next, int from)
{
    const am_shape *shape = &graph->values[nodes[0]->first_output.id].shape;
    (void)count;
    if (!am_all_f32(graph, next)) return false;
    if (next->op == AM_OP_NORM)
        return from == 0 && ((const am_norm_attributes *)next->attributes)->kind == AM_NORM_BATCH;
    if (next->op == AM_OP_UNARY) return true;
    return am_is_plain_sum(graph, next, from, shape);
}

/* Windows of one place are as many products of x as it is. */
static size_t bytes_of(const am_kernel_call *call, bool has_pairs)
{
    const am_shape *w = &call->inputs[1].shape;
    int64_t taps = 1;
    for (int i = 2; i < w->rank; i++) taps *= w->dims[i];
    return taps == 1 || w->rank > 4 || w->dims[1] == 1 ? 0 : am_conv_window_bytes(call, has_pairs);
}

static size_t window_bytes(const am_kernel_call *call)
{
    return bytes_of(call, false);
}

static void prepare(const am_kernel_call *call, void *prepared)
{
    am_conv_prepare_windows(call, prepared, false);
}

/* Only windows are rounded, of prepared weights; what else there is stays in F32. */
static am_status run_bf16(const am_kernel_call *call)
{
    if (!call->prepared) return run_convolution(call);
    am_conv_geometry g = am_conv_of_call(call);
    if (am_shape_count(&call->outputs[0].shape)) am_conv_run_windows(call, &g, call->prepared, NULL, true);
    return NULL;
}

static size_t pair_bytes(const am_kernel_call *call)
{
    return bytes_of(call, true);
}

static void prepare_pairs(const am_kernel_call *call, void *prepared)
{
    am_conv_prepare_windows(call, prepared, true);
}

static bool supports_bf16(const am_graph *graph, const am_node *node)
{
    if (!supports(graph, node)) return false;
    am_conv_geometry g = am_conv_of_node(graph, node);
    return am_conv_has_windows(&g) && am_conv_has_pairs(&g);
}

const am_kernel am_cpu_convolution_bf16 = {.name = "convolution_bf16",
                                           .op = AM_OP_CONVOLUTION,
                                           .is_bf16 = true,
                                           .run = run_bf16,
                                           .supports = supports_bf16,
                                           .takes = am_conv_takes,
                                           .channels_last = &am_cpu_convolution_winograd_bf16,
                                           .prepared_input = 1,
                                           .prepared_version = 2,
                                           .prepared_bytes = pair_bytes,
                                           .prepare = prepare_pairs};

const am_kernel am_cpu_convolution = {.name = "convolution_f32",
                                      .op = AM_OP_CONVOLUTION,
                                      .run = run_convolution,
                                      .supports = supports,
                                      .takes = am_conv_takes,
                                      .channels_last = &am_cpu_convolution_winograd,
                                      .prepared_input = 1,
                                      .prepared_version = 2,
                                      .prepared_bytes = window_bytes,
                                      .prepare = prepare};
