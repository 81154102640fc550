/* Bamba's layers of Mamba 2 among layers of attention. */
#ifndef AM_MODELS_BLOCKS_BAMBA_H
#define AM_MODELS_BLOCKS_BAMBA_H

#include "models/blocks/decoder.h"

/* Mamba 2 as the fields mamba_n_heads, mamba_d_state, mamba_n_groups .. say, which BambaConfig defaults. */
am_decoder_part am_bamba_mixer;

#endif
