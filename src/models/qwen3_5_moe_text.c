/* The text model of Qwen3.5 MoE: that of Qwen3.5 with a mixture of experts beside a gated one that answers always.
   transformers: models/qwen3_5_moe/modeling_qwen3_5_moe.py */
#include "models/blocks/delta_net.h"
#include "models/blocks/experts.h"

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_config *c = layer->options->config;
    am_mixture_options options = {
        .experts = {.count = am_config_size(c, "num_experts", 256),
                    .intermediate_size = am_config_size(c, "moe_intermediate_size", 512),
                    .activation = layer->options->hidden_act},
        .routing = {.top_k = am_config_size(c, "num_experts_per_tok", 8), .normalize = true},
    };
    int64_t inner = am_config_size(c, "shared_expert_intermediate_size", 512);
    am_value shared = am_shared_expert(b, x, inner, layer->options->hidden_act);
    return am_add(b, am_mixture(b, x, &options), shared);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    static const int64_t sections[3] = {11, 11, 10};
    o->norm_weight_offset = 1;
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->mrope = am_mrope_sections_read(c, &o->rope, sections, true);
    o->flat_places_pack = true;
    o->attention = am_qwen3_5_mixer;
    o->attention_scope = "";
    o->mlp = mixture;
}

static const am_architecture architectures[] = {
    {"Qwen3_5MoeTextModel", am_decoder_model, "feature-extraction", 0},
    {"Qwen3_5MoeForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 248320,
                 .hidden_size = 2048,
                 .num_hidden_layers = 40,
                 .num_attention_heads = 16,
                 .num_key_value_heads = 2,
                 .head_dim = 256,
                 .max_position_embeddings = 32768,
                 .partial_rotary_factor = 0.25},
    .adapt = adapt,
};

const am_model_type am_model_qwen3_5_moe_text = {
    .name = "qwen3_5_moe_text", .base_prefix = "model", .architectures = architectures, .family = &family};
