/* CLIP's image tower where a member reads the state of every patch: a class token before the patches, a norm before the
   layers and one behind them. Kosmos-2, IDEFICS. */
#ifndef AM_MODELS_BLOCKS_CLASS_TOKEN_TOWER_H
#define AM_MODELS_BLOCKS_CLASS_TOKEN_TOWER_H

#include "models/model.h"

/* What absent fields stand for. */
typedef struct am_class_token_tower {
    int64_t hidden_size, intermediate_size, num_hidden_layers, num_attention_heads, image_size, patch_size;
    am_unary_fn hidden_act;
} am_class_token_tower;

/* States of the patches behind the last layer, [B, P, C], and the same normed. */
typedef struct am_class_token_states {
    am_value last, normed;
} am_class_token_states;

/* The tower of configuration c over pixels: [B, channels, height, width] of the configured size, below the scope;
   hidden_states as in am_pre_norm_options. */
am_class_token_states am_class_token_tower_run(am_builder *b, const am_config *c, const am_class_token_tower *defaults,
                                               am_value pixels, const char *hidden_states);

#endif
