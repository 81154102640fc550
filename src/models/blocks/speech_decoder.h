/* Parakeet's encoder and a decoder of pre-norm layers with cross-attention that writes what it heard (Canary, Cohere).
   transformers: models/canary/modeling_canary.py */
#ifndef AM_MODELS_BLOCKS_SPEECH_DECODER_H
#define AM_MODELS_BLOCKS_SPEECH_DECODER_H

#include "models/model.h"

/* What a member's descriptor carries as its family. */
typedef struct am_speech_decoder_family {
    const char *config;        /* of the decoder, a part of the whole; null: the whole */
    int64_t layers;            /* what an absent num_hidden_layers stands for */
    int64_t head_dim;          /* the same of head_dim; 0: what heads leave */
    bool learns_positions;     /* else they are sinusoids */
    bool projects;             /* the encoder's states, to the decoder's width */
    bool tied;                 /* what an absent tie_word_embeddings stands for */
    bool needs_encoder_config; /* without it the member's defaults are others than the encoder's */
    /* Fields of encoder_config of which that is so: they must be given. Ends with null; or null. */
    const char *const *encoder_fields;
} am_speech_decoder_family;

/* Builders for the rows of a member's table. */
void am_speech_decoder_model(am_builder *b);
void am_speech_decoder_for_conditional_generation(am_builder *b);

#endif
