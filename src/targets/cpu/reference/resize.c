/* torch.nn.functional.interpolate: coordinates as in PyTorch's UpSample.h, one dimension after the other
   being a weighted sum of a few input elements, its taps. */
#include "targets/cpu/reference/resize.h"

#include "base/memory.h"
#include "targets/cpu/kernel.h"

#include <math.h>
#include <string.h>

typedef struct dimension {
    int64_t from, to;
    double scale; /* input elements per output element */
} dimension;

static int64_t clamp(int64_t x, int64_t low, int64_t high)
{
    return x < low ? low : x > high ? high : x;
}

static dimension dimension_of(const am_resize_attributes *a, int i, int64_t from)
{
    dimension d = {.from = from, .to = a->size.dims[i], .scale = 0};
    d.scale = a->scale[i] > 0 && !a->align_corners ? 1 / a->scale[i] : (double)from / (double)d.to;
    if (a->align_corners) d.scale = d.to > 1 ? (double)(from - 1) / (double)(d.to - 1) : 0;
    return d;
}

static void add_tap(am_resize_taps *t, int64_t i, int64_t index, double weight)
{
    int64_t at = i * t->limit + t->counts[i]++;
    t->indices[at] = index;
    t->weights[at] = weight;
}

static double source_place(const am_resize_attributes *a, const dimension *d, int64_t i)
{
    if (a->align_corners) return d->scale * (double)i;
    double place = d->scale * ((double)i + 0.5) - 0.5;
    return a->mode != AM_RESIZE_CUBIC && place < 0 ? 0 : place;
}

/* Keys' cubic convolution kernel. */
static double cubic(double x, double a)
{
    x = fabs(x);
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

static void linear_taps(const am_resize_attributes *a, const dimension *d, int64_t i, am_resize_taps *t)
{
    double place = d->from == d->to ? (double)i : source_place(a, d, i);
    int64_t low = clamp((int64_t)floor(place), 0, d->from - 1);
    double part = place - (double)low < 1 ? place - (double)low : 1;
    add_tap(t, i, low, 1 - part);
    add_tap(t, i, clamp(low + 1, 0, d->from - 1), part);
}

static void cubic_taps(const am_resize_attributes *a, const dimension *d, int64_t i, am_resize_taps *t)
{
    double place = source_place(a, d, i),
           low = floor(place) < (double)(d->from - 1) ? floor(place) : (double)(d->from - 1);
    double part = place - low < 1 ? place - low : 1;
    for (int k = -1; k <= 2; k++) add_tap(t, i, clamp((int64_t)low + k, 0, d->from - 1), cubic(part - k, -0.75));
}

static void antialias_taps(const am_resize_attributes *a, const dimension *d, int64_t i, am_resize_taps *t)
{
    bool is_cubic = a->mode == AM_RESIZE_CUBIC;
    if (d->from == d->to) {
        add_tap(t, i, i, 1);
        return;
    }
    double stretch = d->scale > 1 ? d->scale : 1, support = (is_cubic ? 2 : 1) * stretch,
           center = d->scale * ((double)i + 0.5), sum = 0;
    int64_t begin = clamp((int64_t)(center - support + 0.5), 0, d->from),
            end = clamp((int64_t)(center + support + 0.5), begin, d->from);
    if (end - begin > t->limit) end = begin + t->limit;
    for (int64_t k = begin; k < end; k++) {
        double x = ((double)k - center + 0.5) / stretch;
        double weight = is_cubic ? cubic(x, -0.5) : fabs(x) < 1 ? 1 - fabs(x) : 0;
        add_tap(t, i, k, weight);
        sum += weight;
    }
    for (int64_t k = 0; k < t->counts[i] && sum != 0; k++) t->weights[i * t->limit + k] /= sum;
}

static void area_taps(const dimension *d, int64_t i, am_resize_taps *t)
{
    int64_t begin = i * d->from / d->to, end = ((i + 1) * d->from + d->to - 1) / d->to;
    for (int64_t k = begin; k < end; k++) add_tap(t, i, k, 1 / (double)(end - begin));
}

static int64_t taps_limit(const am_resize_attributes *a, const dimension *d)
{
    int64_t ratio = (int64_t)fmin(ceil(d->scale), (double)d->from);
    if (a->antialias) return clamp((a->mode == AM_RESIZE_CUBIC ? 4 : 2) * (ratio < 1 ? 1 : ratio) + 1, 1, d->from);
    if (a->mode == AM_RESIZE_AREA) return clamp(d->from / d->to + 2, 1, d->from);
    return 4;
}

static am_status fill_taps(const am_resize_attributes *a, int axis, const dimension *d, am_resize_taps *t)
{
    size_t count;
    t->limit = taps_limit(a, d);
    if (!am_multiply_size((size_t)t->limit, (size_t)d->to, &count)) return am_out_of_memory();
    t->counts = am_alloc_zeroed((size_t)d->to, sizeof *t->counts);
    t->indices = am_alloc_zeroed(count, sizeof *t->indices);
    t->weights = am_alloc_zeroed(count, sizeof *t->weights);
    if (!t->counts || !t->indices || !t->weights) return am_out_of_memory();
    for (int64_t i = 0; i < d->to; i++) {
        if (a->antialias) antialias_taps(a, d, i, t);
        else if (a->mode == AM_RESIZE_LINEAR) linear_taps(a, d, i, t);
        else if (a->mode == AM_RESIZE_CUBIC) cubic_taps(a, d, i, t);
        else if (a->mode == AM_RESIZE_AREA) area_taps(d, i, t);
        else add_tap(t, i, am_resize_nearest_index(a, axis, d->from, i), 1);
    }
    return NULL;
}

/* Weighted sum over the taps of all dimensions from `i` on; `at` is the place reached in the outer ones. */
static double weighted(const am_tensor *x, const am_resize_taps *t, const int64_t *out, int i, int64_t at)
{
    double sum = 0;
    if (i == x->shape.rank - 2) return am_load_real(x->dtype, x->data, at);
    for (int64_t k = 0; k < t[i].counts[out[i]]; k++) {
        int64_t tap = out[i] * t[i].limit + k;
        sum += t[i].weights[tap] * weighted(x, t, out, i + 1, at * x->shape.dims[2 + i] + t[i].indices[tap]);
    }
    return sum;
}

static void resize_all(const am_kernel_call *call, bool copies, const am_resize_taps *t)
{
    const am_tensor *x = &call->inputs[0], *y = &call->outputs[0];
    size_t bytes = am_dtype_bytes(x->dtype);
    for (am_walk w = am_walk_begin(&y->shape); am_walk_more(&w); am_walk_next(&w)) {
        int64_t at = w.index[0] * x->shape.dims[1] + w.index[1];
        if (!copies) {
            am_store_real(y->dtype, y->data, w.flat, weighted(x, t, &w.index[2], 0, at));
            continue;
        }
        for (int i = 0; i < x->shape.rank - 2; i++)
            at = at * x->shape.dims[2 + i] + t[i].indices[w.index[2 + i] * t[i].limit];
        memcpy((char *)y->data + (size_t)w.flat * bytes, (const char *)x->data + (size_t)at * bytes, bytes);
    }
}

am_status am_resize_taps_make(const am_resize_attributes *a, const am_shape *x, am_resize_taps out[3])
{
    am_status status = NULL;
    memset(out, 0, 3 * sizeof *out);
    for (int i = 0; i < 3 && i < x->rank - 2 && !status; i++) {
        dimension d = dimension_of(a, i, x->dims[2 + i]);
        status = fill_taps(a, i, &d, &out[i]);
    }
    if (status) am_resize_taps_free(out);
    return status;
}

void am_resize_taps_free(am_resize_taps taps[3])
{
    for (int i = 0; i < 3; i++) {
        am_free(taps[i].counts);
        am_free(taps[i].indices);
        am_free(taps[i].weights);
    }
}

am_status am_reference_resize(const am_kernel_call *call)
{
    const am_resize_attributes *a = AM_ATTRIBUTES(am_resize_attributes, call);
    am_resize_taps t[3];
    AM_TRY(am_resize_taps_make(a, &call->inputs[0].shape, t));
    resize_all(call, a->mode == AM_RESIZE_NEAREST || a->mode == AM_RESIZE_NEAREST_EXACT, t);
    am_resize_taps_free(t);
    return NULL;
}
