#include "targets/cpu/kernel.h"

#include "graph/ops/window.h"

#include <math.h>

/* The places of one window along one dimension: begin, begin + step, ... below end, clipped to the input;
   `counted` is how many an average divides by, padding included when it counts. */
typedef struct span {
    int64_t begin, end, step, counted;
} span;

static span span_of(const am_kernel_call *call, int i, int64_t out)
{
    const am_pool_attributes *a = AM_ATTRIBUTES(am_pool_attributes, call);
    int64_t size = call->inputs[0].shape.dims[i + 2];
    if (a->adaptive.rank) {
        int64_t n = a->adaptive.dims[i], begin = out * size / n, end = ((out + 1) * size + n - 1) / n;
        return (span){begin, end, 1, end - begin};
    }
    int64_t dilation = am_window_number(&a->dilation, i, 1), after = am_window_number(&a->padding_after, i, 0);
    int64_t begin =
        out * am_window_number(&a->stride, i, a->kernel.dims[i]) - am_window_number(&a->padding_before, i, 0);
    int64_t end = begin + (a->kernel.dims[i] - 1) * dilation + 1, padded_end = end < size + after ? end : size + after;
    span s = {begin, end < size ? end : size, dilation, (padded_end - begin + dilation - 1) / dilation};
    while (s.begin < 0) s.begin += dilation;
    if (!a->count_padding) s.counted = s.begin < s.end ? (s.end - s.begin + dilation - 1) / dilation : 0;
    return s;
}

static double pool_one(const am_kernel_call *call, int64_t plane_at, const span s[3], const int64_t size[3])
{
    bool maximum = AM_ATTRIBUTES(am_pool_attributes, call)->fn == AM_POOL_MAX;
    const am_tensor *x = &call->inputs[0];
    double result = maximum ? -INFINITY : 0;
    for (int64_t i = s[0].begin; i < s[0].end; i += s[0].step)
        for (int64_t j = s[1].begin; j < s[1].end; j += s[1].step)
            for (int64_t k = s[2].begin; k < s[2].end; k += s[2].step) {
                double value = am_load_real(x->dtype, x->data, plane_at + (i * size[1] + j) * size[2] + k);
                result = maximum ? am_binary_real(AM_MAX, result, value) : result + value;
            }
    return maximum ? result : result / (double)(s[0].counted * s[1].counted * s[2].counted);
}

am_status am_reference_pool(const am_kernel_call *call)
{
    const am_tensor *x = &call->inputs[0], *y = &call->outputs[0];
    int spatial = x->shape.rank - 2;
    int64_t size[3] = {1, 1, 1}, plane = 1;
    for (int i = 0; i < spatial; i++) plane *= size[3 - spatial + i] = x->shape.dims[i + 2];
    for (am_walk w = am_walk_begin(&y->shape); am_walk_more(&w); am_walk_next(&w)) {
        span s[3] = {{0, 1, 1, 1}, {0, 1, 1, 1}, {0, 1, 1, 1}};
        for (int i = 0; i < spatial; i++) s[3 - spatial + i] = span_of(call, i, w.index[i + 2]);
        am_store_real(y->dtype, y->data, w.flat,
                      pool_one(call, (w.index[0] * x->shape.dims[1] + w.index[1]) * plane, s, size));
    }
    return NULL;
}
