/* Qwen2.5-Omni's talker, which says codes of speech: the thinker's text model over what the thinker gave, projected.
   transformers: models/qwen2_5_omni/modeling_qwen2_5_omni.py */
#include "models/blocks/heads.h"
#include "models/blocks/qwen_omni.h"

/* The embedding of the token that field `key` names: [1, C]. */
static am_value token_row(am_builder *b, const char *key, int64_t fallback, int64_t vocab_size, int64_t C)
{
    const am_config *c = am_model_config(b);
    int64_t id = am_config_int(c, key, fallback);
    if (id < 0 || id >= vocab_size) am_config_fail(c, key, "no token of vocab_size");
    am_value ids = am_cast(b, am_scalar(b, AM_I32, (double)id), AM_I32);
    return am_embedding(b, "model.embed_tokens", am_reshape(b, ids, am_shape_of(1)), vocab_size, C);
}

/* x: [B, T, C] with the rows of two tokens added to its last two places: speech starts behind them. */
static am_value started(am_builder *b, am_value x, int64_t vocab_size)
{
    int64_t T = am_dim(b, x, 1), C = am_dim(b, x, 2);
    am_value pad = token_row(b, "tts_codec_pad_token_id", 8292, vocab_size, C);
    am_value start = token_row(b, "tts_codec_start_token_id", 8293, vocab_size, C);
    if (T < 2) {
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "inputs_embeds: expected two places or more"));
        return AM_NONE;
    }
    am_value last = am_add(b, am_slice(b, x, 1, T - 2, T), am_unsqueeze(b, am_concat2(b, pad, start, 0), 0));
    return T > 2 ? am_concat2(b, am_slice(b, x, 1, 0, T - 2), last, 1) : last;
}

/* Places that padding takes no part in: I32 [3, B, T] of the mask [B, T]. */
static am_value places(am_builder *b, am_value mask)
{
    am_shape shape = am_shape_of(3, am_dim(b, mask, 0), am_dim(b, mask, 1));
    am_value is = am_binary_number(b, AM_NOT_EQUAL, mask, 0), count = am_cast(b, mask, AM_I32);
    count = am_add_number(b, am_scan(b, AM_REDUCE_SUM, count, 1, false, false), -1);
    return am_broadcast(b, am_unsqueeze(b, am_select(b, is, count, am_scalar(b, AM_I32, 1)), 0), shape);
}

/* What the talker reads: the input inputs_embeds, or rows of input_ids with the next of thinker_reply_part. */
static am_value read(am_builder *b, int64_t vocab_size, int64_t C)
{
    if (am_has_input(b, "inputs_embeds")) return am_input(b, "inputs_embeds", 3);
    am_value x = am_embedding(b, "model.embed_tokens", am_input(b, "input_ids", 2), vocab_size, C);
    return am_add(b, x, am_slice(b, am_input(b, "thinker_reply_part", 3), 1, 0, 1));
}

/* What is left of the input thinker_reply_part, which the first place of a run that gives no embeddings takes. */
static void output_reply(am_builder *b)
{
    am_value reply = am_input_optional(b, "thinker_reply_part", 3);
    if (!reply.id) return;
    bool takes = !am_has_input(b, "inputs_embeds") && am_dim(b, reply, 1) > 1;
    am_output(b, "thinker_reply_part", takes ? am_slice(b, reply, 1, 1, AM_SLICE_END) : reply);
}

static void talker_for_conditional_generation(am_builder *b)
{
    /* they place pictures and sounds, and so nothing without pictures */
    static const char *const uncounted[] = {"input_text_ids", "audio_feature_lengths", "video_second_per_grid"};
    const am_config *c = am_model_config(b);
    int64_t vocab_size = am_config_size(c, "vocab_size", 8448), C = am_config_size(c, "embedding_size", 3584);
    am_value x = read(b, vocab_size, C), mask = am_input_optional(b, "attention_mask", 2);
    bool counts = mask.id && !am_has_input(b, "position_ids");
    for (int i = 0; i < 3; i++) am_input_optional(b, uncounted[i], -1);
    if (counts && (am_has_input(b, "image_grid_thw") || am_has_input(b, "video_grid_thw")))
        am_builder_fail(b, am_error(AM_UNSUPPORTED, "pictures of the thinker's text: position_ids must be given"));
    if (counts && am_has_input(b, "inputs_embeds")) x = started(b, x, vocab_size);
    x = am_linear(b, "thinker_to_talker_proj", x, am_config_size(c, "hidden_size", 3584), AM_BIAS);
    am_part_input inputs[] = {{.name = "inputs_embeds", .value = x},
                              {.name = "attention_mask", .whole = "attention_mask"},
                              {.name = "position_ids", .whole = "position_ids"},
                              {.name = "input_ids"}};
    if (counts) inputs[2] = (am_part_input){.name = "position_ids", .value = places(b, mask)};
    am_part part = {.class_name = "Qwen2_5OmniTalkerModel", .config = c, .inputs = inputs, .input_count = 4};
    am_scope(b, "model");
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    x = am_part_output(&outputs, "last_hidden_state");
    am_output(b, "logits", am_linear(b, "codec_head", x, vocab_size, AM_NO_BIAS));
    if (am_wants_hidden_states(b)) am_output_part_list(b, &outputs, "hidden_states", "hidden_states");
    output_reply(b);
}

static const am_architecture architectures[] = {
    {"Qwen2_5OmniTalkerModel", am_decoder_model, "feature-extraction", 0},
    {"Qwen2_5OmniTalkerForConditionalGeneration", talker_for_conditional_generation, NULL, 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 8448,
                 .hidden_size = 3584,
                 .intermediate_size = 18944,
                 .num_hidden_layers = 28,
                 .num_attention_heads = 28,
                 .num_key_value_heads = 4,
                 .head_dim = 128,
                 .max_position_embeddings = 32768,
                 .rope_theta = 1000000,
                 .whole_heads = true},
    .adapt = am_qwen2_5_omni_adapt,
};

const am_model_type am_model_qwen2_5_omni_talker = {
    .name = "qwen2_5_omni_talker", .base_prefix = "talker", .architectures = architectures, .family = &family};
