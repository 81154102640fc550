#include "targets/cpu/kernels/kernels.h"

#include "base/threads.h"

#include <string.h>

/* Results are cut into blocks of so many columns and at most so many rows. All rows of a block meet a row of
   the weight while that is in the first cache, so a weight is read from memory once for each block of rows.
 */
enum { COLUMNS = 64, ROWS = 144 };

/* A weight that has N contiguous lies in strips of its rows, one in a page each: for many rows of x a piece of it is
   copied together first, for few it is read DEPTH rows at a time, WIDE columns in a row. Either way a result is one
   sequence over k. */
enum { PANEL_DEPTH = 256, FEW_ROWS = 4, DEPTH = 8, WIDE = 256 };

typedef struct problem {
    const am_kernel_call *call;
    const am_linear_attributes *options;
    int64_t M, N, K, rows, columns, row_blocks, column_blocks;
} problem;

static void multiply_copied(const problem *p, int64_t m0, int64_t m1, int64_t n0, int64_t n1)
{
    _Alignas(64) float panel[PANEL_DEPTH * COLUMNS];
    const float *x = p->call->inputs[0].data, *w = p->call->inputs[1].data;
    float *y = p->call->outputs[0].data;
    int64_t k = 0;
    do { /* once even where K is 0 */
        int64_t depth = p->K - k < PANEL_DEPTH ? p->K - k : PANEL_DEPTH;
        for (int64_t i = 0; i < depth; i++)
            memcpy(panel + i * COLUMNS, w + (k + i) * p->N + n0, (size_t)(n1 - n0) * sizeof *panel);
        p->call->micro->gemm_nn(m1 - m0, n1 - n0, depth, x + m0 * p->K + k, p->K, panel, COLUMNS, y + m0 * p->N + n0,
                                p->N, k > 0);
        k += depth;
    } while (k < p->K);
}

static void multiply_in_place(const problem *p, int64_t m0, int64_t m1, int64_t n0, int64_t n1)
{
    const float *x = p->call->inputs[0].data, *w = p->call->inputs[1].data;
    float *y = p->call->outputs[0].data;
    int64_t k = 0;
    do {
        int64_t depth = p->K - k < DEPTH ? p->K - k : DEPTH;
        p->call->micro->gemm_nn(m1 - m0, n1 - n0, depth, x + m0 * p->K + k, p->K, w + k * p->N + n0, p->N,
                                y + m0 * p->N + n0, p->N, k > 0);
        k += depth;
    } while (k < p->K);
}

static void multiply_block(const problem *p, int64_t m0, int64_t m1, int64_t n0, int64_t n1)
{
    const am_tensor *w = &p->call->inputs[1];
    const float *x = p->call->inputs[0].data, *bias = p->call->inputs[2].data, *residual = p->call->inputs[3].data;
    float *y = p->call->outputs[0].data;
    const am_micro *micro = p->call->micro;
    if (p->options->in_out && p->M < FEW_ROWS) multiply_in_place(p, m0, m1, n0, n1);
    else if (p->options->in_out) multiply_copied(p, m0, m1, n0, n1);
    else
        micro->gemm_nt(m1 - m0, n1 - n0, p->K, x + m0 * p->K, p->K,
                       (const char *)w->data + (size_t)(n0 * p->K) * am_dtype_bytes(w->dtype), p->K, w->dtype,
                       y + m0 * p->N + n0, p->N);
    for (int64_t m = m0; m < m1; m++)
        micro->finish(y + m * p->N + n0, bias ? bias + n0 : NULL, residual ? residual + m * p->N + n0 : NULL,
                      (am_unary_fn)p->options->activation, n1 - n0);
}

static void work(void *context, int64_t begin, int64_t end)
{
    const problem *p = context;
    for (int64_t i = begin; i < end; i++) {
        int64_t m0 = i / p->column_blocks * p->rows, n0 = i % p->column_blocks * p->columns;
        int64_t m1 = m0 + p->rows < p->M ? m0 + p->rows : p->M, n1 = n0 + p->columns < p->N ? n0 + p->columns : p->N;
        multiply_block(p, m0, m1, n0, n1);
    }
}

static am_status run_linear(const am_kernel_call *call)
{
    problem p = {.call = call, .options = AM_ATTRIBUTES(am_linear_attributes, call)};
    const am_shape *w = &call->inputs[1].shape;
    p.K = w->dims[p.options->in_out ? 0 : 1], p.N = w->dims[p.options->in_out ? 1 : 0];
    p.M = am_shape_count(&call->outputs[0].shape) / (p.N ? p.N : 1);
    p.columns = p.options->in_out && p.M < FEW_ROWS ? WIDE : COLUMNS;
    p.row_blocks = (p.M + ROWS - 1) / ROWS, p.column_blocks = (p.N + p.columns - 1) / p.columns;
    p.rows = p.row_blocks ? (p.M + p.row_blocks - 1) / p.row_blocks : 0;
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

const am_kernel am_cpu_linear = {.name = "linear_f32", .op = AM_OP_LINEAR, .run = run_linear, .supports = supports};
