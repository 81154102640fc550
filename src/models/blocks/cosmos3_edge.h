/* The tower of Cosmos 3 Edge: SigLIP 2 over images and frames of any size, one behind the other. */
#ifndef AM_MODELS_BLOCKS_COSMOS3_EDGE_H
#define AM_MODELS_BLOCKS_COSMOS3_EDGE_H

#include "models/blocks/grids.h"

/* Patches x: [N, numbers], squares of spatial_merge_size of them together, of pictures with these grids, by the vision
   configuration c: [N, C]; hidden_states: whether these are outputs. */
am_value am_cosmos3_edge_tower(am_builder *b, const am_config *c, am_value x, const am_grids *grids,
                               bool hidden_states);

#endif
