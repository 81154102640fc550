/* Whisper: an encoder that reads 30 seconds of log-mel features through two convolutions, and a decoder, both
   of pre-norm layers: self-attention, in the decoder cross-attention, feed-forward; learned positions; key
   projections have no bias; the decoder's word table serves the head.
   transformers: models/whisper/modeling_whisper.py */
#include "models/blocks/attention.h"
#include "models/blocks/heads.h"
#include "models/blocks/seq2seq.h"
#include "models/blocks/speech.h"
#include "models/blocks/whisper.h"

#include <math.h>
#include <stdio.h>

static const double LAYER_NORM_EPS = 1e-5; /* not configurable */

typedef struct whisper_stack {
    int64_t layers, heads, ffn_dim, positions;
    const char *hidden_states; /* their name among the outputs */
} whisper_stack;

typedef struct whisper_config {
    int64_t vocab_size, num_mel_bins, d_model;
    whisper_stack encoder, decoder;
    am_unary_fn activation_function;
    bool is_causal, tie_word_embeddings, use_weighted_layer_sum;
    int64_t classifier_proj_size, labels;
    const char *prefix; /* of the body's weights: "model" or "" */
} whisper_config;

static whisper_config read_config(am_builder *b, const char *prefix)
{
    const am_config *c = am_model_config(b);
    whisper_config r = {
        .vocab_size = am_config_size(c, "vocab_size", 51865),
        .num_mel_bins = am_config_size(c, "num_mel_bins", 80),
        .d_model = am_config_size(c, am_config_either(c, "d_model", "hidden_size"), 384),
        .encoder = {.layers = am_config_count(c, am_config_either(c, "encoder_layers", "num_hidden_layers"), 4),
                    .heads =
                        am_config_size(c, am_config_either(c, "encoder_attention_heads", "num_attention_heads"), 6),
                    .ffn_dim = am_config_size(c, "encoder_ffn_dim", 1536),
                    .positions = am_config_size(c, "max_source_positions", 1500),
                    .hidden_states = "encoder_hidden_states"},
        .decoder = {.layers = am_config_count(c, "decoder_layers", 4),
                    .heads = am_config_size(c, "decoder_attention_heads", 6),
                    .ffn_dim = am_config_size(c, "decoder_ffn_dim", 1536),
                    .positions = am_config_size(c, "max_target_positions", 448),
                    .hidden_states = "decoder_hidden_states"},
        .activation_function = am_config_activation(c, "activation_function", AM_GELU),
        .is_causal = am_config_flag(c, "is_causal", true),
        .tie_word_embeddings = am_config_flag(c, "tie_word_embeddings", true),
        .use_weighted_layer_sum = am_config_flag(c, "use_weighted_layer_sum", false),
        .classifier_proj_size = am_config_size(c, "classifier_proj_size", 256),
        .labels = am_config_labels(c),
        .prefix = prefix,
    };
    am_config_check_divides(c, "encoder_attention_heads", r.encoder.heads, "d_model", r.d_model);
    am_config_check_divides(c, "decoder_attention_heads", r.decoder.heads, "d_model", r.d_model);
    return r;
}

/* --- layers --- */

static am_value norm(am_builder *b, const char *name, am_value x)
{
    return am_layer_norm(b, name, x, LAYER_NORM_EPS);
}

static am_value self_attention(am_builder *b, am_value x, const am_attention_options *options)
{
    am_value h = norm(b, "self_attn_layer_norm", x);
    am_scope(b, "self_attn");
    h = am_self_attention(b, h, options);
    am_end_scope(b);
    return am_add(b, x, h);
}

/* Output cross_attentions.<layer>: [B, heads, T, S], of those heads whose bits the argument
   cross_attention_heads.<layer> has. output_attentions of transformers gives all of all layers, which is too much for
   30 seconds. */
static void output_cross_attention(am_builder *b, am_value h, am_value encoded, int64_t heads, int layer)
{
    char argument[48], output[48];
    am_value parts[64];
    int count = 0;
    snprintf(argument, sizeof argument, "cross_attention_heads.%d", layer);
    snprintf(output, sizeof output, "cross_attentions.%d", layer);
    int64_t wanted = am_model_argument(b, argument, 0), C = am_dim(b, h, 2);
    if (wanted <= 0 || !encoded.id) return;
    am_value q = am_split_heads(b, am_linear(b, "q_proj", h, C, AM_BIAS), heads);
    am_value k = am_split_heads(b, am_linear(b, "k_proj", encoded, C, AM_NO_BIAS), heads);
    q = am_mul_number(b, q, 1.0 / sqrt((double)C / (double)heads));
    for (int i = 0; i < 63; i++) {
        if (!(wanted >> i & 1)) continue;
        if (i >= heads) {
            am_builder_fail(b, am_error(AM_UNSUPPORTED, "head %d of a layer with %lld", i, (long long)heads));
            return;
        }
        am_value scores = am_matmul(b, am_index(b, q, 2, i), am_index(b, k, 2, i), false, true);
        am_shape one = am_shape_of(am_dim(b, h, 0), 1, am_dim(b, h, 1), am_dim(b, encoded, 1));
        parts[count++] = am_reshape(b, am_softmax(b, scores, 2), one);
    }
    am_output(b, output, am_concat(b, parts, count, 1));
}

static am_value cross_attention(am_builder *b, am_value x, am_value encoded, const am_attention_options *options,
                                int layer)
{
    am_value h = norm(b, "encoder_attn_layer_norm", x);
    am_scope(b, "encoder_attn");
    output_cross_attention(b, h, encoded, options->heads, layer);
    h = am_cross_attention(b, h, encoded, options);
    am_end_scope(b);
    return am_add(b, x, h);
}

static am_value feed_forward(am_builder *b, am_value x, const whisper_config *c, const whisper_stack *stack)
{
    am_value h = norm(b, "final_layer_norm", x);
    h = am_linear_activation(b, "fc1", h, stack->ffn_dim, AM_BIAS, c->activation_function);
    return am_add(b, x, am_linear(b, "fc2", h, c->d_model, AM_BIAS));
}

/* --- encoder --- */

/* PREFIX.encoder: [B, P, C]; states: room for layers + 1 hidden states, or null. */
static am_value encoder(am_builder *b, const whisper_config *c, am_value *states)
{
    am_whisper_encoder e = {.bins = c->num_mel_bins,
                            .width = c->d_model,
                            .layers = c->encoder.layers,
                            .heads = c->encoder.heads,
                            .ffn_dim = c->encoder.ffn_dim,
                            .positions = c->encoder.positions,
                            .activation = c->activation_function,
                            .hidden_states = c->encoder.hidden_states,
                            .states = states};
    am_scope(b, "%s", c->prefix);
    am_scope(b, "encoder");
    am_value x = am_whisper_encode(b, &e);
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

/* An attention_mask over the features is taken and, as in transformers, not used outside of training. */
static am_value encode(am_builder *b, const void *model)
{
    am_input_optional(b, "attention_mask", 2);
    return encoder(b, model, NULL);
}

/* --- decoder --- */

/* What tells the decoder's classes apart: the names of their inputs, and whether there is an encoder. */
typedef struct decoder_inputs {
    am_value ids, encoded; /* encoded may be AM_NONE where its keys are cached */
    const char *mask, *positions;
    bool crosses;
} decoder_inputs;

/* ids: [B, T] as words and positions: [B, T, C] */
static am_value embed_ids(am_builder *b, const whisper_config *c, const decoder_inputs *in)
{
    am_value rows = am_input_optional(b, in->positions, 2);
    if (!rows.id) {
        rows = am_iota(b, AM_I32, am_shape_of(1, am_dim(b, in->ids, 1)), 1, 0, 1);
        if (am_has_cache(b)) rows = am_add(b, rows, am_cache_offset(b)); /* masks do not shift positions here */
    }
    am_value words = am_embedding(b, "embed_tokens", in->ids, c->vocab_size, c->d_model);
    return am_add(b, words, am_embedding(b, "embed_positions", rows, c->decoder.positions, c->d_model));
}

/* The decoder below the scope: [B, T, C]. */
static am_value decoder(am_builder *b, const whisper_config *c, const decoder_inputs *in)
{
    am_attention_options cross = {.heads = c->decoder.heads, .no_k_bias = true}, self = cross;
    self.causal = c->is_causal;
    self.mask = am_padding_mask(b, in->mask);
    if (c->is_causal) self.mask = am_packed_mask(b, self.mask, in->positions);
    am_value x = embed_ids(b, c, in);
    for (int i = 0; i < c->decoder.layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, c->decoder.hidden_states, i, x);
        am_scope(b, "layers.%d", i);
        x = self_attention(b, x, &self);
        if (in->crosses) x = cross_attention(b, x, in->encoded, &cross, i);
        x = feed_forward(b, x, c, &c->decoder);
        am_end_scope(b);
    }
    x = norm(b, "layer_norm", x);
    am_output_hidden_state(b, c->decoder.hidden_states, (int)c->decoder.layers, x);
    return x;
}

static am_value decode(am_builder *b, const void *model, am_value encoded)
{
    const whisper_config *c = model;
    decoder_inputs in = {.ids = am_decoder_input_ids(b, false, -1),
                         .encoded = encoded,
                         .mask = "decoder_attention_mask",
                         .positions = "decoder_position_ids",
                         .crosses = true};
    am_input_optional(b, "attention_mask", 2); /* of the features: see encode */
    am_scope(b, "%s", c->prefix);
    am_scope(b, "decoder");
    am_value x = decoder(b, c, &in);
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

/* The decoder by itself below `prefix`; without the input encoder_hidden_states cross-attention is left out.
 */
static am_value decoder_alone(am_builder *b, whisper_config *c, const char *prefix)
{
    decoder_inputs in = {.ids = am_input(b, "input_ids", 2),
                         .encoded = am_input_optional(b, "encoder_hidden_states", 3),
                         .mask = "attention_mask",
                         .positions = "position_ids"};
    in.crosses = in.encoded.id != 0;
    c->decoder.hidden_states = "hidden_states";
    am_scope(b, "%s", prefix);
    am_value x = decoder(b, c, &in);
    am_end_scope(b);
    return x;
}

static am_value head(am_builder *b, const whisper_config *c, am_value x)
{
    return am_lm_head(b, "proj_out", x, c->vocab_size, c->tie_word_embeddings, "model.decoder.embed_tokens.weight",
                      AM_NO_BIAS);
}

/* --- classes --- */

static void whisper_model(am_builder *b)
{
    whisper_config c = read_config(b, "");
    am_value x = am_seq2seq_run(b, &(am_seq2seq){encode, decode, &c});
    if (x.id) am_output(b, "last_hidden_state", x);
}

static void for_conditional_generation(am_builder *b)
{
    whisper_config c = read_config(b, "model");
    am_value x = am_seq2seq_run(b, &(am_seq2seq){encode, decode, &c});
    if (x.id) am_output(b, "logits", head(b, &c, x));
}

static void whisper_decoder(am_builder *b)
{
    whisper_config c = read_config(b, "");
    am_output(b, "last_hidden_state", decoder_alone(b, &c, ""));
}

static void for_causal_lm(am_builder *b)
{
    whisper_config c = read_config(b, "");
    am_output(b, "logits", head(b, &c, decoder_alone(b, &c, "model.decoder")));
}

/* The encoder's last hidden state, or all of them weighted by layer_weights: these are outputs, wanted or
   not, as in transformers. */
static am_value mixed_states(am_builder *b, const whisper_config *c)
{
    int count = (int)c->encoder.layers + 1;
    am_value *states = am_arena_array(am_builder_arena(b), (size_t)count, sizeof *states);
    if (!states) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    am_value x = encoder(b, c, states);
    if (!c->use_weighted_layer_sum) return x;
    for (int i = 0; i < count && !am_wants_hidden_states(b); i++) {
        char name[32];
        snprintf(name, sizeof name, "hidden_states.%d", i);
        am_output(b, name, states[i]);
    }
    return am_weighted_states(b, "layer_weights", states, count);
}

static void for_audio_classification(am_builder *b)
{
    whisper_config c = read_config(b, "");
    c.encoder.hidden_states = "hidden_states";
    am_value x = am_linear(b, "projector", mixed_states(b, &c), c.classifier_proj_size, AM_BIAS);
    x = am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(1), false);
    am_output(b, "logits", am_linear(b, "classifier", x, c.labels, AM_BIAS));
}

static const am_architecture architectures[] = {
    {"WhisperModel", whisper_model, "feature-extraction", AM_ENCODER_DECODER},
    {"WhisperForConditionalGeneration", for_conditional_generation, "automatic-speech-recognition",
     AM_GENERATES | AM_ENCODER_DECODER},
    {"WhisperForAudioClassification", for_audio_classification, "audio-classification", 0},
    {"WhisperForCausalLM", for_causal_lm, NULL, AM_GENERATES},
    {"WhisperDecoder", whisper_decoder, NULL, 0},
    {0},
};

const am_model_type am_model_whisper = {.name = "whisper", .base_prefix = "model", .architectures = architectures};
