/* Longformer's attention (arXiv 2004.05150): a token sees a window around it and the global tokens; global tokens see
   everything, by projections of their own. Which tokens are global is known only when a graph runs, so that they are
   told by masks of every query and key: a byte each, of which attention leaves out what they hide. Without global
   tokens memory, too, grows with the text's length only. */
#ifndef AM_MODELS_BLOCKS_LONGFORMER_H
#define AM_MODELS_BLOCKS_LONGFORMER_H

#include "models/model.h"

typedef struct am_longformer_marks {
    am_value seen;      /* BOOL [B, T]: tokens that are attended, and attend to anything; AM_NONE: all */
    am_value is_global; /* BOOL [B, T], seen ones only; AM_NONE: no token */
} am_longformer_marks;

/* The input attention_mask with is_global: BOOL [B, T] or AM_NONE, choices flattened. */
am_longformer_marks am_longformer_marks_of(am_builder *b, am_value is_global);

/* The input global_attention_mask: BOOL [B, T], choices flattened; AM_NONE when it is not given. */
am_value am_longformer_global_input(am_builder *b);

/* attention_window of one of `layers` layers: an even number, or one for each layer. */
int64_t am_longformer_window(const am_config *c, int64_t layers, int64_t layer);

/* Projections query, key, value, query_global .. below the scope over x: [B, T, C] -> [B, T, C], not projected back.
   Zero where a token is not seen. */
am_value am_longformer_attention(am_builder *b, am_value x, int64_t heads, int64_t window,
                                 const am_longformer_marks *marks);

#endif
