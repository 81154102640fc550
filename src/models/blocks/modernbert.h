/* ModernBERT's layers: gated feed-forward parts, LayerNorms that may have no bias, and rotary positions, of which
   layers that see the whole text and layers that see a window of it have their own. */
#ifndef AM_MODELS_BLOCKS_MODERNBERT_H
#define AM_MODELS_BLOCKS_MODERNBERT_H

#include "models/blocks/layers.h"
#include "models/blocks/rotary.h"

typedef struct am_modernbert_config {
    int64_t vocab_size, hidden_size, intermediate_size, num_hidden_layers, num_attention_heads;
    int64_t sliding_window; /* on each side */
    double norm_eps;
    am_unary_fn hidden_activation, classifier_activation;
    int norm_bias, attention_bias, mlp_bias, decoder_bias, classifier_bias;
    bool pools_mean;      /* classifier_pooling */
    int64_t global_every; /* without layer_types every so many layers see everything */
} am_modernbert_config;

/* The fields as ModernBertConfig names and defaults them. */
am_modernbert_config am_modernbert_config_read(am_builder *b);

/* LayerNorm NAME of x: [.., C], with a bias where norm_bias says so. */
am_value am_modernbert_norm(am_builder *b, const char *name, am_value x, const am_modernbert_config *c);

/* Whether a layer sees a window: by layer_types or, without these, all but every global_every-th. */
bool am_modernbert_is_local(am_builder *b, const am_modernbert_config *c, int layer);

/* Tables of the rotations that layers with (local) or without a window have, for T tokens. */
am_rope am_modernbert_rotations(am_builder *b, const am_modernbert_config *c, bool local, int64_t T);

/* Wo(activation(gate) * up) of Wi(x), below mlp: x: [B, T, C] -> [B, T, C]. */
am_value am_modernbert_feed_forward(am_builder *b, am_value x, const am_modernbert_config *c);

/* NAME.norm(activation(NAME.dense(x))), what stands before a classifier: x: [.., C] -> [.., C]. */
am_value am_modernbert_head(am_builder *b, const char *name, am_value x);

#endif
