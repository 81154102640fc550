#include "targets/plan.h"

#include "base/memory.h"
#include "graph/ops.h"
#include "targets/fold.h"

#include <stdio.h>
#include <string.h>

typedef struct planning {
    am_plan *plan;
    const am_graph *graph; /* plan->cut */
    int *pick_of;          /* by node: index into picks; -1 for inputs and constants */
    int *level_of;         /* by node: pieces are ordered by it */
    am_source *sources;    /* by value: where other pieces find it */
    bool *crosses;         /* by value: read outside the piece that makes it */
    bool *state_inside;    /* by state: read and updated by one piece alone */
} planning;

static bool is_source(const am_node *node)
{
    return node->op == AM_OP_INPUT || node->op == AM_OP_CONSTANT;
}

/* --- expanding composites --- */

static am_status build_expansion(const am_graph *graph, const am_node *node, am_graph **out)
{
    am_builder *b;
    am_value inputs[AM_INPUT_LIMIT] = {AM_NONE}, outputs[AM_OUTPUT_LIMIT] = {AM_NONE};
    AM_TRY(am_builder_create(&b));
    for (int k = 0; k < node->input_count; k++) {
        const am_node *from = node->inputs[k].id ? am_graph_producer(graph, node->inputs[k]) : NULL;
        const am_value_info *info = from ? am_graph_value(graph, node->inputs[k]) : NULL;
        if (from && from->op == AM_OP_CONSTANT) am_copy_node(b, graph, from, NULL, false, &inputs[k]);
        else if (from) inputs[k] = am_graph_input(b, "x", info->dtype, info->shape);
    }
    am_copy_node(b, graph, node, inputs, true, outputs);
    for (int k = 0; k < node->output_count; k++) am_output(b, "y", outputs[k]);
    am_status status = am_builder_finish(b, out);
    am_builder_destroy(b);
    return status;
}

static bool takes(const am_target *target, const am_graph *graph, const am_node *node);

/* Whether the target computes a composite's expansion completely. */
static bool takes_expansion(const am_target *target, const am_graph *graph, const am_node *node)
{
    am_graph *expansion = NULL;
    am_status status = build_expansion(graph, node, &expansion);
    bool yes = !status;
    bool *fixed = yes ? am_graph_find_fixed(expansion) : NULL;
    yes = yes && fixed;
    for (int i = 0; yes && i < expansion->node_count; i++) {
        const am_node *part = &expansion->nodes[i];
        yes = is_source(part) || fixed[part->first_output.id] || takes(target, expansion, part);
    }
    am_free(fixed);
    am_graph_destroy(expansion);
    am_status_free(status);
    return yes;
}

static bool takes(const am_target *target, const am_graph *graph, const am_node *node)
{
    if (target->supports(graph, node, NULL)) return true;
    return am_op_of(node->op)->expand && takes_expansion(target, graph, node);
}

/* Whether a composite stays as it is: the first target that takes it in any form takes it so. */
static bool keep_composite(void *context, const am_graph *graph, const am_node *node)
{
    const am_target_choice *choice = context;
    for (int i = 0; i < choice->count; i++) {
        if (choice->picks[i].target->supports(graph, node, NULL)) return true;
        if (takes_expansion(choice->picks[i].target, graph, node)) return false;
    }
    return true;
}

/* --- giving nodes to targets --- */

static am_status say_why(planning *p, int node, const am_reason *why)
{
    p->plan->reasons[node] = am_arena_string(&p->plan->arena, why->text, strlen(why->text));
    return p->plan->reasons[node] ? NULL : am_out_of_memory();
}

static am_status pick_node(planning *p, int index)
{
    const am_target_choice *choice = &p->plan->choice;
    const am_node *node = &p->graph->nodes[index];
    p->pick_of[index] = -1;
    if (is_source(node)) return NULL;
    for (int i = 0; i < choice->count; i++) {
        am_reason why = {0};
        if (choice->picks[i].target->supports(p->graph, node, &why)) {
            p->pick_of[index] = i;
            break;
        }
        if (!why.text[0]) am_reason_no(&why, "%s has no %s", choice->picks[i].target->name, am_op_of(node->op)->name);
        if (i == 0) AM_TRY(say_why(p, index, &why));
    }
    return p->pick_of[index] >= 0 ? NULL : am_error(AM_INTERNAL, "no target computes %s", am_op_of(node->op)->name);
}

/* Level: at least that of every producer, and one more where a producer is on another target. Nodes of one target and
   one level are a piece: no piece waits for itself by way of another. */
static void level_node(planning *p, int index)
{
    const am_node *node = &p->graph->nodes[index];
    int level = 0;
    for (int k = 0; k < node->input_count; k++) {
        if (!node->inputs[k].id) continue;
        int from = am_graph_value(p->graph, node->inputs[k])->producer;
        if (p->pick_of[from] < 0) continue;
        int least = p->level_of[from] + (p->pick_of[from] != p->pick_of[index]);
        if (least > level) level = least;
    }
    p->level_of[index] = level;
}

static am_status check_required(const planning *p)
{
    const am_target_choice *choice = &p->plan->choice;
    if (choice->policy != AM_TARGET_REQUIRE || !p->plan->cpu_added) return NULL;
    for (int i = 0; i < p->graph->node_count; i++) {
        const am_node *node = &p->graph->nodes[i];
        if (p->pick_of[i] < choice->count - 1) continue;
        return am_error(AM_UNSUPPORTED, "%s (%s) does not run on %s: %s", node->name, am_op_of(node->op)->name,
                        choice->picks[0].target->name, p->plan->reasons[i] ? p->plan->reasons[i] : "");
    }
    return NULL;
}

/* --- pieces --- */

/* Numbers the pieces in the order of running. */
static am_status number_pieces(planning *p)
{
    am_plan *plan = p->plan;
    int nodes = p->graph->node_count, picks = plan->choice.count, levels = 0;
    for (int i = 0; i < nodes; i++)
        if (p->level_of[i] >= levels) levels = p->level_of[i] + 1;
    int *number = am_arena_array(&plan->arena, (size_t)levels * (size_t)picks + 1, sizeof *number);
    if (!number) return am_out_of_memory();
    for (int i = 0; i < nodes; i++)
        if (p->pick_of[i] >= 0) number[p->level_of[i] * picks + p->pick_of[i]] = 1;
    for (int i = 0; i < levels * picks; i++) number[i] = number[i] ? plan->piece_count++ : -1;
    plan->pieces = am_arena_array(&plan->arena, (size_t)plan->piece_count + 1, sizeof *plan->pieces);
    if (!plan->pieces) return am_out_of_memory();
    for (int i = 0; i < nodes; i++) {
        plan->piece_of[i] = p->pick_of[i] < 0 ? -1 : number[p->level_of[i] * picks + p->pick_of[i]];
        if (plan->piece_of[i] < 0) continue;
        plan->pieces[plan->piece_of[i]].pick = &plan->choice.picks[p->pick_of[i]];
        plan->pieces[plan->piece_of[i]].node_count++;
    }
    return NULL;
}

static int piece_of_value(const planning *p, am_value v)
{
    return p->plan->piece_of[am_graph_value(p->graph, v)->producer];
}

static void find_crossings(planning *p)
{
    const am_graph *g = p->graph;
    for (int i = 0; i < g->node_count; i++)
        for (int k = 0; k < g->nodes[i].input_count; k++) {
            am_value v = g->nodes[i].inputs[k];
            if (v.id && p->plan->piece_of[i] != piece_of_value(p, v)) p->crosses[v.id] = true;
        }
    for (int i = 0; i < g->output_count; i++) p->crosses[g->outputs[i].value.id] = true;
    for (int i = 0; i < g->state_count; i++)
        if (!p->state_inside[i]) p->crosses[g->states[i].updated.id] = true;
}

/* A state that one piece alone reads and updates is that piece's own. */
static void find_states_inside(planning *p)
{
    const am_graph *g = p->graph;
    for (int s = 0; s < g->state_count; s++) {
        const am_graph_state *state = &g->states[s];
        int piece = state->updated.id ? piece_of_value(p, state->updated) : -1;
        p->state_inside[s] = piece >= 0;
        for (int i = 0; i < g->node_count; i++)
            for (int k = 0; k < g->nodes[i].input_count; k++)
                if (g->nodes[i].inputs[k].id == state->value.id && p->plan->piece_of[i] != piece)
                    p->state_inside[s] = false;
        for (int i = 0; i < g->output_count; i++)
            if (g->outputs[i].value.id == state->value.id) p->state_inside[s] = false;
    }
}

/* Where inputs, states and constants are found. */
static void find_sources(planning *p)
{
    const am_graph *g = p->graph;
    for (int i = 0; i < g->node_count; i++) {
        const am_node *node = &g->nodes[i];
        if (node->op == AM_OP_CONSTANT)
            p->sources[node->first_output.id] = (am_source){
                .kind = AM_SOURCE_CONSTANT, .data = ((const am_constant_attributes *)node->attributes)->data};
    }
    for (int i = 0; i < g->input_count; i++)
        p->sources[g->inputs[i].value.id] = (am_source){.kind = AM_SOURCE_INPUT, .index = i};
    for (int i = 0; i < g->state_count; i++)
        p->sources[g->states[i].value.id] = (am_source){.kind = AM_SOURCE_STATE, .index = i};
}

/* --- building one piece --- */

typedef struct piece_builder {
    planning *p;
    int number;
    am_piece *piece;
    am_builder *b;
    am_value *map; /* by value of the cut graph; AM_NONE: not there yet */
    int input_count, output_count, state_count;
} piece_builder;

static size_t value_bytes(const am_graph *graph, am_value v)
{
    const am_value_info *info = am_graph_value(graph, v);
    return am_tensor_bytes(info->dtype, &info->shape);
}

/* A value that comes from outside, as an input or a constant of the piece. */
static void bring_in(piece_builder *t, am_value v)
{
    const am_graph *g = t->p->graph;
    const am_node *from = am_graph_producer(g, v);
    const am_value_info *info = am_graph_value(g, v);
    char name[32];
    if (from->op == AM_OP_CONSTANT) {
        am_copy_node(t->b, g, from, NULL, false, &t->map[v.id]);
        return;
    }
    snprintf(name, sizeof name, "v%d", (int)v.id);
    t->map[v.id] = am_graph_input(t->b, name, info->dtype, info->shape);
    t->piece->inputs[t->input_count++] = t->p->sources[v.id];
    t->piece->bytes_in += value_bytes(g, v);
}

static void bring_in_states(piece_builder *t)
{
    const am_graph *g = t->p->graph;
    for (int s = 0; s < g->state_count; s++) {
        const am_graph_state *state = &g->states[s];
        if (!t->p->state_inside[s] || piece_of_value(t->p, state->updated) != t->number) continue;
        const am_value_info *info = am_graph_value(g, state->value);
        t->map[state->value.id] = am_graph_state_input(t->b, state->name, info->dtype, info->shape);
        t->piece->states[t->state_count++] = s;
    }
}

static void give_out(piece_builder *t, am_value v)
{
    char name[32];
    snprintf(name, sizeof name, "v%d", (int)v.id);
    am_output(t->b, name, t->map[v.id]);
    t->p->sources[v.id] = (am_source){.kind = AM_SOURCE_PIECE, .index = t->number, .output = t->output_count++};
    t->piece->bytes_out += value_bytes(t->p->graph, v);
}

static void build_nodes(piece_builder *t)
{
    const am_graph *g = t->p->graph;
    for (int i = 0; i < g->node_count; i++) {
        const am_node *node = &g->nodes[i];
        am_value inputs[AM_INPUT_LIMIT] = {AM_NONE};
        if (t->p->plan->piece_of[i] != t->number) continue;
        for (int k = 0; k < node->input_count; k++) {
            am_value v = node->inputs[k];
            if (v.id && !t->map[v.id].id) bring_in(t, v);
            inputs[k] = t->map[v.id];
        }
        am_copy_node(t->b, g, node, inputs, false, &t->map[node->first_output.id]);
    }
}

static void build_ends(piece_builder *t)
{
    const am_graph *g = t->p->graph;
    for (int i = 0; i < g->node_count; i++)
        for (int k = 0; k < g->nodes[i].output_count && t->p->plan->piece_of[i] == t->number; k++) {
            am_value v = {g->nodes[i].first_output.id + k};
            if (t->p->crosses[v.id]) give_out(t, v);
        }
    for (int j = 0; j < t->state_count; j++) {
        const am_graph_state *state = &g->states[t->piece->states[j]];
        am_state_update(t->b, t->map[state->value.id], t->map[state->updated.id]);
    }
}

/* --- guards of indices --- */

/* The index tensor of a node that reads by one, and how large it may be. */
static bool find_index(const am_graph *graph, const am_node *node, am_value *out, int64_t *out_limit)
{
    const am_shape *shape = node->input_count ? &am_graph_value(graph, node->inputs[0])->shape : NULL;
    switch (node->op) {
    case AM_OP_GATHER:
        *out_limit = shape->dims[((const am_gather_attributes *)node->attributes)->axis];
        break;
    case AM_OP_SCATTER:
        *out_limit = shape->dims[((const am_scatter_attributes *)node->attributes)->axis];
        break;
    case AM_OP_EMBEDDING:
    case AM_OP_GROUPED_MATMUL:
        *out_limit =
            node->op == AM_OP_EMBEDDING ? shape->dims[0] : am_graph_value(graph, node->inputs[2])->shape.dims[0];
        break;
    default:
        return false;
    }
    *out = node->inputs[1];
    return true;
}

/* Values that are the same indices in another shape. */
static am_value trace_index(const am_graph *graph, am_value v)
{
    for (;;) {
        const am_node *node = am_graph_producer(graph, v);
        bool same = node->op == AM_OP_RESHAPE || node->op == AM_OP_BROADCAST || node->op == AM_OP_PERMUTE;
        if (!same) return v;
        v = node->inputs[0];
    }
}

static int find_end(const am_named_value *ends, int count, am_value v)
{
    int at = 0;
    while (at < count && ends[at].value.id != v.id) at++;
    return at;
}

/* Indices that are computed inside the piece become outputs of it. Runs before the graph is finished, on the cut
   graph; places are found afterwards. */
static void expose_indices(piece_builder *t)
{
    const am_graph *g = t->p->graph;
    for (int i = 0; i < g->node_count; i++) {
        am_value index;
        int64_t limit;
        if (t->p->plan->piece_of[i] != t->number || !find_index(g, &g->nodes[i], &index, &limit)) continue;
        index = trace_index(g, index);
        if (piece_of_value(t->p, index) != t->number || t->p->crosses[index.id]) continue;
        t->p->crosses[index.id] = true;
    }
}

static am_status find_guards(piece_builder *t)
{
    am_piece *piece = t->piece;
    const am_graph *g = piece->graph;
    piece->guards = am_arena_array(&t->p->plan->arena, (size_t)g->node_count + 1, sizeof *piece->guards);
    if (!piece->guards) return am_out_of_memory();
    for (int i = 0; i < g->node_count; i++) {
        am_value v;
        am_index_guard guard = {.node = &g->nodes[i]};
        if (!find_index(g, guard.node, &v, &guard.limit)) continue;
        v = trace_index(g, v);
        const am_node *from = am_graph_producer(g, v);
        if (is_source(from) &&
            (from->op == AM_OP_CONSTANT || ((const am_input_attributes *)from->attributes)->is_state))
            continue;
        guard.is_output = from->op != AM_OP_INPUT;
        guard.index =
            guard.is_output ? find_end(g->outputs, g->output_count, v) : find_end(g->inputs, g->input_count, v);
        piece->guards[piece->guard_count++] = guard;
    }
    return NULL;
}

static bool is_cpu(const am_target_pick *pick)
{
    return strcmp(pick->target->name, "cpu") == 0;
}

static am_status build_piece(planning *p, int number)
{
    am_plan *plan = p->plan;
    piece_builder t = {.p = p, .number = number, .piece = &plan->pieces[number]};
    t.piece->inputs = am_arena_array(&plan->arena, (size_t)p->graph->value_count + 1, sizeof *t.piece->inputs);
    t.piece->states = am_arena_array(&plan->arena, (size_t)p->graph->state_count + 1, sizeof *t.piece->states);
    t.map = am_alloc_zeroed((size_t)p->graph->value_count + 1, sizeof *t.map);
    am_status status = t.piece->inputs && t.piece->states && t.map ? am_builder_create(&t.b) : am_out_of_memory();
    if (!status) {
        if (!is_cpu(t.piece->pick)) expose_indices(&t);
        bring_in_states(&t);
        build_nodes(&t);
        build_ends(&t);
        status = am_builder_finish(t.b, &t.piece->graph);
    }
    if (!status && !is_cpu(t.piece->pick)) status = find_guards(&t);
    am_builder_destroy(t.b);
    am_free(t.map);
    return status;
}

/* --- the whole --- */

static am_status connect_ends(planning *p)
{
    am_plan *plan = p->plan;
    const am_graph *g = p->graph;
    for (int i = 0; i < g->output_count; i++) plan->outputs[i] = p->sources[g->outputs[i].value.id];
    for (int i = 0; i < g->state_count; i++) {
        am_value updated = g->states[i].updated;
        plan->is_updated[i] = updated.id && !p->state_inside[i] && updated.id != g->states[i].value.id;
        if (plan->is_updated[i]) plan->updates[i] = p->sources[updated.id];
    }
    return NULL;
}

static am_status cut(planning *p)
{
    am_plan *plan = p->plan;
    size_t nodes = (size_t)p->graph->node_count + 1, values = (size_t)p->graph->value_count + 1,
           states = (size_t)p->graph->state_count + 1;
    plan->piece_of = am_arena_array(&plan->arena, nodes, sizeof *plan->piece_of);
    plan->reasons = am_arena_array(&plan->arena, nodes, sizeof *plan->reasons);
    plan->outputs = am_arena_array(&plan->arena, (size_t)p->graph->output_count + 1, sizeof *plan->outputs);
    plan->updates = am_arena_array(&plan->arena, states, sizeof *plan->updates);
    plan->is_updated = am_arena_array(&plan->arena, states, sizeof *plan->is_updated);
    p->pick_of = am_arena_array(&plan->arena, nodes, sizeof *p->pick_of);
    p->level_of = am_arena_array(&plan->arena, nodes, sizeof *p->level_of);
    p->sources = am_arena_array(&plan->arena, values, sizeof *p->sources);
    p->crosses = am_arena_array(&plan->arena, values, sizeof *p->crosses);
    p->state_inside = am_arena_array(&plan->arena, states, sizeof *p->state_inside);
    if (!plan->piece_of || !plan->reasons || !plan->outputs || !plan->updates || !plan->is_updated || !p->pick_of ||
        !p->level_of || !p->sources || !p->crosses || !p->state_inside)
        return am_out_of_memory();
    for (int i = 0; i < p->graph->node_count; i++) AM_TRY(pick_node(p, i));
    AM_TRY(check_required(p));
    for (int i = 0; i < p->graph->node_count; i++) level_node(p, i);
    AM_TRY(number_pieces(p));
    find_states_inside(p);
    find_crossings(p);
    find_sources(p);
    for (int i = 0; i < plan->piece_count; i++) AM_TRY(build_piece(p, i));
    return connect_ends(p);
}

/* Everything on the cpu: one piece, the graph as it is. */
static am_status plan_cpu(am_plan *plan)
{
    const am_graph *g = plan->whole;
    plan->piece_count = 1;
    plan->pieces = am_arena_array(&plan->arena, 1, sizeof *plan->pieces);
    if (!plan->pieces) return am_out_of_memory();
    plan->pieces[0] = (am_piece){.pick = &plan->choice.picks[0]};
    for (int i = 0; i < g->node_count; i++) plan->pieces[0].node_count += !is_source(&g->nodes[i]);
    return NULL;
}

static am_status plan_pieces(am_plan *plan)
{
    am_graph *expanded;
    AM_TRY(am_graph_expand(plan->whole, keep_composite, &plan->choice, &expanded));
    am_status status = am_graph_fold(expanded, &plan->cut);
    am_graph_destroy(expanded);
    if (status) return status;
    planning p = {.plan = plan, .graph = plan->cut};
    return cut(&p);
}

am_status am_plan_create(const am_graph *graph, const am_target_choice *choice, am_plan **out)
{
    am_plan *plan = am_alloc_zeroed(1, sizeof *plan);
    *out = NULL;
    if (!plan) return am_out_of_memory();
    plan->whole = graph;
    if (choice) plan->choice = *choice;
    am_target_choice *c = &plan->choice;
    plan->cpu_added = c->count == 0 || !is_cpu(&c->picks[c->count - 1]);
    if (plan->cpu_added) c->picks[c->count++] = (am_target_pick){.target = am_target_find("cpu", 3)};
    am_status status = is_cpu(&c->picks[0]) ? plan_cpu(plan) : plan_pieces(plan);
    if (status) am_plan_destroy(plan);
    else *out = plan;
    return status;
}

void am_plan_destroy(am_plan *plan)
{
    if (!plan) return;
    for (int i = 0; i < plan->piece_count && plan->pieces; i++) am_graph_destroy(plan->pieces[i].graph);
    am_graph_destroy(plan->cut);
    am_arena_deinit(&plan->arena);
    am_free(plan);
}
