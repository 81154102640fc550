#include "models/blocks/heads.h"

#include "models/blocks/attention.h"

#include <string.h>

am_value am_last_position_if_wanted(am_builder *b, am_value x)
{
    return am_wants_last_logits_only(b) ? am_slice(b, x, 1, -1, AM_SLICE_END) : x;
}

static am_value own_or_tied(am_builder *b, const char *name, am_shape shape, bool tied, const char *embedding)
{
    return tied && !am_has_weight(b, name) ? am_weight_absolute(b, embedding, shape) : am_weight(b, name, shape);
}

am_value am_lm_head(am_builder *b, const char *name, am_value x, int64_t vocab, bool tied, const char *embedding,
                    int bias)
{
    x = am_last_position_if_wanted(b, x);
    am_scope(b, "%s", name);
    am_value table = own_or_tied(b, "weight", am_shape_of(vocab, am_dim(b, x, -1)), tied, embedding);
    am_value offset = bias ? am_weight(b, "bias", am_shape_of(vocab)) : AM_NONE;
    am_end_scope(b);
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
    am_value index =
        am_broadcast(b, am_reshape(b, positions, am_shape_of(s.dims[0], 1, 1)), am_shape_of(s.dims[0], 1, s.dims[2]));
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

int64_t am_pad_token(const am_config *c, int64_t fallback)
{
    return am_config_is_null(c, "pad_token_id") ? -1 : am_config_int(c, "pad_token_id", fallback);
}

am_value am_masked_lm_decoder(am_builder *b, am_value x, int64_t vocab, bool tied, const char *embedding)
{
    const char *bias = am_has_weight(b, "decoder.bias") ? "decoder.bias" : "bias";
    am_value table = own_or_tied(b, "decoder.weight", am_shape_of(vocab, am_dim(b, x, -1)), tied, embedding);
    return am_linear_with(b, x, table, am_weight(b, bias, am_shape_of(vocab)));
}

am_value am_classification_head(am_builder *b, const char *name, am_value x, int64_t labels, am_unary_fn activation)
{
    am_scope(b, "%s", name);
    x = am_linear_activation(b, "dense", x, am_dim(b, x, -1), AM_BIAS, activation);
    x = am_linear(b, "out_proj", x, labels, AM_BIAS);
    am_end_scope(b);
    return x;
}

void am_output_replaced(am_builder *b, am_value x, am_unary_fn activation)
{
    am_scope(b, "discriminator_predictions");
    x = am_linear_activation(b, "dense", x, am_dim(b, x, -1), AM_BIAS, activation);
    am_output(b, "logits", am_squeeze(b, am_linear(b, "dense_prediction", x, 1, AM_BIAS), -1));
    am_end_scope(b);
}

am_summary_options am_summary_options_read(const am_config *c, am_summary_options o)
{
    static const char *const types[] = {"first", "last", "mean", "cls_index"};
    bool known = false;
    o.type = am_config_text(c, "summary_type", o.type);
    for (int i = 0; i < (int)(sizeof types / sizeof types[0]); i++) known = known || strcmp(o.type, types[i]) == 0;
    if (!known) am_config_unsupported(c, "summary_type", "\"%s\" is not supported", o.type);
    o.projected = am_config_flag(c, "summary_use_proj", o.projected);
    o.projected_to_labels = am_config_flag(c, "summary_proj_to_labels", o.projected_to_labels);
    o.activation = am_config_is_null(c, "summary_activation")
                       ? AM_IDENTITY
                       : am_config_activation(c, "summary_activation", o.activation);
    return o;
}

static am_value summarize(am_builder *b, am_value x, am_value positions, const char *type)
{
    if (strcmp(type, "mean") == 0) return am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(1), false);
    if (strcmp(type, "cls_index") == 0 && positions.id) return am_rows_at(b, x, positions);
    return am_index(b, x, 1, strcmp(type, "first") == 0 ? 0 : -1);
}

am_value am_sequence_summary(am_builder *b, const char *name, am_value x, am_value positions, int64_t labels,
                             const am_summary_options *o)
{
    x = summarize(b, x, positions, o->type);
    if (!o->projected) return am_unary(b, o->activation, x);
    am_scope(b, "%s", name);
    x = am_linear_activation(b, "summary", x, o->projected_to_labels ? labels : am_dim(b, x, -1), AM_BIAS,
                             o->activation);
    am_end_scope(b);
    return x;
}

am_value am_flat_input(am_builder *b, const char *name)
{
    am_value x = am_input_optional(b, name, -1);
    return am_rank(b, x) == 3 ? am_flatten(b, x, 0, 1) : x;
}

am_value am_input_embeddings(am_builder *b, const char *name, int64_t vocab, int64_t C)
{
    if (!am_has_input(b, "inputs_embeds")) {
        am_value ids = am_flat_input(b, "input_ids");
        return ids.id ? am_embedding(b, name, ids, vocab, C) : am_input(b, "input_ids", 2);
    }
    am_value x = am_input(b, "inputs_embeds", 3);
    if (x.id && am_dim(b, x, 2) != C)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "inputs_embeds has vectors of %lld numbers, expected %lld",
                                    (long long)am_dim(b, x, 2), (long long)C));
    return x;
}

am_value am_flat_padding_mask(am_builder *b)
{
    am_value mask = am_input_optional(b, "attention_mask", -1);
    if (am_rank(b, mask) == 4)
        return am_dtype_of(b, mask) == AM_BOOL ? mask : am_binary_number(b, AM_NOT_EQUAL, mask, 0);
    return am_padding_mask_of(b, am_flat_input(b, "attention_mask"));
}

am_value am_unflatten_choices(am_builder *b, am_value x)
{
    if (am_has_input(b, "inputs_embeds")) return x;
    am_value ids = am_input_optional(b, "input_ids", -1);
    am_shape s = am_shape_of_value(b, x), y = {.rank = s.rank + 1, .dims = {am_dim(b, ids, 0), am_dim(b, ids, 1)}};
    if (am_rank(b, ids) != 3) return x;
    for (int i = 1; i < s.rank; i++) y.dims[i + 1] = s.dims[i];
    return am_reshape(b, x, y);
}

am_value am_zero_masked(am_builder *b, am_value x)
{
    am_value mask = am_flat_input(b, "attention_mask");
    return mask.id ? am_mul(b, x, am_unsqueeze(b, am_cast(b, mask, AM_F32), 2)) : x;
}
