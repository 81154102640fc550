/* ERNIE 4.5 MoE: ERNIE 4.5 with, in some layers, a mixture of experts chosen by the softmax of their scores and a
   correction bias, beside shared experts that answer always. transformers:
   models/ernie4_5_moe/modeling_ernie4_5_moe.py */
#include "models/blocks/decoder.h"
#include "models/blocks/experts.h"

/* The chosen experts of x: [N, C] and their weights: [N, K], which are divided by their sum unless it is too small. */
static am_value route(am_builder *b, am_value x, const am_config *c, int64_t count, am_value *out_experts)
{
    am_expert_routing_attributes routing = {
        .top_k = am_config_size(c, am_config_either(c, "moe_k", "num_experts_per_tok"), 6)};
    am_value logits = am_linear(b, "gate", x, count, AM_NO_BIAS);
    am_value bias = am_squeeze(b, am_weight(b, "moe_statics.e_score_correction_bias", am_shape_of(1, count)), 0);
    am_value weights = am_expert_routing(b, logits, bias, &routing, out_experts);
    am_value sum = am_reduce_last(b, AM_REDUCE_SUM, weights);
    return am_div(b, weights, am_binary_number(b, AM_MAX, sum, am_config_real(c, "moe_norm_min", 1e-12)));
}

static bool is_sparse(const am_config *c, const am_decoder_layer *layer)
{
    int64_t last = am_config_int(c, "moe_layer_end_index", -1);
    if (last == -1) last = layer->options->num_hidden_layers - 1;
    return (layer->index + 1) % am_config_size(c, "moe_layer_interval", 1) == 0 &&
           layer->index >= am_config_int(c, "moe_layer_start_index", 1) && layer->index <= last;
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    const am_config *c = o->config;
    if (!is_sparse(c, layer)) return am_decoder_mlp(b, x, layer);
    am_experts_options options = {.count = am_config_size(c, am_config_either(c, "moe_num_experts", "num_experts"), 64),
                                  .intermediate_size = am_config_size(c, "moe_intermediate_size", 1536),
                                  .activation = o->hidden_act};
    am_value experts, rows = am_flatten(b, x, 0, 1), weights = route(b, rows, c, options.count, &experts);
    am_value routed = am_reshape(b, am_chosen_experts(b, rows, experts, weights, &options), am_shape_of_value(b, x));
    int64_t shared = am_config_count(c, "moe_num_shared_experts", 2);
    if (shared == 0) return routed;
    am_scope(b, "shared_experts");
    am_value always =
        am_gated_mlp(b, x, shared * options.intermediate_size, o->hidden_act, o->mlp_bias ? AM_BIAS : AM_NO_BIAS);
    am_end_scope(b);
    return am_add(b, routed, always);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->qkv_bias = o->out_bias = o->mlp_bias = o->head_bias = am_config_flag(c, "use_bias", false);
    o->rotary_interleaved = true;
    o->mlp = mixture;
}

static const am_architecture architectures[] = {
    {"Ernie4_5_MoeModel", am_decoder_model, "feature-extraction", 0},
    {"Ernie4_5_MoeForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 103424,
                 .hidden_size = 2560,
                 .intermediate_size = 12288,
                 .num_hidden_layers = 28,
                 .num_attention_heads = 20,
                 .num_key_value_heads = 4,
                 .max_position_embeddings = 131072,
                 .rms_norm_eps = 1e-5,
                 .rope_theta = 500000,
                 .whole_heads = true,
                 .tied = true,
                 .has_pad_token = true},
    .adapt = adapt,
};

const am_model_type am_model_ernie4_5_moe = {
    .name = "ernie4_5_moe", .base_prefix = "model", .architectures = architectures, .family = &family};
