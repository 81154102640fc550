/* VaultGemma: Gemma 2 without the norms after attention and MLP. transformers:
   models/vaultgemma/modeling_vaultgemma.py */
#include "models/blocks/gemma.h"

static const am_decoder_norms norms = {.before_attention = "input_layernorm",
                                       .before_mlp = "pre_feedforward_layernorm"};

static void adapt(const am_config *c, am_decoder_options *o)
{
    am_gemma2_adapt(c, o);
    am_config_check_divides(c, "num_attention_heads", o->num_attention_heads, "hidden_size", o->hidden_size);
    o->norms = &norms;
}

static const am_architecture architectures[] = {
    {"VaultGemmaModel", am_decoder_model, "feature-extraction", 0},
    {"VaultGemmaForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 256000,
                 .hidden_size = 2304,
                 .intermediate_size = 9216,
                 .num_hidden_layers = 26,
                 .num_attention_heads = 8,
                 .num_key_value_heads = 4,
                 .head_dim = 256,
                 .max_position_embeddings = 8192,
                 .whole_heads = true,
                 .tied = true,
                 .has_pad_token = true},
    .adapt = adapt,
};

const am_model_type am_model_vaultgemma = {
    .name = "vaultgemma", .base_prefix = "model", .architectures = architectures, .family = &family};
