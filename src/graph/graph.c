#include "graph/graph.h"

#include "base/memory.h"
#include "base/prng.h"
#include "graph/ops.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#define AM_OP(id, name, class) extern const am_op am_op_##name;
#include "graph/ops.def"
#undef AM_OP

static const am_op *const ops[AM_OP_COUNT] = {
#define AM_OP(id, name, class) [AM_OP_##id] = &am_op_##name,
#include "graph/ops.def"
#undef AM_OP
};

const am_op *am_op_of(am_op_kind kind)
{
    return ops[kind];
}

const am_value_info *am_graph_value(const am_graph *graph, am_value value)
{
    return &graph->values[value.id];
}

const am_node *am_graph_producer(const am_graph *graph, am_value value)
{
    return &graph->nodes[graph->values[value.id].producer];
}

void am_graph_destroy(am_graph *graph)
{
    if (!graph) return;
    for (int i = 0; i < graph->node_count; i++) {
        if (graph->nodes[i].op != AM_OP_LOOP) continue;
        const am_loop_attributes *loop = graph->nodes[i].attributes;
        am_graph_destroy((am_graph *)(uintptr_t)loop->body);
    }
    am_free(graph->nodes);
    am_free(graph->values);
    am_free(graph->inputs);
    am_free(graph->outputs);
    am_free(graph->states);
    am_free(graph->checks);
    am_arena_deinit(&graph->arena);
    am_free(graph);
}

static bool is_exposable(const am_graph *graph, const am_node *node)
{
    bool is_given = node->op == AM_OP_CONSTANT || node->op == AM_OP_INPUT;
    return !is_given && am_dtype_is_float(am_graph_value(graph, node->first_output)->dtype);
}

am_status am_graph_expose(am_graph *graph)
{
    int capacity = graph->output_count + graph->node_count;
    am_named_value *grown = am_realloc(graph->outputs, (size_t)capacity * sizeof *grown);
    if (!grown) return am_out_of_memory();
    graph->outputs = grown;
    graph->output_capacity = capacity;
    for (int i = 0; i < graph->node_count; i++)
        if (is_exposable(graph, &graph->nodes[i]))
            grown[graph->output_count++] = (am_named_value){graph->nodes[i].name, graph->nodes[i].first_output};
    return NULL;
}

static void print_ints(const am_shape *ints, am_buffer *out)
{
    am_buffer_append_char(out, '[');
    for (int i = 0; i < ints->rank; i++) am_buffer_printf(out, "%s%" PRId64, i ? ", " : "", ints->dims[i]);
    am_buffer_append_char(out, ']');
}

static void print_graph_body(const am_graph *body, am_buffer *out)
{
    am_buffer_append_string(out, "{\n");
    am_graph_print(body, out);
    am_buffer_append_string(out, "}");
}

static bool is_default(const am_field *field, const void *at)
{
    static const am_shape empty = {0};
    switch (field->kind) {
    case AM_FIELD_INTS:
        return am_shape_equal(at, &empty);
    case AM_FIELD_BOOL:
        return !*(const bool *)at;
    case AM_FIELD_REAL:
        return *(const double *)at == 0;
    case AM_FIELD_ENUM:
        return *(const int *)at == 0;
    case AM_FIELD_TEXT:
        return !**(const char *const *)at;
    case AM_FIELD_DATA:
        return true;
    default:
        return false;
    }
}

static void print_field(const am_field *field, const void *at, am_buffer *out)
{
    switch (field->kind) {
    case AM_FIELD_INT:
        am_buffer_printf(out, "%" PRId64, *(const int64_t *)at);
        break;
    case AM_FIELD_REAL:
        am_buffer_printf(out, "%.17g", *(const double *)at);
        break;
    case AM_FIELD_BOOL:
        am_buffer_append_string(out, *(const bool *)at ? "true" : "false");
        break;
    case AM_FIELD_ENUM:
        am_buffer_append_string(out, field->names[*(const int *)at]);
        break;
    case AM_FIELD_DTYPE:
        am_buffer_append_string(out, am_dtype_name(*(const am_dtype *)at));
        break;
    case AM_FIELD_INTS:
        print_ints(at, out);
        break;
    case AM_FIELD_TEXT:
        am_buffer_append_json_string(out, *(const char *const *)at, strlen(*(const char *const *)at));
        break;
    case AM_FIELD_GRAPH:
        print_graph_body(*(const am_graph *const *)at, out);
        break;
    case AM_FIELD_DATA:
        break;
    }
}

static void print_attributes(const am_node *node, am_buffer *out)
{
    const am_field *field = ops[node->op]->fields;
    bool first = true;
    for (; field && field->name; field++) {
        const void *at = (const char *)node->attributes + field->offset;
        if (is_default(field, at)) continue;
        am_buffer_printf(out, "%s%s=", first ? " {" : ", ", field->name);
        print_field(field, at, out);
        first = false;
    }
    if (!first) am_buffer_append_char(out, '}');
}

void am_graph_print_node(const am_graph *graph, const am_node *node, am_buffer *out)
{
    for (int i = 0; i < node->output_count; i++) {
        int32_t id = node->first_output.id + i;
        am_buffer_printf(out, "%s%%%d: %s", i ? ", " : "", id, am_dtype_name(graph->values[id].dtype));
        print_ints(&graph->values[id].shape, out);
    }
    am_buffer_printf(out, " = %s(", ops[node->op]->name);
    for (int i = 0; i < node->input_count; i++) {
        if (node->inputs[i].id) am_buffer_printf(out, "%s%%%d", i ? ", " : "", node->inputs[i].id);
        else am_buffer_printf(out, "%s-", i ? ", " : "");
    }
    am_buffer_append_char(out, ')');
    print_attributes(node, out);
    if (node->name[0]) am_buffer_printf(out, "  # %s", node->name);
    am_buffer_append_char(out, '\n');
}

void am_graph_print(const am_graph *graph, am_buffer *out)
{
    for (int i = 0; i < graph->node_count; i++) am_graph_print_node(graph, &graph->nodes[i], out);
    for (int i = 0; i < graph->state_count; i++)
        if (graph->states[i].updated.id)
            am_buffer_printf(out, "state %s = %%%d\n", graph->states[i].name, graph->states[i].updated.id);
    for (int i = 0; i < graph->output_count; i++)
        am_buffer_printf(out, "output %s = %%%d\n", graph->outputs[i].name, graph->outputs[i].value.id);
}

/* The printed text names everything that decides the result but the data of constants, whose hash is a field.
 */
uint64_t am_graph_hash(const am_graph *graph)
{
    am_buffer text = {0};
    am_graph_print(graph, &text);
    uint64_t hash = am_fnv1a(am_buffer_text(&text), text.length);
    am_buffer_deinit(&text);
    return hash;
}
