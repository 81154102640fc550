/* The classes that BERT has around its body, for the types whose bodies are blocks/encoder.h with other names and
 * norms. */
#ifndef AM_MODELS_BLOCKS_BERT_CLASSES_H
#define AM_MODELS_BLOCKS_BERT_CLASSES_H

#include "models/blocks/encoder.h"

/* What a member's descriptor carries as its family; BERT itself has none. */
typedef struct am_bert_family {
    const char *prefix; /* of the body in classes with heads: "ernie" */

    /* How its configuration differs from BertConfig, whose fields are read already; null: it does not. */
    void (*adapt)(const am_config *c, am_bert_options *options);
} am_bert_family;

/* Builders for the rows of a member's table. */
void am_bert_model(am_builder *b);
void am_bert_for_masked_lm(am_builder *b);
void am_bert_for_pretraining(am_builder *b);
void am_bert_for_next_sentence_prediction(am_builder *b);
void am_bert_for_sequence_classification(am_builder *b);
void am_bert_for_multiple_choice(am_builder *b);
void am_bert_for_token_classification(am_builder *b);
void am_bert_for_question_answering(am_builder *b);

#endif
