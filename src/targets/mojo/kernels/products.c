#include "targets/mojo/kernels/kernels.h"

/* COLUMNS is that of products.mojo. Rows of a block: enough that packing the other operand costs little beside. */
enum { COLUMNS = 64, ROWS = 144 };

/* Rows of a block of so many blocks of about the same size. */
static int64_t rows_of(int64_t M, int64_t *row_blocks)
{
    *row_blocks = (M + ROWS - 1) / ROWS;
    return *row_blocks ? (M + *row_blocks - 1) / *row_blocks : 0;
}

static am_status run_linear(const am_kernel_call *call)
{
    const am_linear_attributes *a = AM_ATTRIBUTES(am_linear_attributes, call);
    const am_tensor *w = &call->inputs[1];
    int64_t K = w->shape.dims[a->in_out ? 0 : 1], N = w->shape.dims[a->in_out ? 1 : 0], row_blocks;
    int64_t M = N ? am_shape_count(&call->outputs[0].shape) / N : 0, column_blocks = (N + COLUMNS - 1) / COLUMNS;
    int64_t rows = rows_of(M, &row_blocks);
    const int64_t args[] = {am_mojo_address(call->inputs[0].data),
                            am_mojo_address(w->data),
                            am_mojo_address(call->inputs[2].data),
                            am_mojo_address(call->inputs[3].data),
                            am_mojo_address(call->outputs[0].data),
                            M,
                            N,
                            K,
                            w->dtype,
                            a->in_out,
                            a->activation,
                            rows,
                            column_blocks,
                            am_mojo_address(call->prepared)};
    am_mojo_launch(AM_MOJO_LINEAR, args, row_blocks * column_blocks, 1);
    return NULL;
}

/* The weight in panels of as many columns as two vectors hold. */
static int64_t panels_of(int64_t N)
{
    int64_t width = 2 * am_mojo_vector_width();
    return (N + width - 1) / width;
}

static size_t packed_bytes(const am_kernel_call *call)
{
    const am_tensor *w = &call->inputs[1];
    bool in_out = AM_ATTRIBUTES(am_linear_attributes, call)->in_out;
    int64_t K = w->shape.dims[in_out ? 0 : 1], N = w->shape.dims[in_out ? 1 : 0];
    return (size_t)(panels_of(N) * 2 * am_mojo_vector_width() * K) * am_dtype_bytes(w->dtype);
}

static void pack(const am_kernel_call *call, void *packed)
{
    const am_tensor *w = &call->inputs[1];
    bool in_out = AM_ATTRIBUTES(am_linear_attributes, call)->in_out;
    int64_t K = w->shape.dims[in_out ? 0 : 1], N = w->shape.dims[in_out ? 1 : 0];
    const int64_t args[] = {am_mojo_address(w->data), am_mojo_address(packed), N, K, w->dtype, in_out};
    am_mojo_launch(AM_MOJO_PACK_LINEAR, args, panels_of(N), 4);
}

/* All but input `weight` in single precision, that one in a type of 16 bits too. */
static const char *refuses_beside(const am_graph *graph, const am_node *node, int weight)
{
    am_dtype w = graph->values[node->inputs[weight].id].dtype;
    for (int i = 0; i < node->input_count; i++) {
        am_dtype dtype = graph->values[node->inputs[i].id].dtype;
        if (i != weight && node->inputs[i].id && am_dtype_is_float(dtype) && dtype != AM_F32)
            return "works on f32 only, beside a weight of f32, bf16 or f16";
    }
    if (graph->values[node->first_output.id].dtype != AM_F32) return "gives f32 only";
    return w == AM_F32 || w == AM_BF16 || w == AM_F16 ? NULL : "takes a weight of f32, bf16 or f16 only";
}

static const char *refuses_linear(const am_graph *graph, const am_node *node)
{
    return refuses_beside(graph, node, 1);
}

/* --- matmul --- */

/* [.., K, M] as [.., M, K]. */
static void transpose(const float *from, float *to, int64_t batches, int64_t M, int64_t K)
{
    for (int64_t b = 0; b < batches; b++)
        for (int64_t m = 0; m < M; m++)
            for (int64_t k = 0; k < K; k++) to[(b * M + m) * K + k] = from[(b * K + k) * M + m];
}

static am_status run_matmul(const am_kernel_call *call)
{
    const am_matmul_attributes *options = AM_ATTRIBUTES(am_matmul_attributes, call);
    am_shape a = call->inputs[0].shape, b = call->inputs[1].shape, batch = call->outputs[0].shape;
    int64_t M = batch.dims[batch.rank - 2], N = batch.dims[batch.rank - 1],
            K = a.dims[a.rank - (options->transpose_a ? 2 : 1)];
    int64_t row_blocks, rows = rows_of(M, &row_blocks), column_blocks = (N + COLUMNS - 1) / COLUMNS;
    int64_t a_strides[AM_RANK_LIMIT], b_strides[AM_RANK_LIMIT];
    const void *first = call->inputs[0].data;
    bool is_f32 = call->inputs[0].dtype == AM_F32;
    if (options->transpose_a && is_f32 && M && K) {
        transpose(first, call->scratch, am_shape_count(&a) / (M * K), M, K);
        first = call->scratch;
    }
    a.rank -= 2, b.rank -= 2, batch.rank -= 2;
    am_shape_broadcast_strides(&a, &batch, a_strides);
    am_shape_broadcast_strides(&b, &batch, b_strides);
    const int64_t args[] = {am_mojo_address(first),
                            am_mojo_address(call->inputs[1].data),
                            am_mojo_address(call->outputs[0].data),
                            M,
                            N,
                            K,
                            options->transpose_b,
                            rows,
                            row_blocks,
                            column_blocks,
                            batch.rank,
                            am_mojo_address(batch.dims),
                            am_mojo_address(a_strides),
                            am_mojo_address(b_strides),
                            call->inputs[0].dtype,
                            options->transpose_a};
    if (is_f32) am_mojo_launch(AM_MOJO_MATMUL, args, am_shape_count(&batch) * row_blocks * column_blocks, 1);
    else am_mojo_launch(AM_MOJO_MATMUL_REALS, args, am_shape_count(&batch) * M, 1);
    return NULL;
}

static size_t matmul_scratch(const am_graph *graph, const am_node *node)
{
    const am_value_info *a = &graph->values[node->inputs[0].id];
    bool transposes = ((const am_matmul_attributes *)node->attributes)->transpose_a && a->dtype == AM_F32;
    return transposes ? am_tensor_bytes(AM_F32, &a->shape) : 0;
}

/* --- grouped_matmul --- */

static am_status run_grouped(const am_kernel_call *call)
{
    const am_tensor *x = &call->inputs[0], *experts = &call->inputs[1], *w = &call->inputs[2];
    int64_t items = am_shape_count(&experts->shape), expert;
    for (int64_t i = 0; i < items; i++) AM_TRY(am_read_index(experts, i, w->shape.dims[0], &expert));
    const int64_t args[] = {am_mojo_address(x->data),
                            am_mojo_address(experts->data),
                            am_mojo_address(w->data),
                            am_mojo_address(call->inputs[3].data),
                            am_mojo_address(call->outputs[0].data),
                            experts->shape.dims[1],
                            x->shape.rank == 3,
                            w->shape.dims[1],
                            w->shape.dims[2],
                            w->dtype,
                            experts->dtype};
    if (am_shape_count(&call->outputs[0].shape)) am_mojo_launch(AM_MOJO_GROUPED_MATMUL, args, items, 1);
    return NULL;
}

static const char *refuses_grouped(const am_graph *graph, const am_node *node)
{
    return refuses_beside(graph, node, 2);
}

static const am_mojo_kernel
    linear = {{.name = "linear_mojo",
               .op = AM_OP_LINEAR,
               .run = run_linear,
               .prepared_input = 1,
               .prepared_version = 1,
               .prepared_bytes = packed_bytes,
               .prepare = pack},
              refuses_linear},
    matmul = {{.name = "matmul_mojo", .op = AM_OP_MATMUL, .run = run_matmul, .scratch_bytes = matmul_scratch},
              am_mojo_refuses_f8_and_integers},
    grouped = {{.name = "grouped_matmul_mojo", .op = AM_OP_GROUPED_MATMUL, .run = run_grouped}, refuses_grouped};

const am_mojo_kernel *const am_mojo_products[] = {&linear, &matmul, &grouped, NULL};
