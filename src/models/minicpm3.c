/* MiniCPM3: LLaMA with multi-head latent attention, scaled embeddings, and what layers add and logits scaled by the
   model's depth and width. transformers: models/minicpm3/modeling_minicpm3.py */
#include "models/blocks/latent_attention.h"

#include <math.h>

static const am_latent_defaults defaults = {
    .q_lora_rank = 768, .kv_lora_rank = 256, .nope_dim = 64, .rope_dim = 32, .max_position_embeddings = 32768};

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    am_decoder_options options = *layer->options;
    am_latent_attention a = am_latent_attention_of(options.config, &options, &defaults);
    return am_latent_attend(b, x, am_latent_query(b, x, &a), &a, layer->attention);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    double depth = sqrt((double)o->num_hidden_layers);
    am_latent_attention_of(c, o, &defaults);
    o->mlp_bias = am_config_flag(c, "mlp_bias", false);
    o->embedding_scale = am_config_real(c, "scale_emb", 12);
    o->residual_multiplier = am_config_is_null(c, "scale_depth") ? 1 : am_config_real(c, "scale_depth", 1.4) / depth;
    o->logits_multiplier =
        (double)(am_config_is_null(c, "dim_model_base") ? o->hidden_size : am_config_size(c, "dim_model_base", 256)) /
        (double)o->hidden_size;
    o->attention = attention;
}

static const am_architecture architectures[] = {
    {"MiniCPM3Model", am_decoder_model, "feature-extraction", 0},
    {"MiniCPM3ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"MiniCPM3ForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 73448,
                 .hidden_size = 2560,
                 .intermediate_size = 6400,
                 .num_hidden_layers = 62,
                 .num_attention_heads = 40,
                 .num_key_value_heads = 40,
                 .head_dim = 32,
                 .max_position_embeddings = 32768,
                 .rms_norm_eps = 1e-5,
                 .tied = true},
    .adapt = adapt,
};

const am_model_type am_model_minicpm3 = {
    .name = "minicpm3", .base_prefix = "model", .architectures = architectures, .family = &family};
