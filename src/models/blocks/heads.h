/* Heads that many models share. Each names its outputs as transformers does. */
#ifndef AM_MODELS_BLOCKS_HEADS_H
#define AM_MODELS_BLOCKS_HEADS_H

#include "models/blocks/layers.h"

/* logits: x: [B, T, C] times NAME.weight: [vocab, C] (NAME is "lm_head", say); a tied head has a weight of
   its own only where the file says otherwise, and is the table `embedding` (whole weight name) else. Only the
   last position when the signature wants no more. Gives [B, T, vocab]. */
am_value am_lm_head(am_builder *b, const char *name, am_value x, int64_t vocab, bool tied, const char *embedding,
                    int bias);

/* x: [B, T, C] -> [B, 1, C] when only the last position's logits are wanted, else x. */
am_value am_last_position_if_wanted(am_builder *b, am_value x);

/* Outputs start_logits and end_logits: [B, T] from x: [B, T, C] by the linear NAME: [2, C]. */
void am_output_span_logits(am_builder *b, const char *name, am_value x);

/* Row of x: [B, T, C] at the last position of each row of ids: [B, T] that is not `pad` (pad -1: the last
   position): [B, C]. */
am_value am_last_token(am_builder *b, am_value x, am_value ids, int64_t pad);

/* Row of x: [B, T, C] at positions: I32 [B]: [B, C]. */
am_value am_rows_at(am_builder *b, am_value x, am_value positions);

/* The three generic heads of decoders (modeling_layers.py): `score` on the last non-pad token, on every
   token, `qa_outputs`. */
void am_generic_sequence_classification(am_builder *b, am_value hidden, am_value ids, int64_t labels, int64_t pad);
void am_generic_token_classification(am_builder *b, const char *name, am_value hidden, int64_t labels);

/* pad_token_id of a configuration: the class's default where it is absent, -1 where it is null. */
int64_t am_pad_token(const am_config *c, int64_t fallback);

/* Logits of a masked language model's head over x: [.., C]: decoder.weight: [vocab, C], tied as in
   am_lm_head, and decoder.bias or, where the file has none, bias. Names below the scope. */
am_value am_masked_lm_decoder(am_builder *b, am_value x, int64_t vocab, bool tied, const char *embedding);

/* NAME.out_proj(activation(NAME.dense(x))): x: [B, C] -> [B, labels]. */
am_value am_classification_head(am_builder *b, const char *name, am_value x, int64_t labels, am_unary_fn activation);

/* Output logits of ELECTRA's discriminator, whether each token was replaced: x: [B, T, C] -> [B, T]:
   discriminator_predictions.dense, activation, .dense_prediction. */
void am_output_replaced(am_builder *b, am_value x, am_unary_fn activation);

/* SequenceSummary of XLM, ELECTRA and GPT-2: how it makes one vector of a sequence. */
typedef struct am_summary_options {
    const char *type; /* "first", "last", "mean" or "cls_index": at given positions, the last one where none are */
    bool projected;   /* by the linear NAME.summary */
    bool projected_to_labels; /* to that many instead of C */
    am_unary_fn activation;
} am_summary_options;

/* The fields summary_type, summary_use_proj, summary_proj_to_labels and summary_activation; `fallback` has
   the class's defaults. */
am_summary_options am_summary_options_read(const am_config *c, am_summary_options fallback);

/* x: [B, T, C] -> [B, C or labels]; positions: [B] or AM_NONE. */
am_value am_sequence_summary(am_builder *b, const char *name, am_value x, am_value positions, int64_t labels,
                             const am_summary_options *options);

/* Input of that name: [B, T] or, for multiple choice, [B, N, T] flattened to [B * N, T]. */
am_value am_flat_input(am_builder *b, const char *name);

/* What a text model starts from, [B, T, C]: the input inputs_embeds where it is given, else rows of the table
   NAME.weight at input_ids, choices flattened. */
am_value am_input_embeddings(am_builder *b, const char *name, int64_t vocab, int64_t C);

/* The mask of the input attention_mask, flattened for multiple choice: [B, 1, 1, S] or AM_NONE; one of [B or 1, 1, T, S]
   is taken as it is. */
am_value am_flat_padding_mask(am_builder *b);

/* x: [B, T, C] with zeros where the input attention_mask, flattened for multiple choice, is zero. */
am_value am_zero_masked(am_builder *b, am_value x);

/* x: [B * N, ..] -> [B, N, ..] where input_ids are given as [B, N, T]; else x. */
am_value am_unflatten_choices(am_builder *b, am_value x);

#endif
