/* Attention of DeBERTa-v2 (arXiv 2006.03654): contents and positions meet by scores of their own; positions are
   distances in buckets that widen, and their projections may be the contents'. */
#ifndef AM_MODELS_BLOCKS_DISENTANGLED_H
#define AM_MODELS_BLOCKS_DISENTANGLED_H

#include "models/blocks/deberta.h"

typedef struct am_disentangled {
    int64_t hidden_size, heads, head_size;
    bool relative_attention, c2p, p2c;
    int64_t position_buckets, max_relative_positions;
    int64_t span; /* rows of positions on each side */
    bool share_att_key, norm_rel_ebd;
    double layer_norm_eps;
} am_disentangled;

/* The fields, beside those of `base`; position_buckets, share_att_key and norm_rel_ebd are those of `absent` where they
   are absent. */
am_disentangled am_disentangled_read(const am_config *c, const am_deberta_options *base, const am_disentangled *absent);

/* What the attention of all layers over T tokens reads. */
typedef struct am_disentangled_places {
    am_value table; /* [2 * span, hidden_size]; AM_NONE without relative attention */
    am_value row;   /* of query t to key s: I32 [T, T] */
} am_disentangled_places;

/* From rel_embeddings and LayerNorm below the scope. */
am_disentangled_places am_disentangled_places_of(am_builder *b, int64_t T, const am_disentangled *options);

/* attention.self below the layer's scope: x: [B, T, C] -> [B, T, H * D]; mask: BOOL, as am_attention_op takes it, or
   AM_NONE. */
am_value am_disentangled_attention(am_builder *b, am_value x, const am_disentangled_places *places, am_value mask,
                                   const am_disentangled *options);

#endif
