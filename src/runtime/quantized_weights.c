#include "runtime/quantized_weights.h"

#include "base/memory.h"
#include "graph/builder.h"

#include <string.h>

typedef struct entry {
    am_tensor source;
    bool in_out;
    am_weight_format format;
    am_quantized_weight made;
    bool is_read; /* its source, by a node that is no linear: an embedding that is tied */
} entry;

struct am_quantized_weights {
    entry *entries;
    size_t count, capacity;
};

am_status am_weight_format_read(const char *text, am_weight_format *out)
{
    static const struct {
        const char *name;
        am_weight_format format;
    } rows[] = {{"auto", {0, false}}, {"int8", {8, false}}, {"int4", {4, false}}, {"int4-asymmetric", {4, true}}};
    *out = (am_weight_format){0};
    for (size_t i = 0; text && i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(text, rows[i].name) == 0) {
            *out = rows[i].format;
            return NULL;
        }
    if (!text) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "weights: expected auto, int8, int4 or int4-asymmetric, found \"%s\"", text);
}

/* --- the weights --- */

static bool is_same(const entry *e, const am_tensor *source, bool in_out, const am_weight_format *format)
{
    return e->source.data == source->data && e->source.dtype == source->dtype &&
           am_shape_equal(&e->source.shape, &source->shape) && e->in_out == in_out && e->format.bits == format->bits &&
           e->format.asymmetric == format->asymmetric;
}

static am_status add_entry(am_quantized_weights *w, const am_tensor *source, bool in_out,
                           const am_weight_format *format)
{
    if (w->count == w->capacity) {
        size_t larger = w->capacity ? 2 * w->capacity : 64;
        entry *grown = am_realloc(w->entries, larger * sizeof *grown);
        if (!grown) return am_out_of_memory();
        w->entries = grown;
        w->capacity = larger;
    }
    entry *e = &w->entries[w->count];
    *e = (entry){.source = *source, .in_out = in_out, .format = *format};
    AM_TRY(am_quantize(source, in_out, format, &e->made));
    w->count++;
    return NULL;
}

static am_status find_or_make(am_quantized_weights *w, const am_tensor *source, bool in_out,
                              const am_weight_format *format, const am_quantized_weight **out)
{
    for (size_t i = 0; i < w->count; i++)
        if (is_same(&w->entries[i], source, in_out, format)) {
            *out = &w->entries[i].made;
            return NULL;
        }
    AM_TRY(add_entry(w, source, in_out, format));
    *out = &w->entries[w->count - 1].made;
    return NULL;
}

void am_quantized_weights_destroy(am_quantized_weights *w)
{
    if (!w) return;
    for (size_t i = 0; i < w->count; i++) am_quantized_weight_deinit(&w->entries[i].made);
    am_free(w->entries);
    am_free(w);
}

am_quantized_summary am_quantized_weights_summary(const am_quantized_weights *w)
{
    am_quantized_summary sum = {0};
    for (size_t i = 0; w && i < w->count; i++) {
        const entry *e = &w->entries[i];
        sum.count++;
        sum.bytes += e->made.bytes;
        if (!e->is_read) sum.replaced_bytes += am_tensor_bytes(e->source.dtype, &e->source.shape);
    }
    return sum;
}

/* --- graphs --- */

typedef struct pass {
    am_quantized_weights *weights;
    const am_weight_options *options;
} pass;

/* Whether the weight of a linear is one to round; *source gets it. */
static bool find_source(const pass *p, const am_graph *graph, const am_node *node, am_tensor *source)
{
    const am_linear_attributes *a = node->attributes;
    const am_node *producer = am_graph_producer(graph, node->inputs[1]);
    if (producer->op != AM_OP_CONSTANT || am_graph_value(graph, node->inputs[0])->dtype != AM_F32) return false;
    const am_constant_attributes *weight = producer->attributes;
    int64_t minimum = p->options->minimum ? p->options->minimum : AM_WEIGHT_MINIMUM;
    int64_t N = weight->shape.dims[a->in_out ? 1 : 0], K = weight->shape.dims[a->in_out ? 0 : 1];
    *source = (am_tensor){weight->dtype, weight->shape, (void *)(uintptr_t)weight->data};
    return weight->hash == 0 && N >= minimum && K >= minimum && am_quantized_group(K, p->options->format.bits) > 0;
}

/* The constants of a rounded weight, named after its source. */
static void add_constants(am_builder *b, const am_quantized_weight *w, const char *name,
                          am_quantized_linear_inputs *out)
{
    enum { C = AM_QUANTIZED_COLUMNS };
    int64_t panels = (w->N + C - 1) / C;
    am_shape shape = am_shape_of(panels, w->K / (w->bits == 8 ? 4 : 8), C, 4);
    am_shape groups = am_shape_of(panels, w->K / w->group, C);
    out->weight = am_constant_lent(b, name, AM_U8, shape, w->weight);
    out->scales = am_constant_lent(b, name, AM_BF16, groups, w->scales);
    if (w->zero_points) out->zero_points = am_constant_lent(b, name, AM_U8, groups, w->zero_points);
}

static bool replace_linear(void *context, am_builder *b, const am_graph *graph, const am_node *node,
                           const am_value *inputs, am_value *outputs)
{
    const pass *p = context;
    const am_linear_attributes *a = node->attributes;
    const am_quantized_weight *w;
    am_tensor source;
    if (node->op != AM_OP_LINEAR || !find_source(p, graph, node, &source)) return false;
    const am_constant_attributes *constant = am_graph_producer(graph, node->inputs[1])->attributes;
    am_status status = find_or_make(p->weights, &source, a->in_out, &p->options->format, &w);
    if (status) {
        am_builder_fail(b, am_note(status, "%s", constant->name));
        return true;
    }
    am_quantized_linear_inputs in = {.x = inputs[0], .bias = inputs[2], .residual = inputs[3]};
    add_constants(b, w, constant->name, &in);
    outputs[0] = am_quantized_linear(b, &in, &(am_quantized_linear_attributes){w->bits, w->N, w->group, a->activation});
    return true;
}

/* Marks the sources that a graph still reads. */
static void find_readers(am_quantized_weights *w, const am_graph *graph)
{
    for (int i = 0; i < graph->node_count; i++) {
        const am_node *node = &graph->nodes[i];
        if (node->op == AM_OP_LOOP) find_readers(w, ((const am_loop_attributes *)node->attributes)->body);
        if (node->op != AM_OP_CONSTANT) continue;
        const am_constant_attributes *constant = node->attributes;
        for (size_t k = 0; k < w->count; k++)
            if (w->entries[k].source.data == constant->data) w->entries[k].is_read = true;
    }
}

am_status am_quantized_weights_apply(am_quantized_weights **weights, const am_weight_options *options, am_graph **graph)
{
    am_graph *rewritten;
    if (!*weights) *weights = am_alloc_zeroed(1, sizeof **weights);
    if (!*weights) return am_out_of_memory();
    pass p = {*weights, options};
    AM_TRY(am_graph_rewrite(*graph, replace_linear, &p, &rewritten));
    am_graph_destroy(*graph);
    *graph = rewritten;
    find_readers(*weights, rewritten);
    return NULL;
}
