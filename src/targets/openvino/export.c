/* What OpenVINO writes of a compiled model does not always compute the same when it is read again, so it is tried. */
#include "base/memory.h"
#include "base/prng.h"
#include "targets/openvino/program.h"

#include <math.h>
#include <string.h>

/* The same library computes both. */
static const double allowed = 1e-3;

typedef struct trial {
    const am_graph *graph;
    void *expected, *found; /* programs */
    am_arena arena;
    am_tensor *inputs;
    void **expected_states, **found_states;
} trial;

/* Integers are 0: an index that everything has. */
static void *fill(trial *t, const am_value_info *info, uint64_t seed)
{
    void *data = am_arena_alloc(&t->arena, am_tensor_bytes(info->dtype, &info->shape) + 1);
    int64_t count = am_shape_count(&info->shape);
    for (int64_t i = 0; data && i < count; i++) {
        double u = am_uniform(seed, (uint64_t)i);
        if (info->dtype == AM_BOOL) am_store_int(info->dtype, data, i, u < 0.875);
        else if (am_dtype_is_float(info->dtype)) am_store_real(info->dtype, data, i, 2 * u - 1);
    }
    return data;
}

static am_status fill_all(trial *t)
{
    const am_graph *g = t->graph;
    t->inputs = am_arena_array(&t->arena, (size_t)g->input_count + 1, sizeof *t->inputs);
    t->expected_states = am_arena_array(&t->arena, (size_t)g->state_count + 1, sizeof *t->expected_states);
    t->found_states = am_arena_array(&t->arena, (size_t)g->state_count + 1, sizeof *t->found_states);
    if (!t->inputs || !t->expected_states || !t->found_states) return am_out_of_memory();
    for (int i = 0; i < g->input_count; i++) {
        const am_value_info *info = am_graph_value(g, g->inputs[i].value);
        t->inputs[i] = (am_tensor){info->dtype, info->shape, fill(t, info, (uint64_t)i)};
        if (!t->inputs[i].data) return am_out_of_memory();
    }
    for (int i = 0; i < g->state_count; i++) {
        const am_value_info *info = am_graph_value(g, g->states[i].value);
        t->expected_states[i] = fill(t, info, 1000000 + (uint64_t)i);
        t->found_states[i] = fill(t, info, 1000000 + (uint64_t)i);
        if (!t->expected_states[i] || !t->found_states[i]) return am_out_of_memory();
    }
    return NULL;
}

static double size_of(const am_tensor *x)
{
    double largest = 1;
    int64_t count = am_shape_count(&x->shape);
    for (int64_t i = 0; i < count; i++) {
        double size = fabs(am_load_real(x->dtype, x->data, i));
        if (size > largest && size < INFINITY) largest = size;
    }
    return largest;
}

static am_status compare(const char *name, const am_tensor *expected, const am_tensor *found)
{
    int64_t count = am_shape_count(&expected->shape);
    double tolerance = am_dtype_is_float(expected->dtype) ? allowed * size_of(expected) : 0;
    for (int64_t i = 0; i < count; i++) {
        double x = am_load_real(expected->dtype, expected->data, i), y = am_load_real(found->dtype, found->data, i);
        if (x == y || fabs(x - y) <= tolerance || (x != x && y != y)) continue;
        return am_error(AM_INTERNAL,
                        "openvino: what it wrote computes something else when it is read again: element "
                        "%lld of %s is %g, expected %g",
                        (long long)i, name, y, x);
    }
    return NULL;
}

static am_status try(trial *t)
{
    const am_graph *g = t->graph;
    AM_TRY(fill_all(t));
    AM_TRY(am_ov_run(t->expected, t->inputs, t->expected_states));
    AM_TRY(am_ov_run(t->found, t->inputs, t->found_states));
    for (int i = 0; i < g->output_count; i++) {
        am_tensor expected = am_ov_output(t->expected, i), found = am_ov_output(t->found, i);
        AM_TRY(compare(g->outputs[i].name, &expected, &found));
    }
    for (int i = 0; i < g->state_count; i++) {
        const am_value_info *info = am_graph_value(g, g->states[i].value);
        am_tensor expected = {info->dtype, info->shape, t->expected_states[i]};
        AM_TRY(compare(g->states[i].name, &expected, &(am_tensor){info->dtype, info->shape, t->found_states[i]}));
    }
    return NULL;
}

am_status am_ov_export(const void *program, am_buffer *out)
{
    trial t = {.graph = am_ov_graph(program), .expected = (void *)(uintptr_t)program};
    size_t before = out->length;
    AM_TRY(am_ov_write_program(program, out));
    size_t length = out->length - before;
    void *bytes = am_alloc_aligned(length);
    if (!bytes) return am_out_of_memory();
    memcpy(bytes, out->bytes + before, length);
    am_status status = am_ov_import(t.graph, am_ov_options(program), bytes, length, &t.found);
    if (!status) status = try(&t);
    am_ov_destroy(t.found);
    am_free_aligned(bytes);
    am_arena_deinit(&t.arena);
    return status;
}
