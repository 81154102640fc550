/* Zamba (arXiv 2405.16712): Mamba layers, each mixer of several heads; before some of them one shared transformer block
   reads what goes in beside the embeddings. transformers: models/zamba/modeling_zamba.py */
#include "models/blocks/attention.h"
#include "models/blocks/state_space.h"

#include <math.h>
#include <string.h>

typedef struct mamba {
    int64_t channels, heads, state_size, kernel, rank;
    int bias, conv_bias;
    am_unary_fn activation;
} mamba;

typedef struct zamba {
    const am_config *config;
    int64_t hidden_size, intermediate_size, layers;
    bool shared; /* tie_word_embeddings: else each block has weights of its own */
    double eps;
    am_unary_fn activation;
    mamba mamba;
    am_attention_options attention;
    am_value embeddings;
} zamba;

/* layers_block_type, or the third layer and those at attn_layer_offset of each period behind it. */
static bool is_hybrid(const am_config *c, int layer)
{
    const char *key = am_config_either(c, "layers_block_type", "layer_types");
    if (!am_config_has(c, key))
        return layer == 2 || (layer > 2 && (layer - 3) % am_config_size(c, "attn_layer_period", 6) ==
                                               am_config_count(c, "attn_layer_offset", 4));
    const char *type = am_config_list_text(c, key, layer);
    bool hybrid = type && strcmp(type, "hybrid") == 0;
    if (!hybrid && (!type || (strcmp(type, "linear_attention") != 0 && strcmp(type, "mamba") != 0)))
        am_config_unsupported(c, key, "type \"%s\" of layer %d is not supported", type ? type : "(none)", layer);
    return hybrid;
}

static mamba read_mamba(const am_config *c, int64_t C)
{
    mamba m = {.channels = am_config_size(c, "mamba_expand", 2) * C,
               .heads = am_config_size(c, "n_mamba_heads", 2),
               .state_size = am_config_size(c, "mamba_d_state", 16),
               .kernel = am_config_size(c, "mamba_d_conv", 4),
               .rank = am_time_step_rank(c, "mamba_dt_rank", C),
               .bias = am_config_flag(c, "mamba_proj_bias", false),
               .conv_bias = am_config_flag(c, "mamba_conv_bias", true),
               .activation = am_config_activation(c, "hidden_mamba_act", AM_SILU)};
    am_config_check_divides(c, "n_mamba_heads", m.heads, "hidden_size", m.channels);
    return m;
}

static am_attention_options read_attention(am_builder *b, const am_config *c, int64_t C)
{
    am_attention_options o = {.heads = am_config_size(c, "num_attention_heads", 16), .causal = true};
    o.kv_heads = am_config_size(c, "num_key_value_heads", 16);
    o.head_dim = am_config_size(c, am_config_either(c, "attention_head_dim", "head_dim"), 2 * C / o.heads);
    o.scale = 1 / sqrt((double)o.head_dim / 2);
    o.mask = am_packed_mask(b, am_padding_mask(b, "attention_mask"), "position_ids");
    am_config_check_divides(c, "num_key_value_heads", o.kv_heads, "num_attention_heads", o.heads);
    return o;
}

static am_value f32_weight(am_builder *b, const char *name, am_shape shape)
{
    return am_cast(b, am_weight(b, name, shape), AM_F32);
}

/* x: [B, H, T, P] -> [B, T, H, P] and back */
static am_value swap_heads(am_builder *b, am_value x)
{
    return am_permute(b, x, am_shape_of(0, 2, 1, 3));
}

/* Each head has projections of its own; gate and input stand side by side, number by number. */
static am_value mixer(am_builder *b, am_value x, const mamba *m)
{
    int64_t C = am_dim(b, x, -1), D = m->channels, H = m->heads, P = D / H, N = m->state_size, R = m->rank;
    am_value both = am_linear(b, "in_proj", am_mask_padding_states(b, x), 2 * D, m->bias);
    am_value gate = am_slice_step(b, both, -1, 1, AM_SLICE_END, 2);
    x = am_slice_step(b, both, -1, 0, AM_SLICE_END, 2);
    x = am_causal_convolution(b, "conv1d", x, m->kernel, m->conv_bias, m->activation);
    x = am_mask_padding_states(b, x);
    am_value heads = swap_heads(b, am_split_heads(b, x, H));
    am_value selected = am_matmul(b, heads, f32_weight(b, "x_proj_weight", am_shape_of(H, R + 2 * N, P)), false, true);
    am_value step = am_matmul(b, am_slice(b, selected, -1, 0, R), f32_weight(b, "dt_proj_weight", am_shape_of(H, P, R)),
                              false, true);
    step = am_add(b, swap_heads(b, step), f32_weight(b, "dt_proj_bias", am_shape_of(H, P)));
    am_value in = swap_heads(b, am_slice(b, selected, -1, R, R + N)),
             out = swap_heads(b, am_slice(b, selected, -1, R + N, R + 2 * N));
    am_value rates = am_unary(b, AM_NEG, am_unary(b, AM_EXP, f32_weight(b, "A_log", am_shape_of(H, P, N))));
    am_value skip = am_reshape(b, f32_weight(b, "D", am_shape_of(H, P)), am_shape_of(D));
    am_value y = am_selective_scan(b, x, am_unary(b, AM_SOFTPLUS, am_merge_heads(b, step)),
                                   am_reshape(b, rates, am_shape_of(D, N)), in, out, skip);
    return am_linear(b, "out_proj", am_gated_activation(b, AM_SILU, gate, y), C, m->bias);
}

/* What the block gives for x beside the embeddings: its weights lie in the first hybrid layer, `home`, its keys and
   values in the layer where it stands. */
static am_value shared_block(am_builder *b, am_value x, const zamba *z, int home, int layer)
{
    const am_attention_options *o = &z->attention;
    am_scope(b, "layers.%d.shared_transf", home);
    x = am_rms_norm(b, "input_layernorm", am_concat2(b, x, z->embeddings, -1), z->eps, 0);
    am_scope(b, "self_attn");
    am_value q = am_split_heads(b, am_linear(b, "q_proj", x, o->heads * o->head_dim, AM_NO_BIAS), o->heads),
             k = am_split_heads(b, am_linear(b, "k_proj", x, o->kv_heads * o->head_dim, AM_NO_BIAS), o->kv_heads),
             v = am_split_heads(b, am_linear(b, "v_proj", x, o->kv_heads * o->head_dim, AM_NO_BIAS), o->kv_heads);
    am_end_scope(b);
    am_end_scope(b);
    am_scope(b, "layers.%d", layer);
    x = am_attend(b, q, k, v, o);
    am_end_scope(b);
    am_scope(b, "layers.%d.shared_transf", home);
    x = am_linear(b, "self_attn.o_proj", x, z->hidden_size, AM_NO_BIAS);
    x = am_rms_norm(b, "pre_ff_layernorm", x, z->eps, 0);
    am_value gate = am_linear(b, "feed_forward.gate_proj", x, z->intermediate_size, AM_NO_BIAS),
             up = am_linear(b, "feed_forward.up_proj", x, z->intermediate_size, AM_NO_BIAS);
    x = am_gated_activation(b, z->activation, gate, up);
    x = am_linear(b, "feed_forward.down_proj", x, z->hidden_size, AM_NO_BIAS);
    am_end_scope(b);
    return x;
}

/* x + mamba(norm(x + more)); more may be AM_NONE. */
static am_value mamba_layer(am_builder *b, am_value x, am_value more, const zamba *z)
{
    am_value h = am_rms_norm(b, "input_layernorm", more.id ? am_add(b, x, more) : x, z->eps, 0);
    am_scope(b, "mamba");
    h = mixer(b, h, &z->mamba);
    am_end_scope(b);
    return am_add(b, x, h);
}

static am_value layer(am_builder *b, am_value x, const zamba *z, int index)
{
    bool hybrid = is_hybrid(z->config, index);
    int home = 0;
    while (hybrid && home < index && (!z->shared || !is_hybrid(z->config, home))) home++;
    am_value more = hybrid ? shared_block(b, x, z, home, index) : AM_NONE;
    am_scope(b, "layers.%d", index);
    if (hybrid) more = am_linear(b, "linear", more, z->hidden_size, AM_NO_BIAS);
    am_scope(b, "%s", hybrid ? "mamba_decoder" : "");
    x = mamba_layer(b, x, more, z);
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

static am_value body(am_builder *b, const char *prefix)
{
    const am_config *c = am_model_config(b);
    int64_t C = am_config_size(c, "hidden_size", 3712);
    zamba z = {.config = c,
               .hidden_size = C,
               .intermediate_size = am_config_size(c, "intermediate_size", 14848),
               .layers = am_config_count(c, "num_hidden_layers", 76),
               .shared = am_config_flag(c, "tie_word_embeddings", true),
               .eps = am_config_real(c, "rms_norm_eps", 1e-5),
               .activation = am_config_activation(c, "hidden_act", AM_GELU),
               .mamba = read_mamba(c, C),
               .attention = read_attention(b, c, C)};
    am_scope(b, "%s", prefix);
    am_value x = z.embeddings = am_causal_words(b, "embed_tokens", C);
    for (int i = 0; i < z.layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "hidden_states", i, x);
        x = layer(b, x, &z, i);
    }
    x = am_rms_norm(b, "final_layernorm", x, z.eps, 0);
    am_output_hidden_state(b, "hidden_states", (int)z.layers, x);
    am_end_scope(b);
    return x;
}

static const am_architecture architectures[] = {
    {"ZambaModel", am_causal_model, "feature-extraction", 0},
    {"ZambaForCausalLM", am_causal_for_causal_lm, "text-generation", AM_GENERATES},
    {"ZambaForSequenceClassification", am_causal_for_sequence_classification, "text-classification", 0},
    {0},
};

static const am_causal_family family = {.body = body,
                                        .vocab_size = 32000,
                                        .has_pad_token = true,
                                        .prefix = "model",
                                        .embedding = "model.embed_tokens.weight"};

const am_model_type am_model_zamba = {
    .name = "zamba", .base_prefix = "model", .architectures = architectures, .family = &family};
