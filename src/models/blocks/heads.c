#include "models/blocks/heads.h"

am_value am_last_position_if_wanted(am_builder *b, am_value x)
{
    return am_wants_last_logits_only(b) ? am_slice(b, x, 1, -1, AM_SLICE_END) : x;
}

am_value am_lm_head(am_builder *b, const char *name, am_value x, int64_t vocab, bool tied, const char *embedding, int bias)
{
    x = am_last_position_if_wanted(b, x);
    if (!tied) return am_linear(b, name, x, vocab, bias);
    am_value table = am_weight_absolute(b, embedding, am_shape_of(vocab, am_dim(b, x, -1))), offset = AM_NONE;
    if (bias) {
        am_scope(b, "%s", name);
        offset = am_weight(b, "bias", am_shape_of(vocab));
        am_end_scope(b);
    }
    return am_linear_with(b, x, table, offset);
}

void am_output_span_logits(am_builder *b, const char *name, am_value x)
{
    am_value logits = am_linear(b, name, x, 2, AM_BIAS);
    am_output(b, "start_logits", am_index(b, logits, 2, 0));
    am_output(b, "end_logits", am_index(b, logits, 2, 1));
}

am_value am_rows_at(am_builder *b, am_value x, am_value positions)
{
    am_shape s = am_shape_of_value(b, x);
    am_value index = am_broadcast(b, am_reshape(b, positions, am_shape_of(s.dims[0], 1, 1)), am_shape_of(s.dims[0], 1, s.dims[2]));
    return am_squeeze(b, am_gather(b, x, index, 1, true), 1);
}

am_value am_last_token(am_builder *b, am_value x, am_value ids, int64_t pad)
{
    int64_t T = am_dim(b, ids, 1);
    if (pad < 0) return am_index(b, x, 1, -1);
    am_value real = am_cast(b, am_binary_number(b, AM_NOT_EQUAL, ids, (double)pad), AM_I32);
    am_value places = am_mul(b, real, am_iota(b, AM_I32, am_shape_of(1, T), 1, 0, 1));
    return am_rows_at(b, x, am_arg_reduce(b, places, 1, false));
}

void am_generic_sequence_classification(am_builder *b, am_value hidden, am_value ids, int64_t labels, int64_t pad)
{
    am_output(b, "logits", am_linear(b, "score", am_last_token(b, hidden, ids, pad), labels, AM_NO_BIAS));
}

void am_generic_token_classification(am_builder *b, const char *name, am_value hidden, int64_t labels)
{
    am_output(b, "logits", am_linear(b, name, hidden, labels, AM_BIAS));
}

int64_t am_pad_token(const am_config *c)
{
    return am_config_int(c, "pad_token_id", -1);
}

am_value am_flat_input(am_builder *b, const char *name)
{
    am_value x = am_input_optional(b, name, -1);
    return am_rank(b, x) == 3 ? am_flatten(b, x, 0, 1) : x;
}
