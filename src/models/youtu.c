/* Youtu-LLM: LLaMA with multi-head latent attention. transformers: models/youtu/modeling_youtu.py */
#include "models/blocks/latent_attention.h"

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    am_decoder_options options = *layer->options;
    am_latent_attention a = am_latent_attention_read(options.config, &options, 131072);
    return am_latent_attend(b, x, am_latent_query(b, x, &a), &a, layer->attention);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    am_latent_attention_read(c, o, 131072);
    o->rotary_interleaved = am_config_flag(c, "rope_interleave", true);
    o->attention = attention;
    o->clears_pad_token = true; /* transformers clears its row when it opens a file */
}

static const am_architecture architectures[] = {
    {"YoutuModel", am_decoder_model, "feature-extraction", 0},
    {"YoutuForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 128256,
                 .hidden_size = 2048,
                 .intermediate_size = 6144,
                 .num_attention_heads = 16,
                 .num_key_value_heads = 16,
                 .head_dim = 64,
                 .max_position_embeddings = 131072,
                 .tied = true},
    .adapt = adapt,
};

const am_model_type am_model_youtu = {
    .name = "youtu", .base_prefix = "model", .architectures = architectures, .family = &family};
