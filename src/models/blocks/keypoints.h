/* Maps of where keypoints of a body are (ViTPose, Sapiens 2). */
#ifndef AM_MODELS_BLOCKS_KEYPOINTS_H
#define AM_MODELS_BLOCKS_KEYPOINTS_H

#include "models/model.h"

/* Maps x: [B, keypoints, H, W] of a mirrored image as those of the image: keypoints of each pair, I32 [N, 2], change
   places. */
am_value am_flip_keypoints(am_builder *b, am_value x, am_value pairs);

#endif
