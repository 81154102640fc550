/* Values with channels last as the graph says: [B, P, C] to [B, C, P], P being all places of a plane. */
#include "targets/cpu/kernels/kernels.h"

#include "base/threads.h"
#include "targets/cpu/kernels/turn.h"

enum { CHANNELS = 16 };

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
        int64_t first = batch * job->C * job->P;
        am_turn_matrix(job->from + first + c0, job->C, job->to + first + c0 * job->P, job->P, job->P, c1 - c0);
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
