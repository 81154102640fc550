#include "targets/cpu/program_internal.h"

#include "base/memory.h"
#include "base/memory_limit.h"
#include "targets/cpu/kernels/kernels.h"
#include "targets/cpu/parts.h"

static void new_buffer(am_cpu_program *p, am_value v, int node_index, am_cpu_place *out)
{
    const am_value_info *info = &p->graph->values[v.id];
    am_cpu_buffer *b = &p->buffers[p->buffer_count];
    *b = (am_cpu_buffer){.bytes = (am_tensor_bytes(info->dtype, &info->shape) + 63) / 64 * 64,
                         .first = node_index,
                         .last = p->last_use[v.id]};
    if (b->last < node_index) b->last = node_index;
    *out = (am_cpu_place){.kind = PLACE_BUFFER, .index = p->buffer_count++};
}

static void new_rounded_buffer(am_cpu_program *p, am_value v, int node_index)
{
    am_cpu_rounding *r = &p->rounded[p->root[v.id]];
    size_t bytes = am_tensor_bytes(AM_BF16, &p->graph->values[v.id].shape);
    p->buffers[p->buffer_count] =
        (am_cpu_buffer){.bytes = (bytes + 63) / 64 * 64, .first = node_index, .last = r->last_reader};
    r->at = (am_cpu_place){.kind = PLACE_BUFFER, .index = p->buffer_count++};
}

/* Which rounded numbers are wanted of a step's result and given by its kernel: none, these alone or both these and the
   result. `head`: its own node; is_last: it gives channels last. */
static void choose_rounding(const am_cpu_program *p, int head, am_value result, bool is_last, am_cpu_step *s)
{
    const am_kernel *kernel = s->kernel;
    const am_node_tail *t = p->tails[head];
    const am_node *nodes[AM_TAIL_LIMIT + 1] = {&p->graph->nodes[head]};
    for (int i = 0; t && i < t->count; i++) nodes[i + 1] = &p->graph->nodes[t->nodes[i]];
    const am_cpu_rounding *r = &p->rounded[result.id];
    bool turns = !is_last && kernel == p->layouts.kernels[head]; /* results to planes */
    if (!kernel->writes_rounded || turns || r->readers == 0 || r->is_last != is_last) return;
    unsigned ways = kernel->writes_rounded(p->graph, nodes, t ? t->count + 1 : 1);
    s->output_rounded = ways & AM_ROUNDED_ALONE && r->readers == p->readers[result.id];
    s->also_rounded = ways & AM_ROUNDED_TOO && !s->output_rounded;
}

/* Sees to it that a node's input 0 is there rounded. */
static void round_input(am_cpu_program *p, const am_node *node, int node_index)
{
    const am_cpu_rounding *r = &p->rounded[p->root[node->inputs[0].id]];
    if (r->at.kind != PLACE_NONE) return;
    new_rounded_buffer(p, node->inputs[0], node_index);
    p->steps[p->step_count++] =
        (am_cpu_step){.node = node, .kernel = &am_cpu_round, .is_rounding = true, .input_last = r->is_last};
}

/* Whether output 0 may take the place of input 0: the kernel allows it, nobody reads the input later, sizes
 * agree. */
static bool can_replace(const am_cpu_program *p, const am_node *node, const am_kernel *kernel, int node_index)
{
    const am_graph *g = p->graph;
    am_value in = node->inputs[0], out = node->first_output;
    const am_cpu_place *at = &p->places[in.id];
    if (!kernel->in_place || g->values[in.id].dtype != g->values[out.id].dtype) return false;
    if (!am_shape_equal(&g->values[in.id].shape, &g->values[out.id].shape)) return false;
    for (int k = 1; k < node->input_count; k++) {
        const am_cpu_place *other = &p->places[node->inputs[k].id];
        if (node->inputs[k].id && other->kind == at->kind && other->index == at->index) return false;
    }
    if (at->kind == PLACE_STATE) return p->readers[p->root[in.id]] == 1;
    return at->kind == PLACE_BUFFER && p->buffers[at->index].last == node_index;
}

/* Gives a value the place of another, which lives as long, then. */
static void take_place(am_cpu_program *p, am_value v, const am_cpu_place *at, am_cpu_place *out)
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
static const am_cpu_place *replaced_by_sum(const am_cpu_program *p, const am_node_tail *t, const am_kernel *kernel)
{
    const am_graph *g = p->graph;
    const am_node *nodes[AM_TAIL_LIMIT + 1] = {&g->nodes[t->head]};
    const am_cpu_place *found = NULL, *x = &p->last_places[nodes[0]->inputs[0].id];
    for (int i = 0; i < t->count; i++) {
        nodes[i + 1] = &g->nodes[t->nodes[i]];
        if (nodes[i + 1]->op == AM_OP_BINARY) found = &p->last_places[nodes[i + 1]->inputs[1 - t->from[i]].id];
    }
    if (!found || found->kind != PLACE_BUFFER || !kernel->adds_in_place(g, nodes, t->count + 1)) return NULL;
    if (x->kind == PLACE_BUFFER && x->index == found->index) return NULL;
    return p->buffers[found->index].last == t->nodes[t->count - 1] ? found : NULL;
}

/* A result with channels last, and its copy for those who read it otherwise. */
static void place_last(am_cpu_program *p, const am_node *node, const am_node_tail *t, const am_cpu_step *s,
                       int node_index)
{
    am_value v = node->first_output;
    const am_cpu_place *at = t && s->input_last && s->kernel->adds_in_place ? replaced_by_sum(p, t, s->kernel) : NULL;
    if (at) take_place(p, v, at, &p->last_places[v.id]);
    else new_buffer(p, v, node_index, &p->last_places[v.id]);
    if (!p->layouts.plain[v.id]) return;
    p->steps[p->step_count++] =
        (am_cpu_step){.node = node, .kernel = &am_cpu_channels_first, .tail = t, .is_copy = true};
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
        p->places[v.id] = (am_cpu_place){.kind = PLACE_FIXED, .fixed = memory, .is_computed = true};
    }
    size_t scratch = kernel->scratch_bytes ? kernel->scratch_bytes(p->graph, node) : 0;
    p->scratch = am_alloc_aligned(scratch);
    if (!p->scratch) return am_error(AM_OUT_OF_MEMORY, "no memory for %zu bytes of scratch", scratch);
    am_status status = am_cpu_call(p, &(am_cpu_step){.node = node, .kernel = kernel}, NULL, NULL);
    am_free_aligned(p->scratch);
    p->scratch = NULL;
    return status;
}

/* A weight in the form of the kernel's own; null where it has none, or memory is short: it then reads the weight
   itself. */
static const void *prepare_weight(am_cpu_program *p, const am_node *node, const am_kernel *kernel, am_tensor weight)
{
    am_tensor in[AM_INPUT_LIMIT] = {{0}};
    bool is_new;
    in[kernel->prepared_input] = weight;
    am_kernel_call call = {.node = node, .inputs = in, .input_count = node->input_count, .micro = p->micro};
    size_t bytes = kernel->prepared_bytes(&call);
    if (bytes == 0) return NULL;
    am_cpu_prepared *own = am_arena_alloc(&p->arena, sizeof *own);
    am_prepared *prepared = own ? am_prepared_share(kernel, &call, bytes, &is_new) : NULL;
    if (!prepared) return NULL;
    *own = (am_cpu_prepared){prepared, p->prepared};
    p->prepared = own;
    if (is_new) p->fixed_bytes += bytes;
    return am_prepared_data(prepared);
}

static const void *prepare(am_cpu_program *p, const am_node *node, const am_kernel *kernel)
{
    if (!p->prepare || !kernel->prepare || kernel->reads_parts) return NULL;
    am_value v = node->inputs[kernel->prepared_input];
    return p->places[v.id].kind == PLACE_FIXED ? prepare_weight(p, node, kernel, am_cpu_tensor_of(p, v, NULL, NULL))
                                               : NULL;
}

static const void *part_at(const am_cpu_place *at, int64_t index, size_t bytes)
{
    return at->parts ? at->parts[index] : (const char *)at->fixed + (size_t)index * bytes;
}

/* The parts of one input, then those of the next. */
static am_status join_parts(am_cpu_program *p, const am_node *node)
{
    const am_value_info *all = &p->graph->values[node->first_output.id];
    am_tensor part = am_part_of(all);
    size_t bytes = am_tensor_bytes(part.dtype, &part.shape);
    const void **parts = am_arena_array(&p->arena, (size_t)all->shape.dims[0] + 1, sizeof *parts), **next = parts;
    if (!parts) return am_out_of_memory();
    for (int k = 0; k < node->input_count; k++)
        for (int64_t i = 0; i < p->graph->values[node->inputs[k].id].shape.dims[0]; i++)
            *next++ = part_at(&p->places[node->inputs[k].id], i, bytes);
    p->places[node->first_output.id] = (am_cpu_place){.kind = PLACE_FIXED, .parts = parts};
    return NULL;
}

/* Those of a weight that this program computes stay as they are: a form of their own would be a second copy. */
static am_status prepare_parts(am_cpu_program *p, const am_node *node, const am_kernel *kernel, const am_part **out)
{
    *out = NULL;
    if (!kernel->reads_parts) return NULL;
    am_value v = node->inputs[kernel->prepared_input];
    const am_cpu_place *at = &p->places[v.id];
    if (at->kind != PLACE_FIXED) return NULL;
    int64_t count = p->graph->values[v.id].shape.dims[0];
    am_part *parts = am_arena_array(&p->arena, (size_t)count + 1, sizeof *parts);
    if (!parts) return am_out_of_memory();
    am_tensor part = am_part_of(&p->graph->values[v.id]);
    size_t bytes = am_tensor_bytes(part.dtype, &part.shape);
    for (int64_t i = 0; i < count; i++) {
        parts[i].data = part_at(at, i, bytes);
        part.data = (void *)(uintptr_t)parts[i].data;
        if (p->prepare && !at->is_computed) parts[i].prepared = prepare_weight(p, node, kernel, part);
    }
    *out = parts;
    return NULL;
}

am_status am_cpu_place_node(am_cpu_program *p, int node_index, int *next_input, int *next_state)
{
    const am_node *node = &p->graph->nodes[node_index];
    am_cpu_place *out = &p->places[node->first_output.id];
    if (node->op == AM_OP_INPUT) {
        bool is_state = ((const am_input_attributes *)node->attributes)->is_state;
        *out = (am_cpu_place){.kind = is_state ? PLACE_STATE : PLACE_INPUT,
                              .index = is_state ? (*next_state)++ : (*next_input)++};
        return NULL;
    }
    if (node->op == AM_OP_CONSTANT) {
        *out = (am_cpu_place){.kind = PLACE_FIXED, .fixed = ((const am_constant_attributes *)node->attributes)->data};
        return NULL;
    }
    if (am_cpu_is_alias(node)) {
        *out = p->places[node->inputs[0].id];
        return NULL;
    }
    am_value v = node->first_output;
    if (am_cpu_is_moved(p, node_index)) {
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
    if (p->apart[v.id]) return join_parts(p, own);
    if (is_fixed(p, own)) return run_fixed(p, own, am_cpu_choose_kernel(p, own));
    const am_kernel *kernel = am_cpu_kernel_at(p, own_index);
    bool is_last = p->layouts.last[v.id] && !am_cpu_is_moved(p, node_index), rounds = p->takes_rounded[own_index];
    if (rounds) round_input(p, own, node_index);
    am_cpu_step *s = &p->steps[p->step_count++];
    *s = (am_cpu_step){.node = node,
                       .kernel = kernel,
                       .tail = t,
                       .prepared = prepare(p, own, kernel),
                       .input_last = am_layouts_reads_last(&p->layouts, own_index),
                       .output_last = is_last,
                       .input_rounded = rounds};
    AM_TRY(prepare_parts(p, own, kernel, &s->parts));
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
