/* wav2vec 2.0 and the types that differ from it little: convolutions make frames of samples; an encoder of post-norm
   layers (pre-norm where do_stable_layer_norm) with positions by convolution reads them; an adapter may shorten what
   comes out. A member names its family, and its table of classes the builders below. transformers:
   models/wav2vec2/modeling_wav2vec2.py */
#ifndef AM_MODELS_BLOCKS_WAV2VEC2_H
#define AM_MODELS_BLOCKS_WAV2VEC2_H

#include "models/model.h"

/* What a member's descriptor carries as its family; wav2vec 2.0 itself has none. */
typedef struct am_wav2vec2_family {
    const char *prefix;  /* of the body in classes with heads: "hubert" */
    bool hides_features; /* the base model does not give extract_features */
} am_wav2vec2_family;

/* Builders for the rows of a member's table. */
void am_wav2vec2_model(am_builder *b);
void am_wav2vec2_for_ctc(am_builder *b);
void am_wav2vec2_for_pretraining(am_builder *b);
void am_unispeech_for_pretraining(am_builder *b);
void am_unispeech_sat_for_pretraining(am_builder *b);
void am_wav2vec2_for_sequence_classification(am_builder *b);
void am_wav2vec2_for_audio_frame_classification(am_builder *b);
void am_wav2vec2_for_x_vector(am_builder *b);

#endif
