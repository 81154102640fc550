/* Grounding DINO (arXiv 2303.05499): an image's maps and a text read each other, boxes are proposed where a pixel is
   most like a word, and refined by a decoder that reads both; a box's scores are its products with the words. */
#ifndef AM_MODELS_BLOCKS_GROUNDING_DINO_H
#define AM_MODELS_BLOCKS_GROUNDING_DINO_H

#include "models/model.h"

/* What differs between members; their descriptors carry it. */
typedef struct am_grounding_family {
    bool scales_scores;   /* by the width's root, and adds the weight bias of a score's head (MM Grounding DINO) */
    bool may_share_boxes; /* two_stage_bbox_embed_share is a field of the configuration */
} am_grounding_family;

/* Builders for the rows of a member's table. */
void am_grounding_model(am_builder *b);
void am_grounding_for_object_detection(am_builder *b);

#endif
