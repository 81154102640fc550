#include "targets/cpu/kernels/kernels.h"

#include "base/threads.h"
#include "graph/ops/window.h"

#include <math.h>

/* The places of one window along one dimension: begin, begin + step, .. below end, all inside; `counted` is
 * how many an average divides by. */
typedef struct span {
    int64_t begin, end, step, counted;
} span;

/* Three spatial dimensions always; missing ones have size 1. */
typedef struct problem {
    const am_kernel_call *call;
    int64_t size[3], out[3];
} problem;

static span window_of(const am_pool_attributes *a, int i, int64_t size, int64_t out)
{
    int64_t dilation = am_window_number(&a->dilation, i, 1), after = am_window_number(&a->padding_after, i, 0);
    int64_t begin =
        out * am_window_number(&a->stride, i, a->kernel.dims[i]) - am_window_number(&a->padding_before, i, 0);
    int64_t end = begin + (a->kernel.dims[i] - 1) * dilation + 1, padded = end < size + after ? end : size + after;
    span s = {begin, end < size ? end : size, dilation, (padded - begin + dilation - 1) / dilation};
    if (s.begin < 0) s.begin += (dilation - 1 - s.begin) / dilation * dilation;
    if (!a->count_padding) s.counted = s.begin < s.end ? (s.end - s.begin + dilation - 1) / dilation : 0;
    return s;
}

/* Of spatial dimension `d` of three. */
static span span_of(const problem *p, int d, int64_t out)
{
    const am_pool_attributes *a = AM_ATTRIBUTES(am_pool_attributes, p->call);
    int i = d - (3 - (p->call->inputs[0].shape.rank - 2));
    if (i < 0) return (span){0, 1, 1, 1};
    if (!a->adaptive.rank) return window_of(a, i, p->size[d], out);
    int64_t n = a->adaptive.dims[i], begin = out * p->size[d] / n, end = ((out + 1) * p->size[d] + n - 1) / n;
    return (span){begin, end, 1, end - begin};
}

static float largest(const problem *p, const float *x, const span s[3])
{
    float best = -INFINITY;
    for (int64_t i = s[0].begin; i < s[0].end; i += s[0].step)
        for (int64_t j = s[1].begin; j < s[1].end; j += s[1].step)
            for (int64_t k = s[2].begin; k < s[2].end; k += s[2].step) {
                float value = x[(i * p->size[1] + j) * p->size[2] + k];
                if (value > best || value != value) best = value;
            }
    return best;
}

static float average(const problem *p, const float *x, const span s[3])
{
    double sum = 0;
    for (int64_t i = s[0].begin; i < s[0].end; i += s[0].step)
        for (int64_t j = s[1].begin; j < s[1].end; j += s[1].step)
            for (int64_t k = s[2].begin; k < s[2].end; k += s[2].step)
                sum += (double)x[(i * p->size[1] + j) * p->size[2] + k];
    return (float)(sum / (double)(s[0].counted * s[1].counted * s[2].counted));
}

/* Lines of the last spatial dimension of the result. */
static void pool_lines(void *context, int64_t begin, int64_t end)
{
    const problem *p = context;
    bool maximum = AM_ATTRIBUTES(am_pool_attributes, p->call)->fn == AM_POOL_MAX;
    for (int64_t line = begin; line < end; line++) {
        int64_t plane = line / (p->out[0] * p->out[1]);
        const float *x = (const float *)p->call->inputs[0].data + plane * p->size[0] * p->size[1] * p->size[2];
        float *y = (float *)p->call->outputs[0].data + line * p->out[2];
        span s[3] = {span_of(p, 0, line / p->out[1] % p->out[0]), span_of(p, 1, line % p->out[1])};
        for (int64_t k = 0; k < p->out[2]; k++) {
            s[2] = span_of(p, 2, k);
            y[k] = (maximum ? largest : average)(p, x, s);
        }
    }
}

static problem problem_of(const am_kernel_call *call)
{
    const am_shape *x = &call->inputs[0].shape, *y = &call->outputs[0].shape;
    problem p = {call, {1, 1, 1}, {1, 1, 1}};
    for (int i = 2; i < x->rank; i++) p.size[5 - x->rank + i - 2] = x->dims[i], p.out[5 - x->rank + i - 2] = y->dims[i];
    return p;
}

static am_status run_pool(const am_kernel_call *call)
{
    const am_shape *x = &call->inputs[0].shape;
    problem p = problem_of(call);
    if (am_shape_count(&call->outputs[0].shape))
        am_parallel_for(x->dims[0] * x->dims[1] * p.out[0] * p.out[1], 4, pool_lines, &p);
    return NULL;
}

/* --- with channels last: all channels of a place together --- */

/* So many sums at a time. */
enum { CHANNELS = 256 };

static void pool_place(const problem *p, const float *x, const span s[3], int64_t C, float *y)
{
    bool maximum = AM_ATTRIBUTES(am_pool_attributes, p->call)->fn == AM_POOL_MAX;
    double counted = (double)(s[0].counted * s[1].counted * s[2].counted), sums[CHANNELS];
    for (int64_t c0 = 0; c0 < C; c0 += CHANNELS) {
        int64_t n = C - c0 < CHANNELS ? C - c0 : CHANNELS;
        for (int64_t c = 0; c < n; c++) sums[c] = 0, y[c0 + c] = -INFINITY;
        for (int64_t i = s[0].begin; i < s[0].end; i += s[0].step)
            for (int64_t j = s[1].begin; j < s[1].end; j += s[1].step)
                for (int64_t k = s[2].begin; k < s[2].end; k += s[2].step) {
                    const float *from = x + ((i * p->size[1] + j) * p->size[2] + k) * C + c0;
                    if (maximum) p->call->micro->binary(AM_MAX, y + c0, false, from, false, y + c0, n);
                    else
                        for (int64_t c = 0; c < n; c++) sums[c] += (double)from[c];
                }
        for (int64_t c = 0; c < n && !maximum; c++) y[c0 + c] = (float)(sums[c] / counted);
    }
}

static void pool_rows(void *context, int64_t begin, int64_t end)
{
    const problem *p = context;
    int64_t C = p->call->inputs[0].shape.dims[1];
    for (int64_t row = begin; row < end; row++) {
        int64_t batch = row / (p->out[0] * p->out[1]);
        const float *x = (const float *)p->call->inputs[0].data + batch * p->size[0] * p->size[1] * p->size[2] * C;
        float *y = (float *)p->call->outputs[0].data + row * p->out[2] * C;
        span s[3] = {span_of(p, 0, row / p->out[1] % p->out[0]), span_of(p, 1, row % p->out[1])};
        for (int64_t k = 0; k < p->out[2]; k++, y += C) {
            s[2] = span_of(p, 2, k);
            pool_place(p, x, s, C, y);
        }
    }
}

static am_status run_last(const am_kernel_call *call)
{
    problem p = problem_of(call);
    if (am_shape_count(&call->outputs[0].shape))
        am_parallel_for(call->inputs[0].shape.dims[0] * p.out[0] * p.out[1], 1, pool_rows, &p);
    return NULL;
}

static const am_kernel pool_last = {.name = "pool_channels_last_f32",
                                    .op = AM_OP_POOL,
                                    .run = run_last,
                                    .supports = am_all_f32,
                                    .keeps_layout = am_every_node};

const am_kernel am_cpu_pool = {
    .name = "pool_f32", .op = AM_OP_POOL, .run = run_pool, .supports = am_all_f32, .channels_last = &pool_last};
