/* BEiT and data2vec-vision: ViT's layers with scaled sums, whose attention knows how far patches lie from each other;
   the base model gives states or their mean. A member names its family, and its table of classes the builders below. */
#ifndef AM_MODELS_BLOCKS_BEIT_H
#define AM_MODELS_BLOCKS_BEIT_H

#include "models/model.h"

/* What a member's descriptor carries as its family. */
typedef struct am_beit_family {
    const char *prefix;  /* of the body in classes with heads: "beit" */
    bool is_backbone;    /* out_indices may be out_features and default to the last; head_dim is read (BEiT) */
    bool pools;          /* the base model has a pooler */
    bool takes_any_size; /* of images, where their places are labelled */
} am_beit_family;

/* Builders for the rows of a member's table. */
void am_beit_model(am_builder *b);
void am_beit_for_masked_image_modeling(am_builder *b);
void am_beit_for_image_classification(am_builder *b);
void am_beit_for_semantic_segmentation(am_builder *b);
void am_beit_backbone(am_builder *b);

#endif
