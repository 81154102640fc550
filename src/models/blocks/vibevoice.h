/* What VibeVoice and its recognition of speech share: latents of a wave by encoders that look back only, whose frames,
   as far as they are no padding, go among words. transformers: models/vibevoice/modeling_vibevoice.py,
   models/vibevoice_asr/modeling_vibevoice_asr.py */
#ifndef AM_MODELS_BLOCKS_VIBEVOICE_H
#define AM_MODELS_BLOCKS_VIBEVOICE_H

#include "models/blocks/audio_language.h"

/* Latents of the input input_values by the encoder NAME of the configuration KEY: [B, T, C]; no noise is added, as with
   sample=False. */
am_value am_vibevoice_latents(am_builder *b, const char *name, const char *key);

/* Samples of a latent, by the configuration KEY. */
int64_t am_vibevoice_hop(am_builder *b, const char *key);

/* Latents x: [B, T, C] that the input padding_mask counts, one row behind the other: [N, C]. */
am_value am_vibevoice_counted(am_builder *b, am_value x, int64_t hop);

/* NAME_2(norm(NAME_1(x))): x: [.., C] -> [.., width of the words] */
am_value am_vibevoice_projected(am_builder *b, const char *first, const char *norm, const char *second, am_value x);

extern const am_shaping_input am_vibevoice_shaping_inputs[];

#endif
