/* Mixtures of experts: a router gives each token a few of many MLPs, whose answers are summed by weight. */
#ifndef AM_MODELS_BLOCKS_EXPERTS_H
#define AM_MODELS_BLOCKS_EXPERTS_H

#include "models/blocks/layers.h"

typedef struct am_experts_options {
    int64_t count, intermediate_size;
    am_unary_fn activation;
    int64_t first;                /* N of the first of them */
    const char *gate, *up, *down; /* an expert's weights below experts.N; null: gate_proj, up_proj, down_proj */
    bool packed;  /* all experts' in one, experts.gate_up_proj: [count, 2 I, C], experts.down_proj: [count, C, I], or
                     with their last two dimensions the other way round; so, too, where the file has these */
    double limit; /* see am_gate_of_limited */
} am_experts_options;

typedef struct am_mixture_options {
    am_experts_options experts;
    am_expert_routing_attributes routing;
    const char *router;          /* null: gate */
    const char *correction_bias; /* weight [count] below the gate that only the choice looks at, or null */
    bool bias_beside_gate;       /* it stands beside the gate, not below */
} am_mixture_options;

/* The weights BEFORE0AFTER, BEFORE1AFTER .. below the scope, each of that shape, as one: [count, shape..]. */
am_value am_stacked_weights(am_builder *b, const char *before, const char *after, int64_t count, am_shape shape);

/* Answers of each token's experts, summed: answers: [N, S, C], weights: [N, S] -> [N, C]. */
am_value am_expert_sum(am_builder *b, am_value answers, am_value weights);

/* down(activation(gate(x)) * up(x)) of each token's experts, summed by weight: x: [N, C], experts: I32 [N, S], weights:
   [N, S]; gate, up: [E, I, C], down: [E, C, I] -> [N, C]. */
am_value am_gated_experts(am_builder *b, am_value x, am_value experts, am_value weights, am_value gate, am_value up,
                          am_value down, am_unary_fn activation);

/* The same of the weights experts.N below the scope: x: [N, C] -> [N, C]. For members with a choice of their own. */
am_value am_chosen_experts(am_builder *b, am_value x, am_value experts, am_value weights,
                           const am_experts_options *options);

/* NAME.weight: [count, rows, K], all experts in one, applied to each row's experts: x: [N, K] or [N, S, K], experts:
   I32 [N, S] -> [N, S, rows]. */
am_value am_stacked_experts(am_builder *b, const char *name, am_value x, am_value experts, int64_t count, int64_t rows);

/* Router and gated experts below the scope: x: [B, T, C] -> [B, T, C]. */
am_value am_mixture(am_builder *b, am_value x, const am_mixture_options *options);

/* shared_expert of every token, weighed by the sigmoid of shared_expert_gate (Qwen2 MoE): x: [B, T, C] -> [B, T, C]. */
am_value am_shared_expert(am_builder *b, am_value x, int64_t intermediate_size, am_unary_fn activation);

/* DeepSeek's mixture: experts chosen within groups by sigmoid scores and a correction bias, and shared experts beside
   them. Reads n_routed_experts, num_experts_per_tok, n_group, topk_group, norm_topk_prob, routed_scaling_factor,
   moe_intermediate_size and n_shared_experts as DeepseekV3Config names and defaults them. */
am_value am_deepseek_mixture(am_builder *b, am_value x, am_unary_fn activation);

/* What members call and default these fields. */
typedef struct am_deepseek_fields {
    const char *experts, *experts_alias; /* n_routed_experts, num_experts; an alias may be null */
    const char *shared;                  /* n_shared_experts; null: there are none */
    int64_t count, intermediate_size, top_k, groups, group_top_k;
    double scale;
    bool bias_beside_gate;                               /* see am_mixture_options */
    bool softmax;                                        /* scores are a softmax, and no bias looks at the choice */
    bool always_normalized;                              /* norm_topk_prob is not read */
    bool not_normalized;                                 /* what an absent norm_topk_prob stands for */
    const char *scale_key;                               /* null: routed_scaling_factor */
    const char *gate, *up, *down;                        /* see am_experts_options */
    const char *router, *correction_bias, *shared_scope; /* null: gate, e_score_correction_bias, shared_experts */
    bool packed;                                         /* see am_experts_options */
    bool ungrouped;                                      /* n_group and topk_group are not read */
    bool kimi_names; /* other names of the same: moe_renormalize, num_expert_group, num_experts_per_token */
} am_deepseek_fields;

/* The same of a member. */
am_value am_deepseek_mixture_of(am_builder *b, am_value x, am_unary_fn activation, const am_deepseek_fields *fields);

/* Mixtral's mixture below the scope: x: [B, T, C] -> [B, T, C]. Reads num_local_experts and num_experts_per_tok as
   MixtralConfig names and defaults them. */
am_value am_mixtral_mixture(am_builder *b, am_value x, int64_t intermediate_size, am_unary_fn activation);

/* Whether a layer has a mixture: "sparse" of mlp_layer_types, or where that is absent one from `dense` on. */
bool am_is_mixture_layer(const am_config *c, int layer, int64_t dense);

/* Whether a layer is a decoder_sparse_step-th one that mlp_only_layers does not list (Qwen2 MoE and after). */
bool am_is_sparse_layer(const am_config *c, int layer);

#endif
