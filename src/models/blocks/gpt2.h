/* GPT-2's body: learned positions, pre-norm layers: x + attention(ln_1(x)), x + mlp(ln_2(x)); queries, keys and
   values come from one projection, weights are stored [in, out]; token types, where given, are embedded by
   the word table. With add_cross_attention a part that attends to given states follows attention. transformers:
   models/gpt2/modeling_gpt2.py */
#ifndef AM_MODELS_BLOCKS_GPT2_H
#define AM_MODELS_BLOCKS_GPT2_H

#include "models/blocks/causal.h"
#include "models/blocks/seq2seq.h"

typedef struct am_gpt2 {
    am_gpt_config config;
    am_unary_fn activation_function;
    bool scale_attn_weights, scale_attn_by_inverse_layer_idx;
    am_value mask;             /* see am_gpt_mask */
    bool rms_norm;             /* the norms have no means and no offsets (ImageGPT) */
    am_encoder_states encoded; /* what layers attend to besides the text, where they have cross-attention */
} am_gpt2;

/* The fields of the configuration, absent ones standing for `defaults` and `activation`; mask and given states are
   those of the inputs. */
am_gpt2 am_gpt2_read(am_builder *b, am_gpt_config defaults, am_unary_fn activation);

/* The body under `prefix` over the words of the inputs: [B, T, C]. The descriptor's family is an am_causal_family. */
am_value am_gpt2_body(am_builder *b, const am_gpt2 *m, const char *prefix);

/* wpe at positions: I32 [1 or B, T] added to x: [B, T, C], layers and ln_f, below the scope; names hidden states. */
am_value am_gpt2_layers(am_builder *b, am_value x, am_value positions, const am_gpt2 *m);

#endif
