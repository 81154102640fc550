/* The text model of Qwen3-VL-MoE: Qwen3-VL's with a mixture of experts in place of the MLP in most layers.
   transformers: models/qwen3_vl_moe/modeling_qwen3_vl_moe.py */
#include "models/blocks/decoder.h"
#include "models/blocks/experts.h"
#include "models/blocks/qwen3_vl.h"

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_config *c = am_model_config(b);
    int64_t experts = am_config_count(c, am_config_either(c, "num_experts", "num_local_experts"), 60);
    if (experts == 0 || !am_is_sparse_layer(c, layer->index)) return am_decoder_mlp(b, x, layer);
    am_mixture_options options = {
        .experts = {.count = experts,
                    .intermediate_size = am_config_size(c, "moe_intermediate_size", 1408),
                    .activation = layer->options->hidden_act,
                    .packed = true},
        .routing = {.top_k = am_config_size(c, "num_experts_per_tok", 4), .normalize = true},
    };
    return am_mixture(b, x, &options);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    static const int64_t sections[3] = {24, 20, 20};
    o->qk_norm = AM_QK_NORM_HEAD;
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->mrope = am_mrope_sections_read(c, &o->rope, sections, true);
    o->mlp = mixture;
    o->after_layer = am_qwen3_vl_add_visual_states;
}

static const am_architecture architectures[] = {
    {"Qwen3VLMoeTextModel", am_decoder_model, "feature-extraction", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 151936,
                 .hidden_size = 2048,
                 .intermediate_size = 5632,
                 .num_hidden_layers = 24,
                 .num_attention_heads = 16,
                 .num_key_value_heads = 16,
                 .max_position_embeddings = 128000,
                 .rope_theta = 500000,
                 .whole_heads = true,
                 .tied = true},
    .adapt = adapt,
};

const am_model_type am_model_qwen3_vl_moe_text = {
    .name = "qwen3_vl_moe_text", .base_prefix = "model", .architectures = architectures, .family = &family};
