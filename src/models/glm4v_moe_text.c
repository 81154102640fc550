/* The text model of GLM-4.5V: GLM-4.5 whose tokens have places in time, height and width. transformers:
   models/glm4v_moe/modeling_glm4v_moe.py */
#include "models/blocks/glm_moe.h"

static void adapt(const am_config *c, am_decoder_options *o)
{
    static const int64_t sections[3] = {8, 12, 12};
    o->qkv_bias = am_config_flag(c, "attention_bias", true);
    o->mrope = am_mrope_sections_read(c, &o->rope, sections, false);
    o->mlp = am_glm_mixture;
}

static const am_architecture architectures[] = {
    {"Glm4vMoeTextModel", am_decoder_model, "feature-extraction", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 151424,
                 .intermediate_size = 10944,
                 .num_hidden_layers = 46,
                 .num_attention_heads = 96,
                 .num_key_value_heads = 8,
                 .max_position_embeddings = 65536,
                 .partial_rotary_factor = 0.5,
                 .rms_norm_eps = 1e-5},
    .adapt = adapt,
};

const am_model_type am_model_glm4v_moe_text = {
    .name = "glm4v_moe_text", .base_prefix = "model", .architectures = architectures, .family = &family};
