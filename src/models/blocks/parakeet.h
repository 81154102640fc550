/* Parakeet's encoder (Fast Conformer, arXiv 2305.05084): convolutions over time and frequency leave an eighth of the
   frames of a log-mel spectrogram to conformer layers with Transformer-XL's positions.
   transformers: models/parakeet/modeling_parakeet.py */
#ifndef AM_MODELS_BLOCKS_PARAKEET_H
#define AM_MODELS_BLOCKS_PARAKEET_H

#include "models/model.h"

/* The states of the inputs input_features: [B, L, bins] and attention_mask below the scope: [B, T, C], named as hidden
   states; *out_mask: which are no padding, BOOL [B, T], or AM_NONE. */
am_value am_parakeet_encode(am_builder *b, const am_config *config, am_value *out_mask);

/* The same of Nemotron's streaming encoder, whose convolutions look back only, and whose frames see those of their own
   chunk and of some before it: sliding_window of them in all, and default_num_lookahead_tokens ahead, or the argument
   num_lookahead_tokens. transformers: models/nemotron_asr_streaming/modeling_nemotron_asr_streaming.py */
am_value am_parakeet_encode_streaming(am_builder *b, const am_config *config, am_value *out_mask);

/* That mask for T states, where the encoder is not built. */
am_value am_parakeet_mask(am_builder *b, const am_config *config, int64_t T);

/* One of the two above. */
typedef am_value am_parakeet_encoder(am_builder *b, const am_config *config, am_value *out_mask);

/* The builder of an encoder alone. */
void am_parakeet_encoder_model(am_builder *b, am_parakeet_encoder *encode);

/* The states of the encoder of encoder_config, below "encoder". */
am_value am_parakeet_states(am_builder *b, am_parakeet_encoder *encode);

#endif
