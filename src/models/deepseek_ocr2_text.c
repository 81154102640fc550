/* The text model of DeepSeek-OCR-2: LLaMA's attention and, in layers that are sparse, DeepSeek-V2's mixture.
   transformers: models/deepseek_ocr2/modeling_deepseek_ocr2.py */
#include "models/blocks/deepseek_v2.h"
#include "models/blocks/experts.h"

static am_value dense_or_mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    bool mixes = am_is_mixture_layer(layer->options->config, layer->index, 0);
    return (mixes ? am_deepseek_v2_mixture : am_decoder_mlp)(b, x, layer);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    if (!am_config_has(c, "mlp_layer_types")) am_config_fail(c, "mlp_layer_types", "expected a kind for each layer");
    am_config_check_divides(c, "num_attention_heads", o->num_attention_heads, "hidden_size", o->hidden_size);
    o->head_dim = o->hidden_size / o->num_attention_heads;
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->mlp_bias = am_config_flag(c, "mlp_bias", false);
    o->mlp = dense_or_mixture;
}

static const am_architecture architectures[] = {
    {"DeepseekOcr2TextModel", am_decoder_model, NULL, 0},
    {0},
};

static const am_decoder_family family = {.defaults = {.vocab_size = 102400, .max_position_embeddings = 2048},
                                         .adapt = adapt};

const am_model_type am_model_deepseek_ocr2_text = {
    .name = "deepseek_ocr2_text", .architectures = architectures, .family = &family};
