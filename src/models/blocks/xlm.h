/* XLM and FlauBERT: layers over words, positions and languages; each is followed by zeros at the padding, which lengths
   or attention_mask tell. Token types are words of the same table. */
#ifndef AM_MODELS_BLOCKS_XLM_H
#define AM_MODELS_BLOCKS_XLM_H

#include "models/blocks/text_classes.h"

/* What a member's descriptor carries as its family; am_text_family's builders read the first part. */
typedef struct am_xlm_family {
    am_text_family text;
    bool reads_pre_norm;  /* pre_norm is a field of the member: norms may stand before the parts of a layer */
    bool forgets_lengths; /* generating leaves the input lengths aside */
} am_xlm_family;

/* The body under `prefix` ("" in the base model): last hidden state [B, T, C]. */
am_value am_xlm_body(am_builder *b, const char *prefix);

/* Builders for the rows of a member's table. */
void am_xlm_for_language_modeling(am_builder *b);
void am_xlm_for_sequence_classification(am_builder *b);
void am_xlm_for_multiple_choice(am_builder *b);
void am_xlm_for_question_answering(am_builder *b);

#endif
