#include "targets/cpu/kernels/kernels.h"

#include "base/threads.h"

/* Results are cut into blocks of so many panels and rows: the rounded rows of x stay in the second cache while panels
   go by. */
enum { PANELS = 4, ROWS = 192, C = AM_QUANTIZED_COLUMNS };

typedef struct problem {
    const am_kernel_call *call;
    const am_quantized_linear_attributes *options;
    int64_t M, N, K, panels, column_blocks;
    am_quantized_rows x;
} problem;

/* --- x --- */

/* Numbers of a row of x, and its groups. */
static size_t scratch_bytes(const am_graph *graph, const am_node *node)
{
    const am_shape *x = &graph->values[node->inputs[0].id].shape;
    size_t count = (size_t)am_shape_count(x);
    return count + count / AM_ACTIVATION_GROUP * (sizeof(float) + 2 * sizeof(int16_t));
}

/* Where in the scratch memory what was made of x is. */
static am_quantized_rows place_rows(const am_kernel_call *call)
{
    size_t count = (size_t)am_shape_count(&call->inputs[0].shape), groups = count / AM_ACTIVATION_GROUP;
    float *scales = call->scratch;
    int16_t *middle = (int16_t *)(scales + groups);
    return (am_quantized_rows){.q = (int8_t *)(middle + 2 * groups), .scales = scales, .middle = middle};
}

static void quantize_rows(void *context, int64_t begin, int64_t end)
{
    const problem *p = context;
    int64_t groups = p->K / AM_ACTIVATION_GROUP;
    p->call->micro->quantize((const float *)p->call->inputs[0].data + begin * p->K, (end - begin) * p->K,
                             (int8_t *)(uintptr_t)p->x.q + begin * p->K,
                             (float *)(uintptr_t)p->x.scales + begin * groups,
                             (int16_t *)(uintptr_t)p->x.middle + begin * 2 * groups);
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
    int64_t groups = p->K / AM_ACTIVATION_GROUP, n0 = panel0 * C, end = panel1 * C < p->N ? panel1 * C : p->N;
    am_quantized_rows x = {p->x.q + m0 * p->K, p->x.scales + m0 * groups, p->x.middle + m0 * 2 * groups};
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
    p.x = place_rows(call);
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
