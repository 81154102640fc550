/* Conformer layers (arXiv 2005.08100): half a feed-forward part, self-attention, a gated convolution over time and the
   other half, then a norm; with one of the ways to tell attention where frames stand. */
#ifndef AM_MODELS_BLOCKS_CONFORMER_H
#define AM_MODELS_BLOCKS_CONFORMER_H

#include "models/blocks/wav2vec2.h"

typedef enum am_conformer_positions {
    AM_CONFORMER_NO_POSITIONS,
    AM_CONFORMER_RELATIVE,     /* Transformer-XL's: queries meet sinusoids of the distance */
    AM_CONFORMER_ROTARY,       /* what queries and keys are made of is rotated */
    AM_CONFORMER_RELATIVE_KEY, /* queries meet a learned row of the distance, which is limited on both sides */
} am_conformer_positions;

typedef struct am_conformer_options {
    int64_t heads, intermediate_size, kernel_size;
    am_unary_fn activation;
    double norm_eps;
    bool causal; /* the convolution looks back only, padding hidden from it, and norms frames; else batch norm */
    am_conformer_positions positions;
    double rotary_base;
    bool stored_frequencies; /* of the rotation: embed_positions.inv_freq, where the file has it, decides */
    int64_t left, right;     /* limits of AM_CONFORMER_RELATIVE_KEY */
    bool hides_padding;      /* from the convolution, though it is not causal */
    int64_t chunk; /* frames see their own stretch of so many and left_chunks before it (below 0: all); 0: all */
    int64_t left_chunks;
    const char *hidden_states; /* their name among the outputs, the last one of which the caller gives; null:
                                  hidden_states, all of them */
} am_conformer_options;

/* Fields that wav2vec 2.0's types with these layers share; `positions` is what position_embeddings_type is where it is
   absent. norm_eps, causal and stored_frequencies are left to the caller. */
am_conformer_options am_conformer_options_read(const am_config *c, const am_wav2vec2_options *o,
                                               am_conformer_positions positions);

/* layers.N below the scope: x: [B, T, C], mask: BOOL [B, T] or AM_NONE -> [B, T, C]; `count` of them, which keep hidden
   states in states: count + 1. */
am_value am_conformer_layers(am_builder *b, am_value x, am_value mask, const am_conformer_options *options,
                             int64_t count, am_value *states);

/* A layer that leaves one frame of a stride, which stands behind such layers: norm, gated convolution and attention. */
typedef struct am_conformer_adapter {
    int64_t heads, intermediate_size, kernel, stride;
    double norm_eps;
    am_unary_fn activation;
} am_conformer_adapter;

/* Frames that such a layer leaves of lengths: I32 [B], as transformers counts them: padding by the kernel here, while
   the layer pads by the stride. */
am_value am_conformer_adapted_lengths(am_builder *b, am_value lengths, int64_t kernel, int64_t stride);

/* The layer below the scope: x: [B, T, C] -> [B, T', C]; lengths: I32 [B] of the frames that it leaves, or AM_NONE. */
am_value am_conformer_adapter_layer(am_builder *b, am_value x, am_value lengths, const am_conformer_adapter *options);

/* linear_q, linear_k, linear_v and linear_out below the scope, without positions: x: [B, T, C], mask as above. */
am_value am_conformer_plain_attention(am_builder *b, am_value x, am_value mask, int64_t heads);

/* The same with Transformer-XL's positions, sinusoids being those of am_conformer_sinusoids of T frames. */
am_value am_conformer_relative_attention(am_builder *b, am_value x, am_value mask, am_value sinusoids, int64_t heads);

/* Of the distances T - 1 .. 1 - T, sine and cosine of a frequency side by side: F32 [1, 2 * T - 1, C]. */
am_value am_conformer_sinusoids(am_builder *b, int64_t T, int64_t C);

/* The gated convolution over time of later conformers, below the scope: pointwise_conv1, depthwise_conv of `kernel`
   taps, of an even number one more ahead than back, batch norm `norm` or `batch_norm`, pointwise_conv2, all
   convolutions biased or none: x: [B, T, C], of which mask: BOOL [B, T] or AM_NONE hides frames from their neighbours.
 */
am_value am_conformer_convolution(am_builder *b, am_value x, am_value mask, int64_t kernel, bool biased,
                                  am_unary_fn activation);

/* The same that looks back only, with a norm of each frame, `norm`. */
am_value am_conformer_causal_convolution(am_builder *b, am_value x, am_value mask, int64_t kernel, bool biased,
                                         am_unary_fn activation);

#endif
