#include "graph/ops/window.h"
#include "targets/cpu/kernel.h"

/* Element p of a dimension gets input (p + before - dilation * k) / stride times kernel element k, where that
   is whole and inside. */
typedef struct geometry {
    int spatial;
    am_shape kernel;
    am_window windows[3];
} geometry;

static geometry geometry_of(const am_kernel_call *call)
{
    const am_convolution_attributes *a = AM_ATTRIBUTES(am_convolution_attributes, call);
    const am_shape *x = &call->inputs[0].shape;
    geometry g = {.spatial = x->rank - 2, .kernel.rank = x->rank - 2};
    for (int i = 0; i < g.spatial; i++) {
        g.kernel.dims[i] = call->inputs[1].shape.dims[2 + i];
        g.windows[i] = (am_window){.size = x->dims[2 + i],
                                   .stride = am_window_number(&a->stride, i, 1),
                                   .dilation = am_window_number(&a->dilation, i, 1),
                                   .before = am_window_number(&a->padding_before, i, 0)};
    }
    return g;
}

/* Row-major place in the input's channel that output place `p` reads with kernel element `k`; -1: none. */
static int64_t source(const geometry *g, const int64_t *p, const int64_t *k)
{
    int64_t at = 0;
    for (int i = 0; i < g->spatial; i++) {
        const am_window *w = &g->windows[i];
        int64_t from = p[i] + w->before - w->dilation * k[i];
        if (from < 0 || from % w->stride || from / w->stride >= w->size) return -1;
        at = at * w->size + from / w->stride;
    }
    return at;
}

/* x_at: the first element of the group's first channel, w_at: of that channel's kernel for this output
   channel. */
static double sum_of(const am_kernel_call *call, const geometry *g, const int64_t *p, int64_t channels, int64_t x_at,
                     int64_t w_at)
{
    const am_tensor *x = &call->inputs[0], *weight = &call->inputs[1];
    int64_t taps = am_shape_count(&g->kernel), plane = 1, w_step = weight->shape.dims[1] * taps;
    double sum = 0;
    for (int i = 0; i < g->spatial; i++) plane *= g->windows[i].size;
    for (am_walk k = am_walk_begin(&g->kernel); am_walk_more(&k); am_walk_next(&k)) {
        int64_t at = source(g, p, k.index);
        for (int64_t c = 0; at >= 0 && c < channels; c++)
            sum += am_load_real(x->dtype, x->data, x_at + c * plane + at) *
                   am_load_real(weight->dtype, weight->data, w_at + c * w_step + k.flat);
    }
    return sum;
}

am_status am_reference_conv_transpose(const am_kernel_call *call)
{
    const am_convolution_attributes *a = AM_ATTRIBUTES(am_convolution_attributes, call);
    const am_tensor *x = &call->inputs[0], *weight = &call->inputs[1], *bias = &call->inputs[2], *y = &call->outputs[0];
    geometry g = geometry_of(call);
    int64_t groups = a->groups ? a->groups : 1, channels = x->shape.dims[1] / groups, outs = weight->shape.dims[1];
    int64_t plane = 1, taps = am_shape_count(&g.kernel);
    for (int i = 0; i < g.spatial; i++) plane *= g.windows[i].size;
    for (am_walk w = am_walk_begin(&y->shape); am_walk_more(&w); am_walk_next(&w)) {
        int64_t o = w.index[1], first = o / outs * channels;
        double sum = call->input_count > 2 && bias->data ? am_load_real(bias->dtype, bias->data, o) : 0;
        sum += sum_of(call, &g, &w.index[2], channels, (w.index[0] * x->shape.dims[1] + first) * plane,
                      (first * outs + o % outs) * taps);
        am_store_real(y->dtype, y->data, w.flat, sum);
    }
    return NULL;
}
