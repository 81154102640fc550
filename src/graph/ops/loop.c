#include "graph/ops/check.h"

static am_status check_value(const am_graph *body, am_value value, am_dtype dtype, const am_shape *shape,
                             const char *what, int i)
{
    char expected[AM_SHAPE_TEXT], found[AM_SHAPE_TEXT];
    const am_value_info *info = am_graph_value(body, value);
    if (info->dtype == dtype && am_shape_equal(&info->shape, shape)) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "%s %d of the body must be %s%s, found %s%s", what, i, am_dtype_name(dtype),
                    am_shape_text(shape, expected), am_dtype_name(info->dtype), am_shape_text(&info->shape, found));
}

static am_status check_counts(const am_infer *c, const am_loop_attributes *a)
{
    int outputs = a->body->output_count - a->has_condition;
    if (a->trips < 0 || a->trips > INT32_MAX)
        return am_error(AM_INVALID_ARGUMENT, "trips %lld is not in 0..2^31", (long long)a->trips);
    if (a->carried < 0 || a->carried > c->input_count || a->carried > outputs)
        return am_error(AM_INVALID_ARGUMENT, "%lld carried values, %d inputs and %d results of the body",
                        (long long)a->carried, c->input_count, outputs);
    if (a->body->input_count != 1 + c->input_count)
        return am_error(AM_INVALID_ARGUMENT, "the body must have %d inputs, found %d", 1 + c->input_count,
                        a->body->input_count);
    if (a->body->state_count) return am_error(AM_INVALID_ARGUMENT, "the body has states");
    if (outputs < 1 || outputs > AM_OUTPUT_LIMIT)
        return am_error(AM_INVALID_ARGUMENT, "%d results, takes 1 to %d", outputs, AM_OUTPUT_LIMIT);
    return NULL;
}

static am_status check_body(const am_infer *c, const am_loop_attributes *a)
{
    const am_shape scalar = {0};
    AM_TRY(check_value(a->body, a->body->inputs[0].value, AM_I32, &scalar, "input", 0));
    for (int i = 0; i < c->input_count; i++) {
        if (!c->inputs[i]) return am_error(AM_INTERNAL, "input %d is missing", i);
        AM_TRY(check_value(a->body, a->body->inputs[1 + i].value, c->inputs[i]->dtype, &c->inputs[i]->shape, "input",
                           1 + i));
    }
    if (a->has_condition) AM_TRY(check_value(a->body, a->body->outputs[0].value, AM_BOOL, &scalar, "output", 0));
    for (int i = 0; i < a->carried; i++) {
        int at = a->has_condition + i;
        AM_TRY(
            check_value(a->body, a->body->outputs[at].value, c->inputs[i]->dtype, &c->inputs[i]->shape, "output", at));
    }
    return NULL;
}

static am_status infer(am_infer *c)
{
    const am_loop_attributes *a = c->attributes;
    AM_TRY(check_counts(c, a));
    AM_TRY(check_body(c, a));
    c->output_count = a->body->output_count - a->has_condition;
    for (int i = 0; i < c->output_count; i++) {
        const am_value_info *from = am_graph_value(a->body, a->body->outputs[a->has_condition + i].value);
        am_shape shape = from->shape;
        if (i >= a->carried) {
            if (from->shape.rank == AM_RANK_LIMIT)
                return am_error(AM_INVALID_ARGUMENT, "a stacked result would have rank %d", from->shape.rank + 1);
            shape = (am_shape){.rank = 1 + from->shape.rank, .dims = {a->trips}};
            for (int k = 0; k < from->shape.rank; k++) shape.dims[1 + k] = from->shape.dims[k];
        }
        c->outputs[i] = (am_value_info){.dtype = from->dtype, .shape = shape};
    }
    return NULL;
}

void am_loop(am_builder *b, am_graph *body, const am_value *inputs, int input_count, const am_loop_attributes *options,
             am_value *outputs)
{
    am_loop_attributes a = *options;
    if (!body) {
        if (!am_builder_failed(b)) am_builder_fail(b, am_error(AM_INTERNAL, "loop: no body"));
        return;
    }
    a.body = body;
    for (int i = 0; i < body->output_count - a.has_condition; i++) outputs[i] = AM_NONE;
    if (!am_add_node(b, AM_OP_LOOP, inputs, input_count, &a, outputs).id) am_graph_destroy(body);
}

static const am_field fields[] = {AM_FIELD(am_loop_attributes, INT, trips), AM_FIELD(am_loop_attributes, INT, carried),
                                  AM_FIELD(am_loop_attributes, BOOL, has_condition),
                                  AM_FIELD(am_loop_attributes, GRAPH, body), AM_FIELDS_END};

const am_op am_op_loop = {
    .name = "loop",
    .summary = "Runs a body again and again, handing values from trip to trip and stacking what each one gives.",
    .max_inputs = AM_INPUT_LIMIT,
    .fields = fields,
    .attributes_bytes = sizeof(am_loop_attributes),
    .infer = infer,
};
