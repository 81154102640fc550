#include "targets/fold.h"

#include "base/memory.h"
#include "graph/ops.h"
#include "targets/cpu/program.h"

bool *am_graph_find_fixed(const am_graph *graph)
{
    bool *fixed = am_alloc_zeroed((size_t)graph->value_count + 1, sizeof *fixed);
    for (int i = 0; i < graph->node_count && fixed; i++) {
        const am_node *node = &graph->nodes[i];
        bool all = node->op != AM_OP_INPUT;
        for (int k = 0; k < node->input_count; k++) all = all && (!node->inputs[k].id || fixed[node->inputs[k].id]);
        for (int k = 0; k < node->output_count; k++) fixed[node->first_output.id + k] = all;
    }
    return fixed;
}

typedef struct folding {
    const am_graph *graph;
    bool *fixed, *wanted; /* by value: depends on constants only; and somebody else reads it */
    am_value *map;        /* by value: in the graph that is being built */
    am_builder *builder;
} folding;

static void copy_node(folding *f, const am_node *node)
{
    am_value inputs[AM_INPUT_LIMIT] = {AM_NONE};
    for (int k = 0; k < node->input_count; k++) inputs[k] = f->map[node->inputs[k].id];
    am_copy_node(f->builder, f->graph, node, inputs, false, &f->map[node->first_output.id]);
}

static bool is_folded(const folding *f, const am_node *node)
{
    return f->fixed[node->first_output.id] && node->op != AM_OP_CONSTANT;
}

/* Marks the folded values that remain; gives how many. */
static int find_wanted(folding *f)
{
    const am_graph *g = f->graph;
    int count = 0;
    for (int i = 0; i < g->node_count; i++) {
        const am_node *node = &g->nodes[i];
        for (int k = 0; k < node->input_count && !f->fixed[node->first_output.id]; k++)
            f->wanted[node->inputs[k].id] = true;
    }
    for (int i = 0; i < g->output_count; i++) f->wanted[g->outputs[i].value.id] = true;
    for (int i = 0; i < g->state_count; i++) f->wanted[g->states[i].updated.id] = true;
    f->wanted[0] = false;
    for (int i = 0; i < g->node_count; i++)
        for (int k = 0; k < g->nodes[i].output_count; k++) {
            bool *wanted = &f->wanted[g->nodes[i].first_output.id + k];
            *wanted = *wanted && is_folded(f, &g->nodes[i]);
            count += *wanted;
        }
    return count;
}

/* The graph of what is folded, with what remains of it as outputs in the order of values. */
static void build_fixed(folding *f)
{
    const am_graph *g = f->graph;
    for (int i = 0; i < g->node_count; i++)
        if (f->fixed[g->nodes[i].first_output.id]) copy_node(f, &g->nodes[i]);
    for (int v = 1; v < g->value_count; v++)
        if (f->wanted[v]) am_output(f->builder, "folded", f->map[v]);
}

static void build_rest(folding *f, const am_cpu_program *program)
{
    const am_graph *g = f->graph;
    for (int v = 1, next = 0; v < g->value_count; v++) {
        if (!f->wanted[v]) continue;
        am_tensor tensor = am_cpu_program_output(program, next++);
        f->map[v] = am_constant_copy(f->builder, tensor.dtype, tensor.shape, tensor.data);
    }
    for (int i = 0; i < g->node_count; i++)
        if (!is_folded(f, &g->nodes[i])) copy_node(f, &g->nodes[i]);
    for (int i = 0; i < g->state_count; i++)
        if (g->states[i].updated.id)
            am_state_update(f->builder, f->map[g->states[i].value.id], f->map[g->states[i].updated.id]);
    for (int i = 0; i < g->output_count; i++) am_output(f->builder, g->outputs[i].name, f->map[g->outputs[i].value.id]);
}

static am_status finish(folding *f, am_graph **out)
{
    am_status status = am_builder_finish(f->builder, out);
    am_builder_destroy(f->builder);
    f->builder = NULL;
    return status;
}

static am_status fold(folding *f, am_graph **out)
{
    am_graph *fixed = NULL;
    am_cpu_program *program = NULL;
    am_status status = NULL;
    if (find_wanted(f)) {
        AM_TRY(am_builder_create(&f->builder));
        build_fixed(f);
        AM_TRY(finish(f, &fixed));
        status = am_cpu_program_create(fixed, NULL, &program);
        if (!status) status = am_cpu_program_run(program, NULL, NULL);
    }
    if (!status) status = am_builder_create(&f->builder);
    if (!status) build_rest(f, program);
    am_cpu_program_destroy(program);
    am_graph_destroy(fixed);
    return status ? status : finish(f, out);
}

am_status am_graph_fold(const am_graph *graph, am_graph **out)
{
    size_t values = (size_t)graph->value_count + 1;
    *out = NULL;
    folding f = {.graph = graph,
                 .fixed = am_graph_find_fixed(graph),
                 .wanted = am_alloc_zeroed(values, sizeof *f.wanted),
                 .map = am_alloc_zeroed(values, sizeof *f.map)};
    am_status status = f.fixed && f.wanted && f.map ? fold(&f, out) : am_out_of_memory();
    am_builder_destroy(f.builder);
    am_free(f.fixed);
    am_free(f.wanted);
    am_free(f.map);
    return status;
}
