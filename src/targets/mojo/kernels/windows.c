#include "targets/mojo/kernels/kernels.h"

#include "graph/ops/window.h"

/* POSITIONS and CHANNELS are those of windows.mojo. */
enum { POSITIONS = 64, CHANNELS = 128 };

/* As windows.mojo reads it. */
typedef struct geometry {
    int64_t size[3], kernel[3], places[3], stride[3], dilation[3], before[3], after[3];
} geometry;

typedef struct window_lists {
    const am_shape *stride, *dilation, *before, *after;
} window_lists;

/* Of `spatial` dimensions; size, kernel and places begin at the first of them. Without strides windows lie side by
   side. */
static geometry geometry_of(int spatial, const int64_t *size, const int64_t *kernel, const int64_t *places,
                            const window_lists *lists, bool side_by_side)
{
    geometry g;
    for (int i = 0; i < 3; i++) {
        int from = i - (3 - spatial);
        bool real = from >= 0;
        g.size[i] = real ? size[from] : 1;
        g.kernel[i] = real ? kernel[from] : 1;
        g.places[i] = real ? places[from] : 1;
        g.stride[i] = real ? am_window_number(lists->stride, from, side_by_side ? kernel[from] : 1) : 1;
        g.dilation[i] = real ? am_window_number(lists->dilation, from, 1) : 1;
        g.before[i] = real ? am_window_number(lists->before, from, 0) : 0;
        g.after[i] = real ? am_window_number(lists->after, from, 0) : 0;
    }
    return g;
}

static geometry convolution_geometry(const am_kernel_call *call)
{
    const am_convolution_attributes *a = AM_ATTRIBUTES(am_convolution_attributes, call);
    const am_shape *x = &call->inputs[0].shape;
    return geometry_of(x->rank - 2, &x->dims[2], &call->inputs[1].shape.dims[2], &call->outputs[0].shape.dims[2],
                       &(window_lists){&a->stride, &a->dilation, &a->padding_before, &a->padding_after}, false);
}

static am_status run_convolution(const am_kernel_call *call)
{
    const am_convolution_attributes *a = AM_ATTRIBUTES(am_convolution_attributes, call);
    geometry g = convolution_geometry(call);
    int64_t B = call->inputs[0].shape.dims[0], C = call->inputs[0].shape.dims[1], O = call->outputs[0].shape.dims[1];
    int64_t groups = a->groups ? a->groups : 1, positions = g.places[0] * g.places[1] * g.places[2];
    int64_t channel_blocks = (O / groups + CHANNELS - 1) / CHANNELS,
            position_blocks = (positions + POSITIONS - 1) / POSITIONS;
    const int64_t args[] = {am_mojo_address(call->inputs[0].data),
                            am_mojo_address(call->inputs[1].data),
                            am_mojo_address(call->inputs[2].data),
                            am_mojo_address(call->outputs[0].data),
                            C,
                            O,
                            groups,
                            channel_blocks,
                            position_blocks,
                            am_mojo_address(&g)};
    am_mojo_launch(AM_MOJO_CONVOLUTION, args, B * groups * channel_blocks * position_blocks, 1);
    return NULL;
}

static am_status run_conv_transpose(const am_kernel_call *call)
{
    const am_convolution_attributes *a = AM_ATTRIBUTES(am_convolution_attributes, call);
    geometry g = convolution_geometry(call);
    const int64_t args[] = {am_mojo_address(call->inputs[0].data),
                            am_mojo_address(call->inputs[1].data),
                            am_mojo_address(call->inputs[2].data),
                            am_mojo_address(call->outputs[0].data),
                            call->inputs[0].shape.dims[1],
                            call->outputs[0].shape.dims[1],
                            a->groups ? a->groups : 1,
                            am_mojo_address(&g)};
    am_mojo_launch(AM_MOJO_CONV_TRANSPOSE, args, am_shape_count(&call->outputs[0].shape), 16);
    return NULL;
}

static am_status run_pool(const am_kernel_call *call)
{
    const am_pool_attributes *a = AM_ATTRIBUTES(am_pool_attributes, call);
    const am_shape *x = &call->inputs[0].shape, *y = &call->outputs[0].shape;
    int64_t adaptive[3] = {1, 1, 1};
    bool is_adaptive = a->adaptive.rank > 0;
    for (int i = 0; i < a->adaptive.rank; i++) adaptive[3 - a->adaptive.rank + i] = a->adaptive.dims[i];
    geometry g = geometry_of(x->rank - 2, &x->dims[2], is_adaptive ? a->adaptive.dims : a->kernel.dims, &y->dims[2],
                             &(window_lists){&a->stride, &a->dilation, &a->padding_before, &a->padding_after}, true);
    const int64_t args[] = {am_mojo_address(call->inputs[0].data),
                            am_mojo_address(call->outputs[0].data),
                            a->fn == AM_POOL_AVERAGE,
                            a->count_padding,
                            am_mojo_address(is_adaptive ? adaptive : NULL),
                            am_mojo_address(&g)};
    if (am_shape_count(y)) am_mojo_launch(AM_MOJO_POOL, args, x->dims[0] * x->dims[1] * g.places[0] * g.places[1], 4);
    return NULL;
}

/* Windows of unfold and fold, over spatial sizes. */
static am_status unfold_geometry(const am_unfold_attributes *a, int spatial, const int64_t *sizes, geometry *out)
{
    int64_t places[3];
    for (int i = 0; i < spatial; i++) {
        am_window window = am_unfold_window(a, i, sizes[i]);
        AM_TRY(am_window_places(&window, &places[i]));
    }
    *out = geometry_of(spatial, sizes, a->kernel.dims, places,
                       &(window_lists){&a->stride, &a->dilation, &a->padding_before, &a->padding_after}, false);
    return NULL;
}

static am_status run_unfold(const am_kernel_call *call)
{
    const am_shape *x = &call->inputs[0].shape;
    geometry g;
    AM_TRY(unfold_geometry(AM_ATTRIBUTES(am_unfold_attributes, call), x->rank - 2, &x->dims[2], &g));
    const int64_t args[] = {(int64_t)am_dtype_bytes(call->inputs[0].dtype), am_mojo_address(call->inputs[0].data),
                            am_mojo_address(call->outputs[0].data), am_mojo_address(&g)};
    am_mojo_launch(AM_MOJO_UNFOLD, args, x->dims[0] * x->dims[1] * g.kernel[0] * g.kernel[1] * g.kernel[2], 1);
    return NULL;
}

static am_status run_fold(const am_kernel_call *call)
{
    const am_unfold_attributes *a = AM_ATTRIBUTES(am_unfold_attributes, call);
    const am_tensor *y = &call->outputs[0];
    geometry g, back;
    AM_TRY(unfold_geometry(a, a->output.rank, a->output.dims, &g));
    back = g;
    for (int i = 0; i < 3; i++) back.size[i] = g.places[i], back.places[i] = g.size[i];
    const int64_t args[] = {y->dtype, am_mojo_address(call->inputs[0].data), am_mojo_address(y->data),
                            am_mojo_address(&back)};
    am_mojo_launch(AM_MOJO_FOLD, args, am_shape_count(&y->shape), 64);
    return NULL;
}

static const char *refuses_fold(const am_graph *graph, const am_node *node)
{
    if (graph->values[node->first_output.id].dtype == AM_BOOL) return "sums numbers only";
    return am_mojo_refuses_f8(graph, node);
}

static const am_mojo_kernel
    convolution = {{.name = "convolution_mojo", .op = AM_OP_CONVOLUTION, .run = run_convolution},
                   am_mojo_refuses_all_but_f32},
    conv_transpose = {{.name = "conv_transpose_mojo", .op = AM_OP_CONV_TRANSPOSE, .run = run_conv_transpose},
                      am_mojo_refuses_all_but_f32},
    pool = {{.name = "pool_mojo", .op = AM_OP_POOL, .run = run_pool}, am_mojo_refuses_all_but_f32},
    unfold = {{.name = "unfold_mojo", .op = AM_OP_UNFOLD, .run = run_unfold}, NULL},
    fold = {{.name = "fold_mojo", .op = AM_OP_FOLD, .run = run_fold}, refuses_fold};

const am_mojo_kernel *const am_mojo_windows[] = {&convolution, &conv_transpose, &pool, &unfold, &fold, NULL};
