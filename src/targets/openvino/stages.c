#include "targets/openvino/stages.h"

#include "graph/ops.h"

typedef struct finding {
    const am_graph *graph;
    am_ov_stages *out;
    am_arena *arena;
    int *readers; /* by value: nodes and ends that read it */
    int *ready;   /* by value: the first stage that can read it */
    bool *leaves; /* by value: read outside its stage */
} finding;

static bool is_source(const am_node *node)
{
    return node->op == AM_OP_INPUT || node->op == AM_OP_CONSTANT;
}

static void count_readers(finding *f)
{
    const am_graph *g = f->graph;
    for (int i = 0; i < g->node_count; i++)
        for (int k = 0; k < g->nodes[i].input_count; k++) f->readers[g->nodes[i].inputs[k].id]++;
    for (int i = 0; i < g->output_count; i++) f->readers[g->outputs[i].value.id] += 2; /* more than a stage gives */
    for (int i = 0; i < g->state_count; i++) f->readers[g->states[i].updated.id]++;
}

/* The updated value may be read by any node, but must be no output and no other state's. */
static bool is_in_place(const finding *f, const am_graph_state *state)
{
    const am_graph *g = f->graph;
    const am_node *node = state->updated.id ? am_graph_producer(g, state->updated) : NULL;
    if (!node || node->op != AM_OP_SCATTER || node->inputs[0].id != state->value.id) return false;
    const am_scatter_attributes *a = node->attributes;
    if (a->elementwise || a->fn != AM_SCATTER_SET || f->readers[state->value.id] != 1) return false;
    for (int i = 0; i < g->output_count; i++)
        if (g->outputs[i].value.id == state->updated.id) return false;
    for (int i = 0; i < g->state_count; i++)
        if (&g->states[i] != state && g->states[i].updated.id == state->updated.id) return false;
    return true;
}

static void find_writes(finding *f)
{
    const am_graph *g = f->graph;
    for (int v = 0; v < g->value_count; v++) f->out->state_of[v] = -1;
    for (int i = 0; i < g->state_count; i++) {
        f->out->is_written[i] = is_in_place(f, &g->states[i]);
        if (f->out->is_written[i]) f->out->state_of[g->states[i].updated.id] = i;
    }
}

static bool is_write(const finding *f, const am_node *node)
{
    return node->op == AM_OP_SCATTER && f->out->state_of[node->first_output.id] >= 0;
}

/* Every node runs as early as it can; what reads a written state waits for the stage after the writing. */
static void number_nodes(finding *f)
{
    const am_graph *g = f->graph;
    f->out->count = 1;
    for (int i = 0; i < g->node_count; i++) {
        const am_node *node = &g->nodes[i];
        int stage = 0;
        for (int k = 0; k < node->input_count; k++)
            if (f->ready[node->inputs[k].id] > stage) stage = f->ready[node->inputs[k].id];
        bool writes = is_write(f, node);
        f->out->stage_of[i] = writes || is_source(node) ? -1 : stage;
        for (int k = 0; k < node->output_count; k++) f->ready[node->first_output.id + k] = stage + writes;
        if (stage >= f->out->count) f->out->count = stage + 1;
    }
}

static int stage_of_value(const finding *f, am_value v)
{
    return f->out->stage_of[am_graph_value(f->graph, v)->producer];
}

static void find_leaving(finding *f)
{
    const am_graph *g = f->graph;
    for (int i = 0; i < g->node_count; i++)
        for (int k = 0; k < g->nodes[i].input_count; k++) {
            am_value v = g->nodes[i].inputs[k];
            if (v.id && stage_of_value(f, v) != f->out->stage_of[i]) f->leaves[v.id] = true;
        }
    for (int i = 0; i < g->output_count; i++) f->leaves[g->outputs[i].value.id] = true;
    for (int i = 0; i < g->state_count; i++)
        if (!f->out->is_written[i]) f->leaves[g->states[i].updated.id] = true;
}

static void put(am_value *list, int *count, am_value v)
{
    for (int i = 0; i < *count; i++)
        if (list[i].id == v.id) return;
    list[(*count)++] = v;
}

static am_status list_ends(finding *f, int number)
{
    const am_graph *g = f->graph;
    am_ov_stage *stage = &f->out->items[number];
    stage->inputs = am_arena_array(f->arena, (size_t)g->value_count + 1, sizeof *stage->inputs);
    stage->outputs = am_arena_array(f->arena, (size_t)g->value_count + 1, sizeof *stage->outputs);
    stage->writes = am_arena_array(f->arena, (size_t)g->state_count + 1, sizeof *stage->writes);
    if (!stage->inputs || !stage->outputs || !stage->writes) return am_out_of_memory();
    for (int i = 0; i < g->node_count; i++) {
        const am_node *node = &g->nodes[i];
        if (is_write(f, node) && f->ready[node->first_output.id] == number + 1)
            stage->writes[stage->write_count++] = (am_ov_write){f->out->state_of[node->first_output.id], node};
        if (f->out->stage_of[i] != number) continue;
        for (int k = 0; k < node->input_count; k++) {
            am_value v = node->inputs[k];
            if (v.id && stage_of_value(f, v) != number && am_graph_producer(g, v)->op != AM_OP_CONSTANT)
                put(stage->inputs, &stage->input_count, v);
        }
        for (int k = 0; k < node->output_count; k++) {
            am_value v = {node->first_output.id + k};
            if (f->leaves[v.id]) stage->outputs[stage->output_count++] = v;
        }
    }
    return NULL;
}

/* Inputs and constants that are given out or kept are the caller's matter: no stage computes them. */
static am_status check_ends(const am_graph *g)
{
    bool computed = true;
    for (int i = 0; i < g->output_count; i++)
        computed = computed && !is_source(am_graph_producer(g, g->outputs[i].value));
    for (int i = 0; i < g->state_count; i++)
        computed = computed && g->states[i].updated.id && !is_source(am_graph_producer(g, g->states[i].updated));
    return computed ? NULL : am_error(AM_UNSUPPORTED, "a graph that gives out what it was given");
}

am_status am_ov_find_stages(const am_graph *graph, am_arena *arena, am_ov_stages *out)
{
    size_t values = (size_t)graph->value_count + 1;
    finding f = {.graph = graph, .arena = arena, .out = out};
    AM_TRY(check_ends(graph));
    *out = (am_ov_stages){.stage_of = am_arena_array(arena, (size_t)graph->node_count + 1, sizeof *out->stage_of),
                          .state_of = am_arena_array(arena, values, sizeof *out->state_of),
                          .is_written = am_arena_array(arena, (size_t)graph->state_count + 1, sizeof(bool))};
    f.readers = am_arena_array(arena, values, sizeof *f.readers);
    f.ready = am_arena_array(arena, values, sizeof *f.ready);
    f.leaves = am_arena_array(arena, values, sizeof *f.leaves);
    if (!out->stage_of || !out->state_of || !out->is_written || !f.readers || !f.ready || !f.leaves)
        return am_out_of_memory();
    count_readers(&f);
    find_writes(&f);
    number_nodes(&f);
    find_leaving(&f);
    out->items = am_arena_array(arena, (size_t)out->count + 1, sizeof *out->items);
    if (!out->items) return am_out_of_memory();
    for (int i = 0; i < out->count; i++) AM_TRY(list_ends(&f, i));
    return NULL;
}
