/* LayoutLM: BERT over words that know their box on the page: its edges, height and width are embedded and
   added. transformers: models/layoutlm/modeling_layoutlm.py */
#include "models/blocks/layout.h"
#include "models/blocks/text_classes.h"

static am_bert_options options(am_builder *b)
{
    am_bert_options o = am_bert_options_read(am_model_config(b));
    o.is_decoder = false;
    return o;
}

static am_value body(am_builder *b, const char *prefix)
{
    am_bert_options o = options(b);
    am_scope(b, "%s", prefix);
    am_scope(b, "embeddings");
    am_value x = am_bert_embedding_sum(b, &o), parts[AM_BOX_PARTS];
    am_box_options boxes = {.edge_size = o.hidden_size, .length_size = o.hidden_size};
    am_box_embeddings(b, am_boxes(b, am_dim(b, x, 1)), &boxes, parts);
    for (int i = 0; i < AM_BOX_PARTS; i++) x = am_add(b, x, parts[i]);
    x = am_layer_norm(b, "LayerNorm", x, o.layer_norm_eps);
    am_end_scope(b);
    x = am_bert_encoder(b, x, &o);
    am_end_scope(b);
    return x;
}

static void for_masked_lm(am_builder *b)
{
    am_bert_options o = options(b);
    am_output(b, "logits", am_bert_lm_logits(b, am_text_body(b), &o, "layoutlm"));
}

static const am_architecture architectures[] = {
    {"LayoutLMModel", am_text_model, "feature-extraction", 0},
    {"LayoutLMForMaskedLM", for_masked_lm, "fill-mask", 0},
    {"LayoutLMForSequenceClassification", am_text_for_sequence_classification, "text-classification", 0},
    {"LayoutLMForTokenClassification", am_text_for_token_classification, "token-classification", 0},
    {"LayoutLMForQuestionAnswering", am_text_for_question_answering, "document-question-answering", 0},
    {0},
};

static const am_text_family family = {.prefix = "layoutlm", .body = body};

const am_model_type am_model_layoutlm = {
    .name = "layoutlm", .base_prefix = "layoutlm", .architectures = architectures, .family = &family};
