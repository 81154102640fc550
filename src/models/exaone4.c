/* EXAONE 4: norms after attention and MLP instead of before, an RMSNorm on each query and key head; where layers look
   through a window those that see all have no positions. transformers: models/exaone4/modeling_exaone4.py */
#include "models/blocks/decoder.h"

static const am_decoder_norms norms = {.after_attention = "post_attention_layernorm",
                                       .after_mlp = "post_feedforward_layernorm"};

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->norms = &norms;
    o->qk_norm = AM_QK_NORM_HEAD;
    o->attention = am_decoder_windowed_positions;
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 4096);
    if (o->sliding_window) am_decoder_read_sliding(c, o, 0, am_config_size(c, "sliding_window_pattern", 4));
}

static const am_architecture architectures[] = {
    {"Exaone4Model", am_decoder_model, "feature-extraction", 0},
    {"Exaone4ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"Exaone4ForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {"Exaone4ForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
    {"Exaone4ForQuestionAnswering", am_decoder_for_question_answering, "question-answering", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 102400,
                 .intermediate_size = 16384,
                 .num_key_value_heads = 32,
                 .rms_norm_eps = 1e-5,
                 .whole_heads = true},
    .adapt = adapt,
    .question_answering_prefix = "transformer",
};

const am_model_type am_model_exaone4 = {
    .name = "exaone4", .base_prefix = "model", .architectures = architectures, .family = &family};
