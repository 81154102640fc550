#include "models/blocks/vqgan.h"

#include "models/blocks/attention.h"
#include "models/blocks/vision.h"

#include <string.h>

enum { GROUPS = 32, RESOLUTIONS = 64, BLOCKS_LIMIT = 512 };
static const double NORM_EPS = 1e-6; /* neither is configurable */

am_vqgan am_vqgan_read(const am_config *c)
{
    static const int64_t fallback[] = {1, 1, 2, 2, 4};
    am_vqgan v = {
        .c = c,
        .in_channels = am_config_size(c, "in_channels", 3),
        .base_channels = am_config_size(c, "base_channels", 128),
        .latent_channels = am_config_size(c, "latent_channels", 256),
        .embed_dim = am_config_size(c, "embed_dim", 256),
        .num_embeddings = am_config_size(c, "num_embeddings", 8192),
        .num_res_blocks = am_config_count(c, "num_res_blocks", 2),
        .double_latent = am_config_flag(c, "double_latent", false),
        .beta = am_config_real(c, "beta", 0.25),
        .attends_between = true,
        .states = -1,
    };
    if (v.num_res_blocks > BLOCKS_LIMIT) {
        am_config_unsupported(c, "num_res_blocks", "at most %d are supported", BLOCKS_LIMIT);
        v.num_res_blocks = 1;
    }
    v.levels = am_config_sizes(c, "channel_multiplier", v.channels, AM_VQGAN_LEVELS, fallback, 5);
    if (v.levels < 1 || v.levels > AM_VQGAN_LEVELS) {
        am_config_fail(c, "channel_multiplier", "expected 1 to %d sizes", AM_VQGAN_LEVELS);
        v.levels = 1;
        v.channels[0] = 1;
    }
    for (int i = 0; i < v.levels; i++)
        v.channels[i] = am_scaled_size(c, "channel_multiplier", v.base_channels, (double)v.channels[i]);
    return v;
}

void am_vqgan_read_attention(am_vqgan *v)
{
    int64_t sides[RESOLUTIONS], side = am_config_size(v->c, "resolution", 512);
    v->attends_between = strcmp(am_config_text(v->c, "attn_type", "vanilla"), "vanilla") == 0;
    int count = am_config_sizes(v->c, "attn_resolutions", sides, RESOLUTIONS, NULL, 0);
    for (int i = 0; i < v->levels; i++, side /= 2)
        for (int k = 0; k < count && v->attends_between; k++)
            if (sides[k] == side) v->attends[i] = true;
}

void am_vqgan_state(am_builder *b, am_vqgan *v, am_value x)
{
    if (v->states >= 0) am_output_hidden_state(b, "hidden_states", v->states++, x);
}

am_value am_vqgan_normed_swish(am_builder *b, const char *name, am_value x)
{
    return am_unary(b, AM_SILU, am_group_norm(b, name, x, GROUPS, NORM_EPS));
}

am_value am_vqgan_conv(am_builder *b, const char *name, am_value x, int64_t out)
{
    const am_convolution_attributes options = {.padding_before = am_shape_of(1, 1), .padding_after = am_shape_of(1, 1)};
    return am_conv(b, name, x, out, am_shape_of(3, 3), AM_BIAS, &options);
}

/* The convolution NAME of single places. */
static am_value mix(am_builder *b, const char *name, am_value x, int64_t out)
{
    return am_conv(b, name, x, out, am_shape_of(1, 1), AM_BIAS, &(am_convolution_attributes){0});
}

am_value am_vqgan_halve(am_builder *b, const char *name, am_value x)
{
    const am_convolution_attributes options = {.padding_after = am_shape_of(1, 1), .stride = am_shape_of(2, 2)};
    return am_conv(b, name, x, am_dim(b, x, 1), am_shape_of(3, 3), AM_BIAS, &options);
}

static am_value doubled(am_builder *b, const char *name, am_value x)
{
    am_shape size = am_shape_of(2 * am_dim(b, x, 2), 2 * am_dim(b, x, 3));
    x = am_resize(b, x, &(am_resize_attributes){.size = size, .mode = AM_RESIZE_NEAREST});
    return am_vqgan_conv(b, name, x, am_dim(b, x, 1));
}

am_value am_vqgan_residual(am_builder *b, am_value x, int64_t out)
{
    am_value h = am_vqgan_conv(b, "conv1", am_vqgan_normed_swish(b, "norm1", x), out);
    h = am_vqgan_conv(b, "conv2", am_vqgan_normed_swish(b, "norm2", h), out);
    return am_add(b, am_dim(b, x, 1) == out ? x : mix(b, "nin_shortcut", x, out), h);
}

/* The scope NAME, or, of a list, NAME.i. */
static void enter(am_builder *b, const char *name, int i)
{
    if (i < 0) am_scope(b, "%s", name);
    else am_scope(b, "%s.%d", name, i);
}

static am_value residual(am_builder *b, const char *name, int i, am_value x, int64_t out)
{
    enter(b, name, i);
    x = am_vqgan_residual(b, x, out);
    am_end_scope(b);
    return x;
}

/* Places of x: [B, C, H, W] that look at each other, below the scope NAME. */
static am_value attention(am_builder *b, const char *name, int i, am_value x)
{
    static const char *const names[3] = {"q", "k", "v"};
    int64_t C = am_dim(b, x, 1), H = am_dim(b, x, 2), W = am_dim(b, x, 3);
    am_value heads[3];
    enter(b, name, i);
    am_value h = am_group_norm(b, "norm", x, GROUPS, NORM_EPS);
    for (int k = 0; k < 3; k++) heads[k] = am_split_heads(b, am_image_tokens(b, mix(b, names[k], h, C)), 1);
    h = am_merge_heads(b, am_attend_cached(b, heads[0], heads[1], heads[2], &(am_attention_options){.heads = 1}));
    h = mix(b, "proj_out", am_tokens_image(b, h, H, W), C);
    am_end_scope(b);
    return am_add(b, x, h);
}

/* Below "mid". */
static am_value between(am_builder *b, am_value x, am_vqgan *v)
{
    int64_t C = am_dim(b, x, 1);
    am_scope(b, "mid");
    x = residual(b, "block_1", -1, x, C);
    am_vqgan_state(b, v, x);
    if (v->attends_between) x = attention(b, "attn_1", -1, x);
    x = residual(b, "block_2", -1, x, C);
    am_end_scope(b);
    return x;
}

am_value am_vqgan_encode(am_builder *b, am_value x, am_vqgan *v)
{
    am_scope(b, "encoder");
    x = am_vqgan_conv(b, "conv_in", x, v->base_channels);
    am_vqgan_state(b, v, x);
    for (int i = 0; i < v->levels && !am_builder_failed(b); i++) {
        am_scope(b, "down.%d", i);
        for (int k = 0; k < v->num_res_blocks && !am_builder_failed(b); k++) {
            x = residual(b, "block", k, x, v->channels[i]);
            am_vqgan_state(b, v, x);
            if (v->attends[i]) x = attention(b, "attn", k, x);
        }
        if (i + 1 < v->levels) x = am_vqgan_halve(b, "downsample.conv", x);
        am_end_scope(b);
    }
    x = am_vqgan_normed_swish(b, "norm_out", between(b, x, v));
    x = am_vqgan_conv(b, "conv_out", x, (v->double_latent ? 2 : 1) * v->latent_channels);
    am_vqgan_state(b, v, x);
    am_end_scope(b);
    return x;
}

am_value am_vqgan_decode(am_builder *b, am_value x, const am_vqgan *encoder, int64_t out_channels)
{
    am_vqgan v = *encoder;
    v.states = -1;
    am_scope(b, "decoder");
    x = between(b, am_vqgan_conv(b, "conv_in", x, v.channels[v.levels - 1]), &v);
    for (int i = v.levels - 1, up = 0; i >= 0 && !am_builder_failed(b); i--, up++) {
        am_scope(b, "up.%d", up);
        for (int k = 0; k <= v.num_res_blocks && !am_builder_failed(b); k++) {
            x = residual(b, "block", k, x, v.channels[i]);
            if (v.attends[i]) x = attention(b, "attn", k, x);
        }
        if (i > 0) x = doubled(b, "upsample.conv", x);
        am_end_scope(b);
    }
    x = am_vqgan_conv(b, "conv_out", am_vqgan_normed_swish(b, "norm_out", x), out_channels);
    am_end_scope(b);
    return x;
}

am_value am_nearest_codes(am_builder *b, am_value x, am_value table)
{
    table = am_cast(b, table, AM_F32);
    am_value squares = am_reduce_last(b, AM_REDUCE_SUM, am_mul(b, table, table)),
             own = am_reduce_last(b, AM_REDUCE_SUM, am_mul(b, x, x));
    am_value products = am_mul_number(b, am_matmul(b, x, table, false, true), 2);
    am_value distances = am_sub(b, am_add(b, own, am_transpose(b, squares, 0, 1)), products);
    return am_arg_reduce(b, distances, 1, true);
}

am_vqgan_codes am_vqgan_quantize(am_builder *b, am_value x, const am_vqgan *v)
{
    am_value encoded = mix(b, "quant_conv", x, v->embed_dim);
    int64_t H = am_dim(b, encoded, 2), W = am_dim(b, encoded, 3);
    am_value rows = am_flatten(b, am_image_tokens(b, encoded), 0, 1);
    am_value table = am_weight(b, "quantize.embedding.weight", am_shape_of(v->num_embeddings, v->embed_dim));
    am_vqgan_codes out = {.codes = am_nearest_codes(b, rows, table)};
    am_value nearest = am_embedding_op(b, table, out.codes), apart = am_sub(b, nearest, rows);
    out.loss = am_reduce(b, AM_REDUCE_MEAN, am_mul(b, apart, apart), am_shape_of(0, 1), false);
    out.loss = am_mul_number(b, out.loss, 1 + v->beta);
    nearest = am_reshape(b, nearest, am_shape_of(am_dim(b, encoded, 0), H * W, v->embed_dim));
    out.quantized = am_tokens_image(b, nearest, H, W);
    return out;
}
