/* X-Codec 2 (arXiv 2502.04128) and NeuCodec: a sound as one code a frame, of what convolutions and a speech model's
   states make of it together; a transformer makes a spectrogram of the codes, and a wave of that. transformers:
   models/xcodec2/modeling_xcodec2.py, models/neucodec/modeling_neucodec.py */
#ifndef AM_MODELS_BLOCKS_XCODEC2_H
#define AM_MODELS_BLOCKS_XCODEC2_H

#include "models/model.h"

/* What a member's descriptor carries as its family. */
typedef struct am_xcodec2_family {
    bool changes_rate; /* what is decoded has output_sampling_rate, what is read input_sampling_rate (NeuCodec) */
} am_xcodec2_family;

/* The builder of a member's class. */
void am_xcodec2_model(am_builder *b);

#endif
