/* BART: encoder and decoder of post-norm layers: self-attention, in the decoder cross-attention,
   feed-forward, each followed by add and norm; learned positions from row 2 of their table; embeddings are
   normed; the word table serves encoder, decoder and head. transformers: models/bart/modeling_bart.py */
#include "models/blocks/attention.h"
#include "models/blocks/heads.h"
#include "models/blocks/seq2seq.h"

#include <math.h>

enum { POSITION_OFFSET = 2, NO_CROSS_ATTENTION = 0, CROSS_ATTENTION = 1 };

static const double LAYER_NORM_EPS = 1e-5; /* not configurable */

typedef struct bart_stack {
    int64_t layers, heads, ffn_dim;
    const char *hidden_states; /* their name among the outputs */
} bart_stack;

typedef struct bart_config {
    int64_t vocab_size, d_model, max_position_embeddings;
    bart_stack encoder, decoder;
    am_unary_fn activation_function;
    bool is_causal;
    double embed_scale;
    int64_t labels;
    const char *prefix; /* of the body's weights: "model" or "" */
} bart_config;

static bart_config read_config(am_builder *b, const char *prefix)
{
    const am_config *c = am_model_config(b);
    bool labelled = am_config_has(c, "num_labels") || am_config_has(c, "id2label");
    bart_config r = {
        .vocab_size = am_config_size(c, "vocab_size", 50265),
        .d_model = am_config_size(c, am_config_either(c, "d_model", "hidden_size"), 1024),
        .max_position_embeddings = am_config_size(c, "max_position_embeddings", 1024),
        .encoder = {.layers = am_config_count(c, am_config_either(c, "encoder_layers", "num_hidden_layers"), 12),
                    .heads =
                        am_config_size(c, am_config_either(c, "encoder_attention_heads", "num_attention_heads"), 16),
                    .ffn_dim = am_config_size(c, "encoder_ffn_dim", 4096),
                    .hidden_states = "encoder_hidden_states"},
        .decoder = {.layers = am_config_count(c, "decoder_layers", 12),
                    .heads = am_config_size(c, "decoder_attention_heads", 16),
                    .ffn_dim = am_config_size(c, "decoder_ffn_dim", 4096),
                    .hidden_states = "decoder_hidden_states"},
        .activation_function = am_config_activation(c, "activation_function", AM_GELU),
        .is_causal = am_config_flag(c, "is_causal", true),
        .labels = labelled ? am_config_labels(c) : 3,
        .prefix = prefix,
    };
    r.embed_scale = am_config_flag(c, "scale_embedding", false) ? sqrt((double)r.d_model) : 1;
    am_config_check_divides(c, "encoder_attention_heads", r.encoder.heads, "d_model", r.d_model);
    am_config_check_divides(c, "decoder_attention_heads", r.decoder.heads, "d_model", r.d_model);
    return r;
}

static am_value word_table(am_builder *b, const bart_config *c, const char *own)
{
    const char *const names[] = {own, "shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight",
                                 NULL};
    return am_shared_table(b, names, am_shape_of(c->vocab_size, c->d_model));
}

/* words: [B, T, C] plus the positions of this run, normed */
static am_value embed(am_builder *b, am_value words, const bart_config *c)
{
    am_value rows = am_iota(b, AM_I32, am_shape_of(1, am_dim(b, words, 1)), 1, POSITION_OFFSET, 1);
    if (am_has_cache(b)) rows = am_add(b, rows, am_cache_offset(b)); /* masks do not shift positions here */
    if (c->embed_scale != 1) words = am_mul_number(b, words, c->embed_scale);
    am_value x = am_add(
        b, words, am_embedding(b, "embed_positions", rows, c->max_position_embeddings + POSITION_OFFSET, c->d_model));
    return am_layer_norm(b, "layernorm_embedding", x, LAYER_NORM_EPS);
}

static am_value self_attention(am_builder *b, am_value x, const am_attention_options *options)
{
    am_scope(b, "self_attn");
    am_value h = am_self_attention(b, x, options);
    am_end_scope(b);
    return am_layer_norm(b, "self_attn_layer_norm", am_add(b, x, h), LAYER_NORM_EPS);
}

static am_value cross_attention(am_builder *b, am_value x, am_value encoded, const am_attention_options *options)
{
    am_scope(b, "encoder_attn");
    am_value h = am_cross_attention(b, x, encoded, options);
    am_end_scope(b);
    return am_layer_norm(b, "encoder_attn_layer_norm", am_add(b, x, h), LAYER_NORM_EPS);
}

static am_value feed_forward(am_builder *b, am_value x, const bart_config *c, const bart_stack *stack)
{
    am_value h = am_linear_activation(b, "fc1", x, stack->ffn_dim, AM_BIAS, c->activation_function);
    h = am_linear(b, "fc2", h, c->d_model, AM_BIAS);
    return am_layer_norm(b, "final_layer_norm", am_add(b, x, h), LAYER_NORM_EPS);
}

static am_value encode(am_builder *b, const void *model)
{
    const bart_config *c = model;
    am_attention_options options = {.heads = c->encoder.heads, .mask = am_padding_mask(b, "attention_mask")};
    am_scope(b, "%s", c->prefix);
    am_value x = am_embedding_op(b, word_table(b, c, "encoder.embed_tokens.weight"), am_input(b, "input_ids", 2));
    am_scope(b, "encoder");
    x = embed(b, x, c);
    am_output_hidden_state(b, c->encoder.hidden_states, 0, x);
    for (int i = 0; i < c->encoder.layers && !am_builder_failed(b); i++) {
        am_scope(b, "layers.%d", i);
        x = feed_forward(b, self_attention(b, x, &options), c, &c->encoder);
        am_end_scope(b);
        am_output_hidden_state(b, c->encoder.hidden_states, i + 1, x);
    }
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

/* The decoder below the scope, over words: [B, T, C]; encoded is AM_NONE where cross-attention is cached or
   left out. */
static am_value decoder(am_builder *b, am_value words, am_value encoded, const bart_config *c, const char *mask,
                        int crosses)
{
    am_attention_options self = {.heads = c->decoder.heads, .causal = c->is_causal, .mask = am_padding_mask(b, mask)},
                         cross = {.heads = c->decoder.heads};
    if (crosses) cross.mask = am_padding_mask(b, "attention_mask");
    am_value x = embed(b, words, c);
    am_output_hidden_state(b, c->decoder.hidden_states, 0, x);
    for (int i = 0; i < c->decoder.layers && !am_builder_failed(b); i++) {
        am_scope(b, "layers.%d", i);
        x = self_attention(b, x, &self);
        if (crosses) x = cross_attention(b, x, encoded, &cross);
        x = feed_forward(b, x, c, &c->decoder);
        am_end_scope(b);
        am_output_hidden_state(b, c->decoder.hidden_states, i + 1, x);
    }
    return x;
}

static am_value decode(am_builder *b, const void *model, am_value encoded)
{
    const bart_config *c = model;
    am_value ids = am_decoder_input_ids(b, am_model_stage(b) == AM_STAGE_FORWARD, 2);
    am_scope(b, "%s", c->prefix);
    am_value words = am_embedding_op(b, word_table(b, c, "decoder.embed_tokens.weight"), ids);
    am_scope(b, "decoder");
    am_value x = decoder(b, words, encoded, c, "decoder_attention_mask", CROSS_ATTENTION);
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

static am_value run(am_builder *b, const bart_config *c)
{
    return am_seq2seq_run(b, &(am_seq2seq){encode, decode, c});
}

/* --- classes --- */

static void bart_model(am_builder *b)
{
    bart_config c = read_config(b, "");
    am_value x = run(b, &c);
    if (x.id) am_output(b, "last_hidden_state", x);
}

static void for_conditional_generation(am_builder *b)
{
    const char *const names[] = {"lm_head.weight", "model.shared.weight", "model.encoder.embed_tokens.weight",
                                 "model.decoder.embed_tokens.weight", NULL};
    bart_config c = read_config(b, "model");
    am_value x = run(b, &c);
    if (!x.id) return;
    am_value table = am_shared_table(b, names, am_shape_of(c.vocab_size, c.d_model));
    am_value bias = am_weight_optional(b, "final_logits_bias", am_shape_of(1, c.vocab_size));
    x = am_linear_with(b, am_last_position_if_wanted(b, x), table, bias.id ? am_squeeze(b, bias, 0) : AM_NONE);
    am_output(b, "logits", x);
}

static void for_sequence_classification(am_builder *b)
{
    bart_config c = read_config(b, "model");
    am_value x = run(b, &c);
    if (x.id)
        am_output(b, "logits",
                  am_classification_head(b, "classification_head", am_last_eos_token(b, x, 2), c.labels, AM_TANH));
}

static void for_question_answering(am_builder *b)
{
    bart_config c = read_config(b, "model");
    am_value x = run(b, &c);
    if (x.id) am_output_span_logits(b, "qa_outputs", x);
}

/* The decoder without an encoder: cross-attention is left out. */
static am_value decoder_alone(am_builder *b, bart_config *c, const char *prefix)
{
    c->decoder.hidden_states = "hidden_states";
    am_scope(b, "%s", prefix);
    am_value words = am_embedding(b, "embed_tokens", am_input(b, "input_ids", 2), c->vocab_size, c->d_model);
    am_value x = decoder(b, words, AM_NONE, c, "attention_mask", NO_CROSS_ATTENTION);
    am_end_scope(b);
    return x;
}

static void bart_decoder(am_builder *b)
{
    bart_config c = read_config(b, "");
    am_output(b, "last_hidden_state", decoder_alone(b, &c, ""));
}

static void for_causal_lm(am_builder *b)
{
    bart_config c = read_config(b, "model");
    bool tied = am_config_flag(am_model_config(b), "tie_word_embeddings", true);
    am_value x = decoder_alone(b, &c, "model.decoder");
    am_output(b, "logits",
              am_lm_head(b, "lm_head", x, c.vocab_size, tied, "model.decoder.embed_tokens.weight", AM_NO_BIAS));
}

static const am_architecture architectures[] = {
    {"BartModel", bart_model, "feature-extraction", AM_ENCODER_DECODER},
    {"BartForConditionalGeneration", for_conditional_generation, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {"BartForSequenceClassification", for_sequence_classification, "text-classification", AM_ENCODER_DECODER},
    {"BartForQuestionAnswering", for_question_answering, "question-answering", AM_ENCODER_DECODER},
    {"BartForCausalLM", for_causal_lm, "text-generation", AM_GENERATES},
    {"BartDecoder", bart_decoder, NULL, 0},
    {0},
};

const am_model_type am_model_bart = {.name = "bart", .base_prefix = "model", .architectures = architectures};
