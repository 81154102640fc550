#include "targets/cpu/kernel.h"

#include "base/memory.h"

#include <float.h>
#include <math.h>

enum { Q, K, V, MASK, BIAS, SINKS, OFFSET };

typedef struct problem {
    const am_kernel_call *call;
    const am_attention_attributes *options;
    int64_t B, T, H, D, S, G, E;
    int64_t first_position; /* of query 0 */
    int64_t keys;           /* that exist */
    int64_t mask_strides[AM_RANK_LIMIT], bias_strides[AM_RANK_LIMIT];
    double scale;
    double *scores; /* [keys] */
} problem;

static bool sees(const am_attention_attributes *a, int64_t i, int64_t j)
{
    if (a->causal && j > i) return false;
    if (!a->window) return true;
    return i - j < a->window && (a->causal || j - i < a->window);
}

static int64_t offset4(const int64_t *strides, int64_t b, int64_t h, int64_t t, int64_t s)
{
    return b * strides[0] + h * strides[1] + t * strides[2] + s * strides[3];
}

static double score(const problem *p, int64_t b, int64_t h, int64_t t, int64_t s)
{
    const am_tensor *in = p->call->inputs;
    int64_t q_at = ((b * p->T + t) * p->H + h) * p->D, k_at = ((b * p->S + s) * p->G + h / (p->H / p->G)) * p->D;
    double sum = 0;
    for (int64_t d = 0; d < p->D; d++)
        sum += am_load_real(in[Q].dtype, in[Q].data, q_at + d) * am_load_real(in[K].dtype, in[K].data, k_at + d);
    sum *= p->scale;
    if (p->options->soft_cap != 0) sum = p->options->soft_cap * tanh(sum / p->options->soft_cap);
    if (in[BIAS].data) sum += am_load_real(in[BIAS].dtype, in[BIAS].data, offset4(p->bias_strides, b, h, t, s));
    if (in[MASK].data && !am_load_int(AM_BOOL, in[MASK].data, offset4(p->mask_strides, b, h, t, s)))
        return -(double)FLT_MAX;
    return sees(p->options, p->first_position + t, s) ? sum : -(double)FLT_MAX;
}

static void attend(const problem *p, int64_t b, int64_t h, int64_t t)
{
    const am_tensor *in = p->call->inputs, *y = &p->call->outputs[0];
    double largest = in[SINKS].data ? am_load_real(in[SINKS].dtype, in[SINKS].data, h) : -INFINITY, total = 0;
    for (int64_t s = 0; s < p->keys; s++) largest = fmax(largest, p->scores[s] = score(p, b, h, t, s));
    for (int64_t s = 0; s < p->keys; s++) total += p->scores[s] = exp(p->scores[s] - largest);
    if (in[SINKS].data) total += exp(am_load_real(in[SINKS].dtype, in[SINKS].data, h) - largest);
    for (int64_t e = 0; e < p->E; e++) {
        double sum = 0;
        for (int64_t s = 0; s < p->keys; s++)
            sum += p->scores[s] / total *
                   am_load_real(in[V].dtype, in[V].data, ((b * p->S + s) * p->G + h / (p->H / p->G)) * p->E + e);
        am_store_real(y->dtype, y->data, ((b * p->T + t) * p->H + h) * p->E + e, sum);
    }
}

static am_status prepare(problem *p)
{
    const am_tensor *in = p->call->inputs;
    const am_shape *q = &in[Q].shape, *k = &in[K].shape;
    p->B = q->dims[0], p->T = q->dims[1], p->H = q->dims[2], p->D = q->dims[3];
    p->S = p->keys = k->dims[1], p->G = k->dims[2], p->E = in[V].shape.dims[3];
    p->first_position = p->S - p->T;
    p->scale = p->options->scale != 0 ? p->options->scale : 1 / sqrt((double)p->D);
    if (in[OFFSET].data) {
        p->first_position = am_load_int(AM_I32, in[OFFSET].data, 0);
        p->keys = p->first_position + p->T;
        if (p->first_position < 0 || p->keys > p->S)
            return am_error(AM_OUT_OF_RANGE, "positions %lld to %lld in a cache of %lld places",
                            (long long)p->first_position, (long long)p->keys - 1, (long long)p->S);
    }
    am_shape scores = am_shape_of(p->B, p->H, p->T, p->S);
    am_shape_broadcast_strides(&in[MASK].shape, &scores, p->mask_strides);
    am_shape_broadcast_strides(&in[BIAS].shape, &scores, p->bias_strides);
    p->scores = am_alloc((size_t)(p->keys ? p->keys : 1) * sizeof *p->scores);
    return p->scores ? NULL : am_out_of_memory();
}

am_status am_reference_attention(const am_kernel_call *call)
{
    problem p = {.call = call, .options = AM_ATTRIBUTES(am_attention_attributes, call)};
    AM_TRY(prepare(&p));
    for (int64_t b = 0; b < p.B; b++)
        for (int64_t t = 0; t < p.T; t++)
            for (int64_t h = 0; h < p.H; h++) attend(&p, b, h, t);
    am_free(p.scores);
    return NULL;
}
