#include "targets/cpu/kernels/kernels.h"

#include "base/threads.h"
#include "targets/cpu/kernels/turn.h"

enum { ROWS = 48, COLUMNS = 192 };

typedef struct problem {
    const am_kernel_call *call;
    const float *a; /* with K contiguous: the input itself or its transpose in scratch */
    int64_t M, N, K, row_blocks, column_blocks;
    bool transpose_b;
    int64_t a_strides[AM_RANK_LIMIT], b_strides[AM_RANK_LIMIT]; /* of the batch dimensions, in matrices */
} problem;

static int64_t matrix_of(const am_shape *shape, const int64_t *strides, int64_t batch)
{
    int64_t at = 0;
    for (int i = shape->rank - 3; i >= 0; i--) {
        at += batch % shape->dims[i] * strides[i];
        batch /= shape->dims[i];
    }
    return at;
}

static void block(const problem *p, int64_t batch, int64_t m0, int64_t n0)
{
    const am_shape *shape = &p->call->outputs[0].shape;
    int64_t rows = p->M - m0 < ROWS ? p->M - m0 : ROWS, columns = p->N - n0 < COLUMNS ? p->N - n0 : COLUMNS;
    const float *a = p->a + matrix_of(shape, p->a_strides, batch) * p->M * p->K + m0 * p->K;
    const float *b = (const float *)p->call->inputs[1].data + matrix_of(shape, p->b_strides, batch) * p->N * p->K;
    float *c = (float *)p->call->outputs[0].data + (batch * p->M + m0) * p->N + n0;
    if (p->transpose_b) p->call->micro->gemm_nt(rows, columns, p->K, a, p->K, b + n0 * p->K, p->K, AM_F32, c, p->N);
    else p->call->micro->gemm_nn(rows, columns, p->K, a, p->K, b + n0, p->N, c, p->N, false);
}

static void work(void *context, int64_t begin, int64_t end)
{
    const problem *p = context;
    for (int64_t i = begin; i < end; i++) {
        int64_t blocks = p->row_blocks * p->column_blocks, within = i % blocks;
        block(p, i / blocks, within / p->column_blocks * ROWS, within % p->column_blocks * COLUMNS);
    }
}

/* [.., K, M] as [.., M, K]. */
static void transpose(const float *from, float *to, int64_t batches, int64_t M, int64_t K)
{
    for (int64_t b = 0; b < batches; b++) am_turn_matrix(from + b * K * M, M, to + b * K * M, K, K, M);
}

static am_status run_matmul(const am_kernel_call *call)
{
    const am_matmul_attributes *options = AM_ATTRIBUTES(am_matmul_attributes, call);
    am_shape a = call->inputs[0].shape, b = call->inputs[1].shape, batch = call->outputs[0].shape;
    problem p = {.call = call, .a = call->inputs[0].data, .transpose_b = options->transpose_b};
    p.M = batch.dims[batch.rank - 2], p.N = batch.dims[batch.rank - 1],
    p.K = a.dims[a.rank - (options->transpose_a ? 2 : 1)];
    if (options->transpose_a && p.M && p.K) {
        transpose(p.a, call->scratch, am_shape_count(&a) / (p.M * p.K), p.M, p.K);
        p.a = call->scratch;
    }
    a.rank -= 2, b.rank -= 2, batch.rank -= 2;
    am_shape_broadcast_strides(&a, &batch, p.a_strides);
    am_shape_broadcast_strides(&b, &batch, p.b_strides);
    p.row_blocks = (p.M + ROWS - 1) / ROWS, p.column_blocks = (p.N + COLUMNS - 1) / COLUMNS;
    am_parallel_for(am_shape_count(&batch) * p.row_blocks * p.column_blocks, 1, work, &p);
    return NULL;
}

static size_t scratch_bytes(const am_graph *graph, const am_node *node)
{
    const am_value_info *a = &graph->values[node->inputs[0].id];
    return ((const am_matmul_attributes *)node->attributes)->transpose_a ? am_tensor_bytes(AM_F32, &a->shape) : 0;
}

const am_kernel am_cpu_matmul = {.name = "matmul_f32",
                                 .op = AM_OP_MATMUL,
                                 .run = run_matmul,
                                 .supports = am_all_f32,
                                 .scratch_bytes = scratch_bytes};
