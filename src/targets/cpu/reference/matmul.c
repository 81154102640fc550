#include "targets/cpu/kernel.h"

/* One matrix product: a at offset `a_at` with strides for (m, k), b with strides for (k, n). */
static void product(const am_kernel_call *call, int64_t a_at, int64_t b_at, int64_t c_at)
{
    const am_matmul_attributes *options = AM_ATTRIBUTES(am_matmul_attributes, call);
    const am_tensor *a = &call->inputs[0], *b = &call->inputs[1], *c = &call->outputs[0];
    int64_t M = c->shape.dims[c->shape.rank - 2], N = c->shape.dims[c->shape.rank - 1];
    int64_t K = a->shape.dims[a->shape.rank - (options->transpose_a ? 2 : 1)];
    int64_t a_m = options->transpose_a ? 1 : K, a_k = options->transpose_a ? M : 1;
    int64_t b_k = options->transpose_b ? 1 : N, b_n = options->transpose_b ? K : 1;
    for (int64_t m = 0; m < M; m++)
        for (int64_t n = 0; n < N; n++) {
            double sum = 0;
            for (int64_t k = 0; k < K; k++)
                sum += am_load_real(a->dtype, a->data, a_at + m * a_m + k * a_k) *
                       am_load_real(b->dtype, b->data, b_at + k * b_k + n * b_n);
            am_store_real(c->dtype, c->data, c_at + m * N + n, sum);
        }
}

am_status am_reference_matmul(const am_kernel_call *call)
{
    const am_tensor *a = &call->inputs[0], *b = &call->inputs[1], *c = &call->outputs[0];
    am_shape batch = c->shape, a_batch = a->shape, b_batch = b->shape;
    int64_t a_strides[AM_RANK_LIMIT], b_strides[AM_RANK_LIMIT];
    batch.rank -= 2, a_batch.rank -= 2, b_batch.rank -= 2;
    am_shape_broadcast_strides(&a_batch, &batch, a_strides);
    am_shape_broadcast_strides(&b_batch, &batch, b_strides);
    int64_t a_size = a->shape.dims[a_batch.rank] * a->shape.dims[a_batch.rank + 1];
    int64_t b_size = b->shape.dims[b_batch.rank] * b->shape.dims[b_batch.rank + 1];
    int64_t c_size = c->shape.dims[batch.rank] * c->shape.dims[batch.rank + 1];
    for (am_walk w = am_walk_begin(&batch); am_walk_more(&w); am_walk_next(&w))
        product(call, am_walk_offset(&w, a_strides) * a_size, am_walk_offset(&w, b_strides) * b_size, w.flat * c_size);
    return NULL;
}
