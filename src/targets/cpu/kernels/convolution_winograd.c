/* Convolutions with windows of 3 x 3 places, one place apart, by F(2x2, 3x3) of Winograd's minimal filtering (Lavin and
   Gray, "Fast Algorithms for Convolutional Neural Networks", 2015): 2 x 2 results of a tile of 4 x 4 places of x take
   16 products a channel instead of 36.

       y = A' [(G w G') * (B' x B)] A,  * being the product of each of 16 numbers, the parts, summed over channels

       B' = 1  0 -1  0    G = 1    0   0     A' = 1  1  1  0
            0  1  1  0        1/2  1/2 1/2        0  1 -1 -1
            0 -1  1  0        1/2 -1/2 1/2
            0  1  0 -1        0    0   1

   Each part is a product of all tiles with a matrix [C, O]. A result is of the numbers of its window alone, but where
   one is infinite or beyond a quarter of what a float holds it may be NaN. In BF16 the transformed numbers are rounded.
 */
#include "targets/cpu/kernels/convolution.h"

#include "base/threads.h"
#include "targets/cpu/kernels/turn.h"

#include <string.h>

/* A block is at most TILES tiles, and so many that their transformed places fit NUMBERS; input channels are taken CHUNK
   at a time, output channels as many panels as fit COLUMNS. Planes are turned for RUN neighbours of a row at a time.
   With fewer tiles than LEAST_TILES reading the weight takes the time, and it is larger in this form; with fewer
   channels than LEAST_CHANNELS the transforms do. */
enum {
    SIDE = 4,
    RESULTS = 2,
    PARTS = SIDE * SIDE,
    TILES = 52,
    NUMBERS = 8192,
    CHUNK = 256,
    COLUMNS = 64,
    RUN = 8,
    SPAN = RUN * RESULTS + SIDE - RESULTS,
    LINE = 32, /* between parts, so that they do not lie a power of two apart */
    LEAST_BLOCKS = 8,
    LEAST_TILES = 16,
    LEAST_CHANNELS = 32,
    PACKED = 32
};

/* Weights: of each panel, of each CHUNK of input channels, [part, channel, column], or pairs of channels. */
typedef struct winograd {
    const am_kernel_call *call;
    const float *weights;
    const am_conv_passes *passes;
    am_unary_fn rounded_fn; /* the last of them, where results are rounded alone: it is then applied with that */
    am_conv_geometry g;
    bool has_pairs;
    bool finishes_lines;            /* what is added lies in planes: there are no passes, all is done there */
    int64_t columns, panels, group; /* of a panel; panels at a time */
    int64_t high, wide, tiles;      /* of a plane, and of all */
    int64_t block, tile_blocks, block_panels, panel_blocks;
    int64_t chunks;
} winograd;

/* Memory of a thread. `places`: floats, or as many numbers in BF16. */
typedef struct workspace {
    _Alignas(64) float places[PARTS * (NUMBERS + LINE)];
    _Alignas(64) float sums[PARTS * (TILES * COLUMNS + LINE)];
    _Alignas(64) float results[RESULTS * RUN * RESULTS * COLUMNS];
    float piece[SIDE * SPAN * CHUNK], zeros[CHUNK];
} workspace;

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Channels of a chunk. */
static int64_t depth_of(int64_t C, int64_t chunk)
{
    return least(C - chunk * CHUNK, CHUNK);
}

/* --- weights --- */

/* The 16 numbers of a window. */
static void transform_window(const float *w, float *parts, int64_t part)
{
    double rows[SIDE][3];
    for (int x = 0; x < 3; x++) {
        double a = (double)w[x], b = (double)w[3 + x], c = (double)w[6 + x];
        rows[0][x] = a, rows[1][x] = (a + b + c) / 2, rows[2][x] = (a - b + c) / 2, rows[3][x] = c;
    }
    for (int y = 0; y < SIDE; y++, parts += SIDE * part) {
        double a = rows[y][0], b = rows[y][1], c = rows[y][2];
        parts[0] = (float)a, parts[part] = (float)((a + b + c) / 2);
        parts[2 * part] = (float)((a - b + c) / 2), parts[3 * part] = (float)c;
    }
}

typedef struct packing {
    const am_kernel_call *call;
    float *to;
    bool has_pairs;
} packing;

/* Channels c .. c + count - 1 of a chunk of so many, at most PACKED. `to`: of the first of them in part 0. */
static void pack_channels(const packing *job, int64_t panel, int64_t c, int64_t count, int64_t depth, float *to)
{
    const am_shape *w = &job->call->inputs[1].shape;
    const am_micro *micro = job->call->micro;
    float parts[PARTS * PACKED * COLUMNS];
    int64_t width = micro->panel_columns, C = w->dims[1], part = PACKED * width;
    int64_t columns = least(w->dims[0] - panel * width, width);
    const float *from = (const float *)job->call->inputs[1].data + (panel * width * C + c) * 9;
    for (int64_t i = 0; i < columns; i++)
        for (int64_t k = 0; k < count; k++) transform_window(from + (i * C + k) * 9, parts + k * width + i, part);
    for (int k = 0; k < PARTS; k++)
        if (job->has_pairs)
            micro->pack_pairs(parts + k * part, AM_F32, width, 1, count, columns,
                              (am_pair *)to + k * am_pairs_of(depth) * width);
        else micro->pack_panel(parts + k * part, AM_F32, width, 1, count, columns, to + k * depth * width);
}

static void pack_panels(void *context, int64_t begin, int64_t end)
{
    const packing *job = context;
    int64_t C = job->call->inputs[1].shape.dims[1], width = job->call->micro->panel_columns;
    int64_t numbers = job->has_pairs ? 2 : 1; /* that lie where one float does */
    for (int64_t panel = begin; panel < end; panel++)
        for (int64_t c = 0; c < C; c += PACKED) {
            int64_t chunk = c / CHUNK, depth = depth_of(C, chunk), start = (panel * C + chunk * CHUNK) * PARTS;
            pack_channels(job, panel, c, least(C - c, PACKED), depth, job->to + (start + c % CHUNK) / numbers * width);
        }
}

static void prepare_form(const am_kernel_call *call, void *prepared, bool has_pairs)
{
    packing job = {call, prepared, has_pairs};
    am_parallel_for(am_pieces(call->inputs[1].shape.dims[0], call->micro->panel_columns), 1, pack_panels, &job);
}

static void prepare(const am_kernel_call *call, void *prepared)
{
    prepare_form(call, prepared, false);
}

static void prepare_pairs(const am_kernel_call *call, void *prepared)
{
    prepare_form(call, prepared, true);
}

static size_t prepared_bytes(const am_kernel_call *call)
{
    const am_shape *w = &call->inputs[1].shape;
    int64_t columns = call->micro->panel_columns;
    return (size_t)(am_pieces(w->dims[0], columns) * columns * w->dims[1] * PARTS) * sizeof(float);
}

static size_t pair_bytes(const am_kernel_call *call)
{
    return prepared_bytes(call) / 2;
}

/* --- a block --- */

/* Where the first result of a tile is. */
typedef struct place {
    int64_t batch, y, x;
} place;

static place place_of(const winograd *w, int64_t tile)
{
    return (place){tile / w->wide / w->high, tile / w->wide % w->high * RESULTS, tile % w->wide * RESULTS};
}

/* How many of `count` tiles from one on are neighbours in a row, at most RUN. */
static int64_t run_of(const winograd *w, int64_t tile, int64_t count)
{
    return least(least(count, RUN), w->wide - tile % w->wide);
}

/* The places of a run of `count` tiles in planes, as [row, column, channel] with padding. */
static void turn(const winograd *w, const place *at, int64_t count, int64_t chunk, workspace *memory)
{
    const am_conv_geometry *g = &w->g;
    const float *planes =
        (const float *)w->call->inputs[0].data + (at->batch * g->C + chunk * CHUNK) * g->size[1] * g->size[2];
    am_conv_turn_piece(g, planes, depth_of(g->C, chunk), at->y - g->before[1], SIDE, at->x - g->before[2],
                       count * RESULTS + SIDE - RESULTS, memory->piece);
}

/* Where the places of tile `i` of a run are, of channels that lie last in x, or in the piece of it that was turned. */
static void find_places(const winograd *w, const place *at, int64_t count, int64_t i, int64_t chunk,
                        const workspace *memory, const void **places)
{
    const am_conv_geometry *g = &w->g;
    int64_t span = count * RESULTS + SIDE - RESULTS, depth = depth_of(g->C, chunk);
    size_t bytes = w->call->input_rounded ? sizeof(uint16_t) : sizeof(float);
    for (int64_t k = 0; k < PARTS; k++) {
        int64_t row = at->y - g->before[1] + k / SIDE, column = at->x + i * RESULTS - g->before[2] + k % SIDE;
        int64_t number = ((at->batch * g->size[1] + row) * g->size[2] + column) * g->C + chunk * CHUNK;
        bool inside = row >= 0 && row < g->size[1] && column >= 0 && column < g->size[2];
        if (!w->call->input_last) places[k] = memory->piece + (k / SIDE * span + i * RESULTS + k % SIDE) * depth;
        else
            places[k] =
                inside ? (const char *)w->call->inputs[0].data + (size_t)number * bytes : (const char *)memory->zeros;
    }
}

/* Channels of a chunk of so many tiles, as [part, tile, channel]. */
static void transform(const winograd *w, int64_t first, int64_t count, int64_t chunk, workspace *memory)
{
    am_dtype from = w->call->input_rounded ? AM_BF16 : AM_F32, to = w->has_pairs ? AM_BF16 : AM_F32;
    int64_t depth = depth_of(w->g.C, chunk), run;
    for (int64_t tile = 0; tile < count; tile += run) {
        place at = place_of(w, first + tile);
        run = run_of(w, first + tile, count - tile);
        if (!w->call->input_last) turn(w, &at, run, chunk, memory);
        for (int64_t i = 0; i < run; i++) {
            const void *places[PARTS];
            int64_t number = (tile + i) * depth;
            void *parts = w->has_pairs ? (void *)((uint16_t *)memory->places + number) : memory->places + number;
            find_places(w, &at, run, i, chunk, memory, places);
            w->call->micro->winograd_places(from, to, places, parts, count * depth + LINE, depth);
        }
    }
}

/* Sums of a chunk for panels `panel` to `end`, [part, tile, column] of `width` columns. */
static void multiply(const winograd *w, int64_t count, int64_t chunk, int64_t panel, int64_t end, int64_t width,
                     workspace *memory)
{
    const am_micro *micro = w->call->micro;
    int64_t together = w->has_pairs ? 2 : 1, depth = depth_of(w->g.C, chunk) / together;
    int64_t size = depth * w->columns, part = count * depth + LINE / together;
    for (int64_t p = panel; p < end; p++)
        for (int64_t k = 0; k < PARTS; k++) {
            const float *weights = w->weights + (p * w->g.C + chunk * CHUNK) * PARTS / together * w->columns + k * size;
            const float *next = k + 1 == PARTS && chunk + 1 == w->chunks && p + 1 == w->panels ? NULL : weights + size;
            const float *x = memory->places + k * part;
            float *sums = memory->sums + k * (count * width + LINE) + (p - panel) * w->columns;
            int64_t columns = least(w->g.O - p * w->columns, w->columns);
            if (w->has_pairs)
                micro->gemm_pairs(count, columns, depth, (const am_pair *)x, depth, (const am_pair *)weights,
                                  (const am_pair *)next, sums, width, chunk > 0, NULL);
            else micro->gemm_panel(count, columns, depth, x, depth, weights, AM_F32, next, sums, width, chunk > 0);
        }
}

/* A block's sums of `columns` channels from `channel` on. */
typedef struct sums_of {
    int64_t first, count; /* tiles */
    int64_t channel, columns, width;
} sums_of;

/* Results of tile `i` of a block, and what comes after but a function that is rounded with: to y, places and rows of
   which are `next` and `row` apart. */
static void give_results(const winograd *w, const sums_of *s, int64_t i, const place *at, float *y, int64_t row,
                         int64_t next, const workspace *memory)
{
    int rows = (int)least(w->g.out[1] - at->y, RESULTS), places = (int)least(w->g.out[2] - at->x, RESULTS);
    bool has_more = w->passes->count > 1 || w->passes->passes[0].fn != AM_IDENTITY;
    am_ending ending = am_conv_ending(w->call, w->passes, s->channel, y);
    w->call->micro->winograd_results(memory->sums + i * s->width, s->count * s->width + LINE, s->columns, y, row, next,
                                     rows, places, &ending);
    for (int r = 0; r < rows && has_more; r++)
        am_conv_pass_over(w->call, w->passes, next, s->channel, s->columns, y + r * row, places, true);
}

/* Results with channels last, as they are, rounded, or both. */
static void finish_last(const winograd *w, const sums_of *s, workspace *memory)
{
    const am_conv_geometry *g = &w->g;
    bool is_alone = w->call->output_rounded;
    am_pair *pairs = is_alone ? w->call->outputs[0].data : w->call->also_rounded;
    int64_t row = is_alone ? RESULTS * COLUMNS : g->out[2] * g->O, next = is_alone ? COLUMNS : g->O;
    for (int64_t i = 0; i < s->count; i++) {
        place at = place_of(w, s->first + i);
        int64_t offset = ((at.batch * g->out[1] + at.y) * g->out[2] + at.x) * g->O + s->channel;
        float *y = is_alone ? memory->results : (float *)w->call->outputs[0].data + offset;
        give_results(w, s, i, &at, y, row, next, memory);
        for (int64_t r = 0; pairs && r < least(g->out[1] - at.y, RESULTS); r++)
            for (int64_t x = 0; x < least(g->out[2] - at.x, RESULTS); x++)
                w->call->micro->round_function(w->rounded_fn, y + r * row + x * next, NULL, s->columns,
                                               pairs + (offset + (r * g->out[2] + x) * g->O) / 2);
    }
}

/* Results to their planes, run by run. */
static void finish_planes(const winograd *w, const sums_of *s, workspace *memory)
{
    enum { ROW = RUN * RESULTS * COLUMNS };
    const am_conv_geometry *g = &w->g;
    int64_t run;
    for (int64_t tile = 0; tile < s->count; tile += run) {
        place at = place_of(w, s->first + tile);
        run = run_of(w, s->first + tile, s->count - tile);
        for (int64_t i = 0; i < run; i++) {
            place own = {at.batch, at.y, at.x + i * RESULTS};
            give_results(w, s, tile + i, &own, memory->results + i * RESULTS * COLUMNS, ROW, COLUMNS, memory);
        }
        int64_t places = least(g->out[2] - at.x, run * RESULTS);
        for (int64_t r = 0; r < least(g->out[1] - at.y, RESULTS); r++) {
            int64_t position = (at.y + r) * g->out[2] + at.x;
            float *y = (float *)w->call->outputs[0].data + (at.batch * g->O + s->channel) * g->positions + position;
            am_turn_matrix(memory->results + r * ROW, COLUMNS, y, g->positions, places, s->columns);
            for (int64_t c = 0; c < s->columns && w->finishes_lines; c++)
                am_conv_finish_sums(w->call, g, at.batch, s->channel + c, position, y + c * g->positions, places);
        }
    }
}

static void compute_blocks(void *context, int64_t begin, int64_t end)
{
    const winograd *w = context;
    workspace memory;
    memset(memory.zeros, 0, sizeof memory.zeros);
    for (int64_t i = begin; i < end; i++) {
        int64_t first = i % w->tile_blocks * w->block, count = least(w->tiles - first, w->block);
        int64_t start = i / w->tile_blocks * w->block_panels, stop = least(w->panels, start + w->block_panels);
        for (int64_t panel = start; panel < stop; panel += w->group) {
            int64_t last = least(stop, panel + w->group), channel = panel * w->columns;
            int64_t width = (last - panel) * w->columns;
            for (int64_t chunk = 0; chunk < w->chunks; chunk++) {
                if (panel == start || w->chunks > 1) transform(w, first, count, chunk, &memory);
                multiply(w, count, chunk, panel, last, width, &memory);
            }
            sums_of sums = {first, count, channel, least(w->g.O - channel, width), width};
            if (w->call->output_last) finish_last(w, &sums, &memory);
            else finish_planes(w, &sums, &memory);
        }
    }
}

/* --- the kernels --- */

/* Sets how tiles are cut, by the shape alone: as equal blocks as threads can share. */
static void cut(winograd *w)
{
    w->high = am_pieces(w->g.out[1], RESULTS), w->wide = am_pieces(w->g.out[2], RESULTS),
    w->tiles = w->g.B * w->high * w->wide;
    w->panels = am_pieces(w->g.O, w->columns), w->group = COLUMNS / w->columns, w->chunks = am_pieces(w->g.C, CHUNK);
    w->tile_blocks = am_pieces(w->tiles, least(TILES, NUMBERS / least(w->g.C, CHUNK)));
    if (w->tile_blocks > 2) w->tile_blocks = am_pieces(w->tile_blocks, 4) * 4;
    w->block = am_pieces(w->tiles, w->tile_blocks);
    w->tile_blocks = am_pieces(w->tiles, w->block);
    int64_t groups = am_pieces(w->panels, w->group), parts = least(groups, am_pieces(LEAST_BLOCKS, w->tile_blocks));
    w->block_panels = am_pieces(groups, parts) * w->group;
    w->panel_blocks = am_pieces(w->panels, w->block_panels);
}

static void compute(const am_kernel_call *call, const float *prepared, bool has_pairs)
{
    winograd w = {.call = call,
                  .weights = prepared,
                  .g = am_conv_of_call(call),
                  .has_pairs = has_pairs,
                  .columns = call->micro->panel_columns};
    am_conv_passes passes = am_conv_collect(call, w.g.O, call->scratch);
    for (int i = 0; i < passes.count && !call->output_last; i++)
        w.finishes_lines = w.finishes_lines || passes.passes[i].residual;
    if (w.finishes_lines) passes = (am_conv_passes){.passes = {{.fn = AM_IDENTITY}}};
    w.rounded_fn = am_conv_take_function(call, &passes), w.passes = &passes;
    cut(&w);
    am_parallel_for(w.tile_blocks * w.panel_blocks, 1, compute_blocks, &w);
}

static am_status run(const am_kernel_call *call)
{
    return am_conv_run(call, &am_cpu_convolution_winograd, compute);
}

static am_status run_bf16(const am_kernel_call *call)
{
    return am_conv_run(call, &am_cpu_convolution_winograd_bf16, compute);
}

static bool supports(const am_graph *graph, const am_node *node)
{
    if (!am_cpu_convolution.supports(graph, node) || graph->values[node->inputs[1].id].shape.rank != 4) return false;
    am_conv_geometry g = am_conv_of_node(graph, node);
    for (int i = 1; i < 3; i++)
        if (g.kernel[i] != 3 || g.stride[i] != 1 || g.dilation[i] != 1) return false;
    int64_t tiles = g.B * am_pieces(g.out[1], RESULTS) * am_pieces(g.out[2], RESULTS);
    return g.groups == 1 && g.C >= LEAST_CHANNELS && g.O >= LEAST_CHANNELS && tiles >= LEAST_TILES;
}

static bool supports_bf16(const am_graph *graph, const am_node *node)
{
    return supports(graph, node) && am_conv_reads_rounded(graph, node);
}

const am_kernel am_cpu_convolution_winograd = {.name = "convolution_winograd_f32",
                                               .op = AM_OP_CONVOLUTION,
                                               .run = run,
                                               .supports = supports,
                                               .scratch_bytes = am_conv_last_scratch,
                                               .takes = am_conv_takes,
                                               .adds_in_place = am_conv_adds_early,
                                               .prepared_input = 1,
                                               .prepared_version = 1,
                                               .prepared_bytes = prepared_bytes,
                                               .prepare = prepare,
                                               .channels_last = &am_cpu_convolution_last,
                                               .any_layout = true};

const am_kernel am_cpu_convolution_winograd_bf16 = {.name = "convolution_winograd_bf16",
                                                    .op = AM_OP_CONVOLUTION,
                                                    .is_bf16 = true,
                                                    .reads_rounded = am_conv_reads_rounded,
                                                    .writes_rounded = am_conv_writes_rounded,
                                                    .run = run_bf16,
                                                    .supports = supports_bf16,
                                                    .scratch_bytes = am_conv_last_scratch,
                                                    .takes = am_conv_takes,
                                                    .adds_in_place = am_conv_adds_early,
                                                    .prepared_input = 1,
                                                    .prepared_version = 1,
                                                    .prepared_bytes = pair_bytes,
                                                    .prepare = prepare_pairs,
                                                    .channels_last = &am_cpu_convolution_last_bf16,
                                                    .any_layout = true};
