/* torch.nn.functional.grid_sample, after PyTorch's GridSampler.h. */
#include "targets/cpu/kernel.h"

#include <math.h>

typedef struct problem {
    const am_grid_sample_attributes *options;
    const am_tensor *x;
    int spatial;
    const int64_t *size; /* [spatial] */
} problem;

/* -1..1 as element numbers: the ends are the centres of the outer elements (align_corners) or their outer
   edges. */
static double unnormalize(double place, int64_t size, bool align_corners)
{
    return align_corners ? (place + 1) / 2 * (double)(size - 1) : ((place + 1) * (double)size - 1) / 2;
}

static double reflect(double place, double low, double high)
{
    double span = high - low;
    if (span <= 0) return 0;
    double distance = fabs(place - low), extra = fmod(distance, span);
    return fmod(floor(distance / span), 2) == 0 ? extra + low : high - extra;
}

/* A place brought inside as the padding says; what is no number goes to element 0. With zeros it stays,
   outside or not. */
static double pad(const problem *p, double place, int64_t size)
{
    if (p->options->padding == AM_PAD_CONSTANT) return place;
    if (p->options->padding == AM_PAD_REFLECT)
        place = p->options->align_corners ? reflect(place, 0, (double)(size - 1))
                                          : reflect(place, -0.5, (double)size - 0.5);
    if (!(place > 0)) return 0;
    return place < (double)(size - 1) ? place : (double)(size - 1);
}

/* Element at whole numbers, 0 outside. `at` is the channel's first element. */
static double element(const problem *p, int64_t at, const double *place)
{
    int64_t from = 0;
    for (int i = 0; i < p->spatial; i++) {
        if (!(place[i] >= 0 && place[i] <= (double)(p->size[i] - 1))) return 0;
        from = from * p->size[i] + (int64_t)place[i];
    }
    return am_load_real(p->x->dtype, p->x->data, at + from);
}

static double linear(const problem *p, int64_t at, const double *place)
{
    double sum = 0;
    for (int corner = 0; corner < 1 << p->spatial; corner++) {
        double weight = 1, corner_place[3];
        for (int i = 0; i < p->spatial; i++) {
            bool upper = corner >> i & 1;
            double low = floor(place[i]);
            corner_place[i] = upper ? low + 1 : low;
            weight *= upper ? place[i] - low : low + 1 - place[i];
        }
        sum += weight * element(p, at, corner_place);
    }
    return sum;
}

/* Weights of the elements at -1, 0, 1 and 2 from the one below a place that is `t` above it: Keys' kernel
   with a = -0.75. */
static void cubic_weights(double t, double weights[4])
{
    const double a = -0.75;
    for (int k = 0; k < 4; k++) {
        double x = k < 2 ? t + 1 - k : k - 1 - t;
        weights[k] = k == 1 || k == 2 ? ((a + 2) * x - (a + 3)) * x * x + 1 : ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
    }
}

/* Every one of the 4 x 4 elements is padded by itself. */
static double cubic(const problem *p, int64_t at, const double *place)
{
    double sum = 0, low[2] = {floor(place[0]), floor(place[1])}, weights[2][4];
    for (int i = 0; i < 2; i++) cubic_weights(place[i] - low[i], weights[i]);
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 4; k++) {
            double tap[2] = {pad(p, low[0] + i - 1, p->size[0]), pad(p, low[1] + k - 1, p->size[1])};
            sum += weights[0][i] * weights[1][k] * element(p, at, tap);
        }
    return sum;
}

static double sample(const problem *p, int64_t at, const double *place)
{
    if (p->options->mode == AM_RESIZE_CUBIC) return cubic(p, at, place);
    double padded[3];
    for (int i = 0; i < p->spatial; i++) {
        padded[i] = pad(p, place[i], p->size[i]);
        if (p->options->mode == AM_RESIZE_NEAREST) padded[i] = nearbyint(padded[i]);
    }
    return p->options->mode == AM_RESIZE_NEAREST ? element(p, at, padded) : linear(p, at, padded);
}

am_status am_reference_grid_sample(const am_kernel_call *call)
{
    const am_tensor *x = &call->inputs[0], *grid = &call->inputs[1], *y = &call->outputs[0];
    problem p = {AM_ATTRIBUTES(am_grid_sample_attributes, call), x, x->shape.rank - 2, &x->shape.dims[2]};
    int64_t channels = x->shape.dims[1], plane = 1, places = 1;
    for (int i = 0; i < p.spatial; i++) {
        plane *= p.size[i];
        places *= y->shape.dims[2 + i];
    }
    for (am_walk w = am_walk_begin(&y->shape); am_walk_more(&w); am_walk_next(&w)) {
        int64_t grid_at = (w.index[0] * places + w.flat % places) * p.spatial;
        double place[3];
        for (int i = 0; i < p.spatial; i++) /* the grid names the innermost dimension first */
            place[i] = unnormalize(am_load_real(grid->dtype, grid->data, grid_at + p.spatial - 1 - i), p.size[i],
                                   p.options->align_corners);
        am_store_real(y->dtype, y->data, w.flat, sample(&p, (w.index[0] * channels + w.index[1]) * plane, place));
    }
    return NULL;
}
