/* Segment Anything 2's prompts and decoder, which read an image of three resolutions. transformers:
   models/sam2/modeling_sam2.py, models/sam3_tracker/modeling_sam3_tracker.py */
#ifndef AM_MODELS_BLOCKS_SAM2_H
#define AM_MODELS_BLOCKS_SAM2_H

#include "models/model.h"

enum { AM_SAM2_LEVELS = 3 };

/* The image as the decoder reads it, the finest map first: the inputs image_embeddings.0 .. or the first maps of
   maps: [B, C, h, w], whose sizes are those of vision_config.backbone_feature_sizes. */
void am_sam2_embed(am_builder *b, const am_value *maps, int count, am_value *out);

/* Outputs iou_scores, pred_masks and object_score_logits of the inputs input_points, input_labels, input_boxes and
   input_masks, and image_embeddings.0 .. . Weights lie below the scope. */
void am_sam2_segment(am_builder *b, const am_value *image);

#endif
