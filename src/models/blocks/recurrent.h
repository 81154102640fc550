/* Layers whose memory is a state of fixed size that goes from run to run, beside the caches of attention. */
#ifndef AM_MODELS_BLOCKS_RECURRENT_H
#define AM_MODELS_BLOCKS_RECURRENT_H

#include "models/blocks/layers.h"

/* The state "SCOPE.name" as the run before left it, F32 of `shape`; zeros at first, and in graphs without caches. */
am_value am_recurrent_state(am_builder *b, const char *name, am_shape shape);

/* What the state is after this run: of its shape. Nothing in graphs without caches. */
void am_recurrent_state_keep(am_builder *b, am_value state, am_value updated);

/* x: [B, T, C] with zeros where attention_mask has them at these T positions; x itself without that input, and of a
   single token behind others, which is never padding. transformers: create_recurrent_attention_mask */
am_value am_mask_padding_states(am_builder *b, am_value x);

/* Depthwise convolution NAME over x: [B, T, C] and the kernel - 1 tokens before it, kept in the state "NAME.past":
   [B, T, C], activated. Weights NAME.weight: [C, 1, kernel], NAME.bias: [C] when bias. */
am_value am_causal_convolution(am_builder *b, const char *name, am_value x, int64_t kernel, int bias,
                               am_unary_fn activation);

/* torch.nn.LSTM NAME of `layers` layers as wide as x: [B, T, C], from zero states: [B, T, C]. */
am_value am_lstm(am_builder *b, const char *name, am_value x, int64_t layers);

#endif
