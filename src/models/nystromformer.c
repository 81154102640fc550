/* Nystromformer: BERT's layers whose softmax of all to all is approximated by that of landmarks, means of segments
   of the text (Nystrom method): softmax(q k'^T) times the pseudo-inverse of softmax(q' k'^T) times softmax(q' k^T) v,
   where ' marks landmarks. A convolution over the values is added. transformers:
   models/nystromformer/modeling_nystromformer.py */
#include "models/blocks/own_attention.h"

#include <math.h>

static am_bert_options options(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_bert_options o = am_own_attention_options(c, 30000, 510);
    o.hidden_act = am_config_activation(c, "hidden_act", AM_GELU_TANH);
    o.layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-5);
    if (am_config_flag(c, "inv_coeff_init_option", false))
        am_config_unsupported(c, "inv_coeff_init_option", "true is not supported: nor does the class run with it");
    return o;
}

/* [N, N] */
static am_value identity(am_builder *b, int64_t N)
{
    am_value row = am_iota(b, AM_I32, am_shape_of(N, 1), 0, 0, 1),
             column = am_iota(b, AM_I32, am_shape_of(1, N), 1, 0, 1);
    return am_cast(b, am_binary(b, AM_EQUAL, row, column), AM_F32);
}

/* scale * I - x */
static am_value from_identity(am_builder *b, double scale, am_value x)
{
    return am_sub(b, am_mul_number(b, identity(b, am_dim(b, x, -1)), scale), x);
}

/* Pseudo-inverse of x: [B, H, L, L] by six steps of an iteration of third order (Razavi et al. 2014). It starts from
   the transpose over the largest column sum of all. */
static am_value pseudo_inverse(am_builder *b, am_value x)
{
    am_value largest =
        am_reduce(b, AM_REDUCE_MAX, am_reduce(b, AM_REDUCE_SUM, x, am_shape_of(2), false), am_shape_of(0, 1, 2), false);
    am_value y = am_mul(b, am_unary(b, AM_RECIPROCAL, largest), am_transpose(b, x, 2, 3));
    for (int i = 0; i < 6; i++) {
        am_value xy = am_matmul(b, x, y, false, false);
        am_value inner = am_matmul(b, xy, from_identity(b, 7, xy), false, false);
        inner = from_identity(b, 13, am_matmul(b, xy, from_identity(b, 15, inner), false, false));
        y = am_matmul(b, am_mul_number(b, y, 0.25), inner, false, false);
    }
    return y;
}

/* Means of `count` segments of x: [B, T, H, D] -> [B, count, H, D] */
static am_value landmarks(am_builder *b, am_value x, int64_t count)
{
    am_shape s = am_shape_of_value(b, x);
    am_value segments = am_reshape(b, x, am_shape_of(s.dims[0], count, s.dims[1] / count, s.dims[2], s.dims[3]));
    return am_reduce(b, AM_REDUCE_MEAN, segments, am_shape_of(2), false);
}

static am_value attend(am_builder *b, am_value q, am_value k, am_value v, am_value mask)
{
    am_attention_inputs inputs = {.q = q, .k = k, .v = v, .mask = mask};
    return am_attention_op(b, &inputs, &(am_attention_attributes){0});
}

/* How landmarks attend to landmarks: q, k: [B, L, H, D] -> [B, H, L, L] */
static am_value weights(am_builder *b, am_value q, am_value k)
{
    am_value scores = am_matmul(b, am_transpose(b, q, 1, 2), am_transpose(b, k, 1, 2), false, true);
    return am_softmax(b, am_mul_number(b, scores, 1 / sqrt((double)am_dim(b, q, 3))), -1);
}

static am_value approximate(am_builder *b, const am_value qkv[3], int64_t count, am_value mask)
{
    am_value q = landmarks(b, qkv[0], count), k = landmarks(b, qkv[1], count);
    am_value seen = am_transpose(b, attend(b, q, qkv[1], qkv[2], mask), 1, 2);
    seen = am_matmul(b, pseudo_inverse(b, weights(b, q, k)), seen, false, false);
    return attend(b, qkv[0], k, am_transpose(b, seen, 1, 2), AM_NONE);
}

static void check_length(am_builder *b, int64_t T, int64_t count, int64_t segments)
{
    if (T != segments / count * count)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "%lld tokens: with %lld landmarks it must be segment_means_seq_len, %lld",
                                    (long long)T, (long long)count, (long long)segments));
}

static am_value attention(am_builder *b, am_value x, const am_bert_options *o)
{
    const am_config *c = am_model_config(b);
    int64_t count = am_config_size(c, "num_landmarks", 64), segments = am_config_size(c, "segment_means_seq_len", 64);
    am_value qkv[3], mask = am_flat_padding_mask(b), y;
    am_own_attention_heads(b, x, o->num_attention_heads, qkv);
    if (count == segments) {
        y = attend(b, qkv[0], qkv[1], qkv[2], mask);
    } else {
        check_length(b, am_dim(b, x, 1), count, segments);
        y = approximate(b, qkv, count, mask);
    }
    int64_t kernel = am_config_size(c, "conv_kernel_size", 65);
    y = am_add(b, y, am_own_attention_convolution(b, qkv[2], kernel));
    return am_merge_heads(b, y);
}

static const am_architecture architectures[] = {
    {"NystromformerModel", am_text_model, "feature-extraction", 0},
    {"NystromformerForMaskedLM", am_own_attention_for_masked_lm, "fill-mask", 0},
    {"NystromformerForSequenceClassification", am_own_attention_for_sequence_classification, "text-classification", 0},
    {"NystromformerForMultipleChoice", am_text_for_multiple_choice, NULL, 0},
    {"NystromformerForTokenClassification", am_text_for_token_classification, "token-classification", 0},
    {"NystromformerForQuestionAnswering", am_text_for_question_answering, "question-answering", 0},
    {0},
};

static const am_own_attention_family family = {
    .text = {.prefix = "nystromformer", .body = am_own_attention_body, .pooled = am_own_attention_pooled},
    .options = options,
    .attention = attention};

const am_model_type am_model_nystromformer = {
    .name = "nystromformer", .base_prefix = "nystromformer", .architectures = architectures, .family = &family};
