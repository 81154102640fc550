#include "targets/cpu/kernels/kernels.h"

#include "base/threads.h"
#include "graph/ops/window.h"

#include <math.h>
#include <string.h>

/* A result block is weight: [channels, C k] times columns: [C k, POSITIONS], the columns being gathered DEPTH at a
   time. Channels are cut, too, where there are few blocks of positions. */
enum { POSITIONS = 96, DEPTH = 128, LEAST_CHANNELS = 32, ENOUGH_BLOCKS = 16 };

/* Three spatial dimensions always; missing ones have size 1. */
typedef struct problem {
    const am_kernel_call *call;
    int64_t size[3], kernel[3], out[3], stride[3], dilation[3], before[3];
    int64_t C, O, groups, positions, depth, channels, channel_blocks, position_blocks;
    int64_t rows, row_blocks, width, width_blocks; /* of a channel that is filtered alone */
    bool direct;                                   /* the columns are x itself */
} problem;

static void set_geometry(problem *p)
{
    const am_convolution_attributes *a = AM_ATTRIBUTES(am_convolution_attributes, p->call);
    int spatial = p->call->inputs[0].shape.rank - 2;
    p->positions = 1, p->direct = true;
    for (int i = 0; i < 3; i++) {
        int from = i - (3 - spatial);
        bool real = from >= 0;
        p->size[i] = real ? p->call->inputs[0].shape.dims[from + 2] : 1;
        p->kernel[i] = real ? p->call->inputs[1].shape.dims[from + 2] : 1;
        p->out[i] = real ? p->call->outputs[0].shape.dims[from + 2] : 1;
        p->stride[i] = real ? am_window_number(&a->stride, from, 1) : 1;
        p->dilation[i] = real ? am_window_number(&a->dilation, from, 1) : 1;
        p->before[i] = real ? am_window_number(&a->padding_before, from, 0) : 0;
        p->positions *= p->out[i];
        if (p->kernel[i] != 1 || p->stride[i] != 1 || p->size[i] != p->out[i]) p->direct = false;
        if (p->before[i] != 0) p->direct = false;
    }
}

/* --- what comes after, on numbers of one output channel --- */

/* y: numbers of channel `channel` of batch element `batch`, from `at` in its plane on. */
static void finish_step(const problem *p, const am_tail_step *step, int64_t batch, int64_t channel, int64_t at,
                        float *y, int64_t count)
{
    const am_micro *micro = p->call->micro;
    if (step->node->op == AM_OP_NORM) {
        const am_norm_attributes *a = step->node->attributes;
        const float *weight = step->operands[0].data, *bias = step->operands[1].data, *mean = step->operands[2].data,
                    *variance = step->operands[3].data;
        double factor = 1 / sqrt((double)variance[channel] + a->eps);
        if (weight) factor *= (double)weight[channel] + a->weight_offset;
        double term = (bias ? (double)bias[channel] : 0) - (double)mean[channel] * factor;
        micro->scale(y, (float)factor, (float)term, y, count);
    } else if (step->node->op == AM_OP_UNARY) {
        micro->unary((am_unary_fn)((const am_unary_attributes *)step->node->attributes)->fn, y, y, count);
    } else {
        const float *other = step->operands[0].data;
        micro->binary(AM_ADD, y, false, other + (batch * p->O + channel) * p->positions + at, false, y, count);
    }
}

static void finish(const problem *p, int64_t batch, int64_t channel, int64_t at, float *y, int64_t count)
{
    for (int i = 0; p->call->tail && i < p->call->tail->count; i++)
        finish_step(p, &p->call->tail->steps[i], batch, channel, at, y, count);
}

/* --- columns --- */

/* A part of a row of results: `count` positions from (z, y, x) on. */
typedef struct segment {
    int64_t z, y, x, count;
} segment;

static int cut_into_rows(const problem *p, int64_t p0, int64_t count, segment *segments)
{
    int n = 0;
    int64_t z = p0 / (p->out[1] * p->out[2]), y = p0 / p->out[2] % p->out[1], x = p0 % p->out[2];
    for (int64_t i = 0; i < count; n++) {
        int64_t line = p->out[2] - x < count - i ? p->out[2] - x : count - i;
        segments[n] = (segment){z, y, x, line};
        i += line;
        x = 0;
        if (++y == p->out[1]) y = 0, z++;
    }
    return n;
}

/* Numbers of one row of x at every `stride`-th place from `first` on, which may lie outside. */
static void gather_line(const float *row, int64_t size, int64_t first, int64_t stride, int64_t count, float *to)
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
        int64_t z = s->z * p->stride[0] - p->before[0] + k[0] * p->dilation[0];
        int64_t y = s->y * p->stride[1] - p->before[1] + k[1] * p->dilation[1];
        int64_t x = s->x * p->stride[2] - p->before[2] + k[2] * p->dilation[2];
        if (z < 0 || z >= p->size[0] || y < 0 || y >= p->size[1]) memset(to, 0, (size_t)s->count * sizeof *to);
        else gather_line(plane + (z * p->size[1] + y) * p->size[2], p->size[2], x, p->stride[2], s->count, to);
    }
}

/* Rows d0 .. d0 + n - 1 of the columns. */
static void gather(const problem *p, const float *x, int64_t d0, int64_t n, const segment *segments, int count,
                   float *columns)
{
    int64_t taps = p->kernel[0] * p->kernel[1] * p->kernel[2], plane = p->size[0] * p->size[1] * p->size[2];
    int64_t tap = d0 % taps;
    int64_t k[3] = {tap / (p->kernel[1] * p->kernel[2]), tap / p->kernel[2] % p->kernel[1], tap % p->kernel[2]};
    x += d0 / taps * plane;
    for (int64_t i = 0; i < n; i++, columns += POSITIONS) {
        gather_row(p, x, k, segments, count, columns);
        if (++k[2] < p->kernel[2]) continue;
        k[2] = 0;
        if (++k[1] < p->kernel[1]) continue;
        k[1] = 0;
        if (++k[0] < p->kernel[0]) continue;
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
        if (p->direct) copy_direct(x + d * p->positions + p0, p->positions, n, count, columns);
        else gather(p, x, d, n, segments, segment_count, columns);
        p->call->micro->gemm_nn(rows, count, n, weight + d, p->depth, columns, POSITIONS, y, p->positions, d > 0);
    }
}

static void work(void *context, int64_t begin, int64_t end)
{
    const problem *p = context;
    const float *weight = p->call->inputs[1].data, *bias = p->call->input_count > 2 ? p->call->inputs[2].data : NULL;
    int64_t per_group = p->O / p->groups, plane = p->size[0] * p->size[1] * p->size[2];
    for (int64_t i = begin; i < end; i++) {
        int64_t p0 = i % p->position_blocks * POSITIONS, rest = i / p->position_blocks;
        int64_t o0 = rest % p->channel_blocks * p->channels, group = rest / p->channel_blocks % p->groups;
        int64_t batch = rest / p->channel_blocks / p->groups;
        int64_t count = p->positions - p0 < POSITIONS ? p->positions - p0 : POSITIONS;
        int64_t rows = per_group - o0 < p->channels ? per_group - o0 : p->channels, first = group * per_group + o0;
        const float *x = (const float *)p->call->inputs[0].data + (batch * p->C + group * (p->C / p->groups)) * plane;
        float *y = (float *)p->call->outputs[0].data + (batch * p->O + first) * p->positions + p0;
        multiply(p, weight + first * p->depth, rows, x, p0, count, y);
        for (int64_t r = 0; r < rows; r++) {
            float *line = y + r * p->positions;
            if (bias) p->call->micro->scale(line, 1, bias[first + r], line, count);
            finish(p, batch, first + r, p0, line, count);
        }
    }
}

/* --- channels that are filtered alone: results are sums of shifted rows of a piece of x with its padding around --- */

enum { PIECE = 16 << 10, MOST_TAPS = 256, WIDTH = 512 };

/* Numbers between the rows of a piece for `width` results: for each place modulo the stride those that have it, so that
   neighbours of a result's are neighbours in memory. */
static int64_t phase_length(const problem *p, int64_t width)
{
    int64_t span = (width - 1) * p->stride[2] + (p->kernel[2] - 1) * p->dilation[2] + 1;
    return (span + p->stride[2] - 1) / p->stride[2];
}

static int64_t piece_rows(const problem *p, int64_t rows)
{
    return (rows - 1) * p->stride[1] + (p->kernel[1] - 1) * p->dilation[1] + 1;
}

/* Whether a channel is filtered alone; sets how its results are cut. */
static bool is_filter(problem *p)
{
    if (p->C != p->groups || p->kernel[0] != 1 || p->size[0] != 1 || p->out[0] != 1) return false;
    if (p->kernel[1] * p->kernel[2] > MOST_TAPS || p->before[0] != 0) return false;
    p->width = p->out[2] < WIDTH ? p->out[2] : WIDTH;
    int64_t row = phase_length(p, p->width) * p->stride[2];
    if (row > PIECE || row * piece_rows(p, 1) > PIECE) return false;
    for (p->rows = 1; p->rows < p->out[1] && row * piece_rows(p, p->rows + 1) <= PIECE;) p->rows++;
    p->row_blocks = (p->out[1] + p->rows - 1) / p->rows, p->width_blocks = (p->out[2] + p->width - 1) / p->width;
    return true;
}

/* The part of x: [size1, size2] that results from row y0, column x0 on need. */
static void copy_piece(const problem *p, const float *x, int64_t y0, int64_t rows, int64_t x0, int64_t length,
                       float *to)
{
    int64_t first = x0 * p->stride[2] - p->before[2];
    for (int64_t r = 0; r < piece_rows(p, rows); r++, to += length * p->stride[2]) {
        int64_t y = y0 * p->stride[1] - p->before[1] + r;
        if (y < 0 || y >= p->size[1]) {
            memset(to, 0, (size_t)(length * p->stride[2]) * sizeof *to);
            continue;
        }
        for (int64_t phase = 0; phase < p->stride[2]; phase++)
            gather_line(x + y * p->size[2], p->size[2], first + phase, p->stride[2], length, to + phase * length);
    }
}

static void filter_block(const problem *p, int64_t batch, int64_t o, int64_t y0, int64_t x0)
{
    _Alignas(64) float piece[PIECE];
    int64_t offsets[MOST_TAPS], taps = p->kernel[1] * p->kernel[2], channel = o / (p->O / p->C);
    int64_t rows = p->out[1] - y0 < p->rows ? p->out[1] - y0 : p->rows,
            width = p->out[2] - x0 < p->width ? p->out[2] - x0 : p->width, length = phase_length(p, width);
    const float *bias = p->call->input_count > 2 ? p->call->inputs[2].data : NULL,
                *x = (const float *)p->call->inputs[0].data + (batch * p->C + channel) * p->size[1] * p->size[2];
    float *y = (float *)p->call->outputs[0].data + (batch * p->O + o) * p->positions;
    for (int64_t t = 0; t < taps; t++) {
        int64_t ky = t / p->kernel[2] * p->dilation[1], kx = t % p->kernel[2] * p->dilation[2];
        offsets[t] = (ky * p->stride[2] + kx % p->stride[2]) * length + kx / p->stride[2];
    }
    copy_piece(p, x, y0, rows, x0, length, piece);
    for (int64_t r = 0; r < rows; r++) {
        int64_t at = (y0 + r) * p->out[2] + x0;
        p->call->micro->taps(piece + r * p->stride[1] * p->stride[2] * length, offsets,
                             (const float *)p->call->inputs[1].data + o * taps, taps, bias ? bias[o] : 0, y + at,
                             width);
        finish(p, batch, o, at, y + at, width);
    }
}

static void filter(void *context, int64_t begin, int64_t end)
{
    const problem *p = context;
    for (int64_t i = begin; i < end; i++) {
        int64_t block = i % (p->row_blocks * p->width_blocks), item = i / (p->row_blocks * p->width_blocks);
        filter_block(p, item / p->O, item % p->O, block / p->width_blocks * p->rows,
                     block % p->width_blocks * p->width);
    }
}

/* --- the kernel --- */

static am_status run_convolution(const am_kernel_call *call)
{
    const am_convolution_attributes *a = AM_ATTRIBUTES(am_convolution_attributes, call);
    int64_t B = call->inputs[0].shape.dims[0];
    problem p = {.call = call,
                 .C = call->inputs[0].shape.dims[1],
                 .O = call->outputs[0].shape.dims[1],
                 .groups = a->groups ? a->groups : 1};
    if (!am_shape_count(&call->outputs[0].shape)) return NULL;
    set_geometry(&p);
    if (is_filter(&p)) {
        am_parallel_for(B * p.O * p.row_blocks * p.width_blocks, 1, filter, &p);
        return NULL;
    }
    p.depth = p.C / p.groups * p.kernel[0] * p.kernel[1] * p.kernel[2];
    p.position_blocks = (p.positions + POSITIONS - 1) / POSITIONS;
    p.channel_blocks = ENOUGH_BLOCKS / (B * p.groups * p.position_blocks) + 1;
    p.channels = (p.O / p.groups + p.channel_blocks - 1) / p.channel_blocks;
    p.channels = (p.channels + LEAST_CHANNELS - 1) / LEAST_CHANNELS * LEAST_CHANNELS;
    p.channel_blocks = (p.O / p.groups + p.channels - 1) / p.channels;
    am_parallel_for(B * p.groups * p.channel_blocks * p.position_blocks, 1, work, &p);
    return NULL;
}

static bool supports(const am_graph *graph, const am_node *node)
{
    return am_all_f32(graph, node) && am_shape_count(&graph->values[node->inputs[1].id].shape) > 0;
}

static bool takes(const am_graph *graph, const am_node *node, const am_node *next, int from)
{
    const am_shape *shape = &graph->values[node->first_output.id].shape;
    if (!am_all_f32(graph, next)) return false;
    if (next->op == AM_OP_NORM)
        return from == 0 && ((const am_norm_attributes *)next->attributes)->kind == AM_NORM_BATCH;
    if (next->op == AM_OP_UNARY) return true;
    if (next->op != AM_OP_BINARY || ((const am_binary_attributes *)next->attributes)->fn != AM_ADD) return false;
    return am_shape_equal(&graph->values[next->inputs[1 - from].id].shape, shape) &&
           am_shape_equal(&graph->values[next->first_output.id].shape, shape);
}

const am_kernel am_cpu_convolution = {
    .name = "convolution_f32", .op = AM_OP_CONVOLUTION, .run = run_convolution, .supports = supports, .takes = takes};
