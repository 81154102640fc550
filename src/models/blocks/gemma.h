/* Gemma 2: LLaMA with norms that multiply by 1 + weight, scaled embeddings, attention scores and logits under soft
   caps, and a window before every other layer. */
#ifndef AM_MODELS_BLOCKS_GEMMA_H
#define AM_MODELS_BLOCKS_GEMMA_H

#include "models/blocks/decoder.h"

/* What its members' configurations differ in from LlamaConfig, whose fields are read already; where norms stand is left
   to the member. */
void am_gemma2_adapt(const am_config *c, am_decoder_options *o);

#endif
