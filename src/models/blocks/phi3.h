/* Phi-3's decoder: LLaMA with q, k and v in one projection and gate and up in another; longrope switches its
   frequencies beyond the original context. */
#ifndef AM_MODELS_BLOCKS_PHI3_H
#define AM_MODELS_BLOCKS_PHI3_H

#include "models/blocks/decoder.h"

/* For am_decoder_family. */
void am_phi3_adapt(const am_config *c, am_decoder_options *o);

/* For am_model_type: short factors up to the original context, long ones beyond it, for every token of the text. */
int64_t am_phi3_reads_again_beyond(const am_config *c);

#endif
