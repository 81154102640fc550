/* Values with channels last as the graph says: [B, P, C] to [B, C, P], P being all places of a plane. */
#include "targets/cpu/kernels/kernels.h"

#include "base/threads.h"

enum { CHANNELS = 8, PLACES = 64 };

typedef struct copying {
    const float *from;
    float *to;
    int64_t C, P, blocks;
} copying;

static void copy_blocks(void *context, int64_t begin, int64_t end)
{
    const copying *job = context;
    for (int64_t block = begin; block < end; block++) {
        int64_t batch = block / job->blocks, c0 = block % job->blocks * CHANNELS;
        int64_t c1 = c0 + CHANNELS < job->C ? c0 + CHANNELS : job->C;
        const float *from = job->from + batch * job->C * job->P;
        float *to = job->to + batch * job->C * job->P;
        for (int64_t p0 = 0; p0 < job->P; p0 += PLACES) {
            int64_t p1 = p0 + PLACES < job->P ? p0 + PLACES : job->P;
            for (int64_t c = c0; c < c1; c++)
                for (int64_t p = p0; p < p1; p++) to[c * job->P + p] = from[p * job->C + c];
        }
    }
}

static am_status run_copy(const am_kernel_call *call)
{
    const am_shape *shape = &call->outputs[0].shape;
    int64_t B = shape->dims[0], C = shape->dims[1], P = 1;
    for (int i = 2; i < shape->rank; i++) P *= shape->dims[i];
    copying job = {call->inputs[0].data, call->outputs[0].data, C, P, (C + CHANNELS - 1) / CHANNELS};
    am_parallel_for(B * job.blocks, 1, copy_blocks, &job);
    return NULL;
}

const am_kernel am_cpu_channels_first = {.name = "channels_first_f32", .op = AM_OP_PERMUTE, .run = run_copy};
