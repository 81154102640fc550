/* MPT: ALiBi instead of position embeddings, pre-norm layers, LayerNorm and linear layers without biases; queries, keys
   and values come from one projection, perhaps clipped. transformers: models/mpt/modeling_mpt.py */
#include "models/blocks/alibi.h"
#include "models/blocks/attention.h"
#include "models/blocks/causal.h"

typedef struct mpt {
    int64_t d_model, n_heads, n_layers;
    double layer_norm_epsilon, clip_qkv; /* clip_qkv 0: none */
    am_attention_options attention;
} mpt;

static mpt read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config attention = am_config_child(c, "attn_config");
    mpt m = {.d_model = am_config_size(c, am_config_either(c, "d_model", "hidden_size"), 2048),
             .n_heads = am_config_size(c, am_config_either(c, "n_heads", "num_attention_heads"), 16),
             .n_layers = am_config_count(c, am_config_either(c, "n_layers", "num_hidden_layers"), 24),
             .layer_norm_epsilon = am_config_real(c, "layer_norm_epsilon", 1e-5),
             .clip_qkv = am_config_real(&attention, "clip_qkv", 0),
             .attention = {.causal = am_config_flag(c, "is_causal", true),
                           .mask = am_padding_mask(b, "attention_mask"),
                           .scale = am_config_real(&attention, "softmax_scale", 0)}};
    am_config_check_divides(c, "n_heads", m.n_heads, "d_model", m.d_model);
    if (am_config_has(&attention, "softmax_scale") && m.attention.scale == 0)
        am_config_unsupported(&attention, "softmax_scale", "0 is not supported");
    return m;
}

static am_value attention(am_builder *b, am_value x, const mpt *m)
{
    am_value qkv[3];
    am_scope(b, "attn");
    x = am_linear(b, "Wqkv", x, 3 * m->d_model, AM_NO_BIAS);
    if (m->clip_qkv != 0) {
        x = am_binary_number(b, AM_MAX, x, -m->clip_qkv);
        x = am_binary_number(b, AM_MIN, x, m->clip_qkv);
    }
    am_split_fused(b, x, m->n_heads, false, qkv);
    x = am_linear(b, "out_proj", am_attend(b, qkv[0], qkv[1], qkv[2], &m->attention), m->d_model, AM_NO_BIAS);
    am_end_scope(b);
    return x;
}

static am_value ffn(am_builder *b, am_value x, const mpt *m)
{
    am_scope(b, "ffn");
    x = am_linear_activation(b, "up_proj", x, 4 * m->d_model, AM_NO_BIAS, AM_GELU);
    x = am_linear(b, "down_proj", x, m->d_model, AM_NO_BIAS);
    am_end_scope(b);
    return x;
}

static am_value block(am_builder *b, am_value x, const void *context, int index)
{
    const mpt *m = context;
    (void)index;
    x = am_add(b, x, attention(b, am_layer_norm_no_bias(b, "norm_1", x, m->layer_norm_epsilon), m));
    return am_add(b, x, ffn(b, am_layer_norm_no_bias(b, "norm_2", x, m->layer_norm_epsilon), m));
}

static am_value body(am_builder *b, const char *prefix)
{
    mpt m = read_config(b);
    am_scope(b, "%s", prefix);
    am_value x = am_causal_words(b, "wte", m.d_model);
    m.attention.bias = am_mul(b, am_alibi_slopes(b, m.n_heads), am_key_positions(b, am_dim(b, x, 1)));
    x = am_causal_layers(b, "blocks", m.n_layers, x, block, &m);
    x = am_layer_norm_no_bias(b, "norm_f", x, m.layer_norm_epsilon);
    am_output_hidden_state(b, "hidden_states", (int)m.n_layers, x);
    am_end_scope(b);
    return x;
}

static const am_architecture architectures[] = {
    {"MptModel", am_causal_model, "feature-extraction", 0},
    {"MptForCausalLM", am_causal_for_causal_lm, "text-generation", AM_GENERATES},
    {"MptForSequenceClassification", am_causal_for_sequence_classification, "text-classification", 0},
    {"MptForTokenClassification", am_causal_for_token_classification, "token-classification", 0},
    {"MptForQuestionAnswering", am_causal_for_question_answering, "question-answering", 0},
    {0},
};

static const am_causal_family family = {.body = body, .vocab_size = 50368, .embedding = "transformer.wte.weight"};

const am_model_type am_model_mpt = {
    .name = "mpt", .base_prefix = "transformer", .architectures = architectures, .family = &family};
