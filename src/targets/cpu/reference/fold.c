#include "graph/ops/window.h"
#include "targets/cpu/kernel.h"

typedef struct problem {
    const am_tensor *x;
    int spatial;
    am_window windows[3];
    int64_t places[3];
    am_shape kernel;
} problem;

/* Place in a column row that covers output place `p` with kernel element `k`; -1: none. */
static int64_t column(const problem *q, const int64_t *p, const int64_t *k)
{
    int64_t at = 0;
    for (int i = 0; i < q->spatial; i++) {
        const am_window *w = &q->windows[i];
        int64_t from = p[i] + w->before - k[i] * w->dilation;
        if (from < 0 || from % w->stride || from / w->stride >= q->places[i]) return -1;
        at = at * q->places[i] + from / w->stride;
    }
    return at;
}

static void sum_windows(const problem *q, const int64_t *p, int64_t first_row, const am_tensor *y, int64_t to)
{
    int64_t columns = q->x->shape.dims[2], total = 0;
    bool real = am_dtype_is_float(y->dtype);
    double sum = 0;
    for (am_walk k = am_walk_begin(&q->kernel); am_walk_more(&k); am_walk_next(&k)) {
        int64_t at = column(q, p, k.index), from = (first_row + k.flat) * columns + at;
        if (at < 0) continue;
        if (real) sum += am_load_real(q->x->dtype, q->x->data, from);
        else total = am_binary_int(AM_ADD, total, am_load_int(q->x->dtype, q->x->data, from));
    }
    if (real) am_store_real(y->dtype, y->data, to, sum);
    else am_store_int(y->dtype, y->data, to, total);
}

am_status am_reference_fold(const am_kernel_call *call)
{
    const am_unfold_attributes *a = AM_ATTRIBUTES(am_unfold_attributes, call);
    const am_tensor *y = &call->outputs[0];
    problem q = {.x = &call->inputs[0], .spatial = a->output.rank, .kernel = a->kernel};
    for (int i = 0; i < q.spatial; i++) {
        q.windows[i] = am_unfold_window(a, i, a->output.dims[i]);
        AM_TRY(am_window_places(&q.windows[i], &q.places[i]));
    }
    for (am_walk w = am_walk_begin(&y->shape); am_walk_more(&w); am_walk_next(&w)) {
        int64_t first_row = (w.index[0] * y->shape.dims[1] + w.index[1]) * am_shape_count(&q.kernel);
        sum_windows(&q, &w.index[2], first_row, y, w.flat);
    }
    return NULL;
}
