/* Heads that many models share. Each names its outputs as transformers does. */
#ifndef AM_MODELS_BLOCKS_HEADS_H
#define AM_MODELS_BLOCKS_HEADS_H

#include "models/blocks/layers.h"

/* logits: x: [B, T, C] times NAME ("lm_head", no bias) or, when tied, the table `embedding` (whole weight name): [vocab, C]. Only the last
   position when the signature wants no more. Gives [B, T, vocab]. */
am_value am_lm_head(am_builder *b, const char *name, am_value x, int64_t vocab, bool tied, const char *embedding, int bias);

/* x: [B, T, C] -> [B, 1, C] when only the last position's logits are wanted, else x. */
am_value am_last_position_if_wanted(am_builder *b, am_value x);

/* Outputs start_logits and end_logits: [B, T] from x: [B, T, C] by the linear NAME: [2, C]. */
void am_output_span_logits(am_builder *b, const char *name, am_value x);

/* Row of x: [B, T, C] at the last position of each row of ids: [B, T] that is not `pad` (pad -1: the last position): [B, C]. */
am_value am_last_token(am_builder *b, am_value x, am_value ids, int64_t pad);

/* Row of x: [B, T, C] at positions: I32 [B]: [B, C]. */
am_value am_rows_at(am_builder *b, am_value x, am_value positions);

/* The three generic heads of decoders (modeling_layers.py): `score` on the last non-pad token, on every token, `qa_outputs`. */
void am_generic_sequence_classification(am_builder *b, am_value hidden, am_value ids, int64_t labels, int64_t pad);
void am_generic_token_classification(am_builder *b, const char *name, am_value hidden, int64_t labels);

/* pad_token_id of a configuration, -1 when it has none. */
int64_t am_pad_token(const am_config *c);

/* Input of that name: [B, T] or, for multiple choice, [B, N, T] flattened to [B * N, T]. */
am_value am_flat_input(am_builder *b, const char *name);

#endif
