#include "targets/cpu/kernel.h"

#include "graph/ops/window.h"

/* Three spatial dimensions always; missing ones have size 1. */
typedef struct geometry {
    int64_t size[3], kernel[3], out[3], stride[3], dilation[3], before[3];
} geometry;

static geometry geometry_of(const am_kernel_call *call)
{
    const am_convolution_attributes *a = AM_ATTRIBUTES(am_convolution_attributes, call);
    int spatial = call->inputs[0].shape.rank - 2;
    geometry g;
    for (int i = 0; i < 3; i++) {
        int from = i - (3 - spatial);
        bool real = from >= 0;
        g.size[i] = real ? call->inputs[0].shape.dims[from + 2] : 1;
        g.kernel[i] = real ? call->inputs[1].shape.dims[from + 2] : 1;
        g.out[i] = real ? call->outputs[0].shape.dims[from + 2] : 1;
        g.stride[i] = real ? am_window_number(&a->stride, from, 1) : 1;
        g.dilation[i] = real ? am_window_number(&a->dilation, from, 1) : 1;
        g.before[i] = real ? am_window_number(&a->padding_before, from, 0) : 0;
    }
    return g;
}

/* Sum over one channel's window: x_at is the channel's first element, w_at the kernel's. */
static double window_sum(const am_kernel_call *call, const geometry *g, const int64_t *o, int64_t x_at, int64_t w_at)
{
    const am_tensor *x = &call->inputs[0], *w = &call->inputs[1];
    am_shape kernel = am_shape_of(g->kernel[0], g->kernel[1], g->kernel[2]);
    double sum = 0;
    for (am_walk k = am_walk_begin(&kernel); am_walk_more(&k); am_walk_next(&k)) {
        int64_t at = 0;
        bool inside = true;
        for (int i = 0; i < 3; i++) {
            int64_t p = o[i] * g->stride[i] - g->before[i] + k.index[i] * g->dilation[i];
            inside = inside && p >= 0 && p < g->size[i];
            at = at * g->size[i] + p;
        }
        if (inside) sum += am_load_real(x->dtype, x->data, x_at + at) * am_load_real(w->dtype, w->data, w_at + k.flat);
    }
    return sum;
}

am_status am_reference_convolution(const am_kernel_call *call)
{
    const am_convolution_attributes *a = AM_ATTRIBUTES(am_convolution_attributes, call);
    const am_tensor *x = &call->inputs[0], *bias = &call->inputs[2], *y = &call->outputs[0];
    geometry g = geometry_of(call);
    int64_t C = x->shape.dims[1], O = y->shape.dims[1], groups = a->groups ? a->groups : 1, per_group = C / groups;
    int64_t x_size = g.size[0] * g.size[1] * g.size[2], w_size = g.kernel[0] * g.kernel[1] * g.kernel[2];
    am_shape places = am_shape_of(x->shape.dims[0], O, g.out[0], g.out[1], g.out[2]);
    for (am_walk w = am_walk_begin(&places); am_walk_more(&w); am_walk_next(&w)) {
        int64_t o = w.index[1], first = o / (O / groups) * per_group;
        double sum = call->input_count > 2 && bias->data ? am_load_real(bias->dtype, bias->data, o) : 0;
        for (int64_t c = 0; c < per_group; c++)
            sum +=
                window_sum(call, &g, &w.index[2], (w.index[0] * C + first + c) * x_size, (o * per_group + c) * w_size);
        am_store_real(y->dtype, y->data, w.flat, sum);
    }
    return NULL;
}
