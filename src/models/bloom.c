/* BLOOM: no position embeddings: ALiBi adds to every score a slope of the head times the key's position
   (arXiv 2108.12409). Embeddings are normed; pre-norm layers of attention, with queries, keys and values
   fused by head, and MLP; residuals start before or behind the norms. transformers:
   models/bloom/modeling_bloom.py */
#include "models/blocks/alibi.h"
#include "models/blocks/attention.h"
#include "models/blocks/heads.h"

typedef struct bloom_config {
    int64_t vocab_size, hidden_size, n_layer, n_head;
    double layer_norm_epsilon;
    bool apply_residual_connection_post_layernorm, is_causal, tied;
    int output_bias; /* the summation by slices (slow_but_exact) leaves the bias of output projections away */
    int64_t labels, pad_token_id;
} bloom_config;

static bloom_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    bool sliced = am_config_int(c, "pretraining_tp", 1) > 1 && am_config_flag(c, "slow_but_exact", false);
    bloom_config r = {
        .vocab_size = am_config_size(c, "vocab_size", 250880),
        .hidden_size = am_config_size(c, am_config_either(c, "hidden_size", "n_embed"), 64),
        .n_layer = am_config_count(c, am_config_either(c, "n_layer", "num_hidden_layers"), 2),
        .n_head = am_config_size(c, am_config_either(c, "n_head", "num_attention_heads"), 8),
        .layer_norm_epsilon = am_config_real(c, "layer_norm_epsilon", 1e-5),
        .apply_residual_connection_post_layernorm =
            am_config_flag(c, "apply_residual_connection_post_layernorm", false),
        .is_causal = am_config_flag(c, "is_causal", true),
        .tied = am_config_flag(c, "tie_word_embeddings", true),
        .output_bias = sliced ? AM_NO_BIAS : AM_BIAS,
        .labels = am_config_labels(c),
        .pad_token_id = am_pad_token(c, -1),
    };
    am_config_check_divides(c, "n_head", r.n_head, "hidden_size", r.hidden_size);
    return r;
}

static am_value attention(am_builder *b, am_value x, const bloom_config *c, const am_attention_options *options)
{
    am_value qkv[3];
    am_scope(b, "self_attention");
    am_split_fused(b, am_linear(b, "query_key_value", x, 3 * c->hidden_size, AM_BIAS), c->n_head, true, qkv);
    x = am_linear(b, "dense", am_attend(b, qkv[0], qkv[1], qkv[2], options), c->hidden_size, c->output_bias);
    am_end_scope(b);
    return x;
}

static am_value mlp(am_builder *b, am_value x, const bloom_config *c)
{
    am_scope(b, "mlp");
    x = am_linear_activation(b, "dense_h_to_4h", x, 4 * c->hidden_size, AM_BIAS, AM_GELU_TANH);
    x = am_linear(b, "dense_4h_to_h", x, c->hidden_size, c->output_bias);
    am_end_scope(b);
    return x;
}

static am_value block(am_builder *b, am_value x, const bloom_config *c, const am_attention_options *options)
{
    am_value normed = am_layer_norm(b, "input_layernorm", x, c->layer_norm_epsilon);
    x = am_add(b, attention(b, normed, c, options), c->apply_residual_connection_post_layernorm ? normed : x);
    normed = am_layer_norm(b, "post_attention_layernorm", x, c->layer_norm_epsilon);
    return am_add(b, mlp(b, normed, c), c->apply_residual_connection_post_layernorm ? normed : x);
}

/* prefix "transformer" in classes with heads, "" in BloomModel itself. -> [B, T, C] */
static am_value body(am_builder *b, const bloom_config *c, const char *prefix)
{
    am_attention_options options = {.causal = c->is_causal, .mask = am_padding_mask(b, "attention_mask")};
    am_scope(b, "%s", prefix);
    am_value x = am_input_embeddings(b, "word_embeddings", c->vocab_size, c->hidden_size);
    options.bias = am_mul(b, am_alibi_slopes(b, c->n_head), am_attended_key_positions(b, am_dim(b, x, 1)));
    x = am_layer_norm(b, "word_embeddings_layernorm", x, c->layer_norm_epsilon);
    for (int i = 0; i < c->n_layer && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "hidden_states", i, x);
        am_scope(b, "h.%d", i);
        x = block(b, x, c, &options);
        am_end_scope(b);
    }
    x = am_layer_norm(b, "ln_f", x, c->layer_norm_epsilon);
    am_output_hidden_state(b, "hidden_states", (int)c->n_layer, x);
    am_end_scope(b);
    return x;
}

static void bloom_model(am_builder *b)
{
    bloom_config c = read_config(b);
    am_output(b, "last_hidden_state", body(b, &c, ""));
}

static void for_causal_lm(am_builder *b)
{
    bloom_config c = read_config(b);
    am_value x = body(b, &c, "transformer");
    am_output(b, "logits",
              am_lm_head(b, "lm_head", x, c.vocab_size, c.tied, "transformer.word_embeddings.weight", AM_NO_BIAS));
}

static void for_sequence_classification(am_builder *b)
{
    bloom_config c = read_config(b);
    am_value x = body(b, &c, "transformer");
    am_generic_sequence_classification(b, x, am_input(b, "input_ids", 2), c.labels, c.pad_token_id);
}

static void for_token_classification(am_builder *b)
{
    bloom_config c = read_config(b);
    am_generic_token_classification(b, "classifier", body(b, &c, "transformer"), c.labels);
}

static void for_question_answering(am_builder *b)
{
    bloom_config c = read_config(b);
    am_output_span_logits(b, "qa_outputs", body(b, &c, "transformer"));
}

static const am_architecture architectures[] = {
    {"BloomModel", bloom_model, "feature-extraction", 0},
    {"BloomForCausalLM", for_causal_lm, "text-generation", AM_GENERATES},
    {"BloomForSequenceClassification", for_sequence_classification, "text-classification", 0},
    {"BloomForTokenClassification", for_token_classification, "token-classification", 0},
    {"BloomForQuestionAnswering", for_question_answering, "question-answering", 0},
    {0},
};

const am_model_type am_model_bloom = {.name = "bloom", .base_prefix = "transformer", .architectures = architectures};
