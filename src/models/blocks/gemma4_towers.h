/* Gemma 4's tower of pictures: patches of any shape of picture, averaged in squares; see gemma_audio.h for sounds.
   transformers: models/gemma4/modeling_gemma4.py */
#ifndef AM_MODELS_BLOCKS_GEMMA4_TOWERS_H
#define AM_MODELS_BLOCKS_GEMMA4_TOWERS_H

#include "models/blocks/gemma4.h"

/* Patches in the input `pixels`: [B, N, numbers], which stand at the shaping input `places`: [B, N, 2] of their
   picture, across and down, padding at -1: rows [n, C] of all pictures' squares, one behind the other, below the scope.
   Names hidden states where they are wanted of it. */
am_value am_gemma4_vision(am_builder *b, const am_config *c, const char *pixels, const char *places,
                          bool hidden_states);

/* Rows x: [.., C] of a tower as those of a text, `width` wide, by NAME.embedding_projection. */
am_value am_gemma4_embed_rows(am_builder *b, const char *name, const am_config *tower, am_value x, int64_t width);

/* linear(x) of a layer NAME, between the bounds that its configuration says the file has. */
am_value am_clipped_linear(am_builder *b, const char *name, am_value x, int64_t out, bool clipped);

#endif
