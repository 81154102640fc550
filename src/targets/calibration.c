#include "targets/calibration.h"

#include "base/clock.h"
#include "base/memory.h"
#include "graph/ops.h"
#include "targets/kept.h"

#include <stdio.h>
#include <string.h>

enum { RUNS = 5 };

/* A linear of [rows, width] by a weight of [width, width], or (without width) an add of that many numbers. */
typedef struct problem {
    const char *name;
    int64_t rows, width;
} problem;

static const problem problems[AM_CALIBRATION_POINTS] = {{"linear 16x256x256", 16, 256},
                                                        {"linear 128x768x768", 128, 768},
                                                        {"add 16384", 16384, 0},
                                                        {"add 2097152", 2097152, 0}};

static double work_of(const problem *p)
{
    return p->width ? 2 * (double)p->rows * (double)p->width * (double)p->width
                    : 3 * (double)p->rows * (double)sizeof(float);
}

/* --- keeping --- */

static bool read(const char *text, am_calibration *out)
{
    for (int i = 0; i < AM_CALIBRATION_POINTS; i++) {
        am_calibration_point *point = &out->points[i];
        size_t length = strlen(problems[i].name);
        *point = (am_calibration_point){.name = problems[i].name, .work = work_of(&problems[i])};
        if (strncmp(text, point->name, length) != 0) return false;
        if (sscanf(text + length, " cpu %lf ms target %lf ms", &point->cpu_ms, &point->other_ms) != 2) return false;
        if (!(point->cpu_ms > 0) || !(point->other_ms > 0)) return false;
        text += strcspn(text, "\n");
        text += *text == '\n';
    }
    return true;
}

bool am_calibration_load(const am_target_pick *pick, const am_target_options *options, am_calibration *out)
{
    char name[AM_KEPT_NAME];
    am_buffer context = {0};
    am_kept_name("calibration", pick, name);
    if (!am_kept_exists(name)) return false;
    am_status status = am_kept_context(pick, options, &context);
    char *text = status ? NULL : am_kept_load(name, am_buffer_text(&context));
    bool good = text && read(text, out);
    am_free(text);
    am_status_free(status);
    am_buffer_deinit(&context);
    return good;
}

static void keep(const am_target_pick *pick, const am_target_options *options, const am_calibration *calibration)
{
    char name[AM_KEPT_NAME];
    am_buffer context = {0}, text = {0};
    am_kept_name("calibration", pick, name);
    for (int i = 0; i < AM_CALIBRATION_POINTS; i++) {
        const am_calibration_point *point = &calibration->points[i];
        am_buffer_printf(&text, "%s cpu %.6g ms target %.6g ms\n", point->name, point->cpu_ms, point->other_ms);
    }
    am_status status = am_kept_context(pick, options, &context);
    if (!status) am_kept_store(name, am_buffer_text(&context), am_buffer_text(&text));
    am_status_free(status);
    am_buffer_deinit(&context);
    am_buffer_deinit(&text);
}

/* --- measuring --- */

static am_status build(const problem *p, const float *numbers, am_graph **out)
{
    am_builder *b;
    AM_TRY(am_builder_create(&b));
    am_shape shape = p->width ? am_shape_of(p->rows, p->width) : am_shape_of(p->rows);
    am_value x = am_graph_input(b, "x", AM_F32, shape), y;
    if (p->width) {
        am_value weight = am_constant_lent(b, "weight", AM_F32, am_shape_of(p->width, p->width), numbers);
        y = am_linear_op(b, x, weight, AM_NONE, AM_NONE, &(am_linear_attributes){0});
    } else y = am_add(b, x, am_graph_input(b, "z", AM_F32, shape));
    am_output(b, "y", y);
    am_status status = am_builder_finish(b, out);
    am_builder_destroy(b);
    return status;
}

static am_status time_once(const am_target *target, void *program, const am_tensor *inputs, double *best)
{
    double begin = am_clock_ms();
    AM_TRY(target->run(program, inputs, NULL));
    double ms = am_clock_ms() - begin;
    if (*best == 0 || ms < *best) *best = ms;
    return NULL;
}

static bool is_cancelled(const am_target_options *options)
{
    return options->cancelled && atomic_load(options->cancelled);
}

/* The first run of each does not count. */
static am_status take_turns(const am_graph *graph, float *numbers, const am_target *const targets[2],
                            void *const programs[2], const am_target_options *options, double best[2])
{
    am_tensor inputs[2];
    for (int i = 0; i < graph->input_count; i++)
        inputs[i] = (am_tensor){AM_F32, am_graph_value(graph, graph->inputs[i].value)->shape, numbers};
    for (int run = 0; run <= RUNS; run++) {
        for (int k = 0; k < 2; k++) AM_TRY(time_once(targets[k], programs[k], inputs, &best[k]));
        if (run == 0) best[0] = best[1] = 0;
        if (is_cancelled(options)) return am_error(AM_INTERNAL, "cancelled");
    }
    return NULL;
}

static am_status measure_graph(const am_graph *graph, float *numbers, const am_target_pick *pick,
                               const am_target_options *options, am_calibration_point *out)
{
    const am_target *const targets[] = {am_target_find("cpu", 3), pick->target};
    am_target_options own = *options;
    void *programs[2] = {NULL, NULL};
    double best[2] = {0, 0};
    own.device = *pick->device ? pick->device : NULL;
    for (int i = 0; i < graph->node_count; i++)
        if (graph->nodes[i].input_count && !pick->target->supports(graph, &graph->nodes[i], NULL))
            return am_error(AM_UNSUPPORTED, "%s has no %s", pick->target->name, am_op_of(graph->nodes[i].op)->name);
    am_status status = targets[0]->create(graph, &(am_target_options){0}, &programs[0]);
    if (!status) status = targets[1]->create(graph, &own, &programs[1]);
    if (!status) status = take_turns(graph, numbers, targets, programs, options, best);
    for (int k = 0; k < 2; k++)
        if (programs[k]) targets[k]->destroy(programs[k]);
    out->cpu_ms = best[0];
    out->other_ms = best[1];
    return status;
}

static am_status measure(const problem *p, const am_target_pick *pick, const am_target_options *options,
                         am_calibration_point *out)
{
    am_graph *graph = NULL;
    size_t count = (size_t)(p->width ? p->rows * p->width + p->width * p->width : p->rows);
    float *numbers = am_alloc_aligned(count * sizeof *numbers);
    if (!numbers) return am_out_of_memory();
    for (size_t i = 0; i < count; i++) numbers[i] = 1.0f / (float)(1 + i % 13);
    *out = (am_calibration_point){.name = p->name, .work = work_of(p)};
    am_status status = build(p, numbers, &graph);
    if (!status) status = measure_graph(graph, numbers, pick, options, out);
    am_graph_destroy(graph);
    am_free_aligned(numbers);
    return status;
}

am_status am_calibration_measure(const am_target_pick *pick, const am_target_options *options, am_calibration *out)
{
    for (int i = 0; i < AM_CALIBRATION_POINTS; i++) AM_TRY(measure(&problems[i], pick, options, &out->points[i]));
    keep(pick, options, out);
    return NULL;
}

/* --- estimating --- */

/* A line through a small and a large point: ms of a unit of work, and what is left for no work at all. */
static double fit(const am_calibration_point *points, bool other, double *latency)
{
    double small = other ? points[0].other_ms : points[0].cpu_ms, large = other ? points[1].other_ms : points[1].cpu_ms;
    double slope = (large - small) / (points[1].work - points[0].work), left = small - slope * points[0].work;
    if (slope <= 0 || left < 0) { /* noise, or a cache that the small one fits in */
        slope = large / points[1].work;
        left = 0;
    }
    if (left < *latency) *latency = left;
    return slope;
}

static double estimate_ms(const am_calibration *c, bool other, const am_graph_work *work)
{
    double latency = 1e9, per_flop = fit(&c->points[0], other, &latency),
           per_byte = fit(&c->points[2], other, &latency);
    return latency + work->flops * per_flop + (work->weight_bytes + work->moved_bytes) * per_byte;
}

double am_calibration_ratio(const am_calibration *calibration, const am_graph_work *work)
{
    return estimate_ms(calibration, true, work) / estimate_ms(calibration, false, work);
}
