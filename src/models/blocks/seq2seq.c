#include "models/blocks/seq2seq.h"

#include "models/blocks/attention.h"
#include "models/blocks/heads.h"

am_value am_seq2seq_run(am_builder *b, const am_seq2seq *parts)
{
    am_stage stage = am_model_stage(b);
    am_value encoded = AM_NONE;
    if (stage != AM_STAGE_DECODE) {
        encoded = parts->encode(b, parts->model);
        am_output(b, "encoder_last_hidden_state", encoded);
    } else if (!am_cross_cached(b)) encoded = am_input(b, "encoder_hidden_states", 3);
    return stage == AM_STAGE_ENCODE ? AM_NONE : parts->decode(b, parts->model, encoded);
}

am_encoder_states am_encoder_states_input(am_builder *b)
{
    bool cached = am_cross_cached(b) && am_encoder_length(b) > 0;
    if (!cached && !am_has_input(b, "encoder_hidden_states")) return (am_encoder_states){0};
    return (am_encoder_states){.given = true,
                               .states = cached ? AM_NONE : am_input(b, "encoder_hidden_states", 3),
                               .mask = am_padding_mask(b, "encoder_attention_mask")};
}

/* ids: [B, T] behind first: [B, 1], the last left out. */
static am_value behind(am_builder *b, am_value first, am_value ids)
{
    int64_t T = am_dim(b, ids, 1);
    return T == 1 ? first : am_concat2(b, first, am_slice(b, ids, 1, 0, T - 1), 1);
}

am_value am_decoder_input_ids_behind(am_builder *b, int64_t start)
{
    if (am_has_input(b, "decoder_input_ids")) return am_input(b, "decoder_input_ids", 2);
    am_value ids = am_input(b, "input_ids", 2);
    am_value first = am_iota(b, AM_I32, am_shape_of(am_dim(b, ids, 0), 1), 1, (double)start, 0);
    return behind(b, first, ids);
}

am_value am_decoder_input_ids(am_builder *b, bool shift, int64_t start_fallback)
{
    if (!shift || am_has_input(b, "decoder_input_ids")) return am_input(b, "decoder_input_ids", 2);
    const am_config *c = am_model_config(b);
    int64_t start = am_config_int(c, "decoder_start_token_id", start_fallback);
    if (start < 0) am_config_fail(c, "decoder_start_token_id", "missing, and decoder_input_ids are not given");
    return am_decoder_input_ids_behind(b, start);
}

am_value am_decoder_input_ids_from_last(am_builder *b, int64_t pad)
{
    if (am_has_input(b, "decoder_input_ids")) return am_input(b, "decoder_input_ids", 2);
    am_value ids = am_input(b, "input_ids", 2);
    am_value real = am_cast(b, am_binary_number(b, AM_NOT_EQUAL, ids, (double)pad), AM_I32);
    am_value last = am_add_number(b, am_reduce(b, AM_REDUCE_SUM, real, am_shape_of(1), true), -1);
    return behind(b, am_gather(b, ids, last, 1, true), ids);
}

am_value am_last_eos_token(am_builder *b, am_value x, int64_t eos_fallback)
{
    am_value ids = am_input(b, "input_ids", 2);
    int64_t T = am_dim(b, ids, 1), eos = am_config_int(am_model_config(b), "eos_token_id", eos_fallback);
    if (am_dim(b, x, 1) != T)
        am_builder_fail(b,
                        am_error(AM_INVALID_ARGUMENT,
                                 "the decoder has %lld tokens, input_ids have %lld: this class reads the decoder where "
                                 "input_ids end",
                                 (long long)am_dim(b, x, 1), (long long)T));
    am_value places = am_iota(b, AM_I32, am_shape_of(1, T), 1, 0, 1), none = am_scalar(b, AM_I32, -1);
    am_value at = am_select(b, am_binary_number(b, AM_EQUAL, ids, (double)eos), places, none);
    return am_rows_at(b, x, am_reduce(b, AM_REDUCE_MAX, at, am_shape_of(1), false));
}

am_value am_shared_table(am_builder *b, const char *const *names, am_shape shape)
{
    const char *const *name = names;
    while (*name && !am_has_weight(b, *name)) name++;
    return am_weight(b, *name ? *name : names[0], shape);
}
