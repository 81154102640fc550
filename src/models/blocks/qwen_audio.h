/* The audio towers of Qwen2.5-Omni, Qwen3-Omni and Qwen3-ASR: convolutions over stretches of a log-mel spectrogram, and
   pre-norm layers within windows of them. */
#ifndef AM_MODELS_BLOCKS_QWEN_AUDIO_H
#define AM_MODELS_BLOCKS_QWEN_AUDIO_H

#include "models/blocks/grids.h"

typedef struct am_qwen_audio {
    int64_t width, layers, heads, ffn_dim, bins, out_width, positions;
    int64_t channels;           /* of the convolutions; 0: width */
    int64_t stretch, stretches; /* frames of one; of a window */
    bool no_k_bias;
    am_unary_fn activation;
} am_qwen_audio;

/* The fields of Qwen3OmniMoeAudioEncoderConfig. What Qwen3-ASR defaults to otherwise is read by it. */
typedef struct am_qwen_audio_defaults {
    int64_t width, layers, heads, ffn_dim, positions;
} am_qwen_audio_defaults;

am_qwen_audio am_qwen3_audio_read(const am_config *c, const char *positions, const am_qwen_audio_defaults *defaults);
/* The fields of Qwen2_5OmniAudioEncoderConfig. */
am_qwen_audio am_qwen2_5_audio_read(const am_config *c);

/* Sounds x: [B, bins, L] of these lengths in frames, cut into stretches. */
typedef struct am_stretches {
    am_value
        frames;    /* [B * S, bins, F], zeros behind a sound's end; F: stretch, or the longest sound if that is less */
    am_value mask; /* F32 [B * S, 1, F]: 1 for frames; AM_NONE: all are */
    int64_t *lengths; /* [B * S]: frames of each, in the builder's arena */
    int64_t B, S;
} am_stretches;

am_stretches am_stretches_make(am_builder *b, am_value x, const int64_t *lengths, int64_t stretch);

/* The tower of Qwen3-ASR and Qwen3-Omni below the scope: stretches: [B * S, 1, bins, F] of B sounds of these lengths ->
   [1, N, width], normed; hidden_states: whether the outputs hidden_states are named. */
am_value am_qwen3_audio_tower(am_builder *b, am_value stretches, const int64_t *lengths, int64_t B,
                              const am_qwen_audio *t, bool hidden_states);

/* Rows of a text for the input input_features: [B, bins, L] with feature_attention_mask, by audio_tower of
   audio_config: [N, out_width]. */
am_value am_qwen3_omni_audio_features(am_builder *b);
am_value am_qwen2_5_omni_audio_features(am_builder *b);

#endif
