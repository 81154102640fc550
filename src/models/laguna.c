/* Laguna: LLaMA with an RMSNorm on each query and key head, as many query heads in a layer as a list says, windows
   before some layers, which rotate otherwise, a softplus gate on what is attended, and a mixture of experts beside a
   shared one. transformers: models/laguna/modeling_laguna.py */
#include "models/blocks/decoder.h"
#include "models/blocks/experts.h"

static int64_t heads_of(const am_decoder_options *o, int layer)
{
    int64_t heads[AM_LAYERS_LIMIT];
    if (!am_config_has(o->config, "num_attention_heads_per_layer")) return o->num_attention_heads;
    int count = am_config_sizes(o->config, "num_attention_heads_per_layer", heads, AM_LAYERS_LIMIT, NULL, 0);
    if (layer >= count) {
        am_config_fail(o->config, "num_attention_heads_per_layer", "layer %d is not listed", layer);
        return o->num_key_value_heads;
    }
    am_config_check_divides(o->config, "num_key_value_heads", o->num_key_value_heads, "num_attention_heads_per_layer",
                            heads[layer]);
    return heads[layer];
}

/* One gate a head, or one each of its numbers. */
static bool gates_heads(const am_config *c)
{
    am_json gating = am_json_get(c->object, "gating");
    if (am_json_kind_of(gating) == AM_JSON_STRING) return am_json_equals(gating, "per-head");
    return am_config_flag(c, "gating", true);
}

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    am_attention_options options = *layer->attention;
    am_value qkv[3];
    options.heads = heads_of(o, layer->index);
    am_attention_heads(b, x, &options, qkv);
    am_value y = am_split_heads(b, am_attend(b, qkv[0], qkv[1], qkv[2], &options), options.heads);
    int64_t gates = options.heads * (gates_heads(o->config) ? 1 : o->head_dim);
    am_value gate = am_linear_activation(b, "g_proj", x, gates, AM_NO_BIAS, AM_SOFTPLUS);
    y = am_mul(b, y, am_split_heads(b, gate, options.heads));
    return am_linear(b, "o_proj", am_merge_heads(b, y), o->hidden_size, o->out_bias ? AM_BIAS : AM_NO_BIAS);
}

/* Weights and experts: [N, top_k] of x: [N, C]. */
static am_value choose(am_builder *b, am_value x, const am_config *c, int64_t count, am_value *out_experts)
{
    am_expert_routing_attributes routing = {.top_k = am_config_size(c, "num_experts_per_tok", 8),
                                            .sigmoid = true,
                                            .normalize = true,
                                            .scale = am_config_real(c, "moe_routed_scaling_factor", 1)};
    double cap = am_config_real(c, "moe_router_logit_softcapping", 0);
    am_value logits = am_linear(b, "gate", x, count, AM_NO_BIAS);
    am_value bias = am_weight(b, "experts.e_score_correction_bias", am_shape_of(count));
    return am_expert_routing(b, cap > 0 ? am_soft_cap(b, logits, cap) : logits, bias, &routing, out_experts);
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    const am_config *c = o->config;
    if (!am_is_mixture_layer(c, layer->index, 1)) return am_decoder_mlp(b, x, layer);
    am_experts_options options = {.count = am_config_size(c, "num_experts", 256),
                                  .intermediate_size = am_config_size(c, "moe_intermediate_size", 512),
                                  .activation = o->hidden_act};
    am_value experts, rows = am_flatten(b, x, 0, 1), weights = choose(b, rows, c, options.count, &experts);
    am_value routed = am_chosen_experts(b, rows, experts, weights, &options);
    am_scope(b, "shared_expert");
    am_value shared =
        am_gated_mlp(b, x, am_config_size(c, "shared_expert_intermediate_size", 512), o->hidden_act, AM_NO_BIAS);
    am_end_scope(b);
    return am_add(b, am_reshape(b, routed, am_shape_of_value(b, x)), shared);
}

static void read_rope(const am_config *c, am_decoder_options *o)
{
    double partial = am_config_has(c, "rope_parameters") ? 1 : 0.5;
    int64_t max = o->rope.max_positions;
    o->rope = am_rope_config_read(c, "full_attention", o->head_dim, 500000, partial, max);
    o->sliding_rope = am_rope_config_read(c, "sliding_attention", o->head_dim, 10000, 1, max);
    o->has_sliding_rope = true;
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->qk_norm = AM_QK_NORM_HEAD;
    o->attention = attention;
    o->mlp = mixture;
    o->sliding_window = am_config_size(c, "sliding_window", 512);
    if (am_config_has(c, "layer_types")) am_decoder_read_sliding(c, o, 0, 0);
    read_rope(c, o);
    if (am_config_flag(c, "moe_apply_router_weight_on_input", false))
        am_config_unsupported(c, "moe_apply_router_weight_on_input", "weights of what experts read are not supported");
}

static const am_architecture architectures[] = {
    {"LagunaModel", am_decoder_model, "feature-extraction", 0},
    {"LagunaForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 100352,
                 .hidden_size = 2048,
                 .intermediate_size = 8192,
                 .num_hidden_layers = 40,
                 .num_attention_heads = 48,
                 .num_key_value_heads = 8,
                 .head_dim = 128,
                 .max_position_embeddings = 131072},
    .adapt = adapt,
};

const am_model_type am_model_laguna = {
    .name = "laguna", .base_prefix = "model", .architectures = architectures, .family = &family};
