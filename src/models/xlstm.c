/* xLSTM (arXiv 2503.13427): layers of matrix memories, written by key and value under exponential gates, and of gated
   MLPs. transformers: models/xlstm/modeling_xlstm.py */
#include "models/blocks/decoder.h"
#include "models/blocks/state_space.h"

#include <math.h>

typedef struct xlstm {
    const am_config *config;
    int64_t hidden_size, heads, qk_size, v_size, ffn_size, layers;
    int bias;
    double norm_eps, eps, gate_cap;
} xlstm;

static xlstm read_options(const am_config *c)
{
    const char *size = am_config_either(c, "hidden_size", "embedding_dim");
    xlstm m = {
        .config = c,
        .hidden_size = am_config_size(c, size, 4096),
        .heads = am_config_size(c, "num_heads", 8),
        .layers = am_config_count(c, am_config_either(c, "num_hidden_layers", "num_blocks"), 32),
        .bias = am_config_flag(c, "use_bias", false),
        .norm_eps = am_config_real(c, "norm_eps", 1e-6),
        .eps = am_config_real(c, "eps", 1e-6),
        .gate_cap = am_decoder_real_or_none(c, "gate_soft_cap", 15),
    };
    double C = (double)m.hidden_size;
    if (!am_config_is(c, "weight_mode", "single") && am_config_has(c, "weight_mode"))
        am_config_unsupported(c, "weight_mode", "only \"single\" is supported");
    int64_t multiple = am_config_size(c, "ffn_round_up_to_multiple_of", 64);
    m.qk_size = (int64_t)(C * am_config_real(c, "qk_dim_factor", 0.5));
    m.v_size = (int64_t)(C * am_config_real(c, "v_dim_factor", 1));
    m.ffn_size =
        (int64_t)floor((C * am_config_real(c, "ffn_proj_factor", 2.667) + (double)multiple - 1) / (double)multiple) *
        multiple;
    am_config_check_divides(c, "num_heads", m.heads, "hidden_size times qk_dim_factor", m.qk_size);
    am_config_check_divides(c, "num_heads", m.heads, "hidden_size times v_dim_factor", m.v_size);
    return m;
}

/* RMSNorm NAME, with a bias where the others have one. */
static am_value norm(am_builder *b, const char *name, am_value x, const xlstm *m)
{
    x = am_rms_norm(b, name, x, m->norm_eps, 0);
    if (!m->bias) return x;
    am_scope(b, "%s", name);
    x = am_add(b, x, am_cast(b, am_weight(b, "bias", am_shape_of(am_dim(b, x, -1))), AM_F32));
    am_end_scope(b);
    return x;
}

/* LayerNorm of each head of x: [B, T, H, D] -> [B, T, H * D], then the weights of all. */
static am_value head_norm(am_builder *b, am_value x, const xlstm *m)
{
    x = am_norm_op(b, x, AM_NONE, AM_NONE, AM_NONE, AM_NONE,
                   &(am_norm_attributes){.kind = AM_NORM_LAYER, .eps = m->norm_eps});
    am_scope(b, "multihead_norm");
    x = am_mul(b, am_merge_heads(b, x), am_cast(b, am_weight(b, "weight", am_shape_of(m->v_size)), AM_F32));
    if (m->bias) x = am_add(b, x, am_cast(b, am_weight(b, "bias", am_shape_of(m->v_size)), AM_F32));
    am_end_scope(b);
    return x;
}

/* Input and forget gates before their activations: [B, T, H]. */
static void gates(am_builder *b, am_value x, const xlstm *m, am_value *in, am_value *forget)
{
    int64_t H = m->heads;
    am_value before[] = {am_linear(b, "igate_preact", x, H, AM_BIAS), am_linear(b, "fgate_preact", x, H, AM_BIAS)};
    for (int i = 0; i < 2 && m->gate_cap != 0; i++) before[i] = am_soft_cap(b, before[i], m->gate_cap);
    *in = before[0];
    *forget = am_unary(b, AM_LOG_SIGMOID, before[1]);
}

/* h = exp(fade) h + x over time: x: [B, T, H, K, V], fade: [B, T, H]. */
static am_value faded_sum(am_builder *b, const char *name, am_value x, am_value fade)
{
    am_shape shape = am_shape_of_value(b, x);
    am_value state =
        am_recurrent_state(b, name, am_shape_of(shape.dims[0], shape.dims[2], shape.dims[3], shape.dims[4]));
    am_value rate = am_unsqueeze(b, am_unsqueeze(b, am_unary(b, AM_EXP, fade), -1), -1);
    am_value after, inputs[] = {x, am_broadcast(b, rate, shape), state};
    am_value h = am_recurrence(b, inputs, 3, &(am_recurrence_attributes){.kind = AM_RECURRENCE_LINEAR}, &after);
    am_recurrent_state_keep(b, state, after);
    return h;
}

/* The largest exponent before (T rows) and behind each step: m' = max(m + forget, in): [B, T + 1, H]. The sum of what
   was forgotten is taken away, so that a running maximum finds it. */
static am_value exponents(am_builder *b, am_value in, am_value forget, const xlstm *m)
{
    int64_t B = am_dim(b, in, 0), T = am_dim(b, in, 1);
    am_value state = am_recurrent_state(b, "exponent", am_shape_of(B, 1, m->heads));
    am_value sum = am_pad_zero(b, am_scan(b, AM_REDUCE_SUM, forget, 1, false, false), 1, 1, 0);
    am_value all = am_sub(b, am_concat2(b, state, in, 1), sum);
    all = am_add(b, am_scan(b, AM_REDUCE_MAX, all, 1, false, false), sum);
    am_recurrent_state_keep(b, state, am_slice(b, all, 1, T, T + 1));
    return all;
}

/* What queries read from the memory, in units of exp(largest exponent): heads [B, T, H, D] -> [B, T, H, V]. */
static am_value read_memory(am_builder *b, am_value q, am_value k, am_value v, am_value in, am_value forget,
                            const xlstm *m)
{
    int64_t T = am_dim(b, q, 1);
    am_value all = exponents(b, in, forget, m);
    am_value before = am_slice(b, all, 1, 0, T), behind = am_slice(b, all, 1, 1, T + 1);
    am_value fade = am_sub(b, am_add(b, forget, before), behind);
    am_value weight = am_unary(b, AM_EXP, am_sub(b, in, behind));
    k = am_unsqueeze(b, am_mul(b, k, am_unsqueeze(b, weight, -1)), -1);
    am_value memory = faded_sum(b, "memory", am_mul(b, k, am_unsqueeze(b, v, 3)), fade),
             keys = faded_sum(b, "keys", k, fade);
    q = am_unsqueeze(b, am_mul_number(b, q, 1 / sqrt((double)am_dim(b, q, -1))), 3);
    am_value found = am_matmul(b, q, memory, false, false), norm = am_matmul(b, q, keys, false, false);
    am_value least = am_unary(b, AM_EXP, am_unary(b, AM_NEG, behind));
    am_value size = am_binary(b, AM_MAX, am_unary(b, AM_ABS, norm), am_unsqueeze(b, am_unsqueeze(b, least, -1), -1));
    return am_squeeze(b, am_div(b, found, am_add_number(b, size, m->eps)), 3);
}

static am_value mlstm(am_builder *b, am_value x, const xlstm *m)
{
    am_value in, forget, gate = am_linear(b, "ogate_preact", x, m->v_size, m->bias);
    am_value q = am_split_heads(b, am_linear(b, "q", x, m->qk_size, m->bias), m->heads),
             k = am_split_heads(b, am_linear(b, "k", x, m->qk_size, m->bias), m->heads),
             v = am_split_heads(b, am_linear(b, "v", x, m->v_size, m->bias), m->heads);
    gates(b, x, m, &in, &forget);
    am_value y = read_memory(b, q, k, v, in, forget, m);
    y = am_gated_activation(b, AM_SIGMOID, gate, head_norm(b, y, m));
    return am_linear(b, "out_proj", y, m->hidden_size, m->bias);
}

static am_value feed_forward(am_builder *b, am_value x, const xlstm *m)
{
    am_value gate = am_linear(b, "proj_up_gate", x, m->ffn_size, m->bias),
             up = am_linear(b, "proj_up", x, m->ffn_size, m->bias);
    return am_linear(b, "proj_down", am_gated_activation(b, AM_SILU, gate, up), m->hidden_size, m->bias);
}

static am_value layer(am_builder *b, am_value x, const void *context, int index)
{
    const xlstm *m = context;
    (void)index;
    am_value h = norm(b, "norm_mlstm", x, m);
    am_scope(b, "mlstm_layer");
    x = am_add(b, x, mlstm(b, h, m));
    am_end_scope(b);
    h = norm(b, "norm_ffn", x, m);
    am_scope(b, "ffn");
    x = am_add(b, x, feed_forward(b, h, m));
    am_end_scope(b);
    return x;
}

static am_value body(am_builder *b, const char *prefix)
{
    xlstm m = read_options(am_model_config(b));
    am_scope(b, "%s", prefix);
    am_value x = am_causal_words(b, "embeddings", m.hidden_size);
    x = am_causal_layers(b, "blocks", m.layers, x, layer, &m);
    x = am_rms_norm(b, "out_norm", x, m.norm_eps, 0); /* whatever add_out_norm and use_bias say */
    am_output_hidden_state(b, "hidden_states", (int)m.layers, x);
    am_end_scope(b);
    return x;
}

static void for_causal_lm(am_builder *b)
{
    double cap = am_decoder_real_or_none(am_model_config(b), "output_logit_soft_cap", 30);
    am_value logits = am_causal_logits(b, body(b, "backbone"));
    am_output(b, "logits", cap != 0 ? am_soft_cap(b, logits, cap) : logits);
}

static const am_architecture architectures[] = {
    {"xLSTMModel", am_causal_model, "feature-extraction", 0},
    {"xLSTMForCausalLM", for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_causal_family family = {
    .body = body, .vocab_size = 50304, .untied = true, .prefix = "backbone", .embedding = "backbone.embeddings.weight"};

const am_model_type am_model_xlstm = {
    .name = "xlstm", .base_prefix = "backbone", .architectures = architectures, .family = &family};
