/* What DeBERTa and DeBERTa-v2 share: configuration, embeddings, masks, scores from relative positions, heads. */
#ifndef AM_MODELS_BLOCKS_DEBERTA_H
#define AM_MODELS_BLOCKS_DEBERTA_H

#include "models/blocks/text_classes.h"

typedef struct am_deberta_options {
    am_bert_options body;
    bool relative_attention;
    bool c2p, p2c;                  /* which scores pos_att_type has: content to position, position to content */
    int64_t pos_att_types;          /* how many it names, whatever they are */
    int64_t max_relative_positions; /* on each side */
    bool legacy;                    /* names and ways of the language model's head */
} am_deberta_options;

/* The fields as both configurations name them; the sizes' defaults are DebertaConfig's. */
am_deberta_options am_deberta_options_read(am_builder *b);

/* Embeddings below the scope, zero where masked: [B, T, C]. */
am_value am_deberta_embeddings(am_builder *b, const am_deberta_options *options);

/* Masked tokens neither attend nor are attended: BOOL [B, 1, T, T], AM_NONE without a mask. */
am_value am_deberta_mask(am_builder *b);

/* What attention takes from relative positions. */
typedef struct am_deberta_positions {
    am_value key, query; /* projected rows of positions: [R, H, D] each; AM_NONE: no such scores */
    am_value row;        /* of query t to key s: I32 [T, S] */
} am_deberta_positions;

/* softmax((q k + q positions' key + k positions' query) * scale, masked) v of heads [B, T, H, D]: [B, T, C]. */
am_value am_deberta_attend(am_builder *b, const am_value qkv[3], const am_deberta_positions *positions, double scale,
                           am_value mask);

/* pooler of the first token, outside of the body's scope: [B, pooler_hidden_size]. */
am_value am_deberta_pooled(am_builder *b, const char *prefix, am_value x);

/* Builders for the rows of a member's table. */
void am_deberta_model(am_builder *b);
void am_deberta_for_masked_lm(am_builder *b);

#endif
