#include "targets/max/verdict.h"

#include "base/memory.h"
#include "base/prng.h"
#include "graph/ops.h"
#include "targets/cpu/program.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Two ways of adding f32 differ far less; a wrong mask or index differs far more. */
static const double allowed = 1e-3;

enum { FILLS = 2, NO_LIMIT = 1 << 20, FREE_INTEGERS = 8 };

typedef struct trial {
    const am_graph *graph;
    const am_mx_runner *runner;
    am_arena arena;
    int64_t *limits; /* by value: what its elements are below, as an index or part of one */
    am_tensor *inputs;
    void **cpu_states, **max_states;
    double worst; /* how many times more than allowed */
    char *reason;
} trial;

/* --- which inputs are indices --- */

static bool find_index(const am_graph *g, const am_node *node, int *out_input, int64_t *out_limit)
{
    const am_shape *shape = node->input_count ? &am_graph_value(g, node->inputs[0])->shape : NULL;
    *out_input = 1;
    switch (node->op) {
    case AM_OP_GATHER:
        *out_limit = shape->dims[((const am_gather_attributes *)node->attributes)->axis];
        return true;
    case AM_OP_SCATTER:
        *out_limit = shape->dims[((const am_scatter_attributes *)node->attributes)->axis];
        return true;
    case AM_OP_EMBEDDING:
        *out_limit = shape->dims[0];
        return true;
    default:
        return false;
    }
}

/* Back to front, so that a limit reaches everything that an index is made of. */
static void find_limits(trial *t)
{
    const am_graph *g = t->graph;
    for (int v = 0; v < g->value_count; v++) t->limits[v] = NO_LIMIT;
    for (int i = g->node_count - 1; i >= 0; i--) {
        const am_node *node = &g->nodes[i];
        int index = -1;
        int64_t limit = NO_LIMIT, own = NO_LIMIT;
        (void)(find_index(g, node, &index, &limit) || (index = -1));
        for (int k = 0; k < node->output_count; k++)
            if (t->limits[node->first_output.id + k] < own) own = t->limits[node->first_output.id + k];
        for (int k = 0; k < node->input_count; k++) {
            int64_t *there = &t->limits[node->inputs[k].id];
            if (am_dtype_is_integer(am_graph_value(g, node->inputs[k])->dtype) && own < *there) *there = own;
            if (k == index && limit < *there) *there = limit;
        }
    }
}

/* --- filling --- */

static void fill(const trial *t, am_value v, am_tensor tensor, uint64_t seed, int shrink)
{
    int64_t count = am_shape_count(&tensor.shape), limit = t->limits[v.id];
    if (limit == NO_LIMIT) limit = FREE_INTEGERS;
    limit = limit >> shrink > 1 ? limit >> shrink : 1;
    for (int64_t i = 0; i < count; i++) {
        double u = am_uniform(seed, (uint64_t)i);
        if (tensor.dtype == AM_BOOL) am_store_int(tensor.dtype, tensor.data, i, u < 0.875);
        else if (am_dtype_is_float(tensor.dtype)) am_store_real(tensor.dtype, tensor.data, i, 2 * u - 1);
        else am_store_int(tensor.dtype, tensor.data, i, (int64_t)(u * (double)limit));
    }
}

static void fill_all(const trial *t, int round, int shrink)
{
    const am_graph *g = t->graph;
    for (int i = 0; i < g->input_count; i++)
        fill(t, g->inputs[i].value, t->inputs[i], am_splitmix((uint64_t)round, (uint64_t)i), shrink);
    for (int i = 0; i < g->state_count; i++) {
        const am_value_info *info = am_graph_value(g, g->states[i].value);
        am_tensor state = {info->dtype, info->shape, t->cpu_states[i]};
        fill(t, g->states[i].value, state, am_splitmix((uint64_t)round, 1000000 + (uint64_t)i), shrink);
        memcpy(t->max_states[i], t->cpu_states[i], am_tensor_bytes(info->dtype, &info->shape));
    }
}

static am_status prepare(trial *t)
{
    const am_graph *g = t->graph;
    t->limits = am_arena_array(&t->arena, (size_t)g->value_count + 1, sizeof *t->limits);
    t->inputs = am_arena_array(&t->arena, (size_t)g->input_count + 1, sizeof *t->inputs);
    t->cpu_states = am_arena_array(&t->arena, (size_t)g->state_count + 1, sizeof *t->cpu_states);
    t->max_states = am_arena_array(&t->arena, (size_t)g->state_count + 1, sizeof *t->max_states);
    bool enough = t->limits && t->inputs && t->cpu_states && t->max_states;
    for (int i = 0; enough && i < g->input_count; i++) {
        const am_value_info *info = am_graph_value(g, g->inputs[i].value);
        t->inputs[i] = (am_tensor){info->dtype, info->shape, NULL};
        t->inputs[i].data = am_arena_alloc(&t->arena, am_tensor_bytes(info->dtype, &info->shape) + 1);
        enough = t->inputs[i].data != NULL;
    }
    for (int i = 0; enough && i < g->state_count; i++) {
        const am_value_info *info = am_graph_value(g, g->states[i].value);
        size_t bytes = am_tensor_bytes(info->dtype, &info->shape);
        t->cpu_states[i] = am_arena_alloc(&t->arena, bytes + 1);
        t->max_states[i] = am_arena_alloc(&t->arena, bytes + 1);
        enough = t->cpu_states[i] && t->max_states[i];
    }
    if (!enough) return am_out_of_memory();
    find_limits(t);
    return NULL;
}

/* --- comparing --- */

static double rms_of(const am_tensor *x)
{
    int64_t count = am_shape_count(&x->shape), finite = 0;
    double sum = 0;
    for (int64_t i = 0; i < count; i++) {
        double value = am_load_real(x->dtype, x->data, i);
        if (!(fabs(value) < 1e30)) continue;
        sum += value * value;
        finite++;
    }
    return finite ? sqrt(sum / (double)finite) : 0;
}

/* How many times more than allowed an element is off; integers must be equal. */
static double excess(double expected, double found, double tolerance)
{
    if (expected != expected || found != found) return (expected != expected) != (found != found) ? INFINITY : 0;
    if (expected == found) return 0;
    double difference = fabs(expected - found);
    return tolerance > 0 ? difference / tolerance : INFINITY;
}

static void compare(trial *t, const char *kind, const char *name, const am_tensor *expected, const am_tensor *found)
{
    int64_t count = am_shape_count(&expected->shape);
    bool reals = am_dtype_is_float(expected->dtype);
    double scale = reals ? rms_of(expected) : 0;
    for (int64_t i = 0; i < count; i++) {
        double e = am_load_real(expected->dtype, expected->data, i), f = am_load_real(found->dtype, found->data, i);
        double times = excess(e, f, reals ? allowed * (scale + fabs(e)) + 1e-6 : 0);
        if (!(times > t->worst)) continue;
        t->worst = times;
        snprintf(t->reason, AM_MX_REASON, "element %lld of %s %.80s is %.9g on the cpu and %.9g by max", (long long)i,
                 kind, name, e, f);
    }
}

static void compare_all(trial *t, const am_cpu_program *cpu)
{
    const am_graph *g = t->graph;
    for (int i = 0; i < g->output_count; i++) {
        am_tensor expected = am_cpu_program_output(cpu, i), found = t->runner->output(t->runner->program, i);
        compare(t, "output", g->outputs[i].name, &expected, &found);
    }
    for (int i = 0; i < g->state_count; i++) {
        const am_value_info *info = am_graph_value(g, g->states[i].value);
        am_tensor expected = {info->dtype, info->shape, t->cpu_states[i]};
        am_tensor found = {info->dtype, info->shape, t->max_states[i]};
        compare(t, "state", g->states[i].name, &expected, &found);
    }
}

/* --- running --- */

/* On the cpu, with smaller and smaller integers as long as an index is out of its range. */
static am_status run_cpu(trial *t, am_cpu_program *cpu, int round)
{
    for (int shrink = 0;; shrink += 2) {
        fill_all(t, round, shrink);
        am_status status = am_cpu_program_run(cpu, t->inputs, t->cpu_states);
        if (!status || am_status_code(status) != AM_OUT_OF_RANGE || shrink > 20) return status;
        am_status_free(status);
    }
}

/* The states that the cpu began with, for MAX: run_cpu has changed those of the cpu only. */
static am_status try_one(trial *t, am_cpu_program *cpu, int round)
{
    AM_TRY(run_cpu(t, cpu, round));
    AM_TRY(t->runner->run(t->runner->program, t->inputs, t->max_states));
    compare_all(t, cpu);
    return NULL;
}

am_status am_mx_judge(const am_graph *graph, const am_mx_runner *runner, am_mx_verdict *out, char reason[AM_MX_REASON])
{
    am_cpu_program *cpu = NULL;
    trial t = {.graph = graph, .runner = runner, .worst = 1, .reason = reason};
    *out = AM_MX_UNKNOWN;
    reason[0] = 0;
    am_status status = prepare(&t);
    if (!status) status = am_cpu_program_create(graph, NULL, &cpu);
    for (int round = 1; !status && round <= FILLS; round++) status = try_one(&t, cpu, round);
    am_cpu_program_destroy(cpu);
    am_arena_deinit(&t.arena);
    if (!status) *out = t.worst > 1 ? AM_MX_WRONG : AM_MX_RIGHT;
    return status;
}
