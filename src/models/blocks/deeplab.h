/* DeepLab V3's head (arXiv 1706.05587): each position, what stands around it at three distances, and the whole image,
   together. */
#ifndef AM_MODELS_BLOCKS_DEEPLAB_H
#define AM_MODELS_BLOCKS_DEEPLAB_H

#include "models/model.h"

enum { AM_DEEPLAB_RATES = 3 };

typedef struct am_deeplab {
    int64_t channels, rates[AM_DEEPLAB_RATES], labels;
} am_deeplab;

/* aspp_out_channels, atrous_rates and the labels. */
am_deeplab am_deeplab_read(const am_config *c, int64_t channels);

/* "segmentation_head" below the scope: x: [B, C, H, W] -> [B, labels, H, W]. */
am_value am_deeplab_head(am_builder *b, am_value x, const am_deeplab *options);

#endif
