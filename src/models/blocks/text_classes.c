#include "models/blocks/text_classes.h"

static const am_text_family *family_of(am_builder *b)
{
    return am_model_family(b);
}

static am_value pool(am_builder *b, const char *prefix, am_value x)
{
    const am_text_family *f = family_of(b);
    return f->pooled ? f->pooled(b, prefix, x) : am_bert_pooler(b, prefix, x);
}

static int64_t labels(am_builder *b)
{
    return am_config_labels(am_model_config(b));
}

am_value am_text_body(am_builder *b)
{
    return family_of(b)->body(b, family_of(b)->prefix);
}

am_value am_text_pooled(am_builder *b)
{
    return pool(b, family_of(b)->prefix, am_text_body(b));
}

void am_text_model(am_builder *b)
{
    am_value x = family_of(b)->body(b, "");
    am_output(b, "last_hidden_state", x);
    if (am_has_weight(b, "pooler.dense.weight")) am_output(b, "pooler_output", pool(b, "", x));
}

void am_text_for_sequence_classification(am_builder *b)
{
    am_output(b, "logits", am_linear(b, "classifier", am_text_pooled(b), labels(b), AM_BIAS));
}

am_value am_text_summarized(am_builder *b, const char *prefix, am_value x)
{
    (void)prefix;
    am_summary_options summary = {.type = "last", .activation = AM_IDENTITY};
    summary = am_summary_options_read(am_model_config(b), summary);
    return am_sequence_summary(b, "sequence_summary", x, AM_NONE, labels(b), &summary);
}

void am_text_classify_first_token(am_builder *b, am_unary_fn activation)
{
    am_value first = am_index(b, am_text_body(b), 1, 0);
    am_output(b, "logits", am_classification_head(b, "classifier", first, labels(b), activation));
}

void am_text_for_first_token_classification(am_builder *b)
{
    am_text_classify_first_token(b, AM_TANH);
}

void am_text_for_next_sentence_prediction(am_builder *b)
{
    am_output(b, "logits", am_linear(b, "cls.seq_relationship", am_text_pooled(b), 2, AM_BIAS));
}

void am_text_for_multiple_choice(am_builder *b)
{
    am_output_choices(b, am_linear(b, "classifier", am_text_pooled(b), 1, AM_BIAS));
}

void am_text_for_token_classification(am_builder *b)
{
    am_output(b, "logits", am_linear(b, "classifier", am_text_body(b), labels(b), AM_BIAS));
}

void am_text_for_question_answering(am_builder *b)
{
    am_output_span_logits(b, "qa_outputs", am_text_body(b));
}
