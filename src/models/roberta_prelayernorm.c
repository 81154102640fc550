/* RoBERTa with norms before its parts, and one after all layers. transformers:
   models/roberta_prelayernorm/modeling_roberta_prelayernorm.py */
#include "models/blocks/roberta.h"

static void adapt(const am_config *c, am_bert_options *o)
{
    static const am_bert_pre_norms norms = {
        .attention = "LayerNorm", .feed_forward = "intermediate.LayerNorm", .last = "LayerNorm", .embeddings = true};
    (void)c;
    o->pre_norms = &norms;
}

static const am_architecture architectures[] = {
    {"RobertaPreLayerNormModel", am_roberta_model, "feature-extraction", 0},
    {"RobertaPreLayerNormForMaskedLM", am_roberta_for_language_modeling, "fill-mask", 0},
    {"RobertaPreLayerNormForCausalLM", am_roberta_for_language_modeling, "text-generation", AM_GENERATES},
    {"RobertaPreLayerNormForSequenceClassification", am_roberta_for_sequence_classification, "text-classification", 0},
    {"RobertaPreLayerNormForMultipleChoice", am_roberta_for_multiple_choice, NULL, 0},
    {"RobertaPreLayerNormForTokenClassification", am_roberta_for_token_classification, "token-classification", 0},
    {"RobertaPreLayerNormForQuestionAnswering", am_roberta_for_question_answering, "question-answering", 0},
    {0},
};

static const am_roberta_family family = {.prefix = "roberta_prelayernorm", .vocab_size = 50265, .adapt = adapt};

const am_model_type am_model_roberta_prelayernorm = {.name = "roberta-prelayernorm",
                                                     .base_prefix = "roberta_prelayernorm",
                                                     .architectures = architectures,
                                                     .family = &family};
