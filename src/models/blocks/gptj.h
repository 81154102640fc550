/* GPT-J's decoder: attention and MLP read the same LayerNorm and are added to the residual together; the first
   rotary_dim dimensions of each head are rotated in pairs that stand side by side; no biases in attention. */
#ifndef AM_MODELS_BLOCKS_GPTJ_H
#define AM_MODELS_BLOCKS_GPTJ_H

#include "models/blocks/attention.h"
#include "models/blocks/causal.h"

/* x: [B, T, C] -> [B, T, C], in the scope "attn"; options name heads, mask and rotary tables. */
typedef am_value am_gptj_attention(am_builder *b, am_value x, const am_attention_options *options);

/* The body of a member whose attention is given; see am_causal_body. */
am_value am_gptj_body(am_builder *b, const char *prefix, am_gptj_attention *attention);

#endif
