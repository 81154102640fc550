/* BLOOM: no position embeddings: ALiBi adds to every score a slope of the head times the key's position
   (arXiv 2108.12409). Embeddings are normed; pre-norm layers of attention, with queries, keys and values
   fused by head, and MLP; residuals start before or behind the norms. transformers:
   models/bloom/modeling_bloom.py */
#include "models/blocks/alibi.h"
#include "models/blocks/attention.h"
#include "models/blocks/causal.h"

typedef struct bloom_config {
    int64_t hidden_size, n_layer, n_head;
    double layer_norm_epsilon;
    bool apply_residual_connection_post_layernorm;
    int output_bias; /* the summation by slices (slow_but_exact) leaves the bias of output projections away */
    am_attention_options attention;
} bloom_config;

static bloom_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    bool sliced = am_config_int(c, "pretraining_tp", 1) > 1 && am_config_flag(c, "slow_but_exact", false);
    bloom_config r = {
        .hidden_size = am_config_size(c, am_config_either(c, "hidden_size", "n_embed"), 64),
        .n_layer = am_config_count(c, am_config_either(c, "n_layer", "num_hidden_layers"), 2),
        .n_head = am_config_size(c, am_config_either(c, "n_head", "num_attention_heads"), 8),
        .layer_norm_epsilon = am_config_real(c, "layer_norm_epsilon", 1e-5),
        .apply_residual_connection_post_layernorm =
            am_config_flag(c, "apply_residual_connection_post_layernorm", false),
        .output_bias = sliced ? AM_NO_BIAS : AM_BIAS,
        .attention = {.causal = am_config_flag(c, "is_causal", true), .mask = am_padding_mask(b, "attention_mask")},
    };
    am_config_check_divides(c, "n_head", r.n_head, "hidden_size", r.hidden_size);
    return r;
}

static am_value attention(am_builder *b, am_value x, const bloom_config *c)
{
    am_value qkv[3];
    am_scope(b, "self_attention");
    am_split_fused(b, am_linear(b, "query_key_value", x, 3 * c->hidden_size, AM_BIAS), c->n_head, true, qkv);
    x = am_linear(b, "dense", am_attend(b, qkv[0], qkv[1], qkv[2], &c->attention), c->hidden_size, c->output_bias);
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

static am_value block(am_builder *b, am_value x, const void *context, int index)
{
    const bloom_config *c = context;
    (void)index;
    am_value normed = am_layer_norm(b, "input_layernorm", x, c->layer_norm_epsilon);
    x = am_add(b, attention(b, normed, c), c->apply_residual_connection_post_layernorm ? normed : x);
    normed = am_layer_norm(b, "post_attention_layernorm", x, c->layer_norm_epsilon);
    return am_add(b, mlp(b, normed, c), c->apply_residual_connection_post_layernorm ? normed : x);
}

static am_value body(am_builder *b, const char *prefix)
{
    bloom_config c = read_config(b);
    am_scope(b, "%s", prefix);
    am_value x = am_causal_words(b, "word_embeddings", c.hidden_size);
    c.attention.bias = am_mul(b, am_alibi_slopes(b, c.n_head), am_attended_key_positions(b, am_dim(b, x, 1)));
    x = am_layer_norm(b, "word_embeddings_layernorm", x, c.layer_norm_epsilon);
    x = am_causal_layers(b, "h", c.n_layer, x, block, &c);
    x = am_causal_final_norm(b, "ln_f", x, c.layer_norm_epsilon, c.n_layer);
    am_end_scope(b);
    return x;
}

static const am_architecture architectures[] = {
    {"BloomModel", am_causal_model, "feature-extraction", 0},
    {"BloomForCausalLM", am_causal_for_causal_lm, "text-generation", AM_GENERATES},
    {"BloomForSequenceClassification", am_causal_for_sequence_classification, "text-classification", 0},
    {"BloomForTokenClassification", am_causal_for_token_classification, "token-classification", 0},
    {"BloomForQuestionAnswering", am_causal_for_question_answering, "question-answering", 0},
    {0},
};

static const am_causal_family family = {
    .body = body, .vocab_size = 250880, .embedding = "transformer.word_embeddings.weight"};

const am_model_type am_model_bloom = {
    .name = "bloom", .base_prefix = "transformer", .architectures = architectures, .family = &family};
