#include "targets/program.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/warning.h"
#include "graph/ops.h"
#include "targets/compiled.h"
#include "targets/tier.h"

#include <string.h>

typedef struct running {
    const am_target *target;
    void *program;
    am_tensor *inputs;
    void **states;
} running;

struct am_program {
    am_plan *plan;
    am_arena arena;
    am_target_options options;
    running *pieces;
    am_tier *tier; /* of the policy auto; else null */
    am_target_choice candidates;
    am_program *last; /* the tier's program that made the last outputs; null: this one */
    void **copies;    /* by output: memory where an input, constant or state is given out, else null */
};

const am_graph *am_program_piece_graph(const am_program *p, int i)
{
    return p->plan->pieces[i].graph ? p->plan->pieces[i].graph : p->plan->whole;
}

const am_target *am_program_piece_target(const am_program *p, int i)
{
    return p->pieces[i].target;
}

const am_plan *am_program_plan(const am_program *p)
{
    return p->plan;
}

/* --- compiling --- */

/* `from` null, or of a target that exports nothing: by compiling. */
static am_status create_on(am_program *p, int i, const am_target *target, const char *device,
                           const am_compiled_piece *from)
{
    am_target_options options = p->options;
    const am_graph *graph = am_program_piece_graph(p, i);
    void *made = NULL;
    options.device = device && *device ? device : NULL;
    options.allow_untested = p->plan->choice.allow_untested;
    if (from && target->import) AM_TRY(target->import(graph, &options, from->bytes, from->length, &made));
    else AM_TRY(target->create(graph, &options, &made));
    p->pieces[i].target = target;
    p->pieces[i].program = made;
    return NULL;
}

static bool is_cpu(const am_target *target)
{
    return strcmp(target->name, "cpu") == 0;
}

static bool is_required(const am_program *p)
{
    return p->plan->choice.policy == AM_TARGET_REQUIRE || (p->options.compiled && p->options.compiled->is_required);
}

/* Gives the piece to the cpu because of `cause`, which it frees; where the target is required, or is the cpu itself,
   the cause is the error. */
static am_status move_to_cpu(am_program *p, int i, const am_target *from, am_status cause)
{
    if (is_cpu(from) || is_required(p)) return am_note(cause, "target %s", from->name);
    am_warn("target %s failed, its part runs on the cpu instead: %s", from->name, am_status_message(cause));
    am_status_free(cause);
    if (p->pieces[i].program) p->pieces[i].target->destroy(p->pieces[i].program);
    p->pieces[i].program = NULL;
    return create_on(p, i, am_target_find("cpu", 3), NULL, NULL);
}

/* On the target that ran it when it was compiled, which is the cpu where the picked one failed then. */
static am_status import_piece(am_program *p, int i)
{
    const am_target_pick *pick = p->plan->pieces[i].pick;
    const am_compiled_piece *from;
    AM_TRY(am_compiled_find(p->options.compiled, i, p->plan->piece_count, am_program_piece_graph(p, i), &from));
    return create_on(p, i, from->target, from->target == pick->target ? pick->device : NULL, from);
}

static am_status compile_or_move(am_program *p, int i)
{
    const am_target_pick *pick = p->plan->pieces[i].pick;
    am_status status = p->options.compiled ? import_piece(p, i) : create_on(p, i, pick->target, pick->device, NULL);
    return status ? move_to_cpu(p, i, pick->target, status) : NULL;
}

static am_status compile_piece(am_program *p, int i)
{
    const am_target_pick *pick = p->plan->pieces[i].pick;
    const am_graph *graph = am_program_piece_graph(p, i);
    p->pieces[i].inputs = am_arena_array(&p->arena, (size_t)graph->input_count + 1, sizeof *p->pieces[i].inputs);
    p->pieces[i].states = am_arena_array(&p->arena, (size_t)graph->state_count + 1, sizeof *p->pieces[i].states);
    if (!p->pieces[i].inputs || !p->pieces[i].states) return am_out_of_memory();
    if (p->options.plan_only && !p->options.compiled && pick->target->compiles_long) {
        p->pieces[i].target = pick->target;
        return NULL;
    }
    return compile_or_move(p, i);
}

static am_status prepare_copies(am_program *p)
{
    const am_graph *g = p->plan->whole;
    p->copies = am_arena_array(&p->arena, (size_t)g->output_count + 1, sizeof *p->copies);
    if (!p->copies) return am_out_of_memory();
    for (int i = 0; i < g->output_count && p->plan->cut; i++) {
        const am_value_info *info = am_graph_value(g, g->outputs[i].value);
        if (p->plan->outputs[i].kind == AM_SOURCE_PIECE) continue;
        p->copies[i] = am_arena_alloc(&p->arena, am_tensor_bytes(info->dtype, &info->shape));
        if (!p->copies[i]) return am_out_of_memory();
    }
    return NULL;
}

/* Under auto everything begins on the cpu. */
static am_status make_plan(am_program *p, const am_graph *graph, const am_target_choice *choice)
{
    bool is_auto = choice && choice->policy == AM_TARGET_AUTO && choice->count > 0;
    if (!is_auto) return am_plan_create(graph, choice, &p->plan);
    p->candidates = *choice;
    p->options.plan_only = false; /* candidates are compiled beside the runs, not in one */
    AM_TRY(am_plan_create(graph, NULL, &p->plan));
    return am_tier_create(graph, &p->candidates, &p->options, &p->tier);
}

static am_status compile(am_program *p)
{
    p->pieces = am_arena_array(&p->arena, (size_t)p->plan->piece_count + 1, sizeof *p->pieces);
    if (!p->pieces) return am_out_of_memory();
    for (int i = 0; i < p->plan->piece_count; i++) AM_TRY(compile_piece(p, i));
    return prepare_copies(p);
}

am_status am_program_create(const am_graph *graph, const am_target_choice *choice, const am_target_options *options,
                            am_program **out)
{
    *out = NULL;
    am_program *p = am_alloc_zeroed(1, sizeof *p);
    if (!p) return am_out_of_memory();
    if (options) p->options = *options;
    am_status status = make_plan(p, graph, choice);
    if (!status) status = compile(p);
    if (status) am_program_destroy(p);
    else *out = p;
    return status;
}

void am_program_destroy(am_program *p)
{
    if (!p) return;
    am_tier_destroy(p->tier);
    for (int i = 0; p->plan && p->pieces && i < p->plan->piece_count; i++)
        if (p->pieces[i].program) p->pieces[i].target->destroy(p->pieces[i].program);
    am_plan_destroy(p->plan);
    am_arena_deinit(&p->arena);
    am_free(p);
}

/* --- running --- */

static const void *data_of(const am_program *p, const am_source *from, const am_tensor *inputs, void *const *states)
{
    switch (from->kind) {
    case AM_SOURCE_INPUT:
        return inputs[from->index].data;
    case AM_SOURCE_STATE:
        return states[from->index];
    case AM_SOURCE_CONSTANT:
        return from->data;
    default:
        return p->pieces[from->index].target->output(p->pieces[from->index].program, from->output).data;
    }
}

/* Indices that a target would read by without looking. */
static am_status check_indices(const am_program *p, int i, bool outputs)
{
    const am_piece *piece = &p->plan->pieces[i];
    const running *r = &p->pieces[i];
    for (int k = 0; k < piece->guard_count; k++) {
        const am_index_guard *guard = &piece->guards[k];
        if (guard->is_output != outputs) continue;
        am_tensor indices = outputs ? r->target->output(r->program, guard->index) : r->inputs[guard->index];
        int64_t count = am_shape_count(&indices.shape);
        for (int64_t e = 0; e < count; e++) {
            int64_t index = am_load_int(indices.dtype, indices.data, e);
            if (index >= 0 && index < guard->limit) continue;
            return am_error(AM_OUT_OF_RANGE, "%s: %s: index %lld at place %lld is not in [0, %lld)", guard->node->name,
                            am_op_of(guard->node->op)->name, (long long)index, (long long)e, (long long)guard->limit);
        }
    }
    return NULL;
}

static am_status run_on_target(am_program *p, int i)
{
    running *r = &p->pieces[i];
    return r->target->run(r->program, r->inputs, r->states);
}

static am_status run_piece(am_program *p, int i, const am_tensor *inputs, void *const *states)
{
    const am_piece *piece = &p->plan->pieces[i];
    const am_graph *graph = piece->graph;
    running *r = &p->pieces[i];
    for (int k = 0; k < graph->input_count; k++) {
        const am_value_info *info = am_graph_value(graph, graph->inputs[k].value);
        const void *data = data_of(p, &piece->inputs[k], inputs, states);
        r->inputs[k] = (am_tensor){info->dtype, info->shape, (void *)(uintptr_t)data};
    }
    for (int k = 0; k < graph->state_count; k++) r->states[k] = states[piece->states[k]];
    if (!r->program) AM_TRY(compile_or_move(p, i));
    AM_TRY(check_indices(p, i, false));
    am_status status = run_on_target(p, i);
    if (status && !is_cpu(r->target) && am_status_code(status) != AM_OUT_OF_RANGE) { /* not the input's fault */
        AM_TRY(move_to_cpu(p, i, r->target, status));
        status = run_on_target(p, i);
    }
    return status ? status : check_indices(p, i, true);
}

static void copy_ends(const am_program *p, const am_tensor *inputs, void *const *states)
{
    const am_plan *plan = p->plan;
    const am_graph *g = plan->whole;
    for (int i = 0; i < g->output_count; i++) {
        const am_value_info *info = am_graph_value(g, g->outputs[i].value);
        size_t bytes = am_tensor_bytes(info->dtype, &info->shape);
        if (p->copies[i] && bytes) memcpy(p->copies[i], data_of(p, &plan->outputs[i], inputs, states), bytes);
    }
    for (int i = 0; i < g->state_count; i++) {
        const am_value_info *info = am_graph_value(g, g->states[i].value);
        size_t bytes = am_tensor_bytes(info->dtype, &info->shape);
        if (plan->is_updated[i] && bytes) memcpy(states[i], data_of(p, &plan->updates[i], inputs, states), bytes);
    }
}

static am_status run_pieces(am_program *p, const am_tensor *inputs, void *const *states)
{
    if (!p->plan->cut) return p->pieces[0].target->run(p->pieces[0].program, inputs, states);
    for (int i = 0; i < p->plan->piece_count; i++) AM_TRY(run_piece(p, i, inputs, states));
    copy_ends(p, inputs, states);
    return NULL;
}

static am_status run_tier(am_program *p, const am_tensor *inputs, void *const *states)
{
    am_program *other = am_tier_next(p->tier);
    double begin = am_clock_ms();
    am_status status = other ? am_program_run(other, inputs, states) : run_pieces(p, inputs, states);
    if (!status) am_tier_ran(p->tier, am_clock_ms() - begin);
    else if (other && am_status_code(status) != AM_OUT_OF_RANGE) {
        am_tier_failed(p->tier, status);
        am_status_free(status);
        other = NULL;
        status = run_pieces(p, inputs, states);
    }
    p->last = other;
    return status;
}

am_status am_program_run(am_program *p, const am_tensor *inputs, void *const *states)
{
    return p->tier ? run_tier(p, inputs, states) : run_pieces(p, inputs, states);
}

am_tensor am_program_output(const am_program *p, int i)
{
    if (p->last) return am_program_output(p->last, i);
    const am_graph *g = p->plan->whole;
    if (!p->plan->cut) return p->pieces[0].target->output(p->pieces[0].program, i);
    if (p->copies[i]) {
        const am_value_info *info = am_graph_value(g, g->outputs[i].value);
        return (am_tensor){info->dtype, info->shape, p->copies[i]};
    }
    const am_source *from = &p->plan->outputs[i];
    return p->pieces[from->index].target->output(p->pieces[from->index].program, from->output);
}

size_t am_program_bytes(const am_program *p)
{
    size_t sum = 0;
    for (int i = 0; i < p->plan->piece_count; i++)
        if (p->pieces[i].program) sum += p->pieces[i].target->bytes(p->pieces[i].program);
    return sum;
}

am_status am_program_export(const am_program *p, int i, am_buffer *out)
{
    const running *r = &p->pieces[i];
    return r->target->export ? r->target->export(r->program, out) : NULL;
}

const char *am_program_kernel(const am_program *p, int piece, const am_node *node)
{
    const running *r = &p->pieces[piece];
    return r->target->kernel && r->program ? r->target->kernel(r->program, node) : "";
}

bool am_program_step(const am_program *p, int piece, int i, am_target_step *out)
{
    const running *r = &p->pieces[piece];
    return r->target->step && r->program && r->target->step(r->program, i, out);
}

const char *am_program_state(am_program *p)
{
    return p->tier ? am_tier_state(p->tier) : NULL;
}

void am_program_count(const am_program *p, int64_t *nodes, int64_t *native)
{
    for (int i = 0; i < p->plan->piece_count; i++) {
        *nodes += p->plan->pieces[i].node_count;
        if (!is_cpu(p->pieces[i].target)) *native += p->plan->pieces[i].node_count;
    }
}
