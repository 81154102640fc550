/* Encoder-only mask transformer (EoMT): from some layer on, queries stand before a ViT's tokens; each then says what it
   shows and, by its product with the upscaled patches, where, and looks only there in the next layer. transformers:
   models/eomt/modeling_eomt.py */
#ifndef AM_MODELS_BLOCKS_EOMT_H
#define AM_MODELS_BLOCKS_EOMT_H

#include "models/blocks/pre_norm.h"
#include "models/blocks/vision.h"

typedef struct am_eomt {
    int64_t queries, blocks, upscales, labels;
    int64_t prefix;                          /* tokens before the patches */
    int64_t patches[2];                      /* in a column and in a row */
    am_pre_norm_options layers;              /* their list is "layers" */
    const am_rope *rope, *rope_with_queries; /* before and behind the layer where queries come, or null */
} am_eomt;

/* num_queries, num_blocks, num_upscale_blocks, the labels, and patches of image_size; prefix, layers and ropes are the
   caller's. */
am_eomt am_eomt_read(const am_config *c, const am_image_options *image, int64_t layers);

/* DINOv2's layers, as EomtConfig names and defaults their fields. */
am_pre_norm_options am_eomt_layers_read(const am_config *c, int64_t C);

/* Images [B, channels, H, W] of image_size: the class token, the registers, then the patches with their positions:
   [B, T, C]. */
am_value am_eomt_embed(am_builder *b, am_value pixels, const am_image_options *image, int64_t C, int64_t registers);

/* Where each query's object is, of normed tokens x: [B, T, C], the queries before: [B, Q, H, W]. */
am_value am_eomt_masks(am_builder *b, am_value x, const am_eomt *options);

/* Outputs class_queries_logits, masks_queries_logits and last_hidden_state of embedded tokens x: [B, T, C]. */
void am_eomt_segment(am_builder *b, am_value x, const am_eomt *options);

#endif
