/* Moshi's layers (arXiv 2410.00037): LLaMA's but for the projections' names and a gated MLP whose gate and up are one.
   transformers: models/moshi/modeling_moshi.py */
#ifndef AM_MODELS_BLOCKS_MOSHI_H
#define AM_MODELS_BLOCKS_MOSHI_H

#include "models/blocks/decoder.h"

/* For the field `adapt` of a family; the MLP's width is ffn_dim. */
void am_moshi_adapt(const am_config *c, am_decoder_options *o);

/* What stands for an absent ffn_dim is the family's intermediate_size. */
extern const am_decoder_family am_moshi_family, am_kyutai_family;

#endif
