/* ERNIE: BERT with embeddings of the task that a text is given for. transformers: models/ernie/modeling_ernie.py */
#include "models/blocks/bert_classes.h"

static void adapt(const am_config *c, am_bert_options *o)
{
    if (am_config_flag(c, "use_task_id", false)) o->task_type_vocab_size = am_config_size(c, "task_type_vocab_size", 3);
}

static const am_architecture architectures[] = {
    {"ErnieModel", am_bert_model, "feature-extraction", 0},
    {"ErnieForPreTraining", am_bert_for_pretraining, NULL, 0},
    {"ErnieForMaskedLM", am_bert_for_masked_lm, "fill-mask", 0},
    {"ErnieForCausalLM", am_bert_for_masked_lm, "text-generation", AM_GENERATES},
    {"ErnieForNextSentencePrediction", am_bert_for_next_sentence_prediction, NULL, 0},
    {"ErnieForSequenceClassification", am_bert_for_sequence_classification, "text-classification", 0},
    {"ErnieForMultipleChoice", am_bert_for_multiple_choice, NULL, 0},
    {"ErnieForTokenClassification", am_bert_for_token_classification, "token-classification", 0},
    {"ErnieForQuestionAnswering", am_bert_for_question_answering, "question-answering", 0},
    {0},
};

static const am_bert_family family = {.prefix = "ernie", .adapt = adapt};

const am_model_type am_model_ernie = {
    .name = "ernie", .base_prefix = "ernie", .architectures = architectures, .family = &family};
