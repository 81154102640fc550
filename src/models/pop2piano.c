/* Pop2Piano: T5 with a head of its own, which reads a log-mel spectrogram in place of words, a composer's row before
   it, and writes notes. transformers: models/pop2piano/modeling_pop2piano.py */
#include "models/blocks/t5.h"

static const am_architecture architectures[] = {
    {"Pop2PianoForConditionalGeneration", am_t5_for_conditional_generation, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {0},
};

static const am_t5_family family = {
    .vocab_size = 2400, .feed_forward_proj = "gated-gelu", .dense_act_fn = "relu", .hears = true};

const am_model_type am_model_pop2piano = {
    .name = "pop2piano", .base_prefix = "transformer", .architectures = architectures, .family = &family};
