/* Granite Speech: conformer layers that attend within blocks, and a query transformer that makes a few rows of each
   window of frames. transformers: models/granite_speech/modeling_granite_speech.py */
#ifndef AM_MODELS_BLOCKS_GRANITE_SPEECH_H
#define AM_MODELS_BLOCKS_GRANITE_SPEECH_H

#include "models/blocks/audio_language.h"

/* The class of the encoder; plus: states of cat_hidden_layers stand before the last one's. */
void am_granite_speech_encoder(am_builder *b, bool plus);

/* The features of an am_audio_language_family. */
am_audio_rows am_granite_speech_features(am_builder *b, bool plus);

/* Scaled products of queries: [N, c, H, D] and the row of rel_pos_emb: [2 * positions + 1, D] of each distance to a
   key: [N, H, c, c]. */
am_value am_granite_distance_bias(am_builder *b, am_value q, int64_t positions);

extern const am_shaping_input am_granite_speech_shaping_inputs[];

#endif
