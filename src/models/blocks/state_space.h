/* Selective state spaces: Mamba (arXiv 2312.00752) and Mamba 2 (arXiv 2405.21060), each a mixer of tokens whose memory
   is a state and the last tokens of a short convolution. */
#ifndef AM_MODELS_BLOCKS_STATE_SPACE_H
#define AM_MODELS_BLOCKS_STATE_SPACE_H

#include "models/blocks/causal.h"
#include "models/blocks/recurrent.h"

typedef struct am_mamba_options {
    int64_t intermediate_size, state_size, conv_kernel, time_step_rank;
    bool bias, conv_bias; /* of in_proj and out_proj, of conv1d */
    am_unary_fn activation;
    bool inner_norms;        /* RMSNorm of time step, B and C */
    bool inner_norm_weights; /* dt_layernorm, b_layernorm, c_layernorm: else those norms have no weights */
    double inner_norm_eps;
} am_mamba_options;

/* The field KEY that is a number or "auto": a sixteenth of C, rounded up. */
int64_t am_time_step_rank(const am_config *c, const char *key, int64_t C);

/* x: [B, T, C] -> [B, T, C]: in_proj, conv1d, selective scan, gate, out_proj. */
am_value am_mamba_mixer(am_builder *b, am_value x, const am_mamba_options *options);

/* y of the selective scan over x: [B, T, D] with its state "ssm", and x times D: [D]; delta: [B, T, D], A: [D, N], B,
   C: [B, T, N] or [B, T, G, N] -> [B, T, D]. */
am_value am_selective_scan(am_builder *b, am_value x, am_value delta, am_value A, am_value B, am_value C, am_value D);

typedef struct am_mamba2_options {
    int64_t heads, head_dim, state_size, groups, conv_kernel;
    bool bias, out_bias, conv_bias; /* of in_proj, of out_proj, of conv1d */
    am_unary_fn activation;
    double time_step_min, time_step_max; /* what time steps of whole sequences are limited to */
    bool gate_only;                      /* no norm before out_proj */
    bool norm_before_gate;               /* else the norm is of what the gate leaves */
    int64_t norm_groups;                 /* in each of which the norm is taken */
    double norm_eps;
    am_value in_scale; /* of what in_proj gives: [its size], or AM_NONE */
} am_mamba2_options;

/* The field time_step_limit, [min, max], into options; [0, infinity] where it is absent. */
void am_read_time_step_limit(const am_config *c, am_mamba2_options *options);

/* x: [B, T, C] -> [B, T, C] with heads that share a time step and groups of them that share B and C; computed step by
   step. */
am_value am_mamba2_mixer(am_builder *b, am_value x, const am_mamba2_options *options);

/* RMSNorm NAME of x: [B, T, C], taken in each of `groups` equal parts of C. */
am_value am_grouped_rms_norm(am_builder *b, const char *name, am_value x, int64_t groups, double eps);

/* Layers NAME.0 .. of a recurrent model: hidden_states.i is what layer i gives. */
am_value am_recurrent_layers(am_builder *b, const char *name, int64_t count, am_value x, am_causal_layer *layer,
                             const void *context);

/* Body of Mamba under `prefix`: embeddings, layers of x + mixer(norm(x)), norm_f: [B, T, C]. */
am_value am_state_space_body(am_builder *b, const char *prefix, int64_t C, int64_t layers,
                             am_value (*mixer)(am_builder *b, am_value x, const void *context), const void *context);

/* Options of MambaConfig. */
am_mamba_options am_mamba_options_read(const am_config *c, int64_t C);

/* Body of classes with that configuration. */
am_value am_mamba_body(am_builder *b, const char *prefix, const am_mamba_options *options, int64_t C);

#endif
