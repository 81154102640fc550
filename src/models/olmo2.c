/* OLMo 2: LLaMA with norms after attention and MLP instead of before, and an RMSNorm over all query and all key heads
   together. transformers: models/olmo2/modeling_olmo2.py */
#include "models/blocks/decoder.h"

static const am_decoder_norms norms = {.after_attention = "post_attention_layernorm",
                                       .after_mlp = "post_feedforward_layernorm"};

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->norms = &norms;
    o->qk_norm = AM_QK_NORM_ALL;
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
}

static const am_architecture architectures[] = {
    {"Olmo2Model", am_decoder_model, "feature-extraction", 0},
    {"Olmo2ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"Olmo2ForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 50304, .rms_norm_eps = 1e-5, .has_pad_token = true, .pad_token_id = 1},
    .adapt = adapt,
};

const am_model_type am_model_olmo2 = {
    .name = "olmo2", .base_prefix = "model", .architectures = architectures, .family = &family};
