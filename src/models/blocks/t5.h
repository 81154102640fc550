/* The T5 line: encoder and decoder of pre-norm blocks (RMSNorm, no biases): self-attention, in the decoder
   cross-attention, feed-forward; scores are not scaled, and a learned bias for the bucket of the distance from query to
   key, shared by all blocks, is added to them. The word table serves encoder, decoder and head. A member's table of
   classes names the builders below. */
#ifndef AM_MODELS_BLOCKS_T5_H
#define AM_MODELS_BLOCKS_T5_H

#include "models/blocks/attention.h"

typedef struct am_t5_config {
    int64_t vocab_size, d_model, d_kv, d_ff, num_layers, num_decoder_layers, num_heads;
    int64_t buckets, max_distance; /* relative_attention_num_buckets, relative_attention_max_distance */
    double layer_norm_epsilon;
    am_unary_fn dense_act_fn;
    bool is_gated_act, scale_decoder_outputs;
    int64_t labels;
    const char *prefix;                /* of the body's weights: "transformer" or "" */
    const char *encoder_hidden_states; /* name of the encoder's hidden states among the outputs */
} am_t5_config;

/* What a member's descriptor may carry as its family. Numbers left 0 are T5Config's. */
typedef struct am_t5_family {
    int64_t vocab_size, d_model, d_ff, num_layers, num_heads; /* what absent fields stand for */
    const char *feed_forward_proj;
    const char *dense_act_fn; /* the same; null: what feed_forward_proj says */
    bool hears;               /* the input input_features: [B, S, d_model] may stand in place of words (Pop2Piano) */
    bool never_scales, always_scales; /* scale_decoder_outputs is not looked at */
    bool names_activation;            /* "gated-gelu" names GELU itself (UDOP) */
    bool own_biases;                  /* every block has a table of its own for its distances */

    /* The encoder's blocks over x: [B, S, C] below the scope, by am_t5_encoder_blocks; null: T5's. */
    am_value (*encoder_blocks)(am_builder *b, am_value x, const am_t5_config *c);

    /* What the decoder may see of the encoder's states, as am_padding_mask_of gives it; null: the input attention_mask.
     */
    am_value (*cross_mask)(am_builder *b);

    /* What the feed-forward part of block `index` adds, below the scope of its layer: x: [B, T, C], normed; null: T5's.
     */
    am_value (*feed_forward)(am_builder *b, am_value x, const am_t5_config *c, bool is_decoder, int index);
} am_t5_family;

/* Self-attention below layer.0 over the normed x: [B, T, C] -> [B, T, C]; state is the caller's. */
typedef am_value am_t5_attend(am_builder *b, am_value x, const am_t5_config *c, const void *state);

/* block.N .. over x: [B, S, C], each with that self-attention; names hidden states. */
am_value am_t5_encoder_blocks(am_builder *b, am_value x, const am_t5_config *c, am_t5_attend *attend,
                              const void *state);

/* wo(dense_act_fn(wi(x))) below the scope: x: [B, T, C] -> [B, T, C]. */
am_value am_t5_dense(am_builder *b, am_value x, const am_t5_config *c);

/* Projections q, k, v and o without biases; scores are not scaled. */
am_attention_options am_t5_attention_options(const am_t5_config *c);

/* The rows of TABLE.weight: [buckets, H] for distances (key position minus query position): I32 [..] -> [.., H]. One
   way, keys after the query count as distance 0. */
am_value am_t5_distance_bias(am_builder *b, const am_t5_config *c, const char *table, am_value distance,
                             bool both_ways);

/* What is added to the scores of T queries, those of the caches before them counted: [1, H, T, S]; from that table. */
am_value am_t5_position_bias(am_builder *b, const am_t5_config *c, const char *table, int64_t T, bool both_ways);

/* Builders for the rows of a member's table. */
void am_t5_model(am_builder *b);
void am_t5_encoder_model(am_builder *b);
void am_t5_for_conditional_generation(am_builder *b);
void am_t5_for_sequence_classification(am_builder *b);
void am_t5_for_token_classification(am_builder *b);
void am_t5_for_question_answering(am_builder *b);

#endif
