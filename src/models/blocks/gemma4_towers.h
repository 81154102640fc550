/* Gemma 4's towers: patches of pictures of any shape, averaged in squares, and sounds. transformers:
   models/gemma4/modeling_gemma4.py */
#ifndef AM_MODELS_BLOCKS_GEMMA4_TOWERS_H
#define AM_MODELS_BLOCKS_GEMMA4_TOWERS_H

#include "models/blocks/gemma4.h"

/* Patches in the input `pixels`: [B, N, numbers], which stand at the shaping input `places`: [B, N, 2] of their
   picture, across and down, padding at -1: rows [n, C] of all pictures' squares, one behind the other, below the scope.
   Names hidden states where they are wanted of it. */
am_value am_gemma4_vision(am_builder *b, const am_config *c, const char *pixels, const char *places,
                          bool hidden_states);

typedef struct am_gemma4_sound {
    am_value frames; /* [B, T, output_proj_dims] */
    am_value mask;   /* BOOL [B, T]; AM_NONE: all */
} am_gemma4_sound;

/* Frames of the input input_features: [B, T, bins], of which the input `mask`, where it is given, tells padding. */
am_gemma4_sound am_gemma4_audio(am_builder *b, const am_config *c, const char *mask, bool hidden_states);

/* Rows x: [.., C] of a tower as those of a text, `width` wide, by NAME.embedding_projection. */
am_value am_gemma4_embed_rows(am_builder *b, const char *name, const am_config *tower, am_value x, int64_t width);

/* linear(x) of a layer NAME, between the bounds that its configuration says the file has. */
am_value am_clipped_linear(am_builder *b, const char *name, am_value x, int64_t out, bool clipped);

#endif
