/* DINOv3's transformer: a class token, registers and patches through pre-norm layers with a factor for each channel of
   what attention and MLP add; queries and keys of patches are rotated by where the patch's centre lies in the image.
   transformers: models/dinov3_vit/modeling_dinov3_vit.py */
#ifndef AM_MODELS_BLOCKS_DINOV3_H
#define AM_MODELS_BLOCKS_DINOV3_H

#include "models/blocks/pre_norm.h"
#include "models/blocks/vision.h"

typedef struct am_dinov3_options {
    am_image_options image;
    am_pre_norm_options encoder; /* names and rope are not set; its context is this */
    int64_t hidden_size, registers;
    double rope_theta;
    bool no_mlp_bias;
} am_dinov3_options;

/* What absent fields stand for. */
typedef struct am_dinov3_defaults {
    int64_t hidden_size, intermediate_size, layers, heads, image_size, registers;
    double layer_norm_eps, rope_theta;
} am_dinov3_defaults;

/* What files call the weights of a layer, below "layer". */
extern const am_pre_norm_names am_dinov3_names;

/* The fields that members share into *out, which is not to be moved, since its layers point to it. rope_theta is that
   of rope_parameters, where they are, or of the whole. */
void am_dinov3_options_read(const am_config *c, const am_dinov3_defaults *defaults, am_dinov3_options *out);

/* Embeddings of the input pixel_values below the scope: the class token, the registers, then the patches, [B, T, C];
   patches: how many in a column and in a row. */
am_value am_dinov3_embed(am_builder *b, const am_dinov3_options *options, int64_t patches[2]);

/* Rotations of `prefix` tokens, which are not turned, and of the patches behind them. Height and width of an image
   reach from -1 to 1; half of a head's frequencies are of height, the others of width. */
am_rope am_dinov3_rope(am_builder *b, const am_dinov3_options *options, int64_t prefix, const int64_t patches[2]);

#endif
