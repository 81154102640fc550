/* CLVP's encoder of texts or of a sound's tokens, whose rotary positions turn values, too, and GPT-2's layers that
   write such tokens, of a text in the voice of a sound. transformers: models/clvp/modeling_clvp.py */
#include "models/blocks/attention.h"
#include "models/blocks/heads.h"
#include "models/blocks/vision.h"

#include <inttypes.h>
#include <stdio.h>

static const double FINAL_NORM_EPS = 1e-5; /* not configurable */

/* --- the encoder --- */

typedef struct encoder {
    int64_t vocab, width, inner, projection, layers;
    am_unary_fn hidden_act;
    double eps;
    am_attention_options attention;
} encoder;

static encoder read_encoder(const am_config *c)
{
    encoder r = {.vocab = am_config_size(c, "vocab_size", 256),
                 .width = am_config_size(c, "hidden_size", 768),
                 .inner = am_config_size(c, "intermediate_size", 1536),
                 .projection = am_config_size(c, "projection_dim", 768),
                 .layers = am_config_count(c, "num_hidden_layers", 20),
                 .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
                 .eps = am_config_real(c, "layer_norm_eps", 1e-5)};
    bool bias = am_config_flag(c, "use_attention_bias", false);
    am_attention_options *a = &r.attention;
    a->heads = am_config_size(c, "num_attention_heads", 12);
    a->no_q_bias = a->no_k_bias = a->no_v_bias = !bias;
    am_config_check_divides(c, "num_attention_heads", a->heads, "hidden_size", r.width);
    return r;
}

/* Tables of the frequencies that the file has, for T positions or, where `has_places`, those of the input
   position_ids. */
static am_rope tables(am_builder *b, const am_config *c, int64_t T, const encoder *e, bool has_places)
{
    int64_t turned = e->projection / (2 * e->attention.heads), head = e->width / e->attention.heads;
    turned = turned < 32 ? 32 : turned;
    if (turned > head || turned % 2 != 0)
        am_config_fail(c, "projection_dim", "%" PRId64 " numbers of a head's %" PRId64 " are turned", turned, head);
    am_value frequencies = am_cast(b, am_weight(b, "rotary_pos_emb.inv_freq", am_shape_of(turned / 2)), AM_F32);
    am_value given = has_places ? am_input_optional(b, "position_ids", 2) : AM_NONE;
    am_value places = given.id ? given : am_iota(b, AM_I32, am_shape_of(1, T), 1, 0, 1);
    am_value angles = am_mul(b, am_unsqueeze(b, am_cast(b, places, AM_F32), -1), frequencies);
    return (am_rope){.cos = am_unary(b, AM_COS, angles), .sin = am_unary(b, AM_SIN, angles)};
}

/* The second half of fc1 gates the first. */
static am_value encoder_layer(am_builder *b, am_value x, const encoder *e)
{
    am_value h = am_rms_norm(b, "input_rmsnorm", x, e->eps, 0);
    am_scope(b, "self_attn");
    x = am_add(b, x, am_self_attention(b, h, &e->attention));
    am_end_scope(b);
    h = am_rms_norm(b, "post_attention_rmsnorm", x, e->eps, 0);
    h = am_linear(b, "mlp.fc1.proj", h, 2 * e->inner, AM_BIAS);
    h = am_gated_activation(b, e->hidden_act, am_slice(b, h, 2, e->inner, 2 * e->inner),
                            am_slice(b, h, 2, 0, e->inner));
    return am_add(b, x, am_linear(b, "mlp.fc2", h, e->width, AM_BIAS));
}

typedef struct encoded {
    am_value states, pooled, embeds; /* [B, T, C], [B, C], [B, projection] */
} encoded;

/* Below the scope, of tokens x: [B, T, C] with positions from 0 or, where `has_places`, of the input position_ids;
   hidden_states: their name. */
static encoded encode(am_builder *b, const am_config *c, encoder *e, am_value x, bool has_places,
                      const char *hidden_states)
{
    am_rope rope;
    if (am_config_flag(c, "use_rotary_embedding", true)) {
        rope = tables(b, c, am_dim(b, x, 1), e, has_places);
        e->attention.rope = &rope;
        e->attention.rotates_values = true;
    } else if (has_places) {
        am_input_optional(b, "position_ids", 2); /* which then say nothing */
    }
    for (int i = 0; i < e->layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, hidden_states, i, x);
        am_scope(b, "layers.%d", i);
        x = encoder_layer(b, x, e);
        am_end_scope(b);
    }
    x = am_layer_norm(b, "final_layer_norm", x, e->eps);
    am_output_hidden_state(b, hidden_states, (int)e->layers, x);
    am_summary_options summary = {.type = am_config_text(c, "summary_type", "mean")};
    am_value pooled = am_sequence_summary(b, "", x, AM_NONE, 0, &summary);
    return (encoded){x, pooled, am_linear(b, "projection", pooled, e->projection, AM_NO_BIAS)};
}

static void clvp_encoder(am_builder *b)
{
    const am_config *c = am_model_config(b);
    encoder e = read_encoder(c);
    am_value x = am_input_embeddings(b, "token_embedding", e.vocab, e.width);
    e.attention.mask = am_padding_mask(b, "attention_mask");
    encoded r = encode(b, c, &e, x, true, "hidden_states");
    am_output(b, "embeds", r.embeds);
    am_output(b, "last_hidden_state", r.states);
    am_output(b, "pooler_output", r.pooled);
}

/* --- the decoder --- */

typedef struct decoder {
    int64_t vocab, positions, width, layers, inner;
    am_unary_fn activation;
    double eps;
    am_attention_options attention;
} decoder;

static decoder read_decoder(const am_config *c)
{
    decoder r = {.vocab = am_config_size(c, "vocab_size", 8194),
                 .positions = am_config_size(c, "max_position_embeddings", 608),
                 .width = am_config_size(c, "hidden_size", 1024),
                 .layers = am_config_count(c, "num_hidden_layers", 30),
                 .activation = am_config_activation(c, "activation_function", AM_GELU_TANH),
                 .eps = am_config_real(c, "layer_norm_epsilon", 1e-5)};
    bool bias = am_config_flag(c, "use_attention_bias", true);
    am_attention_options *a = &r.attention;
    r.inner = am_config_size(c, "n_inner", 4 * r.width);
    a->heads = am_config_size(c, "num_attention_heads", 16);
    a->no_q_bias = a->no_k_bias = a->no_v_bias = !bias;
    a->causal = true;
    am_config_check_divides(c, "num_attention_heads", a->heads, "hidden_size", r.width);
    return r;
}

static am_value decoder_layer(am_builder *b, am_value x, const decoder *d)
{
    am_value h = am_layer_norm(b, "input_layernorm", x, d->eps);
    am_scope(b, "attn");
    x = am_add(b, x, am_self_attention(b, h, &d->attention));
    am_end_scope(b);
    h = am_linear_in_out(b, "mlp.c_fc", am_layer_norm(b, "post_attention_layernorm", x, d->eps), d->inner);
    return am_add(b, x, am_linear_in_out(b, "mlp.c_proj", am_unary(b, d->activation, h), d->width));
}

/* The layers and their norm below the scope; hidden_states: their name. */
static am_value decoder_layers(am_builder *b, am_value x, const decoder *d, const char *hidden_states)
{
    for (int i = 0; i < d->layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, hidden_states, i, x);
        am_scope(b, "layers.%d", i);
        x = decoder_layer(b, x, d);
        am_end_scope(b);
    }
    x = am_layer_norm(b, "layer_norm", x, d->eps);
    am_output_hidden_state(b, hidden_states, (int)d->layers, x);
    return x;
}

/* The states below `prefix`: [B, T, C], named as hidden states. */
static am_value decode(am_builder *b, const char *prefix, decoder *d)
{
    d->attention.mask = am_padding_mask(b, "attention_mask");
    am_scope(b, "%s", prefix);
    am_value x = am_input_embeddings(b, "input_embeds_layer", d->vocab, d->width);
    am_value types = am_input_optional(b, "token_type_ids", 2), places = am_position_ids(b, am_dim(b, x, 1));
    x = am_add(b, x, am_embedding(b, "position_embeds_layer", places, d->positions, d->width));
    if (types.id) x = am_add(b, x, am_embedding(b, "input_embeds_layer", types, d->vocab, d->width));
    x = decoder_layers(b, x, d, "hidden_states");
    am_end_scope(b);
    return x;
}

static void clvp_decoder(am_builder *b)
{
    decoder d = read_decoder(am_model_config(b));
    am_output(b, "last_hidden_state", decode(b, "", &d));
}

static void clvp_model(am_builder *b)
{
    decoder d = read_decoder(am_model_config(b));
    am_output(b, "last_hidden_state", decode(b, "decoder", &d));
}

/* x: [B, T, C], below the class's scope: logits [B, T, vocabulary]. */
static am_value score(am_builder *b, am_value x, const decoder *d)
{
    return am_linear(b, "lm_head", am_layer_norm(b, "final_norm", x, FINAL_NORM_EPS), d->vocab, AM_BIAS);
}

static void for_causal_lm(am_builder *b)
{
    decoder d = read_decoder(am_model_config(b));
    am_output(b, "logits", score(b, am_last_position_if_wanted(b, decode(b, "model.decoder", &d)), &d));
}

/* --- texts beside what the decoder says of them in a speaker's voice --- */

/* I32 [1, 1]. */
static am_value number(am_builder *b, double value)
{
    return am_iota(b, AM_I32, am_shape_of(1, 1), 1, value, 0);
}

/* The same for each of `like`: [B, T]: [B, 1]. */
static am_value column(am_builder *b, am_value like, double value)
{
    return am_broadcast(b, number(b, value), am_shape_of(am_dim(b, like, 0), 1));
}

/* ids: I32 [B, T] behind `first`, with `last` where their padding, token 0, begins: [B, T + 2]. */
static am_value add_ends(am_builder *b, am_value ids, double first, double last)
{
    ids = am_concat2(b, column(b, ids, first), ids, 1);
    am_value pads = am_cast(b, am_binary_number(b, AM_EQUAL, ids, 0), AM_I32);
    am_value begun = am_scan(b, AM_REDUCE_MAX, pads, 1, false, false); /* at or before each token */
    am_value behind = am_binary_number(b, AM_NOT_EQUAL, am_concat2(b, column(b, ids, 0), begun, 1), 0);
    am_value before = am_binary_number(b, AM_EQUAL, am_concat2(b, begun, column(b, ids, 1), 1), 0);
    am_value end = column(b, ids, last);
    am_value moved = am_select(b, behind, am_concat2(b, end, ids, 1), end);
    return am_select(b, before, am_concat2(b, ids, end, 1), moved);
}

static int64_t norm_groups(const am_config *c, int64_t channels)
{
    int64_t groups = channels <= 16 ? 8 : channels <= 64 ? 16 : 32;
    while (channels % groups != 0) groups /= 2;
    if (groups <= 2) am_config_fail(c, "hidden_size", "its norms would have %" PRId64 " groups", groups);
    return groups;
}

/* input_features: [B, features, T] as the voice: [B, 1, C]. */
static am_value voice(am_builder *b, const am_config *c, const decoder *d)
{
    am_attention_options attention = d->attention;
    int64_t features = am_config_size(c, "feature_size", 80), groups = norm_groups(c, d->width),
            layers = am_config_count(c, "num_mel_attn_blocks", 6);
    am_value x = am_input(b, "input_features", 3);
    if (am_dim(b, x, 1) != features)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "input_features has %" PRId64 " features, expected %" PRId64,
                                    am_dim(b, x, 1), features));
    attention.causal = false;
    x = am_conv(b, "mel_conv", x, d->width, am_shape_of(1), AM_BIAS, &(am_convolution_attributes){0});
    for (int i = 0; i < layers && !am_builder_failed(b); i++) {
        am_scope(b, "group_norms");
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        am_value h = am_transpose(b, am_group_norm(b, name, x, groups, FINAL_NORM_EPS), 1, 2);
        am_end_scope(b);
        am_scope(b, "mel_attn_blocks.%d", i);
        x = am_add(b, x, am_transpose(b, am_self_attention(b, h, &attention), 1, 2));
        am_end_scope(b);
    }
    return am_transpose(b, am_slice(b, x, 2, 0, 1), 1, 2);
}

/* What the decoder reads: the voice, and input_ids between ends of their own: [B, 1 + T + 2, C]. */
static am_value conditions(am_builder *b, const am_config *text_config, const am_config *decoder_config,
                           const decoder *d)
{
    int64_t vocab = am_config_size(text_config, "vocab_size", 256);
    am_value ids = am_cast(b, am_input(b, "input_ids", 2), AM_I32), mask = am_input_optional(b, "attention_mask", 2);
    int64_t T = am_dim(b, ids, 1) + 2;
    ids = add_ends(b, ids, (double)am_config_int(text_config, "bos_token_id", 255),
                   (double)am_config_int(text_config, "eos_token_id", 0));
    am_value places = am_iota(b, AM_I32, am_shape_of(1, T), 1, 0, 1);
    if (mask.id) {
        am_value ends = am_broadcast(b, number(b, 1), am_shape_of(am_dim(b, ids, 0), 2));
        mask = am_concat2(b, ends, am_cast(b, mask, AM_I32), 1);
        places = am_add_number(b, am_scan(b, AM_REDUCE_SUM, mask, 1, false, false), -1);
    }
    am_scope(b, "conditioning_encoder");
    am_value x = am_embedding(b, "text_token_embedding", ids, vocab, d->width);
    int64_t positions = am_config_size(decoder_config, "max_text_tokens", 404);
    x = am_add(b, x, am_embedding(b, "text_position_embedding", places, positions, d->width));
    am_value sound = voice(b, decoder_config, d);
    am_end_scope(b);
    int64_t texts = am_dim(b, x, 0), sounds = am_dim(b, sound, 0), rows = texts == 1 ? sounds : texts;
    if (sounds != 1 && sounds != rows) {
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "%" PRId64 " texts have %" PRId64 " voices", texts, sounds));
        return x;
    }
    sound = am_broadcast(b, sound, am_shape_of(rows, 1, d->width));
    return am_concat2(b, sound, am_broadcast(b, x, am_shape_of(rows, T, d->width)), 1);
}

/* ids: I32 [B, T] without the first; from the token that ends a sound, which is counted three before the end at the
   latest, they are the codes of silence. */
static am_value end_sound(am_builder *b, am_value ids, const am_config *c)
{
    enum { CODES = 16, LAST = 3 };
    static const int64_t usual[] = {83, 45, 45, 248};
    int64_t codes[CODES], T = am_dim(b, ids, 1) - 1;
    int count = am_config_sizes(c, "decoder_fixing_codes", codes, CODES, usual, 4);
    if (count < 1) {
        am_config_fail(c, "decoder_fixing_codes", "expected 1 or more");
        return ids;
    }
    ids = am_slice(b, ids, 1, 1, AM_SLICE_END);
    am_value silence = number(b, (double)codes[0]), places = am_iota(b, AM_I32, am_shape_of(1, T), 1, 0, 1);
    for (int i = 1; i < count; i++)
        silence = am_select(b, am_binary_number(b, AM_EQUAL, places, (double)(T - count + i)),
                            number(b, (double)codes[i]), silence);
    am_value ends = am_binary_number(b, AM_EQUAL, ids, (double)am_config_int(c, "eos_token_id", 8193));
    am_value ended = am_scan(b, AM_REDUCE_MAX, am_cast(b, ends, AM_I32), 1, false, false);
    am_value ends_once = am_reduce(b, AM_REDUCE_MAX, ended, am_shape_of(1), true);
    am_value late =
        am_cast(b, am_binary_number(b, AM_GREATER_EQUAL, places, T < LAST ? 0 : (double)(T - LAST)), AM_I32);
    ended = am_binary(b, AM_MAX, ended, am_mul(b, ends_once, late));
    return am_select(b, am_binary_number(b, AM_NOT_EQUAL, ended, 0), silence, ids);
}

/* The tokens that the decoder finds likeliest: I32 [B, T]. */
static am_value spoken(am_builder *b, am_value x, const decoder *d)
{
    am_scope(b, "speech_decoder_model");
    am_scope(b, "model.decoder");
    am_value places = am_iota(b, AM_I32, am_shape_of(1, am_dim(b, x, 1)), 1, 0, 1);
    x = am_add(b, x, am_embedding(b, "position_embeds_layer", places, d->positions, d->width));
    x = decoder_layers(b, x, d, "decoder_hidden_states");
    am_end_scope(b);
    x = score(b, x, d);
    am_end_scope(b);
    return am_arg_reduce(b, x, 2, false);
}

/* Below `prefix`, of ids: [B, T]; mask: see am_padding_mask. */
static encoded encode_ids(am_builder *b, const char *prefix, const am_config *c, am_value ids, am_value mask,
                          const char *hidden_states)
{
    encoder e = read_encoder(c);
    e.attention.mask = mask;
    am_scope(b, "%s", prefix);
    encoded r = encode(b, c, &e, am_embedding(b, "token_embedding", ids, e.vocab, e.width), false, hidden_states);
    am_end_scope(b);
    return r;
}

static void for_conditional_generation(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config text_config = am_config_child(c, "text_config"), speech_config = am_config_child(c, "speech_config"),
              decoder_config = am_config_child(c, "decoder_config");
    decoder d = read_decoder(&decoder_config);
    am_value ids = end_sound(b, spoken(b, conditions(b, &text_config, &decoder_config, &d), &d), &decoder_config);
    encoded speech =
        encode_ids(b, "speech_encoder_model", &speech_config, ids, AM_NONE, "speech_encoder_hidden_states");
    encoded text = encode_ids(b, "text_encoder_model", &text_config, am_input(b, "input_ids", 2),
                              am_padding_mask(b, "attention_mask"), "text_encoder_hidden_states");
    am_value texts = am_unit_length(b, text.embeds, 0), sounds = am_unit_length(b, speech.embeds, 0);
    am_value scale = am_unary(b, AM_EXP, am_parameter(b, "logit_scale", (am_shape){0}, texts));
    am_value logits = am_mul(b, am_matmul(b, texts, sounds, false, true), scale);
    am_output(b, "logits_per_speech", am_transpose(b, logits, 0, 1));
    am_output(b, "logits_per_text", logits);
    am_output(b, "text_embeds", texts);
    am_output(b, "speech_embeds", sounds);
    am_output(b, "text_model_output", text.pooled);
    am_output(b, "speech_model_output", speech.pooled);
}

static const am_architecture architectures[] = {
    {"ClvpEncoder", clvp_encoder, NULL, 0},
    {"ClvpDecoder", clvp_decoder, NULL, 0},
    {"ClvpModel", clvp_model, NULL, 0},
    {"ClvpForCausalLM", for_causal_lm, NULL, AM_GENERATES},
    {"ClvpModelForConditionalGeneration", for_conditional_generation, NULL, 0},
    {0},
};

const am_model_type am_model_clvp = {
    .name = "clvp clvp_encoder clvp_decoder", .base_prefix = "model", .architectures = architectures};
