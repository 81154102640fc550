/* Gemma 4's text models: Gemma 3 whose heads are wider in layers that see everything, whose values are normed, too, and
   whose last layers read keys and values of earlier ones; beside the stream each layer may get numbers of its own for
   each token, and experts. transformers: models/gemma4/modeling_gemma4.py */
#ifndef AM_MODELS_BLOCKS_GEMMA4_H
#define AM_MODELS_BLOCKS_GEMMA4_H

#include "models/blocks/decoder.h"

/* What a member's descriptor carries as its family. */
typedef struct am_gemma4_family {
    am_decoder_defaults defaults;
    int64_t sliding_window;      /* what an absent field stands for */
    const char *looks_both_ways; /* the same of use_bidirectional_attention; null: none */
    int64_t global_kv_heads;     /* of layers that see everything, where the file says nothing; 0: as of the others */
    bool proportional;           /* layers that see everything rotate a quarter of a head, where the file is silent */
    bool embeds;                 /* EmbeddingGemma 2: looks both ways, layers' own inputs come of embeddings alone, and
                                    embedding_projection stands behind the last norm */
    bool layer_inputs;           /* hidden_size_per_layer_input and what stands beside it are fields */
    bool mixture;                /* enable_moe_block is one */
    bool always_mixture;         /* every layer has experts */
    bool shares;                 /* num_kv_shared_layers, attention_k_eq_v, use_double_wide_mlp are fields */
    bool keys_are_values;        /* always in layers that see everything */
} am_gemma4_family;

/* Keys and values that later layers read. */
typedef struct am_shared_heads {
    am_value key, value; /* [B, S, G, D]; AM_NONE: no layer has left any */
} am_shared_heads;

typedef struct am_gemma4 {
    const am_config *c;
    am_decoder_options o;
    int64_t head_dims[AM_LAYERS_LIMIT], kv_heads[AM_LAYERS_LIMIT];
    int64_t layer_input, layer_words; /* width of a layer's own inputs, 0: none; rows of their table */
    int64_t first_shared;             /* layers from here on read earlier ones' keys and values */
    int64_t embedding_dim;            /* of what comes out; 0: hidden_size */
    bool keys_are_values, double_wide, mixture;
    int64_t experts, top_k, expert_size;
    am_value layer_inputs;     /* [B, T, layers, layer_input] */
    am_shared_heads shared[2]; /* of full layers, of sliding ones */
} am_gemma4;

/* Which layer is the first that reads earlier ones' keys and values, from num_kv_shared_layers. Checks that each kind
   of layer has one before it. */
int64_t am_first_shared_layer(const am_config *c, const am_decoder_options *o, int64_t fallback);

/* RMSNorm over the last dimension without a weight. */
am_value am_bare_rms_norm(am_builder *b, am_value x, double eps);

/* Reads configuration c; *out has to stay where it is. */
void am_gemma4_read(const am_config *c, const am_gemma4_family *family, am_gemma4 *out);

/* Final hidden states [B, T, C] of the model below `prefix`. */
am_value am_gemma4_body(am_builder *b, am_gemma4 *g, const char *prefix);

/* One layer's parts below its scope, for models that have such layers elsewhere: x: [.., C] -> [.., C]. */
am_value am_gemma4_feed_forward(am_builder *b, am_value x, const am_gemma4 *g, int layer);

/* The normed heads of x: [B, T, C] below self_attn; keys and values are AM_NONE where the layer has none. */
void am_gemma4_heads(am_builder *b, am_value x, const am_gemma4 *g, int layer, const am_rope *rope,
                     am_value out_qkv[3]);

/* Builders for the rows of a member's table. */
void am_gemma4_text_model(am_builder *b);
void am_gemma4_for_causal_lm(am_builder *b);

#endif
