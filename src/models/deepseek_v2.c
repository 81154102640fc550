/* DeepSeek-V2 (arXiv 2405.04434): multi-head latent attention, and experts chosen by softmax scores, perhaps within the
   best groups, beside shared experts that answer always. transformers: models/deepseek_v2/modeling_deepseek_v2.py */
#include "models/blocks/deepseek_v2.h"
#include "models/blocks/latent_attention.h"

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    am_decoder_options options = *layer->options;
    am_latent_attention a = am_latent_attention_read(options.config, &options, 2048);
    return am_latent_attend(b, x, am_latent_query(b, x, &a), &a, layer->attention);
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    bool is_dense = layer->index < am_config_int(layer->options->config, "first_k_dense_replace", 0);
    return (is_dense ? am_decoder_mlp : am_deepseek_v2_mixture)(b, x, layer);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    am_latent_attention_read(c, o, 2048);
    o->mlp_bias = am_config_flag(c, "mlp_bias", false);
    o->rotary_interleaved = true;
    o->attention = attention;
    o->mlp = mixture;
}

static const am_architecture architectures[] = {
    {"DeepseekV2Model", am_decoder_model, "feature-extraction", 0},
    {"DeepseekV2ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"DeepseekV2ForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 102400, .head_dim = 64},
    .adapt = adapt,
};

const am_model_type am_model_deepseek_v2 = {
    .name = "deepseek_v2", .base_prefix = "model", .architectures = architectures, .family = &family};
