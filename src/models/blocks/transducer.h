/* Transducers (RNN-T, arXiv 1211.3711): an LSTM reads the tokens said so far, and for each frame of a sound and each of
   them a joint network says what comes next. transformers: models/parakeet/modeling_parakeet.py */
#ifndef AM_MODELS_BLOCKS_TRANSDUCER_H
#define AM_MODELS_BLOCKS_TRANSDUCER_H

#include "models/model.h"

typedef struct am_transducer {
    int64_t vocab_size;  /* what an absent field stands for */
    int64_t more_logits; /* behind those of the vocabulary */
    am_value heard;      /* [B, T, C], what frames are made of; AM_NONE: what is encoded */
} am_transducer;

/* Outputs last_hidden_state, which is encoded: [B, T, C], pooler_output and logits: [B, T, U, V], or [B, T, V] of one
   token, of the input decoder_input_ids: [B, U]. */
void am_output_transducer(am_builder *b, am_value encoded, const am_transducer *transducer);

#endif
