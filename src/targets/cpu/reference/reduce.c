#include "targets/cpu/kernel.h"

#include <math.h>

static double identity(int fn)
{
    switch (fn) {
    case AM_REDUCE_MAX:
        return -INFINITY;
    case AM_REDUCE_MIN:
        return INFINITY;
    case AM_REDUCE_PROD:
    case AM_REDUCE_ALL:
        return 1;
    default:
        return 0;
    }
}

static double join(int fn, double x, double y)
{
    switch (fn) {
    case AM_REDUCE_MAX:
        return am_binary_real(AM_MAX, x, y);
    case AM_REDUCE_MIN:
        return am_binary_real(AM_MIN, x, y);
    case AM_REDUCE_PROD:
        return x * y;
    case AM_REDUCE_ANY:
        return x != 0 || y != 0;
    case AM_REDUCE_ALL:
        return x != 0 && y != 0;
    default:
        return x + y;
    }
}

static int64_t join_int(int fn, int64_t x, int64_t y)
{
    switch (fn) {
    case AM_REDUCE_MAX:
        return x > y ? x : y;
    case AM_REDUCE_MIN:
        return x < y ? x : y;
    case AM_REDUCE_PROD:
        return am_binary_int(AM_MUL, x, y);
    default:
        return am_binary_int(AM_ADD, x, y);
    }
}

static int64_t identity_int(int fn)
{
    return fn == AM_REDUCE_MAX ? INT64_MIN : fn == AM_REDUCE_MIN ? INT64_MAX : fn == AM_REDUCE_PROD;
}

/* One output element: joins the inputs whose output offset is `place`, found by walking the reduced
 * dimensions. */
static void reduce_one(const am_kernel_call *call, const am_shape *reduced, const int64_t *strides, int64_t start,
                       int64_t place)
{
    int fn = AM_ATTRIBUTES(am_reduce_attributes, call)->fn;
    const am_tensor *x = &call->inputs[0], *y = &call->outputs[0];
    double real = identity(fn);
    int64_t integer = identity_int(fn), count = am_shape_count(reduced);
    for (am_walk w = am_walk_begin(reduced); am_walk_more(&w); am_walk_next(&w)) {
        int64_t at = start + am_walk_offset(&w, strides);
        if (am_dtype_is_integer(x->dtype)) integer = join_int(fn, integer, am_load_int(x->dtype, x->data, at));
        else real = join(fn, real, am_load_real(x->dtype, x->data, at));
    }
    if (am_dtype_is_integer(x->dtype)) am_store_int(y->dtype, y->data, place, integer);
    else am_store_real(y->dtype, y->data, place, fn == AM_REDUCE_MEAN ? real / (double)count : real);
}

am_status am_reference_reduce(const am_kernel_call *call)
{
    const am_reduce_attributes *a = AM_ATTRIBUTES(am_reduce_attributes, call);
    const am_shape *x = &call->inputs[0].shape;
    am_shape kept = {0}, reduced = {0};
    int64_t strides[AM_RANK_LIMIT], kept_strides[AM_RANK_LIMIT], reduced_strides[AM_RANK_LIMIT];
    am_shape_strides(x, strides);
    for (int i = 0, next = 0; i < x->rank; i++) {
        bool is_reduced = next < a->axes.rank && a->axes.dims[next] == i;
        am_shape *shape = is_reduced ? &reduced : &kept;
        (is_reduced ? reduced_strides : kept_strides)[shape->rank] = strides[i];
        shape->dims[shape->rank++] = x->dims[i];
        if (is_reduced) next++;
    }
    for (am_walk w = am_walk_begin(&kept); am_walk_more(&w); am_walk_next(&w))
        reduce_one(call, &reduced, reduced_strides, am_walk_offset(&w, kept_strides), w.flat);
    return NULL;
}
