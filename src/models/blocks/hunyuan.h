/* HunYuan: LLaMA with an RMSNorm on each query and key head after the rotation, whose base may be raised by a fixed
   alpha. */
#ifndef AM_MODELS_BLOCKS_HUNYUAN_H
#define AM_MODELS_BLOCKS_HUNYUAN_H

#include "models/blocks/decoder.h"

/* What its members' configurations differ in from LlamaConfig, whose fields are read already. */
void am_hunyuan_adapt(const am_config *c, am_decoder_options *o);

/* Its attention with heads rotated by the member, out_qkv as am_attention_heads gives them. */
am_value am_hunyuan_attend(am_builder *b, const am_value qkv[3], const am_decoder_layer *layer);

#endif
