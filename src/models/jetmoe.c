/* JetMoE: mixtures in attention and MLP. Each expert of attention has query and output projections of its own; keys and
   values are shared, so that the chosen experts attend side by side. transformers: models/jetmoe/modeling_jetmoe.py */
#include "models/blocks/decoder.h"
#include "models/blocks/experts.h"

/* The chosen experts of x: [N, C] and their weights, the softmax over the chosen scores: [N, K]. */
static am_value route(am_builder *b, am_value x, am_value *out_experts)
{
    const am_config *c = am_model_config(b);
    am_expert_routing_attributes routing = {.top_k = am_config_size(c, "num_experts_per_tok", 2),
                                            .softmax_after = true};
    am_value logits = am_linear(b, "router.layer", x, am_config_size(c, "num_local_experts", 8), AM_NO_BIAS);
    return am_expert_routing(b, logits, AM_NONE, &routing, out_experts);
}

static am_value expert_linear(am_builder *b, const char *name, am_value x, am_value experts, int64_t rows)
{
    int64_t count = am_config_size(am_model_config(b), "num_local_experts", 8);
    return am_stacked_experts(b, name, x, experts, count, rows);
}

/* Outputs of the experts, weighted, summed and biased: [N, K, D] -> [N, C]. */
static am_value collect(am_builder *b, am_value x, am_value experts, am_value weights, int64_t C)
{
    am_value sum = am_expert_sum(b, expert_linear(b, "output_linear", x, experts, C), weights);
    return am_add(b, sum, am_weight(b, "bias", am_shape_of(C)));
}

/* x copied K times along the heads: [B, S, G, D] -> [B, S, K * G, D]. */
static am_value repeat_heads(am_builder *b, am_value x, int64_t K)
{
    am_value parts[AM_INPUT_LIMIT];
    for (int64_t i = 0; i < K && i < AM_INPUT_LIMIT; i++) parts[i] = x;
    return am_concat(b, parts, (int)K, 2);
}

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    am_shape shape = am_shape_of_value(b, x);
    int64_t G = o->num_key_value_heads, D = o->head_dim, K = o->num_attention_heads / G;
    am_value experts, rows = am_flatten(b, x, 0, 1);
    am_scope(b, "experts");
    am_value weights = route(b, rows, &experts), q = expert_linear(b, "input_linear", rows, experts, G * D);
    am_end_scope(b);
    q = am_reshape(b, q, am_shape_of(shape.dims[0], shape.dims[1], K * G, D));
    am_value both = am_split_heads(b, am_linear(b, "kv_proj", x, 2 * G * D, AM_NO_BIAS), 2 * G);
    am_value k = am_rope_apply(b, layer->attention->rope, am_slice(b, both, 2, 0, G)),
             v = am_slice(b, both, 2, G, 2 * G);
    k = am_cache_append(b, "key", k);
    v = am_cache_append(b, "value", v);
    q = am_rope_apply(b, layer->attention->rope, q);
    x = am_attend_cached(b, q, repeat_heads(b, k, K), repeat_heads(b, v, K), layer->attention);
    am_scope(b, "experts");
    x = collect(b, am_reshape(b, x, am_shape_of(-1, K, G * D)), experts, weights, o->hidden_size);
    am_end_scope(b);
    return am_reshape(b, x, shape);
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    int64_t I = o->intermediate_size;
    am_value experts, rows = am_flatten(b, x, 0, 1), weights = route(b, rows, &experts);
    am_value both = expert_linear(b, "input_linear", rows, experts, 2 * I);
    am_value inner =
        am_gated_activation(b, o->hidden_act, am_slice(b, both, -1, 0, I), am_slice(b, both, -1, I, 2 * I));
    return am_reshape(b, collect(b, inner, experts, weights, o->hidden_size), am_shape_of_value(b, x));
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->hidden_act = am_config_activation(c, "activation_function", AM_SILU);
    o->head_dim = am_config_size(c, "kv_channels", 128);
    o->num_attention_heads = o->num_key_value_heads * am_config_size(c, "num_experts_per_tok", 2);
    o->rope = am_rope_config_read(c, NULL, o->head_dim, 10000, 1, 4096);
    o->attention_scope = "self_attention";
    o->attention = attention;
    o->mlp = mixture;
}

static const am_architecture architectures[] = {
    {"JetMoeModel", am_decoder_model, "feature-extraction", 0},
    {"JetMoeForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"JetMoeForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.hidden_size = 2048,
                 .intermediate_size = 5632,
                 .num_hidden_layers = 12,
                 .num_key_value_heads = 16,
                 .head_dim = 128,
                 .max_position_embeddings = 4096,
                 .tied = true},
    .adapt = adapt,
};

const am_model_type am_model_jetmoe = {
    .name = "jetmoe", .base_prefix = "model", .architectures = architectures, .family = &family};
