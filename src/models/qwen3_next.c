/* Qwen3-Next: three layers of gated delta nets (arXiv 2412.06464), a linear attention whose state forgets and corrects
   what it holds, to one of attention with gated answers; a mixture of experts beside a gated one that answers always.
   transformers: models/qwen3_next/modeling_qwen3_next.py */
#include "models/blocks/delta_net.h"
#include "models/blocks/experts.h"
#include "models/blocks/recurrent.h"

/* Elements first .. first + count - 1 of each key head of x: [B, T, key heads, ..], side by side: [B, T, -1]. */
static am_value heads_part(am_builder *b, am_value x, int64_t first, int64_t count)
{
    return am_merge_heads(b, am_slice(b, x, -1, first, first + count));
}

static am_value gated_delta_net(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    am_delta_net n = am_delta_net_read(am_model_config(b));
    const am_decoder_options *o = layer->options;
    int64_t serves = n.value_heads / n.key_heads, K = n.key_dim, V = serves * n.value_dim, Hk = n.key_heads;
    x = am_mask_padding_states(b, x);
    am_value all = am_split_heads(b, am_linear(b, "in_proj_qkvz", x, Hk * (2 * K + 2 * V), AM_NO_BIAS), Hk);
    am_value ba = am_split_heads(b, am_linear(b, "in_proj_ba", x, Hk * 2 * serves, AM_NO_BIAS), Hk);
    am_value qkv[] = {heads_part(b, all, 0, K), heads_part(b, all, K, K), heads_part(b, all, 2 * K, V)};
    am_value z = am_split_heads(b, heads_part(b, all, 2 * K + V, V), n.value_heads);
    am_value mixed = am_causal_convolution(b, "conv1d", am_concat(b, qkv, 3, -1), n.kernel, AM_NO_BIAS, o->hidden_act);
    am_value beta = am_unary(b, AM_SIGMOID, heads_part(b, ba, 0, serves));
    am_value y = am_delta_recurrence(b, mixed, am_delta_decay(b, heads_part(b, ba, serves, serves), &n), beta, &n);
    y = am_gated_activation(b, AM_SILU, z, am_rms_norm(b, "norm", y, o->rms_norm_eps, 0));
    return am_linear(b, "out_proj", am_merge_heads(b, y), o->hidden_size, AM_NO_BIAS);
}

static am_value token_mixer(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    bool linear = am_is_linear_layer(am_model_config(b), layer->index);
    am_scope(b, "%s", linear ? "linear_attn" : "self_attn");
    x = linear ? gated_delta_net(b, x, layer) : am_gated_query_attention(b, x, layer);
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
