/* Depth Anything (arXiv 2401.10891): DPT's neck over tokens of a backbone, and a head whose map has the image's size;
   a second member is given measured depths as a prompt. transformers: models/depth_anything/modeling_depth_anything.py,
   models/prompt_depth_anything/modeling_prompt_depth_anything.py */
#ifndef AM_MODELS_BLOCKS_DEPTH_ANYTHING_H
#define AM_MODELS_BLOCKS_DEPTH_ANYTHING_H

#include "models/model.h"

/* What a member's descriptor carries as its family. */
typedef struct am_depth_anything_family {
    bool has_prompt; /* the input prompt_depth may be given; depths are not scaled, and always of the last map */
} am_depth_anything_family;

/* Builder for the row of a member's table. */
void am_depth_anything_for_depth_estimation(am_builder *b);

#endif
