/* The answers of XLM and XLNet (SQuADHead): best starts, best ends for each, whether there is an answer. */
#ifndef AM_MODELS_BLOCKS_ANSWER_BEAMS_H
#define AM_MODELS_BLOCKS_ANSWER_BEAMS_H

#include "models/blocks/layers.h"

/* Outputs start_top_log_probs, start_top_index: [B, start_n_top], end_top_log_probs, end_top_index: [B,
   end_n_top * start_n_top], cls_logits: [B] of x: [B, T, C], with start_logits, end_logits and answer_class
   below the scope, start_n_top and end_n_top of the configuration, the inputs p_mask: [B, T] and cls_index:
   [B] where they are given. */
void am_output_answer_beams(am_builder *b, am_value x, double layer_norm_eps);

#endif
