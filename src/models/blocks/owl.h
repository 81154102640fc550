/* OWL-ViT and OWLv2: CLIP's towers with a head that says for each patch of an image how well it fits each text, and the
   box of what is there. A member's family is an am_clip_family; its table of classes names the builders below beside
   CLIP's. */
#ifndef AM_MODELS_BLOCKS_OWL_H
#define AM_MODELS_BLOCKS_OWL_H

#include "models/blocks/clip.h"

/* Builders for the rows of a member's table; the second also says of each patch whether anything is there. */
void am_owl_for_object_detection(am_builder *b);
void am_owl_for_object_detection_with_objectness(am_builder *b);

#endif
