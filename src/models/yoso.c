/* YOSO: BERT's layers with attention by locality sensitive hashing: what a key weighs is the chance that its hash is
   that of the query, (1 - angle / pi) to the power of the hash's bits. transformers: models/yoso/modeling_yoso.py */
#include "models/blocks/own_attention.h"

static am_bert_options options(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_bert_options o = am_own_attention_options(c, 50265, 4096);
    o.type_vocab_size = am_config_size(c, "type_vocab_size", 1);
    if (!am_config_flag(c, "use_expectation", true))
        am_config_unsupported(c, "use_expectation", "false is not supported: hashes drawn at random, by a CUDA kernel");
    return o;
}

/* x over its length: torch.nn.functional.normalize along the last axis */
static am_value unit(am_builder *b, am_value x)
{
    am_value length = am_unary(b, AM_SQRT, am_reduce_last(b, AM_REDUCE_SUM, am_unary(b, AM_SQUARE, x)));
    return am_div(b, x, am_binary_number(b, AM_MAX, length, 1e-12));
}

/* The chance that hashes of so many bits are the same, from the cosine of the angle between. */
static am_value collision(am_builder *b, am_value cosine, int64_t bits)
{
    am_value inside = am_binary_number(b, AM_MIN, am_binary_number(b, AM_MAX, cosine, -1), 1);
    am_value turn = am_mul_number(b, am_unary(b, AM_ACOS, inside), -1 / 3.14159265358979323846);
    return am_binary_number(b, AM_POW, am_add_number(b, turn, 1), (double)bits);
}

/* The input attention_mask: [B, T, 1, 1], or AM_NONE */
static am_value mask_of(am_builder *b)
{
    am_value mask = am_flat_input(b, "attention_mask");
    if (!mask.id) return AM_NONE;
    return am_reshape(b, am_cast(b, mask, AM_F32), am_shape_of(am_dim(b, mask, 0), am_dim(b, mask, 1), 1, 1));
}

/* What the attention of the class makes of it: made for masks of 0 and -10000, it keeps all of one of 1 and 0. */
static am_value zero_unattended(am_builder *b, am_value x, am_value mask)
{
    if (!mask.id) return x;
    return am_mul(b, x, am_unary(b, AM_TRUNC, am_add_number(b, am_binary_number(b, AM_DIV, mask, 10000), 1)));
}

/* q, k, v: [B, T, H, D] -> [B, T, H, D] */
static am_value attend(am_builder *b, const am_value qkv[3], int64_t bits, am_value mask)
{
    am_value q = am_transpose(b, unit(b, qkv[0]), 1, 2), k = am_transpose(b, unit(b, qkv[1]), 1, 2);
    am_value v = am_transpose(b, zero_unattended(b, qkv[2], mask), 1, 2);
    am_value weights = collision(b, am_matmul(b, q, k, false, true), bits);
    am_value seen = am_transpose(b, am_matmul(b, weights, v, false, false), 1, 2);
    return unit(b, zero_unattended(b, seen, mask));
}

static am_value attention(am_builder *b, am_value x, const am_bert_options *o)
{
    const am_config *c = am_model_config(b);
    am_value qkv[3], mask = mask_of(b);
    am_own_attention_heads(b, x, o->num_attention_heads, qkv);
    am_value y = attend(b, qkv, am_config_size(c, "hash_code_len", 9), mask);
    if (am_config_has(c, "conv_window")) {
        am_value v = mask.id ? am_mul(b, qkv[2], mask) : qkv[2];
        y = am_add(b, y, am_own_attention_convolution(b, v, am_config_size(c, "conv_window", 1)));
    }
    return am_merge_heads(b, y);
}

static const am_architecture architectures[] = {
    {"YosoModel", am_text_model, "feature-extraction", 0},
    {"YosoForMaskedLM", am_own_attention_for_masked_lm, "fill-mask", 0},
    {"YosoForSequenceClassification", am_own_attention_for_sequence_classification, "text-classification", 0},
    {"YosoForMultipleChoice", am_text_for_multiple_choice, NULL, 0},
    {"YosoForTokenClassification", am_text_for_token_classification, "token-classification", 0},
    {"YosoForQuestionAnswering", am_text_for_question_answering, "question-answering", 0},
    {0},
};

static const am_own_attention_family family = {
    .text = {.prefix = "yoso", .body = am_own_attention_body, .pooled = am_own_attention_pooled},
    .options = options,
    .attention = attention};

const am_model_type am_model_yoso = {
    .name = "yoso", .base_prefix = "yoso", .architectures = architectures, .family = &family};
