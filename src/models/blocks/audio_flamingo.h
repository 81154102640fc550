/* Audio Flamingo's tower and projector: Whisper's encoder over sounds that may be shorter than its positions, two
   frames averaged to one. transformers: models/audioflamingo3/modeling_audioflamingo3.py */
#ifndef AM_MODELS_BLOCKS_AUDIO_FLAMINGO_H
#define AM_MODELS_BLOCKS_AUDIO_FLAMINGO_H

#include "models/blocks/audio_language.h"

/* The class of the tower. */
void am_audio_flamingo_encoder(am_builder *b);

/* What the tower makes of the inputs input_features: [B, bins, L] and input_features_mask: [B, L]: [B, T, C]; *lengths
   has how many frames of each row are no padding. */
am_value am_audio_flamingo_states(am_builder *b, int64_t **lengths);

/* Those frames through the projector. */
am_audio_rows am_audio_flamingo_project(am_builder *b, am_value x, const int64_t *lengths);

/* Both, for the field `features` of a family. */
am_audio_rows am_audio_flamingo_rows(am_builder *b);

extern const am_shaping_input am_audio_flamingo_shaping_inputs[];

#endif
