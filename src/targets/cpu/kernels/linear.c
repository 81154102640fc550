#include "targets/cpu/kernels/kernels.h"

#include "base/threads.h"

#include <string.h>

/* Results are cut into blocks of so many panels of columns (am_micro) and at most so many rows, ROWS_TOGETHER being
   whole tiles. A block takes a piece of K after the other, for which a panel's numbers stay in the first cache and
   those of x in the second. */
enum { PANELS = 4, ROWS = 208, ROWS_TOGETHER = 12, PIECE_BYTES = 24 << 10 };

/* With up to so many rows a weight is read as it is: making panels of one that is no constant, or a larger form of
   16-bit numbers, costs more than it saves. */
enum { FEW_ROWS = 4 };

/* A weight that has N contiguous is read DEPTH rows at a time where it is read as it is. */
enum { DEPTH = 8 };

typedef struct problem {
    const am_kernel_call *call;
    const am_linear_attributes *options;
    int64_t M, N, K, rows, row_blocks, panels, column_blocks, piece;
    size_t bytes; /* of a number of the weight */
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

static problem problem_of(const am_kernel_call *call)
{
    problem p = {.call = call, .options = AM_ATTRIBUTES(am_linear_attributes, call)};
    const am_shape *w = &call->inputs[1].shape;
    int64_t width = call->micro->panel_columns;
    p.K = w->dims[p.options->in_out ? 0 : 1], p.N = w->dims[p.options->in_out ? 1 : 0];
    p.panels = (p.N + width - 1) / width, p.column_blocks = (p.panels + PANELS - 1) / PANELS;
    p.bytes = am_dtype_bytes(call->inputs[1].dtype);
    p.piece = PIECE_BYTES / (width * (int64_t)sizeof(float));
    return p;
}

/* --- panels --- */

/* Rows k0 .. k0 + depth - 1 of a panel that is made now. */
static void pack(const problem *p, int64_t panel, int64_t k0, int64_t depth, void *to)
{
    const am_tensor *w = &p->call->inputs[1];
    int64_t from = k0 * row_stride(p) + panel * p->call->micro->panel_columns * column_stride(p);
    p->call->micro->pack_panel((const char *)w->data + (size_t)from * p->bytes, w->dtype, row_stride(p),
                               column_stride(p), depth, panel_columns(p, panel), to);
}

typedef struct packing {
    problem p;
    char *to;
} packing;

static void pack_panels(void *context, int64_t begin, int64_t end)
{
    const packing *job = context;
    size_t bytes = (size_t)(job->p.K * job->p.call->micro->panel_columns) * job->p.bytes;
    for (int64_t panel = begin; panel < end; panel++)
        pack(&job->p, panel, 0, job->p.K, job->to + (size_t)panel * bytes);
}

static void prepare(const am_kernel_call *call, void *prepared)
{
    packing job = {problem_of(call), prepared};
    am_parallel_for(job.p.panels, 1, pack_panels, &job);
}

static size_t prepared_bytes(const am_kernel_call *call)
{
    problem p = problem_of(call);
    return (size_t)(p.panels * call->micro->panel_columns * p.K) * p.bytes;
}

/* Memory of a thread for a piece of a panel. */
typedef struct workspace {
    _Alignas(64) uint16_t half[PIECE_BYTES / sizeof(float)];
    _Alignas(64) float full[PIECE_BYTES / sizeof(float)];
} workspace;

/* Where the piece is when the weight was prepared, else null. */
static const char *prepared_piece(const problem *p, int64_t panel, int64_t k0)
{
    const char *panels = p->call->prepared;
    return panels ? panels + (size_t)((panel * p->K + k0) * p->call->micro->panel_columns) * p->bytes : NULL;
}

/* The piece as float32. */
static const float *float_piece(const problem *p, int64_t panel, int64_t k0, int64_t depth, workspace *w)
{
    const void *piece = prepared_piece(p, panel, k0);
    am_dtype dtype = p->call->inputs[1].dtype;
    if (!piece) {
        void *to = dtype == AM_F32 ? (void *)w->full : (void *)w->half;
        pack(p, panel, k0, depth, to);
        piece = to;
    }
    if (dtype == AM_F32) return piece;
    p->call->micro->widen(dtype, piece, w->full, depth * p->call->micro->panel_columns);
    return w->full;
}

/* --- blocks --- */

typedef struct block {
    int64_t m0, m1, panel0, panel1;
} block;

/* What is multiplied after the piece of this panel that ends at k1, where that is known and as it will be read. */
static const void *next_piece(const problem *p, const block *b, int64_t panel, int64_t k1)
{
    int64_t k0 = (k1 - 1) / p->piece * p->piece;
    if (p->call->inputs[1].dtype != AM_F32) return NULL;
    if (panel + 1 < b->panel1) return prepared_piece(p, panel + 1, k0);
    if (k1 < p->K) return prepared_piece(p, b->panel0, k1);
    return b->panel1 < p->panels ? prepared_piece(p, b->panel1, 0) : NULL;
}

/* What is done to the results of a panel with their last sum; the rest is left to `finish`. */
static am_ending ending_of(const problem *p, const block *b, int64_t panel)
{
    const float *bias = p->call->inputs[2].data, *residual = p->call->inputs[3].data;
    int64_t n = panel * p->call->micro->panel_columns;
    bool is_plain = p->options->activation == AM_IDENTITY;
    return (am_ending){.terms = bias ? bias + n : NULL,
                       .residual = residual && is_plain ? residual + b->m0 * p->N + n : NULL,
                       .relu = p->options->activation == AM_RELU};
}

static void finish(const problem *p, const block *b)
{
    const am_micro *micro = p->call->micro;
    const float *residual = p->call->inputs[3].data;
    int64_t n0 = b->panel0 * micro->panel_columns, end = b->panel1 * micro->panel_columns;
    int64_t n = (end < p->N ? end : p->N) - n0;
    am_unary_fn fn = (am_unary_fn)p->options->activation;
    if (fn == AM_IDENTITY || (fn == AM_RELU && !residual)) return;
    for (int64_t m = b->m0; m < b->m1; m++)
        micro->finish((float *)p->call->outputs[0].data + m * p->N + n0, NULL,
                      residual ? residual + m * p->N + n0 : NULL, fn == AM_RELU ? AM_IDENTITY : fn, n);
}

static void multiply_many(const problem *p, const block *b)
{
    workspace memory;
    const am_micro *micro = p->call->micro;
    const float *x = (const float *)p->call->inputs[0].data + b->m0 * p->K;
    float *y = (float *)p->call->outputs[0].data + b->m0 * p->N;
    int64_t k0 = 0;
    do { /* once even where K is 0 */
        int64_t depth = p->K - k0 < p->piece ? p->K - k0 : p->piece;
        for (int64_t panel = b->panel0; panel < b->panel1; panel++) {
            am_ending ending = k0 + depth == p->K ? ending_of(p, b, panel) : (am_ending){0};
            micro->gemm_panel_ending(
                b->m1 - b->m0, panel_columns(p, panel), depth, x + k0, p->K, float_piece(p, panel, k0, depth, &memory),
                AM_F32, next_piece(p, b, panel, k0 + depth), y + panel * micro->panel_columns, p->N, k0 > 0, &ending);
        }
        k0 += depth;
    } while (k0 < p->K);
}

static void multiply_few(const problem *p, const block *b)
{
    const am_micro *micro = p->call->micro;
    const float *x = (const float *)p->call->inputs[0].data + b->m0 * p->K;
    float *y = (float *)p->call->outputs[0].data + b->m0 * p->N;
    for (int64_t panel = b->panel0; panel < b->panel1; panel++) {
        am_ending ending = ending_of(p, b, panel);
        micro->gemm_panel_ending(b->m1 - b->m0, panel_columns(p, panel), p->K, x, p->K, prepared_piece(p, panel, 0),
                                 p->call->inputs[1].dtype, NULL, y + panel * micro->panel_columns, p->N, false,
                                 &ending);
    }
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
    const float *bias = p->call->inputs[2].data, *residual = p->call->inputs[3].data;
    for (int64_t m = 0; m < rows; m++)
        p->call->micro->finish(y + m * p->N, bias ? bias + n0 : NULL,
                               residual ? residual + (b->m0 + m) * p->N + n0 : NULL,
                               (am_unary_fn)p->options->activation, n);
}

static void compute_block(const problem *p, const block *b)
{
    if (p->M <= FEW_ROWS && !p->call->prepared) {
        multiply_in_place(p, b);
        return;
    }
    if (p->M > FEW_ROWS) multiply_many(p, b);
    else multiply_few(p, b);
    finish(p, b);
}

static void work(void *context, int64_t begin, int64_t end)
{
    const problem *p = context;
    for (int64_t i = begin; i < end; i++) {
        int64_t m0 = i / p->column_blocks * p->rows, panel0 = i % p->column_blocks * PANELS;
        block b = {m0, m0 + p->rows < p->M ? m0 + p->rows : p->M, panel0,
                   panel0 + PANELS < p->panels ? panel0 + PANELS : p->panels};
        compute_block(p, &b);
    }
}

static am_status run_linear(const am_kernel_call *call)
{
    problem p = problem_of(call);
    p.M = am_shape_count(&call->outputs[0].shape) / (p.N ? p.N : 1);
    p.row_blocks = (p.M + ROWS - 1) / ROWS;
    p.rows = p.row_blocks ? (p.M + p.row_blocks - 1) / p.row_blocks : 0;
    if (p.row_blocks > 1) {
        p.rows = (p.rows + ROWS_TOGETHER - 1) / ROWS_TOGETHER * ROWS_TOGETHER;
        p.row_blocks = (p.M + p.rows - 1) / p.rows;
    }
    am_parallel_for(p.row_blocks * p.column_blocks, 1, work, &p);
    return NULL;
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

const am_kernel am_cpu_linear = {.name = "linear_f32",
                                 .op = AM_OP_LINEAR,
                                 .run = run_linear,
                                 .supports = supports,
                                 .prepared_input = 1,
                                 .prepared_version = 1,
                                 .prepared_bytes = prepared_bytes,
                                 .prepare = prepare};
