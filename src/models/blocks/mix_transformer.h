/* The encoder of SegFormer and GLPN (arXiv 2105.15203): stages of transformer layers over patches that overlap; keys
   and values are gathered from a coarser image, a depthwise convolution within the mlp stands for positions. */
#ifndef AM_MODELS_BLOCKS_MIX_TRANSFORMER_H
#define AM_MODELS_BLOCKS_MIX_TRANSFORMER_H

#include "models/blocks/vision.h"

typedef struct am_mix_options {
    int64_t num_channels;
    am_stages stages;
    int64_t sr_ratios[AM_STAGES_LIMIT], patch_sizes[AM_STAGES_LIMIT], strides[AM_STAGES_LIMIT], heads[AM_STAGES_LIMIT],
        mlp_ratios[AM_STAGES_LIMIT];
    am_unary_fn hidden_act;
    bool last_in_a_row; /* the last stage gives tokens, no map */
} am_mix_options;

/* The fields as SegformerConfig names and defaults them, but reshape_last_stage. */
am_mix_options am_mix_options_read(const am_config *c);

/* The body under `prefix`, from pixel_values. states: what comes out of each stage, [B, C, H, W], of the last stage
   [B, H * W, C] where last_in_a_row; names hidden states. Returns the last. */
am_value am_mix_body(am_builder *b, const am_mix_options *options, const char *prefix, am_value *states);

#endif
