/* OLMo: LLaMA with LayerNorms that have no weights, and queries, keys and values that may be kept within bounds.
   transformers: models/olmo/modeling_olmo.py */
#include "models/blocks/decoder.h"

static am_value plain_norm(am_builder *b, const char *name, am_value x, const am_decoder_options *o)
{
    const am_norm_attributes options = {.kind = AM_NORM_LAYER, .eps = 1e-5};
    (void)name, (void)o;
    return am_norm_op(b, x, AM_NONE, AM_NONE, AM_NONE, AM_NONE, &options);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->norm = plain_norm;
    o->attention = am_decoder_clipped_attention;
}

static const am_architecture architectures[] = {
    {"OlmoModel", am_decoder_model, "feature-extraction", 0},
    {"OlmoForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"OlmoForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 50304, .whole_heads = true, .has_pad_token = true, .pad_token_id = 1},
    .adapt = adapt,
};

const am_model_type am_model_olmo = {
    .name = "olmo", .base_prefix = "model", .architectures = architectures, .family = &family};
