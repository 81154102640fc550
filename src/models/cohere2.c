/* Cohere Command R7B: attention and MLP read the same LayerNorm (without bias) and are added together; three layers of
   four look through a window and rotate pairs that stand side by side, the fourth sees all and has no positions; logits
   are scaled. transformers: models/cohere2/modeling_cohere2.py */
#include "models/blocks/decoder.h"

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    am_attention_options options = *layer->attention;
    if (!layer->options->sliding[layer->index]) options.rope = NULL;
    return am_self_attention(b, x, &options);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->rms_norm_eps = am_config_real(c, "layer_norm_eps", 1e-5);
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->parallel = true;
    o->norm = am_decoder_layer_norm_no_bias;
    o->rotary_interleaved = true;
    o->attention = attention;
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 4096);
    am_decoder_read_sliding(c, o, 0, am_config_size(c, "sliding_window_pattern", 4));
    o->logits_multiplier = am_config_real(c, "logit_scale", 0.0625);
}

static const am_architecture architectures[] = {
    {"Cohere2Model", am_decoder_model, "feature-extraction", 0},
    {"Cohere2ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 256000,
                 .hidden_size = 8192,
                 .intermediate_size = 22528,
                 .num_hidden_layers = 40,
                 .num_attention_heads = 64,
                 .max_position_embeddings = 8192,
                 .tied = true,
                 .has_pad_token = true},
    .adapt = adapt,
};

const am_model_type am_model_cohere2 = {
    .name = "cohere2", .base_prefix = "model", .architectures = architectures, .family = &family};
