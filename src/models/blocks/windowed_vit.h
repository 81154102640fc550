/* Vision transformers whose tokens lie in windows of the image: most layers attend within one window, the others over
   all of an image. For the backbones of LW-DETR and RF-DETR. */
#ifndef AM_MODELS_BLOCKS_WINDOWED_VIT_H
#define AM_MODELS_BLOCKS_WINDOWED_VIT_H

#include "models/blocks/attention.h"
#include "models/blocks/vision.h"

enum { AM_WINDOWED_LAYERS = 256 };

typedef struct am_windowed_options {
    int64_t C, layers, heads, head_dim, inner, windows; /* windows: of an image */
    am_unary_fn hidden_act;
    double layer_norm_eps;
    bool qkv_bias, key_bias;
    bool in_windows[AM_WINDOWED_LAYERS + 1];
    const char *norm_before, *norm_after, *attention_scale, *mlp_scale, *up, *down; /* names of a layer's weights */
    const char
        *out;   /* "attention." and this is the last projection where the others are attention.attention.query .. */
    bool gated; /* the mlp is down_proj(silu(gate_proj(x)) * up_proj(x)) */
} am_windowed_options;

/* Layers encoder.layer.N below the scope over x: [B * windows, T, C]; states receives layers + 1 of them. Names hidden
   states. */
void am_windowed_layers(am_builder *b, const am_windowed_options *options, am_value x, am_value *states);

#endif
