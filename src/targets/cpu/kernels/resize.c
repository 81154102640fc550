/* Resizing of images and volumes, a line of results after the other: the lines of x that it is made of are added up
   first, then elements along that line. */
#include "targets/cpu/kernels/kernels.h"

#include "base/threads.h"
#include "targets/cpu/reference/resize.h"

#include <string.h>

/* Lines of x up to so many elements are added up on the stack. */
enum { LINE = 4096, GRAIN = 4096 };

typedef struct problem {
    const float *x;
    float *y;
    int64_t size[3], out[3]; /* dimensions that are not there have 1 */
    am_resize_taps taps[3];
} problem;

/* The line of x at (depth, height) of a plane. */
static const float *line_at(const problem *p, int64_t plane, int64_t depth, int64_t height)
{
    return p->x + ((plane * p->size[0] + depth) * p->size[1] + height) * p->size[2];
}

static void add_line(float *sum, const float *line, float weight, int64_t count)
{
    for (int64_t i = 0; i < count; i++) sum[i] += weight * line[i];
}

/* The sum of lines of x that the results at (depth, height) are made of: a line of x itself, or in `sum`. */
static const float *sum_lines(const problem *p, int64_t plane, int64_t depth, int64_t height, float *sum)
{
    const am_resize_taps *d = &p->taps[0], *h = &p->taps[1];
    int64_t di = depth * d->limit, hi = height * h->limit;
    if (d->counts[depth] == 1 && h->counts[height] == 1 && d->weights[di] == 1 && h->weights[hi] == 1)
        return line_at(p, plane, d->indices[di], h->indices[hi]);
    memset(sum, 0, (size_t)p->size[2] * sizeof *sum);
    for (int64_t i = 0; i < d->counts[depth]; i++)
        for (int64_t k = 0; k < h->counts[height]; k++)
            add_line(sum, line_at(p, plane, d->indices[di + i], h->indices[hi + k]),
                     (float)(d->weights[di + i] * h->weights[hi + k]), p->size[2]);
    return sum;
}

static void blend(const float *line, const am_resize_taps *t, float *y, int64_t count)
{
    const int64_t *index = t->indices;
    const double *weight = t->weights;
    for (int64_t i = 0; i < count; i++, index += t->limit, weight += t->limit) {
        double sum = 0;
        for (int64_t k = 0; k < t->counts[i]; k++) sum += weight[k] * (double)line[index[k]];
        y[i] = (float)sum;
    }
}

static void compute_lines(void *context, int64_t begin, int64_t end)
{
    const problem *p = context;
    float sum[LINE];
    for (int64_t i = begin; i < end; i++) {
        int64_t height = i % p->out[1], depth = i / p->out[1] % p->out[0], plane = i / p->out[1] / p->out[0];
        blend(sum_lines(p, plane, depth, height, sum), &p->taps[2], p->y + i * p->out[2], p->out[2]);
    }
}

/* The taps of a dimension that is not there. */
static const am_resize_taps *nothing(void)
{
    static int64_t count = 1, index = 0;
    static double weight = 1;
    static const am_resize_taps taps = {.limit = 1, .counts = &count, .indices = &index, .weights = &weight};
    return &taps;
}

static am_status run(const am_kernel_call *call)
{
    const am_resize_attributes *a = AM_ATTRIBUTES(am_resize_attributes, call);
    const am_shape *x = &call->inputs[0].shape, *y = &call->outputs[0].shape;
    int missing = 3 - (x->rank - 2);
    am_resize_taps own[3];
    problem p = {.x = call->inputs[0].data, .y = call->outputs[0].data};
    if (!am_shape_count(y)) return NULL;
    AM_TRY(am_resize_taps_make(a, x, own));
    for (int i = 0; i < 3; i++) {
        p.size[i] = i < missing ? 1 : x->dims[2 + i - missing];
        p.out[i] = i < missing ? 1 : y->dims[2 + i - missing];
        p.taps[i] = i < missing ? *nothing() : own[i - missing];
    }
    am_parallel_for(x->dims[0] * x->dims[1] * p.out[0] * p.out[1], GRAIN / p.out[2] + 1, compute_lines, &p);
    am_resize_taps_free(own);
    return NULL;
}

static bool supports(const am_graph *graph, const am_node *node)
{
    const am_shape *x = &graph->values[node->inputs[0].id].shape;
    return am_all_f32(graph, node) && x->dims[x->rank - 1] <= LINE;
}

const am_kernel am_cpu_resize = {.name = "resize_f32", .op = AM_OP_RESIZE, .run = run, .supports = supports};
