#include "graph/ops.h"
#include "graph/ops/window.h"
#include "targets/max/lower.h"

#include <math.h>

/* --- pool ---

   MAX 26.7 divides averages of windows that hang over the edge by other counts than torch, in ceil_mode too. So a pool
   is taken apart: the input is padded, and for each place of the kernel a strided slice of it is joined with the
   others; averages are multiplied by reciprocals of the counts that torch means. */

enum { KERNEL_LIMIT = 64 };

typedef struct pool_axis {
    int64_t kernel, stride, dilation, before, after, size, places;
} pool_axis;

/* The windows along spatial dimension i; false where an adaptive pool has windows of different sizes. */
static bool find_axis(const am_pool_attributes *a, int i, int64_t size, int64_t places, pool_axis *out)
{
    *out = (pool_axis){.size = size, .places = places, .dilation = 1};
    if (a->adaptive.rank) {
        out->kernel = out->stride = size / places;
        return size % places == 0;
    }
    out->kernel = a->kernel.dims[i];
    out->stride = am_window_number(&a->stride, i, out->kernel);
    out->dilation = am_window_number(&a->dilation, i, 1);
    out->before = am_window_number(&a->padding_before, i, 0);
    out->after = am_window_number(&a->padding_after, i, 0);
    return true;
}

static bool supports_pool(const am_graph *graph, const am_node *node, am_reason *why)
{
    AM_MX_ATTRIBUTES(am_pool_attributes);
    const am_shape *x = &am_node_in(graph, node, 0)->shape, *y = &am_node_out(graph, node)->shape;
    int64_t kernel = 1;
    if (am_node_in(graph, node, 0)->dtype != AM_F32) return am_reason_no(why, "max pools reals only");
    if (node->output_count > 1) return am_reason_no(why, "max pools without indices");
    for (int i = 0; i < x->rank - 2; i++) {
        pool_axis axis;
        if (!find_axis(a, i, x->dims[i + 2], y->dims[i + 2], &axis))
            return am_reason_no(why, "an adaptive pool with windows of different sizes");
        if (y->dims[i + 2] > 1 || a->fn == AM_POOL_MAX) kernel *= axis.kernel;
    }
    return kernel <= KERNEL_LIMIT || am_reason_no(why, "a pool over windows of %lld places", (long long)kernel);
}

/* How many places of window `place` an average divides by (see am_pool_attributes). */
static int64_t counted(const pool_axis *p, bool count_padding, int64_t place)
{
    int64_t begin = place * p->stride - p->before, count = 0;
    for (int64_t k = 0; k < p->kernel; k++) {
        int64_t at = begin + k * p->dilation;
        count += count_padding ? at < p->size + p->after : at >= 0 && at < p->size;
    }
    return count;
}

/* Pads one axis so that every window lies inside. */
static am_mx_value pad_axis(am_mlir *m, am_mx_value x, int axis, const pool_axis *p, double value)
{
    int64_t need = (p->places - 1) * p->stride + (p->kernel - 1) * p->dilation + 1, pads[2 * AM_RANK_LIMIT] = {0};
    int64_t after = need - p->before - p->size;
    am_shape shape = x.shape;
    if (after < 0) after = 0;
    if (p->before == 0 && after == 0) return x;
    pads[2 * axis] = p->before;
    pads[2 * axis + 1] = after;
    shape.dims[axis] += p->before + after;
    am_mx_value inputs[] = {x, am_mx_integers(m, pads, 2 * shape.rank), am_mx_scalar(m, AM_F32, value)};
    return am_mx_add(m, "rmo.mo.pad.constant", "", inputs, 3, AM_F32, shape);
}

/* Along one axis: largest or sum of each window; a sum over everything is a reduction. */
static am_mx_value pool_axis_of(am_mlir *m, am_mx_value x, int axis, const pool_axis *p, bool maximum)
{
    am_shape shape = x.shape;
    if (!maximum && p->places == 1 && p->kernel == p->size && p->before == 0) {
        shape.dims[axis] = 1;
        return am_mx_add1(m, "rmo.mo.reduce.add", am_mx_format(" [axis = %d]", axis).text, x, AM_F32, shape);
    }
    am_mx_value y = {0};
    x = pad_axis(m, x, axis, p, maximum ? -INFINITY : 0);
    for (int64_t k = 0; k < p->kernel; k++) {
        int64_t start = k * p->dilation, stop = start + (p->places - 1) * p->stride + 1;
        am_mx_value part = am_mx_slice(m, x, axis, start, stop, p->stride);
        if (k == 0) y = part;
        else y = maximum ? am_mx_extreme(m, true, y, part) : am_mx_binary(m, "rmo.add", y, part);
    }
    return y;
}

static am_mx_value divide_axis(am_mlir *m, am_mx_value x, int axis, const pool_axis *p, bool count_padding)
{
    am_shape shape = {.rank = x.shape.rank};
    for (int i = 0; i < shape.rank; i++) shape.dims[i] = i == axis ? p->places : 1;
    float *counts = am_mx_room(m, shape);
    for (int64_t i = 0; counts && i < p->places; i++) counts[i] = (float)counted(p, count_padding, i);
    return am_mx_binary(m, "rmo.div", x, am_mx_lent(m, AM_F32, shape, counts));
}

static void lower_pool(am_mlir *m, const am_node *node, am_mx_value *y)
{
    AM_MX_ATTRIBUTES(am_pool_attributes);
    const am_shape final = am_node_out(m->graph, node)->shape;
    bool maximum = a->fn == AM_POOL_MAX;
    am_mx_value x = am_mx_input(m, node, 0);
    for (int i = 2; i < final.rank; i++) {
        pool_axis p;
        (void)find_axis(a, i - 2, x.shape.dims[i], final.dims[i], &p);
        x = pool_axis_of(m, x, i, &p, maximum);
        if (!maximum) x = divide_axis(m, x, i, &p, a->count_padding && !a->adaptive.rank);
    }
    y[0] = x;
}

/* --- resize --- */

static bool supports_resize(const am_graph *graph, const am_node *node, am_reason *why)
{
    AM_MX_ATTRIBUTES(am_resize_attributes);
    if (am_node_in(graph, node, 0)->dtype != AM_F32) return am_reason_no(why, "max resizes reals only");
    if (a->antialias) return am_reason_no(why, "max smooths by another filter than torch's antialias");
    if (a->size.rank != 2) return am_reason_no(why, "max resizes images only");
    for (int i = 0; i < 3; i++)
        if (a->scale[i] != 0) return am_reason_no(why, "coordinates by a given scale");
    if (a->mode == AM_RESIZE_LINEAR || a->mode == AM_RESIZE_NEAREST) return true;
    if (a->mode == AM_RESIZE_CUBIC && !a->align_corners) return true;
    return am_reason_no(why, "max has no such resizing");
}

static void lower_resize(am_mlir *m, const am_node *node, am_mx_value *y)
{
    AM_MX_ATTRIBUTES(am_resize_attributes);
    am_mx_value x = am_mx_input(m, node, 0);
    const am_shape shape = am_node_out(m->graph, node)->shape;
    am_mx_value size = am_mx_integers(m, shape.dims, shape.rank);
    const char *form = "rmo.mo.resize.bicubic", *attributes = "";
    if (a->mode == AM_RESIZE_NEAREST) {
        form = "rmo.mo.resize.nearest";
        attributes = " [coordinate_transform_mode = #mo.coord_trans_mode<asymmetric>, round_mode = 2]";
    } else if (a->mode == AM_RESIZE_LINEAR) {
        form = "rmo.mo.resize.linear";
        attributes = a->align_corners
                         ? " [coordinate_transform_mode = #mo.coord_trans_mode<align_corners>, antialias = false]"
                         : " [coordinate_transform_mode = #mo.coord_trans_mode<half_pixel>, antialias = false]";
    }
    y[0] = am_mx_add2(m, form, attributes, x, size, AM_F32, shape);
}

const am_mx_lowering am_mx_windows[] = {
    {AM_OP_POOL, supports_pool, lower_pool},
    {AM_OP_RESIZE, supports_resize, lower_resize},
    {AM_OP_COUNT, NULL, NULL},
};
