#include "models/blocks/mobilenet_v5.h"

#include "models/blocks/vision.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static const double EPS = 1e-6; /* not configurable */
enum { STAGES = 4, FEATURES = 2048 };

typedef enum block_kind {
    EDGE,     /* a convolution of all channels, and one of one tap */
    INVERTED, /* depthwise convolutions, where their kernels are not 0, around ones of one tap */
    ATTENTION
} block_kind;

typedef struct block {
    block_kind kind;
    int64_t start, middle, stride; /* kernels before and between the convolutions of one tap */
    double expansion;
    int64_t heads, head_dim, key_stride;
} block;

static const int64_t widths[STAGES] = {128, 256, 640, 1280};
static const int counts[STAGES] = {3, 5, 37, 39};

static block block_at(int stage, int i)
{
    const block attentions[STAGES] = {[2] = {ATTENTION, .heads = 12, .head_dim = 64, .key_stride = 2},
                                      [3] = {ATTENTION, .heads = 16, .head_dim = 96, .key_stride = 1}};
    if (stage == 0) return (block){EDGE, .middle = 3, .stride = i ? 1 : 2, .expansion = 4};
    if (i == 0) return (block){INVERTED, .start = stage == 1 ? 3 : 5, .middle = 5, .stride = 2, .expansion = 6};
    if (stage == 1) return (block){INVERTED, .start = i % 2 ? 5 : 3, .stride = 1, .expansion = 4};
    if (stage == 2 && i < 8) return (block){INVERTED, .start = 5, .stride = 1, .expansion = 4};
    if (stage == 2 && i == 8) return (block){INVERTED, .stride = 1, .expansion = 1};
    return i % 2 ? attentions[stage] : (block){INVERTED, .stride = 1, .expansion = 2};
}

/* timm's rounding of numbers of channels: to multiples of 8, never far below. */
static int64_t rounded(double channels)
{
    int64_t r = (int64_t)(channels + 4) / 8 * 8;
    if (r < 8) r = 8;
    return (double)r < 0.9 * channels ? r + 8 : r;
}

/* --- layers --- */

/* RMSNorm over the channels of x: [B, C, H, W]. */
static am_value norm(am_builder *b, const char *name, am_value x)
{
    int64_t C = am_dim(b, x, 1);
    am_value size = am_reduce(b, AM_REDUCE_MEAN, am_unary(b, AM_SQUARE, x), am_shape_of(1), true);
    x = am_mul(b, x, am_unary(b, AM_RSQRT, am_add_number(b, size, EPS)));
    am_scope(b, "%s", name);
    am_value weight = am_parameter(b, "weight", am_shape_of(C), x);
    am_end_scope(b);
    return am_mul(b, x, am_reshape(b, weight, am_shape_of(C, 1, 1)));
}

/* Before and after an axis, so that each begun stride leaves one place, as TensorFlow's "same" has it. */
static int64_t padding(int64_t size, int64_t kernel, int64_t stride, int64_t *after)
{
    int64_t all = ((size + stride - 1) / stride - 1) * stride + kernel - size;
    if (all < 0) all = 0;
    *after = all - all / 2;
    return all / 2;
}

static am_value conv(am_builder *b, const char *name, am_value x, int64_t out, int64_t kernel, int64_t stride,
                     bool depthwise)
{
    am_convolution_attributes o = {.groups = depthwise ? am_dim(b, x, 1) : 1, .stride = am_shape_of(stride, stride)};
    o.padding_before = o.padding_after = am_shape_of(0, 0);
    for (int i = 0; i < 2; i++)
        o.padding_before.dims[i] = padding(am_dim(b, x, 2 + i), kernel, stride, &o.padding_after.dims[i]);
    return am_conv(b, name, x, out, am_shape_of(kernel, kernel), AM_NO_BIAS, &o);
}

/* NAME.conv and NAME.bn. */
static am_value normed(am_builder *b, const char *name, am_value x, int64_t out, int64_t kernel, int64_t stride,
                       bool depthwise)
{
    am_scope(b, "%s", name);
    x = norm(b, "bn", conv(b, "conv", x, out, kernel, stride, depthwise));
    am_end_scope(b);
    return x;
}

static am_value scaled(am_builder *b, am_value x)
{
    int64_t C = am_dim(b, x, 1);
    am_scope(b, "layer_scale");
    am_value gamma = am_parameter(b, "gamma", am_shape_of(C), x);
    am_end_scope(b);
    return am_mul(b, x, am_reshape(b, gamma, am_shape_of(C, 1, 1)));
}

static am_value edge(am_builder *b, am_value x, int64_t out, const block *k)
{
    int64_t inner = rounded((double)am_dim(b, x, 1) * k->expansion);
    x = am_unary(b, AM_GELU_TANH, norm(b, "bn1", conv(b, "conv_exp", x, inner, k->middle, k->stride, false)));
    return norm(b, "bn2", conv(b, "conv_pwl", x, out, 1, 1, false));
}

static am_value inverted(am_builder *b, am_value x, int64_t out, const block *k)
{
    int64_t C = am_dim(b, x, 1), inner = rounded((double)C * k->expansion);
    if (k->start) x = normed(b, "dw_start", x, C, k->start, k->middle ? 1 : k->stride, true);
    x = am_unary(b, AM_GELU_TANH, normed(b, "pw_exp", x, inner, 1, 1, false));
    if (k->middle) x = am_unary(b, AM_GELU_TANH, normed(b, "dw_mid", x, inner, k->middle, k->stride, true));
    return normed(b, "pw_proj", x, out, 1, 1, false);
}

/* One head of keys or values: [B, N, 1, D], of fewer places where they stride. */
static am_value one_head(am_builder *b, const char *name, am_value x, const block *k)
{
    am_scope(b, "%s", name);
    if (k->key_stride > 1) x = norm(b, "norm", conv(b, "down_conv", x, am_dim(b, x, 1), 3, k->key_stride, true));
    x = conv(b, "proj", x, k->head_dim, 1, 1, false);
    am_end_scope(b);
    return am_unsqueeze(b, am_transpose(b, am_flatten(b, x, 2, 3), 1, 2), 2);
}

static am_value attention(am_builder *b, am_value x, const block *k)
{
    int64_t C = am_dim(b, x, 1), H = am_dim(b, x, 2), W = am_dim(b, x, 3), all = k->heads * k->head_dim;
    x = norm(b, "norm", x);
    am_scope(b, "attn");
    am_value q = am_transpose(b, am_flatten(b, conv(b, "query.proj", x, all, 1, 1, false), 2, 3), 1, 2);
    am_attention_inputs in = {.q = am_reshape(b, q, am_shape_of(am_dim(b, q, 0), H * W, k->heads, k->head_dim)),
                              .k = one_head(b, "key", x, k),
                              .v = one_head(b, "value", x, k)};
    x = am_attention_op(b, &in, &(am_attention_attributes){.scale = 1 / sqrt((double)k->head_dim)});
    x = am_transpose(b, am_flatten(b, x, 2, 3), 1, 2);
    x = conv(b, "output.proj", am_reshape(b, x, am_shape_of(am_dim(b, x, 0), all, H, W)), C, 1, 1, false);
    am_end_scope(b);
    return x;
}

static am_value block_of(am_builder *b, am_value x, int64_t out, const block *k)
{
    bool adds = k->kind == ATTENTION || (k->stride == 1 && am_dim(b, x, 1) == out);
    am_value h = k->kind == EDGE       ? edge(b, x, out, k)
                 : k->kind == INVERTED ? inverted(b, x, out, k)
                                       : attention(b, x, k);
    if (k->kind != EDGE) h = scaled(b, h);
    return adds ? am_add(b, x, h) : h;
}

/* --- the encoder --- */

/* The last two stages' maps side by side, fine: [B, C, H, W], through two convolutions, to R x R places. */
static am_value fused(am_builder *b, am_value fine, am_value coarse, int64_t R)
{
    int64_t H = am_dim(b, fine, 2), W = am_dim(b, fine, 3);
    am_resize_attributes nearest = {.mode = AM_RESIZE_NEAREST, .size = am_shape_of(H, W)};
    am_resize_attributes linear = {.mode = AM_RESIZE_LINEAR, .size = am_shape_of(R, R)};
    am_pool_attributes means = {
        .fn = AM_POOL_AVERAGE, .kernel = am_shape_of(H / R, W / R), .stride = am_shape_of(H / R, W / R)};
    am_value x = am_concat2(b, fine, am_resize(b, coarse, &nearest), 1);
    block feed_forward = {INVERTED, .stride = 1, .expansion = 2};
    am_scope(b, "msfa");
    am_scope(b, "ffn");
    x = inverted(b, x, FEATURES, &feed_forward);
    am_end_scope(b);
    if (H % R != 0 || W % R != 0) x = am_resize(b, x, &linear);
    else if (H != R || W != R) x = am_pool(b, x, &means);
    x = norm(b, "norm", x);
    am_end_scope(b);
    return x;
}

static am_value stem(am_builder *b, am_value x, int64_t width)
{
    am_convolution_attributes o = {.stride = am_shape_of(2, 2)};
    o.padding_before = o.padding_after = am_shape_of(0, 0);
    for (int i = 0; i < 2; i++) o.padding_before.dims[i] = padding(am_dim(b, x, 2 + i), 3, 2, &o.padding_after.dims[i]);
    am_scope(b, "conv_stem");
    x = am_conv(b, "conv", x, width, am_shape_of(3, 3), AM_BIAS, &o);
    x = am_unary(b, AM_GELU_TANH, norm(b, "bn", x));
    am_end_scope(b);
    return x;
}

bool am_is_mobilenet_v5(const am_config *c)
{
    const char *name = am_config_text(c, "architecture", "");
    return strncmp(name, "mobilenetv5_300m_enc", strcspn(name, ".")) == 0 && strlen(name) >= 20;
}

/* Fields that model_args may have beside those that are read. */
static void refuse_others(const am_config *c)
{
    static const char *const known[] = {"channel_multiplier", "msfa_output_resolution", "in_chans"};
    for (am_json_iterator i = am_json_iterate(c->object); am_json_next(&i);) {
        bool is_known = false;
        for (size_t k = 0; k < sizeof known / sizeof *known; k++)
            is_known = is_known || (i.key.bytes && strcmp(i.key.bytes, known[k]) == 0);
        if (!is_known) am_config_unsupported(c, i.key.bytes ? i.key.bytes : "", "another network than by default");
    }
}

am_value am_mobilenet_v5(am_builder *b, const am_config *whole, am_value x)
{
    am_config c = am_config_child(whole, "model_args");
    double multiplier = am_config_real(&c, "channel_multiplier", 1);
    int64_t R = am_config_size(&c, "msfa_output_resolution", 16), channels = am_config_size(&c, "in_chans", 3);
    am_value maps[STAGES];
    refuse_others(&c);
    if (!(multiplier > 0 && multiplier <= 64))
        am_config_fail(&c, "channel_multiplier", "expected more than 0, up to 64");
    if (R > 1024) am_config_fail(&c, "msfa_output_resolution", "%" PRId64 " is too large", R);
    if (x.id && am_dim(b, x, 1) != channels)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "images have %" PRId64 " channels, expected %" PRId64,
                                    am_dim(b, x, 1), channels));
    if (c.root->error || am_builder_failed(b)) return AM_NONE;
    x = stem(b, x, multiplier < 1 ? 64 : rounded(64 * multiplier));
    for (int stage = 0; stage < STAGES; stage++) {
        for (int i = 0; i < counts[stage] && !am_builder_failed(b); i++) {
            block k = block_at(stage, i);
            am_scope(b, "blocks.%d.%d", stage, i);
            x = block_of(b, x, rounded((double)widths[stage] * multiplier), &k);
            am_end_scope(b);
        }
        maps[stage] = x;
    }
    return am_builder_failed(b) ? AM_NONE : fused(b, maps[2], maps[3], R);
}
