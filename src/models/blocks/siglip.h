/* SigLIP and SigLIP 2: a text tower that looks both ways, whose vector is made of the last token's state, and an image
   tower without a class token, whose vector a learned query collects; both have the same pre-norm layers. Normed, their
   products, scaled and shifted, are the logits. A member names its family, and its table of classes the builders below.
 */
#ifndef AM_MODELS_BLOCKS_SIGLIP_H
#define AM_MODELS_BLOCKS_SIGLIP_H

#include "models/blocks/vision.h"

/* What a member's descriptor carries as its family. */
typedef struct am_siglip_family {
    const char *name; /* model_type of both towers together */

    /* The patches of the class's input with their positions, [B, N, C], below the scope embeddings; c is the image
       tower's configuration. */
    am_value (*patches)(am_builder *b, const am_config *c, int64_t C);

    const char *patch_mask; /* the input [B, N] that says which of them are no padding; null: none has any */
} am_siglip_family;

/* How a learned query collects the vector of an image. */
typedef struct am_siglip_pool {
    int64_t heads, intermediate_size;
    am_unary_fn hidden_act;
    double layer_norm_eps;
    am_value mask; /* as am_padding_mask gives it, or AM_NONE */
} am_siglip_pool;

/* What it collects of x: [B, T, C] below the scope head, and the mlp after it: [B, C]. */
am_value am_siglip_pooled(am_builder *b, am_value x, const am_siglip_pool *options);

/* Builders for the rows of a member's table. */
void am_siglip_model(am_builder *b);
void am_siglip_text_model(am_builder *b);
void am_siglip_vision_model(am_builder *b);
void am_siglip_for_image_classification(am_builder *b);

#endif
