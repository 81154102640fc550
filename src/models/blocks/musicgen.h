/* MusicGen's decoders (arXiv 2306.05284): tokens of several codebooks at a time are one state, the sum of their rows,
   and heads for each codebook read it; pre-norm layers without biases, which attend to a description or read it first.
   transformers: models/musicgen/modeling_musicgen.py, models/musicgen_melody/modeling_musicgen_melody.py */
#ifndef AM_MODELS_BLOCKS_MUSICGEN_H
#define AM_MODELS_BLOCKS_MUSICGEN_H

#include "models/model.h"

/* What a member's descriptor carries as its family. */
typedef struct am_musicgen_family {
    bool reads_first; /* what is described stands before the tokens, and there is no cross-attention */
} am_musicgen_family;

/* Builders for the rows of a member's table. */
void am_musicgen_model(am_builder *b);
void am_musicgen_for_causal_lm(am_builder *b);

/* States of a text: [B, S, C'] by text_encoder, below the scope, whose outputs *outputs has; projected to the decoder's
   width where the file has enc_to_dec_proj, those of padding being zero. */
am_value am_musicgen_text(am_builder *b, am_part_outputs *outputs);

#endif
