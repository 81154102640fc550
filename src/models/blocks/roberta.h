/* RoBERTa and the types that differ from it by name and training alone: BERT's layers; positions are counted from
   behind the pad token's, real tokens only, and the heads are its own.
   transformers: models/roberta/modeling_roberta.py */
#ifndef AM_MODELS_BLOCKS_ROBERTA_H
#define AM_MODELS_BLOCKS_ROBERTA_H

#include "models/blocks/encoder.h"

/* What a member's descriptor carries as its family; RoBERTa itself has none. */
typedef struct am_roberta_family {
    const char *prefix; /* of the body in classes with heads */
    int64_t vocab_size; /* what an absent field stands for */

    /* How its configuration differs from RobertaConfig, whose fields are read already; null: no further. */
    void (*adapt)(const am_config *c, am_bert_options *options);
} am_roberta_family;

/* Builders for the rows of a member's table. */
void am_roberta_model(am_builder *b);
void am_roberta_for_language_modeling(am_builder *b);
void am_roberta_for_sequence_classification(am_builder *b);
void am_roberta_for_multiple_choice(am_builder *b);
void am_roberta_for_token_classification(am_builder *b);
void am_roberta_for_question_answering(am_builder *b);

#endif
