/* A stack of pre-norm transformer layers: x + attention(norm(x)), then x + mlp(norm(x)), as ViT, CLIP and
   their kin have it; decoders name a norm after the last layer too. */
#ifndef AM_MODELS_BLOCKS_PRE_NORM_H
#define AM_MODELS_BLOCKS_PRE_NORM_H

#include "models/blocks/attention.h"

/* What a family calls the weights of a layer. */
typedef struct am_pre_norm_names {
    const char *layers;                      /* their list below the scope: "encoder.layers" */
    const char *attention;                   /* scope of the projections that am_attention_options names */
    const char *norm_before, *norm_after;    /* of attention, of the mlp */
    const char *up, *down;                   /* the mlp's linears */
    const char *attention_scale, *mlp_scale; /* factors of each channel of what both add; null: none */
} am_pre_norm_names;

typedef struct am_pre_norm_options am_pre_norm_options;

struct am_pre_norm_options {
    int64_t num_hidden_layers, intermediate_size;
    am_unary_fn hidden_act;
    double layer_norm_eps;
    bool rms_norm; /* the norms of layers are RMSNorm */
    am_attention_options attention;
    const am_pre_norm_names *names;
    const char *hidden_states; /* their name among the outputs; null: "hidden_states"; "" names none */
    const char *final_norm;    /* of what comes out of the last layer, its hidden state; null: none, or the model's */
    double final_norm_eps;
    am_value *out_states; /* null, or receives the hidden states: num_hidden_layers + 1 values */

    /* What the mlp makes of x: [B, T, C], normed, below the layer; null: down(hidden_act(up(x))). */
    am_value (*mlp)(am_builder *b, am_value x, const am_pre_norm_options *options);

    /* A layer's attention bias, in place of that of `attention`, below its scope of the projections; null: that. */
    am_value (*attention_bias)(am_builder *b, const am_pre_norm_options *options);

    /* What goes into layer i, 1 or more, of what came out of the one before, which is the hidden state; null: that. */
    am_value (*between)(am_builder *b, am_value x, int i, const am_pre_norm_options *options);
    /* What the final norm reads of what came out of the last layer; null: that. */
    am_value (*behind)(am_builder *b, am_value x, const am_pre_norm_options *options);
    const void *context; /* for these functions */
};

/* One layer, below its own scope: x: [B, T, C] -> [B, T, C]. */
am_value am_pre_norm_layer(am_builder *b, am_value x, const am_pre_norm_options *options);

/* x: [B, T, C] -> [B, T, C]; names hidden states: x, and what comes out of each layer.
 */
am_value am_pre_norm_layers(am_builder *b, am_value x, const am_pre_norm_options *options);

#endif
