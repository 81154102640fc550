/* StableLM: LLaMA with LayerNorm and a part of each head rotated; attention and MLP may read the same norm's result;
   each query and key head may have a LayerNorm of its own. transformers: models/stablelm/modeling_stablelm.py */
#include "models/blocks/decoder.h"

#include <stdio.h>

/* x: [B, T, H, D]; weights NAME.norms.H.weight: [D] */
static am_value norm_heads(am_builder *b, const char *name, am_value x, double eps)
{
    const am_norm_attributes options = {.kind = AM_NORM_LAYER, .eps = eps};
    int64_t H = am_dim(b, x, 2), D = am_dim(b, x, 3);
    am_value weights = AM_NONE;
    for (int64_t h = 0; h < H && !am_builder_failed(b); h++) {
        char weight[64];
        snprintf(weight, sizeof weight, "%s.norms.%d.weight", name, (int)h);
        am_value row = am_unsqueeze(b, am_weight(b, weight, am_shape_of(D)), 0);
        weights = h ? am_concat2(b, weights, row, 0) : row;
    }
    return am_mul(b, am_norm_op(b, x, AM_NONE, AM_NONE, AM_NONE, AM_NONE, &options), weights);
}

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    am_attention_options options = *layer->attention;
    am_value qkv[3];
    if (!am_config_flag(o->config, "qk_layernorm", false)) return am_self_attention(b, x, &options);
    options.rope = NULL;
    am_attention_heads(b, x, &options, qkv);
    am_value q = norm_heads(b, "q_layernorm", qkv[0], o->rms_norm_eps),
             k = norm_heads(b, "k_layernorm", qkv[1], o->rms_norm_eps);
    x = am_attend(b, am_rope_apply(b, layer->attention->rope, q), am_rope_apply(b, layer->attention->rope, k), qkv[2],
                  &options);
    return am_linear(b, "o_proj", x, o->hidden_size, AM_NO_BIAS);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->rms_norm_eps = am_config_real(c, "layer_norm_eps", 1e-5);
    o->norm = am_decoder_layer_norm;
    o->qkv_bias = am_config_flag(c, "use_qkv_bias", false);
    o->parallel = am_config_flag(c, "use_parallel_residual", false);
    o->attention = attention;
}

static const am_architecture architectures[] = {
    {"StableLmModel", am_decoder_model, "feature-extraction", 0},
    {"StableLmForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"StableLmForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {"StableLmForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 50304,
                 .hidden_size = 2560,
                 .intermediate_size = 6912,
                 .num_key_value_heads = 32,
                 .max_position_embeddings = 4096,
                 .partial_rotary_factor = 0.25},
    .adapt = adapt,
};

const am_model_type am_model_stablelm = {
    .name = "stablelm", .base_prefix = "model", .architectures = architectures, .family = &family};
