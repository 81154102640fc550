/* DeepSeek-V2's mixture: experts chosen by softmax scores, perhaps within the best groups, beside shared ones that
   answer always. transformers: models/deepseek_v2/modeling_deepseek_v2.py */
#ifndef AM_MODELS_BLOCKS_DEEPSEEK_V2_H
#define AM_MODELS_BLOCKS_DEEPSEEK_V2_H

#include "models/blocks/decoder.h"

/* A layer's part, of the fields as DeepseekV2Config names and defaults them. */
am_decoder_part am_deepseek_v2_mixture;

#endif
