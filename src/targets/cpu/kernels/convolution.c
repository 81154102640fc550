#include "targets/cpu/kernels/kernels.h"

#include "base/threads.h"
#include "graph/ops/window.h"

#include <math.h>
#include <string.h>

/* A result block is weight: [channels, C k] times columns: [C k, POSITIONS], the columns being gathered DEPTH at a
   time. Channels are cut, too, where there are few blocks of positions. */
enum { POSITIONS = 96, DEPTH = 128, LEAST_CHANNELS = 32, BLOCKS_A_THREAD = 3 };

/* Three spatial dimensions always; missing ones have size 1. */
typedef struct problem {
    const am_kernel_call *call;
    int64_t size[3], kernel[3], out[3], stride[3], dilation[3], before[3];
    int64_t C, O, groups, positions, depth, channels, channel_blocks, position_blocks;
    int64_t rows, row_blocks, width, width_blocks; /* of a channel that is filtered alone */
    bool direct;                                   /* the columns are x itself */
} problem;

static int64_t groups_of(const am_kernel_call *call)
{
    int64_t groups = AM_ATTRIBUTES(am_convolution_attributes, call)->groups;
    return groups ? groups : 1;
}

/* Whether there is one plane at most: no third dimension. */
static bool is_planar(const problem *p)
{
    return p->kernel[0] == 1 && p->size[0] == 1 && p->out[0] == 1 && p->before[0] == 0;
}

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
    if (p->C != p->groups || !is_planar(p) || p->kernel[1] * p->kernel[2] > MOST_TAPS) return false;
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

/* --- windows of several places, weights in panels: a piece of x with its padding around is turned to [y, x, channel],
   in which a row of a window is one sequence of numbers, and neighbouring results have windows at a fixed distance.
   Results are [place, channel] until all is added. --- */

enum { CHUNK = 64, PLACES = 256, BLOCK_PANELS = 4, LARGEST_PANEL = 64, TURNED = 24 << 10, TOGETHER = 8 };

/* Weights: of each group, of each panel of its output channels, of each chunk of input channels [ky, kx, channel]. */
typedef struct windows {
    const problem *p;
    int64_t per_group, inputs, panels, chunks, panel_blocks; /* output and input channels of a group */
    int64_t rows, width, row_blocks, width_blocks;           /* of results */
} windows;

static int64_t window_panels(const am_kernel_call *call)
{
    int64_t per_group = call->inputs[1].shape.dims[0] / groups_of(call), width = call->micro->panel_columns;
    return (per_group + width - 1) / width;
}

static size_t window_bytes(const am_kernel_call *call)
{
    const am_shape *w = &call->inputs[1].shape;
    int64_t taps = 1;
    for (int i = 2; i < w->rank; i++) taps *= w->dims[i];
    if (taps == 1 || w->rank > 4 || w->dims[1] == 1) return 0;
    return (size_t)(groups_of(call) * window_panels(call) * call->micro->panel_columns * w->dims[1] * taps) *
           sizeof(float);
}

typedef struct packing {
    const am_kernel_call *call;
    float *to;
    int64_t groups;
} packing;

static void pack_panels(void *context, int64_t begin, int64_t end)
{
    const packing *job = context;
    const am_shape *w = &job->call->inputs[1].shape;
    int64_t width = job->call->micro->panel_columns, panels = window_panels(job->call), inputs = w->dims[1];
    int64_t taps = w->dims[2] * (w->rank == 4 ? w->dims[3] : 1), per_group = w->dims[0] / job->groups;
    for (int64_t i = begin; i < end; i++) {
        int64_t o = i % panels * width, columns = per_group - o < width ? per_group - o : width;
        const float *from = (const float *)job->call->inputs[1].data + (i / panels * per_group + o) * inputs * taps;
        float *to = job->to + i * width * inputs * taps;
        for (int64_t c = 0; c < inputs; c += CHUNK)
            for (int64_t tap = 0; tap < taps; tap++) {
                int64_t depth = inputs - c < CHUNK ? inputs - c : CHUNK;
                job->call->micro->pack_panel(from + c * taps + tap, AM_F32, taps, inputs * taps, depth, columns, to);
                to += depth * width;
            }
    }
}

static void prepare_windows(const am_kernel_call *call, void *prepared)
{
    packing job = {call, prepared, groups_of(call)};
    am_parallel_for(job.groups * window_panels(call), 1, pack_panels, &job);
}

static int64_t turned_rows(const problem *p, int64_t rows)
{
    return (rows - 1) * p->stride[1] + (p->kernel[1] - 1) * p->dilation[1] + 1;
}

static int64_t turned_width(const problem *p, int64_t width)
{
    return (width - 1) * p->stride[2] + (p->kernel[2] - 1) * p->dilation[2] + 1;
}

/* Sets how results are cut; false where a piece would not fit. */
static bool cut_windows(windows *w, const problem *p)
{
    int64_t columns = p->call->micro->panel_columns;
    *w = (windows){.p = p, .per_group = p->O / p->groups, .inputs = p->C / p->groups};
    if (!is_planar(p)) return false;
    int64_t chunk = w->inputs < CHUNK ? w->inputs : CHUNK;
    for (w->width = p->out[2] < PLACES ? p->out[2] : PLACES;
         w->width > 1 && turned_rows(p, 1) * turned_width(p, w->width) * chunk > TURNED;)
        w->width = (w->width + 1) / 2;
    if (turned_rows(p, 1) * turned_width(p, w->width) * chunk > TURNED) return false;
    for (w->rows = 1; w->rows < p->out[1] && (w->rows + 1) * w->width <= PLACES &&
                      turned_rows(p, w->rows + 1) * turned_width(p, w->width) * chunk <= TURNED;)
        w->rows++;
    w->row_blocks = (p->out[1] + w->rows - 1) / w->rows, w->width_blocks = (p->out[2] + w->width - 1) / w->width;
    w->panels = (w->per_group + columns - 1) / columns, w->chunks = (w->inputs + CHUNK - 1) / CHUNK;
    w->panel_blocks = (w->panels + BLOCK_PANELS - 1) / BLOCK_PANELS;
    return true;
}

/* A block of results. */
typedef struct place {
    int64_t batch, group, panel, y, x, rows, width;
} place;

/* Channels c .. c + depth - 1 of the group around the block, as [y, x, channel]. */
static void turn(const windows *w, const place *at, int64_t c, int64_t depth, float *to)
{
    const problem *p = w->p;
    float line[TURNED];
    int64_t span = turned_width(p, at->width), x = at->x * p->stride[2] - p->before[2];
    const float *plane = (const float *)p->call->inputs[0].data +
                         (at->batch * p->C + at->group * w->inputs + c) * p->size[1] * p->size[2];
    for (int64_t r = 0; r < turned_rows(p, at->rows); r++) {
        int64_t y = at->y * p->stride[1] - p->before[1] + r;
        for (int64_t k = 0; k < depth; k++) {
            if (y < 0 || y >= p->size[1]) memset(line, 0, (size_t)span * sizeof *line);
            else gather_line(plane + (k * p->size[1] + y) * p->size[2], p->size[2], x, 1, span, line);
            for (int64_t i = 0; i < span; i++) to[(r * span + i) * depth + k] = line[i];
        }
    }
}

/* Adds what a chunk of channels gives to sums: [rows, width, BLOCK_PANELS * columns]. */
static void add_chunk(const windows *w, const place *at, int64_t chunk, int64_t depth, const float *turned, float *sums)
{
    const problem *p = w->p;
    const am_micro *micro = p->call->micro;
    int64_t columns = micro->panel_columns, span = turned_width(p, at->width), line = BLOCK_PANELS * columns;
    int64_t taps = p->kernel[1] * p->kernel[2], run = p->dilation[2] == 1 ? p->kernel[2] : 1;
    for (int64_t i = 0; i < BLOCK_PANELS && at->panel + i < w->panels; i++) {
        const float *panel = (const float *)p->call->prepared +
                             ((at->group * w->panels + at->panel + i) * w->inputs + chunk * CHUNK) * taps * columns;
        int64_t left = w->per_group - (at->panel + i) * columns, count = left < columns ? left : columns;
        for (int64_t tap = 0; tap < taps; tap += run, panel += run * depth * columns)
            for (int64_t r = 0; r < at->rows; r++) {
                int64_t y = r * p->stride[1] + tap / p->kernel[2] * p->dilation[1];
                micro->gemm_panel(at->width, count, run * depth,
                                  turned + (y * span + tap % p->kernel[2] * p->dilation[2]) * depth,
                                  p->stride[2] * depth, panel, AM_F32,
                                  r == 0 && tap + run < taps ? panel + run * depth * columns : NULL,
                                  sums + r * at->width * line + i * columns, line, chunk > 0 || tap > 0);
            }
    }
}

/* Sums to their planes, with bias and what comes after. */
static void put_sums(const windows *w, const place *at, const float *sums)
{
    const problem *p = w->p;
    const am_micro *micro = p->call->micro;
    int64_t columns = micro->panel_columns, line = BLOCK_PANELS * columns, first = at->panel * columns;
    int64_t end = w->per_group - first < line ? w->per_group : first + line;
    const float *bias = p->call->input_count > 2 ? p->call->inputs[2].data : NULL;
    bool is_whole = at->width == p->out[2]; /* rows lie one after the other */
    int64_t pieces = is_whole ? 1 : at->rows, count = is_whole ? at->rows * at->width : at->width;
    for (int64_t o = first; o < end; o += TOGETHER)
        for (int64_t r = 0; r < pieces; r++) {
            int64_t from = (at->y + r) * p->out[2] + at->x, channels = end - o < TOGETHER ? end - o : TOGETHER;
            int64_t channel = at->group * w->per_group + o;
            float *y = (float *)p->call->outputs[0].data + (at->batch * p->O + channel) * p->positions + from;
            const float *sum = sums + r * at->width * line + o - first;
            for (int64_t i = 0; i < count; i++, sum += line)
                for (int64_t k = 0; k < channels; k++) y[k * p->positions + i] = sum[k];
            for (int64_t k = 0; k < channels; k++, y += p->positions) {
                if (bias) micro->scale(y, 1, bias[channel + k], y, count);
                finish(p, at->batch, channel + k, from, y, count);
            }
        }
}

static void compute_windows(void *context, int64_t begin, int64_t end)
{
    const windows *w = context;
    _Alignas(64) float turned[TURNED], sums[PLACES * BLOCK_PANELS * LARGEST_PANEL];
    for (int64_t i = begin; i < end; i++) {
        int64_t x = i % w->width_blocks, y = i / w->width_blocks % w->row_blocks,
                rest = i / w->width_blocks / w->row_blocks;
        int64_t panel = rest % w->panel_blocks, group = rest / w->panel_blocks % w->p->groups;
        place at = {
            rest / w->panel_blocks / w->p->groups, group, panel * BLOCK_PANELS, y * w->rows, x * w->width, 0, 0};
        at.rows = w->p->out[1] - at.y < w->rows ? w->p->out[1] - at.y : w->rows;
        at.width = w->p->out[2] - at.x < w->width ? w->p->out[2] - at.x : w->width;
        for (int64_t chunk = 0; chunk < w->chunks; chunk++) {
            int64_t left = w->inputs - chunk * CHUNK, depth = left < CHUNK ? left : CHUNK;
            turn(w, &at, chunk * CHUNK, depth, turned);
            add_chunk(w, &at, chunk, depth, turned, sums);
        }
        put_sums(w, &at, sums);
    }
}

/* --- the kernel --- */

static am_status run_convolution(const am_kernel_call *call)
{
    int64_t B = call->inputs[0].shape.dims[0];
    problem p = {.call = call,
                 .C = call->inputs[0].shape.dims[1],
                 .O = call->outputs[0].shape.dims[1],
                 .groups = groups_of(call)};
    if (!am_shape_count(&call->outputs[0].shape)) return NULL;
    set_geometry(&p);
    if (is_filter(&p)) {
        am_parallel_for(B * p.O * p.row_blocks * p.width_blocks, 1, filter, &p);
        return NULL;
    }
    windows w;
    if (call->prepared && cut_windows(&w, &p)) {
        am_parallel_for(B * p.groups * w.panel_blocks * w.row_blocks * w.width_blocks, 1, compute_windows, &w);
        return NULL;
    }
    p.depth = p.C / p.groups * p.kernel[0] * p.kernel[1] * p.kernel[2];
    p.position_blocks = (p.positions + POSITIONS - 1) / POSITIONS;
    p.channel_blocks = BLOCKS_A_THREAD * am_threads_count() / (B * p.groups * p.position_blocks) + 1;
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

const am_kernel am_cpu_convolution = {.name = "convolution_f32",
                                      .op = AM_OP_CONVOLUTION,
                                      .run = run_convolution,
                                      .supports = supports,
                                      .takes = takes,
                                      .prepared_input = 1,
                                      .prepared_version = 1,
                                      .prepared_bytes = window_bytes,
                                      .prepare = prepare_windows};
