#include "targets/max/lower.h"

#include "graph/ops.h"

#include <stdarg.h>
#include <stdio.h>

static const am_mx_lowering *const tables[] = {am_mx_movement, am_mx_pointwise, am_mx_axis,
                                               am_mx_products, am_mx_windows,   am_mx_indexing};

/* Constants of the graph's own up to this size stand in the text. */
enum { INLINE_INTEGERS = 64, INLINE_REALS = 4 };

static const am_mx_lowering *find_lowering(am_op_kind op)
{
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        for (const am_mx_lowering *row = tables[i]; row->lower; row++)
            if (row->op == op) return row;
    return NULL;
}

am_mx_text am_mx_format(const char *format, ...)
{
    am_mx_text out;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out.text, sizeof out.text, format, arguments);
    va_end(arguments);
    return out;
}

/* --- what fits --- */

static bool is_empty(const am_shape *shape)
{
    return am_shape_count(shape) == 0;
}

/* Ops that read a weight in the dtype in which it is stored. */
static bool takes_narrow_weight(const am_node *node, int i)
{
    switch (node->op) {
    case AM_OP_LINEAR:
    case AM_OP_CONVOLUTION:
    case AM_OP_CONV_TRANSPOSE:
        return i == 1 || i == 2;
    case AM_OP_NORM:
        return i > 0;
    case AM_OP_EMBEDDING:
    case AM_OP_CAST:
        return i == 0;
    default:
        return false;
    }
}

/* Ops that go on in F64 as well: rotary tables are computed in it. */
static bool takes_doubles(am_op_kind op)
{
    switch (op) {
    case AM_OP_RESHAPE:
    case AM_OP_BROADCAST:
    case AM_OP_PERMUTE:
    case AM_OP_SLICE:
    case AM_OP_CONCAT:
    case AM_OP_CAST:
    case AM_OP_UNARY:
    case AM_OP_BINARY:
        return true;
    default:
        return false;
    }
}

static bool fits(const am_graph *graph, const am_node *node, int i, am_reason *why)
{
    const am_value_info *info = am_node_in(graph, node, i);
    bool constant = am_graph_producer(graph, node->inputs[i])->op == AM_OP_CONSTANT;
    bool narrow = info->dtype == AM_BF16 || info->dtype == AM_F16;
    if (is_empty(&info->shape)) return am_reason_no(why, "input %d has no elements", i);
    if (info->dtype == AM_F32 || info->dtype == AM_I32 || info->dtype == AM_BOOL) return true;
    if (info->dtype == AM_F64 && takes_doubles(node->op)) return true;
    if (narrow && constant && takes_narrow_weight(node, i)) return true;
    return am_reason_no(why, "input %d is %s", i, am_dtype_name(info->dtype));
}

static bool gives(const am_node *node, am_dtype dtype)
{
    return dtype == AM_F32 || dtype == AM_I32 || dtype == AM_BOOL || (dtype == AM_F64 && takes_doubles(node->op));
}

bool am_mx_supports(const am_graph *graph, const am_node *node, am_reason *why)
{
    const am_mx_lowering *row = find_lowering(node->op);
    if (!row) return am_reason_no(why, "max has no lowering of %s", am_op_of(node->op)->name);
    for (int i = 0; i < node->input_count; i++)
        if (node->inputs[i].id && !fits(graph, node, i, why)) return false;
    for (int i = 0; i < node->output_count; i++) {
        const am_value_info *info = am_graph_value(graph, (am_value){node->first_output.id + i});
        if (is_empty(&info->shape)) return am_reason_no(why, "output %d has no elements", i);
        if (!gives(node, info->dtype)) return am_reason_no(why, "output %d is %s", i, am_dtype_name(info->dtype));
    }
    return !row->supports || row->supports(graph, node, why);
}

/* --- writing --- */

am_mx_value am_mx_input(am_mlir *m, const am_node *node, int i)
{
    am_mx_value x = m->values[node->inputs[i].id];
    return x.dtype == AM_BF16 || x.dtype == AM_F16 ? am_mx_cast(m, x, AM_F32) : x;
}

am_mx_value am_mx_with_number(am_mlir *m, const char *form, am_mx_value x, double number)
{
    return am_mx_binary(m, form, x, am_mx_scalar(m, x.dtype, number));
}

static bool is_inline(const am_constant_attributes *a)
{
    int64_t count = am_shape_count(&a->shape);
    if (a->hash == 0 || a->dtype == AM_BF16 || a->dtype == AM_F16) return false;
    return count <= (a->dtype == AM_F32 ? INLINE_REALS : INLINE_INTEGERS);
}

static void lower_constant(am_mlir *m, const am_node *node)
{
    AM_MX_ATTRIBUTES(am_constant_attributes);
    m->values[node->first_output.id] =
        is_inline(a) ? am_mx_numbers(m, a->dtype, a->shape, a->data) : am_mx_lent(m, a->dtype, a->shape, a->data);
}

static void lower_node(am_mlir *m, const am_node *node)
{
    am_mx_value outputs[AM_OUTPUT_LIMIT] = {{0}};
    find_lowering(node->op)->lower(m, node, outputs);
    for (int i = 0; i < node->output_count; i++) m->values[node->first_output.id + i] = outputs[i];
}

static void lower_nodes(am_mlir *m)
{
    const am_graph *g = m->graph;
    m->chain = m->next_id++;
    am_buffer_printf(&m->body, "  %%v%d = mo.chain.create()\n", m->chain);
    for (int i = 0; i < g->node_count; i++) {
        if (g->nodes[i].op == AM_OP_CONSTANT) lower_constant(m, &g->nodes[i]);
        else if (g->nodes[i].op != AM_OP_INPUT) lower_node(m, &g->nodes[i]);
    }
}

/* --- ends --- */

static void put_argument(am_mlir *m, am_buffer *out, am_value value, am_mx_place *place)
{
    const am_value_info *info = am_graph_value(m->graph, value);
    int id = m->next_id++;
    am_buffer_printf(out, "%s%%v%d: ", id ? ", " : "", id);
    m->values[value.id] = (am_mx_value){id, info->dtype, info->shape};
    if (!place || !place->in_place) {
        am_mx_put_type(out, info->dtype, &info->shape);
        return;
    }
    place->buffer = id;
    am_mx_put_buffer_type(out, info->dtype, &info->shape);
}

static void put_arguments(am_mlir *m, am_buffer *out)
{
    const am_graph *g = m->graph;
    for (int i = 0; i < g->input_count; i++) put_argument(m, out, g->inputs[i].value, NULL);
    for (int i = 0; i < g->state_count; i++) put_argument(m, out, g->states[i].value, &m->places[i]);
}

/* What comes out, in order, into `out`: as many as given back. */
static int results(const am_mlir *m, am_value *out)
{
    const am_graph *g = m->graph;
    int count = 0;
    for (int i = 0; i < g->output_count; i++) out[count++] = g->outputs[i].value;
    for (int i = 0; i < g->state_count; i++)
        if (!m->places[i].in_place) out[count++] = g->states[i].updated;
    return count;
}

static void put_result_types(const am_mlir *m, am_buffer *out, const am_value *values, int count)
{
    for (int i = 0; i < count; i++) {
        const am_value_info *info = am_graph_value(m->graph, values[i]);
        if (i) am_buffer_append_string(out, ", ");
        am_mx_put_type(out, info->dtype, &info->shape);
    }
}

static void put_names(am_buffer *out, const char *attribute, const char *stem, int count)
{
    am_buffer_printf(out, "%s = [", attribute);
    for (int i = 0; i < count; i++) am_buffer_printf(out, "%s\"%s%d\"", i ? ", " : "", stem, i);
    am_buffer_append_char(out, ']');
}

static void put_end(const am_mlir *m, am_buffer *out, const am_value *values, int count)
{
    am_buffer_append(out, am_buffer_text(&m->body), m->body.length);
    am_buffer_append_string(out, "  mo.output ");
    for (int i = 0; i < count; i++) am_buffer_printf(out, "%s%%v%d", i ? ", " : "", m->values[values[i].id].id);
    am_buffer_append_string(out, count ? " : " : "");
    put_result_types(m, out, values, count);
    am_buffer_append_string(out, "\n}\n");
}

am_status am_mx_lower(am_mlir *m, const am_graph *graph, am_buffer *out)
{
    *m = (am_mlir){.graph = graph};
    m->values = am_arena_array(&m->arena, (size_t)graph->value_count + 1, sizeof *m->values);
    am_value *values =
        am_arena_array(&m->arena, (size_t)(graph->output_count + graph->state_count) + 1, sizeof *values);
    if (!m->values || !values) return am_out_of_memory();
    AM_TRY(am_mx_find_places(m));
    int count = results(m, values);
    am_buffer_append_string(out, "mo.graph @graph(");
    put_arguments(m, out);
    am_buffer_append_string(out, ") -> (");
    put_result_types(m, out, values, count);
    am_buffer_append_string(out, ") attributes {");
    put_names(out, "argument_names", "input", graph->input_count + graph->state_count);
    put_names(out, ", result_names", "output", count);
    am_buffer_append_string(out, "} {\n");
    lower_nodes(m);
    AM_TRY(am_mx_status(m));
    put_end(m, out, values, count);
    return am_buffer_status(out);
}
