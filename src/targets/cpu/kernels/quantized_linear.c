#include "targets/cpu/kernels/kernels.h"

#include "base/threads.h"

/* Results are cut into blocks of so many panels and rows: the rounded rows of x stay in the second cache while panels
   go by. */
enum { PANELS = 4, ROWS = 192, C = AM_QUANTIZED_COLUMNS };

typedef struct problem {
    const am_kernel_call *call;
    const am_quantized_linear_attributes *options;
    int64_t M, N, K, panels, column_blocks;
} problem;

/* --- x --- */

static size_t scratch_bytes(const am_graph *graph, const am_node *node)
{
    const am_shape *x = &graph->values[node->inputs[0].id].shape;
    size_t count = (size_t)am_shape_count(x);
    return count * sizeof(int16_t) + count / AM_ACTIVATION_GROUP * (sizeof(float) + 2 * sizeof(int16_t));
}

/* Where in the scratch memory what am_micro.quantize makes of the rows from m on is. */
static am_quantized_rows rows_from(const problem *p, int64_t m)
{
    int64_t groups = p->K / AM_ACTIVATION_GROUP;
    am_quantized_rows all = {.scales = p->call->scratch};
    all.middle = (int16_t *)(all.scales + p->M * groups);
    all.numbers = all.middle + p->M * groups * 2;
    return (am_quantized_rows){all.numbers + m * p->K, all.scales + m * groups, all.middle + m * groups * 2};
}

static void quantize_rows(void *context, int64_t begin, int64_t end)
{
    const problem *p = context;
    const float *x = p->call->inputs[0].data;
    for (int64_t m = begin; m < end; m++) {
        am_quantized_rows row = rows_from(p, m);
        p->call->micro->quantize(x + m * p->K, p->K, (int)p->options->bits, row.numbers, row.scales, row.middle);
    }
}

/* --- blocks --- */

static am_quantized_panel panel_of(const problem *p, int64_t panel)
{
    const am_tensor *in = p->call->inputs;
    const am_quantized_linear_attributes *a = p->options;
    size_t groups = (size_t)(panel * (p->K / a->group) * C);
    int64_t left = p->N - panel * C;
    return (am_quantized_panel){.K = p->K,
                                .group = a->group,
                                .columns = left < C ? left : C,
                                .weight = (const uint8_t *)in[1].data + (panel * C * p->K * a->bits / 8),
                                .scales = (const char *)in[2].data + groups * am_dtype_bytes(in[2].dtype),
                                .scale_dtype = in[2].dtype,
                                .zero_points = in[3].data ? (const uint8_t *)in[3].data + groups : NULL};
}

static void compute_block(const problem *p, int64_t m0, int64_t m1, int64_t panel0, int64_t panel1)
{
    const am_micro *micro = p->call->micro;
    const float *bias = p->call->inputs[4].data, *residual = p->call->inputs[5].data;
    float *y = p->call->outputs[0].data;
    int64_t n0 = panel0 * C, end = panel1 * C < p->N ? panel1 * C : p->N;
    am_quantized_rows x = rows_from(p, m0);
    for (int64_t i = panel0; i < panel1; i++) {
        am_quantized_panel panel = panel_of(p, i);
        micro->gemm_quantized(m1 - m0, (int)p->options->bits, &panel, &x, y + m0 * p->N + i * C, p->N);
    }
    for (int64_t m = m0; m < m1; m++)
        micro->finish(y + m * p->N + n0, bias ? bias + n0 : NULL, residual ? residual + m * p->N + n0 : NULL,
                      (am_unary_fn)p->options->activation, end - n0);
}

static void work(void *context, int64_t begin, int64_t end)
{
    const problem *p = context;
    for (int64_t i = begin; i < end; i++) {
        int64_t m0 = i / p->column_blocks * ROWS, panel0 = i % p->column_blocks * PANELS;
        compute_block(p, m0, m0 + ROWS < p->M ? m0 + ROWS : p->M, panel0,
                      panel0 + PANELS < p->panels ? panel0 + PANELS : p->panels);
    }
}

static am_status run_quantized_linear(const am_kernel_call *call)
{
    const am_shape *x = &call->inputs[0].shape;
    problem p = {.call = call, .options = AM_ATTRIBUTES(am_quantized_linear_attributes, call)};
    p.N = p.options->columns, p.K = x->dims[x->rank - 1], p.M = am_shape_count(x) / p.K;
    p.panels = (p.N + C - 1) / C, p.column_blocks = (p.panels + PANELS - 1) / PANELS;
    am_parallel_for(p.M, 1, quantize_rows, &p);
    am_parallel_for((p.M + ROWS - 1) / ROWS * p.column_blocks, 1, work, &p);
    return NULL;
}

static bool supports(const am_graph *graph, const am_node *node)
{
    const am_quantized_linear_attributes *a = node->attributes;
    am_dtype scales = graph->values[node->inputs[2].id].dtype;
    for (int i = 0; i < node->input_count; i++)
        if ((i == 0 || i > 3) && node->inputs[i].id && graph->values[node->inputs[i].id].dtype != AM_F32) return false;
    return a->group % AM_ACTIVATION_GROUP == 0 && (scales == AM_F32 || scales == AM_BF16 || scales == AM_F16);
}

const am_kernel am_cpu_quantized_linear = {.name = "quantized_linear_f32",
                                           .op = AM_OP_QUANTIZED_LINEAR,
                                           .run = run_quantized_linear,
                                           .supports = supports,
                                           .scratch_bytes = scratch_bytes};
