/* PP-FormulaNet's encoder: SAM's, whose map two convolutions make smaller. transformers:
   models/pp_formulanet/modeling_pp_formulanet.py */
#ifndef AM_MODELS_BLOCKS_FORMULANET_H
#define AM_MODELS_BLOCKS_FORMULANET_H

#include "models/model.h"

/* Of the input pixel_values and the encoder's configuration, below the scope: the rows that the decoder attends to, [B,
   N, C]; *map: what they were made of, [B, C', h, w]. hidden_states: their name among the outputs. */
am_value am_formulanet_encode(am_builder *b, const am_config *c, const char *hidden_states, am_value *map);

#endif
