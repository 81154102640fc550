/* The text model of Qwen3.5: three layers of gated delta nets to one of attention with gated answers, whose tokens have
   places in time, height and width. transformers: models/qwen3_5/modeling_qwen3_5.py */
#include "models/blocks/delta_net.h"

static void adapt(const am_config *c, am_decoder_options *o)
{
    static const int64_t sections[3] = {11, 11, 10};
    o->norm_weight_offset = 1;
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->mrope = am_mrope_sections_read(c, &o->rope, sections, true);
    o->flat_places_pack = true;
    o->attention = am_qwen3_5_mixer;
    o->attention_scope = "";
}

static const am_architecture architectures[] = {
    {"Qwen3_5TextModel", am_decoder_model, "feature-extraction", 0},
    {"Qwen3_5ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"Qwen3_5TextForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 248320,
                 .intermediate_size = 12288,
                 .num_attention_heads = 16,
                 .num_key_value_heads = 4,
                 .head_dim = 256,
                 .max_position_embeddings = 32768,
                 .partial_rotary_factor = 0.25},
    .adapt = adapt,
};

const am_model_type am_model_qwen3_5_text = {
    .name = "qwen3_5_text", .base_prefix = "model", .architectures = architectures, .family = &family};
