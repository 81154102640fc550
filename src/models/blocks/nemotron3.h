/* The encoders of Nemotron 3 Diarization and Nemotron 3.5 Transcribe: frames of a spectrogram stacked, and pre-norm
   layers with rotary positions. transformers: models/nemotron3_diarization/modeling_nemotron3_diarization.py,
   models/nemotron3_5_transcribe/modeling_nemotron3_5_transcribe.py */
#ifndef AM_MODELS_BLOCKS_NEMOTRON3_H
#define AM_MODELS_BLOCKS_NEMOTRON3_H

#include "models/blocks/rotary.h"

typedef struct am_nemotron3_encoder {
    int64_t width, intermediate_size, layers, heads, bins, stacked; /* stacked: frames of a spectrogram */
    am_unary_fn hidden_act;
    am_rope_config rope;
    bool norms_heads; /* LayerNorm of each query and key head */
} am_nemotron3_encoder;

/* What absent fields stand for; rotated: partial_rotary_factor. */
typedef struct am_nemotron3_defaults {
    int64_t width, intermediate_size, layers, heads;
    double rotated;
    bool norms_heads;
} am_nemotron3_defaults;

am_nemotron3_encoder am_nemotron3_encoder_read(const am_config *c, const am_nemotron3_defaults *absent);

/* Those of the diarization's audio_config, and of the transcription's asr_config. */
extern const am_nemotron3_defaults am_nemotron3_diarization_defaults, am_nemotron3_asr_defaults;

/* embedder.projection of as many frames as are stacked, zeros behind the last: features: [B, L, bins] -> [B, T, C]. */
am_value am_nemotron3_embed(am_builder *b, am_value features, const am_nemotron3_encoder *e);

/* Norms and layers below the scope: x: [B, T, C], mask: [B, T] of what is attended, positions: I32 [1 or B, T], or
   AM_NONE -> [B, T, C]; what goes into each layer are outputs hidden_states from number `first` on, or none where it is
   -1. */
am_value am_nemotron3_encode(am_builder *b, am_value x, am_value mask, am_value positions,
                             const am_nemotron3_encoder *e, int first);

/* Every stacked-th of the marks of frames: [B, L] -> [B, T]; AM_NONE of AM_NONE. */
am_value am_nemotron3_mask(am_builder *b, am_value mask, const am_nemotron3_encoder *e);

/* The builder of an encoder alone. */
void am_nemotron3_model(am_builder *b, const am_nemotron3_defaults *absent);

/* How long sounds are cut into chunks: frames that each sees before and after its own. */
typedef struct am_nemotron3_chunks {
    int64_t length, left, right;
} am_nemotron3_chunks;

am_nemotron3_chunks am_nemotron3_chunks_read(const am_config *c);

#endif
