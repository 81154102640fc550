/* Ministral 3: Mistral whose queries are scaled by how far they stand, with rotary positions scaled by YaRN.
   transformers: models/ministral3/modeling_ministral3.py */
#include "models/blocks/decoder.h"

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    am_config p = am_config_child(o->config, "rope_parameters");
    double beta = am_config_real(&p, "llama_4_scaling_beta", 0.1);
    int64_t length = am_config_size(&p, "original_max_position_embeddings", 16384);
    am_value qkv[3];
    am_attention_heads(b, x, layer->attention, qkv);
    x = am_attend(b, am_scale_by_reach(b, qkv[0], beta, length), qkv[1], qkv[2], layer->attention);
    return am_linear(b, "o_proj", x, o->hidden_size, AM_NO_BIAS);
}

/* What the rotation is where nothing is said. */
static const am_rope_yarn yarn = {.theta = 1000000, .factor = 16, .original_positions = 16384};

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->attention = attention;
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 0);
    for (int i = 0; o->sliding_window && i < AM_LAYERS_LIMIT; i++) o->sliding[i] = true;
    if (!am_config_has(c, "rope_parameters") && !am_config_has(c, "rope_scaling"))
        o->rope = am_rope_config_yarn(c, o->head_dim, &yarn, o->rope.max_positions);
}

static const am_architecture architectures[] = {
    {"Ministral3Model", am_decoder_model, "feature-extraction", 0},
    {"Ministral3ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"Ministral3ForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {"Ministral3ForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
    {"Ministral3ForQuestionAnswering", am_decoder_for_question_answering, "question-answering", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 131072,
                 .intermediate_size = 14336,
                 .num_hidden_layers = 34,
                 .num_key_value_heads = 8,
                 .head_dim = 128,
                 .max_position_embeddings = 262144,
                 .rms_norm_eps = 1e-5,
                 .has_pad_token = true,
                 .pad_token_id = 11},
    .adapt = adapt,
};

const am_model_type am_model_ministral3 = {
    .name = "ministral3", .base_prefix = "model", .architectures = architectures, .family = &family};
