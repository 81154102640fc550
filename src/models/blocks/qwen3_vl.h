/* What the members of Qwen3-VL's line share: Qwen2-VL's tower whose patches have learned positions, too, and states of
   several layers of which go to the text's first layers; videos are frames between the times they were taken at. */
#ifndef AM_MODELS_BLOCKS_QWEN3_VL_H
#define AM_MODELS_BLOCKS_QWEN3_VL_H

#include "models/blocks/qwen_vl.h"

/* The fields of a tower as Qwen3VLVisionConfig names and defaults them. */
am_qwen_vision am_qwen3_vision_read(const am_config *c);

/* For the fields of an am_vision_language_family. */
am_value am_qwen3_vl_features(am_builder *b);
am_value am_qwen3_vl_video_features(am_builder *b);
int am_qwen3_vl_deep_rows(am_builder *b);
int am_qwen3_vl_text_inputs(am_builder *b, am_part_input out[AM_VISION_LANGUAGE_INPUTS]);

/* The builder of the tower alone. */
void am_qwen3_vl_vision_model(am_builder *b);

/* The same of Qwen3.5, whose text takes no further states of the tower. */
am_value am_qwen3_5_features(am_builder *b);
am_value am_qwen3_5_video_features(am_builder *b);
void am_qwen3_5_vision_model(am_builder *b);

/* For the field after_layer of a text model: x: [B, T, C] with the index-th input deepstack_visual_embeds, where there
   is one, added at visual_pos_masks. */
am_value am_qwen3_vl_add_visual_states(am_builder *b, am_value x, int index);

#endif
