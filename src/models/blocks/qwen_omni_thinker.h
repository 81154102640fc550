/* What the thinkers of Qwen2.5-Omni and Qwen3-Omni share: Qwen-VL's models that also hear, whose words are placed by
   the tokens of pictures among them, with what a video takes in time counted. */
#ifndef AM_MODELS_BLOCKS_QWEN_OMNI_THINKER_H
#define AM_MODELS_BLOCKS_QWEN_OMNI_THINKER_H

#include "models/blocks/qwen_vl.h"

/* For the field text_inputs of an am_vision_language_family. exact: places of time are not rounded down. */
int am_qwen_omni_text_inputs(am_builder *b, bool exact, am_part_input out[AM_VISION_LANGUAGE_INPUTS]);

/* Inputs whose numbers decide shapes. */
extern const am_shaping_input am_qwen_omni_shaping_inputs[];

#endif
