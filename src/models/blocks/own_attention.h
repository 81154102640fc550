/* The text encoders of the Nystromformer line: BERT's layers, each member with an attention of its own that costs less
   than one of all to all; positions count from 2, and there is no pooler. */
#ifndef AM_MODELS_BLOCKS_OWN_ATTENTION_H
#define AM_MODELS_BLOCKS_OWN_ATTENTION_H

#include "models/blocks/text_classes.h"

/* What a member's descriptor carries as its family. */
typedef struct am_own_attention_family {
    am_text_family text; /* .prefix; .body and .pooled are those below */
    am_bert_options (*options)(am_builder *b);

    /* Below attention.self: x: [B, T, C] -> [B, T, C]. */
    am_value (*attention)(am_builder *b, am_value x, const am_bert_options *options);
} am_own_attention_family;

/* BERT's fields; max_position_embeddings of the configuration and two more rows. */
am_bert_options am_own_attention_options(const am_config *c, int64_t vocab_size, int64_t max_positions);

/* The projections query, key and value of x: [B, T, C], in heads: [B, T, H, D]. */
void am_own_attention_heads(am_builder *b, am_value x, int64_t heads, am_value out_qkv[3]);

/* conv: a kernel for each head over the positions around: x: [B, T, H, D] -> the same; `kernel` is odd. */
am_value am_own_attention_convolution(am_builder *b, am_value x, int64_t kernel);

/* For the fields text.body and text.pooled. */
am_value am_own_attention_body(am_builder *b, const char *prefix);
am_value am_own_attention_pooled(am_builder *b, const char *prefix, am_value x);

/* Classes with heads of their own; the others are those of text_classes.h. */
void am_own_attention_for_masked_lm(am_builder *b);
void am_own_attention_for_sequence_classification(am_builder *b);

#endif
