/* Mamba's selective scan, so many channels at a time: their states are [n, channel], so that every sum over n goes on
   in lanes of its own. The other kinds are left to the reference. */
#include "targets/cpu/kernels/kernels.h"

#include "base/threads.h"

#include <string.h>

enum { LANES = 16, MOST_STATES = 256 };

typedef struct problem {
    const am_kernel_call *call;
    int64_t B, T, D, N, G, blocks; /* of the channels of a group */
    bool reverse;
} problem;

typedef float lanes[LANES];

/* The inputs of a block of channels, zeros in lanes that have none. */
static void load_lanes(const float *from, int64_t count, lanes to)
{
    memset(to, 0, sizeof(lanes));
    memcpy(to, from, (size_t)count * sizeof *to);
}

/* h = decay h + x b, y = sum of c h over n. */
static void advance(lanes *restrict h, lanes *restrict decay, const float *restrict x, const float *b, const float *c,
                    int64_t N, float *restrict y)
{
    lanes sum = {0};
    for (int64_t n = 0; n < N; n++)
        for (int i = 0; i < LANES; i++) {
            h[n][i] = decay[n][i] * h[n][i] + x[i] * b[n];
            sum[i] += c[n] * h[n][i];
        }
    memcpy(y, sum, sizeof sum);
}

static const float *input(const problem *p, int i)
{
    return p->call->inputs[i].data;
}

static void scan(const problem *p, int64_t batch, int64_t group, int64_t channel, int64_t count)
{
    lanes A[MOST_STATES] = {{0}}, h[MOST_STATES] = {{0}}, decay[MOST_STATES], x, delta, y;
    const float *h0 = input(p, 5) + (batch * p->D + channel) * p->N;
    float *end = (float *)p->call->outputs[1].data + (batch * p->D + channel) * p->N;
    for (int64_t i = 0; i < count; i++)
        for (int64_t n = 0; n < p->N; n++) {
            A[n][i] = input(p, 2)[(channel + i) * p->N + n];
            h[n][i] = h0[i * p->N + n];
        }
    for (int64_t t = 0; t < p->T; t++) {
        int64_t step = batch * p->T + (p->reverse ? p->T - 1 - t : t), at = step * p->D + channel;
        int64_t shared = (step * p->G + group) * p->N;
        load_lanes(input(p, 0) + at, count, x);
        load_lanes(input(p, 1) + at, count, delta);
        for (int64_t n = 0; n < p->N; n++)
            for (int i = 0; i < LANES; i++) decay[n][i] = delta[i] * A[n][i];
        p->call->micro->unary(AM_EXP, decay[0], decay[0], p->N * LANES);
        for (int i = 0; i < LANES; i++) x[i] *= delta[i];
        advance(h, decay, x, input(p, 3) + shared, input(p, 4) + shared, p->N, y);
        memcpy((float *)p->call->outputs[0].data + at, y, (size_t)count * sizeof *y);
    }
    for (int64_t i = 0; i < count; i++)
        for (int64_t n = 0; n < p->N; n++) end[i * p->N + n] = h[n][i];
}

static void work(void *context, int64_t begin, int64_t end)
{
    const problem *p = context;
    int64_t per_group = p->D / p->G;
    for (int64_t i = begin; i < end; i++) {
        int64_t block = i % p->blocks * LANES, group = i / p->blocks % p->G, left = per_group - block;
        scan(p, i / p->blocks / p->G, group, group * per_group + block, left < LANES ? left : LANES);
    }
}

static am_status run_recurrence(const am_kernel_call *call)
{
    const am_shape *x = &call->inputs[0].shape, *b = &call->inputs[3].shape;
    problem p = {.call = call,
                 .B = x->dims[0],
                 .T = x->dims[1],
                 .D = x->dims[2],
                 .N = call->inputs[2].shape.dims[1],
                 .G = b->rank == 4 ? b->dims[2] : 1,
                 .reverse = AM_ATTRIBUTES(am_recurrence_attributes, call)->reverse};
    if (!p.G) return NULL; /* no channels, then */
    p.blocks = (p.D / p.G + LANES - 1) / LANES;
    am_parallel_for(p.B * p.G * p.blocks, 1, work, &p);
    return NULL;
}

static bool supports(const am_graph *graph, const am_node *node)
{
    const am_recurrence_attributes *a = node->attributes;
    return a->kind == AM_RECURRENCE_SELECTIVE_SCAN && am_all_f32(graph, node) &&
           graph->values[node->inputs[2].id].shape.dims[1] <= MOST_STATES;
}

const am_kernel am_cpu_recurrence = {
    .name = "selective_scan_f32", .op = AM_OP_RECURRENCE, .run = run_recurrence, .supports = supports};
