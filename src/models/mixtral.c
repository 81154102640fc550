/* Mixtral: Mistral with a mixture of experts in place of the MLP; the best two of eight answer, weighted by the softmax
   over them. transformers: models/mixtral/modeling_mixtral.py */
#include "models/blocks/decoder.h"
#include "models/blocks/experts.h"

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    return am_mixtral_mixture(b, x, layer->options->intermediate_size, layer->options->hidden_act);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->mlp = mixture;
    o->mlp_scope = "block_sparse_moe";
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 0);
    for (int i = 0; o->sliding_window && i < o->num_hidden_layers; i++) o->sliding[i] = true;
}

static const am_architecture architectures[] = {
    {"MixtralModel", am_decoder_model, "feature-extraction", 0},
    {"MixtralForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"MixtralForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {"MixtralForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
    {"MixtralForQuestionAnswering", am_decoder_for_question_answering, "question-answering", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.intermediate_size = 14336,
                 .num_key_value_heads = 8,
                 .max_position_embeddings = 131072,
                 .rms_norm_eps = 1e-5,
                 .rope_theta = 1000000},
    .adapt = adapt,
};

const am_model_type am_model_mixtral = {
    .name = "mixtral", .base_prefix = "model", .architectures = architectures, .family = &family};
