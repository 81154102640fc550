#include "runtime/session.h"

#include "base/memory.h"
#include "runtime/artefact.h"

#include <stdio.h>
#include <string.h>

enum { GRAPHS_LIMIT = 32 }; /* compiled graphs kept; the one not used for longest goes first */

typedef struct compiled {
    am_arena arena; /* of the signature */
    am_signature signature;
    am_graph *graph;
    am_program *program;
    am_tensor *inputs; /* by graph input: converted data, owned */
    void **states;     /* by graph state: of the session's states */
    uint64_t last_used;
} compiled;

typedef struct state {
    char *name;
    am_dtype dtype;
    am_shape shape;
    void *data;
} state;

struct am_session {
    am_loaded_model *model;
    am_session_options options;
    compiled *graphs[GRAPHS_LIMIT];
    int graph_count;
    compiled *current;
    state *states;
    size_t state_count, state_capacity;
    uint64_t clock;
    bool plan_only; /* of the graph that is made now */
};

am_status am_session_create(am_loaded_model *model, const am_session_options *options, am_session **out)
{
    *out = am_alloc_zeroed(1, sizeof **out);
    if (!*out) return am_out_of_memory();
    (*out)->model = model;
    if (options) (*out)->options = *options;
    return NULL;
}

static void destroy_compiled(compiled *c)
{
    if (!c) return;
    for (int i = 0; c->graph && c->inputs && i < c->graph->input_count; i++) am_free_aligned(c->inputs[i].data);
    am_program_destroy(c->program);
    am_graph_destroy(c->graph);
    am_arena_deinit(&c->arena);
    am_free(c);
}

void am_session_destroy(am_session *s)
{
    if (!s) return;
    for (int i = 0; i < s->graph_count; i++) destroy_compiled(s->graphs[i]);
    for (size_t i = 0; i < s->state_count; i++) {
        am_free(s->states[i].name);
        am_free_aligned(s->states[i].data);
    }
    am_free(s->states);
    am_free(s);
}

/* --- signatures --- */

static bool same_arguments(const am_signature *a, const am_signature *b)
{
    if (a->argument_count != b->argument_count) return false;
    for (int i = 0; i < a->argument_count; i++)
        if (strcmp(a->arguments[i].name, b->arguments[i].name) != 0 || a->arguments[i].value != b->arguments[i].value)
            return false;
    return true;
}

static bool same_signature(const am_signature *a, const am_signature *b)
{
    if (a->input_count != b->input_count || a->stage != b->stage ||
        a->output_hidden_states != b->output_hidden_states || a->cache_capacity != b->cache_capacity ||
        a->cross_cached != b->cross_cached || a->encoder_length != b->encoder_length ||
        a->last_logits_only != b->last_logits_only)
        return false;
    for (int i = 0; i < a->input_count; i++)
        if (strcmp(a->inputs[i].name, b->inputs[i].name) != 0 || a->inputs[i].dtype != b->inputs[i].dtype ||
            !am_shape_equal(&a->inputs[i].shape, &b->inputs[i].shape))
            return false;
    return same_arguments(a, b);
}

static am_status copy_arguments(am_arena *arena, const am_run_options *o, am_signature *out)
{
    am_argument *copies = am_arena_array(arena, (size_t)o->argument_count + 1, sizeof *copies);
    if (!copies) return am_out_of_memory();
    for (int i = 0; i < o->argument_count; i++) {
        const char *name = o->arguments[i].name;
        copies[i] = o->arguments[i];
        copies[i].name = am_arena_string(arena, name, strlen(name));
        if (!copies[i].name) return am_out_of_memory();
    }
    out->arguments = copies;
    out->argument_count = o->argument_count;
    return NULL;
}

static am_status make_signature(am_arena *arena, const am_session_input *inputs, int count, const am_run_options *o,
                                am_signature *out)
{
    static const am_run_options none = {0};
    if (!o) o = &none;
    am_input_spec *specs = am_arena_array(arena, (size_t)count + 1, sizeof *specs);
    if (!specs) return am_out_of_memory();
    for (int i = 0; i < count; i++) {
        const char *name = am_arena_string(arena, inputs[i].name, strlen(inputs[i].name));
        if (!name) return am_out_of_memory();
        if (!am_shape_check(&inputs[i].tensor.shape))
            return am_error(AM_OUT_OF_RANGE, "input %s has an impossible shape", name);
        specs[i] = (am_input_spec){name, inputs[i].tensor.dtype, inputs[i].tensor.shape};
    }
    *out = (am_signature){.inputs = specs,
                          .input_count = count,
                          .stage = o->stage,
                          .output_hidden_states = o->output_hidden_states,
                          .cache_capacity = o->cache_capacity,
                          .cross_cached = o->cross_cached,
                          .encoder_length = o->encoder_length,
                          .last_logits_only = o->last_logits_only};
    return copy_arguments(arena, o, out);
}

/* --- inputs whose numbers are arguments --- */

enum { SHAPING_NUMBERS = 4096 };

static am_status add_argument(am_arena *arena, const char *name, int64_t value, am_signature *s, am_argument *all)
{
    const char *kept = am_arena_string(arena, name, strlen(name));
    if (!kept) return am_out_of_memory();
    all[s->argument_count++] = (am_argument){kept, value, true};
    return NULL;
}

/* How many numbers of a row of x: [B, N] are not zero, which must be the same of all rows. */
static am_status add_marked(am_arena *arena, const am_session_input *x, am_signature *s, am_argument *all)
{
    int64_t rows = x->tensor.shape.dims[0], columns = x->tensor.shape.dims[1], marked = 0;
    for (int64_t r = 0; r < rows; r++) {
        int64_t count = 0;
        for (int64_t i = 0; i < columns; i++)
            count += am_load_real(x->tensor.dtype, x->tensor.data, r * columns + i) != 0;
        if (r > 0 && count != marked)
            return am_error(AM_INVALID_ARGUMENT, "%s marks %lld places of row %lld, and %lld of the rows before it",
                            x->name, (long long)count, (long long)r, (long long)marked);
        marked = count;
    }
    return add_argument(arena, x->name, marked, s, all);
}

/* Rows of x: [.., N]. */
static int64_t row_count(const am_session_input *x)
{
    const am_shape *shape = &x->tensor.shape;
    int64_t columns = shape->dims[shape->rank - 1];
    return columns ? am_shape_count(shape) / columns : 0;
}

/* How many numbers of each row of x: [.., N] are not zero; `first`: these stand before the others. */
static am_status add_marked_rows(am_arena *arena, const am_session_input *x, bool first, am_signature *s,
                                 am_argument *all)
{
    int64_t columns = x->tensor.shape.dims[x->tensor.shape.rank - 1], rows = row_count(x);
    char name[256];
    for (int64_t r = 0; r < rows; r++) {
        int64_t count = 0;
        for (int64_t i = 0; i < columns; i++) {
            if (am_load_real(x->tensor.dtype, x->tensor.data, r * columns + i) == 0) continue;
            if (first && count++ != i)
                return am_error(AM_UNSUPPORTED, "%s: row %lld marks places behind others that it does not", x->name,
                                (long long)r);
            count += !first;
        }
        snprintf(name, sizeof name, "%s.%lld", x->name, (long long)r);
        AM_TRY(add_argument(arena, name, count, s, all));
    }
    return NULL;
}

static am_status add_numbers(am_arena *arena, const am_session_input *x, am_signature *s, am_argument *all)
{
    int64_t count = am_shape_count(&x->tensor.shape);
    char name[256];
    for (int64_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%s.%lld", x->name, (long long)i);
        AM_TRY(add_argument(arena, name, am_load_int(x->tensor.dtype, x->tensor.data, i), s, all));
    }
    return NULL;
}

/* How often `token` stands in that row of x: [B, N] that has most of them. */
static int64_t most_of_a_row(const am_session_input *x, int64_t token)
{
    int64_t rows = x->tensor.shape.dims[0], columns = x->tensor.shape.dims[1], most = 0;
    for (int64_t r = 0; r < rows; r++) {
        int64_t found = 0;
        for (int64_t i = 0; i < columns; i++)
            found += am_load_real(x->tensor.dtype, x->tensor.data, r * columns + i) == (double)token;
        if (found > most) most = found;
    }
    return most;
}

/* The input of that name, or null. */
static const am_session_input *find_given(const am_session_input *inputs, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(inputs[i].name, name) == 0) return &inputs[i];
    return NULL;
}

static am_status check_numbers(const am_session_input *x)
{
    int64_t count = am_shape_count(&x->tensor.shape);
    if (am_dtype_is_float(x->tensor.dtype)) return am_error(AM_INVALID_ARGUMENT, "%s: expected whole numbers", x->name);
    if (count <= SHAPING_NUMBERS) return NULL;
    return am_error(AM_OUT_OF_RANGE, "%s has %lld numbers, at most %d are supported", x->name, (long long)count,
                    SHAPING_NUMBERS);
}

/* Arguments that are there already, and room for those of one more input. */
static am_argument *grow_arguments(am_arena *arena, int64_t more, am_signature *s)
{
    am_argument *all = am_arena_array(arena, (size_t)(s->argument_count + more), sizeof *all);
    if (all && s->argument_count) memcpy(all, s->arguments, (size_t)s->argument_count * sizeof *all);
    if (all) s->arguments = all;
    return all;
}

static am_status add_shaping_input(const am_session *session, am_arena *arena, const am_session_input *x,
                                   const am_shaping_input *shaping, am_signature *s)
{
    bool by_numbers = shaping->kind == AM_SHAPED_BY_NUMBERS, first = shaping->kind == AM_SHAPED_BY_STARTS,
         by_rows = first || shaping->kind == AM_SHAPED_BY_ROWS;
    int rank = x->tensor.shape.rank;
    if (!x->tensor.data || (!by_numbers && (by_rows ? rank < 2 : rank != 2)))
        return NULL; /* its class says what is wrong */
    if (by_numbers) AM_TRY(check_numbers(x));
    int64_t rows = by_rows ? row_count(x) : 1;
    if (rows > SHAPING_NUMBERS)
        return am_error(AM_OUT_OF_RANGE, "%s has %lld rows, at most %d are supported", x->name, (long long)rows,
                        SHAPING_NUMBERS);
    am_argument *all = grow_arguments(arena, by_numbers ? am_shape_count(&x->tensor.shape) : rows, s);
    if (!all) return am_out_of_memory();
    if (by_rows) return add_marked_rows(arena, x, first, s, all);
    if (by_numbers) return add_numbers(arena, x, s, all);
    if (shaping->kind == AM_SHAPED_BY_MARKS) return add_marked(arena, x, s, all);
    am_config config = session->model->config;
    if (shaping->part) config = am_config_child(&config, shaping->part);
    int64_t token = am_config_int(&config, shaping->token, shaping->fallback);
    return add_argument(arena, shaping->argument, most_of_a_row(x, token), s, all);
}

static am_status add_shaping_inputs(const am_session *session, am_arena *arena, const am_session_input *inputs,
                                    int count, am_signature *s)
{
    const am_shaping_input *shaping = session->model->type->shaping_inputs;
    for (; shaping && shaping->name; shaping++) {
        const am_session_input *x = find_given(inputs, count, shaping->name);
        bool is_told = shaping->argument && find_given(inputs, count, shaping->argument);
        if (x && !is_told) AM_TRY(add_shaping_input(session, arena, x, shaping, s));
    }
    return NULL;
}

/* --- states --- */

static state *find_state(am_session *s, const char *name)
{
    for (size_t i = 0; i < s->state_count; i++)
        if (strcmp(s->states[i].name, name) == 0) return &s->states[i];
    return NULL;
}

static am_status add_state(am_session *s, const char *name, state **out)
{
    if (s->state_count == s->state_capacity) {
        size_t larger = s->state_capacity ? 2 * s->state_capacity : 64;
        state *grown = am_realloc(s->states, larger * sizeof *grown);
        if (!grown) return am_out_of_memory();
        s->states = grown;
        s->state_capacity = larger;
    }
    state new = {.name = am_copy_string(name, strlen(name))};
    if (!new.name) return am_out_of_memory();
    s->states[s->state_count] = new;
    *out = &s->states[s->state_count++];
    return NULL;
}

static int64_t inner_bytes(const state *st, int from)
{
    int64_t bytes = (int64_t)am_dtype_bytes(st->dtype);
    for (int i = from; i < st->shape.rank; i++) bytes *= st->shape.dims[i];
    return bytes;
}

/* Whether only the number of places, dimension 1, differs. */
static bool is_resized(const am_shape *a, const am_shape *b)
{
    if (a->rank != b->rank || a->rank < 2) return false;
    for (int i = 0; i < a->rank; i++)
        if (i != 1 && a->dims[i] != b->dims[i]) return false;
    return true;
}

/* The state in the wanted shape: kept as it is, or with more places, or new and zero. */
static am_status fit_state(state *st, const am_value_info *info)
{
    if (st->data && st->dtype == info->dtype && am_shape_equal(&st->shape, &info->shape)) return NULL;
    size_t bytes = am_tensor_bytes(info->dtype, &info->shape);
    char *data = am_alloc_aligned(bytes);
    if (!data) return am_error(AM_OUT_OF_MEMORY, "no memory for a cache of %zu bytes", bytes);
    memset(data, 0, bytes);
    state fresh = {.name = st->name, .dtype = info->dtype, .shape = info->shape, .data = data};
    if (st->data && st->dtype == info->dtype && is_resized(&st->shape, &info->shape)) {
        int64_t old = inner_bytes(st, 1), new = inner_bytes(&fresh, 1), kept = old < new ? old : new;
        for (int64_t row = 0; row < st->shape.dims[0]; row++)
            memcpy(data + row * new, (char *)st->data + row * old, (size_t)kept);
    }
    am_free_aligned(st->data);
    *st = fresh;
    return NULL;
}

static am_status bind_states(am_session *s, compiled *c)
{
    for (int i = 0; i < c->graph->state_count; i++) {
        const am_graph_state *wanted = &c->graph->states[i];
        state *st = find_state(s, wanted->name);
        if (!st) AM_TRY(add_state(s, wanted->name, &st));
        AM_TRY(fit_state(st, am_graph_value(c->graph, wanted->value)));
    }
    for (int i = 0; i < c->graph->state_count; i++) c->states[i] = find_state(s, c->graph->states[i].name)->data;
    return NULL;
}

void am_session_reset(am_session *s)
{
    for (size_t i = 0; i < s->state_count; i++)
        memset(s->states[i].data, 0, am_tensor_bytes(s->states[i].dtype, &s->states[i].shape));
}

/* Rows of one state, gathered into memory of their own. */
static am_status gather_rows(state *st, const int32_t *rows, int64_t from, int64_t to)
{
    int64_t held = st->shape.rank < 1 ? 0 : st->shape.dims[0], each = from ? held / from : 0;
    size_t bytes = (size_t)(inner_bytes(st, 1) * each);
    if (each < 1 || held % from)
        return am_error(AM_INVALID_ARGUMENT, "reordering %lld rows of a cache of %lld", (long long)from,
                        (long long)held);
    char *data = am_alloc_aligned(bytes * (size_t)to);
    if (!data) return am_error(AM_OUT_OF_MEMORY, "no memory for a cache of %zu bytes", bytes * (size_t)to);
    for (int64_t r = 0; r < to; r++)
        memcpy(data + (size_t)r * bytes, (char *)st->data + (size_t)rows[r] * bytes, bytes);
    am_free_aligned(st->data);
    st->data = data;
    st->shape.dims[0] = to * each;
    return NULL;
}

am_status am_session_reorder(am_session *s, const int32_t *rows, int64_t from, int64_t to)
{
    for (size_t i = 0; i < s->state_count; i++) AM_TRY(gather_rows(&s->states[i], rows, from, to));
    return NULL;
}

/* --- compiling --- */

/* Bytes of the inputs and of the states that are not there in the wanted shape. */
static size_t other_bytes(am_session *s, const am_graph *graph)
{
    size_t sum = 0;
    for (int i = 0; i < graph->input_count; i++) {
        const am_value_info *info = am_graph_value(graph, graph->inputs[i].value);
        if (!am_add_size(sum, am_tensor_bytes(info->dtype, &info->shape), &sum)) return SIZE_MAX;
    }
    for (int i = 0; i < graph->state_count; i++) {
        const am_value_info *info = am_graph_value(graph, graph->states[i].value);
        const state *st = find_state(s, graph->states[i].name);
        if (st && st->dtype == info->dtype && am_shape_equal(&st->shape, &info->shape)) continue;
        if (!am_add_size(sum, am_tensor_bytes(info->dtype, &info->shape), &sum)) return SIZE_MAX;
    }
    return sum;
}

/* From the artefact where there is one; what that lacks is the cpu's. */
static am_status make_program(am_session *s, compiled *c, am_target_options *options)
{
    if (!s->options.artefact) return am_program_create(c->graph, &s->options.targets, options, &c->program);
    AM_TRY(am_artefact_find(s->options.artefact, s->model->architecture->name, &c->signature, &options->compiled));
    return am_program_create(c->graph, options->compiled ? &s->options.targets : NULL, options, &c->program);
}

static am_status compile(am_session *s, compiled *c)
{
    am_target_options options = s->options.program;
    AM_TRY(am_loaded_model_build(s->model, &c->signature, &c->graph));
    if (s->options.weights.format.bits)
        AM_TRY(am_quantized_weights_apply(&s->model->quantized, &s->options.weights, &c->graph));
    if (s->options.expand) {
        am_graph *expanded;
        AM_TRY(am_graph_expand(c->graph, NULL, NULL, &expanded));
        am_graph_destroy(c->graph);
        c->graph = expanded;
    }
    if (s->options.expose) AM_TRY(am_graph_expose(c->graph));
    c->inputs = am_arena_array(&c->arena, (size_t)c->graph->input_count + 1, sizeof *c->inputs);
    c->states = am_arena_array(&c->arena, (size_t)c->graph->state_count + 1, sizeof *c->states);
    if (!c->inputs || !c->states) return am_out_of_memory();
    options.other_bytes = other_bytes(s, c->graph);
    options.plan_only = s->plan_only;
    AM_TRY(make_program(s, c, &options));
    for (int i = 0; i < c->graph->input_count; i++) {
        const am_value_info *info = am_graph_value(c->graph, c->graph->inputs[i].value);
        c->inputs[i] =
            (am_tensor){info->dtype, info->shape, am_alloc_aligned(am_tensor_bytes(info->dtype, &info->shape))};
        if (!c->inputs[i].data) return am_out_of_memory();
    }
    return NULL;
}

static void make_room(am_session *s)
{
    int oldest = 0;
    if (s->graph_count < GRAPHS_LIMIT) return;
    for (int i = 1; i < s->graph_count; i++)
        if (s->graphs[i]->last_used < s->graphs[oldest]->last_used) oldest = i;
    if (s->current == s->graphs[oldest]) s->current = NULL;
    destroy_compiled(s->graphs[oldest]);
    s->graphs[oldest] = s->graphs[--s->graph_count];
}

static am_status find_or_compile(am_session *s, const am_session_input *inputs, int count,
                                 const am_run_options *options)
{
    compiled *c = am_alloc_zeroed(1, sizeof *c);
    if (!c) return am_out_of_memory();
    am_status status = make_signature(&c->arena, inputs, count, options, &c->signature);
    if (!status) status = add_shaping_inputs(s, &c->arena, inputs, count, &c->signature);
    for (int i = 0; i < s->graph_count && !status; i++)
        if (same_signature(&s->graphs[i]->signature, &c->signature)) {
            destroy_compiled(c);
            s->current = s->graphs[i];
            s->current->last_used = ++s->clock;
            return NULL;
        }
    if (!status) status = compile(s, c);
    if (status) {
        destroy_compiled(c);
        return status;
    }
    make_room(s);
    c->last_used = ++s->clock;
    s->current = s->graphs[s->graph_count++] = c;
    return NULL;
}

am_status am_session_prepare(am_session *s, const am_session_input *inputs, int count, const am_run_options *options)
{
    return find_or_compile(s, inputs, count, options);
}

am_status am_session_plan(am_session *s, const am_session_input *inputs, int count, const am_run_options *options)
{
    s->plan_only = true;
    am_status status = find_or_compile(s, inputs, count, options);
    s->plan_only = false;
    return status;
}

/* --- running --- */

static am_status convert_input(const char *name, const am_tensor *from, const am_tensor *to)
{
    int64_t count = am_shape_count(&from->shape);
    if (to->dtype == AM_I32 && from->dtype == AM_I64)
        for (int64_t i = 0; i < count; i++) {
            int64_t value = ((const int64_t *)from->data)[i];
            if (value < INT32_MIN || value > INT32_MAX)
                return am_error(AM_OUT_OF_RANGE, "input %s: %lld at place %lld does not fit 32 bits", name,
                                (long long)value, (long long)i);
        }
    am_convert(to->dtype, to->data, from->dtype, from->data, count);
    return NULL;
}

static am_status fill_input(const compiled *c, int i, const am_session_input *inputs, int count,
                            const am_run_options *options)
{
    const char *name = c->graph->inputs[i].name;
    if (strcmp(name, "cache_offset") == 0) {
        *(int32_t *)c->inputs[i].data = options ? (int32_t)options->cache_offset : 0;
        return NULL;
    }
    for (int k = 0; k < count; k++)
        if (strcmp(inputs[k].name, name) == 0) return convert_input(name, &inputs[k].tensor, &c->inputs[i]);
    return am_error(AM_INTERNAL, "input %s was not given", name);
}

/* The inputs hold what the graph counts on: as many image tokens as there are rows of features. */
static am_status check_inputs(const compiled *c)
{
    for (int i = 0; i < c->graph->check_count; i++) {
        const am_graph_check *check = &c->graph->checks[i];
        int64_t found = 0;
        for (int k = 0; k < c->graph->input_count; k++) {
            if (strcmp(c->graph->inputs[k].name, check->input) != 0) continue;
            const am_tensor *x = &c->inputs[k];
            int64_t count = am_shape_count(&x->shape);
            for (int64_t at = 0; at < count; at++) found += am_load_int(x->dtype, x->data, at) == check->value;
        }
        if (found == check->count) continue;
        return am_error(AM_OUT_OF_RANGE, "%s has %lld tokens %lld, but there are %lld %s", check->input,
                        (long long)found, (long long)check->value, (long long)check->count, check->what);
    }
    return NULL;
}

static am_status run_once(am_session *s, const am_session_input *inputs, int count, const am_run_options *options)
{
    if (options && options->cache_capacity > INT32_MAX)
        return am_error(AM_OUT_OF_RANGE, "a cache of %lld places", (long long)options->cache_capacity);
    AM_TRY(find_or_compile(s, inputs, count, options));
    compiled *c = s->current;
    AM_TRY(bind_states(s, c));
    for (int i = 0; i < c->graph->input_count; i++) AM_TRY(fill_input(c, i, inputs, count, options));
    AM_TRY(check_inputs(c));
    return am_program_run(c->program, c->inputs, c->states);
}

/* The argument that AM_MEASURES promises: the length that a graph of that stage gives. */
static am_status measure(am_session *s, const am_session_input *inputs, int count, const am_run_options *options,
                         am_argument *out)
{
    am_run_options first = *options;
    am_tensor length;
    first.stage = AM_STAGE_MEASURE;
    first.output_hidden_states = false;
    AM_TRY(run_once(s, inputs, count, &first));
    if (!am_session_find_output(s, "length", &length) || am_shape_count(&length.shape) != 1)
        return am_error(AM_INTERNAL, "the graph that measures gives no length");
    *out = (am_argument){.name = "length", .value = am_load_int(length.dtype, length.data, 0)};
    if (out->value < 0 || out->value > INT32_MAX)
        return am_error(AM_OUT_OF_RANGE, "results of length %lld", (long long)out->value);
    return NULL;
}

am_status am_session_run(am_session *s, const am_session_input *inputs, int count, const am_run_options *options)
{
    am_run_options all = options ? *options : (am_run_options){0};
    am_argument *arguments;
    if (!(s->model->architecture->flags & AM_MEASURES) || all.stage != AM_STAGE_FORWARD)
        return run_once(s, inputs, count, options);
    arguments = am_alloc_zeroed((size_t)all.argument_count + 1, sizeof *arguments);
    if (!arguments) return am_out_of_memory();
    for (int i = 0; i < all.argument_count; i++) arguments[i] = all.arguments[i];
    am_status status = measure(s, inputs, count, &all, &arguments[all.argument_count]);
    all.arguments = arguments;
    all.argument_count++;
    if (!status) status = run_once(s, inputs, count, &all);
    am_free(arguments);
    return status;
}

bool am_session_compiles_long(const am_session *s)
{
    const am_target_choice *choice = &s->options.targets;
    return choice->policy != AM_TARGET_AUTO && choice->count > 0 && choice->picks[0].target->compiles_long;
}

int am_session_output_count(const am_session *s)
{
    return s->current ? s->current->graph->output_count : 0;
}

const char *am_session_output_name(const am_session *s, int i)
{
    return s->current->graph->outputs[i].name;
}

am_tensor am_session_output(const am_session *s, int i)
{
    return am_program_output(s->current->program, i);
}

bool am_session_find_output(const am_session *s, const char *name, am_tensor *out)
{
    for (int i = 0; i < am_session_output_count(s); i++)
        if (strcmp(am_session_output_name(s, i), name) == 0) {
            *out = am_session_output(s, i);
            return true;
        }
    return false;
}

const am_graph *am_session_graph(const am_session *s)
{
    return s->current ? s->current->graph : NULL;
}

am_program *am_session_program(const am_session *s)
{
    return s->current ? s->current->program : NULL;
}

am_loaded_model *am_session_model(const am_session *s)
{
    return s->model;
}

void am_session_each_compiled(const am_session *s,
                              void (*on_program)(void *context, const am_signature *signature, am_program *program),
                              void *context)
{
    for (int i = 0; i < s->graph_count; i++) on_program(context, &s->graphs[i]->signature, s->graphs[i]->program);
}

void am_session_count_nodes(const am_session *s, int64_t *out_nodes, int64_t *out_native)
{
    *out_nodes = *out_native = 0;
    for (int i = 0; i < s->graph_count; i++) am_program_count(s->graphs[i]->program, out_nodes, out_native);
}

void am_session_each_elsewhere(const am_session *s, void (*on_node)(void *context, const char *op, const char *reason),
                               void *context)
{
    for (int i = 0; i < s->graph_count; i++) {
        const am_plan *plan = am_program_plan(s->graphs[i]->program);
        for (int k = 0; plan->cut && k < plan->cut->node_count; k++)
            if (plan->reasons[k]) on_node(context, am_op_of(plan->cut->nodes[k].op)->name, plan->reasons[k]);
    }
}
