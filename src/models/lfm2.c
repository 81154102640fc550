/* LFM2: layers of grouped attention, or of a short convolution between two gates: out(C * conv(B * x)) where B, C and x
   are projections of the input. transformers: models/lfm2/modeling_lfm2.py */
#include "models/blocks/short_convolution.h"

/* intermediate_size, or two thirds of it, times a factor, up to a whole number of blocks. */
static int64_t inner_size(const am_config *c)
{
    int64_t size = am_config_size(c, am_config_either(c, "intermediate_size", "block_ff_dim"), 12288);
    int64_t block = am_config_size(c, "block_multiple_of", 256);
    if (!am_config_flag(c, "block_auto_adjust_ff_dim", true)) return size;
    size = 2 * size / 3;
    if (am_config_is_null(c, "block_ffn_dim_multiplier")) return size;
    size = (int64_t)(am_config_real(c, "block_ffn_dim_multiplier", 1) * (double)size);
    return (size + block - 1) / block * block;
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    static const am_decoder_norms norms = {.before_attention = "operator_norm", .before_mlp = "ffn_norm"};
    o->norms = &norms;
    o->final_norm = "embedding_norm";
    o->rms_norm_eps = am_config_real(c, "norm_eps", 1e-5);
    o->tie_word_embeddings = am_config_flag(c, am_config_either(c, "tie_word_embeddings", "tie_embedding"), true);
    o->intermediate_size = inner_size(c);
    o->attention = am_lfm2_operator;
    o->attention_scope = "";
    o->mlp = am_lfm2_mlp;
    o->mlp_scope = "feed_forward";
}

static const am_architecture architectures[] = {
    {"Lfm2Model", am_decoder_model, "feature-extraction", 0},
    {"Lfm2ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 65536,
                 .hidden_size = 2560,
                 .intermediate_size = 12288,
                 .num_key_value_heads = 8,
                 .max_position_embeddings = 128000,
                 .rope_theta = 1000000,
                 .tied = true,
                 .has_pad_token = true},
    .adapt = adapt,
};

const am_model_type am_model_lfm2 = {
    .name = "lfm2", .base_prefix = "model", .architectures = architectures, .family = &family};
