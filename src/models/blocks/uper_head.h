/* UPerNet's head (arXiv 1807.10221): feature maps of four resolutions are brought to one width; the coarsest is pooled
   to several sizes beside, each is added to the next finer one, and all together say what every place shows. */
#ifndef AM_MODELS_BLOCKS_UPER_HEAD_H
#define AM_MODELS_BLOCKS_UPER_HEAD_H

#include "models/blocks/layers.h"

enum { AM_UPER_MAPS = 4, AM_UPER_SCALES = 16, AM_UPER_MOST_MAPS = 17 };

/* What files call its weights. */
typedef struct am_uper_names {
    const char *convolution, *norm;                     /* within a layer: "conv", "bn" */
    const char *bottleneck;                             /* of the pooled maps */
    const char *pooled_before_index, *pooled_behind_it; /* "psp_modules.", ".1" */
} am_uper_names;

typedef struct am_uper_options {
    int64_t channels, labels;
    int64_t scales[AM_UPER_SCALES]; /* sizes of pooled maps */
    int scale_count;
    const am_uper_names *names;
    bool any_count; /* as many levels as there are maps */
} am_uper_options;

/* maps: [B, C, H, W], the finest first, AM_UPER_MAPS of them or one less, where the last is the coarsest as well; with
   any_count 1 to AM_UPER_MOST_MAPS of them -> [B, labels, H, W] of the first. */
am_value am_uper_head(am_builder *b, const am_value *maps, int count, const am_uper_options *options);

#endif
