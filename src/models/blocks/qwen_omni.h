/* What the text models of Qwen2.5-Omni and Qwen3-Omni share: Qwen2 and Qwen3 with experts, whose tokens have places in
   time, height and width. */
#ifndef AM_MODELS_BLOCKS_QWEN_OMNI_H
#define AM_MODELS_BLOCKS_QWEN_OMNI_H

#include "models/blocks/decoder.h"

/* For the field `adapt` of a family. */
void am_qwen2_5_omni_adapt(const am_config *c, am_decoder_options *o);

typedef struct am_qwen3_omni_experts {
    int64_t count, top_k, intermediate_size; /* what absent fields stand for */
    bool normalizes;                         /* the same of norm_topk_prob */
    bool has_shared;                         /* an expert for all tokens stands beside them, in every layer */
} am_qwen3_omni_experts;

/* The same of Qwen3-Omni; experts is kept. */
void am_qwen3_omni_adapt(const am_config *c, am_decoder_options *o, const am_qwen3_omni_experts *experts);

#endif
