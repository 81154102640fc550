#include "models/blocks/table_structure.h"

#include "models/blocks/layers.h"

/* What every step of the cell reads, in the order in which the loop's body has it. */
enum {
    TABLE_TOKENS,
    TABLE_PROJECTED,
    TABLE_HIDDEN_WEIGHT,
    TABLE_HIDDEN_BIAS,
    TABLE_SCORE,
    TABLE_INPUT_WEIGHT,
    TABLE_INPUT_BIAS,
    TABLE_STATE_WEIGHT,
    TABLE_STATE_BIAS,
    TABLE_FC1_WEIGHT,
    TABLE_FC1_BIAS,
    TABLE_FC2_WEIGHT,
    TABLE_FC2_BIAS,
    TABLE_INVARIANTS,
};

/* What goes from step to step. */
enum { STEP_STATE, STEP_TAGS, STEP_ENDED, STEP_COUNT, STEP_CARRIED };

static const am_table_family *family_of(const am_builder *b)
{
    return am_model_family(b);
}

static am_value parameter(am_builder *b, const char *name, am_shape shape)
{
    return am_cast(b, am_weight(b, name, shape), AM_F32);
}

static void read_weights(am_builder *b, am_value tokens, int64_t H, int64_t O, am_value *in)
{
    int64_t I = am_dim(b, tokens, 2);
    in[TABLE_TOKENS] = tokens;
    am_scope(b, "structure_attention_cell");
    in[TABLE_PROJECTED] = am_linear(b, "input_to_hidden", tokens, H, AM_NO_BIAS);
    in[TABLE_HIDDEN_WEIGHT] = parameter(b, "hidden_to_hidden.weight", am_shape_of(H, H));
    in[TABLE_HIDDEN_BIAS] = parameter(b, "hidden_to_hidden.bias", am_shape_of(H));
    in[TABLE_SCORE] = parameter(b, "score.weight", am_shape_of(1, H));
    in[TABLE_INPUT_WEIGHT] = parameter(b, "rnn.weight_ih", am_shape_of(3 * H, I + O));
    in[TABLE_INPUT_BIAS] = parameter(b, "rnn.bias_ih", am_shape_of(3 * H));
    in[TABLE_STATE_WEIGHT] = parameter(b, "rnn.weight_hh", am_shape_of(3 * H, H));
    in[TABLE_STATE_BIAS] = parameter(b, "rnn.bias_hh", am_shape_of(3 * H));
    am_end_scope(b);
    am_scope(b, "structure_generator");
    in[TABLE_FC1_WEIGHT] = parameter(b, "fc1.weight", am_shape_of(H, H));
    in[TABLE_FC1_BIAS] = parameter(b, "fc1.bias", am_shape_of(H));
    in[TABLE_FC2_WEIGHT] = parameter(b, "fc2.weight", am_shape_of(O, H));
    in[TABLE_FC2_BIAS] = parameter(b, "fc2.bias", am_shape_of(O));
    am_end_scope(b);
}

/* The mean of the tokens by the weights that the state gives them: [B, C]. */
static am_value look(am_builder *b, const am_value *in, am_value state)
{
    am_value h = am_unsqueeze(b, am_linear_with(b, state, in[TABLE_HIDDEN_WEIGHT], in[TABLE_HIDDEN_BIAS]), 1);
    h = am_unary(b, AM_TANH, am_add(b, in[TABLE_PROJECTED], h));
    h = am_softmax(b, am_linear_with(b, h, in[TABLE_SCORE], AM_NONE), 1);
    return am_squeeze(b, am_matmul(b, h, in[TABLE_TOKENS], true, false), 1);
}

static am_value one_hot(am_builder *b, am_value tags, int64_t O)
{
    am_value is = am_binary(b, AM_EQUAL, am_unsqueeze(b, tags, 1), am_iota(b, AM_I32, am_shape_of(1, O), 1, 0, 1));
    return am_cast(b, is, AM_F32);
}

static am_value next_state(am_builder *b, const am_value *in, am_value state, am_value tags, int64_t O)
{
    am_value x = am_concat2(b, look(b, in, state), one_hot(b, tags, O), 1), last;
    x = am_unsqueeze(b, am_linear_with(b, x, in[TABLE_INPUT_WEIGHT], in[TABLE_INPUT_BIAS]), 1);
    am_value inputs[] = {x, in[TABLE_STATE_WEIGHT], in[TABLE_STATE_BIAS], state};
    am_recurrence(b, inputs, 4, &(am_recurrence_attributes){.kind = AM_RECURRENCE_GRU}, &last);
    return last;
}

/* The body of the loop over steps; values have the shapes that they have in `outer`. */
static am_graph *step(am_builder *outer, const am_value *carried, const am_value *in, int64_t O, bool measures)
{
    am_builder *b;
    am_graph *graph = NULL;
    am_value from[STEP_CARRIED], fixed[TABLE_INVARIANTS];
    am_status status = am_builder_create(&b);
    if (status) {
        am_builder_fail(outer, status);
        return NULL;
    }
    am_value i = am_graph_input(b, "i", AM_I32, (am_shape){0});
    for (int k = 0; k < STEP_CARRIED; k++)
        from[k] = am_graph_input(b, "carried", am_dtype_of(outer, carried[k]), am_shape_of_value(outer, carried[k]));
    for (int k = 0; k < TABLE_INVARIANTS; k++)
        fixed[k] = am_graph_input(b, "fixed", am_dtype_of(outer, in[k]), am_shape_of_value(outer, in[k]));
    am_value state = next_state(b, fixed, from[STEP_STATE], from[STEP_TAGS], O);
    am_value logits = am_linear_with(b, state, fixed[TABLE_FC1_WEIGHT], fixed[TABLE_FC1_BIAS]);
    logits = am_linear_with(b, logits, fixed[TABLE_FC2_WEIGHT], fixed[TABLE_FC2_BIAS]);
    am_value tags = am_arg_reduce(b, logits, 1, false);
    am_value ended =
        am_binary(b, AM_LOGICAL_OR, from[STEP_ENDED], am_binary_number(b, AM_EQUAL, tags, (double)(O - 1)));
    am_value all = am_reduce(b, AM_REDUCE_ALL, ended, am_shape_of(0), false);
    if (measures) am_output(b, "more", am_unary(b, AM_LOGICAL_NOT, all));
    am_output(b, "state", state);
    am_output(b, "tags", tags);
    am_output(b, "ended", ended);
    am_output(b, "count", am_add_number(b, i, 1));
    if (!measures) am_output(b, "logits", logits);
    status = am_builder_finish(b, &graph);
    am_builder_destroy(b);
    if (status) am_builder_fail(outer, status);
    return graph;
}

/* Probabilities of tags: [B, steps, O]; AM_NONE where steps are only counted. states: name of the logits of steps among
   the outputs. */
static am_value write_tags(am_builder *b, am_value tokens, const char *states)
{
    const am_config *c = am_model_config(b);
    int64_t B = am_dim(b, tokens, 0), H = am_config_size(c, "hidden_size", family_of(b)->hidden_size),
            O = am_config_size(c, "out_channels", 50), most = am_config_count(c, "max_text_length", 500) + 1;
    bool measures = am_model_stage(b) == AM_STAGE_MEASURE;
    am_value in[STEP_CARRIED + TABLE_INVARIANTS], out[STEP_CARRIED + 1], *carried = in, *fixed = in + STEP_CARRIED;
    carried[STEP_STATE] = am_broadcast(b, am_scalar(b, AM_F32, 0), am_shape_of(B, H));
    carried[STEP_TAGS] = am_broadcast(b, am_scalar(b, AM_I32, 0), am_shape_of(B));
    carried[STEP_ENDED] = am_broadcast(b, am_scalar(b, AM_BOOL, 0), am_shape_of(B));
    carried[STEP_COUNT] = am_scalar(b, AM_I32, 0);
    read_weights(b, tokens, H, O, fixed);
    int64_t steps = measures ? most : am_model_argument(b, "length", most);
    if (am_builder_failed(b)) return AM_NONE;
    am_loop(b, step(b, carried, fixed, O, measures), in, STEP_CARRIED + TABLE_INVARIANTS,
            &(am_loop_attributes){.trips = steps, .carried = STEP_CARRIED, .has_condition = measures}, out);
    if (measures) {
        am_output(b, "length", out[STEP_COUNT]);
        return AM_NONE;
    }
    for (int i = 0; i < steps && am_wants_hidden_states(b) && !am_builder_failed(b); i++)
        am_output_hidden_state(b, states, i, am_index(b, out[STEP_CARRIED], 0, i));
    return am_softmax(b, am_transpose(b, out[STEP_CARRIED], 0, 1), 2);
}

void am_table_backbone(am_builder *b)
{
    am_output(b, "last_hidden_state", family_of(b)->backbone(b, "hidden_states"));
}

void am_table_head(am_builder *b)
{
    am_value tokens = am_input(b, "hidden_states", 3);
    int64_t C = am_config_size(am_model_config(b), "post_conv_out_channels", family_of(b)->width);
    if (tokens.id && am_dim(b, tokens, 2) != C)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "hidden_states has %lld channels, expected %lld",
                                    (long long)am_dim(b, tokens, 2), (long long)C));
    am_value x = write_tags(b, tokens, "hidden_states");
    if (x.id) am_output(b, "last_hidden_state", x);
}

void am_table_recognition(am_builder *b)
{
    am_scope(b, "backbone");
    am_value tokens = family_of(b)->backbone(b, "pixel_values");
    am_end_scope(b);
    am_scope(b, "head");
    am_value x = write_tags(b, tokens, "head_hidden_states");
    am_end_scope(b);
    if (x.id) am_output(b, "last_hidden_state", x);
}
