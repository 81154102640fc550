/* SmolLM3: LLaMA where one layer of four has no positions. transformers: models/smollm3/modeling_smollm3.py */
#include "models/blocks/decoder.h"

/* no_rope_layers has a 1 where a layer rotates; without it each but the no_rope_layer_interval-th does. */
static bool rotates(const am_config *c, int layer)
{
    int64_t listed[AM_LAYERS_LIMIT];
    int count = am_config_sizes(c, "no_rope_layers", listed, AM_LAYERS_LIMIT, NULL, 0);
    if (layer < count) return listed[layer] != 0;
    return (layer + 1) % am_config_size(c, "no_rope_layer_interval", 4) != 0;
}

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    am_attention_options options = *layer->attention;
    if (!rotates(layer->options->config, layer->index)) options.rope = NULL;
    return am_self_attention(b, x, &options);
}

static void read_sliding(const am_config *c, am_decoder_options *o)
{
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 0);
    if (am_config_has(c, "layer_types")) am_decoder_read_sliding(c, o, 0, 0);
    else
        for (int i = 0; i < o->num_hidden_layers && i < AM_LAYERS_LIMIT; i++) o->sliding[i] = !rotates(c, i);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->mlp_bias = am_config_flag(c, "mlp_bias", false);
    o->attention = attention;
    if (am_config_flag(c, "use_sliding_window", false)) read_sliding(c, o);
}

static const am_architecture architectures[] = {
    {"SmolLM3Model", am_decoder_model, "feature-extraction", 0},
    {"SmolLM3ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"SmolLM3ForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {"SmolLM3ForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
    {"SmolLM3ForQuestionAnswering", am_decoder_for_question_answering, "question-answering", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 128256,
                 .hidden_size = 2048,
                 .num_hidden_layers = 36,
                 .num_attention_heads = 16,
                 .num_key_value_heads = 4,
                 .max_position_embeddings = 32768,
                 .rope_theta = 2000000,
                 .whole_heads = true,
                 .tied = true,
                 .has_pad_token = true,
                 .pad_token_id = 128004},
    .adapt = adapt,
    .question_answering_prefix = "transformer",
};

const am_model_type am_model_smollm3 = {
    .name = "smollm3", .base_prefix = "model", .architectures = architectures, .family = &family};
