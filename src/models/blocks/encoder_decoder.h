/* Any encoder and any causal decoder with cross-attention, each with a configuration of its own: the decoder attends to
   the encoder's last hidden state, projected to the decoder's width where widths differ. An encoder of sounds may be
   given them as the input "inputs". */
#ifndef AM_MODELS_BLOCKS_ENCODER_DECODER_H
#define AM_MODELS_BLOCKS_ENCODER_DECODER_H

#include "models/model.h"

/* What a member's descriptor carries as its family. */
typedef struct am_encoder_decoder_family {
    const char *encoder_type; /* model_type of an encoder's configuration that names none */
    bool gives_projected;     /* encoder_last_hidden_state has the decoder's width */

    /* Which of the encoder's S states are attended: [B, S], or AM_NONE for all; `encoder` is its configuration. */
    am_value (*mask)(am_builder *b, const am_config *encoder, int64_t S);
} am_encoder_decoder_family;

/* Builder for the row of a member's table, which generates as an encoder-decoder. */
void am_encoder_decoder_model(am_builder *b);

#endif
