/* Multi-head attention with its projections, masks and caches. */
#ifndef AM_MODELS_BLOCKS_ATTENTION_H
#define AM_MODELS_BLOCKS_ATTENTION_H

#include "models/blocks/layers.h"
#include "models/blocks/rotary.h"

typedef struct am_attention_options {
    int64_t heads, kv_heads, head_dim; /* kv_heads 0: heads; head_dim 0: C / heads */
    const char *q, *k, *v, *out;       /* projections; null: q_proj, k_proj, v_proj, out_proj; out "" leaves it away */
    const char *qkv;                   /* one projection for q, then k, then v (biased unless no_q_bias); null: three */
    bool qkv_packed;   /* of it: the weights are NAME_weight and NAME_bias (torch.nn.MultiheadAttention) */
    bool qkv_by_group; /* of it: the queries of a key/value head stand with its key and its value */
    bool no_q_bias, no_k_bias, no_v_bias, no_out_bias;
    const char *q_bias, *v_bias; /* other names of these biases; null: "bias" below the projection */
    bool causal;
    int64_t window;
    double scale, soft_cap;      /* scale 0: 1 / sqrt(head_dim) */
    am_value mask, bias, sinks;  /* see am_attention_op; mask as am_padding_mask gives it */
    const am_rope *rope;         /* rotary tables, or null */
    bool rotates_values;         /* rope rotates values, too */
    const char *q_norm, *k_norm; /* RMSNorm before the rotation, or null: of each head, or of all together */
    bool norm_all_heads;
    double norm_eps, norm_weight_offset;
} am_attention_options;

/* x: [B, T, C] -> [B, T, C]; keys and values go through the cache when the graph has one. */
am_value am_self_attention(am_builder *b, am_value x, const am_attention_options *options);

/* Queries from x: [B, T, C], keys and values from encoder: [B, S, C'] (AM_NONE when they are cached). */
am_value am_cross_attention(am_builder *b, am_value x, am_value encoder, const am_attention_options *options);

/* The same of projected heads: q: [B, T, H, D], k, v: [B, S, G, D] (AM_NONE when they are cached) -> [B, T, H * D]. */
am_value am_attend_encoder(am_builder *b, am_value q, am_value k, am_value v, const am_attention_options *options);

/* Attention of heads already projected and rotated: q: [B, T, H, D], k, v: [B, T, G, D]; appends k and v to
   the cache and gives [B, T, H * E]. For models with projections of their own. */
am_value am_attend(am_builder *b, am_value q, am_value k, am_value v, const am_attention_options *options);

/* The projected heads of x: [B, T, C], normed and rotated as options say: q: [B, T, H, D], k and v: [B, T, G, D]. */
void am_attention_heads(am_builder *b, am_value x, const am_attention_options *options, am_value out_qkv[3]);

/* Attention of heads whose keys and values went through the cache: k: [B, S, G, D], v: [B, S, G, E] -> [B, T, H, E]. */
am_value am_attend_cached(am_builder *b, am_value q, am_value k, am_value v, const am_attention_options *options);

/* The input of that name, [B, S] with nonzero where attended, as a mask [B, 1, 1, S]; AM_NONE when it is not
   given. */
am_value am_padding_mask(am_builder *b, const char *input);

/* The same of a value [B, S]; AM_NONE of AM_NONE. */
am_value am_padding_mask_of(am_builder *b, am_value attended);

/* Which tokens are attended where T and then N stand in a row, I32 [B, T + N], from what is attended of either: [B, T],
   [B, N], of any dtype; AM_NONE is all of its tokens, and so is AM_NONE that it gives of two such. */
am_value am_join_attended(am_builder *b, am_value first, int64_t T, am_value second, int64_t N);

/* For causal models whose positions are given: `mask` where there is one, else a mask [B, 1, T, T] that keeps apart the
   texts packed into a row (transformers: find_packed_sequence_indices); AM_NONE where no positions are given. */
am_value am_packed_mask(am_builder *b, am_value mask, const char *positions);

/* Which of S positions (those of the cache, or T) the T tokens of a run see whose blocks: I32 [B, T] see one another in
   both directions, and else what came before: BOOL [B, 1, T, S]. Numbers below 0 are in no block. `window` (0: none)
   hides what lies further back, a block's own tokens only with cuts_blocks; mask (or AM_NONE) hides more. Blocks are
   those of the first tokens of a text: a graph with caches is run from its start. */
typedef struct am_block_mask_options {
    int64_t window;
    bool cuts_blocks;
    am_value mask;
} am_block_mask_options;

am_value am_block_mask(am_builder *b, am_value blocks, const am_block_mask_options *options);

/* The heads of one fused projection: x: [B, T, 3 * H * D] -> q, k, v: [B, T, H, D]. By head: each head's q, k
   and v stand together (GPT-NeoX, BLOOM); else q of all heads, then k, then v (GPT-2). */
void am_split_fused(am_builder *b, am_value x, int64_t heads, bool by_head, am_value out_qkv[3]);

/* [B, T, H * D] -> [B, T, H, D]. */
am_value am_split_heads(am_builder *b, am_value x, int64_t heads);

/* [B, T, H, D] -> [B, T, H * D]. */
am_value am_merge_heads(am_builder *b, am_value x);

#endif
