/* Attention among tokens that hash alike (Reformer, arXiv 2001.04451): tokens, whose queries are their keys, are sorted
   by the random direction that they are nearest to, and attend within chunks of that order. */
#ifndef AM_MODELS_BLOCKS_HASHED_ATTENTION_H
#define AM_MODELS_BLOCKS_HASHED_ATTENTION_H

#include "models/model.h"

enum { AM_HASH_FACTORS_LIMIT = 8 };

/* A chunk attends itself and so many chunks before and after it; the first and the last one are neighbours. */
typedef struct am_chunk_window {
    int64_t chunk, before, after;
} am_chunk_window;

/* The window for a text of T tokens: one chunk alone where they fit into it. */
am_chunk_window am_chunk_window_of(const am_chunk_window *w, int64_t T);

/* Where the keys of each chunk stand among `length` tokens, whole chunks: I32 [chunks, keys of a chunk]. */
am_value am_chunk_key_places(am_builder *b, int64_t length, const am_chunk_window *w);

typedef struct am_hashed_attention_options {
    int64_t heads, head_dim, hashes; /* rounds of hashing */
    int64_t seed;                    /* of the random directions, torch's generator being started with it */
    int factors;                     /* of the number of buckets, all even; 0: what the length of the text asks for */
    int64_t num_buckets[AM_HASH_FACTORS_LIMIT];
    int64_t max_length; /* where the length decides on buckets: of all texts */
    am_chunk_window window;
    bool causal;
} am_hashed_attention_options;

/* x: [B, T, C] -> [B, T, heads * head_dim], linears query_key and value below the scope. mask: BOOL [1 or B, T] or
   AM_NONE; the last T - length tokens are padding that is not cached. With caches a text is read as one, then token
   after token; transformers: LSHSelfAttention with a ReformerDynamicCache. There num_buckets must be given. */
am_value am_hashed_attention(am_builder *b, const am_hashed_attention_options *options, am_value x, am_value mask,
                             int64_t length);

#endif
