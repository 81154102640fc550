/* Kolibri 1: EXAONE 4's attention with norms before and behind its parts, and a mixture of experts that logits and a
   bias choose and sigmoids weigh, beside a shared one. transformers: models/kolibri1/modeling_kolibri1.py */
#include "models/blocks/decoder.h"
#include "models/blocks/experts.h"

/* Weights and experts: [N, top_k] of logits: [N, E]. */
static am_value choose(am_builder *b, am_value logits, const am_config *c, am_value *out_experts)
{
    int64_t E = am_dim(b, logits, 1), top_k = am_config_size(c, "num_experts_per_tok", 6);
    am_value bias = am_cast(b, am_weight(b, "moe.router.expert_bias", am_shape_of(E)), AM_F32);
    am_top_k(b, am_add(b, logits, bias), -1, top_k, false, out_experts);
    am_value weights = am_unary(b, AM_SIGMOID, am_gather(b, logits, *out_experts, 1, true));
    if (!am_config_flag(c, "norm_topk_prob", false)) return weights;
    return am_div(b, weights, am_reduce_last(b, AM_REDUCE_SUM, weights));
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    const am_config *c = o->config;
    am_experts_options options = {.count =
                                      am_config_size(c, am_config_either(c, "num_experts", "num_local_experts"), 384),
                                  .intermediate_size = am_config_size(c, "moe_intermediate_size", 512),
                                  .activation = o->hidden_act};
    am_value experts, rows = am_flatten(b, x, 0, 1);
    am_value weights = choose(b, am_linear(b, "mlp.gate", rows, options.count, AM_NO_BIAS), c, &experts);
    am_scope(b, "mlp");
    am_value routed = am_chosen_experts(b, rows, experts, weights, &options);
    am_scope(b, "shared_experts");
    int64_t inner = am_config_size(c, "shared_expert_intermediate_size", 512);
    am_value shared = am_gated_mlp(b, x, inner, o->hidden_act, AM_NO_BIAS);
    am_end_scope(b);
    am_end_scope(b);
    return am_add(b, am_reshape(b, routed, am_shape_of_value(b, x)), shared);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    static const am_decoder_norms norms = {.before_attention = "input_layernorm",
                                           .after_attention = "post_attn_norm",
                                           .before_mlp = "post_attention_layernorm",
                                           .after_mlp = "post_ffn_norm"};
    o->norms = &norms;
    o->qk_norm = AM_QK_NORM_HEAD;
    o->attention = am_decoder_windowed_positions;
    o->mlp = mixture;
    o->mlp_scope = "";
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 513);
    am_decoder_read_sliding(c, o, 0, 5);
}

static const am_architecture architectures[] = {
    {"Kolibri1Model", am_decoder_model, "feature-extraction", 0},
    {"Kolibri1ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 128000,
                 .hidden_size = 2560,
                 .num_hidden_layers = 50,
                 .num_attention_heads = 48,
                 .num_key_value_heads = 4,
                 .head_dim = 128,
                 .max_position_embeddings = 262144,
                 .whole_heads = true},
    .adapt = adapt,
};

const am_model_type am_model_kolibri1 = {
    .name = "kolibri1", .base_prefix = "model", .architectures = architectures, .family = &family};
