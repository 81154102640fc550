/* Whisper's encoder: two convolutions over log-mel features, learned positions, pre-norm layers whose keys have no
   bias. transformers: models/whisper/modeling_whisper.py */
#ifndef AM_MODELS_BLOCKS_WHISPER_H
#define AM_MODELS_BLOCKS_WHISPER_H

#include "models/blocks/pre_norm.h"

typedef struct am_whisper_encoder {
    int64_t bins, width, layers, heads, ffn_dim, positions;
    am_unary_fn activation;
    am_value mask, bias;       /* of attention, or AM_NONE: see am_attention_op */
    bool odd_lengths;          /* the last frame may be missing */
    bool pools;                /* two frames each become their mean before the last norm */
    const char *hidden_states; /* their name among the outputs; null: "hidden_states" */
    am_value *states;          /* null, or room for layers + 1 hidden states */
} am_whisper_encoder;

/* The fields of encoders around which later models stand, under Whisper's names or the general ones (d_model,
   hidden_size), with those models' defaults. */
am_whisper_encoder am_whisper_encoder_read(const am_config *c);

/* The input input_features: [B, bins, L] through conv1 and conv2 below the scope, GELU behind each: [B, L / 2 rounded
   up, width]. */
am_value am_whisper_frames(am_builder *b, int64_t bins, int64_t width);

/* The same, where L must be 2 * positions, through the layers below the scope: [B, positions, width], or half as many
   where frames are pooled; names hidden states. */
am_value am_whisper_encode(am_builder *b, const am_whisper_encoder *encoder);

/* How many frames are left of that many, which conv2 and the pooling halve. */
int64_t am_whisper_pooled_length(int64_t frames);

#endif
