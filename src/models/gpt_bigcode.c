/* GPT-BigCode (StarCoder): GPT-2 with linear layers stored [out, in] and, with multi_query, one key and value head for
   all queries. transformers: models/gpt_bigcode/modeling_gpt_bigcode.py */
#include "models/blocks/causal.h"
#include "models/blocks/layers.h"
#include "models/blocks/pre_norm.h"

static const am_gpt_config defaults = {
    .n_positions = 1024, .n_embd = 768, .n_layer = 12, .n_head = 12, .layer_norm_epsilon = 1e-5};

static const am_pre_norm_names names = {.layers = "h",
                                        .attention = "attn",
                                        .norm_before = "ln_1",
                                        .norm_after = "ln_2",
                                        .up = "mlp.c_fc",
                                        .down = "mlp.c_proj"};

static am_pre_norm_options layer_options(am_builder *b, const am_gpt_config *g)
{
    const am_config *c = am_model_config(b);
    return (am_pre_norm_options){
        .num_hidden_layers = g->n_layer,
        .intermediate_size = g->n_inner,
        .hidden_act = am_config_activation(c, "activation_function", AM_GELU_TANH),
        .layer_norm_eps = g->layer_norm_epsilon,
        .attention = {.heads = g->n_head,
                      .kv_heads = am_config_flag(c, "multi_query", true) ? 1 : g->n_head,
                      .qkv = "c_attn",
                      .qkv_by_group = true,
                      .out = "c_proj",
                      .causal = g->is_causal,
                      .mask = am_gpt_mask(b, g),
                      .scale = am_config_flag(c, "scale_attn_weights", true) ? 0 : 1},
        .names = &names,
        .final_norm = "ln_f",
        .final_norm_eps = g->layer_norm_epsilon,
    };
}

static am_value body(am_builder *b, const char *prefix)
{
    const am_config *c = am_model_config(b);
    am_gpt_config g = am_gpt_config_read(c, defaults);
    am_pre_norm_options options = layer_options(b, &g);
    if (am_config_flag(c, "add_cross_attention", false))
        am_config_unsupported(c, "add_cross_attention", "cross-attention is not supported in this class");
    am_scope(b, "%s", prefix);
    am_value x = am_causal_embeddings(b, "wte", g.n_embd);
    x = am_add(b, x, am_embedding(b, "wpe", am_position_ids(b, am_dim(b, x, 1)), g.n_positions, g.n_embd));
    x = am_pre_norm_layers(b, x, &options);
    am_end_scope(b);
    return x;
}

static const am_architecture architectures[] = {
    {"GPTBigCodeModel", am_causal_model, "feature-extraction", 0},
    {"GPTBigCodeForCausalLM", am_causal_for_causal_lm, "text-generation", AM_GENERATES},
    {"GPTBigCodeForSequenceClassification", am_causal_for_sequence_classification, "text-classification", 0},
    {"GPTBigCodeForTokenClassification", am_causal_for_token_classification, "token-classification", 0},
    {0},
};

static const am_causal_family family = {.body = body, .vocab_size = 50257, .embedding = "transformer.wte.weight"};

const am_model_type am_model_gpt_bigcode = {
    .name = "gpt_bigcode", .base_prefix = "transformer", .architectures = architectures, .family = &family};
