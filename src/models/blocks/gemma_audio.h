/* The audio towers of Gemma 3n and Gemma 4: conformer layers in which chunks of frames attend to those around.
   transformers: models/gemma3n/modeling_gemma3n.py, models/gemma4/modeling_gemma4.py */
#ifndef AM_MODELS_BLOCKS_GEMMA_AUDIO_H
#define AM_MODELS_BLOCKS_GEMMA_AUDIO_H

#include "models/model.h"

typedef struct am_gemma4_sound {
    am_value frames; /* [B, T, output_proj_dims] */
    am_value mask;   /* BOOL [B, T]; AM_NONE: all */
} am_gemma4_sound;

/* Frames of the input input_features: [B, T, bins], of which the input `mask`, where it is given, tells padding. */
am_gemma4_sound am_gemma4_audio(am_builder *b, const am_config *c, const char *mask, bool hidden_states);

/* Gemma 3n's, of frames: [B, T, bins] and which of them are sound, BOOL [B, T]: every conf_reduction_factor-th, zeros
   where there is none. */
am_gemma4_sound am_gemma3n_audio(am_builder *b, const am_config *c, const am_gemma4_sound *input);

#endif
