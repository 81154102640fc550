/* Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434): keys and values are made of one low-rank vector a token,
   which is what the cache keeps, beside one rotated key that all heads share. */
#ifndef AM_MODELS_BLOCKS_LATENT_ATTENTION_H
#define AM_MODELS_BLOCKS_LATENT_ATTENTION_H

#include "models/blocks/decoder.h"

typedef struct am_latent_attention {
    int64_t heads, q_lora_rank, kv_lora_rank; /* q_lora_rank 0: queries come from one projection */
    int64_t nope_dim, rope_dim, v_dim;        /* of a head: unrotated, rotated, values */
    bool bias;                                /* of the low-rank projections and the output */
    double scale;
    double norm_eps;                  /* of the low-rank vectors' norms; 0: 1e-6, whatever rms_norm_eps says */
    double query_scale, latent_scale; /* of queries, of the normed low-rank vector of keys and values; 0: 1 */
    double reach_beta;                /* see am_scale_by_reach; 0: queries are not scaled */
    int64_t reach_length;             /* of it */
    bool no_rope;                     /* nothing is rotated */
    am_value gate;                    /* [B, T, heads, 1 or v_dim] that attended values are multiplied by, or AM_NONE */
    am_value query;  /* query heads before the rotation, [B, T, heads, nope + rope], of a member that makes them */
    const char *out; /* null: o_proj */
} am_latent_attention;

/* What absent fields stand for. */
typedef struct am_latent_defaults {
    int64_t q_lora_rank; /* 0: none */
    int64_t kv_lora_rank, nope_dim, rope_dim;
    int64_t v_dim;   /* 0: C / heads */
    double theta;    /* 0: 10000 */
    bool whole_head; /* partial_rotary_factor is of the whole head, and says what part of it is rope_dim (Mistral 4) */
    int64_t max_position_embeddings;
} am_latent_defaults;

/* The fields of am_latent_attention_read with a member's defaults. */
am_latent_attention am_latent_attention_of(const am_config *c, am_decoder_options *options,
                                           const am_latent_defaults *defaults);

/* The fields q_lora_rank, kv_lora_rank, qk_nope_head_dim, qk_rope_head_dim, v_head_dim, attention_bias as
   DeepseekV3Config names and defaults them; the scale with yarn's mscale_all_dim. Points options->rope at the rotated
   part. */
am_latent_attention am_latent_attention_read(const am_config *c, am_decoder_options *options,
                                             int64_t max_position_embeddings);

/* The low-rank query of x: [B, T, C], normed: [B, T, q_lora_rank]; x itself where there is none. */
am_value am_latent_query(am_builder *b, am_value x, const am_latent_attention *options);

/* Attention of x: [B, T, C] whose low-rank query is `query`, with the mask, rotary tables and causality of `shared`:
   [B, T, C]. Weights q_proj or q_b_proj, kv_a_proj_with_mqa, kv_a_layernorm, kv_b_proj, o_proj below the scope. */
am_value am_latent_attend(am_builder *b, am_value x, am_value query, const am_latent_attention *options,
                          const am_attention_options *shared);

#endif
