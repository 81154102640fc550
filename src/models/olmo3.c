/* OLMo 3: OLMo 2 where three layers of four look through a window, and rotate by parameters of their own. transformers:
   models/olmo3/modeling_olmo3.py */
#include "models/blocks/decoder.h"

static const am_decoder_norms norms = {.after_attention = "post_attention_layernorm",
                                       .after_mlp = "post_feedforward_layernorm"};

static void adapt(const am_config *c, am_decoder_options *o)
{
    const double base = 500000; /* an older file's rope_theta is that of the layers that see all */
    am_config rope = am_config_child(c, "rope_parameters");
    int64_t positions = o->rope.max_positions;
    o->norms = &norms;
    o->qk_norm = AM_QK_NORM_ALL;
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 4096);
    am_decoder_read_sliding(c, o, 0, 4);
    o->has_sliding_rope = true;
    o->rope = am_rope_config_read(c, "full_attention", o->head_dim, base, 1, positions);
    o->sliding_rope = am_config_has(&rope, "sliding_attention")
                          ? am_rope_config_read(c, "sliding_attention", o->head_dim, base, 1, positions)
                          : am_rope_config_default(c, o->head_dim, base, positions);
}

static const am_architecture architectures[] = {
    {"Olmo3Model", am_decoder_model, "feature-extraction", 0},
    {"Olmo3ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"Olmo3ForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 50304, .rms_norm_eps = 1e-5, .has_pad_token = true, .pad_token_id = 1},
    .adapt = adapt,
};

const am_model_type am_model_olmo3 = {
    .name = "olmo3", .base_prefix = "model", .architectures = architectures, .family = &family};
