/* Layers of pyramids of transformers (PVT, arXiv 2102.12122; SegFormer, PVT V2): keys and values are gathered from a
   coarser image than queries; a depthwise convolution within the mlp may stand for positions. transformers:
   models/pvt/modeling_pvt.py, models/pvt_v2/modeling_pvt_v2.py, models/segformer/modeling_segformer.py */
#ifndef AM_MODELS_BLOCKS_PYRAMID_H
#define AM_MODELS_BLOCKS_PYRAMID_H

#include "models/blocks/attention.h"
#include "models/blocks/vision.h"

/* What files call the weights below "attention"; reduction_norm lies beside reduction. */
typedef struct am_pyramid_names {
    const char *q, *k, *v, *out, *reduction, *reduction_norm;
} am_pyramid_names;

typedef struct am_pyramid_layer_options {
    const am_pyramid_names *names;
    int64_t heads, reduction; /* places of the image along each side that become one key and value */
    int64_t intermediate_size;
    double layer_norm_eps;
    am_unary_fn hidden_act;
    bool no_qkv_bias;
    bool mixes; /* places within the mlp */
    bool pools; /* keys and values are of 7 x 7 places, whatever the image's size (PVT V2's linear attention) */
} am_pyramid_layer_options;

/* A layer below its scope: x: [B, size[0] * size[1], C], or with a class token before the places where there is no
   reduction. */
am_value am_pyramid_layer(am_builder *b, am_value x, const int64_t size[2], const am_pyramid_layer_options *options);

#endif
