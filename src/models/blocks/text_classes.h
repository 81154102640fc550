/* The classes that text encoders have around their bodies: base model, classification of texts and tokens,
   multiple choice, answers in a text. A member names its family; its table of classes takes the builders
   below. Multiple choice runs on [B * N, T] throughout. */
#ifndef AM_MODELS_BLOCKS_TEXT_CLASSES_H
#define AM_MODELS_BLOCKS_TEXT_CLASSES_H

#include "models/blocks/encoder.h"
#include "models/blocks/heads.h"

/* What a member's descriptor carries as its family. */
typedef struct am_text_family {
    const char *prefix; /* of the body in classes with heads: "mpnet" */

    /* The body under `prefix` ("" in the base model): last hidden state [B, T, C]. */
    am_value (*body)(am_builder *b, const char *prefix);

    /* One vector a text, x: [B, T, C] -> [B, C]; null: am_bert_pooler. */
    am_value (*pooled)(am_builder *b, const char *prefix, am_value x);
} am_text_family;

/* Last hidden state of the body in a class with a head: [B, T, C]. */
am_value am_text_body(am_builder *b);

/* The same, pooled: [B, C]. */
am_value am_text_pooled(am_builder *b);

/* Base model: last_hidden_state and, where the file has a pooler, pooler_output. */
void am_text_model(am_builder *b);

/* classifier of the pooled text. */
void am_text_for_sequence_classification(am_builder *b);

/* For `pooled`: SequenceSummary, of the last token unless the configuration has summary fields. */
am_value am_text_summarized(am_builder *b, const char *prefix, am_value x);

/* Output logits: classifier.dense, activation and classifier.out_proj of the body's first token. */
void am_text_classify_first_token(am_builder *b, am_unary_fn activation);

/* The same with tanh, as RoBERTa has it. */
void am_text_for_first_token_classification(am_builder *b);

/* cls.seq_relationship of the pooled text: two logits. */
void am_text_for_next_sentence_prediction(am_builder *b);

/* classifier of the pooled text of each choice. */
void am_text_for_multiple_choice(am_builder *b);

/* classifier of every token. */
void am_text_for_token_classification(am_builder *b);

/* qa_outputs of every token. */
void am_text_for_question_answering(am_builder *b);

#endif
