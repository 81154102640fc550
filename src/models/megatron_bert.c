/* Megatron-BERT: BERT with norms before its parts, and one after all layers. transformers:
   models/megatron_bert/modeling_megatron_bert.py */
#include "models/blocks/bert_classes.h"

static void adapt(const am_config *c, am_bert_options *o)
{
    static const am_bert_pre_norms norms = {.attention = "ln", .feed_forward = "ln", .last = "encoder.ln"};
    o->pre_norms = &norms;
    o->vocab_size = am_config_size(c, "vocab_size", 29056);
    o->hidden_size = o->embedding_size = am_config_size(c, "hidden_size", 1024);
    o->num_hidden_layers = am_config_count(c, "num_hidden_layers", 24);
    o->num_attention_heads = am_config_size(c, "num_attention_heads", 16);
    o->intermediate_size = am_config_size(c, "intermediate_size", 4096);
}

static const am_architecture architectures[] = {
    {"MegatronBertModel", am_bert_model, "feature-extraction", 0},
    {"MegatronBertForPreTraining", am_bert_for_pretraining, NULL, 0},
    {"MegatronBertForMaskedLM", am_bert_for_masked_lm, "fill-mask", 0},
    {"MegatronBertForCausalLM", am_bert_for_masked_lm, "text-generation", AM_GENERATES},
    {"MegatronBertForNextSentencePrediction", am_bert_for_next_sentence_prediction, NULL, 0},
    {"MegatronBertForSequenceClassification", am_bert_for_sequence_classification, "text-classification", 0},
    {"MegatronBertForMultipleChoice", am_bert_for_multiple_choice, NULL, 0},
    {"MegatronBertForTokenClassification", am_bert_for_token_classification, "token-classification", 0},
    {"MegatronBertForQuestionAnswering", am_bert_for_question_answering, "question-answering", 0},
    {0},
};

static const am_bert_family family = {.prefix = "bert", .adapt = adapt};

const am_model_type am_model_megatron_bert = {
    .name = "megatron-bert", .base_prefix = "bert", .architectures = architectures, .family = &family};
