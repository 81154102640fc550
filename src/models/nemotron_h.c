/* Nemotron-H (arXiv 2504.03624): layers of one part each: Mamba 2, attention without positions, an MLP, or a mixture of
   experts, which may work on a narrower projection. transformers: models/nemotron_h/modeling_nemotron_h.py */
#include "models/blocks/attention.h"
#include "models/blocks/experts.h"
#include "models/blocks/state_space.h"

#include <math.h>
#include <string.h>

typedef enum part { MAMBA, ATTENTION, MLP, MIXTURE } part;

typedef struct nemotron {
    const am_config *config;
    int64_t hidden_size, layers;
    double eps;
    am_unary_fn activation; /* of MLPs */
    int mlp_bias;
    am_mamba2_options mamba;
    am_attention_options attention;
} nemotron;

static const char *types_key(const am_config *c)
{
    return am_config_either(c, "layers_block_type", "layer_types");
}

static am_json_string pattern_of(const am_config *c)
{
    return am_json_text(am_json_get(c->object, "hybrid_override_pattern"));
}

/* The list, a pattern of letters, or that of four layers which the class has. */
static int64_t layers_of(const am_config *c)
{
    const char *key = types_key(c);
    if (am_config_has(c, key)) return (int64_t)am_json_count(am_json_get(c->object, key));
    return am_config_has(c, "hybrid_override_pattern") ? (int64_t)pattern_of(c).length : 4;
}

static part part_of_name(const am_config *c, const char *name)
{
    static const char *const names[] = {"linear_attention", "full_attention", "mlp", "moe", "mamba", "attention"};
    static const part parts[] = {MAMBA, ATTENTION, MLP, MIXTURE, MAMBA, ATTENTION};
    for (int i = 0; name && i < 6; i++)
        if (strcmp(name, names[i]) == 0) return parts[i];
    am_config_fail(c, types_key(c), "type \"%s\" is not supported", name ? name : "(none)");
    return MLP;
}

static part part_of(const am_config *c, int layer)
{
    static const part usual[] = {MAMBA, MIXTURE, ATTENTION, MLP};
    static const char letters[] = "M*-E";
    if (am_config_has(c, types_key(c))) return part_of_name(c, am_config_list_text(c, types_key(c), layer));
    if (!am_config_has(c, "hybrid_override_pattern")) return usual[layer];
    const char *at = strchr(letters, pattern_of(c).bytes[layer]);
    if (at && *at) return (part)(at - letters);
    am_config_fail(c, "hybrid_override_pattern", "letter %d is none of %s", layer, letters);
    return MLP;
}

static int64_t size(const am_config *c, const char *key, const char *alias, int64_t fallback)
{
    return am_config_size(c, am_config_either(c, key, alias), fallback);
}

static am_mamba2_options mamba_options(const am_config *c, double eps)
{
    bool bias = am_config_flag(c, "use_bias", false);
    am_mamba2_options m = {
        .heads = am_config_size(c, "mamba_num_heads", 128),
        .head_dim = am_config_size(c, "mamba_head_dim", 64),
        .state_size = am_config_size(c, "ssm_state_size", 128),
        .groups = size(c, "n_groups", "mamba_n_groups", 8),
        .conv_kernel = size(c, "conv_kernel", "mamba_d_conv", 4),
        .bias = bias,
        .out_bias = bias,
        .conv_bias = am_config_flag(c, am_config_either(c, "use_conv_bias", "mamba_conv_bias"), true),
        .activation = am_config_activation(c, "mamba_hidden_act", AM_SILU),
        .time_step_min = am_config_real(c, am_config_either(c, "time_step_min", "mamba_dt_min"), 0.001),
        .time_step_max = INFINITY,
        .norm_eps = eps,
    };
    m.norm_groups = m.groups;
    am_config_check_divides(c, "n_groups", m.groups, "mamba_num_heads", m.heads);
    return m;
}

static am_attention_options attention_options(am_builder *b, const am_config *c)
{
    am_attention_options o = {.heads = am_config_size(c, "num_attention_heads", 32),
                              .head_dim = am_config_size(c, "head_dim", 128),
                              .out = "o_proj",
                              .no_q_bias = true,
                              .no_k_bias = true,
                              .no_v_bias = true,
                              .no_out_bias = true,
                              .causal = true};
    o.kv_heads = am_config_is_null(c, "num_key_value_heads") ? o.heads : am_config_size(c, "num_key_value_heads", 8);
    o.mask = am_packed_mask(b, am_padding_mask(b, "attention_mask"), "position_ids");
    am_config_check_divides(c, "num_key_value_heads", o.kv_heads, "num_attention_heads", o.heads);
    return o;
}

static am_value mlp(am_builder *b, am_value x, int64_t inner, const nemotron *n)
{
    x = am_linear_activation(b, "up_proj", x, inner, n->mlp_bias, n->activation);
    return am_linear(b, "down_proj", x, n->hidden_size, n->mlp_bias);
}

/* Weights and experts: [N, top_k] of x: [N, C]. */
static am_value choose(am_builder *b, am_value x, const am_config *c, int64_t count, am_value *out_experts)
{
    am_expert_routing_attributes routing = {.top_k = am_config_size(c, "num_experts_per_tok", 2),
                                            .groups = am_config_size(c, "n_group", 1),
                                            .group_top_k = am_config_size(c, "topk_group", 1),
                                            .sigmoid = true,
                                            .normalize = am_config_flag(c, "norm_topk_prob", true),
                                            .scale = am_config_real(c, "routed_scaling_factor", 1)};
    am_value bias = am_weight(b, "gate.e_score_correction_bias", am_shape_of(count));
    return am_expert_routing(b, am_linear(b, "gate", x, count, AM_NO_BIAS), bias, &routing, out_experts);
}

/* down(activation(up(x))) of each token's experts: x: [N, K] -> [N, K]. */
static am_value experts_of(am_builder *b, am_value x, am_value experts, am_value weights, int64_t count,
                           const nemotron *n)
{
    int64_t K = am_dim(b, x, 1), I = am_config_size(n->config, "moe_intermediate_size", 7688);
    am_value up = am_stacked_weights(b, "experts.", ".up_proj.weight", count, am_shape_of(I, K)),
             down = am_stacked_weights(b, "experts.", ".down_proj.weight", count, am_shape_of(K, I));
    am_value inner = am_unary(b, n->activation, am_grouped_matmul(b, x, experts, up, AM_NONE));
    return am_expert_sum(b, am_grouped_matmul(b, inner, experts, down, AM_NONE), weights);
}

static am_value mixture(am_builder *b, am_value x, const nemotron *n)
{
    const am_config *c = n->config;
    int64_t count = size(c, "n_routed_experts", "num_local_experts", 8);
    am_value experts, rows = am_flatten(b, x, 0, 1), weights = choose(b, rows, c, count, &experts);
    bool latent = am_config_has(c, "moe_latent_size");
    if (latent) rows = am_linear(b, "fc1_latent_proj", rows, am_config_size(c, "moe_latent_size", 1), n->mlp_bias);
    rows = experts_of(b, rows, experts, weights, count, n);
    if (latent) rows = am_linear(b, "fc2_latent_proj", rows, n->hidden_size, n->mlp_bias);
    am_scope(b, "shared_experts");
    am_value shared = mlp(b, x, am_config_size(c, "moe_shared_expert_intermediate_size", 7688), n);
    am_end_scope(b);
    return am_add(b, am_reshape(b, rows, am_shape_of_value(b, x)), shared);
}

static am_value layer(am_builder *b, am_value x, const void *context, int index)
{
    const nemotron *n = context;
    part kind = part_of(n->config, index);
    am_value h = am_rms_norm(b, "norm", x, n->eps, 0);
    am_scope(b, "mixer");
    if (kind == MAMBA) h = am_mamba2_mixer(b, h, &n->mamba);
    else if (kind == ATTENTION) h = am_self_attention(b, h, &n->attention);
    else if (kind == MIXTURE) h = mixture(b, h, n);
    else h = mlp(b, h, am_config_size(n->config, "intermediate_size", 21504), n);
    am_end_scope(b);
    return am_add(b, x, h);
}

static am_value body(am_builder *b, const char *prefix)
{
    const am_config *c = am_model_config(b);
    nemotron n = {.config = c,
                  .hidden_size = am_config_size(c, "hidden_size", 4096),
                  .layers = layers_of(c),
                  .eps = am_config_real(c, "layer_norm_epsilon", 1e-5),
                  .activation = am_config_activation(c, "mlp_hidden_act", AM_RELU2),
                  .mlp_bias = am_config_flag(c, "mlp_bias", false) ? AM_BIAS : AM_NO_BIAS};
    n.mamba = mamba_options(c, n.eps);
    n.attention = attention_options(b, c);
    am_scope(b, "%s", prefix);
    am_value x = am_causal_words(b, "embeddings", n.hidden_size);
    x = am_causal_layers(b, "layers", n.layers, x, layer, &n);
    x = am_rms_norm(b, "norm_f", x, n.eps, 0);
    am_output_hidden_state(b, "hidden_states", (int)n.layers, x);
    am_end_scope(b);
    return x;
}

static const am_architecture architectures[] = {
    {"NemotronHModel", am_causal_model, "feature-extraction", 0},
    {"NemotronHForCausalLM", am_causal_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_causal_family family = {.body = body,
                                        .vocab_size = 131072,
                                        .untied = true,
                                        .has_pad_token = true,
                                        .prefix = "backbone",
                                        .embedding = "backbone.embeddings.weight"};

const am_model_type am_model_nemotron_h = {
    .name = "nemotron_h", .base_prefix = "backbone", .architectures = architectures, .family = &family};
