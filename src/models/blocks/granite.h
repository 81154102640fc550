/* Granite: LLaMA with four multipliers: of embeddings, attention scores, what a layer adds, and logits; and the mixture
   of experts that some of its members have in place of the MLP. */
#ifndef AM_MODELS_BLOCKS_GRANITE_H
#define AM_MODELS_BLOCKS_GRANITE_H

#include "models/blocks/decoder.h"

/* What its members' configurations differ in from LlamaConfig, whose fields are read already. */
void am_granite_adapt(const am_config *c, am_decoder_options *o);

/* The mixture below block_sparse_moe: num_experts_per_tok of num_local_experts answer, weighted by the softmax over
   their scores. */
am_decoder_part am_granite_mixture;

#endif
