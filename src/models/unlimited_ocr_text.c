/* The text model of Unlimited-OCR: DeepSeek-OCR-2's, of which new tokens see the last few and all of the prompt.
   transformers: models/unlimited_ocr/modeling_unlimited_ocr.py */
#include "models/blocks/deepseek_v2.h"
#include "models/blocks/experts.h"

static am_value dense_or_mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_config *c = layer->options->config;
    int64_t dense = am_config_has(c, "mlp_layer_types") ? 0 : am_config_count(c, "first_k_dense_replace", 1);
    return (am_is_mixture_layer(c, layer->index, dense) ? am_deepseek_v2_mixture : am_decoder_mlp)(b, x, layer);
}

/* Files that call the text's configuration "language_config" have the window beside it. */
static int64_t read_window(const am_config *c)
{
    am_config whole = am_config_whole(c);
    bool is_beside = !am_config_has(c, "sliding_window") && !am_config_has(&whole, "text_config");
    return am_config_size(is_beside ? &whole : c, "sliding_window", 128);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    am_config_check_divides(c, "num_attention_heads", o->num_attention_heads, "hidden_size", o->hidden_size);
    o->head_dim = o->hidden_size / o->num_attention_heads;
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->mlp_bias = am_config_flag(c, "mlp_bias", false);
    o->mlp = dense_or_mixture;
    o->sliding_window = read_window(c);
    o->window_keeps_prompt = true;
    for (int i = 0; i < o->num_hidden_layers && i < AM_LAYERS_LIMIT; i++)
        o->sliding[i] = !am_config_has(c, "layer_types") ||
                        am_config_layer_is(c, "layer_types", i, "reference_sliding_attention", "full_attention");
}

static const am_architecture architectures[] = {
    {"UnlimitedOcrTextModel", am_decoder_model, NULL, 0},
    {0},
};

static const am_decoder_family family = {.defaults = {.vocab_size = 129280,
                                                      .hidden_size = 1280,
                                                      .intermediate_size = 6848,
                                                      .num_hidden_layers = 12,
                                                      .num_attention_heads = 10,
                                                      .num_key_value_heads = 10,
                                                      .max_position_embeddings = 32768},
                                         .adapt = adapt};

const am_model_type am_model_unlimited_ocr_text = {
    .name = "unlimited_ocr_text", .architectures = architectures, .family = &family};
