/* What SEW and SEW-D share: wav2vec 2.0 whose layers read averages of squeeze_factor frames; what comes out is spread
   over as many frames again. transformers: models/sew/modeling_sew.py */
#ifndef AM_MODELS_BLOCKS_SEW_H
#define AM_MODELS_BLOCKS_SEW_H

#include "models/blocks/wav2vec2.h"

/* What absent fields of the convolutions stand for. */
extern const am_wave_encoder am_sew_wave;

/* For `adjust`: clears what these types do not read; an adapter is an error. */
void am_sew_adjust(const am_config *c, am_wav2vec2_options *o);

/* For `frames`: normed with that epsilon, projected where the width differs from hidden_size. */
am_wav2vec2_frames am_sew_frames_normed(am_builder *b, const am_wav2vec2_options *o, double eps);

/* The layers over squeezed frames x: [B, T / squeeze_factor, C], mask: BOOL of the same frames or AM_NONE; they keep
   hidden states in `states`. */
typedef am_value am_sew_layers(am_builder *b, am_value x, am_value mask, const am_wav2vec2_options *o,
                               am_value *states);

/* For `encoder`, with those layers: x: [B, T, C] -> [B, T, C], zero behind the last whole squeezed frame. */
am_value am_sew_encoder(am_builder *b, am_value x, am_value mask, const am_wav2vec2_options *o, am_value *states,
                        am_sew_layers *layers);

#endif
