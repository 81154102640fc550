/* Transposed convolutions: what a place of x adds to the results around it are products with the weight, [taps of one
   output channel, places], which are then added up where they belong. */
#include "targets/cpu/kernels/kernels.h"

#include "base/threads.h"
#include "graph/ops/window.h"

/* Products that are made at a time: so many places of a line of x, so many taps. Where lines are cut depends on shapes
   alone, and so does the order in which a result's products are added. */
enum { PLACES = 256, TAPS = 32 };

typedef struct problem {
    const am_kernel_call *call;
    const float *weight;                /* [group, output channel, tap, input channel] */
    int64_t inputs, outs, taps, groups; /* inputs and outs: channels of a group */
    int64_t size[3], out[3], kernel[3], stride[3], dilation[3], before[3]; /* dimensions that are not there have 1 */
} problem;

static problem problem_of(const am_kernel_call *call)
{
    const am_convolution_attributes *a = AM_ATTRIBUTES(am_convolution_attributes, call);
    const am_shape *x = &call->inputs[0].shape, *w = &call->inputs[1].shape, *y = &call->outputs[0].shape;
    problem p = {.call = call, .groups = a->groups ? a->groups : 1, .taps = 1};
    p.inputs = x->dims[1] / p.groups, p.outs = w->dims[1];
    for (int d = 0; d < 3; d++) p.size[d] = p.out[d] = p.kernel[d] = p.stride[d] = p.dilation[d] = 1;
    for (int i = 0; i < x->rank - 2; i++) {
        int d = 3 - (x->rank - 2) + i;
        p.size[d] = x->dims[2 + i], p.out[d] = y->dims[2 + i], p.kernel[d] = w->dims[2 + i];
        p.stride[d] = am_window_number(&a->stride, i, 1), p.dilation[d] = am_window_number(&a->dilation, i, 1);
        p.before[d] = am_window_number(&a->padding_before, i, 0);
        p.taps *= p.kernel[d];
    }
    return p;
}

/* --- weights --- */

typedef struct packing {
    const float *weight; /* [groups * inputs, outs, taps] */
    float *packed;
    int64_t inputs, rows; /* rows: outs * taps */
} packing;

static void pack_rows(void *context, int64_t begin, int64_t end)
{
    const packing *p = context;
    for (int64_t i = begin; i < end; i++) {
        const float *from = p->weight + i / p->rows * p->inputs * p->rows + i % p->rows;
        for (int64_t c = 0; c < p->inputs; c++) p->packed[i * p->inputs + c] = from[c * p->rows];
    }
}

/* Knows the node and the weight alone. */
static void pack(const am_kernel_call *call, void *packed)
{
    const am_tensor *weight = &call->inputs[1];
    int64_t groups = AM_ATTRIBUTES(am_convolution_attributes, call)->groups, all = am_shape_count(&weight->shape);
    packing p = {.weight = weight->data, .packed = packed};
    p.inputs = weight->shape.dims[0] / (groups ? groups : 1);
    p.rows = weight->shape.dims[0] ? all / weight->shape.dims[0] : 0;
    if (all) am_parallel_for(all / p.inputs, 64, pack_rows, &p);
}

static size_t packed_bytes(const am_kernel_call *call)
{
    return (size_t)am_shape_count(&call->inputs[1].shape) * sizeof(float);
}

static size_t scratch_bytes(const am_graph *graph, const am_node *node)
{
    return (size_t)am_shape_count(&graph->values[node->inputs[1].id].shape) * sizeof(float);
}

/* --- products --- */

/* products[i] added to the results that place `first` + i of a line meets by a tap: result place * stride + shift. */
static void add_line(const float *products, int64_t first, int64_t count, int64_t stride, int64_t shift, float *y,
                     int64_t size)
{
    for (int64_t i = 0; i < count; i++) {
        int64_t at = (first + i) * stride + shift;
        if (at >= 0 && at < size) y[at] += products[i];
    }
}

/* Where the line of results begins that a line of x meets by tap `t`, in a plane of results; -1: outside of it. */
static int64_t line_of(const problem *p, const int64_t place[2], int64_t t)
{
    const int64_t k[] = {t / (p->kernel[1] * p->kernel[2]), t / p->kernel[2] % p->kernel[1]};
    int64_t at = 0;
    for (int d = 0; d < 2; d++) {
        int64_t to = place[d] * p->stride[d] + k[d] * p->dilation[d] - p->before[d];
        if (to < 0 || to >= p->out[d]) return -1;
        at = at * p->out[d] + to;
    }
    return at * p->out[2];
}

/* What a line of x, channels `plane` apart, adds to the plane y of the output channel whose rows `weight` are. */
static void add_products(const problem *p, const float *x, int64_t plane, const int64_t place[2], const float *weight,
                         float *y)
{
    float products[TAPS * PLACES];
    for (int64_t first = 0; first < p->size[2]; first += PLACES)
        for (int64_t t0 = 0; t0 < p->taps; t0 += TAPS) {
            int64_t count = p->size[2] - first < PLACES ? p->size[2] - first : PLACES,
                    taps = p->taps - t0 < TAPS ? p->taps - t0 : TAPS;
            p->call->micro->gemm_nn(taps, count, p->inputs, weight + t0 * p->inputs, p->inputs, x + first, plane,
                                    products, count, false);
            for (int64_t t = 0; t < taps; t++) {
                int64_t line = line_of(p, place, t0 + t), k = (t0 + t) % p->kernel[2];
                if (line < 0) continue;
                add_line(products + t * count, first, count, p->stride[2], k * p->dilation[2] - p->before[2], y + line,
                         p->out[2]);
            }
        }
}

static void compute_planes(void *context, int64_t begin, int64_t end)
{
    const problem *p = context;
    const am_tensor *bias = &p->call->inputs[2];
    int64_t channels = p->groups * p->outs, plane = p->size[0] * p->size[1] * p->size[2],
            results = p->out[0] * p->out[1] * p->out[2];
    for (int64_t i = begin; i < end; i++) {
        int64_t o = i % channels, group = o / p->outs;
        const float *x =
            (const float *)p->call->inputs[0].data + (i / channels * p->groups + group) * p->inputs * plane;
        float *y = (float *)p->call->outputs[0].data + i * results;
        float start = p->call->input_count > 2 && bias->data ? ((const float *)bias->data)[o] : 0;
        for (int64_t r = 0; r < results; r++) y[r] = start;
        for (int64_t line = 0; line < p->size[0] * p->size[1]; line++) {
            const int64_t place[] = {line / p->size[1], line % p->size[1]};
            add_products(p, x + line * p->size[2], plane, place, p->weight + o * p->taps * p->inputs, y);
        }
    }
}

static am_status run(const am_kernel_call *call)
{
    problem p = problem_of(call);
    p.weight = call->prepared ? call->prepared : call->scratch;
    if (!am_shape_count(&call->outputs[0].shape)) return NULL;
    if (!call->prepared) pack(call, call->scratch);
    am_parallel_for(call->inputs[0].shape.dims[0] * p.groups * p.outs, 1, compute_planes, &p);
    return NULL;
}

const am_kernel am_cpu_conv_transpose = {.name = "conv_transpose_f32",
                                         .op = AM_OP_CONV_TRANSPOSE,
                                         .run = run,
                                         .supports = am_all_f32,
                                         .scratch_bytes = scratch_bytes,
                                         .prepared_input = 1,
                                         .prepared_version = 1,
                                         .prepared_bytes = packed_bytes,
                                         .prepare = pack};
