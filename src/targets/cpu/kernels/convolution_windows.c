/* Convolutions whose windows are sequences of numbers: where channels are last, in x itself or in a piece of it with
   its padding around, a row of a window is one sequence, and neighbouring results have windows at a fixed distance, so
   each is a product with panels of the weight. Results are [place, channel] until all is added. */
#include "targets/cpu/kernels/convolution.h"

#include "base/threads.h"
#include "targets/cpu/kernels/turn.h"

#include <string.h>

/* A block is at most PLACES results of BLOCK_PANELS panels, fewer where there would be fewer than LEAST_BLOCKS. Input
   channels are taken CHUNK at a time, or DIRECT_CHUNK where x is read as it lies; a piece of x has at most PIECE
   numbers. Where rows of results are shorter than NARROW, numbers of windows are gathered, so that all rows are one
   product; windows whose rows have fewer than SHORT numbers are gathered whole. */
enum {
    CHUNK = 64,
    DIRECT_CHUNK = 512,
    PLACES = 256,
    DIRECT_PLACES = 208,
    FEW_PLACES = 60,
    PLACES_TOGETHER = 12,
    BLOCK_PANELS = 4,
    LEAST_BLOCKS = 4, /* each gathers numbers for its panels */
    LEAST_WIDE_BLOCKS = 8,
    LARGEST_PANEL = 64,
    PIECE = 24 << 10,
    GATHERED = DIRECT_PLACES * 256,
    NARROW = 24,
    WIDE_NARROW = 14,
    SHORT = 64,
    TOGETHER = 16,
    TURNED_NUMBERS = 4096
};

/* Weights: of each group, of each panel of its output channels, of each CHUNK of input channels [ky, kx, channel];
   where windows are sequences (am_conv_is_sequence), of all input channels at once. With pairs, windows and weights are
   rounded to BF16 and a step takes two neighbours of that sequence (am_pair), which lie where one number in F32 would.
 */
typedef struct windows {
    const am_kernel_call *call;
    const float *weights, *x;
    am_conv_geometry g;
    bool has_pairs;
    int64_t together;                 /* numbers that lie where one does in F32: 2 where x comes rounded */
    int64_t panel_steps, chunk_steps; /* of a panel, and of a chunk in it */
    bool is_direct;                   /* x is read as it lies */
    bool has_long_taps;               /* weights of a tap are of all input channels, which come in chunks */
    bool gathers, gathers_whole;
    int64_t per_group, inputs, taps, run; /* channels of a group; places of a window, and of one product */
    int64_t chunk, chunks, columns, panels, block_panels, panel_blocks;
    int64_t rows, width, row_blocks, width_blocks; /* of results */
    const am_conv_passes *passes;
    am_unary_fn rounded_fn; /* the last of them, where results are rounded alone: it is then applied with that */
} windows;

/* How many steps so many numbers are. */
static int64_t steps_of(const windows *w, int64_t numbers)
{
    return w->has_pairs ? am_pairs_of(numbers) : numbers;
}

/* --- cutting --- */

/* Whether each window is one place of x, without padding. */
static bool is_one_place(const am_conv_geometry *g)
{
    for (int i = 0; i < 3; i++)
        if (g->kernel[i] != 1 || g->before[i] != 0 || (g->out[i] - 1) * g->stride[i] >= g->size[i]) return false;
    return true;
}

/* Where each result is of one place of its own, planes are lines. */
static void flatten(am_conv_geometry *g)
{
    if (!is_one_place(g)) return;
    for (int i = 0; i < 3; i++)
        if (g->stride[i] != 1 || g->size[i] != g->out[i]) return;
    for (int i = 0; i < 2; i++) g->size[i] = g->out[i] = 1;
    g->size[2] = g->out[2] = g->positions;
}

/* Sets how results are cut; false where a piece would not fit. */
static bool cut(windows *w, const am_conv_geometry *geometry, bool reads_last)
{
    w->g = *geometry;
    am_conv_geometry *g = &w->g;
    flatten(g);
    if (!am_conv_is_planar(g)) return false;
    w->per_group = g->O / g->groups, w->inputs = g->C / g->groups, w->taps = g->kernel[1] * g->kernel[2];
    bool lies_last = reads_last || g->C == 1, reads_sequences = g->is_sequence && lies_last;
    if (reads_sequences) w->inputs *= w->taps, w->taps = 1;
    w->is_direct = reads_sequences || (lies_last && is_one_place(g));
    w->has_long_taps = g->is_sequence && !reads_sequences;
    w->chunk = w->is_direct ? DIRECT_CHUNK : CHUNK;
    if (w->inputs < w->chunk) w->chunk = w->inputs;
    w->chunks = w->chunk ? am_pieces(w->inputs, w->chunk) : 0;
    int64_t most = w->is_direct ? (w->chunk <= CHUNK ? FEW_PLACES : DIRECT_PLACES) : PLACES,
            numbers = w->is_direct ? 0 : w->chunk;
    w->run = g->dilation[2] == 1 && !g->is_sequence ? g->kernel[2] : 1;
    w->gathers_whole = g->kernel[1] > 1 && w->run == g->kernel[2] && w->run * w->inputs < SHORT;
    if (w->gathers_whole) w->run = w->taps;
    w->gathers = w->gathers_whole || (g->out[1] > 1 && g->out[2] < (w->columns < LARGEST_PANEL ? NARROW : WIDE_NARROW));
    int64_t gathered = w->gathers ? w->run * w->chunk : 0;
    int64_t blocks = am_pieces(g->out[2], most);
    w->width = blocks > 1 ? am_pieces(am_pieces(g->out[2], blocks), PLACES_TOGETHER) * PLACES_TOGETHER : g->out[2];
    if (w->width > PLACES) w->width = PLACES; /* for so many there are sums */
    while (w->width > 1 && (am_conv_piece_rows(g, 1) * am_conv_piece_width(g, w->width) * numbers > PIECE ||
                            w->width * gathered > GATHERED))
        w->width = am_pieces(w->width, 2);
    if (am_conv_piece_rows(g, 1) * am_conv_piece_width(g, w->width) * numbers > PIECE || w->width * gathered > GATHERED)
        return false;
    for (w->rows = 1; w->rows < g->out[1] && (w->rows + 1) * w->width <= most &&
                      (w->rows + 1) * w->width * gathered <= GATHERED &&
                      am_conv_piece_rows(g, w->rows + 1) * am_conv_piece_width(g, w->width) * numbers <= PIECE;)
        w->rows++;
    w->row_blocks = am_pieces(g->out[1], w->rows), w->width_blocks = am_pieces(g->out[2], w->width);
    return true;
}

bool am_conv_has_windows(const am_conv_geometry *g)
{
    windows w;
    return cut(&w, g, false);
}

bool am_conv_has_pairs(const am_conv_geometry *g)
{
    windows w;
    return g->groups < g->C && cut(&w, g, false) && (w.gathers_whole || g->C / g->groups % 2 == 0);
}

bool am_conv_is_one_product(const am_conv_geometry *g)
{
    windows w;
    return cut(&w, g, true) && w.is_direct && w.chunks == 1;
}

/* --- weights --- */

typedef struct packing {
    const am_kernel_call *call;
    float *to;
    int64_t groups;
    bool has_pairs;
} packing;

static int64_t groups_of(const am_kernel_call *call)
{
    int64_t groups = AM_ATTRIBUTES(am_convolution_attributes, call)->groups;
    return groups ? groups : 1;
}

static int64_t panels_of(const am_kernel_call *call)
{
    return am_pieces(call->inputs[1].shape.dims[0] / groups_of(call), call->micro->panel_columns);
}

static int64_t taps_of(const am_shape *w)
{
    int64_t taps = 1;
    for (int i = 2; i < w->rank; i++) taps *= w->dims[i];
    return taps;
}

/* Steps of a panel: chunks are of an even number of channels where there is more than one. */
static int64_t panel_steps_of(const am_kernel_call *call, bool has_pairs)
{
    const am_shape *w = &call->inputs[1].shape;
    int64_t numbers = w->dims[1] * taps_of(w);
    return has_pairs ? am_pairs_of(numbers) : numbers;
}

size_t am_conv_window_bytes(const am_kernel_call *call, bool has_pairs)
{
    return (size_t)(groups_of(call) * panels_of(call) * call->micro->panel_columns * panel_steps_of(call, has_pairs)) *
           sizeof(float);
}

/* Channels c .. c + depth - 1 of a panel; `from` is the weight of its first output channel. */
static void pack_chunk(const packing *job, const float *from, int64_t columns, int64_t c, int64_t depth, float *to)
{
    const am_shape *w = &job->call->inputs[1].shape;
    int64_t width = job->call->micro->panel_columns, taps = taps_of(w);
    for (int64_t tap = 0; tap < taps; tap++, to += depth * width)
        job->call->micro->pack_panel(from + c * taps + tap, AM_F32, taps, w->dims[1] * taps, depth, columns, to);
}

/* The same as one sequence [ky, kx, channel] of pairs, TOGETHER_PACKED numbers at a time. */
static void pack_pair_chunk(const packing *job, const float *from, int64_t columns, int64_t c, int64_t depth,
                            am_pair *to)
{
    enum { TOGETHER_PACKED = 32 };
    float rows[TOGETHER_PACKED * LARGEST_PANEL];
    const am_shape *w = &job->call->inputs[1].shape;
    int64_t width = job->call->micro->panel_columns, taps = taps_of(w), kernel = w->dims[1] * taps;
    for (int64_t k = 0; k < taps * depth; k += TOGETHER_PACKED, to += TOGETHER_PACKED / 2 * width) {
        int64_t count = taps * depth - k < TOGETHER_PACKED ? taps * depth - k : TOGETHER_PACKED;
        for (int64_t i = 0; i < count; i++) {
            const float *number = from + (c + (k + i) % depth) * taps + (k + i) / depth;
            for (int64_t j = 0; j < columns; j++) rows[i * width + j] = number[j * kernel];
        }
        job->call->micro->pack_pairs(rows, AM_F32, width, 1, count, columns, to);
    }
}

static void pack_panels(void *context, int64_t begin, int64_t end)
{
    const packing *job = context;
    const am_shape *w = &job->call->inputs[1].shape;
    int64_t width = job->call->micro->panel_columns, panels = panels_of(job->call), inputs = w->dims[1];
    int64_t taps = taps_of(w), per_group = w->dims[0] / job->groups;
    for (int64_t i = begin; i < end; i++) {
        int64_t o = i % panels * width, columns = per_group - o < width ? per_group - o : width;
        const float *from = (const float *)job->call->inputs[1].data + (i / panels * per_group + o) * inputs * taps;
        float *to = job->to + i * width * panel_steps_of(job->call, job->has_pairs);
        int64_t chunk = am_conv_is_sequence(AM_ATTRIBUTES(am_convolution_attributes, job->call), w) ? inputs : CHUNK;
        for (int64_t c = 0; c < inputs; c += chunk) {
            int64_t depth = inputs - c < chunk ? inputs - c : chunk;
            if (job->has_pairs) pack_pair_chunk(job, from, columns, c, depth, (am_pair *)to);
            else pack_chunk(job, from, columns, c, depth, to);
            to += (job->has_pairs ? am_pairs_of(taps * depth) : taps * depth) * width;
        }
    }
}

void am_conv_prepare_windows(const am_kernel_call *call, void *prepared, bool has_pairs)
{
    packing job = {call, prepared, groups_of(call), has_pairs};
    am_parallel_for(job.groups * panels_of(call), 1, pack_panels, &job);
}

/* --- x --- */

/* A block of results. */
typedef struct place {
    int64_t batch, group, panel, y, x, rows, width;
} place;

/* Numbers, or pairs, that windows are in: of the first result's first place, and how far apart they are for
   neighbouring results, for their rows, and for neighbouring places and rows of a window. */
typedef struct view {
    const float *at;
    int64_t result, result_row, tap, tap_row;
} view;

void am_conv_turn_piece(const am_conv_geometry *g, const float *planes, int64_t depth, int64_t y, int64_t rows,
                        int64_t x, int64_t span, float *to)
{
    float lines[TURNED_NUMBERS];
    int64_t together = TURNED_NUMBERS / depth;
    for (int64_t r = y; r < y + rows; r++)
        for (int64_t i = 0; i < span; i += together) {
            int64_t count = span - i < together ? span - i : together;
            float *piece = to + ((r - y) * span + i) * depth;
            if (r < 0 || r >= g->size[1]) {
                memset(piece, 0, (size_t)(count * depth) * sizeof *piece);
                continue;
            }
            for (int64_t k = 0; k < depth; k++)
                am_conv_gather_line(planes + (k * g->size[1] + r) * g->size[2], g->size[2], x + i, 1, count,
                                    lines + k * count);
            am_turn_matrix(lines, count, piece, depth, depth, count);
        }
}

/* Channels c .. c + depth - 1 of the group around the block, as [y, x, channel]. */
static void turn(const windows *w, const place *at, int64_t c, int64_t depth, float *to)
{
    const am_conv_geometry *g = &w->g;
    const float *planes = (const float *)w->call->inputs[0].data +
                          (at->batch * g->C + at->group * w->inputs + c) * g->size[1] * g->size[2];
    am_conv_turn_piece(g, planes, depth, at->y * g->stride[1] - g->before[1], am_conv_piece_rows(g, at->rows),
                       at->x * g->stride[2] - g->before[2], am_conv_piece_width(g, at->width), to);
}

/* The same where x has channels last. */
static void copy(const windows *w, const place *at, int64_t c, int64_t depth, float *to)
{
    const am_conv_geometry *g = &w->g;
    int64_t span = am_conv_piece_width(g, at->width), x = at->x * g->stride[2] - g->before[2];
    int64_t channels = g->C / w->together;
    const float *from =
        w->x + at->batch * g->size[1] * g->size[2] * channels + (at->group * w->inputs + c) / w->together;
    depth /= w->together;
    for (int64_t r = 0; r < am_conv_piece_rows(g, at->rows); r++) {
        int64_t y = at->y * g->stride[1] - g->before[1] + r;
        bool inside = y >= 0 && y < g->size[1];
        for (int64_t i = 0; i < span; i++, to += depth) {
            if (inside && x + i >= 0 && x + i < g->size[2])
                memcpy(to, from + (y * g->size[2] + x + i) * channels, (size_t)depth * sizeof *to);
            else memset(to, 0, (size_t)depth * sizeof *to);
        }
    }
}

/* `count` windows of `length` numbers each as pairs, in their place. */
static void round_windows(const windows *w, int64_t count, int64_t length, float *x)
{
    for (int64_t i = 0; i < count; i++)
        w->call->micro->round_pairs(x + i * length, length, (am_pair *)x + i * am_pairs_of(length));
}

/* `length` numbers or pairs of each window from its place `tap` on, or the whole of it, one after the other. */
static view gather(const windows *w, const place *at, const view *v, int64_t tap, int64_t length, float *to)
{
    const am_conv_geometry *g = &w->g;
    float *begin = to;
    int64_t rows = w->gathers_whole ? g->kernel[1] : 1, part = length / rows;
    const float *first = v->at + tap / g->kernel[2] * v->tap_row + tap % g->kernel[2] * v->tap;
    view gathered = {to, length, at->width * length, 0, 0};
    for (int64_t r = 0; r < at->rows; r++)
        for (int64_t i = 0; i < at->width; i++)
            for (int64_t ky = 0; ky < rows; ky++, to += part)
                memcpy(to, first + r * v->result_row + i * v->result + ky * v->tap_row, (size_t)part * sizeof *to);
    if (!w->has_pairs || w->together == 2 || !w->gathers_whole) return gathered;
    round_windows(w, at->rows * at->width, length, begin);
    return (view){begin, am_pairs_of(length), at->width * am_pairs_of(length), 0, 0};
}

/* Memory of a thread. */
typedef struct workspace {
    _Alignas(64) float piece[PIECE];
    _Alignas(64) float gathered[GATHERED];
    _Alignas(64) float sums[PLACES * BLOCK_PANELS * LARGEST_PANEL];
} workspace;

/* Windows of one place, as they lie in x. */
static view view_direct(const windows *w, const place *at, int64_t c)
{
    const am_conv_geometry *g = &w->g;
    int64_t channels = g->C / w->together, line = g->size[2] * channels;
    int64_t first = at->batch * g->size[1] * line + (at->group * w->inputs + c) / w->together;
    return (view){w->x + first + at->y * g->stride[1] * line + at->x * g->stride[2] * channels, g->stride[2] * channels,
                  g->stride[1] * line, channels, line};
}

static view view_chunk(const windows *w, const place *at, int64_t chunk, int64_t depth, workspace *memory)
{
    const am_conv_geometry *g = &w->g;
    int64_t c = chunk * w->chunk, span = am_conv_piece_width(g, at->width), step = depth / w->together;
    if (w->is_direct) return view_direct(w, at, c);
    if (w->call->input_last) copy(w, at, c, depth, memory->piece);
    else turn(w, at, c, depth, memory->piece);
    if (w->has_pairs && w->together == 1 && !w->gathers_whole) {
        round_windows(w, 1, am_conv_piece_rows(g, at->rows) * span * depth, memory->piece);
        step = am_pairs_of(depth);
    }
    return (view){memory->piece, g->stride[2] * step, g->stride[1] * span * step, g->dilation[2] * step,
                  g->dilation[1] * span * step};
}

/* --- products --- */

/* Where results of a block are added: neighbours `result` apart. */
typedef struct target {
    float *at;
    int64_t result, result_row;
} target;

/* The weight of places `tap` .. of a chunk, which has `depth` channels, for a panel. */
static const float *panel_of(const windows *w, const place *at, int64_t panel, int64_t chunk, int64_t tap,
                             int64_t depth)
{
    int64_t steps = chunk * w->chunk_steps + steps_of(w, tap * depth);
    if (w->has_long_taps) steps = steps_of(w, tap * w->inputs + chunk * w->chunk);
    return w->weights + ((at->group * w->panels + panel) * w->panel_steps + steps) * w->columns;
}

/* A product of all windows of a block, of so many steps; `ending` may be null. */
static void multiply(const windows *w, const place *at, const view *v, const float *panel, const float *next,
                     int64_t steps, const target *to, int64_t columns, bool accumulate, const am_ending *ending)
{
    const am_micro *micro = w->call->micro;
    bool is_one = v->result_row == at->width * v->result && to->result_row == at->width * to->result;
    int64_t rows = is_one ? 1 : at->rows, count = is_one ? at->rows * at->width : at->width;
    for (int64_t r = 0; r < rows; r++) {
        const float *x = v->at + r * v->result_row, *after = r + 1 == rows ? next : NULL;
        float *y = to->at + r * to->result_row;
        am_ending own = ending ? *ending : (am_ending){0};
        if (own.residual) own.residual += r * to->result_row;
        if (w->has_pairs)
            micro->gemm_pairs(count, columns, steps, (const am_pair *)x, v->result, (const am_pair *)panel,
                              (const am_pair *)after, y, to->result, accumulate, ending ? &own : NULL);
        else
            micro->gemm_panel_ending(count, columns, steps, x, v->result, panel, AM_F32, after, y, to->result,
                                     accumulate, ending ? &own : NULL);
    }
}

/* What is multiplied after places `tap` .. of a panel: those of the next panel of the block, or what comes next for its
   first, or for the first of the block after it; null where that is not known. */
static const float *next_panel(const windows *w, const place *at, int64_t panel, int64_t end, int64_t chunk,
                               int64_t tap, int64_t depth)
{
    if (panel + 1 < end) return panel_of(w, at, panel + 1, chunk, tap, depth);
    if (tap + w->run < w->taps) return panel_of(w, at, at->panel, chunk, tap + w->run, depth);
    if (chunk + 1 < w->chunks) return panel_of(w, at, at->panel, chunk + 1, 0, depth);
    return end < w->panels ? panel_of(w, at, end, 0, 0, depth) : NULL;
}

/* Adds what a chunk of channels gives to the results. */
static void add_chunk(const windows *w, const place *at, int64_t chunk, int64_t depth, const view *v, const target *to,
                      float *gathered)
{
    const am_conv_geometry *g = &w->g;
    int64_t length = w->run * depth, end = at->panel + w->block_panels;
    if (end > w->panels) end = w->panels;
    for (int64_t tap = 0; tap < w->taps; tap += w->run) {
        view windows_of = *v;
        bool ends = w->call->output_last && w->passes->count && chunk + 1 == w->chunks && tap + w->run == w->taps;
        if (w->gathers)
            windows_of = gather(w, at, v, tap, w->gathers_whole ? length / w->together : steps_of(w, length), gathered);
        else windows_of.at += tap / g->kernel[2] * v->tap_row + tap % g->kernel[2] * v->tap;
        for (int64_t panel = at->panel; panel < end; panel++) {
            int64_t left = w->per_group - panel * w->columns;
            target part = {to->at + (panel - at->panel) * w->columns, to->result, to->result_row};
            int64_t channel = at->group * w->per_group + panel * w->columns;
            am_ending ending = ends ? am_conv_ending(w->call, w->passes, channel, part.at) : (am_ending){0};
            multiply(w, at, &windows_of, panel_of(w, at, panel, chunk, tap, depth),
                     next_panel(w, at, panel, end, chunk, tap, depth), steps_of(w, length), &part,
                     left < w->columns ? left : w->columns, chunk > 0 || tap > 0, ends ? &ending : NULL);
        }
    }
}

/* --- results --- */

/* Sums to their planes, with bias and what comes after. */
static void put_planes(const windows *w, const place *at, const target *sums)
{
    const am_conv_geometry *g = &w->g;
    int64_t first = at->panel * w->columns;
    int64_t end = w->per_group - first < sums->result ? w->per_group : first + sums->result;
    bool is_whole = at->width == g->out[2]; /* rows lie one after the other */
    int64_t pieces = is_whole ? 1 : at->rows, count = is_whole ? at->rows * at->width : at->width;
    for (int64_t o = first; o < end; o += TOGETHER)
        for (int64_t r = 0; r < pieces; r++) {
            int64_t from = (at->y + r) * g->out[2] + at->x, channels = end - o < TOGETHER ? end - o : TOGETHER;
            int64_t channel = at->group * w->per_group + o;
            float *y = (float *)w->call->outputs[0].data + (at->batch * g->O + channel) * g->positions + from;
            const float *sum = sums->at + r * sums->result_row + o - first;
            am_turn_matrix(sum, sums->result, y, g->positions, count, channels);
            for (int64_t k = 0; k < channels; k++, y += g->positions)
                am_conv_finish_sums(w->call, g, at->batch, channel + k, from, y, count);
        }
}

/* What is left to do where the sums of the first pass are done (ending_of). */
static void finish_last(const windows *w, const place *at, const target *y)
{
    int64_t first = at->panel * w->columns, left = w->per_group - first;
    int64_t count = left < w->block_panels * w->columns ? left : w->block_panels * w->columns;
    for (int64_t r = 0; r < at->rows; r++)
        am_conv_pass_over(w->call, w->passes, y->result, at->group * w->per_group + first, count,
                          y->at + r * y->result_row, at->width, true);
}

/* Results of a block as pairs, of a function that is left to apply. */
static void round_results(const windows *w, const place *at, const target *sums, am_pair *y)
{
    const am_conv_geometry *g = &w->g;
    int64_t first = at->panel * w->columns, left = w->per_group - first;
    int64_t count = left < w->block_panels * w->columns ? left : w->block_panels * w->columns;
    for (int64_t r = 0; r < at->rows; r++)
        for (int64_t i = 0; i < at->width; i++) {
            int64_t position = at->batch * g->positions + (at->y + r) * g->out[2] + at->x + i;
            w->call->micro->round_function(w->rounded_fn, sums->at + r * sums->result_row + i * sums->result, NULL,
                                           count, y + (position * g->O + at->group * w->per_group + first) / 2);
        }
}

/* --- all of it --- */

static void compute_block(const windows *w, const place *at, workspace *memory)
{
    const am_conv_geometry *g = &w->g;
    int64_t channel = at->group * w->per_group + at->panel * w->columns, line = w->block_panels * w->columns;
    bool writes_last = w->call->output_last, rounds = w->call->output_rounded;
    target to = {memory->sums, line, at->width * line};
    if (writes_last && !rounds) {
        int64_t position = at->batch * g->positions + at->y * g->out[2] + at->x;
        to = (target){(float *)w->call->outputs[0].data + position * g->O + channel, g->O, g->out[2] * g->O};
    }
    for (int64_t chunk = 0; chunk < w->chunks; chunk++) {
        int64_t left = w->inputs - chunk * w->chunk, depth = left < w->chunk ? left : w->chunk;
        view v = view_chunk(w, at, chunk, depth, memory);
        add_chunk(w, at, chunk, depth, &v, &to, memory->gathered);
    }
    if (writes_last) finish_last(w, at, &to);
    else put_planes(w, at, &to);
    if (rounds) round_results(w, at, &to, w->call->outputs[0].data);
    else if (w->call->also_rounded) round_results(w, at, &to, w->call->also_rounded);
}

static void compute_blocks(void *context, int64_t begin, int64_t end)
{
    const windows *w = context;
    workspace memory;
    for (int64_t i = begin; i < end; i++) {
        int64_t panel = i % w->panel_blocks, group = i / w->panel_blocks % w->g.groups;
        int64_t rest = i / w->panel_blocks / w->g.groups, x = rest % w->width_blocks, y = rest / w->width_blocks;
        place at = {y / w->row_blocks, group, panel * w->block_panels, y % w->row_blocks * w->rows, x * w->width, 0, 0};
        at.rows = w->g.out[1] - at.y < w->rows ? w->g.out[1] - at.y : w->rows;
        at.width = w->g.out[2] - at.x < w->width ? w->g.out[2] - at.x : w->width;
        compute_block(w, &at, &memory);
    }
}

void am_conv_run_windows(const am_kernel_call *call, const am_conv_geometry *g, const float *prepared,
                         const am_conv_passes *passes, bool has_pairs)
{
    windows w = {.columns = call->micro->panel_columns};
    bool lies_as_read = call->input_last && has_pairs == call->input_rounded;
    if (!cut(&w, g, lies_as_read)) return; /* am_conv_has_windows was asked */
    am_conv_passes all = passes ? *passes : (am_conv_passes){0};
    w.rounded_fn = am_conv_take_function(call, &all);
    w.call = call, w.weights = prepared, w.passes = &all, w.has_pairs = has_pairs;
    w.x = call->inputs[0].data, w.together = call->input_rounded ? 2 : 1;
    w.panel_steps = steps_of(&w, w.inputs * w.taps), w.chunk_steps = steps_of(&w, w.chunk * w.taps);
    int64_t others = g->B * g->groups * w.row_blocks * w.width_blocks;
    w.panels = am_pieces(w.per_group, w.columns), w.block_panels = BLOCK_PANELS;
    int64_t least = w.columns < LARGEST_PANEL ? LEAST_BLOCKS : LEAST_WIDE_BLOCKS;
    while (w.block_panels > 1 && others * am_pieces(w.panels, w.block_panels) < least) w.block_panels /= 2;
    w.panel_blocks = am_pieces(w.panels, w.block_panels);
    am_parallel_for(others * w.panel_blocks, 1, compute_blocks, &w);
}
