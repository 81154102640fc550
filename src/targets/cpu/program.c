#include "targets/cpu/program.h"

#include "base/memory.h"
#include "base/memory_limit.h"
#include "targets/cpu/buffers.h"
#include "targets/cpu/kernels/kernels.h"
#include "targets/cpu/layout.h"
#include "targets/cpu/prepared.h"

#include <string.h>
#include <time.h>

/* Where a value's data is. Values that only rename another's memory (reshape) share its place. */
typedef enum place_kind { PLACE_NONE, PLACE_FIXED, PLACE_INPUT, PLACE_STATE, PLACE_BUFFER } place_kind;

typedef struct place {
    place_kind kind;
    int index; /* of the input, state or buffer */
    const void *fixed;
} place;

/* Numbers in BF16. */
typedef struct rounding {
    place at;
    int readers, last_reader; /* how many kernels read them, and the last node that does */
    bool is_last;             /* they lie with channels last */
} rounding;

typedef struct step {
    const am_node *node; /* the last of its tail, else the kernel's own */
    const am_kernel *kernel;
    const am_node_tail *tail; /* null: none */
    const void *prepared;
    bool input_last, output_last; /* see am_kernel_call */
    bool is_copy;                 /* of the node's result, with channels last, as the graph says */
    bool is_rounding;             /* of the node's input 0 */
    bool input_rounded, output_rounded, also_rounded;
    int64_t nanoseconds, calls;
} step;

struct am_cpu_program {
    const am_graph *graph;
    const am_micro *micro;
    const am_kernel *(*kernel_for)(const am_graph *graph, const am_node *node);
    bool reference_only, allows_bf16, profile, prepare;
    am_arena arena;
    place *places;       /* by value id */
    int *last_use;       /* by value id: node index of the last reader, node_count when it is an output */
    int *root;           /* by value id: the value whose memory it renames, or itself */
    int *readers;        /* by root: how often its memory is read under any name */
    place *last_places;  /* by value id: where it is with channels last */
    rounding *rounded;   /* by root: its numbers in BF16 */
    bool *takes_rounded; /* by node: whether its kernel takes input 0 so */
    am_layouts layouts;
    const am_node_tail **tails; /* by node: the tail that it belongs to, as head or as a part; null: none */
    am_cpu_buffer *buffers;
    int buffer_count;
    step *steps;
    int step_count;
    char *memory; /* of all buffers */
    size_t memory_bytes, scratch_bytes, fixed_bytes, other_bytes;
    void *scratch;
    void **fixed; /* results that depend on constants only */
    int fixed_count;
    am_prepared **prepared; /* weights shared with other programs */
    int prepared_count;
    void **output_copies; /* by output: where an input, constant or state is given out, else null */
};

static const am_kernel references[AM_OP_COUNT] = {
#define AM_OP(id, op_name, class)                                                                                      \
    [AM_OP_##id] = {.name = #op_name "_reference",                                                                     \
                    .op = AM_OP_##id,                                                                                  \
                    .run = am_reference_##op_name,                                                                     \
                    .in_place = AM_OP_##id == AM_OP_SCATTER},
#include "graph/ops.def"
#undef AM_OP
};

static const am_kernel *choose_kernel(const am_cpu_program *p, const am_node *node)
{
    const am_kernel *foreign = p->kernel_for ? p->kernel_for(p->graph, node) : NULL;
    if (foreign) return foreign;
    for (const am_kernel *const *k = am_cpu_kernels; *k && !p->reference_only && p->micro; k++)
        if ((*k)->op == node->op && (p->allows_bf16 || !(*k)->is_bf16) &&
            (!(*k)->supports || (*k)->supports(p->graph, node)))
            return *k;
    return &references[node->op];
}

static bool is_alias(const am_node *node)
{
    return node->op == AM_OP_RESHAPE;
}

/* --- uses --- */

static void find_roots(am_cpu_program *p)
{
    const am_graph *g = p->graph;
    for (int i = 0; i < g->value_count; i++) p->root[i] = i;
    for (int i = 0; i < g->node_count; i++)
        if (is_alias(&g->nodes[i])) p->root[g->nodes[i].first_output.id] = p->root[g->nodes[i].inputs[0].id];
    for (int i = 0; i < g->node_count; i++)
        for (int k = 0; k < g->nodes[i].input_count && !is_alias(&g->nodes[i]); k++)
            p->readers[p->root[g->nodes[i].inputs[k].id]]++;
    for (int i = 0; i < g->output_count; i++) p->readers[p->root[g->outputs[i].value.id]]++;
    for (int i = 0; i < g->state_count; i++) p->readers[p->root[g->states[i].updated.id]]++;
}

/* By the names of values alone; extend_uses adds what has two. */
static void count_uses(am_cpu_program *p)
{
    const am_graph *g = p->graph;
    for (int i = 0; i < g->node_count; i++)
        for (int k = 0; k < g->nodes[i].input_count; k++) p->last_use[g->nodes[i].inputs[k].id] = i;
    for (int i = 0; i < g->output_count; i++) p->last_use[g->outputs[i].value.id] = g->node_count;
    for (int i = 0; i < g->state_count; i++) p->last_use[g->states[i].updated.id] = g->node_count;
}

/* --- tails --- */

/* The only node that reads a value, and as which input; -1 where there are others, or it is given out. */
static int only_reader(const am_cpu_program *p, am_value v, const int *reader, int *from)
{
    if (p->readers[p->root[v.id]] != 1 || reader[v.id] < 0) return -1;
    const am_node *node = &p->graph->nodes[reader[v.id]];
    if (is_alias(node)) return -1;
    for (*from = 0; node->inputs[*from].id != v.id; ++*from) {
    }
    return reader[v.id];
}

static void find_tail(am_cpu_program *p, int head, const int *reader, am_node_tail *t)
{
    const am_node *node = &p->graph->nodes[head];
    const am_kernel *kernel = choose_kernel(p, node);
    const am_node *taken[AM_TAIL_LIMIT + 1] = {node};
    *t = (am_node_tail){.head = head};
    if (!kernel->takes || node->output_count != 1) return;
    for (am_value v = node->first_output; t->count < AM_TAIL_LIMIT; t->count++) {
        int from = 0, next = only_reader(p, v, reader, &from);
        if (next < 0 || p->tails[next]) return;
        const am_node *n = &p->graph->nodes[next];
        bool is_foreign = p->kernel_for && p->kernel_for(p->graph, n);
        if (is_foreign || n->input_count > AM_TAIL_OPERANDS + 1) return;
        if (!kernel->takes(p->graph, taken, t->count + 1, n, from)) return;
        t->nodes[t->count] = next, t->from[t->count] = from;
        taken[t->count + 1] = n;
        v = n->first_output;
    }
}

/* Nodes that only constants come into are computed beforehand and have no tail. */
static void find_known(const am_cpu_program *p, bool *known)
{
    const am_graph *g = p->graph;
    for (int i = 0; i < g->node_count; i++) {
        const am_node *node = &g->nodes[i];
        bool all = node->op != AM_OP_INPUT;
        for (int k = 0; k < node->input_count; k++) all = all && (!node->inputs[k].id || known[node->inputs[k].id]);
        for (int k = 0; k < node->output_count; k++) known[node->first_output.id + k] = all;
    }
}

/* What a tail reads lives until its last node, where all of it is computed. */
static void keep_until_end(am_cpu_program *p, const am_node_tail *t)
{
    int last = t->nodes[t->count - 1];
    for (int i = -1; i < t->count; i++) {
        const am_node *node = &p->graph->nodes[i < 0 ? t->head : t->nodes[i]];
        p->tails[i < 0 ? t->head : t->nodes[i]] = t;
        for (int k = 0; k < node->input_count; k++) {
            int *use = &p->last_use[p->root[node->inputs[k].id]];
            if (*use < last) *use = last;
            if (p->last_use[node->inputs[k].id] < last) p->last_use[node->inputs[k].id] = last;
        }
    }
}

static am_status find_tails(am_cpu_program *p, const bool *known)
{
    const am_graph *g = p->graph;
    int *reader = am_arena_array(&p->arena, (size_t)g->value_count + 1, sizeof *reader);
    if (!reader) return am_out_of_memory();
    for (int i = 0; i < g->value_count; i++) reader[i] = -1;
    for (int i = 0; i < g->node_count; i++)
        for (int k = 0; k < g->nodes[i].input_count; k++) reader[g->nodes[i].inputs[k].id] = i;
    for (int i = 0; i < g->node_count; i++) {
        am_node_tail found;
        if (p->tails[i] || known[g->nodes[i].first_output.id]) continue;
        find_tail(p, i, reader, &found);
        if (!found.count) continue;
        am_node_tail *t = am_arena_alloc(&p->arena, sizeof *t);
        if (!t) return am_out_of_memory();
        *t = found;
        keep_until_end(p, t);
    }
    return NULL;
}

/* --- numbers in BF16 --- */

/* The kernel that computes a node, in the layout that was chosen. */
static const am_kernel *kernel_of(const am_cpu_program *p, int node_index)
{
    const am_kernel *kernel = choose_kernel(p, &p->graph->nodes[node_index]);
    return am_layouts_is_used(&p->layouts, node_index) ? kernel->channels_last : kernel;
}

/* Those that read with channels last, or those that know no other way than the graph's; numbers lie one way, that of
   the first found. */
static void find_rounded_readers(am_cpu_program *p, const bool *known, bool is_last)
{
    for (int i = 0; i < p->graph->node_count; i++) {
        const am_node *node = &p->graph->nodes[i];
        if (is_alias(node) || node->input_count < 1 || known[node->first_output.id]) continue;
        if (am_layouts_is_used(&p->layouts, i) != is_last || am_layouts_reads_last(&p->layouts, i) != is_last) continue;
        const am_kernel *kernel = kernel_of(p, i);
        rounding *r = &p->rounded[p->root[node->inputs[0].id]];
        if (!kernel->reads_rounded || !kernel->reads_rounded(p->graph, node)) continue;
        if (r->readers > 0 && r->is_last != is_last) continue;
        int end = p->tails[i] ? p->tails[i]->nodes[p->tails[i]->count - 1] : i;
        p->takes_rounded[i] = true;
        r->is_last = is_last;
        r->readers++;
        if (end > r->last_reader) r->last_reader = end;
    }
}

static am_status find_rounded(am_cpu_program *p, const bool *known)
{
    p->rounded = am_arena_array(&p->arena, (size_t)p->graph->value_count + 1, sizeof *p->rounded);
    p->takes_rounded = am_arena_array(&p->arena, (size_t)p->graph->node_count + 1, sizeof *p->takes_rounded);
    if (!p->rounded || !p->takes_rounded) return am_out_of_memory();
    for (int is_last = 0; is_last <= 1 && p->allows_bf16; is_last++) find_rounded_readers(p, known, is_last);
    return NULL;
}

/* Which rounded numbers are wanted of a step's result and given by its kernel: none, these alone or both these and the
   result. `head`: its own node; is_last: it gives channels last. */
static void choose_rounding(const am_cpu_program *p, int head, am_value result, bool is_last, step *s)
{
    const am_kernel *kernel = s->kernel;
    const am_node_tail *t = p->tails[head];
    const am_node *nodes[AM_TAIL_LIMIT + 1] = {&p->graph->nodes[head]};
    for (int i = 0; t && i < t->count; i++) nodes[i + 1] = &p->graph->nodes[t->nodes[i]];
    const rounding *r = &p->rounded[result.id];
    bool turns = am_layouts_is_used(&p->layouts, head) && !is_last; /* results to planes */
    if (!kernel->writes_rounded || turns || r->readers == 0 || r->is_last != is_last) return;
    unsigned ways = kernel->writes_rounded(p->graph, nodes, t ? t->count + 1 : 1);
    s->output_rounded = ways & AM_ROUNDED_ALONE && r->readers == p->readers[result.id];
    s->also_rounded = ways & AM_ROUNDED_TOO && !s->output_rounded;
}

/* --- layouts --- */

/* Whether a node's output, or its output with channels last, is its input. */
static bool is_moved(const am_cpu_program *p, int node_index)
{
    const am_node *node = &p->graph->nodes[node_index];
    if (p->layouts.moves[node_index] == AM_MOVE_TO_LAST) return p->layouts.last[node->inputs[0].id];
    return p->layouts.moves[node_index] == AM_MOVE_FROM_LAST && p->layouts.last[node->first_output.id];
}

/* What has two names lives as long as the longer of them. */
static void extend_uses(am_cpu_program *p)
{
    for (int i = p->graph->node_count - 1; i >= 0; i--) {
        const am_node *node = &p->graph->nodes[i];
        if (!is_alias(node) && !is_moved(p, i)) continue;
        int *from = &p->last_use[node->inputs[0].id], to = p->last_use[node->first_output.id];
        if (to > *from) *from = to;
    }
}

/* The kernel that may compute a node with channels last: the weight must be there to be packed. */
static const am_kernel *kernel_with_channels_last(const am_cpu_program *p, int node_index, const bool *known)
{
    const am_node *node = &p->graph->nodes[node_index];
    if (is_alias(node) || node->op == AM_OP_INPUT || known[node->first_output.id] || node->input_count < 1) return NULL;
    const am_kernel *kernel = choose_kernel(p, node), *last = kernel->channels_last;
    if (!last || node->output_count != 1 || (last->supports && !last->supports(p->graph, node))) return NULL;
    return !last->prepare || known[node->inputs[last->prepared_input].id] ? last : NULL;
}

static am_status choose_layouts(am_cpu_program *p, const bool *known)
{
    const am_graph *g = p->graph;
    size_t values = (size_t)g->value_count + 1;
    const am_kernel **kernels = am_arena_array(&p->arena, (size_t)g->node_count + 1, sizeof *kernels);
    am_layout_move *moves = am_arena_array(&p->arena, (size_t)g->node_count + 1, sizeof *moves);
    p->last_places = am_arena_array(&p->arena, values, sizeof *p->last_places);
    p->layouts = (am_layouts){.graph = g,
                              .tails = p->tails,
                              .kernels = kernels,
                              .moves = moves,
                              .last = am_arena_array(&p->arena, values, sizeof *p->layouts.last),
                              .plain = am_arena_array(&p->arena, values, sizeof *p->layouts.plain)};
    if (!kernels || !moves || !p->last_places || !p->layouts.last || !p->layouts.plain) return am_out_of_memory();
    for (int i = 0; i < g->node_count && p->prepare; i++) {
        kernels[i] = kernel_with_channels_last(p, i, known);
        moves[i] = known[g->nodes[i].first_output.id] ? AM_MOVE_NONE : am_layout_move_of(g, &g->nodes[i]);
    }
    am_layouts_choose(&p->layouts);
    extend_uses(p);
    return NULL;
}

/* --- calls --- */

static const void *data_at(const am_cpu_program *p, const place *at, const am_tensor *inputs, void *const *states)
{
    switch (at->kind) {
    case PLACE_FIXED:
        return at->fixed;
    case PLACE_INPUT:
        return inputs[at->index].data;
    case PLACE_STATE:
        return states[at->index];
    case PLACE_BUFFER:
        return p->memory + p->buffers[at->index].offset;
    default:
        return NULL;
    }
}

static am_tensor tensor_of(const am_cpu_program *p, am_value v, const am_tensor *inputs, void *const *states)
{
    if (!v.id) return (am_tensor){0};
    const am_value_info *info = &p->graph->values[v.id];
    return (am_tensor){info->dtype, info->shape, (void *)(uintptr_t)data_at(p, &p->places[v.id], inputs, states)};
}

/* The same with channels last, where it lies so. */
static am_tensor last_tensor_of(const am_cpu_program *p, am_value v, const am_tensor *inputs, void *const *states)
{
    const am_value_info *info = &p->graph->values[v.id];
    return (am_tensor){info->dtype, info->shape, (void *)(uintptr_t)data_at(p, &p->last_places[v.id], inputs, states)};
}

/* Its numbers in BF16. */
static am_tensor rounded_tensor_of(const am_cpu_program *p, am_value v, const am_tensor *inputs, void *const *states)
{
    const void *data = data_at(p, &p->rounded[p->root[v.id]].at, inputs, states);
    return (am_tensor){AM_BF16, p->graph->values[v.id].shape, (void *)(uintptr_t)data};
}

static void fill_tail(const am_cpu_program *p, const step *s, const am_tensor *inputs, void *const *states,
                      am_tail *out)
{
    const am_node_tail *t = s->tail;
    const am_shape *shape = &p->graph->values[s->node->first_output.id].shape;
    out->count = t->count;
    for (int i = 0; i < t->count; i++) {
        const am_node *node = &p->graph->nodes[t->nodes[i]];
        out->steps[i] = (am_tail_step){.node = node};
        for (int k = 0, n = 0; k < node->input_count; k++) {
            if (k == t->from[i]) continue;
            am_value v = node->inputs[k];
            bool is_last = s->output_last && am_shape_equal(&p->graph->values[v.id].shape, shape);
            out->steps[i].operands[n++] =
                is_last ? last_tensor_of(p, v, inputs, states) : tensor_of(p, v, inputs, states);
        }
    }
}

static am_status call_kernel(const am_cpu_program *p, const step *s, const am_tensor *inputs, void *const *states)
{
    const am_node *node = s->tail ? &p->graph->nodes[s->tail->head] : s->node;
    am_value result = s->node->first_output;
    am_tensor in[AM_INPUT_LIMIT], out[AM_OUTPUT_LIMIT];
    am_tail tail_nodes;
    bool has_tail = s->tail && !s->is_copy;
    if (has_tail) fill_tail(p, s, inputs, states, &tail_nodes);
    for (int i = 0; i < node->input_count; i++) in[i] = tensor_of(p, node->inputs[i], inputs, states);
    for (int i = node->input_count; i < 8; i++) in[i] = (am_tensor){0};
    for (int i = 0; i < node->output_count; i++) out[i] = tensor_of(p, (am_value){result.id + i}, inputs, states);
    if (s->is_copy) in[0] = last_tensor_of(p, result, inputs, states);
    for (int i = 0; s->input_last && i < (s->kernel->all_inputs ? node->input_count : 1); i++)
        in[i] = last_tensor_of(p, node->inputs[i], inputs, states);
    if (s->output_last) out[0] = last_tensor_of(p, result, inputs, states);
    if (s->input_rounded) in[0] = rounded_tensor_of(p, node->inputs[0], inputs, states);
    if (s->output_rounded) out[0] = rounded_tensor_of(p, result, inputs, states);
    if (s->is_rounding) out[0] = rounded_tensor_of(p, node->inputs[0], inputs, states);
    am_kernel_call call = {.node = node,
                           .inputs = in,
                           .input_count = node->input_count,
                           .outputs = out,
                           .output_count = node->output_count,
                           .prepared = s->prepared,
                           .tail = has_tail ? &tail_nodes : NULL,
                           .input_last = s->input_last,
                           .output_last = s->output_last,
                           .input_rounded = s->input_rounded,
                           .output_rounded = s->output_rounded,
                           .also_rounded = s->also_rounded ? rounded_tensor_of(p, result, inputs, states).data : NULL,
                           .scratch = p->scratch,
                           .micro = p->micro};
    am_status status = s->kernel->run(&call);
    return status ? am_note(status, node->name[0] ? "%s: %s" : "%s%s", node->name, am_op_of(node->op)->name) : NULL;
}

/* --- placing values --- */

static void new_buffer(am_cpu_program *p, am_value v, int node_index, place *out)
{
    const am_value_info *info = &p->graph->values[v.id];
    am_cpu_buffer *b = &p->buffers[p->buffer_count];
    *b = (am_cpu_buffer){.bytes = (am_tensor_bytes(info->dtype, &info->shape) + 63) / 64 * 64,
                         .first = node_index,
                         .last = p->last_use[v.id]};
    if (b->last < node_index) b->last = node_index;
    *out = (place){.kind = PLACE_BUFFER, .index = p->buffer_count++};
}

static void new_rounded_buffer(am_cpu_program *p, am_value v, int node_index)
{
    rounding *r = &p->rounded[p->root[v.id]];
    size_t bytes = am_tensor_bytes(AM_BF16, &p->graph->values[v.id].shape);
    p->buffers[p->buffer_count] =
        (am_cpu_buffer){.bytes = (bytes + 63) / 64 * 64, .first = node_index, .last = r->last_reader};
    r->at = (place){.kind = PLACE_BUFFER, .index = p->buffer_count++};
}

/* Sees to it that a node's input 0 is there rounded. */
static void round_input(am_cpu_program *p, const am_node *node, int node_index)
{
    const rounding *r = &p->rounded[p->root[node->inputs[0].id]];
    if (r->at.kind != PLACE_NONE) return;
    new_rounded_buffer(p, node->inputs[0], node_index);
    p->steps[p->step_count++] =
        (step){.node = node, .kernel = &am_cpu_round, .is_rounding = true, .input_last = r->is_last};
}

/* Whether output 0 may take the place of input 0: the kernel allows it, nobody reads the input later, sizes
 * agree. */
static bool can_replace(const am_cpu_program *p, const am_node *node, const am_kernel *kernel, int node_index)
{
    const am_graph *g = p->graph;
    am_value in = node->inputs[0], out = node->first_output;
    const place *at = &p->places[in.id];
    if (!kernel->in_place || g->values[in.id].dtype != g->values[out.id].dtype) return false;
    if (!am_shape_equal(&g->values[in.id].shape, &g->values[out.id].shape)) return false;
    for (int k = 1; k < node->input_count; k++) {
        const place *other = &p->places[node->inputs[k].id];
        if (node->inputs[k].id && other->kind == at->kind && other->index == at->index) return false;
    }
    if (at->kind == PLACE_STATE) return p->readers[p->root[in.id]] == 1;
    return at->kind == PLACE_BUFFER && p->buffers[at->index].last == node_index;
}

/* Gives a value the place of another, which lives as long, then. */
static void take_place(am_cpu_program *p, am_value v, const place *at, place *out)
{
    *out = *at;
    if (at->kind == PLACE_BUFFER && p->buffers[at->index].last < p->last_use[v.id])
        p->buffers[at->index].last = p->last_use[v.id];
}

static void place_outputs(am_cpu_program *p, const am_node *node, const am_kernel *kernel, int node_index)
{
    int first = 0;
    if (node->input_count > 0 && can_replace(p, node, kernel, node_index)) {
        take_place(p, node->first_output, &p->places[node->inputs[0].id], &p->places[node->first_output.id]);
        first = 1;
    }
    for (int i = first; i < node->output_count; i++) {
        am_value v = {node->first_output.id + i};
        new_buffer(p, v, node_index, &p->places[v.id]);
    }
}

/* What the tail adds, where the result may take its place: nobody reads it later, and it is not what is multiplied. */
static const place *replaced_by_sum(const am_cpu_program *p, const am_node_tail *t, const am_kernel *kernel)
{
    const am_graph *g = p->graph;
    const am_node *nodes[AM_TAIL_LIMIT + 1] = {&g->nodes[t->head]};
    const place *found = NULL, *x = &p->last_places[nodes[0]->inputs[0].id];
    for (int i = 0; i < t->count; i++) {
        nodes[i + 1] = &g->nodes[t->nodes[i]];
        if (nodes[i + 1]->op == AM_OP_BINARY) found = &p->last_places[nodes[i + 1]->inputs[1 - t->from[i]].id];
    }
    if (!found || found->kind != PLACE_BUFFER || !kernel->adds_in_place(g, nodes, t->count + 1)) return NULL;
    if (x->kind == PLACE_BUFFER && x->index == found->index) return NULL;
    return p->buffers[found->index].last == t->nodes[t->count - 1] ? found : NULL;
}

/* A result with channels last, and its copy for those who read it otherwise. */
static void place_last(am_cpu_program *p, const am_node *node, const am_node_tail *t, const step *s, int node_index)
{
    am_value v = node->first_output;
    const place *at = t && s->input_last && s->kernel->adds_in_place ? replaced_by_sum(p, t, s->kernel) : NULL;
    if (at) take_place(p, v, at, &p->last_places[v.id]);
    else new_buffer(p, v, node_index, &p->last_places[v.id]);
    if (!p->layouts.plain[v.id]) return;
    p->steps[p->step_count++] = (step){.node = node, .kernel = &am_cpu_channels_first, .tail = t, .is_copy = true};
    new_buffer(p, v, node_index, &p->places[v.id]);
}

static bool is_fixed(const am_cpu_program *p, const am_node *node)
{
    for (int i = 0; i < node->input_count; i++)
        if (node->inputs[i].id && p->places[node->inputs[i].id].kind != PLACE_FIXED) return false;
    return node->op != AM_OP_INPUT;
}

/* Computes a node of constants now, into memory of its own. */
static am_status run_fixed(am_cpu_program *p, const am_node *node, const am_kernel *kernel)
{
    for (int i = 0; i < node->output_count; i++) {
        am_value v = {node->first_output.id + i};
        size_t bytes = am_tensor_bytes(p->graph->values[v.id].dtype, &p->graph->values[v.id].shape);
        AM_TRY(am_memory_check(bytes, "a table computed from constants"));
        void *memory = am_alloc_aligned(bytes);
        if (!memory) return am_error(AM_OUT_OF_MEMORY, "no memory for a table of %zu bytes", bytes);
        p->fixed[p->fixed_count++] = memory;
        p->fixed_bytes += bytes;
        p->places[v.id] = (place){.kind = PLACE_FIXED, .fixed = memory};
    }
    size_t scratch = kernel->scratch_bytes ? kernel->scratch_bytes(p->graph, node) : 0;
    p->scratch = am_alloc_aligned(scratch);
    if (!p->scratch) return am_error(AM_OUT_OF_MEMORY, "no memory for %zu bytes of scratch", scratch);
    am_status status = call_kernel(p, &(step){.node = node, .kernel = kernel}, NULL, NULL);
    am_free_aligned(p->scratch);
    p->scratch = NULL;
    return status;
}

/* Null where the kernel has no form of its own, its input is no constant, or memory is short: it then reads the input
   itself. */
static const void *prepare(am_cpu_program *p, const am_node *node, const am_kernel *kernel)
{
    if (!p->prepare || !kernel->prepare) return NULL;
    am_value v = node->inputs[kernel->prepared_input];
    if (p->places[v.id].kind != PLACE_FIXED) return NULL;
    am_tensor in[AM_INPUT_LIMIT] = {{0}};
    bool is_new;
    in[kernel->prepared_input] = tensor_of(p, v, NULL, NULL);
    am_kernel_call call = {.node = node, .inputs = in, .input_count = node->input_count, .micro = p->micro};
    size_t bytes = kernel->prepared_bytes(&call);
    if (bytes == 0) return NULL;
    am_prepared *prepared = am_prepared_share(kernel, &call, bytes, &is_new);
    if (!prepared) return NULL;
    p->prepared[p->prepared_count++] = prepared;
    if (is_new) p->fixed_bytes += bytes;
    return am_prepared_data(prepared);
}

static am_status place_node(am_cpu_program *p, int node_index, int *next_input, int *next_state)
{
    const am_node *node = &p->graph->nodes[node_index];
    place *out = &p->places[node->first_output.id];
    if (node->op == AM_OP_INPUT) {
        bool is_state = ((const am_input_attributes *)node->attributes)->is_state;
        *out = (place){.kind = is_state ? PLACE_STATE : PLACE_INPUT,
                       .index = is_state ? (*next_state)++ : (*next_input)++};
        return NULL;
    }
    if (node->op == AM_OP_CONSTANT) {
        *out = (place){.kind = PLACE_FIXED, .fixed = ((const am_constant_attributes *)node->attributes)->data};
        return NULL;
    }
    if (is_alias(node)) {
        *out = p->places[node->inputs[0].id];
        return NULL;
    }
    am_value v = node->first_output;
    if (is_moved(p, node_index)) {
        if (p->layouts.moves[node_index] == AM_MOVE_TO_LAST) {
            *out = p->last_places[node->inputs[0].id];
            return NULL;
        }
        p->last_places[v.id] = p->places[node->inputs[0].id];
        if (!p->layouts.plain[v.id]) return NULL;
    }
    const am_node_tail *t = p->tails[node_index];
    if (t && t->nodes[t->count - 1] != node_index) return NULL;
    int own_index = t ? t->head : node_index;
    const am_node *own = &p->graph->nodes[own_index];
    if (is_fixed(p, own)) return run_fixed(p, own, choose_kernel(p, own));
    const am_kernel *kernel = kernel_of(p, own_index);
    bool is_last = p->layouts.last[v.id] && !is_moved(p, node_index), rounds = p->takes_rounded[own_index];
    if (rounds) round_input(p, own, node_index);
    step *s = &p->steps[p->step_count++];
    *s = (step){.node = node,
                .kernel = kernel,
                .tail = t,
                .prepared = prepare(p, own, kernel),
                .input_last = am_layouts_reads_last(&p->layouts, own_index),
                .output_last = is_last,
                .input_rounded = rounds};
    choose_rounding(p, own_index, v, is_last, s);
    bool needs_scratch = kernel->scratch_bytes && !(rounds && kernel->scratch_is_input);
    size_t scratch = needs_scratch ? kernel->scratch_bytes(p->graph, own) : 0;
    if (scratch > p->scratch_bytes) p->scratch_bytes = scratch;
    if (s->output_rounded || s->also_rounded) new_rounded_buffer(p, v, node_index);
    if (s->output_rounded) return NULL;
    if (is_last) place_last(p, node, t, s, node_index);
    else if (t) new_buffer(p, v, node_index, &p->places[v.id]);
    else place_outputs(p, node, kernel, node_index);
    return NULL;
}

/* --- memory --- */

static am_status lay_out(am_cpu_program *p)
{
    AM_TRY(am_cpu_buffers_place(&p->arena, p->buffers, p->buffer_count, &p->memory_bytes));
    size_t most;
    if (!am_add_size(p->memory_bytes, p->scratch_bytes, &most) || !am_add_size(most, p->other_bytes, &most))
        return am_out_of_memory();
    AM_TRY(am_memory_check(most, "intermediate values, inputs and caches"));
    p->memory = am_alloc_large(p->memory_bytes);
    p->scratch = am_alloc_aligned(p->scratch_bytes);
    if (p->memory && p->scratch) return NULL;
    return am_error(AM_OUT_OF_MEMORY, "no memory for %zu bytes of intermediate values",
                    p->memory_bytes + p->scratch_bytes);
}

static am_status prepare_output_copies(am_cpu_program *p)
{
    p->output_copies = am_arena_array(&p->arena, (size_t)p->graph->output_count + 1, sizeof *p->output_copies);
    if (!p->output_copies) return am_out_of_memory();
    for (int i = 0; i < p->graph->output_count; i++) {
        am_value v = p->graph->outputs[i].value;
        if (p->places[v.id].kind == PLACE_BUFFER) continue;
        p->output_copies[i] =
            am_arena_alloc(&p->arena, am_tensor_bytes(p->graph->values[v.id].dtype, &p->graph->values[v.id].shape));
        if (!p->output_copies[i]) return am_out_of_memory();
    }
    return NULL;
}

static am_status compile(am_cpu_program *p)
{
    const am_graph *g = p->graph;
    size_t values = (size_t)g->value_count + 1;
    int next_input = 0, next_state = 0;
    bool *known = am_arena_array(&p->arena, values, sizeof *known);
    p->places = am_arena_array(&p->arena, values, sizeof *p->places);
    p->last_use = am_arena_array(&p->arena, values, sizeof *p->last_use);
    p->root = am_arena_array(&p->arena, values, sizeof *p->root);
    p->readers = am_arena_array(&p->arena, values, sizeof *p->readers);
    p->buffers = am_arena_array(&p->arena, 3 * values, sizeof *p->buffers);
    p->steps = am_arena_array(&p->arena, 3 * (size_t)g->node_count + 1, sizeof *p->steps);
    p->fixed = am_arena_array(&p->arena, values, sizeof *p->fixed);
    p->prepared = am_arena_array(&p->arena, (size_t)g->node_count + 1, sizeof *p->prepared);
    p->tails = am_arena_array(&p->arena, (size_t)g->node_count + 1, sizeof *p->tails);
    if (!known || !p->places || !p->last_use || !p->root || !p->readers || !p->buffers || !p->steps || !p->fixed ||
        !p->prepared || !p->tails)
        return am_out_of_memory();
    find_roots(p);
    count_uses(p);
    find_known(p, known);
    AM_TRY(find_tails(p, known));
    AM_TRY(choose_layouts(p, known));
    AM_TRY(find_rounded(p, known));
    for (int i = 0; i < g->node_count; i++) AM_TRY(place_node(p, i, &next_input, &next_state));
    AM_TRY(lay_out(p));
    return prepare_output_copies(p);
}

am_status am_cpu_program_create(const am_graph *graph, const am_cpu_program_options *options, am_cpu_program **out)
{
    *out = NULL;
    AM_TRY(am_cpu_check_wish());
    am_cpu_program *p = am_alloc_zeroed(1, sizeof *p);
    if (!p) return am_out_of_memory();
    p->graph = graph;
    p->micro = am_micro_of(options ? options->isa : AM_ISA_ANY);
    p->kernel_for = options ? options->kernel_for : NULL;
    p->reference_only = options && options->reference_only;
    p->allows_bf16 = options && options->allows_bf16;
    p->prepare = options && options->prepare;
    p->profile = options && options->profile;
    p->other_bytes = options ? options->other_bytes : 0;
    am_status status = compile(p);
    if (status) am_cpu_program_destroy(p);
    else *out = p;
    return status;
}

void am_cpu_program_destroy(am_cpu_program *p)
{
    if (!p) return;
    for (int i = 0; i < p->prepared_count; i++)
        am_prepared_release(p->prepared[i]); /* while what they were made of is there */
    for (int i = 0; i < p->fixed_count; i++) am_free_aligned(p->fixed[i]);
    am_free_aligned(p->memory);
    am_free_aligned(p->scratch);
    am_arena_deinit(&p->arena);
    am_free(p);
}

/* --- running --- */

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void write_states(const am_cpu_program *p, const am_tensor *inputs, void *const *states)
{
    for (int i = 0; i < p->graph->state_count; i++) {
        const am_graph_state *state = &p->graph->states[i];
        if (!state->updated.id) continue;
        am_tensor from = tensor_of(p, state->updated, inputs, states);
        if (from.data != states[i]) memcpy(states[i], from.data, am_tensor_bytes(from.dtype, &from.shape));
    }
}

am_status am_cpu_program_run(am_cpu_program *p, const am_tensor *inputs, void *const *states)
{
    for (int i = 0; i < p->step_count; i++) {
        step *s = &p->steps[i];
        int64_t start = p->profile ? now_ns() : 0;
        AM_TRY(call_kernel(p, s, inputs, states));
        if (p->profile) s->nanoseconds += now_ns() - start;
        s->calls++;
    }
    for (int i = 0; i < p->graph->output_count; i++) {
        if (!p->output_copies[i]) continue;
        am_tensor from = tensor_of(p, p->graph->outputs[i].value, inputs, states);
        size_t bytes = am_tensor_bytes(from.dtype, &from.shape);
        if (bytes) memcpy(p->output_copies[i], from.data, bytes);
    }
    write_states(p, inputs, states);
    return NULL;
}

am_tensor am_cpu_program_output(const am_cpu_program *p, int i)
{
    am_value v = p->graph->outputs[i].value;
    am_tensor tensor = {p->graph->values[v.id].dtype, p->graph->values[v.id].shape, p->output_copies[i]};
    if (!tensor.data) tensor.data = p->memory + p->buffers[p->places[v.id].index].offset;
    return tensor;
}

size_t am_cpu_program_bytes(const am_cpu_program *p)
{
    return p->memory_bytes + p->scratch_bytes + p->fixed_bytes;
}

int am_cpu_program_step_count(const am_cpu_program *p)
{
    return p->step_count;
}

/* Steps are in the order of nodes. */
const char *am_cpu_program_kernel(const am_cpu_program *p, const am_node *node)
{
    const am_node_tail *t = p->tails[node - p->graph->nodes];
    if (t) node = &p->graph->nodes[t->nodes[t->count - 1]];
    int low = 0, high = p->step_count;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (p->steps[middle].node < node) low = middle + 1;
        else high = middle;
    }
    while (low < p->step_count && p->steps[low].is_rounding) low++; /* for this node */
    return low < p->step_count && p->steps[low].node == node ? p->steps[low].kernel->name : "";
}

am_cpu_step_info am_cpu_program_step(const am_cpu_program *p, int i)
{
    const step *s = &p->steps[i];
    return (am_cpu_step_info){s->node, s->kernel->name, s->nanoseconds, s->calls};
}

am_status am_cpu_run_graph(const am_graph *graph, const am_tensor *inputs, const am_tensor *outputs)
{
    am_cpu_program *p;
    AM_TRY(am_cpu_program_create(graph, &(am_cpu_program_options){.reference_only = true}, &p));
    am_status status = am_cpu_program_run(p, inputs, NULL);
    for (int i = 0; i < graph->output_count && !status; i++) {
        am_tensor from = am_cpu_program_output(p, i);
        size_t bytes = am_tensor_bytes(from.dtype, &from.shape);
        if (bytes) memcpy(outputs[i].data, from.data, bytes);
    }
    am_cpu_program_destroy(p);
    return status;
}
