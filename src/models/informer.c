/* Informer (arXiv 2012.07436): a series transformer whose self-attention answers only the queries that differ most from
   an even spread over a sample of keys, the others with the mean of values, or in the decoder their running sum;
   and whose encoder halves the series between layers. transformers: models/informer/modeling_informer.py */
#include "models/blocks/attention.h"
#include "models/blocks/series_transformer.h"

#include <math.h>
#include <string.h>

enum { SEED = 2012 }; /* of the keys that are drawn; where all queries are answered it plays no part */

/* What a layer's attention looks at: keys behind a query, where causal, and padding left out. */
typedef struct view {
    bool is_decoder, causal;
    am_value mask; /* [B, 1, 1, T] or AM_NONE */
} view;

/* How much each query of q differs from an even spread over some keys, drawn with repetition: q, k: [B, H, T, D] -> [B,
   H, T]. */
static am_value sparsity(am_builder *b, am_value q, am_value k)
{
    int64_t T = am_dim(b, q, 2);
    am_value drawn = am_mul_number(b, am_random(b, am_shape_of(T), SEED, false), (double)T);
    drawn = am_binary_number(b, AM_MIN, am_cast(b, drawn, AM_I32), (double)(T - 1));
    am_value scores = am_matmul(b, q, am_gather(b, k, drawn, 2, false), false, true);
    am_value even = am_mul_number(b, am_reduce(b, AM_REDUCE_SUM, scores, am_shape_of(3), false), 1.0 / (double)T);
    return am_sub(b, am_reduce(b, AM_REDUCE_MAX, scores, am_shape_of(3), false), even);
}

/* BOOL, which of T keys the queries at places: I32 [B, H, U] attend to; AM_NONE: all. */
static am_value mask_of(am_builder *b, const view *v, am_value places, int64_t T)
{
    if (!v->causal) return v->mask;
    am_value keys = am_iota(b, AM_I32, am_shape_of(1, 1, 1, T), 3, 0, 1);
    am_value seen = am_binary(b, AM_GREATER_EQUAL, am_unsqueeze(b, places, 3), keys);
    return v->mask.id ? am_binary(b, AM_LOGICAL_AND, seen, v->mask) : seen;
}

/* What queries get that are not answered: v: [B, H, T, D]. */
static am_value unanswered(am_builder *b, const view *w, am_value v)
{
    if (w->is_decoder) return am_scan(b, AM_REDUCE_SUM, v, 2, false, false);
    return am_broadcast(b, am_reduce(b, AM_REDUCE_MEAN, v, am_shape_of(2), true), am_shape_of_value(b, v));
}

/* Attention of the U queries that differ most: q, k, v: [B, T, H, D] -> [B, T, H * D]. */
static am_value attend_some(am_builder *b, const am_value qkv[3], int64_t U, const view *w)
{
    am_value q = am_transpose(b, qkv[0], 1, 2), k = am_transpose(b, qkv[1], 1, 2), v = am_transpose(b, qkv[2], 1, 2);
    int64_t B = am_dim(b, q, 0), H = am_dim(b, q, 1), T = am_dim(b, q, 2), D = am_dim(b, q, 3);
    am_value places;
    q = am_mul_number(b, q, 1 / sqrt((double)D));
    am_top_k(b, sparsity(b, q, k), 2, U, false, &places);
    am_value index = am_broadcast(b, am_unsqueeze(b, places, 3), am_shape_of(B, H, U, D));
    am_attention_inputs inputs = {.q = am_transpose(b, am_gather(b, q, index, 2, true), 1, 2),
                                  .k = qkv[1],
                                  .v = qkv[2],
                                  .mask = mask_of(b, w, places, T)};
    am_value answers = am_attention_op(b, &inputs, &(am_attention_attributes){.scale = 1});
    am_scatter_attributes set = {.axis = 2, .elementwise = true, .fn = AM_SCATTER_SET};
    am_value x = am_scatter(b, unanswered(b, w, v), index, am_transpose(b, answers, 1, 2), &set);
    return am_merge_heads(b, am_transpose(b, x, 1, 2));
}

static am_value attention(am_builder *b, am_value x, int64_t heads, const view *w)
{
    const am_config *c = am_model_config(b);
    int64_t T = am_dim(b, x, 1), U = am_config_size(c, "sampling_factor", 5) * (int64_t)ceil(log1p((double)T));
    am_attention_options options = {.heads = heads, .causal = w->causal, .mask = w->mask};
    am_value qkv[3];
    if (U >= T || strcmp(am_config_text(c, "attention_type", "prob"), "prob") != 0)
        return am_self_attention(b, x, &options);
    am_attention_heads(b, x, &options, qkv);
    return am_linear(b, "out_proj", attend_some(b, qkv, U, w), am_dim(b, x, 2), AM_BIAS);
}

static am_value encoder_attention(am_builder *b, am_value x, int64_t heads, int layer)
{
    (void)layer;
    return attention(b, x, heads, &(view){.is_decoder = false});
}

static am_value decoder_attention(am_builder *b, am_value x, int64_t heads, int layer)
{
    (void)layer;
    view w = {.is_decoder = true,
              .causal = am_config_flag(am_model_config(b), "is_causal", true),
              .mask = am_padding_mask(b, "decoder_attention_mask")};
    return attention(b, x, heads, &w);
}

/* A convolution around the ends, and the largest of each two steps' neighbours: [B, T, C] -> [B, (T + 1) / 2, C]. */
static am_value distil(am_builder *b, am_value x, int layer)
{
    if (!am_config_flag(am_model_config(b), "distil", true)) return x;
    int64_t C = am_dim(b, x, 2);
    am_pad_attributes around = {.before = am_shape_of(0, 0, 1), .after = am_shape_of(0, 0, 1), .mode = AM_PAD_CIRCULAR};
    am_pool_attributes largest = {.fn = AM_POOL_MAX,
                                  .kernel = am_shape_of(3),
                                  .stride = am_shape_of(2),
                                  .padding_before = am_shape_of(1),
                                  .padding_after = am_shape_of(1)};
    am_scope(b, "conv_layers.%d", layer);
    x = am_pad(b, am_transpose(b, x, 1, 2), &around);
    x = am_conv(b, "downConv", x, C, am_shape_of(3), AM_BIAS, &(am_convolution_attributes){0});
    x = am_pool(b, am_unary(b, AM_ELU, am_batch_norm(b, "norm", x, 1e-5)), &largest);
    am_end_scope(b);
    return am_transpose(b, x, 1, 2);
}

static const am_architecture architectures[] = {
    {"InformerModel", am_series_transformer_model, NULL, 0},
    {"InformerForPrediction", am_series_transformer_for_prediction, NULL, 0},
    {0},
};

static const am_bart_family family = {.d_model = 64,
                                      .layers = 2,
                                      .heads = 2,
                                      .ffn_dim = 32,
                                      .encoder_attention = encoder_attention,
                                      .decoder_attention = decoder_attention,
                                      .between_encoder_layers = distil};

const am_model_type am_model_informer = {
    .name = "informer", .base_prefix = "model", .architectures = architectures, .family = &family};
