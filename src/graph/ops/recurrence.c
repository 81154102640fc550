/* The kinds, their inputs and their steps stand in am_recurrence_kind (graph/ops.h). As a loop, a kind is
   what it does in one step: its time series at this time, its other inputs, and its states are given; y and
   new states come out. */
#include "graph/ops/check.h"

enum { INPUT_LIMIT = 6, STATE_LIMIT = 2 };

typedef struct kind_row {
    const char *name;
    int input_count, state_count; /* states are the last inputs */
    unsigned series;              /* bit i: input i has a time axis */
    int like;                     /* the input whose dtype y has */
    am_status (*check)(const am_infer *c, am_shape *y, am_shape *states);
    am_value (*step)(am_builder *b, const am_value *inputs, am_value *states);
} kind_row;

static am_shape without_time(const am_shape *shape)
{
    am_shape state = {.rank = shape->rank - 1, .dims = {shape->dims[0]}};
    for (int i = 2; i < shape->rank; i++) state.dims[i - 1] = shape->dims[i];
    return state;
}

static am_status check_rank_of(const am_infer *c, int i, int rank, am_shape *out)
{
    AM_TRY(am_check_rank(c, i, rank));
    *out = c->inputs[i]->shape;
    return NULL;
}

/* --- linear --- */

static am_status check_linear(const am_infer *c, am_shape *y, am_shape *states)
{
    *y = c->inputs[0]->shape;
    if (y->rank < 2) return am_error(AM_INVALID_ARGUMENT, "input 0 must be [B, T, ..], found rank %d", y->rank);
    states[0] = without_time(y);
    return am_check_shape(c, 1, y);
}

static am_value step_linear(am_builder *b, const am_value *inputs, am_value *states)
{
    return states[0] = am_add(b, am_mul(b, inputs[1], states[0]), inputs[0]);
}

/* --- gates --- */

static am_status check_gates(const am_infer *c, int gates, am_shape *y, am_shape *states)
{
    am_shape x;
    AM_TRY(check_rank_of(c, 0, 3, &x));
    int64_t hidden = x.dims[2] / gates;
    if (x.dims[2] % gates)
        return am_error(AM_INVALID_ARGUMENT,
                        "the last dimension of input 0 must be %d times the hidden size, found %lld", gates,
                        (long long)x.dims[2]);
    am_shape weight = am_shape_of(x.dims[2], hidden);
    *y = am_shape_of(x.dims[0], x.dims[1], hidden);
    states[0] = states[1] = am_shape_of(x.dims[0], hidden);
    return am_check_shape(c, 1, &weight);
}

static am_value gate(am_builder *b, am_value gates, int i, int64_t hidden)
{
    return am_slice(b, gates, 1, i * hidden, (i + 1) * hidden);
}

static am_status check_lstm(const am_infer *c, am_shape *y, am_shape *states)
{
    return check_gates(c, 4, y, states);
}

static am_value step_lstm(am_builder *b, const am_value *inputs, am_value *states)
{
    int64_t hidden = am_dim(b, states[0], 1);
    am_value gates = am_add(b, inputs[0], am_matmul(b, states[0], inputs[1], false, true));
    am_value in = am_unary(b, AM_SIGMOID, gate(b, gates, 0, hidden)),
             forget = am_unary(b, AM_SIGMOID, gate(b, gates, 1, hidden));
    am_value new = am_unary(b, AM_TANH, gate(b, gates, 2, hidden)),
             out = am_unary(b, AM_SIGMOID, gate(b, gates, 3, hidden));
    states[1] = am_add(b, am_mul(b, forget, states[1]), am_mul(b, in, new));
    return states[0] = am_mul(b, out, am_unary(b, AM_TANH, states[1]));
}

static am_status check_gru(const am_infer *c, am_shape *y, am_shape *states)
{
    AM_TRY(check_gates(c, 3, y, states));
    am_shape bias = am_shape_of(c->inputs[0]->shape.dims[2]);
    return am_check_shape(c, 2, &bias);
}

static am_value step_gru(am_builder *b, const am_value *inputs, am_value *states)
{
    int64_t hidden = am_dim(b, states[0], 1);
    am_value from_state = am_add(b, am_matmul(b, states[0], inputs[1], false, true), inputs[2]), x = inputs[0];
    am_value reset = am_unary(b, AM_SIGMOID, am_add(b, gate(b, x, 0, hidden), gate(b, from_state, 0, hidden)));
    am_value keep = am_unary(b, AM_SIGMOID, am_add(b, gate(b, x, 1, hidden), gate(b, from_state, 1, hidden)));
    am_value new =
        am_unary(b, AM_TANH, am_add(b, gate(b, x, 2, hidden), am_mul(b, reset, gate(b, from_state, 2, hidden))));
    return states[0] = am_add(b, new, am_mul(b, keep, am_sub(b, states[0], new)));
}

/* --- selective scan --- */

static am_status check_selective(const am_infer *c, am_shape *y, am_shape *states)
{
    am_shape a, in = c->inputs[3]->shape;
    AM_TRY(check_rank_of(c, 0, 3, y));
    AM_TRY(am_check_shape(c, 1, y));
    AM_TRY(check_rank_of(c, 2, 2, &a));
    int64_t groups = in.rank == 4 ? in.dims[2] : 1;
    am_shape d_n = am_shape_of(y->dims[2], a.dims[1]), expected = am_shape_of(y->dims[0], y->dims[1], a.dims[1]);
    am_shape in_groups = am_shape_of(y->dims[0], y->dims[1], groups, a.dims[1]);
    if (in.rank == 4) expected = in_groups;
    if (groups < 1 || y->dims[2] % groups)
        return am_error(AM_INVALID_ARGUMENT, "%lld channels do not fall into %lld groups", (long long)y->dims[2],
                        (long long)groups);
    states[0] = am_shape_of(y->dims[0], d_n.dims[0], d_n.dims[1]);
    AM_TRY(am_check_shape(c, 2, &d_n));
    AM_TRY(am_check_shape(c, 3, &expected));
    return am_check_shape(c, 4, &expected);
}

/* x: [B, N] or [B, G, N] for every channel: [B, 1 or D, N] */
static am_value per_channel(am_builder *b, am_value x, int64_t channels)
{
    int64_t batch = am_dim(b, x, 0), groups = am_dim(b, x, 1), n = am_dim(b, x, -1);
    if (am_rank(b, x) == 2) return am_unsqueeze(b, x, 1);
    am_value repeated = am_broadcast(b, am_unsqueeze(b, x, 2), am_shape_of(batch, groups, channels / groups, n));
    return am_reshape(b, repeated, am_shape_of(batch, channels, n));
}

static am_value step_selective(am_builder *b, const am_value *inputs, am_value *states)
{
    int64_t channels = am_dim(b, states[0], 1);
    am_value x = am_unsqueeze(b, inputs[0], 2), delta = am_unsqueeze(b, inputs[1], 2);
    am_value decay = am_unary(b, AM_EXP, am_mul(b, delta, inputs[2]));
    am_value added = am_mul(b, am_mul(b, delta, x), per_channel(b, inputs[3], channels));
    states[0] = am_add(b, am_mul(b, decay, states[0]), added);
    return am_reduce(b, AM_REDUCE_SUM, am_mul(b, states[0], per_channel(b, inputs[4], channels)), am_shape_of(2),
                     false);
}

/* --- gated delta rule --- */

static am_status check_delta(const am_infer *c, am_shape *y, am_shape *states)
{
    am_shape q;
    AM_TRY(check_rank_of(c, 0, 4, &q));
    AM_TRY(am_check_shape(c, 1, &q));
    AM_TRY(check_rank_of(c, 2, 4, y));
    am_shape expected = q, gates = q;
    expected.dims[3] = y->dims[3];
    gates.rank = 3;
    states[0] = am_shape_of(q.dims[0], q.dims[2], q.dims[3], y->dims[3]);
    AM_TRY(am_check_shape(c, 2, &expected));
    AM_TRY(am_check_shape(c, 3, c->inputs[3]->shape.rank == 4 ? &q : &gates));
    return am_check_shape(c, 4, &gates);
}

static am_value step_delta(am_builder *b, const am_value *inputs, am_value *states)
{
    am_value q = am_unsqueeze(b, inputs[0], 3), k = am_unsqueeze(b, inputs[1], 3), v = am_unsqueeze(b, inputs[2], 2);
    am_value decay = inputs[3], beta = am_unsqueeze(b, am_unsqueeze(b, inputs[4], 2), 3);
    while (am_rank(b, decay) < 4 && !am_builder_failed(b)) decay = am_unsqueeze(b, decay, am_rank(b, decay));
    am_value h = am_mul(b, am_unary(b, AM_EXP, decay), states[0]);
    am_value known = am_reduce(b, AM_REDUCE_SUM, am_mul(b, h, k), am_shape_of(2), true);
    h = am_add(b, h, am_mul(b, k, am_mul(b, beta, am_sub(b, v, known))));
    states[0] = h;
    return am_reduce(b, AM_REDUCE_SUM, am_mul(b, h, q), am_shape_of(2), false);
}

/* --- all kinds --- */

static const kind_row kinds[] = {
    [AM_RECURRENCE_LINEAR] = {"linear", 3, 1, 0x3, 0, check_linear, step_linear},
    [AM_RECURRENCE_LSTM] = {"lstm", 4, 2, 0x1, 0, check_lstm, step_lstm},
    [AM_RECURRENCE_GRU] = {"gru", 4, 1, 0x1, 0, check_gru, step_gru},
    [AM_RECURRENCE_SELECTIVE_SCAN] = {"selective_scan", 6, 1, 0x1b, 0, check_selective, step_selective},
    [AM_RECURRENCE_GATED_DELTA] = {"gated_delta", 6, 1, 0x1f, 2, check_delta, step_delta},
};

static am_status infer(am_infer *c)
{
    const kind_row *kind = &kinds[((const am_recurrence_attributes *)c->attributes)->kind];
    am_shape y = {0}, states[STATE_LIMIT] = {{0}};
    if (c->input_count != kind->input_count)
        return am_error(AM_INVALID_ARGUMENT, "%s takes %d inputs, found %d", kind->name, kind->input_count,
                        c->input_count);
    for (int i = 0; i < c->input_count; i++) {
        if (!c->inputs[i]) return am_error(AM_INVALID_ARGUMENT, "input %d is missing", i);
        AM_TRY(am_check_float(c, i));
    }
    AM_TRY(kind->check(c, &y, states));
    if (y.dims[1] > INT32_MAX)
        return am_error(AM_INVALID_ARGUMENT, "takes up to 2^31 steps, found %lld", (long long)y.dims[1]);
    c->outputs[0] = (am_value_info){.dtype = c->inputs[kind->like]->dtype, .shape = y};
    for (int i = 0; i < kind->state_count; i++) {
        int at = kind->input_count - kind->state_count + i;
        AM_TRY(am_check_shape(c, at, &states[i]));
        c->outputs[1 + i] = (am_value_info){.dtype = c->inputs[at]->dtype, .shape = states[i]};
    }
    c->output_count = 1 + kind->state_count;
    return NULL;
}

/* The body of the loop: inputs are the iteration, the states, then the other inputs of the node. */
static void build_body(am_builder *b, const kind_row *kind, am_dtype dtype, const am_shape *shapes, bool reverse)
{
    int other_count = kind->input_count - kind->state_count;
    am_value inputs[INPUT_LIMIT], states[STATE_LIMIT], time = am_graph_input(b, "iteration", AM_I32, (am_shape){0});
    for (int i = 0; i < kind->state_count; i++) states[i] = am_graph_input(b, "state", dtype, shapes[other_count + i]);
    for (int i = 0; i < other_count; i++) inputs[i] = am_graph_input(b, "input", dtype, shapes[i]);
    if (reverse) time = am_sub(b, am_scalar(b, AM_I32, (double)(shapes[0].dims[1] - 1)), time);
    for (int i = 0; i < other_count; i++)
        if (kind->series >> i & 1) inputs[i] = am_gather(b, inputs[i], time, 1, false);
    am_value y = kind->step(b, inputs, states);
    for (int i = 0; i < kind->state_count; i++) am_output(b, "state", states[i]);
    am_output(b, "y", y);
}

static am_status make_body(const kind_row *kind, am_dtype dtype, const am_shape *shapes, bool reverse, am_graph **out)
{
    am_builder *b;
    *out = NULL;
    AM_TRY(am_builder_create(&b));
    build_body(b, kind, dtype, shapes, reverse);
    am_status status = am_builder_finish(b, out);
    am_builder_destroy(b);
    return status;
}

/* y: [T, B, ..] in the order of the trips -> [B, T, ..] in the order of time. */
static am_value order_steps(am_builder *b, am_value y, bool reverse)
{
    if (reverse) y = am_slice_step(b, y, 0, -1, AM_SLICE_END, -1);
    return am_transpose(b, y, 0, 1);
}

static void expand(am_builder *b, const am_node *node, const am_value *inputs, am_value *outputs)
{
    const am_recurrence_attributes *a = node->attributes;
    const kind_row *kind = &kinds[a->kind];
    int other_count = kind->input_count - kind->state_count;
    am_dtype wide = am_dtype_of(b, inputs[kind->like]) == AM_F64 ? AM_F64 : AM_F32;
    am_value given[INPUT_LIMIT], results[1 + STATE_LIMIT] = {AM_NONE};
    am_shape shapes[INPUT_LIMIT];
    am_graph *body;
    for (int i = 0; i < kind->input_count; i++) {
        int at = i < other_count ? kind->state_count + i : i - other_count;
        shapes[i] = am_shape_of_value(b, inputs[i]);
        given[at] = am_cast(b, inputs[i], wide);
    }
    am_builder_fail(b, make_body(kind, wide, shapes, a->reverse, &body));
    am_loop(b, body, given, kind->input_count,
            &(am_loop_attributes){.trips = shapes[0].dims[1], .carried = kind->state_count}, results);
    outputs[0] = am_cast(b, order_steps(b, results[kind->state_count], a->reverse), am_dtype_of(b, inputs[kind->like]));
    for (int i = 0; i < kind->state_count; i++)
        outputs[1 + i] = am_cast(b, results[i], am_dtype_of(b, inputs[other_count + i]));
}

am_value am_recurrence(am_builder *b, const am_value *inputs, int input_count, const am_recurrence_attributes *options,
                       am_value *out_states)
{
    am_value outputs[1 + STATE_LIMIT] = {AM_NONE, AM_NONE, AM_NONE};
    am_add_node(b, AM_OP_RECURRENCE, inputs, input_count, options, outputs);
    for (int i = 0; out_states && i < kinds[options->kind].state_count; i++) out_states[i] = outputs[1 + i];
    return outputs[0];
}

static const char *const names[] = {"linear", "lstm", "gru", "selective_scan", "gated_delta", NULL};
static const am_field fields[] = {AM_FIELD_OF_ENUM(am_recurrence_attributes, kind, names),
                                  AM_FIELD(am_recurrence_attributes, BOOL, reverse), AM_FIELDS_END};

const am_op am_op_recurrence = {
    .name = "recurrence",
    .summary = "A state carried over time: linear, LSTM, GRU, selective scan (Mamba) or gated delta rule; "
               "gives every step and the last states.",
    .min_inputs = 3,
    .max_inputs = INPUT_LIMIT,
    .fields = fields,
    .attributes_bytes = sizeof(am_recurrence_attributes),
    .infer = infer,
    .expand = expand,
    .is_composite = true,
};
