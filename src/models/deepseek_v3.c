/* DeepSeek-V3: multi-head latent attention, and after the first layers experts chosen within the best groups by sigmoid
   scores plus a correction bias, beside shared experts that answer always.
   transformers: models/deepseek_v3/modeling_deepseek_v3.py */
#include "models/blocks/experts.h"
#include "models/blocks/latent_attention.h"

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    am_decoder_options options = *layer->options;
    am_latent_attention a = am_latent_attention_read(am_model_config(b), &options, 4096);
    return am_latent_attend(b, x, am_latent_query(b, x, &a), &a, layer->attention);
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_config *c = am_model_config(b);
    if (layer->index < am_config_int(c, "first_k_dense_replace", 3)) return am_decoder_mlp(b, x, layer);
    return am_deepseek_mixture(b, x, layer->options->hidden_act);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    am_latent_attention_read(c, o, 4096);
    o->rotary_interleaved = am_config_flag(c, "rope_interleave", true);
    o->attention = attention;
    o->mlp = mixture;
    if (am_config_has(c, "quantization_config"))
        am_config_fail(c, "quantization_config", "weights in blocks of 8 bits are not supported");
}

static const am_architecture architectures[] = {
    {"DeepseekV3Model", am_decoder_model, "feature-extraction", 0},
    {"DeepseekV3ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"DeepseekV3ForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {"DeepseekV3ForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 129280,
                 .hidden_size = 7168,
                 .intermediate_size = 18432,
                 .num_hidden_layers = 61,
                 .num_attention_heads = 128,
                 .head_dim = 64,
                 .max_position_embeddings = 4096},
    .adapt = adapt,
};

const am_model_type am_model_deepseek_v3 = {
    .name = "deepseek_v3", .base_prefix = "model", .architectures = architectures, .family = &family};
