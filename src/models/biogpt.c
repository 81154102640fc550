/* BioGPT: word embeddings times sqrt(C), learned positions that start at row 2 of their table, pre-norm layers.
   transformers: models/biogpt/modeling_biogpt.py */
#include "models/blocks/causal.h"
#include "models/blocks/heads.h"
#include "models/blocks/pre_norm.h"

#include <math.h>

enum { POSITION_OFFSET = 2 };

static const double LAYER_NORM_EPS = 1e-5; /* the class ignores layer_norm_eps */

static const am_pre_norm_names names = {.layers = "layers",
                                        .attention = "self_attn",
                                        .norm_before = "self_attn_layer_norm",
                                        .norm_after = "final_layer_norm",
                                        .up = "fc1",
                                        .down = "fc2"};

static am_pre_norm_options layer_options(am_builder *b)
{
    const am_config *c = am_model_config(b);
    return (am_pre_norm_options){
        .num_hidden_layers = am_config_count(c, "num_hidden_layers", 24),
        .intermediate_size = am_config_size(c, "intermediate_size", 4096),
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
        .layer_norm_eps = LAYER_NORM_EPS,
        .attention = {.heads = am_config_size(c, "num_attention_heads", 16),
                      .causal = am_config_flag(c, "is_causal", true),
                      .mask = am_padding_mask(b, "attention_mask")},
        .names = &names,
        .final_norm = "layer_norm",
        .final_norm_eps = LAYER_NORM_EPS,
    };
}

static am_value body(am_builder *b, const char *prefix)
{
    const am_config *c = am_model_config(b);
    int64_t C = am_config_size(c, "hidden_size", 1024), rows = am_config_size(c, "max_position_embeddings", 1024);
    am_pre_norm_options options = layer_options(b);
    am_config_check_divides(c, "num_attention_heads", options.attention.heads, "hidden_size", C);
    am_scope(b, "%s", prefix);
    am_value x = am_causal_words(b, "embed_tokens", C);
    if (am_config_flag(c, "scale_embedding", true) && !am_has_input(b, "inputs_embeds"))
        x = am_mul_number(b, x, sqrt((double)C));
    am_value places = am_add_number(b, am_position_ids(b, am_dim(b, x, 1)), POSITION_OFFSET);
    x = am_add(b, x, am_embedding(b, "embed_positions", places, rows + POSITION_OFFSET, C));
    x = am_pre_norm_layers(b, x, &options);
    am_end_scope(b);
    return x;
}

static const am_architecture architectures[] = {
    {"BioGptModel", am_causal_model, "feature-extraction", 0},
    {"BioGptForCausalLM", am_causal_for_causal_lm, "text-generation", AM_GENERATES},
    {"BioGptForSequenceClassification", am_causal_for_sequence_classification, "text-classification", 0},
    {"BioGptForTokenClassification", am_causal_for_token_classification, "token-classification", 0},
    {0},
};

static const am_causal_family family = {.body = body,
                                        .vocab_size = 42384,
                                        .has_pad_token = true,
                                        .pad_token_id = 1,
                                        .prefix = "biogpt",
                                        .embedding = "biogpt.embed_tokens.weight",
                                        .head = "output_projection"};

const am_model_type am_model_biogpt = {
    .name = "biogpt", .base_prefix = "biogpt", .architectures = architectures, .family = &family};
