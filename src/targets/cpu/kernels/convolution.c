#include "targets/cpu/kernels/kernels.h"

#include "base/threads.h"
#include "graph/ops/window.h"

/* A result block is weight: [channels, C k] times columns: [C k, POSITIONS], the columns being gathered DEPTH
 * at a time. */
enum { POSITIONS = 64, DEPTH = 256, CHANNELS = 64 };

/* Three spatial dimensions always; missing ones have size 1. */
typedef struct problem {
    const am_kernel_call *call;
    int64_t size[3], kernel[3], out[3], stride[3], dilation[3], before[3];
    int64_t C, O, groups, positions, depth, channel_blocks, position_blocks;
    bool direct; /* the columns are x itself */
} problem;

static void set_geometry(problem *p)
{
    const am_convolution_attributes *a = AM_ATTRIBUTES(am_convolution_attributes, p->call);
    int spatial = p->call->inputs[0].shape.rank - 2;
    p->positions = 1, p->direct = true;
    for (int i = 0; i < 3; i++) {
        int from = i - (3 - spatial);
        bool real = from >= 0;
        p->size[i] = real ? p->call->inputs[0].shape.dims[from + 2] : 1;
        p->kernel[i] = real ? p->call->inputs[1].shape.dims[from + 2] : 1;
        p->out[i] = real ? p->call->outputs[0].shape.dims[from + 2] : 1;
        p->stride[i] = real ? am_window_number(&a->stride, from, 1) : 1;
        p->dilation[i] = real ? am_window_number(&a->dilation, from, 1) : 1;
        p->before[i] = real ? am_window_number(&a->padding_before, from, 0) : 0;
        p->positions *= p->out[i];
        if (p->kernel[i] != 1 || p->stride[i] != 1 || p->size[i] != p->out[i]) p->direct = false;
        if (p->before[i] != 0) p->direct = false;
    }
}

/* One row of columns: element `tap` of the window of one channel, at positions p0..p0+count-1. */
static void gather_row(const problem *p, const float *plane, int64_t tap, int64_t p0, int64_t count, float *row)
{
    int64_t k[3] = {tap / (p->kernel[1] * p->kernel[2]), tap / p->kernel[2] % p->kernel[1], tap % p->kernel[2]};
    int64_t o[3] = {p0 / (p->out[1] * p->out[2]), p0 / p->out[2] % p->out[1], p0 % p->out[2]};
    for (int64_t i = 0; i < count;) {
        int64_t line = p->out[2] - o[2] < count - i ? p->out[2] - o[2] : count - i;
        int64_t z = o[0] * p->stride[0] - p->before[0] + k[0] * p->dilation[0];
        int64_t y = o[1] * p->stride[1] - p->before[1] + k[1] * p->dilation[1];
        int64_t x = o[2] * p->stride[2] - p->before[2] + k[2] * p->dilation[2];
        bool inside = z >= 0 && z < p->size[0] && y >= 0 && y < p->size[1];
        const float *from = inside ? plane + (z * p->size[1] + y) * p->size[2] : plane;
        for (int64_t n = 0; n < line; n++, x += p->stride[2])
            row[i + n] = inside && x >= 0 && x < p->size[2] ? from[x] : 0;
        i += line;
        o[2] = 0;
        if (++o[1] == p->out[1]) o[1] = 0, o[0]++;
    }
}

static void multiply(const problem *p, const float *weight, int64_t rows, const float *x, int64_t p0, int64_t count,
                     float *y)
{
    _Alignas(64) float columns[DEPTH * POSITIONS];
    int64_t taps = p->kernel[0] * p->kernel[1] * p->kernel[2], plane = p->size[0] * p->size[1] * p->size[2];
    const am_micro *micro = p->call->micro;
    if (p->direct) {
        micro->gemm_nn(rows, count, p->depth, weight, p->depth, x + p0, plane, y, p->positions, false);
        return;
    }
    for (int64_t d = 0; d < p->depth; d += DEPTH) {
        int64_t n = p->depth - d < DEPTH ? p->depth - d : DEPTH;
        for (int64_t i = 0; i < n; i++)
            gather_row(p, x + (d + i) / taps * plane, (d + i) % taps, p0, count, columns + i * POSITIONS);
        micro->gemm_nn(rows, count, n, weight + d, p->depth, columns, POSITIONS, y, p->positions, d > 0);
    }
}

static void work(void *context, int64_t begin, int64_t end)
{
    const problem *p = context;
    const float *weight = p->call->inputs[1].data, *bias = p->call->input_count > 2 ? p->call->inputs[2].data : NULL;
    int64_t per_group = p->O / p->groups, plane = p->size[0] * p->size[1] * p->size[2];
    for (int64_t i = begin; i < end; i++) {
        int64_t p0 = i % p->position_blocks * POSITIONS, rest = i / p->position_blocks;
        int64_t o0 = rest % p->channel_blocks * CHANNELS, group = rest / p->channel_blocks % p->groups;
        int64_t batch = rest / p->channel_blocks / p->groups;
        int64_t count = p->positions - p0 < POSITIONS ? p->positions - p0 : POSITIONS;
        int64_t rows = per_group - o0 < CHANNELS ? per_group - o0 : CHANNELS, first = group * per_group + o0;
        const float *x = (const float *)p->call->inputs[0].data + (batch * p->C + group * (p->C / p->groups)) * plane;
        float *y = (float *)p->call->outputs[0].data + (batch * p->O + first) * p->positions + p0;
        multiply(p, weight + first * p->depth, rows, x, p0, count, y);
        for (int64_t r = 0; bias && r < rows; r++)
            p->call->micro->scale(y + r * p->positions, 1, bias[first + r], y + r * p->positions, count);
    }
}

static am_status run_convolution(const am_kernel_call *call)
{
    const am_convolution_attributes *a = AM_ATTRIBUTES(am_convolution_attributes, call);
    problem p = {.call = call,
                 .C = call->inputs[0].shape.dims[1],
                 .O = call->outputs[0].shape.dims[1],
                 .groups = a->groups ? a->groups : 1};
    if (!am_shape_count(&call->outputs[0].shape)) return NULL;
    set_geometry(&p);
    p.depth = p.C / p.groups * p.kernel[0] * p.kernel[1] * p.kernel[2];
    p.channel_blocks = (p.O / p.groups + CHANNELS - 1) / CHANNELS,
    p.position_blocks = (p.positions + POSITIONS - 1) / POSITIONS;
    am_parallel_for(call->inputs[0].shape.dims[0] * p.groups * p.channel_blocks * p.position_blocks, 1, work, &p);
    return NULL;
}

static bool supports(const am_graph *graph, const am_node *node)
{
    return am_all_f32(graph, node) && am_shape_count(&graph->values[node->inputs[1].id].shape) > 0;
}

const am_kernel am_cpu_convolution = {
    .name = "convolution_f32", .op = AM_OP_CONVOLUTION, .run = run_convolution, .supports = supports};
