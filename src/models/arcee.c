/* Arcee (AFM): LLaMA whose MLP has two projections and squares what relu leaves. transformers:
   models/arcee/modeling_arcee.py */
#include "models/blocks/decoder.h"

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->hidden_act = am_config_activation(c, "hidden_act", AM_RELU2);
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->mlp_bias = am_config_flag(c, "mlp_bias", false);
    o->mlp = am_decoder_plain_mlp;
}

static const am_architecture architectures[] = {
    {"ArceeModel", am_decoder_model, "feature-extraction", 0},
    {"ArceeForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"ArceeForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {"ArceeForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
    {"ArceeForQuestionAnswering", am_decoder_for_question_answering, "question-answering", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.hidden_size = 2560,
                 .intermediate_size = 18432,
                 .max_position_embeddings = 4096,
                 .rms_norm_eps = 1e-5,
                 .whole_heads = true},
    .adapt = adapt,
    .question_answering_prefix = "transformer",
};

const am_model_type am_model_arcee = {
    .name = "arcee", .base_prefix = "model", .architectures = architectures, .family = &family};
