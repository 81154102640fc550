/* The model of codes that Qwen3-Omni's talker says: the thinker's with an expert for all tokens beside the others.
   transformers: models/qwen3_omni_moe/modeling_qwen3_omni_moe.py */
#include "models/blocks/qwen3_vl.h"
#include "models/blocks/qwen_omni.h"

static void adapt(const am_config *c, am_decoder_options *o)
{
    static const am_qwen3_omni_experts experts = {
        .count = 128, .top_k = 8, .intermediate_size = 384, .has_shared = true};
    am_qwen3_omni_adapt(c, o, &experts);
    o->after_layer = am_qwen3_vl_add_visual_states;
    o->embeddings = "codec_embedding";
}

static const am_architecture architectures[] = {
    {"Qwen3OmniMoeTalkerModel", am_decoder_model, "feature-extraction", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 3072,
                 .hidden_size = 1024,
                 .intermediate_size = 2048,
                 .num_hidden_layers = 20,
                 .num_attention_heads = 16,
                 .num_key_value_heads = 2,
                 .max_position_embeddings = 32768,
                 .whole_heads = true},
    .adapt = adapt,
};

const am_model_type am_model_qwen3_omni_moe_talker_text = {.name = "qwen3_omni_moe_talker_text",
                                                           .base_prefix = "talker.model",
                                                           .architectures = architectures,
                                                           .family = &family};
