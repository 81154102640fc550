/* XLM-RoBERTa XL: norms stand before the parts, and one after all layers. transformers:
   models/xlm_roberta_xl/modeling_xlm_roberta_xl.py */
#include "models/blocks/roberta.h"

static void adapt(const am_config *c, am_bert_options *o)
{
    static const am_bert_pre_norms norms = {
        .attention = "self_attn_layer_norm", .feed_forward = "LayerNorm", .last = "encoder.LayerNorm"};
    o->pre_norms = &norms;
    o->hidden_size = o->embedding_size = am_config_size(c, "hidden_size", 2560);
    o->num_hidden_layers = am_config_count(c, "num_hidden_layers", 36);
    o->num_attention_heads = am_config_size(c, "num_attention_heads", 32);
    o->intermediate_size = am_config_size(c, "intermediate_size", 10240);
    o->max_position_embeddings = am_config_size(c, "max_position_embeddings", 514);
    o->type_vocab_size = am_config_count(c, "type_vocab_size", 1);
    o->layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-5);
}

static const am_architecture architectures[] = {
    {"XLMRobertaXLModel", am_roberta_model, "feature-extraction", 0},
    {"XLMRobertaXLForMaskedLM", am_roberta_for_language_modeling, "fill-mask", 0},
    {"XLMRobertaXLForCausalLM", am_roberta_for_language_modeling, "text-generation", AM_GENERATES},
    {"XLMRobertaXLForSequenceClassification", am_roberta_for_sequence_classification, "text-classification", 0},
    {"XLMRobertaXLForMultipleChoice", am_roberta_for_multiple_choice, NULL, 0},
    {"XLMRobertaXLForTokenClassification", am_roberta_for_token_classification, "token-classification", 0},
    {"XLMRobertaXLForQuestionAnswering", am_roberta_for_question_answering, "question-answering", 0},
    {0},
};

static const am_roberta_family family = {.prefix = "roberta", .vocab_size = 250880, .adapt = adapt};

const am_model_type am_model_xlm_roberta_xl = {
    .name = "xlm-roberta-xl", .base_prefix = "roberta", .architectures = architectures, .family = &family};
