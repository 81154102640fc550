/* SpeechT5 (arXiv 2110.07205): one encoder and one decoder of post-norm layers for text and speech, which differ in
   what stands before and behind them: an encoder reads words or, through wav2vec 2.0's convolutions, a wave; a decoder
   reads and writes words or frames of a spectrogram. transformers: models/speecht5/modeling_speecht5.py */
#include "models/blocks/attention.h"
#include "models/blocks/heads.h"
#include "models/blocks/seq2seq.h"
#include "models/blocks/sinusoids.h"
#include "models/blocks/speech.h"
#include "models/blocks/transformer_xl.h"
#include "models/blocks/vision.h"

#include <inttypes.h>
#include <math.h>

enum { PRENET_SEED = 0 };

typedef enum modality { STATES, TEXT, SPEECH } modality;

typedef struct speecht5_config {
    const am_config *config;
    modality reads, writes;
    const char *prefix; /* of the body's weights: "speecht5" or "" */
    int64_t vocab_size, hidden_size, encoder_layers, encoder_heads, encoder_ffn, decoder_layers, decoder_heads,
        decoder_ffn;
    int64_t pad_token_id, text_positions, speech_positions, relative_positions, bins;
    am_unary_fn hidden_act;
    double layer_norm_eps;
    am_wave_encoder wave;
} speecht5_config;

static speecht5_config read_config(am_builder *b, modality reads, modality writes)
{
    const am_config *c = am_model_config(b);
    speecht5_config r = {
        .config = c,
        .reads = reads,
        .writes = writes,
        .prefix = reads == STATES ? "" : "speecht5",
        .vocab_size = am_config_size(c, "vocab_size", 81),
        .hidden_size = am_config_size(c, "hidden_size", 768),
        .encoder_layers = am_config_count(c, am_config_either(c, "encoder_layers", "num_hidden_layers"), 12),
        .encoder_heads = am_config_size(c, am_config_either(c, "encoder_attention_heads", "num_attention_heads"), 12),
        .encoder_ffn = am_config_size(c, "encoder_ffn_dim", 3072),
        .decoder_layers = am_config_count(c, "decoder_layers", 6),
        .decoder_heads = am_config_size(c, "decoder_attention_heads", 12),
        .decoder_ffn = am_config_size(c, "decoder_ffn_dim", 3072),
        .pad_token_id = am_pad_token(c, 1),
        .text_positions = am_config_size(c, "max_text_positions", 450),
        .speech_positions = am_config_size(c, "max_speech_positions", 4000),
        .relative_positions = am_config_size(c, "encoder_max_relative_position", 160),
        .bins = am_config_size(c, "num_mel_bins", 80),
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-5),
        .wave = am_wave_encoder_read(c, NULL),
    };
    am_config_check_divides(c, "encoder_attention_heads", r.encoder_heads, "hidden_size", r.hidden_size);
    am_config_check_divides(c, "decoder_attention_heads", r.decoder_heads, "hidden_size", r.hidden_size);
    if (r.pad_token_id < 0) am_config_fail(c, "pad_token_id", "positions are counted from this token, found none");
    return r;
}

/* --- what stands before --- */

/* x: [B, T, C] and sinusoids, sine and cosine of a frequency side by side, times the weight alpha. */
static am_value scaled_positions(am_builder *b, am_value x, int64_t limit)
{
    int64_t T = am_dim(b, x, 1), C = am_dim(b, x, 2);
    if (T > limit)
        am_builder_fail(
            b, am_error(AM_INVALID_ARGUMENT, "%" PRId64 " places, at most %" PRId64 " are possible", T, limit));
    if (C % 2) am_config_fail(am_model_config(b), "hidden_size", "expected an even number, found %" PRId64, C);
    if (am_builder_failed(b)) return AM_NONE;
    am_value table = am_reshape(b, am_sinusoid_table(b, T, C, (double)(C / 2), -1), am_shape_of(T, 2, C / 2));
    table = am_reshape(b, am_transpose(b, table, 1, 2), am_shape_of(T, C));
    am_scope(b, "encode_positions");
    am_value alpha = am_parameter(b, "alpha", (am_shape){0}, x);
    am_end_scope(b);
    return am_add(b, x, am_mul(b, table, alpha));
}

/* Frames of a row that stand before its padding: BOOL [B, T], or AM_NONE. */
static am_value frame_mask(am_builder *b, int64_t T, const speecht5_config *c)
{
    am_value lengths = am_attended_lengths(b);
    return lengths.id ? am_frame_mask(b, am_wave_lengths(b, lengths, &c->wave), T) : AM_NONE;
}

/* The input input_values: [B, L] -> [B, T, C]. Padding is told to the table of positions as if frames were tokens: 1,
   and 0 for others. */
static am_value read_wave(am_builder *b, const speecht5_config *c)
{
    const am_config *config = c->config;
    int64_t kernel = am_config_size(config, "num_conv_pos_embeddings", 128),
            groups = am_config_size(config, "num_conv_pos_embedding_groups", 16), C = c->hidden_size;
    am_config_check_divides(config, "num_conv_pos_embedding_groups", groups, "hidden_size", C);
    am_scope(b, "feature_encoder");
    am_value x = am_wave_encode(b, am_input(b, "input_values", 2), &c->wave);
    am_end_scope(b);
    x = am_layer_norm(b, "feature_projection.layer_norm", x, c->layer_norm_eps);
    x = am_linear(b, "feature_projection.projection", x, C, AM_BIAS);
    am_scope(b, "pos_conv_embed");
    x = am_add(b, x, am_positional_convolution(b, "conv", x, kernel, 1, groups, c->wave.activation));
    am_end_scope(b);
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1), pad = c->pad_token_id;
    am_value mask = frame_mask(b, T, c), kinds = am_iota(b, AM_I32, am_shape_of(B, T), 1, 0, 0);
    if (mask.id) kinds = am_cast(b, am_unary(b, AM_LOGICAL_NOT, mask), AM_I32);
    am_value rows = am_positions_after_pad(b, kinds, pad);
    return am_add(b, x, am_sinusoids_after_pad(b, rows, 0, C, pad));
}

/* The input input_ids: [B, T] -> [B, T, C] */
static am_value read_words(am_builder *b, const speecht5_config *c)
{
    am_value x = am_embedding(b, "embed_tokens", am_input(b, "input_ids", 2), c->vocab_size, c->hidden_size);
    return scaled_positions(b, x, c->text_positions);
}

/* The input decoder_input_values: [B, T, bins] -> [B, T, C]. Half of the numbers between the layers, say, are left out
   at random, in use as in training, the same of all rows (arXiv 1712.05884). */
static am_value read_spectrogram(am_builder *b, const speecht5_config *c)
{
    const am_config *config = c->config;
    int64_t layers = am_config_count(config, "speech_decoder_prenet_layers", 2),
            units = am_config_size(config, "speech_decoder_prenet_units", 256), C = c->hidden_size;
    double kept = am_config_real(config, "speech_decoder_prenet_dropout", 0.5);
    am_value x = am_input(b, "decoder_input_values", 3), voice = am_input_optional(b, "speaker_embeddings", 2);
    if (!(kept >= 0 && kept < 1))
        am_config_fail(config, "speech_decoder_prenet_dropout", "expected 0 up to 1, found %g", kept);
    for (int i = 0; i < layers && !am_builder_failed(b); i++) {
        am_scope(b, "layers.%d", i);
        x = am_linear_activation(b, "", x, units, AM_BIAS, AM_RELU);
        am_end_scope(b);
        am_value draw = am_random(b, am_shape_of(am_dim(b, x, 1), units), PRENET_SEED + i, false);
        x = am_select(b, am_binary_number(b, AM_LESS, draw, kept), am_mul_number(b, x, 1 / (1 - kept)),
                      am_scalar(b, AM_F32, 0));
    }
    x = scaled_positions(b, am_linear(b, "final_layer", x, C, AM_BIAS), c->speech_positions);
    if (!voice.id) return x;
    int64_t width = am_config_size(config, "speaker_embedding_dim", 512);
    voice = am_broadcast(b, am_unsqueeze(b, am_unit_length(b, voice, 1e-12), 1),
                         am_shape_of(am_dim(b, x, 0), am_dim(b, x, 1), width));
    return am_linear_activation(b, "speaker_embeds_layer", am_concat2(b, x, voice, 2), C, AM_BIAS, AM_RELU);
}

/* The input decoder_input_ids: [B, T] -> [B, T, C] */
static am_value read_written_words(am_builder *b, const speecht5_config *c)
{
    int64_t C = c->hidden_size, pad = c->pad_token_id;
    am_value ids = am_decoder_input_ids(b, false, -1);
    am_value x = am_embedding(b, "embed_tokens", ids, c->vocab_size, C);
    if (am_config_flag(c->config, "scale_embedding", false)) x = am_mul_number(b, x, sqrt((double)C));
    am_value rows = am_positions_after_pad(b, ids, pad);
    return am_add(b, x, am_sinusoids_after_pad(b, rows, 0, C, pad));
}

/* --- layers --- */

static am_value norm(am_builder *b, const char *name, am_value x, const speecht5_config *c)
{
    return am_layer_norm(b, name, x, c->layer_norm_eps);
}

/* The end of every layer. */
static am_value feed_forward(am_builder *b, am_value x, int64_t inner, const speecht5_config *c)
{
    x = am_add(b, x, am_speech_feed_forward(b, "feed_forward", x, inner, c->hidden_act));
    return norm(b, "final_layer_norm", x, c);
}

/* Row of the distance from key to query, limited on both sides: I32 [T, T]. */
static am_value distances(am_builder *b, int64_t T, int64_t most)
{
    am_value query = am_iota(b, AM_I32, am_shape_of(T, T), 0, 0, 1),
             key = am_iota(b, AM_I32, am_shape_of(T, T), 1, 0, 1);
    am_value distance = am_add_number(b, am_sub(b, query, key), (double)most);
    return am_binary_number(b, AM_MIN, am_binary_number(b, AM_MAX, distance, 0), (double)(2 * most - 1));
}

/* x: [B, T, C]; table: F32 [R, H, D] of distances */
static am_value encoder_layer(am_builder *b, am_value x, am_value table, am_value distance,
                              const am_attention_options *shared, const speecht5_config *c)
{
    am_attention_options options = *shared;
    am_value qkv[3];
    am_scope(b, "attention");
    am_attention_heads(b, x, &options, qkv);
    double scale = 1 / sqrt((double)am_dim(b, qkv[0], 3));
    options.bias = am_mul_number(b, am_xl_scores(b, qkv[0], table, distance), scale);
    am_value h = am_merge_heads(b, am_attend_cached(b, qkv[0], qkv[1], qkv[2], &options));
    h = am_linear(b, "out_proj", h, c->hidden_size, AM_BIAS);
    am_end_scope(b);
    return feed_forward(b, norm(b, "layer_norm", am_add(b, x, h), c), c->encoder_ffn, c);
}

static am_value encoder_layers(am_builder *b, am_value x, am_value mask, const speecht5_config *c)
{
    int64_t T = am_dim(b, x, 1), D = c->hidden_size / c->encoder_heads, count = 2 * c->relative_positions;
    am_attention_options options = {.heads = c->encoder_heads, .mask = am_padding_mask_of(b, mask)};
    am_scope(b, "wrapped_encoder");
    x = norm(b, "layer_norm", x, c);
    am_value table = am_cast(b, am_weight(b, "embed_positions.pe_k.weight", am_shape_of(count, D)), AM_F32);
    table = am_broadcast(b, am_unsqueeze(b, table, 1), am_shape_of(count, c->encoder_heads, D));
    am_value distance = distances(b, T, c->relative_positions);
    for (int i = 0; i < c->encoder_layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "encoder_hidden_states", i, x);
        am_scope(b, "layers.%d", i);
        x = encoder_layer(b, x, table, distance, &options, c);
        am_end_scope(b);
    }
    am_output_hidden_state(b, "encoder_hidden_states", (int)c->encoder_layers, x);
    am_end_scope(b);
    return x;
}

/* Which of the encoder's T states are no padding: BOOL or I32 [B, T], or AM_NONE. */
static am_value encoder_mask(am_builder *b, int64_t T, const speecht5_config *c)
{
    return c->reads == SPEECH ? frame_mask(b, T, c) : am_input_optional(b, "attention_mask", 2);
}

static am_value encode(am_builder *b, const void *model)
{
    const speecht5_config *c = model;
    am_value x = AM_NONE;
    am_scope(b, "%s", c->prefix);
    am_scope(b, "encoder");
    am_scope(b, "%s", c->reads == STATES ? "" : "prenet");
    if (c->reads == STATES) x = am_input(b, "input_values", 3);
    else x = c->reads == TEXT ? read_words(b, c) : read_wave(b, c);
    am_end_scope(b);
    x = encoder_layers(b, x, encoder_mask(b, am_dim(b, x, 1), c), c);
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

static am_value decoder_layers(am_builder *b, am_value x, am_value encoded, const speecht5_config *c)
{
    am_attention_options self = {.heads = c->decoder_heads, .causal = true}, cross = {.heads = c->decoder_heads};
    self.mask = am_padding_mask(b, "decoder_attention_mask");
    cross.mask = am_padding_mask_of(b, encoder_mask(b, encoded.id ? am_dim(b, encoded, 1) : am_encoder_length(b), c));
    am_scope(b, "wrapped_decoder");
    for (int i = 0; i < c->decoder_layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "decoder_hidden_states", i, x);
        am_scope(b, "layers.%d", i);
        am_scope(b, "self_attn");
        am_value h = am_self_attention(b, x, &self);
        am_end_scope(b);
        x = norm(b, "self_attn_layer_norm", am_add(b, x, h), c);
        am_scope(b, "encoder_attn");
        h = am_cross_attention(b, x, encoded, &cross);
        am_end_scope(b);
        x = feed_forward(b, norm(b, "encoder_attn_layer_norm", am_add(b, x, h), c), c->decoder_ffn, c);
        am_end_scope(b);
    }
    am_output_hidden_state(b, "decoder_hidden_states", (int)c->decoder_layers, x);
    am_end_scope(b);
    return x;
}

static am_value decode(am_builder *b, const void *model, am_value encoded)
{
    const speecht5_config *c = model;
    am_value x = AM_NONE;
    am_scope(b, "%s", c->prefix);
    am_scope(b, "decoder");
    am_scope(b, "%s", c->writes == STATES ? "" : "prenet");
    if (c->writes == STATES) x = am_input(b, "decoder_input_values", 3);
    else x = c->writes == TEXT ? read_written_words(b, c) : read_spectrogram(b, c);
    am_end_scope(b);
    x = decoder_layers(b, x, encoded, c);
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

/* --- classes --- */

static void speecht5_model(am_builder *b)
{
    speecht5_config c = read_config(b, STATES, STATES);
    am_value x = am_seq2seq_run(b, &(am_seq2seq){encode, decode, &c});
    if (x.id) am_output(b, "last_hidden_state", x);
}

static void speech_to_text(am_builder *b)
{
    speecht5_config c = read_config(b, SPEECH, TEXT);
    am_value x = am_seq2seq_run(b, &(am_seq2seq){encode, decode, &c});
    bool tied = am_config_flag(c.config, "tie_word_embeddings", true);
    if (!x.id) return;
    am_output(b, "logits",
              am_lm_head(b, "text_decoder_postnet.lm_head", x, c.vocab_size, tied,
                         "speecht5.decoder.prenet.embed_tokens.weight", AM_NO_BIAS));
}

/* The frames of the spectrogram that each state of the decoder stands for. */
static void to_speech(am_builder *b, modality reads)
{
    speecht5_config c = read_config(b, reads, SPEECH);
    am_value x = am_seq2seq_run(b, &(am_seq2seq){encode, decode, &c});
    if (!x.id) return;
    am_scope(b, "speech_decoder_postnet");
    x = am_linear(b, "feat_out", x, c.bins * am_config_size(c.config, "reduction_factor", 2), AM_BIAS);
    x = am_reshape(b, x, am_shape_of(am_dim(b, x, 0), -1, c.bins));
    am_output(b, "spectrogram", am_speech_postnet(b, c.config, x));
    am_end_scope(b);
}

static void text_to_speech(am_builder *b)
{
    to_speech(b, TEXT);
}

static void speech_to_speech(am_builder *b)
{
    to_speech(b, SPEECH);
}

static const am_architecture architectures[] = {
    {"SpeechT5Model", speecht5_model, "feature-extraction", AM_ENCODER_DECODER},
    /* no task: the one for speech recognition generates as Whisper does, in segments with times */
    {"SpeechT5ForSpeechToText", speech_to_text, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {"SpeechT5ForTextToSpeech", text_to_speech, NULL, AM_ENCODER_DECODER},
    {"SpeechT5ForSpeechToSpeech", speech_to_speech, NULL, AM_ENCODER_DECODER},
    {0},
};

const am_model_type am_model_speecht5 = {.name = "speecht5", .base_prefix = "speecht5", .architectures = architectures};
