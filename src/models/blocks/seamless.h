/* SeamlessM4T's two versions: M2M-100's encoder and decoder of words, a speech encoder of conformer layers in place of
   the first, an encoder-decoder that makes units of speech of the decoder's states, and a vocoder of units. */
#ifndef AM_MODELS_BLOCKS_SEAMLESS_H
#define AM_MODELS_BLOCKS_SEAMLESS_H

#include "models/blocks/bart.h"
#include "models/blocks/conformer.h"

/* The speech encoder below the scope speech_encoder over the input input_features: [B, T, F]; options: what the version
   says of conformer layers beside sizes, which are read here. Names hidden states of an encoder. [B, S, C] */
am_value am_seamless_speech_encoder(am_builder *b, am_conformer_options options);

/* Which of its S states belong to what the input attention_mask attends: BOOL [B, S]; AM_NONE without that input. */
am_value am_seamless_speech_mask(am_builder *b, int64_t S);

/* The same of words: the input itself, BOOL [B, S]. */
am_value am_seamless_text_mask(am_builder *b, int64_t S);

/* Builders of classes that end in words; `encode` is the version's am_seamless_speech_encoder. */
void am_seamless_text_to_text(am_builder *b, int64_t max_positions);
void am_seamless_speech_to_text(am_builder *b, int64_t max_positions, am_value (*encode)(am_builder *b));

/* The vocoder: the inputs input_ids, spkr_id and lang_id -> waves [B, L] and their lengths. */
void am_seamless_code_hifigan(am_builder *b);

#endif
