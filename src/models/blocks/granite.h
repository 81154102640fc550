/* Granite: LLaMA with four multipliers: of embeddings, attention scores, what a layer adds, and logits; and the mixture
   of experts that some of its members have in place of the MLP. */
#ifndef AM_MODELS_BLOCKS_GRANITE_H
#define AM_MODELS_BLOCKS_GRANITE_H

#include "models/blocks/decoder.h"

/* What its members' configurations differ in from LlamaConfig, whose fields are read already. */
void am_granite_adapt(const am_config *c, am_decoder_options *o);

/* The mixture below block_sparse_moe: num_experts_per_tok of num_local_experts answer, weighted by the softmax over
   their scores. */
am_decoder_part am_granite_mixture;

/* The gated MLP below shared_mlp that all tokens go through beside the experts: x: [B, T, C] -> [B, T, C]. */
am_value am_granite_shared_mlp(am_builder *b, am_value x, int64_t inner, const am_decoder_options *o);

/* Attention through a window in most layers, with a sink a head, rotated by the base that layer_rope_theta names for
   the layer: not at all where that is 0. Sets the window of o. */
void am_granite_read_windows(const am_config *c, am_decoder_options *o);
am_decoder_part am_granite_window_attention;

#endif
