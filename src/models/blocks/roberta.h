/* RoBERTa and the types that differ from it by name and training alone: BERT's layers; positions are counted from
   behind the pad token's, real tokens only, and the heads are its own. Below "roberta" in all of them.
   transformers: models/roberta/modeling_roberta.py */
#ifndef AM_MODELS_BLOCKS_ROBERTA_H
#define AM_MODELS_BLOCKS_ROBERTA_H

#include "models/model.h"

/* Builders for the rows of a member's table. */
void am_roberta_model(am_builder *b);
void am_roberta_for_language_modeling(am_builder *b);
void am_roberta_for_sequence_classification(am_builder *b);
void am_roberta_for_multiple_choice(am_builder *b);
void am_roberta_for_token_classification(am_builder *b);
void am_roberta_for_question_answering(am_builder *b);

#endif
