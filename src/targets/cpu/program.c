#include "targets/cpu/program_internal.h"

#include "base/memory.h"
#include "base/memory_limit.h"
#include "targets/cpu/kernels/kernels.h"
#include "targets/cpu/parts.h"

#include <string.h>
#include <time.h>

static const am_kernel references[AM_OP_COUNT] = {
#define AM_OP(id, op_name, class)                                                                                      \
    [AM_OP_##id] = {.name = #op_name "_reference",                                                                     \
                    .op = AM_OP_##id,                                                                                  \
                    .run = am_reference_##op_name,                                                                     \
                    .in_place = AM_OP_##id == AM_OP_SCATTER},
#include "graph/ops.def"
#undef AM_OP
};

const am_kernel *am_cpu_choose_kernel(const am_cpu_program *p, const am_node *node)
{
    const am_kernel *foreign = p->kernel_for ? p->kernel_for(p->graph, node) : NULL;
    if (foreign) return foreign;
    for (const am_kernel *const *k = am_cpu_kernels; *k && !p->reference_only && p->micro; k++)
        if ((*k)->op == node->op && (p->allows_bf16 || !(*k)->is_bf16) &&
            (!(*k)->supports || (*k)->supports(p->graph, node)))
            return *k;
    return &references[node->op];
}

/* --- uses --- */

static void find_roots(am_cpu_program *p)
{
    const am_graph *g = p->graph;
    for (int i = 0; i < g->value_count; i++) p->root[i] = i;
    for (int i = 0; i < g->node_count; i++)
        if (am_cpu_is_alias(&g->nodes[i])) p->root[g->nodes[i].first_output.id] = p->root[g->nodes[i].inputs[0].id];
    for (int i = 0; i < g->node_count; i++)
        for (int k = 0; k < g->nodes[i].input_count && !am_cpu_is_alias(&g->nodes[i]); k++)
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
    if (am_cpu_is_alias(node)) return -1;
    for (*from = 0; node->inputs[*from].id != v.id; ++*from) {
    }
    return reader[v.id];
}

static void find_tail(const am_cpu_program *p, int head, const int *reader, bool is_late, am_node_tail *t)
{
    const am_node *node = &p->graph->nodes[head];
    const am_kernel *kernel = am_cpu_choose_kernel(p, node);
    const am_node *taken[AM_TAIL_LIMIT + 1] = {node};
    *t = (am_node_tail){.head = head};
    if (!kernel->takes || kernel->takes_late != is_late || node->output_count != 1) return;
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
    for (int k = 0; k < 2 * g->node_count; k++) {
        am_node_tail found;
        int i = k % g->node_count;
        if (p->tails[i] || known[g->nodes[i].first_output.id]) continue;
        find_tail(p, i, reader, k >= g->node_count, &found);
        if (!found.count) continue;
        am_node_tail *t = am_arena_alloc(&p->arena, sizeof *t);
        if (!t) return am_out_of_memory();
        *t = found;
        keep_until_end(p, t);
    }
    return NULL;
}

/* --- numbers in BF16 --- */

const am_kernel *am_cpu_kernel_at(const am_cpu_program *p, int node_index)
{
    const am_kernel *last = p->layouts.kernels[node_index];
    if (last && (last->any_layout || am_layouts_is_used(&p->layouts, node_index))) return last;
    return am_cpu_choose_kernel(p, &p->graph->nodes[node_index]);
}

/* Those that read with channels last, or those that know no other way than the graph's; numbers lie one way, that of
   the first found. */
static void find_rounded_readers(am_cpu_program *p, const bool *known, bool is_last)
{
    for (int i = 0; i < p->graph->node_count; i++) {
        const am_node *node = &p->graph->nodes[i];
        if (am_cpu_is_alias(node) || node->input_count < 1 || known[node->first_output.id]) continue;
        if (am_layouts_is_used(&p->layouts, i) != is_last || am_layouts_reads_last(&p->layouts, i) != is_last) continue;
        const am_kernel *kernel = am_cpu_kernel_at(p, i);
        am_cpu_rounding *r = &p->rounded[p->root[node->inputs[0].id]];
        bool is_in_planes = !is_last && kernel == p->layouts.kernels[i]; /* its pairs are of channels */
        if (is_in_planes || !kernel->reads_rounded || !kernel->reads_rounded(p->graph, node)) continue;
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

/* --- layouts --- */

bool am_cpu_is_moved(const am_cpu_program *p, int node_index)
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
        if (!am_cpu_is_alias(node) && !am_cpu_is_moved(p, i)) continue;
        int *from = &p->last_use[node->inputs[0].id], to = p->last_use[node->first_output.id];
        if (to > *from) *from = to;
    }
}

/* Whether what a tail reads is as it is read in any layout. */
static bool tail_is_alike(const am_cpu_program *p, int head)
{
    const am_node_tail *t = p->tails[head];
    const am_shape *shape = &p->graph->values[p->graph->nodes[head].first_output.id].shape;
    for (int i = 0; t && i < t->count; i++) {
        const am_node *node = &p->graph->nodes[t->nodes[i]];
        for (int k = 0; k < node->input_count; k++) {
            const am_shape *operand = &p->graph->values[node->inputs[k].id].shape;
            if (k != t->from[i] && am_shape_count(operand) != 1 && !am_shape_equal(operand, shape)) return false;
        }
    }
    return true;
}

/* The kernel that may compute a node with channels last: the weight must be there to be packed. */
static const am_kernel *kernel_with_channels_last(const am_cpu_program *p, int node_index, const bool *known)
{
    const am_node *node = &p->graph->nodes[node_index];
    if (am_cpu_is_alias(node) || node->op == AM_OP_INPUT || known[node->first_output.id] || node->input_count < 1)
        return NULL;
    const am_kernel *last = am_cpu_choose_kernel(p, node)->channels_last;
    while (last && last->supports && !last->supports(p->graph, node)) last = last->channels_last;
    if (!last || node->output_count != 1 || (last->all_inputs && !tail_is_alike(p, node_index))) return NULL;
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

static const void *data_at(const am_cpu_program *p, const am_cpu_place *at, const am_tensor *inputs,
                           void *const *states)
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

am_tensor am_cpu_tensor_of(const am_cpu_program *p, am_value v, const am_tensor *inputs, void *const *states)
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

static void fill_tail(const am_cpu_program *p, const am_cpu_step *s, const am_tensor *inputs, void *const *states,
                      am_tail *out)
{
    const am_node_tail *t = s->tail;
    const am_shape *shape = &p->graph->values[s->node->first_output.id].shape;
    out->count = t->count;
    for (int i = 0; i < t->count; i++) {
        const am_node *node = &p->graph->nodes[t->nodes[i]];
        out->steps[i] = (am_tail_step){.node = node, .from = t->from[i]};
        for (int k = 0, n = 0; k < node->input_count; k++) {
            if (k == t->from[i]) continue;
            am_value v = node->inputs[k];
            bool is_last = s->output_last && am_shape_equal(&p->graph->values[v.id].shape, shape);
            out->steps[i].operands[n++] =
                is_last ? last_tensor_of(p, v, inputs, states) : am_cpu_tensor_of(p, v, inputs, states);
        }
    }
}

am_status am_cpu_call(const am_cpu_program *p, const am_cpu_step *s, const am_tensor *inputs, void *const *states)
{
    const am_node *node = s->tail ? &p->graph->nodes[s->tail->head] : s->node;
    am_value result = s->node->first_output;
    am_tensor in[AM_INPUT_LIMIT], out[AM_OUTPUT_LIMIT];
    am_tail tail_nodes;
    bool has_tail = s->tail && !s->is_copy;
    if (has_tail) fill_tail(p, s, inputs, states, &tail_nodes);
    for (int i = 0; i < node->input_count; i++) in[i] = am_cpu_tensor_of(p, node->inputs[i], inputs, states);
    for (int i = node->input_count; i < 8; i++) in[i] = (am_tensor){0};
    for (int i = 0; i < node->output_count; i++)
        out[i] = am_cpu_tensor_of(p, (am_value){result.id + i}, inputs, states);
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
                           .parts = s->parts,
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
    p->apart = am_arena_array(&p->arena, values, sizeof *p->apart);
    p->tails = am_arena_array(&p->arena, (size_t)g->node_count + 1, sizeof *p->tails);
    if (!known || !p->places || !p->last_use || !p->root || !p->readers || !p->buffers || !p->steps || !p->fixed ||
        !p->apart || !p->tails)
        return am_out_of_memory();
    find_roots(p);
    count_uses(p);
    find_known(p, known);
    am_parts_find(p, known);
    AM_TRY(find_tails(p, known));
    AM_TRY(choose_layouts(p, known));
    AM_TRY(find_rounded(p, known));
    for (int i = 0; i < g->node_count; i++) AM_TRY(am_cpu_place_node(p, i, &next_input, &next_state));
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
    for (am_cpu_prepared *w = p->prepared; w; w = w->next)
        am_prepared_release(w->weight); /* while what they were made of is there */
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
        am_tensor from = am_cpu_tensor_of(p, state->updated, inputs, states);
        if (from.data != states[i]) memcpy(states[i], from.data, am_tensor_bytes(from.dtype, &from.shape));
    }
}

am_status am_cpu_program_run(am_cpu_program *p, const am_tensor *inputs, void *const *states)
{
    for (int i = 0; i < p->step_count; i++) {
        am_cpu_step *s = &p->steps[i];
        int64_t start = p->profile ? now_ns() : 0;
        AM_TRY(am_cpu_call(p, s, inputs, states));
        if (p->profile) s->nanoseconds += now_ns() - start;
        s->calls++;
    }
    for (int i = 0; i < p->graph->output_count; i++) {
        if (!p->output_copies[i]) continue;
        am_tensor from = am_cpu_tensor_of(p, p->graph->outputs[i].value, inputs, states);
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
    const am_cpu_step *s = &p->steps[i];
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
