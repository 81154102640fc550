#include "targets/cpu/kernels/kernels.h"

#include "base/threads.h"

#include <string.h>

/* Results are cut into blocks of so many panels of columns (am_micro), fewer where there would be fewer than
   LEAST_BLOCKS for threads to share, and at most so many rows, ROWS_TOGETHER being whole tiles. A block takes a piece
   of K after the other, DEPTH steps of a panel, or WIDE_DEPTH where panels are wide: their numbers and those of x then
   come from the first two caches. */
enum { PANELS = 4, LEAST_BLOCKS = 12, ROWS = 208, ROWS_TOGETHER = 12, PIECE_DEPTH = 256, WIDE_DEPTH = 384, WIDE = 64 };

/* With up to so many rows numbers of 16 bits are widened as they are multiplied, for each tile of rows anew: with more,
   to do it once for all of them takes less, where an instruction that widens takes the place of one that multiplies. */
enum { FEW_TILES_ROWS = 64 };

/* A weight that has N contiguous is read DEPTH rows at a time where it is read as it is. */
enum { DEPTH = 8 };

/* Rows of x that are rounded together, at least. */
enum { ROUND_ROWS = 4 };

/* With pairs, x and the weight are rounded to BF16 and a step of a sum takes two numbers (am_pair), which lie where one
   in F32 would: x is the scratch memory's then, and the weight's panels are always made. */
typedef struct problem {
    const am_kernel_call *call;
    const am_linear_attributes *options;
    bool has_pairs;
    const float *x;
    /* What comes after the products: its own, or the tail's. */
    const float *residual, *factors;
    am_unary_fn activation;
    int64_t M, N, K, rows, row_blocks, panels, block_panels, column_blocks, piece;
    int64_t steps;   /* of a sum: K, or the pairs of it */
    size_t bytes;    /* of what a panel has for a step and column */
    bool rows_first; /* all rows of a block of columns come before those of the next */
} problem;

/* Numbers of the weight between neighbours in K and in N. */
static int64_t row_stride(const problem *p)
{
    return p->options->in_out ? p->N : 1;
}

static int64_t column_stride(const problem *p)
{
    return p->options->in_out ? 1 : p->K;
}

static int64_t panel_columns(const problem *p, int64_t panel)
{
    int64_t width = p->call->micro->panel_columns, left = p->N - panel * width;
    return left < width ? left : width;
}

static bool is_sum(const am_node *node)
{
    return node->op == AM_OP_BINARY && ((const am_binary_attributes *)node->attributes)->fn == AM_ADD;
}

static problem problem_of(const am_kernel_call *call, bool has_pairs)
{
    problem p = {.call = call,
                 .options = AM_ATTRIBUTES(am_linear_attributes, call),
                 .has_pairs = has_pairs,
                 .x = has_pairs && !call->input_rounded ? call->scratch : call->inputs[0].data,
                 .residual = call->inputs[3].data};
    const am_shape *w = &call->inputs[1].shape;
    int64_t width = call->micro->panel_columns;
    p.activation = (am_unary_fn)p.options->activation;
    for (int i = 0; call->tail && i < call->tail->count; i++) {
        const am_tail_step *step = &call->tail->steps[i];
        if (is_sum(step->node)) p.residual = step->operands[0].data;
        else if (step->node->op == AM_OP_BINARY) p.factors = step->operands[0].data;
        else p.activation = (am_unary_fn)((const am_unary_attributes *)step->node->attributes)->fn;
    }
    p.K = w->dims[p.options->in_out ? 0 : 1], p.N = w->dims[p.options->in_out ? 1 : 0];
    p.panels = am_pieces(p.N, width);
    p.steps = has_pairs ? am_pairs_of(p.K) : p.K;
    p.bytes = has_pairs ? sizeof(am_pair) : am_dtype_bytes(call->inputs[1].dtype);
    int64_t depth = width < WIDE ? PIECE_DEPTH : WIDE_DEPTH, pieces = (p.steps + depth / 2) / depth;
    p.piece = pieces ? am_pieces(p.steps, pieces) : depth;
    if (has_pairs) p.piece = am_pieces(p.piece, AM_PAIR_STEPS) * AM_PAIR_STEPS;
    return p;
}

/* --- panels --- */

/* Steps k0 .. k0 + depth - 1 of a panel that is made now. */
static void pack(const problem *p, int64_t panel, int64_t k0, int64_t depth, void *to)
{
    const am_tensor *w = &p->call->inputs[1];
    int64_t together = p->has_pairs ? 2 : 1, row = row_stride(p), column = column_stride(p);
    int64_t from = k0 * together * row + panel * p->call->micro->panel_columns * column;
    const char *at = (const char *)w->data + (size_t)from * am_dtype_bytes(w->dtype);
    if (!p->has_pairs) {
        p->call->micro->pack_panel(at, w->dtype, row, column, depth, panel_columns(p, panel), to);
        return;
    }
    int64_t numbers = k0 + depth < p->steps ? 2 * depth : p->K - 2 * k0;
    p->call->micro->pack_pairs(at, w->dtype, row, column, numbers, panel_columns(p, panel), to);
}

typedef struct packing {
    problem p;
    char *to;
} packing;

static void pack_panels(void *context, int64_t begin, int64_t end)
{
    const packing *job = context;
    size_t bytes = (size_t)(job->p.steps * job->p.call->micro->panel_columns) * job->p.bytes;
    for (int64_t panel = begin; panel < end; panel++)
        pack(&job->p, panel, 0, job->p.steps, job->to + (size_t)panel * bytes);
}

static void prepare_all(const problem *p, void *prepared)
{
    packing job = {*p, prepared};
    am_parallel_for(p->panels, 1, pack_panels, &job);
}

static size_t all_bytes(const problem *p)
{
    return (size_t)(p->panels * p->call->micro->panel_columns * p->steps) * p->bytes;
}

/* Memory of a thread for a piece of a panel. */
typedef struct workspace {
    _Alignas(64) uint16_t half[WIDE * 3 / 2 * WIDE_DEPTH];
    _Alignas(64) float full[WIDE * 3 / 2 * WIDE_DEPTH];
} workspace;

/* Where the piece is when the weight was prepared, else null. */
static const char *prepared_piece(const problem *p, int64_t panel, int64_t k0)
{
    const char *panels = p->call->prepared;
    return panels ? panels + (size_t)((panel * p->steps + k0) * p->call->micro->panel_columns) * p->bytes : NULL;
}

/* The piece in F32, or of pairs; of 16 bits where that is said to be enough. */
static const void *piece_of(const problem *p, int64_t panel, int64_t k0, int64_t depth, bool as_it_is, workspace *w)
{
    const void *piece = prepared_piece(p, panel, k0);
    am_dtype dtype = p->call->inputs[1].dtype;
    bool is_whole = dtype == AM_F32 || p->has_pairs || as_it_is;
    if (!piece) {
        void *to = is_whole ? (void *)w->full : (void *)w->half;
        pack(p, panel, k0, depth, to);
        piece = to;
    }
    if (is_whole) return piece;
    p->call->micro->widen(dtype, piece, w->full, depth * p->call->micro->panel_columns);
    return w->full;
}

/* --- blocks --- */

/* Results are at y, its first, rows ldc apart. */
typedef struct block {
    int64_t m0, m1, panel0, panel1;
    float *y;
    int64_t ldc;
} block;

/* What is multiplied after the piece of this panel that ends at k1, where that is known. */
static const void *next_piece(const problem *p, const block *b, int64_t panel, int64_t k1)
{
    int64_t k0 = (k1 - 1) / p->piece * p->piece;
    if (panel + 1 < b->panel1) return prepared_piece(p, panel + 1, k0);
    if (k1 < p->steps) return prepared_piece(p, b->panel0, k1);
    if (p->rows_first && b->m1 < p->M) return prepared_piece(p, b->panel0, 0);
    return b->panel1 < p->panels ? prepared_piece(p, b->panel1, 0) : NULL;
}

/* What is done to the results of a panel with their last sum; the rest is left to `finish`. `scaled`: memory for a
   bias that factors are applied to, too. */
static am_ending ending_of(const problem *p, const block *b, int64_t panel, float *scaled)
{
    const float *bias = p->call->inputs[2].data;
    int64_t n = panel * p->call->micro->panel_columns;
    bool adds = p->residual && p->activation == AM_IDENTITY;
    for (int64_t i = 0; bias && p->factors && i < panel_columns(p, panel); i++)
        scaled[i] = bias[n + i] * p->factors[n + i];
    const float *terms = bias && p->factors ? scaled : bias ? bias + n : NULL;
    return (am_ending){.factors = p->factors ? p->factors + n : NULL,
                       .terms = terms,
                       .residual = adds ? p->residual + b->m0 * p->N + n : NULL,
                       .relu = p->activation == AM_RELU};
}

static void finish(const problem *p, const block *b)
{
    const am_micro *micro = p->call->micro;
    const float *residual = p->residual;
    int64_t n0 = b->panel0 * micro->panel_columns, end = b->panel1 * micro->panel_columns;
    int64_t n = (end < p->N ? end : p->N) - n0;
    am_unary_fn fn = p->activation;
    if (fn == AM_IDENTITY || (fn == AM_RELU && !residual)) return;
    for (int64_t m = b->m0; m < b->m1; m++)
        micro->finish(b->y + (m - b->m0) * b->ldc, NULL, residual ? residual + m * p->N + n0 : NULL,
                      fn == AM_RELU ? AM_IDENTITY : fn, n);
}

/* The rows of a block times steps k0 .. k0 + depth - 1 of a panel, added to what steps before them gave. */
static void multiply_piece(const problem *p, const block *b, int64_t panel, int64_t k0, int64_t depth,
                           const void *piece, am_dtype dtype, const void *next)
{
    const am_micro *micro = p->call->micro;
    const float *x = p->x + b->m0 * p->steps + k0;
    float *y = b->y + (panel - b->panel0) * micro->panel_columns;
    int64_t rows = b->m1 - b->m0, columns = panel_columns(p, panel);
    float scaled[WIDE];
    am_ending ending = k0 + depth == p->steps ? ending_of(p, b, panel, scaled) : (am_ending){0};
    if (p->has_pairs)
        micro->gemm_pairs(rows, columns, depth, (const am_pair *)x, p->steps, piece, next, y, b->ldc, k0 > 0, &ending);
    else micro->gemm_panel_ending(rows, columns, depth, x, p->steps, piece, dtype, next, y, b->ldc, k0 > 0, &ending);
}

static void multiply_many(const problem *p, const block *b)
{
    workspace memory;
    int64_t k0 = 0;
    bool as_it_is = b->m1 - b->m0 <= FEW_TILES_ROWS;
    am_dtype dtype = as_it_is ? p->call->inputs[1].dtype : AM_F32;
    do { /* once even where K is 0 */
        int64_t depth = p->steps - k0 < p->piece ? p->steps - k0 : p->piece;
        for (int64_t panel = b->panel0; panel < b->panel1; panel++)
            multiply_piece(p, b, panel, k0, depth, piece_of(p, panel, k0, depth, as_it_is, &memory), dtype,
                           next_piece(p, b, panel, k0 + depth));
        k0 += depth;
    } while (k0 < p->steps);
}

static void multiply_few(const problem *p, const block *b)
{
    for (int64_t panel = b->panel0; panel < b->panel1; panel++)
        multiply_piece(p, b, panel, 0, p->steps, prepared_piece(p, panel, 0), p->call->inputs[1].dtype, NULL);
}

/* Reads the weight as it is. */
static void multiply_in_place(const problem *p, const block *b)
{
    const am_tensor *w = &p->call->inputs[1];
    int64_t n0 = b->panel0 * p->call->micro->panel_columns, end = b->panel1 * p->call->micro->panel_columns;
    int64_t n = (end < p->N ? end : p->N) - n0, rows = b->m1 - b->m0, k = 0;
    const float *x = (const float *)p->call->inputs[0].data + b->m0 * p->K;
    float *y = (float *)p->call->outputs[0].data + b->m0 * p->N + n0;
    if (!p->options->in_out)
        p->call->micro->gemm_nt(rows, n, p->K, x, p->K, (const char *)w->data + (size_t)(n0 * p->K) * p->bytes, p->K,
                                w->dtype, y, p->N);
    else do {
            int64_t depth = p->K - k < DEPTH ? p->K - k : DEPTH;
            p->call->micro->gemm_nn(rows, n, depth, x + k, p->K, (const float *)w->data + k * p->N + n0, p->N, y, p->N,
                                    k > 0);
            k += depth;
        } while (k < p->K);
    const float *bias = p->call->inputs[2].data, *residual = p->residual;
    if (p->factors) {
        p->call->micro->affine(y, NULL, p->N, rows, n, NULL, bias ? bias + n0 : NULL, false);
        p->call->micro->affine(y, p->residual ? p->residual + b->m0 * p->N + n0 : NULL, p->N, rows, n, p->factors + n0,
                               NULL, false);
        return;
    }
    for (int64_t m = 0; m < rows; m++)
        p->call->micro->finish(y + m * p->N, bias ? bias + n0 : NULL,
                               residual ? residual + (b->m0 + m) * p->N + n0 : NULL, p->activation, n);
}

static void compute_products(const problem *p, const block *b)
{
    if (p->M <= AM_FEW_ROWS && p->call->prepared) multiply_few(p, b);
    else multiply_many(p, b);
}

static void compute_block(const problem *p, const block *b)
{
    if (p->M <= AM_FEW_ROWS && !p->call->prepared && !p->has_pairs) {
        multiply_in_place(p, b);
        return;
    }
    compute_products(p, b);
    finish(p, b);
}

/* Results in memory of the thread, which then are rounded. */
static void compute_rounded(const problem *p, block *b)
{
    _Alignas(64) float y[(ROWS + ROWS_TOGETHER) * PANELS * WIDE];
    int64_t width = p->call->micro->panel_columns, n0 = b->panel0 * width;
    int64_t columns = b->panel1 * width < p->N ? b->panel1 * width - n0 : p->N - n0;
    b->y = y, b->ldc = (b->panel1 - b->panel0) * width;
    compute_products(p, b);
    am_unary_fn fn = p->activation == AM_RELU ? AM_IDENTITY : p->activation;
    for (int64_t m = b->m0; m < b->m1; m++)
        p->call->micro->round_function(fn, y + (m - b->m0) * b->ldc, NULL, columns,
                                       (am_pair *)p->call->outputs[0].data + (m * p->N + n0) / 2);
}

static void work(void *context, int64_t begin, int64_t end)
{
    const problem *p = context;
    for (int64_t i = begin; i < end; i++) {
        int64_t row_block = p->rows_first ? i % p->row_blocks : i / p->column_blocks;
        int64_t column_block = p->rows_first ? i / p->row_blocks : i % p->column_blocks;
        int64_t m0 = row_block * p->rows, panel0 = column_block * p->block_panels;
        block b = {.m0 = m0,
                   .m1 = m0 + p->rows < p->M ? m0 + p->rows : p->M,
                   .panel0 = panel0,
                   .panel1 = panel0 + p->block_panels < p->panels ? panel0 + p->block_panels : p->panels};
        if (p->call->output_rounded) {
            compute_rounded(p, &b);
            continue;
        }
        b.y = (float *)p->call->outputs[0].data + m0 * p->N + panel0 * p->call->micro->panel_columns, b.ldc = p->N;
        compute_block(p, &b);
    }
}

static void round_rows(void *context, int64_t begin, int64_t end)
{
    const problem *p = context;
    const float *x = p->call->inputs[0].data;
    for (int64_t m = begin; m < end; m++)
        p->call->micro->round_pairs(x + m * p->K, p->K, (am_pair *)p->call->scratch + m * p->steps);
}

static void run_problem(problem *p)
{
    p->M = am_shape_count(&p->call->outputs[0].shape) / (p->N ? p->N : 1);
    p->row_blocks = am_pieces(p->M, ROWS);
    p->rows = p->row_blocks ? am_pieces(p->M, p->row_blocks) : 0;
    if (p->row_blocks > 1) {
        p->rows = am_pieces(p->rows, ROWS_TOGETHER) * ROWS_TOGETHER;
        p->row_blocks = am_pieces(p->M, p->rows);
    }
    p->block_panels = PANELS;
    while (p->block_panels > 1 && p->row_blocks * am_pieces(p->panels, p->block_panels) < LEAST_BLOCKS)
        p->block_panels /= 2;
    p->column_blocks = am_pieces(p->panels, p->block_panels);
    p->rows_first = p->N > p->M; /* what is read again and again is the smaller: x, or the weight */
    if (p->has_pairs && !p->call->input_rounded) am_parallel_for(p->M, ROUND_ROWS, round_rows, p);
    am_parallel_for(p->row_blocks * p->column_blocks, 1, work, p);
}

/* --- the kernels --- */

static am_status run_f32(const am_kernel_call *call)
{
    problem p = problem_of(call, false);
    run_problem(&p);
    return NULL;
}

static size_t prepared_bytes_f32(const am_kernel_call *call)
{
    problem p = problem_of(call, false);
    return all_bytes(&p);
}

static void prepare_f32(const am_kernel_call *call, void *prepared)
{
    problem p = problem_of(call, false);
    prepare_all(&p, prepared);
}

static am_status run_bf16(const am_kernel_call *call)
{
    problem p = problem_of(call, true);
    run_problem(&p);
    return NULL;
}

static size_t prepared_bytes_bf16(const am_kernel_call *call)
{
    problem p = problem_of(call, true);
    return all_bytes(&p);
}

static void prepare_bf16(const am_kernel_call *call, void *prepared)
{
    problem p = problem_of(call, true);
    prepare_all(&p, prepared);
}

static bool supports(const am_graph *graph, const am_node *node)
{
    const am_linear_attributes *a = node->attributes;
    am_dtype w = graph->values[node->inputs[1].id].dtype;
    for (int i = 0; i < node->input_count; i++)
        if (i != 1 && node->inputs[i].id && graph->values[node->inputs[i].id].dtype != AM_F32) return false;
    if (graph->values[node->first_output.id].dtype != AM_F32) return false;
    return w == AM_F32 || (!a->in_out && (w == AM_BF16 || w == AM_F16));
}

static size_t scratch_bytes_bf16(const am_graph *graph, const am_node *node)
{
    const am_shape *x = &graph->values[node->inputs[0].id].shape;
    int64_t K = x->dims[x->rank - 1];
    return (size_t)(am_shape_count(x) / (K ? K : 1) * am_pairs_of(K)) * sizeof(am_pair);
}

static bool reads_rounded(const am_graph *graph, const am_node *node)
{
    return am_has_even_rows(&graph->values[node->inputs[0].id].shape);
}

static bool has_residual(const am_node *node)
{
    return node->input_count > 3 && node->inputs[3].id;
}

/* Whether the node multiplies by a number for each column. */
static bool is_scale(const am_graph *graph, const am_node *node, int from, const am_shape *y)
{
    const am_shape *factors = &graph->values[node->inputs[1 - from].id].shape;
    if (node->op != AM_OP_BINARY || ((const am_binary_attributes *)node->attributes)->fn != AM_MUL) return false;
    if (factors->rank < 1 || !am_shape_equal(&graph->values[node->first_output.id].shape, y)) return false;
    int64_t columns = factors->dims[factors->rank - 1];
    return columns == y->dims[y->rank - 1] && columns == am_shape_count(factors);
}

/* A function where there is none yet, or factors of columns; then a sum with as many numbers. */
static bool takes(const am_graph *graph, const am_node *const *nodes, int count, const am_node *next, int from)
{
    const am_shape *shape = &graph->values[nodes[0]->first_output.id].shape;
    bool is_plain = count == 1 && ((const am_linear_attributes *)nodes[0]->attributes)->activation == AM_IDENTITY;
    if (has_residual(nodes[0]) || is_sum(nodes[count - 1]) || !am_all_f32(graph, next)) return false;
    if (next->op == AM_OP_UNARY) return is_plain;
    return am_is_plain_sum(graph, next, from, shape) || (is_plain && is_scale(graph, next, from, shape));
}

/* Residuals lie as results do. */
static unsigned writes_rounded(const am_graph *graph, const am_node *const *nodes, int count)
{
    return has_residual(nodes[0]) || is_sum(nodes[count - 1]) ? 0 : am_rounds_even_rows(graph, nodes, 1);
}

const am_kernel am_cpu_linear = {.name = "linear_f32",
                                 .op = AM_OP_LINEAR,
                                 .run = run_f32,
                                 .supports = supports,
                                 .takes = takes,
                                 .prepared_input = 1,
                                 .prepared_version = 1,
                                 .prepared_bytes = prepared_bytes_f32,
                                 .prepare = prepare_f32};

const am_kernel am_cpu_linear_bf16 = {.name = "linear_bf16",
                                      .op = AM_OP_LINEAR,
                                      .is_bf16 = true,
                                      .reads_rounded = reads_rounded,
                                      .writes_rounded = writes_rounded,
                                      .run = run_bf16,
                                      .supports = supports,
                                      .takes = takes,
                                      .scratch_bytes = scratch_bytes_bf16,
                                      .scratch_is_input = true,
                                      .prepared_input = 1,
                                      .prepared_version = 1,
                                      .prepared_bytes = prepared_bytes_bf16,
                                      .prepare = prepare_bf16};

/* --- rounding --- */

enum { NUMBERS_ROUNDED = 4096 };

static void round_numbers(void *context, int64_t begin, int64_t end)
{
    const am_kernel_call *call = context;
    call->micro->round_pairs((const float *)call->inputs[0].data + begin, end - begin,
                             (am_pair *)call->outputs[0].data + begin / 2);
}

static am_status run_round(const am_kernel_call *call)
{
    am_parallel_for(am_shape_count(&call->inputs[0].shape), NUMBERS_ROUNDED, round_numbers, (void *)(uintptr_t)call);
    return NULL;
}

const am_kernel am_cpu_round = {.name = "round_bf16", .op = AM_OP_CAST, .run = run_round};
