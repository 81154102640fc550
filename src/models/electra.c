/* ELECTRA: BERT's layers over embeddings of another width, projected to the layers'. The generator's classes
   predict masked or next tokens; the discriminator's tell replaced tokens from original ones. transformers:
   models/electra/modeling_electra.py */
#include "models/blocks/encoder.h"
#include "models/blocks/heads.h"

typedef struct electra_config {
    am_bert_options body;
    int64_t labels;
} electra_config;

static electra_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    electra_config e = {.body = am_bert_decoder_options_read(c), .labels = am_config_labels(c)};
    e.body.hidden_size = am_config_size(c, "hidden_size", 256);
    e.body.embedding_size = am_config_size(c, "embedding_size", 128);
    e.body.intermediate_size = am_config_size(c, "intermediate_size", 1024);
    e.body.num_attention_heads = am_config_size(c, "num_attention_heads", 4);
    am_config_check_divides(c, "num_attention_heads", e.body.num_attention_heads, "hidden_size", e.body.hidden_size);
    return e;
}

static am_value body(am_builder *b, const electra_config *c)
{
    return am_bert_body(b, &c->body, "electra");
}

static void electra_model(am_builder *b)
{
    electra_config c = read_config(b);
    am_output(b, "last_hidden_state", am_bert_body(b, &c.body, ""));
}

static void for_language_modeling(am_builder *b)
{
    electra_config c = read_config(b);
    am_output(b, "logits", am_generator_lm_logits(b, body(b, &c), &c.body, "electra"));
}

static void for_pretraining(am_builder *b)
{
    electra_config c = read_config(b);
    am_output_replaced(b, body(b, &c), c.body.hidden_act);
}

static void for_sequence_classification(am_builder *b)
{
    electra_config c = read_config(b);
    am_output(b, "logits", am_classification_head(b, "classifier", am_index(b, body(b, &c), 1, 0), c.labels, AM_GELU));
}

static void for_multiple_choice(am_builder *b)
{
    electra_config c = read_config(b);
    am_summary_options summary = {.type = "first", .projected = true, .activation = AM_GELU};
    summary = am_summary_options_read(am_model_config(b), summary);
    am_value pooled = am_sequence_summary(b, "sequence_summary", body(b, &c), AM_NONE, c.labels, &summary);
    am_output_choices(b, am_linear(b, "classifier", pooled, 1, AM_BIAS));
}

static void for_token_classification(am_builder *b)
{
    electra_config c = read_config(b);
    am_output(b, "logits", am_linear(b, "classifier", body(b, &c), c.labels, AM_BIAS));
}

static void for_question_answering(am_builder *b)
{
    electra_config c = read_config(b);
    am_output_span_logits(b, "qa_outputs", body(b, &c));
}

static const am_architecture architectures[] = {
    {"ElectraModel", electra_model, "feature-extraction", 0},
    {"ElectraForPreTraining", for_pretraining, NULL, 0},
    {"ElectraForMaskedLM", for_language_modeling, "fill-mask", 0},
    {"ElectraForCausalLM", for_language_modeling, "text-generation", AM_GENERATES},
    {"ElectraForSequenceClassification", for_sequence_classification, "text-classification", 0},
    {"ElectraForMultipleChoice", for_multiple_choice, NULL, 0},
    {"ElectraForTokenClassification", for_token_classification, "token-classification", 0},
    {"ElectraForQuestionAnswering", for_question_answering, "question-answering", 0},
    {0},
};

const am_model_type am_model_electra = {.name = "electra", .base_prefix = "electra", .architectures = architectures};
