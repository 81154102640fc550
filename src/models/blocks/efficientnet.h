/* The layers of EfficientNet: MobileNet V2's with squeeze and excitation; two coefficients scale widths and depths of
   all stages. transformers: models/efficientnet/modeling_efficientnet.py, models/align/modeling_align.py */
#ifndef AM_MODELS_BLOCKS_EFFICIENTNET_H
#define AM_MODELS_BLOCKS_EFFICIENTNET_H

#include "models/blocks/convolutions.h"
#include "models/blocks/vision.h"

typedef struct am_efficientnet {
    am_config config;
    int64_t num_channels, depth_divisor, hidden_dim;
    int stages;
    int64_t kernel_sizes[AM_STAGES_LIMIT], out_channels[AM_STAGES_LIMIT], strides[AM_STAGES_LIMIT],
        repeats[AM_STAGES_LIMIT], expand_ratios[AM_STAGES_LIMIT];
    double width_coefficient, depth_coefficient, squeeze_expansion_ratio, batch_norm_eps;
    am_unary_fn hidden_act;
    bool pools_maximum;
} am_efficientnet;

/* The fields of the stem, the layers and the pooling. */
am_efficientnet am_efficientnet_read(const am_config *c);

/* channels, scaled by width_coefficient, in multiples of depth_divisor. */
int64_t am_efficientnet_width(const am_efficientnet *c, int64_t channels);

/* The norm NORM of the convolution of 1 x 1 CONVOLUTION of x. */
am_value am_efficientnet_pointwise(am_builder *b, const char *convolution, const char *norm, am_value x,
                                   const am_efficientnet *c, int64_t out);

/* Stem "embeddings" and "encoder.blocks" below the scope over the input pixel_values: [B, C, H, W]. hidden_states: the
   name of their states, or null. */
am_value am_efficientnet_layers(am_builder *b, const am_efficientnet *c, const char *hidden_states);

/* x: [B, C, H, W] -> [B, C], by pooling_type; fails where one window of hidden_dim is not all of x. */
am_value am_efficientnet_pool(am_builder *b, am_value x, const am_efficientnet *c);

#endif
