#include "models/blocks/roberta.h"

#include "models/blocks/encoder.h"
#include "models/blocks/heads.h"

typedef struct roberta_config {
    am_bert_options body;
    int64_t labels;
} roberta_config;

static const am_roberta_family *family_of(am_builder *b)
{
    static const am_roberta_family roberta = {.prefix = "roberta", .vocab_size = 50265};
    const am_roberta_family *family = am_model_family(b);
    return family ? family : &roberta;
}

static roberta_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    roberta_config r = {.body = am_bert_decoder_options_read(c), .labels = am_config_labels(c)};
    r.body.vocab_size = am_config_size(c, "vocab_size", family_of(b)->vocab_size);
    if (family_of(b)->adapt) family_of(b)->adapt(c, &r.body);
    r.body.positions_after_pad = am_pad_token(c, 1);
    if (r.body.positions_after_pad < 0)
        am_config_fail(c, "pad_token_id", "positions are counted from this token, found none");
    return r;
}

static am_value body(am_builder *b, const roberta_config *c)
{
    return am_bert_body(b, &c->body, family_of(b)->prefix);
}

void am_roberta_model(am_builder *b)
{
    roberta_config c = read_config(b);
    am_value x = am_bert_body(b, &c.body, "");
    am_output(b, "last_hidden_state", x);
    if (am_has_weight(b, "pooler.dense.weight")) am_output(b, "pooler_output", am_bert_pooler(b, "", x));
}

void am_roberta_for_language_modeling(am_builder *b)
{
    roberta_config c = read_config(b);
    am_output(b, "logits", am_roberta_lm_logits(b, body(b, &c), &c.body, family_of(b)->prefix));
}

void am_roberta_for_sequence_classification(am_builder *b)
{
    roberta_config c = read_config(b);
    am_value first = am_index(b, body(b, &c), 1, 0);
    am_output(b, "logits", am_classification_head(b, "classifier", first, c.labels, AM_TANH));
}

void am_roberta_for_multiple_choice(am_builder *b)
{
    roberta_config c = read_config(b);
    am_value pooled = am_bert_pooler(b, family_of(b)->prefix, body(b, &c));
    am_output_choices(b, am_linear(b, "classifier", pooled, 1, AM_BIAS));
}

void am_roberta_for_token_classification(am_builder *b)
{
    roberta_config c = read_config(b);
    am_output(b, "logits", am_linear(b, "classifier", body(b, &c), c.labels, AM_BIAS));
}

void am_roberta_for_question_answering(am_builder *b)
{
    roberta_config c = read_config(b);
    am_output_span_logits(b, "qa_outputs", body(b, &c));
}
