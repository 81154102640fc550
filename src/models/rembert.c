/* RemBERT: BERT with small embeddings, mapped to the width of its layers, and a large table of words behind them.
   transformers: models/rembert/modeling_rembert.py */
#include "models/blocks/bert_classes.h"
#include "models/blocks/heads.h"

static void adapt(const am_config *c, am_bert_options *o)
{
    o->vocab_size = am_config_size(c, "vocab_size", 250300);
    o->hidden_size = am_config_size(c, "hidden_size", 1152);
    o->embedding_size = am_config_size(c, "input_embedding_size", 256);
    o->num_hidden_layers = am_config_count(c, "num_hidden_layers", 32);
    o->num_attention_heads = am_config_size(c, "num_attention_heads", 18);
    o->intermediate_size = am_config_size(c, "intermediate_size", 4608);
    o->projection = "encoder.embedding_hidden_mapping_in";
}

static void for_language_modeling(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_bert_options o = am_bert_decoder_options_read(c);
    adapt(c, &o);
    am_value x = am_last_position_if_wanted(b, am_bert_body(b, &o, "rembert"));
    int64_t width = am_config_size(c, "output_embedding_size", 1664);
    am_scope(b, "cls.predictions");
    x = am_linear_activation(b, "dense", x, width, AM_BIAS, o.hidden_act);
    x = am_layer_norm(b, "LayerNorm", x, o.layer_norm_eps);
    am_output(b, "logits", am_linear(b, "decoder", x, o.vocab_size, AM_BIAS));
    am_end_scope(b);
}

static const am_architecture architectures[] = {
    {"RemBertModel", am_bert_model, "feature-extraction", 0},
    {"RemBertForMaskedLM", for_language_modeling, "fill-mask", 0},
    {"RemBertForCausalLM", for_language_modeling, "text-generation", AM_GENERATES},
    {"RemBertForSequenceClassification", am_bert_for_sequence_classification, "text-classification", 0},
    {"RemBertForMultipleChoice", am_bert_for_multiple_choice, NULL, 0},
    {"RemBertForTokenClassification", am_bert_for_token_classification, "token-classification", 0},
    {"RemBertForQuestionAnswering", am_bert_for_question_answering, "question-answering", 0},
    {0},
};

static const am_bert_family family = {.prefix = "rembert", .adapt = adapt};

const am_model_type am_model_rembert = {
    .name = "rembert", .base_prefix = "rembert", .architectures = architectures, .family = &family};
