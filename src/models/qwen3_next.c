/* Qwen3-Next: three layers of gated delta nets (arXiv 2412.06464), a linear attention whose state forgets and corrects
   what it holds, to one of attention with gated answers; a mixture of experts beside a gated one that answers always.
   transformers: models/qwen3_next/modeling_qwen3_next.py */
#include "models/blocks/decoder.h"
#include "models/blocks/experts.h"
#include "models/blocks/recurrent.h"

#include <math.h>
#include <string.h>

/* --- attention --- */

static am_value gated_attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    int bias = o->qkv_bias ? AM_BIAS : AM_NO_BIAS;
    int64_t H = o->num_attention_heads, G = o->num_key_value_heads, D = o->head_dim;
    am_value both = am_split_heads(b, am_linear(b, "q_proj", x, 2 * H * D, bias), H);
    am_value q = am_slice(b, both, -1, 0, D), gate = am_merge_heads(b, am_slice(b, both, -1, D, 2 * D));
    am_value k = am_split_heads(b, am_linear(b, "k_proj", x, G * D, bias), G);
    am_value v = am_split_heads(b, am_linear(b, "v_proj", x, G * D, bias), G);
    q = am_rope_apply(b, layer->attention->rope, am_rms_norm(b, "q_norm", q, o->rms_norm_eps, 1));
    k = am_rope_apply(b, layer->attention->rope, am_rms_norm(b, "k_norm", k, o->rms_norm_eps, 1));
    am_value y = am_gated_activation(b, AM_SIGMOID, gate, am_attend(b, q, k, v, layer->attention));
    return am_linear(b, "o_proj", y, o->hidden_size, bias);
}

/* --- gated delta net --- */

typedef struct delta_net {
    int64_t key_heads, value_heads, key_dim, value_dim, kernel;
} delta_net;

static delta_net read_delta_net(const am_config *c)
{
    delta_net n = {
        .key_heads = am_config_size(c, "linear_num_key_heads", 16),
        .value_heads = am_config_size(c, "linear_num_value_heads", 32),
        .key_dim = am_config_size(c, "linear_key_head_dim", 128),
        .value_dim = am_config_size(c, "linear_value_head_dim", 128),
        .kernel = am_config_size(c, "linear_conv_kernel_dim", 4),
    };
    am_config_check_divides(c, "linear_num_key_heads", n.key_heads, "linear_num_value_heads", n.value_heads);
    return n;
}

/* Elements first .. first + count - 1 of each key head of x: [B, T, key heads, ..], side by side: [B, T, -1]. */
static am_value of_heads(am_builder *b, am_value x, int64_t first, int64_t count)
{
    return am_merge_heads(b, am_slice(b, x, -1, first, first + count));
}

/* x: [B, T, key heads * K] -> [B, T, value heads, K]: unit vectors, each key head's for the value heads it serves. */
static am_value unit_heads(am_builder *b, am_value x, const delta_net *n)
{
    double K = (double)n->key_dim;
    am_norm_attributes norm = {.kind = AM_NORM_RMS, .eps = 1e-6 / K};
    x = am_norm_op(b, am_split_heads(b, x, n->key_heads), AM_NONE, AM_NONE, AM_NONE, AM_NONE, &norm);
    x = am_unsqueeze(b, am_mul_number(b, x, 1 / sqrt(K)), 3);
    am_shape shape = am_shape_of_value(b, x);
    shape.dims[3] = n->value_heads / n->key_heads;
    return am_flatten(b, am_broadcast(b, x, shape), 2, 3);
}

/* Logarithm of what the state keeps: -exp(A_log) softplus(a + dt_bias): [B, T, value heads]. */
static am_value decay(am_builder *b, am_value a, const delta_net *n)
{
    am_shape each = am_shape_of(n->value_heads);
    am_value bias = am_cast(b, am_weight(b, "dt_bias", each), AM_F32),
             rate = am_unary(b, AM_EXP, am_cast(b, am_weight(b, "A_log", each), AM_F32));
    return am_unary(b, AM_NEG, am_mul(b, rate, am_unary(b, AM_SOFTPLUS, am_add(b, a, bias))));
}

/* The recurrence over mixed: q, k and v side by side, with decay and beta: [B, T, value heads] -> [B, T, value heads,
   V]. */
static am_value recur(am_builder *b, am_value mixed, am_value log_decay, am_value beta, const delta_net *n)
{
    int64_t keys = n->key_heads * n->key_dim, values = n->value_heads * n->value_dim;
    am_value q = unit_heads(b, am_slice(b, mixed, -1, 0, keys), n),
             k = unit_heads(b, am_slice(b, mixed, -1, keys, 2 * keys), n),
             v = am_split_heads(b, am_slice(b, mixed, -1, 2 * keys, 2 * keys + values), n->value_heads);
    am_value before =
        am_recurrent_state(b, "state", am_shape_of(am_dim(b, v, 0), n->value_heads, n->key_dim, n->value_dim));
    am_value after, inputs[] = {am_mul_number(b, q, 1 / sqrt((double)n->key_dim)), k, v, log_decay, beta, before};
    am_value y = am_recurrence(b, inputs, 6, &(am_recurrence_attributes){.kind = AM_RECURRENCE_GATED_DELTA}, &after);
    am_recurrent_state_keep(b, before, after);
    return y;
}

static am_value gated_delta_net(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    delta_net n = read_delta_net(am_model_config(b));
    const am_decoder_options *o = layer->options;
    int64_t serves = n.value_heads / n.key_heads, K = n.key_dim, V = serves * n.value_dim, Hk = n.key_heads;
    x = am_mask_padding_states(b, x);
    am_value all = am_split_heads(b, am_linear(b, "in_proj_qkvz", x, Hk * (2 * K + 2 * V), AM_NO_BIAS), Hk);
    am_value ba = am_split_heads(b, am_linear(b, "in_proj_ba", x, Hk * 2 * serves, AM_NO_BIAS), Hk);
    am_value qkv[] = {of_heads(b, all, 0, K), of_heads(b, all, K, K), of_heads(b, all, 2 * K, V)};
    am_value z = am_split_heads(b, of_heads(b, all, 2 * K + V, V), n.value_heads);
    am_value mixed = am_causal_convolution(b, "conv1d", am_concat(b, qkv, 3, -1), n.kernel, AM_NO_BIAS, o->hidden_act);
    am_value beta = am_unary(b, AM_SIGMOID, of_heads(b, ba, 0, serves));
    am_value y = recur(b, mixed, decay(b, of_heads(b, ba, serves, serves), &n), beta, &n);
    y = am_gated_activation(b, AM_SILU, z, am_rms_norm(b, "norm", y, o->rms_norm_eps, 0));
    return am_linear(b, "out_proj", am_merge_heads(b, y), o->hidden_size, AM_NO_BIAS);
}

/* --- layers --- */

/* layer_types, or where there are none each but the full_attention_interval-th layer. */
static bool is_linear(const am_config *c, int layer)
{
    const char *type = am_config_list_text(c, "layer_types", layer);
    if (!am_config_has(c, "layer_types")) return (layer + 1) % am_config_size(c, "full_attention_interval", 4) != 0;
    bool linear = type && strcmp(type, "linear_attention") == 0;
    if (!linear && (!type || strcmp(type, "full_attention") != 0))
        am_config_fail(c, "layer_types", "type \"%s\" of layer %d is not supported", type ? type : "(none)", layer);
    return linear;
}

static am_value token_mixer(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    bool linear = is_linear(am_model_config(b), layer->index);
    am_scope(b, "%s", linear ? "linear_attn" : "self_attn");
    x = linear ? gated_delta_net(b, x, layer) : gated_attention(b, x, layer);
    am_end_scope(b);
    return x;
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_config *c = am_model_config(b);
    int64_t experts = am_config_count(c, "num_experts", 512);
    if (experts == 0 || !am_is_sparse_layer(c, layer->index)) return am_decoder_mlp(b, x, layer);
    am_mixture_options options = {
        .experts = {.count = experts,
                    .intermediate_size = am_config_size(c, "moe_intermediate_size", 512),
                    .activation = layer->options->hidden_act},
        .routing = {.top_k = am_config_size(c, "num_experts_per_tok", 10),
                    .normalize = am_config_flag(c, "norm_topk_prob", true)},
    };
    am_value shared =
        am_shared_expert(b, x, am_config_size(c, "shared_expert_intermediate_size", 512), layer->options->hidden_act);
    return am_add(b, am_mixture(b, x, &options), shared);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->norm_weight_offset = 1;
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->attention = token_mixer;
    o->attention_scope = "";
    o->mlp = mixture;
}

static const am_architecture architectures[] = {
    {"Qwen3NextModel", am_decoder_model, "feature-extraction", 0},
    {"Qwen3NextForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"Qwen3NextForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {"Qwen3NextForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
    {"Qwen3NextForQuestionAnswering", am_decoder_for_question_answering, "question-answering", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 151936,
                 .hidden_size = 2048,
                 .intermediate_size = 5632,
                 .num_hidden_layers = 48,
                 .num_attention_heads = 16,
                 .num_key_value_heads = 2,
                 .head_dim = 256,
                 .max_position_embeddings = 32768,
                 .partial_rotary_factor = 0.25},
    .adapt = adapt,
    .question_answering_prefix = "transformer",
};

const am_model_type am_model_qwen3_next = {
    .name = "qwen3_next", .base_prefix = "model", .architectures = architectures, .family = &family};
