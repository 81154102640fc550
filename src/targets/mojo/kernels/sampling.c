#include "targets/mojo/kernels/kernels.h"

#include "targets/cpu/reference/order.h"
#include "targets/cpu/reference/resize.h"

#include <math.h>

/* --- resize: what each place is made of is found here, as the reference finds it --- */

static am_status run_resize(const am_kernel_call *call)
{
    const am_tensor *x = &call->inputs[0], *y = &call->outputs[0];
    const int64_t one = 1, zero = 0;
    const double weight = 1;
    int spatial = x->shape.rank - 2;
    am_resize_taps taps[3];
    AM_TRY(am_resize_taps_make(AM_ATTRIBUTES(am_resize_attributes, call), &x->shape, taps));
    int64_t args[2 + 3 * 6] = {am_mojo_address(x->data), am_mojo_address(y->data)};
    for (int d = 0; d < 3; d++) {
        int i = d - (3 - spatial);
        int64_t *words = args + 2 + 6 * d;
        words[0] = i < 0 ? 1 : x->shape.dims[2 + i];
        words[1] = i < 0 ? 1 : y->shape.dims[2 + i];
        words[2] = i < 0 ? 1 : taps[i].limit;
        words[3] = am_mojo_address(i < 0 ? &one : taps[i].counts);
        words[4] = am_mojo_address(i < 0 ? &zero : taps[i].indices);
        words[5] = am_mojo_address(i < 0 ? &weight : taps[i].weights);
    }
    am_mojo_launch(AM_MOJO_RESIZE, args, am_shape_count(&y->shape), 64);
    am_resize_taps_free(taps);
    return NULL;
}

/* --- grid_sample --- */

static am_status run_grid_sample(const am_kernel_call *call)
{
    const am_grid_sample_attributes *a = AM_ATTRIBUTES(am_grid_sample_attributes, call);
    const am_tensor *x = &call->inputs[0], *y = &call->outputs[0];
    int64_t places = 1;
    for (int i = 2; i < y->shape.rank; i++) places *= y->shape.dims[i];
    const int64_t args[] = {am_mojo_address(x->data),
                            am_mojo_address(call->inputs[1].data),
                            am_mojo_address(y->data),
                            x->shape.rank - 2,
                            am_mojo_address(&x->shape.dims[2]),
                            x->shape.dims[1],
                            places,
                            a->mode,
                            a->padding,
                            a->align_corners};
    am_mojo_launch(AM_MOJO_GRID_SAMPLE, args, am_shape_count(&y->shape), 64);
    return NULL;
}

/* --- fourier --- */

static am_status run_fourier(const am_kernel_call *call)
{
    const am_fourier_attributes *a = AM_ATTRIBUTES(am_fourier_attributes, call);
    am_shape from = call->inputs[0].shape;
    double *table = call->scratch;
    if (!a->real_input) from.rank--;
    am_rows rows = am_rows_along(&from, a->axis);
    int64_t wanted = a->real_output ? a->length / 2 + 1 : a->length, count = call->outputs[0].shape.dims[a->axis];
    for (int64_t k = 0; k < a->length; k++) {
        table[2 * k] = cos(2 * 3.14159265358979323846 * (double)k / (double)a->length);
        table[2 * k + 1] = sin(2 * 3.14159265358979323846 * (double)k / (double)a->length);
    }
    const int64_t args[] = {am_mojo_address(call->inputs[0].data),
                            am_mojo_address(call->outputs[0].data),
                            rows.inner,
                            rows.size,
                            count,
                            rows.size < wanted ? rows.size : wanted,
                            a->length,
                            a->inverse,
                            a->real_input,
                            a->real_output,
                            am_mojo_address(table)};
    am_mojo_launch(AM_MOJO_FOURIER, args, rows.outer * count * rows.inner, 16);
    return NULL;
}

static size_t fourier_scratch(const am_graph *graph, const am_node *node)
{
    (void)graph;
    return (size_t)((const am_fourier_attributes *)node->attributes)->length * 2 * sizeof(double);
}

static const am_mojo_kernel
    resize = {{.name = "resize_mojo", .op = AM_OP_RESIZE, .run = run_resize}, am_mojo_refuses_all_but_f32},
    grid_sample = {{.name = "grid_sample_mojo", .op = AM_OP_GRID_SAMPLE, .run = run_grid_sample},
                   am_mojo_refuses_all_but_f32},
    fourier = {{.name = "fourier_mojo", .op = AM_OP_FOURIER, .run = run_fourier, .scratch_bytes = fourier_scratch},
               am_mojo_refuses_all_but_f32};

const am_mojo_kernel *const am_mojo_sampling[] = {&resize, &grid_sample, &fourier, NULL};
