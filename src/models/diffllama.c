/* DiffLlama: LLaMA with differential attention (arXiv 2410.05258): the first half of the query heads minus lambda times
   the second, each reading both halves of the values; normed by pairs of heads. transformers:
   models/diffllama/modeling_diffllama.py */
#include "models/blocks/decoder.h"

#include <math.h>

/* exp(sum(a * b)) of two vectors: [1]. */
static am_value lambda_part(am_builder *b, const char *q, const char *k, int64_t D)
{
    am_value product = am_mul(b, am_weight(b, q, am_shape_of(D)), am_weight(b, k, am_shape_of(D)));
    return am_unary(b, AM_EXP, am_reduce(b, AM_REDUCE_SUM, product, am_shape_of(0), true));
}

/* Heads of the half `index` of v: [B, S, G, D], twice in a row. */
static am_value repeat_half(am_builder *b, am_value v, int64_t index)
{
    int64_t half = am_dim(b, v, 2) / 2;
    v = am_slice(b, v, 2, index * half, (index + 1) * half);
    return am_concat(b, (am_value[]){v, v}, 2, 2);
}

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    const am_attention_options *shared = layer->attention;
    double start = 0.8 - 0.6 * exp(-0.3 * layer->index);
    int64_t H = o->num_attention_heads, D = o->head_dim;
    am_value qkv[3], halves[2];
    am_attention_heads(b, x, shared, qkv);
    am_value k = am_cache_append(b, "key", qkv[1]), v = am_cache_append(b, "value", qkv[2]);
    for (int i = 0; i < 2; i++) halves[i] = am_attend_cached(b, qkv[0], k, repeat_half(b, v, i), shared);
    am_value heads = am_concat(b, halves, 2, -1); /* [B, T, H, 2 * D] */
    am_value lambda = am_add_number(
        b, am_sub(b, lambda_part(b, "lambda_q1", "lambda_k1", D), lambda_part(b, "lambda_q2", "lambda_k2", D)), start);
    am_value second = am_mul(b, am_slice(b, heads, 2, H / 2, H), lambda);
    heads = am_sub(b, am_slice(b, heads, 2, 0, H / 2), second);
    am_norm_attributes norm = {.kind = AM_NORM_RMS, .eps = o->rms_norm_eps};
    heads = am_norm_op(b, heads, AM_NONE, AM_NONE, AM_NONE, AM_NONE, &norm);
    x = am_merge_heads(b, am_mul_number(b, heads, 1 - start));
    return am_linear(b, "o_proj", x, o->hidden_size, o->out_bias ? AM_BIAS : AM_NO_BIAS);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->attention = attention;
    am_config_check_divides(c, "2", 2, "num_key_value_heads", o->num_key_value_heads);
}

static const am_architecture architectures[] = {
    {"DiffLlamaModel", am_decoder_model, "feature-extraction", 0},
    {"DiffLlamaForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"DiffLlamaForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {"DiffLlamaForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
    {"DiffLlamaForQuestionAnswering", am_decoder_for_question_answering, "question-answering", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.hidden_size = 2048, .intermediate_size = 8192, .num_hidden_layers = 16, .rms_norm_eps = 1e-5},
    .adapt = adapt,
    .question_answering_prefix = "transformer",
};

const am_model_type am_model_diffllama = {
    .name = "diffllama", .base_prefix = "model", .architectures = architectures, .family = &family};
