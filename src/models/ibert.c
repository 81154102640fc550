/* I-BERT: RoBERTa in integer arithmetic. Where quant_mode is set, weights, activations and the steps of gelu,
   softmax and layer norm are rounded as an integer machine would, carrying a scale beside every value. Computed in
   double, since the integers have up to 32 bits. transformers: models/ibert/modeling_ibert.py, quant_modules.py */
#include "models/blocks/text_classes.h"

#include <math.h>
#include <string.h>

static am_bert_options options(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_bert_options o = am_bert_options_read(c);
    const char *dequantized = am_config_text(c, "force_dequant", "none");
    o.positions_after_pad = am_pad_token(c, 1);
    o.is_decoder = false;
    if (o.hidden_act != AM_GELU) am_config_unsupported(c, "hidden_act", "this class has gelu only");
    if (strcmp(dequantized, "none") != 0)
        am_config_unsupported(c, "force_dequant", "\"%s\" is not supported", dequantized);
    return o;
}

/* A value and what one step of its integers is worth: x = integer * scale; scale: [1] or one a channel. */
typedef struct quantized {
    am_value x, scale;
} quantized;

/* --- arithmetic --- */

static am_value round_of(am_builder *b, am_value x)
{
    return am_unary(b, AM_ROUND, x);
}

static am_value floor_of(am_builder *b, am_value x)
{
    return am_unary(b, AM_FLOOR, x);
}

static am_value clamp(am_builder *b, am_value x, double low, double high)
{
    return am_binary_number(b, AM_MIN, am_binary_number(b, AM_MAX, x, low), high);
}

/* number / x */
static am_value over(am_builder *b, double number, am_value x)
{
    return am_mul_number(b, am_unary(b, AM_RECIPROCAL, x), number);
}

static double largest(int bits)
{
    return ldexp(1, bits - 1) - 1;
}

static am_value wide_weight(am_builder *b, const char *name, am_shape shape)
{
    return am_cast(b, am_weight(b, name, shape), AM_F64);
}

/* Step of signed integers of so many bits that reach as far as low and high. */
static am_value step(am_builder *b, am_value low, am_value high, int bits)
{
    am_value reach = am_binary(b, AM_MAX, am_unary(b, AM_ABS, low), am_unary(b, AM_ABS, high));
    return am_mul_number(b, am_binary_number(b, AM_MAX, reach, 1e-8), 1 / largest(bits));
}

/* --- layers: a quantized value in, one out --- */

/* QuantAct: the sum of x and `other` (which may be none) in integers of so many bits, whose range the file has. */
static quantized requantize(am_builder *b, const char *name, quantized in, const quantized *other, int bits)
{
    am_scope(b, "%s", name);
    am_value scale = step(b, wide_weight(b, "x_min", am_shape_of(1)), wide_weight(b, "x_max", am_shape_of(1)), bits);
    am_end_scope(b);
    am_value sum = round_of(b, am_mul(b, round_of(b, am_div(b, in.x, in.scale)), am_div(b, in.scale, scale)));
    if (other)
        sum = am_add(
            b, sum,
            round_of(b, am_mul(b, round_of(b, am_div(b, other->x, other->scale)), am_div(b, other->scale, scale))));
    sum = clamp(b, sum, -largest(bits) - 1, largest(bits));
    return (quantized){am_mul(b, sum, scale), scale};
}

/* QuantEmbedding: one step for the whole table of 8 bits. */
static quantized embedding(am_builder *b, const char *name, am_value ids, int64_t rows, int64_t C)
{
    am_scope(b, "%s", name);
    am_value table = wide_weight(b, "weight", am_shape_of(rows, C));
    am_end_scope(b);
    am_shape all = am_shape_of(0, 1);
    am_value scale =
        step(b, am_reduce(b, AM_REDUCE_MIN, table, all, false), am_reduce(b, AM_REDUCE_MAX, table, all, false), 8);
    am_value integers = clamp(b, round_of(b, am_div(b, table, scale)), -largest(8), largest(8) - 1);
    return (quantized){am_mul(b, am_gather(b, integers, ids, 0, false), scale), am_reshape(b, scale, am_shape_of(1))};
}

/* QuantLinear: a step for every row of the weight, 8 bits; the bias in 32. x: [B, T, K] -> [B, T, out] */
static quantized linear(am_builder *b, const char *name, quantized in, int64_t out)
{
    am_scope(b, "%s", name);
    am_value weight = wide_weight(b, "weight", am_shape_of(out, am_dim(b, in.x, -1)));
    am_value bias = wide_weight(b, "bias", am_shape_of(out));
    am_end_scope(b);
    am_value row_scale = step(b, am_reduce_last(b, AM_REDUCE_MIN, weight), am_reduce_last(b, AM_REDUCE_MAX, weight), 8);
    am_value integers = clamp(b, round_of(b, am_div(b, weight, row_scale)), -largest(8), largest(8) - 1);
    am_value scale = am_mul(b, am_reshape(b, row_scale, am_shape_of(out)), in.scale);
    am_value offset = clamp(b, round_of(b, am_div(b, bias, scale)), -largest(32), largest(32) - 1);
    am_value sum = am_matmul(b, am_div(b, in.x, in.scale), integers, false, true);
    return (quantized){am_mul(b, am_add(b, sum, offset), scale), scale};
}

/* IntLayerNorm, Newton's square root being exact here. */
static quantized layer_norm(am_builder *b, const char *name, quantized in)
{
    int64_t C = am_dim(b, in.x, -1);
    am_scope(b, "%s", name);
    am_value weight = wide_weight(b, "weight", am_shape_of(C)), bias = wide_weight(b, "bias", am_shape_of(C));
    am_value shift = wide_weight(b, "shift", am_shape_of(1));
    am_end_scope(b);
    am_value unit = am_unary(b, AM_EXP, am_mul_number(b, shift, log(2)));
    am_value x = am_div(b, in.x, in.scale);
    am_value y = am_sub(b, x, round_of(b, am_reduce_last(b, AM_REDUCE_MEAN, x)));
    am_value squares = am_unary(b, AM_SQUARE, floor_of(b, am_div(b, y, unit)));
    am_value deviation = am_mul(b, floor_of(b, am_unary(b, AM_SQRT, am_reduce_last(b, AM_REDUCE_SUM, squares))), unit);
    am_value factor = floor_of(b, over(b, ldexp(1, 31), deviation));
    double scale = sqrt((double)C) / ldexp(1, 30);
    y = floor_of(b, am_mul_number(b, am_mul(b, y, factor), 0.5));
    y = am_add(b, y, floor_of(b, am_mul_number(b, am_div(b, bias, weight), 1 / scale)));
    am_value scales = am_mul_number(b, weight, scale);
    return (quantized){am_mul(b, y, scales), scales};
}

/* IntGELU: erf by a polynomial of second degree. */
static quantized gelu(am_builder *b, quantized in)
{
    static const double A = -0.2888, B = -1.769, K = 1.4142;
    am_value x = am_div(b, in.x, in.scale), s = am_mul_number(b, in.scale, 1 / K);
    am_value s2 = am_unary(b, AM_SQUARE, s);
    am_value linear_term = floor_of(b, over(b, B, s)), constant = floor_of(b, over(b, 1 / A, s2));
    am_value size = am_binary(b, AM_MIN, am_unary(b, AM_ABS, x), am_unary(b, AM_NEG, linear_term));
    am_value erf = am_add(b, am_unary(b, AM_SQUARE, am_add(b, size, linear_term)), constant);
    erf = floor_of(b, am_mul_number(b, am_mul(b, am_unary(b, AM_SIGN, x), erf), ldexp(1, -14)));
    am_value erf_scale = am_mul_number(b, s2, A * ldexp(1, 14));
    x = am_mul(b, x, am_add(b, erf, floor_of(b, over(b, 1, erf_scale))));
    am_value scale = am_mul_number(b, am_mul(b, in.scale, erf_scale), 0.5);
    return (quantized){am_mul(b, x, scale), scale};
}

/* The exponential of integers x <= 0, by powers of two and a polynomial; *scale is theirs, then the result's. */
static am_value exponential(am_builder *b, am_value x, am_value *scale)
{
    static const double A = 0.35815147, B = 0.96963238, LN2 = 0.6931, BITS = 30;
    am_value s2 = am_unary(b, AM_SQUARE, *scale), ln2 = floor_of(b, over(b, -LN2, *scale));
    x = am_binary(b, AM_MAX, x, am_mul_number(b, ln2, BITS));
    am_value halvings = floor_of(b, am_div(b, x, ln2)), rest = am_sub(b, x, am_mul(b, ln2, halvings));
    am_value y = am_mul(b, am_add(b, rest, floor_of(b, over(b, B / A, *scale))), rest);
    y = am_add(b, y, floor_of(b, over(b, 1 / A, s2)));
    am_value power =
        am_binary(b, AM_POW, am_scalar(b, AM_F64, 2), am_add_number(b, am_unary(b, AM_NEG, halvings), BITS));
    *scale = am_mul_number(b, s2, A * ldexp(1, -30));
    return am_binary_number(b, AM_MAX, floor_of(b, am_mul(b, y, power)), 0);
}

/* IntSoftmax over scores [B, H, T, S] where mask (or AM_NONE), in steps of 1 / 256. */
static quantized softmax(am_builder *b, quantized in, am_value mask)
{
    am_value x = am_div(b, in.x, in.scale), scale = in.scale;
    if (mask.id) x = am_select(b, mask, x, am_scalar(b, AM_F64, -1e30));
    x = exponential(b, am_sub(b, x, am_reduce_last(b, AM_REDUCE_MAX, x)), &scale);
    /* the integers go in without their scale, as transformers has it */
    quantized sixteen = requantize(b, "softmax.act", (quantized){x, scale}, NULL, 16);
    x = am_div(b, sixteen.x, sixteen.scale);
    am_value factor = floor_of(b, over(b, ldexp(1, 32), am_reduce_last(b, AM_REDUCE_SUM, x)));
    x = floor_of(b, am_mul_number(b, am_mul(b, x, factor), ldexp(1, -24)));
    return (quantized){am_mul_number(b, x, 1.0 / 256), am_scalar(b, AM_F64, 1.0 / 256)};
}

/* --- the body --- */

static quantized embeddings(am_builder *b, const am_bert_options *o)
{
    am_value ids = am_flat_input(b, "input_ids");
    int64_t C = o->hidden_size;
    am_scope(b, "embeddings");
    quantized types =
        embedding(b, "token_type_embeddings", am_token_types(b, am_dim(b, ids, 1)), o->type_vocab_size, C);
    quantized places =
        embedding(b, "position_embeddings", am_bert_positions(b, o, am_dim(b, ids, 1)), o->max_position_embeddings, C);
    quantized x = embedding(b, "word_embeddings", ids, o->vocab_size, C);
    x = requantize(b, "embeddings_act1", x, &types, 16);
    x = requantize(b, "embeddings_act1", x, &places, 16);
    x = requantize(b, "output_activation", layer_norm(b, "LayerNorm", x), NULL, 8);
    am_end_scope(b);
    return x;
}

/* [B, H, T, D], 8 bits */
static quantized heads_of(am_builder *b, const char *name, const char *activation, quantized x,
                          const am_bert_options *o)
{
    quantized y = requantize(b, activation, linear(b, name, x, o->hidden_size), NULL, 8);
    y.x = am_transpose(b, am_split_heads(b, y.x, o->num_attention_heads), 1, 2);
    return y;
}

static quantized attention(am_builder *b, quantized x, const am_bert_options *o, am_value mask)
{
    double root = sqrt((double)(o->hidden_size / o->num_attention_heads));
    am_scope(b, "attention.self");
    quantized q = heads_of(b, "query", "query_activation", x, o), k = heads_of(b, "key", "key_activation", x, o);
    quantized v = heads_of(b, "value", "value_activation", x, o);
    quantized scores = {am_mul_number(b, am_matmul(b, q.x, k.x, false, true), 1 / root),
                        am_mul_number(b, am_mul(b, q.scale, k.scale), 1 / root)};
    quantized p = softmax(b, scores, mask);
    am_value y = am_merge_heads(b, am_transpose(b, am_matmul(b, p.x, v.x, false, false), 1, 2));
    quantized attended = requantize(b, "output_activation", (quantized){y, am_mul(b, p.scale, v.scale)}, NULL, 8);
    am_end_scope(b);
    return attended;
}

/* dense, residual, norm below NAME */
static quantized output(am_builder *b, const char *name, quantized x, quantized residual, const am_bert_options *o)
{
    am_scope(b, "%s", name);
    x = requantize(b, "ln_input_act", linear(b, "dense", x, o->hidden_size), &residual, 22);
    x = requantize(b, "output_activation", layer_norm(b, "LayerNorm", x), NULL, 8);
    am_end_scope(b);
    return x;
}

static quantized layer(am_builder *b, quantized x, const am_bert_options *o, am_value mask)
{
    quantized y = output(b, "attention.output", attention(b, x, o, mask), x, o);
    y = requantize(b, "pre_intermediate_act", y, NULL, 8);
    quantized h = gelu(b, linear(b, "intermediate.dense", y, o->intermediate_size));
    h = requantize(b, "intermediate.output_activation", h, NULL, 8);
    h = requantize(b, "pre_output_act", h, NULL, 8);
    return output(b, "output", h, y, o);
}

static am_value integer_body(am_builder *b, const am_bert_options *o)
{
    am_value mask = am_flat_padding_mask(b);
    quantized x = embeddings(b, o);
    am_value scale = x.scale; /* every layer takes the embeddings' for its input's, as transformers has it */
    am_output_hidden_state(b, "hidden_states", 0, am_cast(b, x.x, AM_F32));
    for (int i = 0; i < o->num_hidden_layers && !am_builder_failed(b); i++) {
        am_scope(b, "encoder.layer.%d", i);
        x = layer(b, (quantized){x.x, scale}, o, mask);
        am_end_scope(b);
        am_output_hidden_state(b, "hidden_states", i + 1, am_cast(b, x.x, AM_F32));
    }
    return am_cast(b, x.x, AM_F32);
}

static am_value body(am_builder *b, const char *prefix)
{
    am_bert_options o = options(b);
    if (!am_config_flag(am_model_config(b), "quant_mode", false)) return am_bert_body(b, &o, prefix);
    am_input(b, "input_ids", -1);
    am_scope(b, "%s", prefix);
    am_value x = integer_body(b, &o);
    am_end_scope(b);
    return x;
}

static void for_masked_lm(am_builder *b)
{
    am_bert_options o = options(b);
    am_output(b, "logits", am_roberta_lm_logits(b, am_text_body(b), &o, "ibert"));
}

static const am_architecture architectures[] = {
    {"IBertModel", am_text_model, "feature-extraction", 0},
    {"IBertForMaskedLM", for_masked_lm, "fill-mask", 0},
    {"IBertForSequenceClassification", am_text_for_first_token_classification, "text-classification", 0},
    {"IBertForMultipleChoice", am_text_for_multiple_choice, NULL, 0},
    {"IBertForTokenClassification", am_text_for_token_classification, "token-classification", 0},
    {"IBertForQuestionAnswering", am_text_for_question_answering, "question-answering", 0},
    {0},
};

static const am_text_family family = {.prefix = "ibert", .body = body};

const am_model_type am_model_ibert = {
    .name = "ibert", .base_prefix = "ibert", .architectures = architectures, .family = &family};
