/* The LLaMA line: pre-norm decoder, RMSNorm, rotary positions, grouped key/value heads, gated MLP; and the
   switches that its members turn. A member reads its configuration into am_decoder_options, and its table of
   classes names the builders below. */
#ifndef AM_MODELS_BLOCKS_DECODER_H
#define AM_MODELS_BLOCKS_DECODER_H

#include "models/blocks/attention.h"
#include "models/blocks/rotary.h"

enum { AM_LAYERS_LIMIT = 512 };

/* Where the norms of a layer stand, by name; null: none there. */
typedef struct am_decoder_norms {
    const char *before_attention, *after_attention, *before_mlp, *after_mlp;
} am_decoder_norms;

/* Gemma 2's and 3's: before and after both. */
extern const am_decoder_norms am_gemma_norms;

typedef enum am_qk_norm {
    AM_QK_NORM_NONE,
    AM_QK_NORM_HEAD, /* RMSNorm of each query and key head (Qwen3) */
    AM_QK_NORM_ALL,  /* of all heads together (OLMo 2) */
} am_qk_norm;

typedef struct am_decoder_options am_decoder_options;

/* What a member's own_layer did of a layer. */
typedef enum am_own_layer {
    AM_OWN_LAYER_NONE, /* nothing: it is LLaMA's */
    AM_OWN_LAYER_DONE,
    AM_OWN_LAYER_LEFT_OUT, /* this run has no such layer, nor a hidden state of it */
} am_own_layer;

/* What a part of a layer sees. */
typedef struct am_decoder_layer {
    const am_decoder_options *options;
    const am_attention_options *attention; /* of this layer: rotary tables, mask, window */
    int index;
    am_value *carried; /* what a layer leaves to those after it: AM_NONE before the first */
} am_decoder_layer;

/* A part of a layer in the scope of its own ("self_attn", "mlp"): x: [B, T, C] -> [B, T, C]. A member with another
   attention or MLP gives functions of its own; they read further fields from am_model_config. */
typedef am_value am_decoder_part(am_builder *b, am_value x, const am_decoder_layer *layer);

/* The norm NAME of x: [.., C]. */
typedef am_value am_decoder_norm(am_builder *b, const char *name, am_value x, const am_decoder_options *options);

struct am_decoder_options {
    int64_t vocab_size, hidden_size, intermediate_size, num_hidden_layers;
    int64_t num_attention_heads, num_key_value_heads, head_dim;
    am_unary_fn hidden_act;
    double rms_norm_eps;
    bool tie_word_embeddings;
    am_rope_config rope;
    int64_t pad_token_id, labels;
    bool causal; /* is_causal: false makes a decoder look both ways */

    bool qkv_bias, out_bias, mlp_bias;
    bool fused_qkv, fused_gate_up; /* qkv_proj, gate_up_proj (Phi-3) */
    am_qk_norm qk_norm;
    const am_decoder_norms *norms;             /* null: input_layernorm and post_attention_layernorm, before the two */
    double norm_weight_offset;                 /* 1 in Gemma: norms multiply by 1 + weight */
    double embedding_scale;                    /* 0: none */
    bool scales_inputs_embeds;                 /* embeddings that are given are scaled too (Granite) */
    double residual_multiplier;                /* of what a layer adds; 0: none (Granite) */
    double logits_multiplier;                  /* of the logits; 0: none */
    double attention_scale;                    /* 0: 1 / sqrt(head_dim) */
    double attention_soft_cap, final_soft_cap; /* 0: none */
    int64_t sliding_window;                    /* of the layers below; 0: none */
    bool window_cuts_blocks;                   /* see am_block_mask (Gemma 3) */
    bool both_ways;                            /* use_bidirectional_attention: only with given block_sequence_ids */
    int64_t cache_window;                      /* new tokens see so many positions, a prompt's all; 0: all */
    bool sliding[AM_LAYERS_LIMIT];             /* which layers look through the window */
    bool window_keeps_prompt;                  /* beside the window they see what the first run of a text read */
    bool rotary_interleaved;                   /* pairs stand side by side (GLM) */
    bool has_sliding_rope;
    am_rope_config sliding_rope; /* of sliding layers (Gemma 3) */
    am_mrope_sections mrope;     /* count 0: places of one kind */
    bool own_rope;               /* attention rotates by tables of its own: positions are not read here */
    bool flat_places_pack; /* places of one kind, where mrope has more, tell texts apart that are packed into a row */
    am_decoder_part *attention, *mlp;        /* null: those of LLaMA */
    am_decoder_norm *norm;                   /* null: RMSNorm */
    const char *final_norm;                  /* null: "norm" */
    bool hides_states;                       /* hidden states are no outputs */
    const char *embeddings;                  /* their table; null: "embed_tokens" */
    const char *embedding_norm;              /* of what goes into the first layer; null: none */
    bool ignores_packing;                    /* texts packed into a row see one another (AFMoE) */
    const char *attention_scope, *mlp_scope; /* null: "self_attn", "mlp" */
    bool parallel;                           /* attention and MLP read the same normed x; both are added to it */
    bool head_bias;                          /* of lm_head */
    bool clears_pad_token;                   /* its embedding counts as zeros, and so does its row of a tied head */
    const char *residual_weights[2]; /* [C] that x is multiplied by before attention, the MLP is added; or null */
    bool parts_add_residual;         /* attention and MLP give all of what x becomes (MiniMax) */
    am_value (*after_layer)(am_builder *b, am_value x, int index); /* what goes on after a layer; null: x */
    /* Null, or layers of another kind: x: [B, T, C], in place, below the scope of the layers' list. */
    am_own_layer (*own_layer)(am_builder *b, am_value *x, const am_decoder_options *o, int index);
    /* Null, or sees what goes into the first layer: [B, T, C], below the body's scope. */
    void (*enter)(am_builder *b, am_value x, const am_decoder_options *o);
    const void *context;             /* for such functions */
    const am_config *config;         /* these were read from */
    const am_feature_rows *features; /* among the embeddings, or null */
    am_value embedded;               /* what goes into the first layer, made by the member; AM_NONE: words */
};

/* What absent fields stand for; 0 means LlamaConfig's default. */
typedef struct am_decoder_defaults {
    int64_t vocab_size, hidden_size, intermediate_size, num_hidden_layers, num_attention_heads;
    int64_t num_key_value_heads; /* 0, and a null in the file: num_attention_heads */
    int64_t head_dim;            /* 0: hidden_size / num_attention_heads */
    int64_t max_position_embeddings;
    double partial_rotary_factor; /* 0: the whole head is rotated */
    double rms_norm_eps;          /* 0: 1e-6 */
    double rope_theta;            /* 0: 10000 */
    bool whole_heads;             /* partial_rotary_factor is not read: see am_rope_fields */
    bool own_theta;               /* the member reads rope_theta itself */
    bool tied;                    /* tie_word_embeddings */
    const char *own_activation;   /* a hidden_act that the member computes itself, with weights of its own */
    bool has_pad_token;
    int64_t pad_token_id; /* where has_pad_token; else none */
} am_decoder_defaults;

/* What a member's descriptor carries as its family: how its configuration differs from LlamaConfig, whose
   fields are read already. */
typedef struct am_decoder_family {
    am_decoder_defaults defaults;
    void (*adapt)(const am_config *c, am_decoder_options *o); /* null: nothing differs */
    const char *question_answering_prefix;                    /* of the body in ForQuestionAnswering; null: "model" */
} am_decoder_family;

/* A field that may be null: `fallback` where it is absent, 0 where it is null (no window, no cap). */
int64_t am_decoder_size_or_none(const am_config *c, const char *key, int64_t fallback);
double am_decoder_real_or_none(const am_config *c, const char *key, double fallback);

/* Marks sliding layers from layer_types ("sliding_attention", "full_attention"; others are an error), or
   where it is absent those from `first` on with every `period`-th left full (period 0: none). */
void am_decoder_read_sliding(const am_config *c, am_decoder_options *o, int64_t first, int64_t period);

/* down_proj(activation(gate_proj(x)) * up_proj(x)): x: [.., C] -> [.., C] through [.., inner]. */
am_value am_gated_mlp(am_builder *b, am_value x, int64_t inner, am_unary_fn activation, int bias);

/* LLaMA's attention; where there is a window, layers that see all have no positions (EXAONE 4). */
am_decoder_part am_decoder_windowed_positions;

/* LLaMA's parts, for members that use them in some layers only. */
am_decoder_part am_decoder_attention, am_decoder_mlp;

/* down_proj(activation(up_proj(x))), with biases where mlp_bias says so. */
am_decoder_part am_decoder_plain_mlp;

/* Attention with queries, keys and values kept within clip_qkv of the configuration, after their norms and before the
   rotation; LLaMA's where there is no such field (OLMo). */
am_decoder_part am_decoder_clipped_attention;

/* LayerNorm with and without a bias; the epsilon is rms_norm_eps. */
am_decoder_norm am_decoder_layer_norm, am_decoder_layer_norm_no_bias;

/* A member's options from its configuration, which may be a part of the file's (text_config); it is lent. */
am_decoder_options am_decoder_options_read(const am_config *c, const am_decoder_family *family);

/* Final hidden states [B, T, C] of the base model whose weights lie under `prefix` ("model" or ""). A class around it
   gives block_sequence_ids: I32 [B, T] where tokens see one another in both directions; see am_block_mask. */
am_value am_decoder_body(am_builder *b, const am_decoder_options *o, const char *prefix);

/* Builders for the rows of a member's table. */
void am_decoder_model(am_builder *b);
void am_decoder_for_causal_lm(am_builder *b);
void am_decoder_for_sequence_classification(am_builder *b);
void am_decoder_for_token_classification(am_builder *b);
void am_decoder_for_question_answering(am_builder *b);

#endif
