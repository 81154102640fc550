/* Gated delta nets (arXiv 2412.06464), a linear attention whose state forgets and corrects what it holds; and the
   attention with gated answers that stands between layers of them. */
#ifndef AM_MODELS_BLOCKS_DELTA_NET_H
#define AM_MODELS_BLOCKS_DELTA_NET_H

#include "models/blocks/decoder.h"

typedef struct am_delta_net {
    int64_t key_heads, value_heads, key_dim, value_dim;
    int64_t kernel; /* of the convolution before it */
} am_delta_net;

/* The fields linear_num_key_heads, linear_num_value_heads, linear_key_head_dim, linear_value_head_dim and
   linear_conv_kernel_dim as Qwen3NextConfig defaults them. */
am_delta_net am_delta_net_read(const am_config *c);

/* Queries, keys and values of x: [B, T, C], side by side, each from a projection and a convolution of its own
   (q_proj, q_conv1d ..), activated: [B, T, -1]. */
am_value am_delta_convolutions(am_builder *b, am_value x, const am_delta_net *n, am_unary_fn activation);

/* Logarithm of what the state keeps: -exp(A_log) softplus(a + dt_bias): [B, T, value heads]. */
am_value am_delta_decay(am_builder *b, am_value a, const am_delta_net *n);

/* The same of each number of a key, with A_log of a head: -exp(A_log) softplus(x), or lower_bound sigmoid(exp(A_log) x)
   where lower_bound is not 0; x: [B, T, heads * K] and dt_bias, A_log: of shape `rates` -> [B, T, heads, K] (Kimi delta
   attention, arXiv 2510.26692). */
am_value am_delta_channel_decay(am_builder *b, am_value x, am_shape rates, double lower_bound, const am_delta_net *n);

/* The recurrence over mixed: q, k and v side by side: [B, T, -1], beta: [B, T, value heads], and the logarithm of the
   decay, like beta or [B, T, value heads, K]: [B, T, value heads, V]. Queries and keys are made unit vectors; a key
   head serves several value heads where there are more of those. */
am_value am_delta_recurrence(am_builder *b, am_value mixed, am_value log_decay, am_value beta, const am_delta_net *n);

/* The two kinds of layers of Qwen3.5, the delta net with its projections one by one: in_proj_qkv, in_proj_z, in_proj_b,
   in_proj_a. */
am_decoder_part am_qwen3_5_mixer;

/* LLaMA's attention with norms on query and key heads, whose q_proj gives a gate beside each query: what is attended
   is multiplied by its sigmoid (Qwen3-Next). */
am_decoder_part am_gated_query_attention;

/* Whether a layer is "linear_attention" in layer_types, or where there are none any but each
   full_attention_interval-th. */
bool am_is_linear_layer(const am_config *c, int layer);

#endif
