/* SigLIP's layers over patches of images of any size, all in one row, which turn by their height and width and see
   their own picture only. */
#ifndef AM_MODELS_BLOCKS_PATCH_TOWER_H
#define AM_MODELS_BLOCKS_PATCH_TOWER_H

#include "models/blocks/grids.h"
#include "models/blocks/layers.h"

typedef struct am_patch_tower {
    int64_t hidden_size, intermediate_size, num_hidden_layers, heads, patch_size, num_channels;
    am_unary_fn hidden_act;
    double layer_norm_eps, theta;
} am_patch_tower;

/* The fields as SiglipVisionConfig names them; absent ones are those of `defaults`. */
am_patch_tower am_patch_tower_read(const am_config *c, const am_patch_tower *defaults);

/* encoder.layers and post_layernorm below the scope over x: [N, C], embedded patches of pictures with these grids, each
   frame of which is a picture by itself -> [N, C]; hidden_states: whether their outputs are named. */
am_value am_patch_tower_layers(am_builder *b, am_value x, const am_grids *grids, const am_patch_places *places,
                               const am_patch_tower *t, bool hidden_states);

#endif
