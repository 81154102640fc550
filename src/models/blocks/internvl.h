/* InternVL and what is made like it: a ViT whose layers scale what they add, and squares of its patches side by side
   through two linear layers. transformers: models/internvl/modeling_internvl.py */
#ifndef AM_MODELS_BLOCKS_INTERNVL_H
#define AM_MODELS_BLOCKS_INTERNVL_H

#include "models/model.h"

/* What a file calls the weights of a tower, and what absent fields stand for. */
typedef struct am_internvl_names {
    const char *layers, *attention, *norm_before, *norm_after, *attention_scale, *mlp_scale;
    const char *qkv, *out; /* qkv: one projection of queries, keys and values; null: three */
    const char *class_token, *patches, *positions;
} am_internvl_names;

/* Those of InternVL in files of transformers. */
extern const am_internvl_names am_internvl_own_names;

/* The class of the tower by itself. attention_bias: what an absent field stands for. */
void am_internvl_vision(am_builder *b, const am_internvl_names *names, bool attention_bias);

/* What a file calls the parts beside the text model: the tower and the projector's layers. */
typedef struct am_internvl_parts {
    const char *tower, *tower_type; /* tower_type: of a vision_config that names none */
    const char *projector, *norm, *linear_1, *linear_2;
} am_internvl_parts;

extern const am_internvl_parts am_internvl_own_parts;

/* Rows of the text for the input pixel_values: [B, N, C]. */
am_value am_internvl_rows(am_builder *b, const am_internvl_parts *parts);

#endif
