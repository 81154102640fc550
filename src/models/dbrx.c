/* DBRX: LayerNorm without bias, one projection for clipped queries, keys and values, and a mixture of gated experts
   whose weights are stored one below the other. transformers: models/dbrx/modeling_dbrx.py */
#include "models/blocks/attention.h"
#include "models/blocks/experts.h"
#include "models/blocks/heads.h"

typedef struct dbrx_config {
    int64_t vocab_size, d_model, n_heads, n_layers, kv_n_heads;
    double clip_qkv; /* 0: none */
    int64_t ffn_hidden_size, moe_num_experts, moe_top_k;
    am_unary_fn activation;
    bool normalize, tied;
    am_rope_config rope;
} dbrx_config;

static const double EPS = 1e-5;

static void read_ffn(const am_config *c, dbrx_config *d)
{
    am_config ffn = am_config_child(c, "ffn_config"), act = am_config_child(&ffn, "ffn_act_fn");
    double norm = am_config_real(&ffn, "moe_normalize_expert_weights", 1);
    d->ffn_hidden_size = am_config_size(&ffn, "ffn_hidden_size", 3584);
    d->moe_num_experts = am_config_size(&ffn, "moe_num_experts", 4);
    d->moe_top_k = am_config_size(&ffn, "moe_top_k", 1);
    d->activation = am_config_activation(&act, "name", AM_SILU);
    d->normalize = !am_config_is_null(&ffn, "moe_normalize_expert_weights");
    if (d->normalize && norm != 1)
        am_config_fail(&ffn, "moe_normalize_expert_weights", "norm %g is not supported, only 1 and null", norm);
}

static dbrx_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config attn = am_config_child(c, "attn_config");
    dbrx_config d = {
        .vocab_size = am_config_size(c, "vocab_size", 32000),
        .d_model = am_config_size(c, am_config_either(c, "d_model", "hidden_size"), 2048),
        .n_heads = am_config_size(c, am_config_either(c, "n_heads", "num_attention_heads"), 16),
        .n_layers = am_config_count(c, am_config_either(c, "n_layers", "num_hidden_layers"), 24),
        .kv_n_heads = am_config_size(&attn, "kv_n_heads", 1),
        .clip_qkv = am_config_real(&attn, "clip_qkv", 0),
        .tied = am_config_flag(c, "tie_word_embeddings", false),
    };
    am_config_check_divides(c, "n_heads", d.n_heads, "d_model", d.d_model);
    am_config_check_divides(c, "kv_n_heads", d.kv_n_heads, "n_heads", d.n_heads);
    read_ffn(c, &d);
    d.rope = am_rope_config_read(c, NULL, d.d_model / d.n_heads, am_config_real(&attn, "rope_theta", 10000), 1,
                                 am_config_size(c, "max_seq_len", 2048));
    return d;
}

static am_value attention(am_builder *b, am_value x, const dbrx_config *c, const am_rope *rope, am_value mask)
{
    int64_t D = c->d_model / c->n_heads, H = c->n_heads, G = c->kv_n_heads;
    am_attention_options options = {.causal = true, .mask = mask};
    am_scope(b, "attn");
    x = am_linear(b, "Wqkv", x, (H + 2 * G) * D, AM_NO_BIAS);
    if (c->clip_qkv != 0) x = am_binary_number(b, AM_MAX, am_binary_number(b, AM_MIN, x, c->clip_qkv), -c->clip_qkv);
    x = am_split_heads(b, x, H + 2 * G);
    am_value q = am_rope_apply(b, rope, am_slice(b, x, 2, 0, H)),
             k = am_rope_apply(b, rope, am_slice(b, x, 2, H, H + G));
    x = am_attend(b, q, k, am_slice(b, x, 2, H + G, H + 2 * G), &options);
    x = am_linear(b, "out_proj", x, c->d_model, AM_NO_BIAS);
    am_end_scope(b);
    return x;
}

/* Experts' weights, [E * I, C] in the file: [E, I, C]. */
static am_value expert_weight(am_builder *b, const char *name, const dbrx_config *c)
{
    am_value rows = am_weight(b, name, am_shape_of(c->moe_num_experts * c->ffn_hidden_size, c->d_model));
    return am_reshape(b, rows, am_shape_of(c->moe_num_experts, c->ffn_hidden_size, c->d_model));
}

static am_value mixture(am_builder *b, am_value x, const dbrx_config *c)
{
    am_expert_routing_attributes routing = {.top_k = c->moe_top_k, .normalize = c->normalize};
    am_value experts, rows = am_flatten(b, x, 0, 1);
    am_scope(b, "ffn");
    am_value logits = am_linear(b, "router.layer", rows, c->moe_num_experts, AM_NO_BIAS);
    am_value weights = am_expert_routing(b, logits, AM_NONE, &routing, &experts);
    am_scope(b, "experts.mlp");
    am_value gate = expert_weight(b, "w1", c), up = expert_weight(b, "v1", c);
    am_value down = am_permute(b, expert_weight(b, "w2", c), am_shape_of(0, 2, 1));
    am_value y = am_gated_experts(b, rows, experts, weights, gate, up, down, c->activation);
    am_end_scope(b);
    am_end_scope(b);
    return am_reshape(b, y, am_shape_of_value(b, x));
}

static am_value block(am_builder *b, am_value x, const dbrx_config *c, const am_rope *rope, am_value mask)
{
    am_scope(b, "norm_attn_norm");
    x = am_add(b, x, attention(b, am_layer_norm_no_bias(b, "norm_1", x, EPS), c, rope, mask));
    am_value normed = am_layer_norm_no_bias(b, "norm_2", x, EPS);
    am_end_scope(b);
    return am_add(b, x, mixture(b, normed, c));
}

/* prefix "transformer" in classes with heads, "" in DbrxModel itself. -> [B, T, C] */
static am_value body(am_builder *b, const dbrx_config *c, const char *prefix)
{
    am_value mask = am_packed_mask(b, am_padding_mask(b, "attention_mask"), "position_ids");
    am_scope(b, "%s", prefix);
    am_value x = am_input_embeddings(b, "wte", c->vocab_size, c->d_model);
    am_rope rope = am_rope_tables(b, &c->rope, am_dim(b, x, 1));
    for (int i = 0; i < c->n_layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "hidden_states", i, x);
        am_scope(b, "blocks.%d", i);
        x = block(b, x, c, &rope, mask);
        am_end_scope(b);
    }
    x = am_layer_norm_no_bias(b, "norm_f", x, EPS);
    am_output_hidden_state(b, "hidden_states", (int)c->n_layers, x);
    am_end_scope(b);
    return x;
}

static void dbrx_model(am_builder *b)
{
    dbrx_config c = read_config(b);
    am_output(b, "last_hidden_state", body(b, &c, ""));
}

static void for_causal_lm(am_builder *b)
{
    dbrx_config c = read_config(b);
    am_value x = body(b, &c, "transformer");
    am_output(b, "logits", am_lm_head(b, "lm_head", x, c.vocab_size, c.tied, "transformer.wte.weight", AM_NO_BIAS));
}

static const am_architecture architectures[] = {
    {"DbrxModel", dbrx_model, "feature-extraction", 0},
    {"DbrxForCausalLM", for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

const am_model_type am_model_dbrx = {.name = "dbrx", .base_prefix = "transformer", .architectures = architectures};
