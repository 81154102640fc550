/* Models that make a vector of every token of a page or a question, whose products say how near both are (ColBERT,
   arXiv 2004.12832): a vision language model below "vlm", and a projection. */
#ifndef AM_MODELS_BLOCKS_LATE_INTERACTION_H
#define AM_MODELS_BLOCKS_LATE_INTERACTION_H

#include "models/model.h"

/* What AutoModel makes of vlm_config, whose model_type is `type` where it names none, with these inputs. Outputs
   embeddings, of unit length and zero where attention_mask is, and hidden states. */
am_part_outputs am_late_interaction(am_builder *b, const char *type, const am_part_input *inputs, int input_count,
                                    bool rows_may_be_left);

#endif
