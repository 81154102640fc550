/* Longformer: RoBERTa whose tokens see a window and the global tokens; classes choose the global ones where the caller
   does not. transformers: models/longformer/modeling_longformer.py */
#include "models/blocks/longformer.h"
#include "models/blocks/text_classes.h"

static am_bert_options read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_bert_options o = am_bert_options_read(c);
    o.positions_after_pad = am_pad_token(c, 1);
    if (o.positions_after_pad < 0)
        am_config_fail(c, "pad_token_id", "positions are counted from this token, found none");
    return o;
}

static am_value layers(am_builder *b, am_value x, const am_bert_options *o, am_value is_global)
{
    am_longformer_marks marks = am_longformer_marks_of(b, is_global);
    am_output_hidden_state(b, "hidden_states", 0, x);
    for (int i = 0; i < o->num_hidden_layers && !am_builder_failed(b); i++) {
        int64_t window = am_longformer_window(am_model_config(b), o->num_hidden_layers, i);
        am_scope(b, "encoder.layer.%d", i);
        am_scope(b, "attention.self");
        am_value h = am_longformer_attention(b, x, o->num_attention_heads, window, &marks);
        am_end_scope(b);
        x = am_bert_layer_end(b, x, h, o);
        am_end_scope(b);
        am_output_hidden_state(b, "hidden_states", i + 1, x);
    }
    return x;
}

static am_value body_with(am_builder *b, const char *prefix, am_value is_global)
{
    am_bert_options o = read_config(b);
    am_scope(b, "%s", prefix);
    am_value x = layers(b, am_bert_embeddings(b, &o), &o, is_global);
    am_end_scope(b);
    return x;
}

static am_value body(am_builder *b, const char *prefix)
{
    return body_with(b, prefix, am_longformer_global_input(b));
}

/* --- global tokens that a class chooses: BOOL [B, T] --- */

/* Places [1, T] of the tokens of input_ids, which this class then needs. */
static am_value places(am_builder *b, am_value *ids)
{
    *ids = am_flat_input(b, "input_ids");
    if (!ids->id) *ids = am_input(b, "input_ids", 2);
    return am_iota(b, AM_I32, am_shape_of(1, am_dim(b, *ids, 1)), 1, 0, 1);
}

static am_value first_token(am_builder *b)
{
    am_value ids, place = places(b, &ids);
    return am_binary_number(b, AM_EQUAL, am_broadcast(b, place, am_shape_of_value(b, ids)), 0);
}

/* Where the first separator stands: I32 [B, 1]. */
static am_value question_end(am_builder *b, am_value ids)
{
    double separator = (double)am_config_int(am_model_config(b), "sep_token_id", 2);
    am_value is_separator = am_cast(b, am_binary_number(b, AM_EQUAL, ids, separator), AM_I32);
    return am_unsqueeze(b, am_arg_reduce(b, is_separator, 1, false), 1);
}

static am_value question(am_builder *b)
{
    am_value ids, place = places(b, &ids);
    return am_binary(b, AM_LESS, place, question_end(b, ids));
}

/* What follows the two separators between question and choice. */
static am_value choice(am_builder *b)
{
    am_value ids, place = places(b, &ids);
    return am_binary(b, AM_GREATER, place, am_add_number(b, question_end(b, ids), 1));
}

static am_value body_choosing(am_builder *b, am_value (*chosen)(am_builder *b))
{
    am_value given = am_longformer_global_input(b);
    return body_with(b, "longformer", given.id ? given : chosen(b));
}

/* --- classes --- */

static void for_masked_lm(am_builder *b)
{
    am_bert_options o = read_config(b);
    am_output(b, "logits", am_roberta_lm_logits(b, body(b, "longformer"), &o, "longformer"));
}

static void for_sequence_classification(am_builder *b)
{
    am_value first = am_index(b, body_choosing(b, first_token), 1, 0);
    am_output(b, "logits",
              am_classification_head(b, "classifier", first, am_config_labels(am_model_config(b)), AM_TANH));
}

static void for_multiple_choice(am_builder *b)
{
    am_value pooled = am_bert_pooler(b, "longformer", body_choosing(b, choice));
    am_output_choices(b, am_linear(b, "classifier", pooled, 1, AM_BIAS));
}

static void for_question_answering(am_builder *b)
{
    am_output_span_logits(b, "qa_outputs", body_choosing(b, question));
}

static const am_architecture architectures[] = {
    {"LongformerModel", am_text_model, "feature-extraction", 0},
    {"LongformerForMaskedLM", for_masked_lm, "fill-mask", 0},
    {"LongformerForSequenceClassification", for_sequence_classification, "text-classification", 0},
    {"LongformerForMultipleChoice", for_multiple_choice, NULL, 0},
    {"LongformerForTokenClassification", am_text_for_token_classification, "token-classification", 0},
    {"LongformerForQuestionAnswering", for_question_answering, "question-answering", 0},
    {0},
};

static const am_text_family family = {.prefix = "longformer", .body = body};

const am_model_type am_model_longformer = {
    .name = "longformer", .base_prefix = "longformer", .architectures = architectures, .family = &family};
