/* Zamba2 (arXiv 2411.15242): Mamba 2 layers; before some of them one of a few shared transformer blocks reads what
   goes in beside the embeddings, with low-rank adapters of each place where it stands. transformers:
   models/zamba2/modeling_zamba2.py */
#include "models/blocks/attention.h"
#include "models/blocks/state_space.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The norm in the mixer does not follow rms_norm_eps. */
static const double MIXER_EPS = 1e-5;

enum { PATH_LIMIT = 64 };

typedef struct zamba {
    const am_config *config;
    int64_t hidden_size, intermediate_size, layers, blocks, adapter_rank;
    double eps;
    am_unary_fn activation;
    bool bias;
    am_mamba2_options mamba;
    am_attention_options attention;
    am_rope rope;
    am_value embeddings;
} zamba;

/* One shared block at one of its places. */
typedef struct place {
    int number; /* among the hybrid layers */
    int home;   /* the layer that has the weights of the block */
} place;

/* layers_block_type, or that of the 2.7B model. */
static bool is_hybrid(const am_config *c, int layer)
{
    if (!am_config_has(c, "layers_block_type"))
        return (layer % 6 == 0 && layer > 0 && layer <= 42) || layer == 47 || layer == 51;
    const char *type = am_config_list_text(c, "layers_block_type", layer);
    bool hybrid = type && strcmp(type, "hybrid") == 0;
    if (!hybrid && (!type || (strcmp(type, "linear_attention") != 0 && strcmp(type, "mamba") != 0)))
        am_config_unsupported(c, "layers_block_type", "type \"%s\" of layer %d is not supported",
                              type ? type : "(none)", layer);
    return hybrid;
}

/* Blocks take turns. */
static place place_of(const zamba *z, int layer)
{
    place p = {0};
    for (int i = 0; i < layer; i++) p.number += is_hybrid(z->config, i);
    int turn = p.number % (int)z->blocks;
    while (!is_hybrid(z->config, p.home) || turn-- > 0) p.home++;
    return p;
}

static am_mamba2_options mamba_options(const am_config *c, int64_t C, int bias)
{
    am_mamba2_options m = {
        .heads = am_config_size(c, "n_mamba_heads", 8),
        .state_size = am_config_size(c, "mamba_d_state", 64),
        .groups = am_config_size(c, "mamba_ngroups", 1),
        .conv_kernel = am_config_size(c, "mamba_d_conv", 4),
        .bias = bias,
        .out_bias = bias,
        .conv_bias = true,
        .activation = AM_SILU,
        .time_step_min = am_config_real(c, "time_step_min", 0.001),
        .time_step_max = INFINITY,
        .norm_eps = MIXER_EPS,
    };
    int64_t D = am_config_size(c, "mamba_expand", 2) * C;
    m.head_dim = am_config_size(c, "mamba_headdim", D / m.heads);
    m.norm_groups = m.groups;
    am_config_check_divides(c, "mamba_ngroups", m.groups, "n_mamba_heads", m.heads);
    if (m.head_dim * m.heads != D)
        am_config_fail(c, "mamba_headdim", "%lld heads of %lld do not make %lld", (long long)m.heads,
                       (long long)m.head_dim, (long long)D);
    return m;
}

static am_attention_options attention_options(am_builder *b, const am_config *c, int64_t C)
{
    am_attention_options o = {.heads = am_config_size(c, "num_attention_heads", 32), .causal = true};
    o.kv_heads = am_config_size(c, "num_key_value_heads", o.heads);
    o.head_dim = am_config_size(c, am_config_either(c, "attention_head_dim", "head_dim"), 2 * C / o.heads);
    o.scale = 1 / sqrt((double)o.head_dim / 2);
    o.mask = am_packed_mask(b, am_padding_mask(b, "attention_mask"), "position_ids");
    am_config_check_divides(c, "num_key_value_heads", o.kv_heads, "num_attention_heads", o.heads);
    return o;
}

static zamba read_options(am_builder *b, const am_config *c)
{
    int64_t C = am_config_size(c, "hidden_size", 2560);
    zamba z = {
        .config = c,
        .hidden_size = C,
        .intermediate_size = am_config_size(c, "intermediate_size", 4 * C),
        .layers = am_config_count(c, "num_hidden_layers", 54),
        .blocks = am_config_size(c, "num_mem_blocks", 1),
        .adapter_rank = am_config_size(c, "adapter_rank", 128),
        .eps = am_config_real(c, "rms_norm_eps", 1e-5),
        .activation = am_config_activation(c, "hidden_act", AM_GELU),
        .bias = am_config_flag(c, "add_bias_linear", false),
    };
    z.mamba = mamba_options(c, C, z.bias);
    z.attention = attention_options(b, c, C);
    if (am_config_flag(c, "use_long_context", false))
        am_config_unsupported(c, "use_long_context", "positions beyond max_position_embeddings are not supported");
    return z;
}

/* x through NAME.number.0 and NAME.number.1, whose answer is narrow in between. */
static am_value adapter(am_builder *b, const char *name, const place *p, am_value x, int64_t out, int64_t rank)
{
    am_scope(b, "%s.%d", name, p->number);
    x = am_linear(b, "1", am_linear(b, "0", x, rank, AM_NO_BIAS), out, AM_NO_BIAS);
    am_end_scope(b);
    return x;
}

static am_value projected(am_builder *b, const char *letter, am_value x, int64_t heads, const zamba *z, const place *p)
{
    char name[PATH_LIMIT];
    int64_t out = heads * z->attention.head_dim;
    snprintf(name, sizeof name, "%s_proj", letter);
    am_value y = am_linear(b, name, x, out, AM_NO_BIAS);
    snprintf(name, sizeof name, "linear_%s_adapter_list", letter);
    if (am_config_flag(z->config, "use_shared_attention_adapter", false))
        y = am_add(b, y, adapter(b, name, p, x, out, z->adapter_rank));
    return am_split_heads(b, y, heads);
}

/* Queries, keys and values of the block for x beside the embeddings: [B, T, heads, head_dim]. */
static void block_heads(am_builder *b, am_value x, const zamba *z, const place *p, am_value out[3])
{
    x = am_rms_norm(b, "input_layernorm", am_concat2(b, x, z->embeddings, -1), z->eps, 0);
    am_scope(b, "self_attn");
    out[0] = projected(b, "q", x, z->attention.heads, z, p);
    out[1] = projected(b, "k", x, z->attention.kv_heads, z, p);
    out[2] = projected(b, "v", x, z->attention.kv_heads, z, p);
    am_end_scope(b);
    for (int i = 0; i < 2 && z->rope.cos.id; i++) out[i] = am_rope_apply(b, &z->rope, out[i]);
}

static am_value feed_forward(am_builder *b, am_value x, const zamba *z, const place *p)
{
    int64_t inner = z->intermediate_size;
    am_value both = am_linear(b, "gate_up_proj", x, 2 * inner, z->bias);
    both = am_add(b, both, adapter(b, "gate_up_proj_adapter_list", p, x, 2 * inner, z->adapter_rank));
    am_value gate = am_slice(b, both, -1, 0, inner), up = am_slice(b, both, -1, inner, 2 * inner);
    return am_linear(b, "down_proj", am_gated_activation(b, z->activation, gate, up), z->hidden_size, z->bias);
}

/* What the shared block gives: its weights lie in one layer, its keys and values in the layer where it stands. */
static am_value shared_block(am_builder *b, am_value x, const zamba *z, int layer)
{
    am_value qkv[3];
    place p = place_of(z, layer);
    am_scope(b, "layers.%d.shared_transformer", p.home);
    block_heads(b, x, z, &p, qkv);
    am_end_scope(b);
    am_scope(b, "layers.%d", layer);
    x = am_attend(b, qkv[0], qkv[1], qkv[2], &z->attention);
    am_end_scope(b);
    am_scope(b, "layers.%d.shared_transformer", p.home);
    x = am_linear(b, "self_attn.o_proj", x, z->hidden_size, AM_NO_BIAS);
    x = am_rms_norm(b, "pre_ff_layernorm", x, z->eps, 0);
    am_scope(b, "feed_forward");
    x = feed_forward(b, x, z, &p);
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

/* x + mamba(norm(x + more)); more may be AM_NONE. */
static am_value mamba_layer(am_builder *b, am_value x, am_value more, const zamba *z)
{
    am_value h = am_rms_norm(b, "input_layernorm", more.id ? am_add(b, x, more) : x, z->eps, 0);
    am_scope(b, "mamba");
    h = am_mamba2_mixer(b, h, &z->mamba);
    am_end_scope(b);
    return am_add(b, x, h);
}

static am_value layer(am_builder *b, am_value x, const zamba *z, int index)
{
    bool hybrid = is_hybrid(z->config, index);
    am_value more = hybrid ? shared_block(b, x, z, index) : AM_NONE;
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
    zamba z = read_options(b, c);
    am_scope(b, "%s", prefix);
    am_value x = z.embeddings = am_causal_words(b, "embed_tokens", z.hidden_size);
    if (am_config_flag(c, "use_mem_rope", false)) {
        am_rope_config rope = am_rope_config_read(c, NULL, z.attention.head_dim, 10000, 1, 4096);
        z.rope = am_rope_tables(b, &rope, am_dim(b, x, 1));
    }
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
    {"Zamba2Model", am_causal_model, "feature-extraction", 0},
    {"Zamba2ForCausalLM", am_causal_for_causal_lm, "text-generation", AM_GENERATES},
    {"Zamba2ForSequenceClassification", am_causal_for_sequence_classification, "text-classification", 0},
    {0},
};

static const am_causal_family family = {.body = body,
                                        .vocab_size = 32000,
                                        .has_pad_token = true,
                                        .prefix = "model",
                                        .embedding = "model.embed_tokens.weight"};

const am_model_type am_model_zamba2 = {
    .name = "zamba2", .base_prefix = "model", .architectures = architectures, .family = &family};
