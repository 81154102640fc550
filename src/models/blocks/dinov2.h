/* DINOv2: ViT with a factor for each channel of what attention and MLP add, an MLP that may be gated, and positions
   that are resized to images of other sizes; register tokens may stand behind the class token. transformers:
   models/dinov2/modeling_dinov2.py */
#ifndef AM_MODELS_BLOCKS_DINOV2_H
#define AM_MODELS_BLOCKS_DINOV2_H

#include "models/model.h"

/* What a member's descriptor carries as its family. */
typedef struct am_dinov2_family {
    const char *prefix; /* of the body in classes with heads: "dinov2" */
    int64_t patch_size; /* what an absent field stands for */
    bool has_registers; /* positions are then resized with antialias */
} am_dinov2_family;

/* Builders for the rows of a member's table. */
void am_dinov2_model(am_builder *b);
void am_dinov2_for_image_classification(am_builder *b);
void am_dinov2_backbone(am_builder *b);

#endif
