#include "graph/builder.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "graph/context.h"
#include "graph/ops.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SCOPE_BYTES = 1024, SCOPE_DEPTH = 64, MISSING_LISTED = 6, MISSING_LIMIT = 200000 };

struct am_builder {
    am_graph *graph;
    am_status error;
    char scope[SCOPE_BYTES];
    size_t scope_lengths[SCOPE_DEPTH];
    int scope_depth;
    size_t weight_root;     /* length of the part of the scope at which whole names begin */
    const char *scope_name; /* copy of the scope in the graph's arena; null until needed */
    am_weight_lookup lookup;
    void *lookup_context;
    void *context;
    am_buffer missing; /* names and shapes of the first weights that are not there */
    int missing_count;
};

am_status am_builder_create(am_builder **out)
{
    am_builder *b = am_alloc_zeroed(1, sizeof *b);
    *out = NULL;
    if (!b) return am_out_of_memory();
    b->graph = am_alloc_zeroed(1, sizeof *b->graph);
    if (!b->graph) {
        am_free(b);
        return am_out_of_memory();
    }
    *out = b;
    return NULL;
}

void am_builder_destroy(am_builder *b)
{
    if (!b) return;
    am_graph_destroy(b->graph);
    am_status_free(b->error);
    am_buffer_deinit(&b->missing);
    am_free(b);
}

bool am_builder_failed(const am_builder *b)
{
    return b->error != NULL;
}

void am_builder_fail(am_builder *b, am_status status)
{
    if (!status) return;
    if (b->error) am_status_free(status);
    else b->error = b->scope[0] ? am_note(status, "%s", b->scope) : status;
}

void am_builder_set_context(am_builder *b, void *context)
{
    b->context = context;
}

void *am_builder_context(const am_builder *b)
{
    return b->context;
}

am_arena *am_builder_arena(am_builder *b)
{
    return &b->graph->arena;
}

/* --- growing arrays --- */

static bool grow(void **array, int *capacity, int count, size_t bytes)
{
    if (count < *capacity) return true;
    int larger = *capacity ? *capacity * 2 : 64;
    void *grown = am_realloc(*array, (size_t)larger * bytes);
    if (!grown) return false;
    *array = grown;
    *capacity = larger;
    return true;
}

#define GROW(b, field)                                                                                                 \
    (grow((void **)&(b)->graph->field##s, &(b)->graph->field##_capacity, (b)->graph->field##_count,                    \
          sizeof *(b)->graph->field##s) ||                                                                             \
     (am_builder_fail(b, am_out_of_memory()), false))

/* --- scopes --- */

void am_scope(am_builder *b, const char *format, ...)
{
    va_list arguments;
    size_t length = strlen(b->scope);
    if (b->scope_depth == SCOPE_DEPTH) {
        am_builder_fail(b, am_error(AM_INTERNAL, "scopes nested more than %d deep", SCOPE_DEPTH));
        return;
    }
    b->scope_lengths[b->scope_depth++] = length;
    if (length && length + 1 < SCOPE_BYTES) b->scope[length++] = '.';
    va_start(arguments, format);
    int added = vsnprintf(b->scope + length, SCOPE_BYTES - length, format, arguments);
    va_end(arguments);
    if (added == 0) b->scope[b->scope_lengths[b->scope_depth - 1]] = 0; /* an empty name leaves the path as it is */
    if (added < 0 || (size_t)added >= SCOPE_BYTES - length)
        am_builder_fail(b, am_error(AM_INTERNAL, "scope longer than %d bytes", SCOPE_BYTES));
    b->scope_name = NULL;
}

void am_end_scope(am_builder *b)
{
    if (b->scope_depth == 0) return;
    b->scope[b->scope_lengths[--b->scope_depth]] = 0;
    b->scope_name = NULL;
}

const char *am_scope_path(const am_builder *b)
{
    return b->scope;
}

static const char *scope_name(am_builder *b)
{
    if (!b->scope_name) b->scope_name = am_arena_string(&b->graph->arena, b->scope, strlen(b->scope));
    if (!b->scope_name) am_builder_fail(b, am_out_of_memory());
    return b->scope_name ? b->scope_name : "";
}

/* --- nodes --- */

static am_value add_value(am_builder *b, const am_value_info *info)
{
    if (b->graph->value_count == 0) b->graph->value_count = 1; /* id 0 means none */
    if (!GROW(b, value)) return AM_NONE;
    am_value value = {b->graph->value_count++};
    b->graph->values[value.id] = *info;
    b->graph->values[value.id].producer = b->graph->node_count;
    return value;
}

static am_status infer(am_builder *b, const am_op *op, const am_value *inputs, int input_count, const void *attributes,
                       am_infer *context)
{
    const am_value_info *infos[AM_INPUT_LIMIT];
    if (input_count < op->min_inputs || input_count > op->max_inputs)
        return am_error(AM_INTERNAL, "takes %d to %d inputs, found %d", op->min_inputs, op->max_inputs, input_count);
    for (int i = 0; i < input_count; i++) {
        infos[i] = inputs[i].id ? &b->graph->values[inputs[i].id] : NULL;
        if (!infos[i] && i < op->min_inputs) return am_error(AM_INTERNAL, "input %d is missing", i);
    }
    context->attributes = attributes;
    context->inputs = infos;
    context->input_count = input_count;
    context->output_count = 1;
    AM_TRY(op->infer(context));
    for (int i = 0; i < context->output_count; i++)
        if (!am_shape_check(&context->outputs[i].shape)) {
            char text[AM_SHAPE_TEXT];
            return am_error(AM_OUT_OF_RANGE, "a result of shape %s is too large",
                            am_shape_text(&context->outputs[i].shape, text));
        }
    return NULL;
}

static const void *copy_attributes(am_builder *b, const am_op *op, const void *attributes)
{
    if (!op->attributes_bytes) return NULL;
    void *copy = am_arena_alloc(&b->graph->arena, op->attributes_bytes);
    if (copy) memcpy(copy, attributes, op->attributes_bytes);
    return copy;
}

static am_value append_node(am_builder *b, am_op_kind kind, const am_value *inputs, int input_count,
                            const void *attributes, const am_infer *inferred, am_value *outputs)
{
    am_node node = {.op = kind, .input_count = input_count, .output_count = inferred->output_count};
    node.inputs = am_arena_array(&b->graph->arena, (size_t)input_count, sizeof *inputs);
    node.attributes = copy_attributes(b, am_op_of(kind), attributes);
    node.name = scope_name(b);
    if (b->error || !node.inputs || (!node.attributes && am_op_of(kind)->attributes_bytes)) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    if (input_count) memcpy(node.inputs, inputs, (size_t)input_count * sizeof *inputs);
    for (int i = 0; i < inferred->output_count; i++) {
        am_value value = add_value(b, &inferred->outputs[i]);
        if (!value.id) return AM_NONE;
        if (i == 0) node.first_output = value;
        if (outputs) outputs[i] = value;
    }
    if (!GROW(b, node)) return AM_NONE;
    b->graph->nodes[b->graph->node_count++] = node;
    return node.first_output;
}

am_value am_add_node(am_builder *b, am_op_kind kind, const am_value *inputs, int input_count, const void *attributes,
                     am_value *outputs)
{
    const am_op *op = am_op_of(kind);
    am_value_info results[AM_OUTPUT_LIMIT] = {0};
    am_infer context = {.outputs = results};
    if (outputs) outputs[0] = AM_NONE;
    if (b->error) return AM_NONE;
    am_status status = infer(b, op, inputs, input_count, attributes, &context);
    if (status) {
        am_builder_fail(b, am_note(status, "%s", op->name));
        return AM_NONE;
    }
    am_value value = append_node(b, kind, inputs, input_count, attributes, &context, outputs);
    if (b->error && outputs)
        for (int i = 0; i < context.output_count; i++) outputs[i] = AM_NONE;
    return b->error ? AM_NONE : value;
}

/* --- weights --- */

void am_builder_set_weights(am_builder *b, am_weight_lookup lookup, void *context)
{
    b->lookup = lookup;
    b->lookup_context = context;
}

static bool full_name(am_builder *b, const char *name, char out[SCOPE_BYTES])
{
    int length = snprintf(out, SCOPE_BYTES, "%s%s%s", b->scope, b->scope[0] && name[0] ? "." : "", name);
    if (length >= 0 && length < SCOPE_BYTES) return true;
    am_builder_fail(b, am_error(AM_INTERNAL, "weight name longer than %d bytes", SCOPE_BYTES));
    return false;
}

bool am_has_weight(am_builder *b, const char *name)
{
    char path[SCOPE_BYTES];
    am_tensor tensor;
    return !b->error && b->lookup && full_name(b, name, path) && b->lookup(b->lookup_context, path, &tensor);
}

static bool shape_fits(const am_shape *found, const am_shape *expected)
{
    if (found->rank != expected->rank) return false;
    for (int i = 0; i < found->rank; i++)
        if (expected->dims[i] != -1 && expected->dims[i] != found->dims[i]) return false;
    return true;
}

static am_status missing_error(const am_builder *b)
{
    const char *names = b->missing.failed ? "" : b->missing.bytes;
    if (b->missing_count == 1) return am_error(AM_NOT_FOUND, "tensor %s is missing", names);
    if (b->missing_count <= MISSING_LISTED)
        return am_error(AM_NOT_FOUND, "%d tensors are missing: %s", b->missing_count, names);
    return am_error(AM_NOT_FOUND, "%d tensors are missing: %s and %d more", b->missing_count, names,
                    b->missing_count - MISSING_LISTED);
}

/* Building goes on with a tensor of the wanted shape and no data, so that the error at the end counts all that are
   missing: after a wrong prefix that is all of them, after one lost shard those in it. More than a model can have are
   not waited for: the configuration asks for a million layers. */
static am_value missing_weight(am_builder *b, const char *path, am_shape shape)
{
    char text[AM_SHAPE_TEXT];
    if (b->missing_count++ < MISSING_LISTED)
        am_buffer_printf(&b->missing, "%s%s %s", b->missing.length ? ", " : "", path, am_shape_text(&shape, text));
    if (b->missing_count == MISSING_LIMIT) am_builder_fail(b, missing_error(b));
    for (int i = 0; i < shape.rank; i++)
        if (shape.dims[i] < 0) shape.dims[i] = 1;
    return am_constant_lent(b, path, AM_F32, shape, NULL);
}

/* The tensor found at a path as a constant, AM_NONE after an error. */
static am_value found_weight(am_builder *b, const char *path, const am_shape *shape, const am_tensor *tensor)
{
    char expected[AM_SHAPE_TEXT], found[AM_SHAPE_TEXT];
    if (!shape_fits(&tensor->shape, shape)) {
        am_builder_fail(b, am_error(AM_INVALID_FILE, "tensor %s: expected shape %s, found %s", path,
                                    am_shape_text(shape, expected), am_shape_text(&tensor->shape, found)));
        return AM_NONE;
    }
    return am_constant_lent(b, path, tensor->dtype, tensor->shape, tensor->data);
}

static am_value wrong_dtype(am_builder *b, const char *path, const char *expected, am_dtype found)
{
    am_builder_fail(b, am_error(AM_UNSUPPORTED, "tensor %s: expected a dtype of %s, found %s", path, expected,
                                am_dtype_file_name(found)));
    return AM_NONE;
}

static am_value weight_at(am_builder *b, const char *path, am_shape shape, bool optional)
{
    am_tensor tensor;
    if (b->error) return AM_NONE;
    if (!b->lookup || !b->lookup(b->lookup_context, path, &tensor))
        return optional ? AM_NONE : missing_weight(b, path, shape);
    if (!am_dtype_is_float(tensor.dtype)) return wrong_dtype(b, path, "real numbers", tensor.dtype);
    am_value value = found_weight(b, path, &shape, &tensor);
    return tensor.dtype == AM_F64 ? am_cast(b, value, AM_F32) : value; /* models compute in f32 */
}

static am_value weight(am_builder *b, const char *name, am_shape shape, bool optional)
{
    char path[SCOPE_BYTES];
    return b->error || !full_name(b, name, path) ? AM_NONE : weight_at(b, path, shape, optional);
}

am_value am_weight_absolute(am_builder *b, const char *name, am_shape shape)
{
    char path[SCOPE_BYTES];
    int root = (int)b->weight_root;
    int length = snprintf(path, sizeof path, "%.*s%s%s", root, b->scope, root ? "." : "", name);
    if (length >= 0 && length < SCOPE_BYTES) return weight_at(b, path, shape, false);
    am_builder_fail(b, am_error(AM_INTERNAL, "weight name longer than %d bytes", SCOPE_BYTES));
    return AM_NONE;
}

size_t am_weight_root_here(am_builder *b)
{
    size_t before = b->weight_root;
    b->weight_root = strlen(b->scope);
    return before;
}

void am_weight_root_restore(am_builder *b, size_t root)
{
    b->weight_root = root;
}

am_value am_weight(am_builder *b, const char *name, am_shape shape)
{
    return weight(b, name, shape, false);
}

am_value am_weight_optional(am_builder *b, const char *name, am_shape shape)
{
    return weight(b, name, shape, true);
}

am_value am_weight_integers(am_builder *b, const char *name, am_shape shape)
{
    char path[SCOPE_BYTES];
    am_tensor tensor;
    if (b->error || !full_name(b, name, path)) return AM_NONE;
    if (!b->lookup || !b->lookup(b->lookup_context, path, &tensor))
        return am_cast(b, missing_weight(b, path, shape), AM_I32);
    if (tensor.dtype != AM_I32 && tensor.dtype != AM_I64) return wrong_dtype(b, path, "integers", tensor.dtype);
    return am_cast(b, found_weight(b, path, &shape, &tensor), AM_I32);
}

/* --- inputs, outputs, states --- */

static const char *copy_name(am_builder *b, const char *name)
{
    const char *copy = am_arena_string(&b->graph->arena, name, strlen(name));
    if (!copy) am_builder_fail(b, am_out_of_memory());
    return copy ? copy : "";
}

static am_value add_input(am_builder *b, const char *name, am_dtype dtype, am_shape shape, bool is_state)
{
    am_input_attributes attributes = {.name = copy_name(b, name), .dtype = dtype, .shape = shape, .is_state = is_state};
    return am_add_node(b, AM_OP_INPUT, NULL, 0, &attributes, NULL);
}

am_value am_graph_input(am_builder *b, const char *name, am_dtype dtype, am_shape shape)
{
    am_value value = add_input(b, name, dtype, shape, false);
    if (b->error || !GROW(b, input)) return AM_NONE;
    b->graph->inputs[b->graph->input_count++] = (am_named_value){copy_name(b, name), value};
    return value;
}

am_value am_graph_state_input(am_builder *b, const char *name, am_dtype dtype, am_shape shape)
{
    am_value value = add_input(b, name, dtype, shape, true);
    if (b->error || !GROW(b, state)) return AM_NONE;
    b->graph->states[b->graph->state_count++] = (am_graph_state){copy_name(b, name), value, AM_NONE};
    return value;
}

static void add_check(am_builder *b, const am_graph_check *check)
{
    if (b->error || !GROW(b, check)) return;
    b->graph->checks[b->graph->check_count++] =
        (am_graph_check){copy_name(b, check->input), check->value, check->count, check->what};
}

void am_require_count(am_builder *b, am_value value, int64_t wanted, int64_t count, const char *what)
{
    for (int i = 0; i < b->graph->input_count && !b->error; i++)
        if (b->graph->inputs[i].value.id == value.id)
            add_check(b, &(am_graph_check){b->graph->inputs[i].name, wanted, count, what});
}

void am_state_update(am_builder *b, am_value state, am_value updated)
{
    if (b->error) return;
    const am_value_info *from = &b->graph->values[state.id], *to = &b->graph->values[updated.id];
    if (from->dtype != to->dtype || !am_shape_equal(&from->shape, &to->shape)) {
        am_builder_fail(b, am_error(AM_INTERNAL, "a state is updated by a value of another dtype or shape"));
        return;
    }
    for (int i = 0; i < b->graph->state_count; i++)
        if (b->graph->states[i].value.id == state.id) b->graph->states[i].updated = updated;
}

void am_output(am_builder *b, const char *name, am_value value)
{
    if (b->error) return;
    if (!value.id) {
        am_builder_fail(b, am_error(AM_INTERNAL, "output %s has no value", name));
        return;
    }
    if (!GROW(b, output)) return;
    b->graph->outputs[b->graph->output_count++] = (am_named_value){copy_name(b, name), value};
}

int am_output_count(const am_builder *b)
{
    return b->graph->output_count;
}

int am_outputs_take(am_builder *b, int first, const am_named_value **out)
{
    int count = b->error ? 0 : b->graph->output_count - first;
    am_named_value *taken = am_arena_array(&b->graph->arena, (size_t)count + 1, sizeof *taken);
    *out = taken;
    if (!taken) am_builder_fail(b, am_out_of_memory());
    if (!taken || !count) return 0;
    memcpy(taken, b->graph->outputs + first, (size_t)count * sizeof *taken);
    b->graph->output_count = first;
    return count;
}

/* --- values --- */

am_dtype am_dtype_of(const am_builder *b, am_value v)
{
    return v.id ? b->graph->values[v.id].dtype : AM_F32;
}

am_shape am_shape_of_value(const am_builder *b, am_value v)
{
    return v.id ? b->graph->values[v.id].shape : (am_shape){0};
}

int am_rank(const am_builder *b, am_value v)
{
    return v.id ? b->graph->values[v.id].shape.rank : 0;
}

int64_t am_dim(const am_builder *b, am_value v, int axis)
{
    if (!v.id) return 1;
    const am_shape *shape = &b->graph->values[v.id].shape;
    int i = am_shape_axis(shape, axis);
    return i < 0 ? 1 : shape->dims[i];
}

/* --- finishing --- */

static void mark(const am_graph *graph, am_value value, bool *needed)
{
    if (value.id) needed[graph->values[value.id].producer] = true;
}

/* Nodes are in topological order, so one pass from the end finds all that is needed. Inputs stay: they are
 * the signature. */
static void mark_needed(const am_graph *graph, bool *needed)
{
    for (int i = 0; i < graph->output_count; i++) mark(graph, graph->outputs[i].value, needed);
    for (int i = 0; i < graph->state_count; i++) mark(graph, graph->states[i].updated, needed);
    for (int i = graph->node_count - 1; i >= 0; i--) {
        if (graph->nodes[i].op == AM_OP_INPUT) needed[i] = true;
        if (!needed[i]) continue;
        for (int k = 0; k < graph->nodes[i].input_count; k++) mark(graph, graph->nodes[i].inputs[k], needed);
    }
}

static am_status drop_unneeded(am_graph *graph)
{
    int kept = 0;
    bool *needed = am_alloc_zeroed((size_t)graph->node_count + 1, sizeof *needed);
    if (!needed) return am_out_of_memory();
    mark_needed(graph, needed);
    for (int i = 0; i < graph->node_count; i++) {
        am_node *node = &graph->nodes[i];
        if (!needed[i]) {
            if (node->op == AM_OP_LOOP)
                am_graph_destroy((am_graph *)(uintptr_t)((const am_loop_attributes *)node->attributes)->body);
            continue;
        }
        for (int k = 0; k < node->output_count; k++) graph->values[node->first_output.id + k].producer = kept;
        graph->nodes[kept++] = *node;
    }
    graph->node_count = kept;
    am_free(needed);
    return NULL;
}

am_status am_builder_finish(am_builder *b, am_graph **out)
{
    *out = NULL;
    if (b->missing_count) { /* the cause of whatever else went wrong */
        am_status_free(b->error);
        b->error = missing_error(b);
    }
    if (!b->error) am_builder_fail(b, drop_unneeded(b->graph));
    if (b->error) {
        am_status status = b->error;
        b->error = NULL;
        return status;
    }
    *out = b->graph;
    b->graph = NULL;
    return NULL;
}

/* --- copying and expanding --- */

/* Leaves nothing that points into the other graph: names and the tables that it owns are copied. */
static am_value copy_source(am_builder *b, const am_node *node)
{
    if (node->op == AM_OP_INPUT) {
        const am_input_attributes *a = node->attributes;
        return a->is_state ? am_graph_state_input(b, a->name, a->dtype, a->shape)
                           : am_graph_input(b, a->name, a->dtype, a->shape);
    }
    const am_constant_attributes *a = node->attributes;
    return a->hash ? am_constant_copy(b, a->dtype, a->shape, a->data)
                   : am_constant_lent(b, a->name, a->dtype, a->shape, a->data);
}

void am_copy_node(am_builder *b, const am_graph *graph, const am_node *node, const am_value *inputs, bool expand,
                  am_value *outputs)
{
    const am_op *op = am_op_of(node->op);
    for (int i = 0; i < node->output_count; i++) outputs[i] = AM_NONE;
    if (b->error) return;
    am_scope(b, "%s", node->name);
    if (expand && op->expand) op->expand(b, node, inputs, outputs);
    else if (node->op == AM_OP_INPUT || node->op == AM_OP_CONSTANT) outputs[0] = copy_source(b, node);
    else if (node->op == AM_OP_LOOP) {
        am_graph *body = NULL;
        const am_loop_attributes *a = node->attributes;
        am_builder_fail(b, am_graph_expand(a->body, NULL, NULL, &body));
        am_loop(b, body, inputs, node->input_count, a, outputs);
    } else am_add_node(b, node->op, inputs, node->input_count, node->attributes, outputs);
    for (int i = 0; i < node->output_count && !b->error; i++) {
        const am_value_info *was = &graph->values[node->first_output.id + i], *is = &b->graph->values[outputs[i].id];
        if (was->dtype != is->dtype || !am_shape_equal(&was->shape, &is->shape))
            am_builder_fail(b, am_error(AM_INTERNAL, "%s: its expansion has another dtype or shape", op->name));
    }
    am_end_scope(b);
}

/* How the nodes of one graph come into another: as `replace` says or, where that is null, expanded but for those that
   `keep` keeps. */
typedef struct copying {
    bool (*keep)(void *context, const am_graph *graph, const am_node *node);
    am_replace replace;
    void *context;
} copying;

static void rewrite_node(am_builder *b, const am_graph *graph, const am_node *node, const am_value *inputs,
                         const copying *how, am_value *outputs)
{
    for (int i = 0; i < node->output_count; i++) outputs[i] = AM_NONE;
    if (b->error) return;
    am_scope(b, "%s", node->name);
    bool is_done = how->replace(how->context, b, graph, node, inputs, outputs);
    if (!is_done && node->op == AM_OP_LOOP) {
        am_graph *body = NULL;
        const am_loop_attributes *a = node->attributes;
        am_builder_fail(b, am_graph_rewrite(a->body, how->replace, how->context, &body));
        am_loop(b, body, inputs, node->input_count, a, outputs);
        is_done = true;
    }
    am_end_scope(b);
    if (!is_done) am_copy_node(b, graph, node, inputs, false, outputs);
}

static void copy_all(am_builder *b, const am_graph *graph, const copying *how, am_value *map)
{
    am_value inputs[AM_INPUT_LIMIT];
    for (int i = 0; i < graph->node_count && !b->error; i++) {
        const am_node *node = &graph->nodes[i];
        am_value *outputs = &map[node->first_output.id];
        for (int k = 0; k < AM_INPUT_LIMIT; k++) inputs[k] = k < node->input_count ? map[node->inputs[k].id] : AM_NONE;
        if (how->replace) rewrite_node(b, graph, node, inputs, how, outputs);
        else am_copy_node(b, graph, node, inputs, !how->keep || !how->keep(how->context, graph, node), outputs);
    }
    for (int i = 0; i < graph->state_count && !b->error; i++)
        if (graph->states[i].updated.id)
            am_state_update(b, map[graph->states[i].value.id], map[graph->states[i].updated.id]);
    for (int i = 0; i < graph->output_count; i++) am_output(b, graph->outputs[i].name, map[graph->outputs[i].value.id]);
    for (int i = 0; i < graph->check_count; i++) add_check(b, &graph->checks[i]);
}

static bool has_expandable(const am_graph *graph, bool (*keep)(void *, const am_graph *, const am_node *),
                           void *context)
{
    for (int i = 0; i < graph->node_count; i++) {
        const am_node *node = &graph->nodes[i];
        if (am_op_of(node->op)->expand && (!keep || !keep(context, graph, node))) return true;
    }
    return false;
}

static am_status copy_graph(const am_graph *graph, const copying *how, am_graph **out)
{
    am_builder *b;
    AM_TRY(am_builder_create(&b));
    am_value *map = am_alloc_zeroed((size_t)graph->value_count + 1, sizeof *map);
    if (!map) am_builder_fail(b, am_out_of_memory());
    else copy_all(b, graph, how, map);
    am_free(map);
    am_status status = am_builder_finish(b, out);
    am_builder_destroy(b);
    return status;
}

am_status am_graph_rewrite(const am_graph *graph, am_replace replace, void *context, am_graph **out)
{
    *out = NULL;
    return copy_graph(graph, &(copying){.replace = replace, .context = context}, out);
}

am_status am_graph_expand(const am_graph *graph, bool (*keep)(void *, const am_graph *, const am_node *), void *context,
                          am_graph **out)
{
    *out = NULL;
    const copying how = {.keep = keep, .context = context};
    AM_TRY(copy_graph(graph, &how, out));
    while (has_expandable(*out, keep, context)) { /* an expansion may use other composites */
        am_graph *coarse = *out;
        am_status status = copy_graph(coarse, &how, out);
        am_graph_destroy(coarse);
        if (status) {
            *out = NULL;
            return status;
        }
    }
    return NULL;
}
