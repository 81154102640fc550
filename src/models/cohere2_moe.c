/* Cohere 2 MoE: Command R7B's layers, of which most have a mixture of experts in place of the MLP, beside shared ones.
   transformers: models/cohere2_moe/modeling_cohere2_moe.py */
#include "models/blocks/decoder.h"
#include "models/blocks/experts.h"

/* Layers before these are dense. */
static int64_t dense_layers(const am_config *c)
{
    return am_config_count(c, "first_k_dense_replace", 0);
}

static bool is_dense(const am_config *c, int layer)
{
    return !am_is_mixture_layer(c, layer, dense_layers(c));
}

/* Dense layers rotate, too, where all of them see all. */
static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    am_attention_options options = *layer->attention;
    bool forced =
        is_dense(o->config, layer->index) && am_config_int(o->config, "prefix_dense_sliding_window_pattern", 1) == 1;
    if (!o->sliding[layer->index] && !forced) options.rope = NULL;
    return am_self_attention(b, x, &options);
}

/* The best logits are chosen, then weighed: their softmax, or sigmoids. */
static am_expert_routing_attributes read_routing(const am_config *c)
{
    am_expert_routing_attributes r = {.top_k = am_config_size(c, "num_experts_per_tok", 2)};
    r.sigmoid = am_config_is(c, "expert_selection_fn", "sigmoid");
    r.softmax_after = !r.sigmoid;
    r.normalize = r.sigmoid && am_config_flag(c, "norm_topk_prob", true);
    if (!r.sigmoid && am_config_has(c, "expert_selection_fn") && !am_config_is(c, "expert_selection_fn", "softmax"))
        am_config_unsupported(c, "expert_selection_fn", "expected \"softmax\" or \"sigmoid\"");
    return r;
}

/* routed with the shared experts, which also read x. */
static am_value join_shared(am_builder *b, am_value x, am_value routed, const am_decoder_options *o, int64_t shared)
{
    const am_config *c = o->config;
    bool sum = am_config_is(c, "shared_expert_combination_strategy", "sum");
    if (!sum && am_config_has(c, "shared_expert_combination_strategy") &&
        !am_config_is(c, "shared_expert_combination_strategy", "average"))
        am_config_unsupported(c, "shared_expert_combination_strategy", "expected \"sum\" or \"average\"");
    am_scope(b, "shared_experts");
    routed = am_add(b, routed, am_gated_mlp(b, x, o->intermediate_size * shared, o->hidden_act, AM_NO_BIAS));
    am_end_scope(b);
    return sum ? routed : am_mul_number(b, routed, 0.5);
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    const am_config *c = o->config;
    if (is_dense(c, layer->index))
        return am_gated_mlp(b, x, am_config_size(c, "prefix_dense_intermediate_size", o->intermediate_size),
                            o->hidden_act, AM_NO_BIAS);
    am_mixture_options options = {.experts = {.count = am_config_size(c, "num_experts", 8),
                                              .intermediate_size = o->intermediate_size,
                                              .activation = o->hidden_act},
                                  .routing = read_routing(c)};
    am_value routed = am_mixture(b, x, &options);
    int64_t shared = am_config_count(c, "num_shared_experts", 0);
    return shared ? join_shared(b, x, routed, o, shared) : routed;
}

/* Where layers are not listed, each period-th sees all, counted anew behind the dense ones. */
static void read_windows(const am_config *c, am_decoder_options *o)
{
    int64_t dense = dense_layers(c), first = am_config_size(c, "prefix_dense_sliding_window_pattern", 1),
            rest = am_config_size(c, "sliding_window_pattern", 4);
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 4096);
    if (am_config_has(c, "layer_types")) {
        am_decoder_read_sliding(c, o, 0, 0);
        return;
    }
    for (int i = 0; i < o->num_hidden_layers && i < AM_LAYERS_LIMIT; i++)
        o->sliding[i] = i < dense ? (i + 1) % first != 0 : (i - dense + 1) % rest != 0;
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    bool rms = am_config_has(c, "rms_norm_eps");
    if (!rms) o->rms_norm_eps = am_config_real(c, "layer_norm_eps", 1e-5);
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->parallel = true;
    if (!rms) o->norm = am_decoder_layer_norm_no_bias;
    o->rotary_interleaved = true;
    o->attention = attention;
    o->mlp = mixture;
    o->logits_multiplier = am_config_real(c, "logit_scale", 0.0625);
    read_windows(c, o);
}

static const am_architecture architectures[] = {
    {"Cohere2MoeModel", am_decoder_model, "feature-extraction", 0},
    {"Cohere2MoeForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 256000,
                 .hidden_size = 8192,
                 .intermediate_size = 22528,
                 .num_hidden_layers = 40,
                 .num_attention_heads = 64,
                 .head_dim = 128,
                 .max_position_embeddings = 8192,
                 .tied = true,
                 .has_pad_token = true},
    .adapt = adapt,
};

const am_model_type am_model_cohere2_moe = {
    .name = "cohere2_moe", .base_prefix = "model", .architectures = architectures, .family = &family};
