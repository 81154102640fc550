/* Gemma: LLaMA with norms that multiply by 1 + weight and embeddings scaled by sqrt(hidden_size). Gemma 2: attention
   scores and logits under soft caps, and a window before every other layer, too. */
#ifndef AM_MODELS_BLOCKS_GEMMA_H
#define AM_MODELS_BLOCKS_GEMMA_H

#include "models/blocks/decoder.h"
#include "models/blocks/vision_language.h"

/* Gemma's own. */
extern const am_decoder_family am_gemma_family;

/* What the members' of Gemma 2 configurations differ in from LlamaConfig, whose fields are read already; where norms
   stand is left to the member. */
void am_gemma2_adapt(const am_config *c, am_decoder_options *o);

/* Gemma 3's rows for images: the tower's states x: [B, P, C], as vision_config of c has them, averaged in squares to
   mm_tokens_per_image of them, normed and projected by multi_modal_projector: [B, tokens, width]. */
am_value am_gemma3_image_rows(am_builder *b, const am_config *c, am_value x, int64_t width);

#endif
