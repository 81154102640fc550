/* LFM2 MoE: LFM2 with, after the first layers, a mixture of experts that sigmoid scores and a bias choose.
   transformers: models/lfm2_moe/modeling_lfm2_moe.py */
#include "models/blocks/experts.h"
#include "models/blocks/short_convolution.h"

/* The class adds this to the sum that weights are divided by. */
static const double LEAST_SUM = 1e-6;

/* Weights and experts: [N, top_k] of x: [N, C]. */
static am_value choose(am_builder *b, am_value x, const am_config *c, int64_t count, am_value *out_experts)
{
    am_expert_routing_attributes routing = {.top_k = am_config_size(c, "num_experts_per_tok", 4), .sigmoid = true};
    am_value bias = AM_NONE;
    if (am_config_flag(c, "use_expert_bias", true)) bias = am_weight(b, "expert_bias", am_shape_of(count));
    am_value weights = am_expert_routing(b, am_linear(b, "gate", x, count, AM_NO_BIAS), bias, &routing, out_experts);
    if (am_config_flag(c, "norm_topk_prob", true))
        weights = am_div(b, weights, am_add_number(b, am_reduce_last(b, AM_REDUCE_SUM, weights), LEAST_SUM));
    return am_mul_number(b, weights, am_config_real(c, "routed_scaling_factor", 1));
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_config *c = layer->options->config;
    if (layer->index < am_config_count(c, "num_dense_layers", 2)) return am_lfm2_mlp(b, x, layer);
    am_experts_options options = {.count = am_config_size(c, "num_experts", 32),
                                  .intermediate_size = am_config_size(c, "moe_intermediate_size", 1792),
                                  .activation = AM_SILU,
                                  .gate = "w1",
                                  .up = "w3",
                                  .down = "w2"};
    am_value experts, rows = am_flatten(b, x, 0, 1), weights = choose(b, rows, c, options.count, &experts);
    return am_reshape(b, am_chosen_experts(b, rows, experts, weights, &options), am_shape_of_value(b, x));
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    static const am_decoder_norms norms = {.before_attention = "operator_norm", .before_mlp = "ffn_norm"};
    o->norms = &norms;
    o->final_norm = "embedding_norm";
    o->rms_norm_eps = am_config_real(c, "norm_eps", 1e-5);
    o->tie_word_embeddings = am_config_flag(c, am_config_either(c, "tie_word_embeddings", "tie_embedding"), true);
    o->attention = am_lfm2_operator;
    o->attention_scope = "";
    o->mlp = mixture;
    o->mlp_scope = "feed_forward";
    if (!am_config_has(c, "layer_types")) am_config_fail(c, "layer_types", "expected a list of layers, found none");
}

static const am_architecture architectures[] = {
    {"Lfm2MoeModel", am_decoder_model, "feature-extraction", 0},
    {"Lfm2MoeForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 65536,
                 .hidden_size = 2048,
                 .intermediate_size = 7168,
                 .num_key_value_heads = 8,
                 .max_position_embeddings = 128000,
                 .rope_theta = 1000000,
                 .tied = true,
                 .has_pad_token = true},
    .adapt = adapt,
};

const am_model_type am_model_lfm2_moe = {
    .name = "lfm2_moe", .base_prefix = "model", .architectures = architectures, .family = &family};
