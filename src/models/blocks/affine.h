/* Convolutions of PaddlePaddle's networks: behind a batch norm and an activation may come one factor and one offset for
   the whole map. transformers: models/hgnet_v2/modeling_hgnet_v2.py, models/pp_lcnet_v4/modeling_pp_lcnet_v4.py */
#ifndef AM_MODELS_BLOCKS_AFFINE_H
#define AM_MODELS_BLOCKS_AFFINE_H

#include "models/blocks/convolutions.h"

typedef struct am_affine_conv_options {
    int64_t out, kernel, stride[2];
    int64_t groups;         /* 0: 1 */
    am_unary_fn activation; /* AM_IDENTITY: none, and nothing behind it */
    bool affine;
} am_affine_conv_options;

/* x * NAME.scale + NAME.bias, one number each. */
am_value am_affine(am_builder *b, const char *name, am_value x);

/* NAME.lab(activation(NAME.normalization(NAME.convolution(x)))): x: [B, C, H, W] -> [B, out, H', W']. */
am_value am_affine_conv(am_builder *b, const char *name, am_value x, const am_affine_conv_options *options);

/* The stem of HGNetV2. */
typedef struct am_affine_stem {
    int64_t channels[3]; /* of the image, within, of what comes out */
    int64_t strides[5];
    am_unary_fn activation;
    bool affine;
} am_affine_stem;

/* stem_channels and stem_strides; `fallback` has the class's defaults. */
am_affine_stem am_affine_stem_read(const am_config *c, const am_affine_stem *fallback);

/* The image below the scope: [B, channels[2], H', W']. */
am_value am_affine_embed(am_builder *b, am_value x, const am_affine_stem *stem);

/* x: [B, C, H, W] times hard sigmoid(convolutions.2(relu(convolutions.0(mean of x over the image)))), NAME's. */
am_value am_affine_squeeze(am_builder *b, const char *name, am_value x, int64_t reduction);

#endif
