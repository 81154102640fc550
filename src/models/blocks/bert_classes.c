#include "models/blocks/bert_classes.h"

#include "models/blocks/heads.h"

typedef struct bert_config {
    am_bert_options body;
    int64_t labels;
} bert_config;

static const am_bert_family *family_of(am_builder *b)
{
    static const am_bert_family bert = {.prefix = "bert"};
    const am_bert_family *family = am_model_family(b);
    return family ? family : &bert;
}

static bert_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    bert_config r = {.body = am_bert_decoder_options_read(c), .labels = am_config_labels(c)};
    if (family_of(b)->adapt) family_of(b)->adapt(c, &r.body);
    return r;
}

static am_value body(am_builder *b, const bert_config *c)
{
    return am_bert_body(b, &c->body, family_of(b)->prefix);
}

static am_value pooled(am_builder *b, const bert_config *c)
{
    return am_bert_pooler(b, family_of(b)->prefix, body(b, c));
}

void am_bert_model(am_builder *b)
{
    bert_config c = read_config(b);
    am_value x = am_bert_body(b, &c.body, "");
    am_output(b, "last_hidden_state", x);
    if (am_has_weight(b, "pooler.dense.weight")) am_output(b, "pooler_output", am_bert_pooler(b, "", x));
}

void am_bert_for_masked_lm(am_builder *b)
{
    bert_config c = read_config(b);
    am_output(b, "logits", am_bert_lm_logits(b, body(b, &c), &c.body, family_of(b)->prefix));
}

void am_bert_for_pretraining(am_builder *b)
{
    bert_config c = read_config(b);
    am_value x = body(b, &c);
    am_output(b, "prediction_logits", am_bert_lm_logits(b, x, &c.body, family_of(b)->prefix));
    am_output(b, "seq_relationship_logits",
              am_linear(b, "cls.seq_relationship", am_bert_pooler(b, family_of(b)->prefix, x), 2, AM_BIAS));
}

void am_bert_for_next_sentence_prediction(am_builder *b)
{
    bert_config c = read_config(b);
    am_output(b, "logits", am_linear(b, "cls.seq_relationship", pooled(b, &c), 2, AM_BIAS));
}

void am_bert_for_sequence_classification(am_builder *b)
{
    bert_config c = read_config(b);
    am_output(b, "logits", am_linear(b, "classifier", pooled(b, &c), c.labels, AM_BIAS));
}

void am_bert_for_multiple_choice(am_builder *b)
{
    bert_config c = read_config(b);
    am_output_choices(b, am_linear(b, "classifier", pooled(b, &c), 1, AM_BIAS));
}

void am_bert_for_token_classification(am_builder *b)
{
    bert_config c = read_config(b);
    am_output(b, "logits", am_linear(b, "classifier", body(b, &c), c.labels, AM_BIAS));
}

void am_bert_for_question_answering(am_builder *b)
{
    bert_config c = read_config(b);
    am_output_span_logits(b, "qa_outputs", body(b, &c));
}
