/* What makes spectrograms of the codes of speech in Qwen2.5-Omni: a diffusion transformer that is told the time of a
   step, a voice, as ECAPA-TDNN (arXiv 2005.07143) hears it, and codes, beside the same without voice and codes.
   transformers: models/qwen2_5_omni/modeling_qwen2_5_omni.py */
#include "models/blocks/attention.h"
#include "models/blocks/layers.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { LIST_LIMIT = 32, LAYERS_LIMIT = 512, TIME_WIDTH = 256 };
static const double NORM_EPS = 1e-6, LEAST_VARIANCE = 1e-12, TIME_SCALE = 1000; /* not configurable */

typedef struct dit_config {
    int64_t width, layers, heads, head_dim, inner, block_size, repeats, codes, code_width, mel_dim;
    bool looks_ahead[LAYERS_LIMIT], looks_back[LAYERS_LIMIT];
    am_rope_config rope;
    int64_t voice_width, voice_out; /* of the input speaker_embedding, of what the voice's encoder gives */
    int voice_layers;
    int64_t channels[LIST_LIMIT], kernels[LIST_LIMIT], dilations[LIST_LIMIT];
    int64_t pool_channels, squeezed, parts;
} dit_config;

static void read_layer_list(const am_config *c, const char *key, const int64_t *fallback, int count, bool *out)
{
    am_json list = am_json_get(c->object, key);
    if (!am_config_has(c, key)) {
        for (int i = 0; i < count; i++) out[fallback[i]] = true;
        return;
    }
    if (am_json_kind_of(list) != AM_JSON_ARRAY) am_config_fail(c, key, "expected a list");
    for (am_json_iterator i = am_json_iterate(list); am_json_next(&i);) {
        int64_t layer = am_json_int(i.value, -1);
        if (layer >= 0 && layer < LAYERS_LIMIT) out[layer] = true;
    }
}

static void read_voice(const am_config *c, dit_config *r)
{
    static const int64_t channels[] = {256, 256, 256, 256, 768}, kernels[] = {5, 3, 3, 3, 1},
                         dilations[] = {1, 2, 3, 4, 1};
    int64_t sum = 0;
    r->voice_layers = am_config_sizes(c, "enc_channels", r->channels, LIST_LIMIT, channels, 5);
    int kernel_count = am_config_sizes(c, "enc_kernel_sizes", r->kernels, LIST_LIMIT, kernels, 5);
    int dilation_count = am_config_sizes(c, "enc_dilations", r->dilations, LIST_LIMIT, dilations, 5);
    if (r->voice_layers < 3 || kernel_count != r->voice_layers || dilation_count != r->voice_layers) {
        am_config_fail(c, "enc_channels", "expected 3 or more, as many as enc_kernel_sizes and enc_dilations");
        return;
    }
    for (int i = 0; i < r->voice_layers; i++) {
        bool inner = i > 0 && i + 1 < r->voice_layers;
        if (r->channels[i] < 1 || r->kernels[i] < 1 || r->dilations[i] < 1 ||
            r->kernels[i] > INT32_MAX / r->dilations[i])
            am_config_fail(c, "enc_channels", "element %d, or its kernel or dilation, is no size", i);
        if (inner && (r->channels[i] % r->parts || r->channels[i] != r->channels[i - 1]))
            am_config_fail(c, "enc_channels", "element %d is not that before, or no multiple of enc_res2net_scale", i);
        sum += inner ? r->channels[i] : 0;
    }
    if (sum != r->channels[r->voice_layers - 1])
        am_config_fail(c, "enc_channels", "the last one is not the sum of those between, %" PRId64, sum);
}

static dit_config read_config(am_builder *b)
{
    static const int64_t ahead[] = {10}, back[] = {0, 20};
    const am_config *c = am_model_config(b);
    dit_config r = {.width = am_config_size(c, "hidden_size", 1024),
                    .layers = am_config_count(c, "num_hidden_layers", 22),
                    .heads = am_config_size(c, "num_attention_heads", 16),
                    .head_dim = am_config_size(c, "head_dim", 64),
                    .inner = am_config_size(c, "ff_mult", 2),
                    .block_size = am_config_size(c, "block_size", 24),
                    .repeats = am_config_size(c, "repeats", 2),
                    .codes = am_config_size(c, "num_embeds", 8193),
                    .code_width = am_config_size(c, "emb_dim", 512),
                    .mel_dim = am_config_size(c, "mel_dim", 80),
                    .voice_width = am_config_size(c, "enc_emb_dim", 192),
                    .voice_out = am_config_size(c, "enc_dim", 128),
                    .pool_channels = am_config_size(c, "enc_attention_channels", 64),
                    .squeezed = am_config_size(c, "enc_se_channels", 64),
                    .parts = am_config_size(c, "enc_res2net_scale", 2)};
    if (r.inner > INT32_MAX / r.width) am_config_fail(c, "ff_mult", "too much");
    if (r.width > INT32_MAX / 6) am_config_fail(c, "hidden_size", "too much");
    if (r.codes > INT32_MAX - 1) am_config_fail(c, "num_embeds", "too many");
    if (r.layers > LAYERS_LIMIT) am_config_fail(c, "num_hidden_layers", "expected %d at most", LAYERS_LIMIT);
    read_layer_list(c, "look_ahead_layers", ahead, 1, r.looks_ahead);
    read_layer_list(c, "look_backward_layers", back, 2, r.looks_back);
    r.rope = am_rope_config_read_fields(c, &(am_rope_fields){.whole_heads = true}, r.head_dim, 10000, 1, 32768);
    read_voice(c, &r);
    return r;
}

/* --- the voice --- */

/* Convolution NAME that keeps the length, mirrored at the ends: x: [B, C, T] -> [B, out, T]. */
static am_value conv(am_builder *b, const char *name, am_value x, int64_t out, int64_t kernel, int64_t dilation)
{
    int64_t total = (kernel - 1) * dilation, before = total / 2;
    am_pad_attributes pad = {
        .before = am_shape_of(0, 0, before), .after = am_shape_of(0, 0, total - before), .mode = AM_PAD_REFLECT};
    if (total > 0 && am_dim(b, x, 2) <= total - before)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "condition_vector: too few frames"));
    if (total > 0) x = am_pad(b, x, &pad);
    return am_conv(b, name, x, out, am_shape_of(kernel), AM_BIAS,
                   &(am_convolution_attributes){.dilation = am_shape_of(dilation)});
}

static am_value delay_layer(am_builder *b, const char *name, am_value x, int64_t out, int64_t kernel, int64_t dilation)
{
    am_scope(b, "%s", name);
    x = am_unary(b, AM_RELU, conv(b, "conv", x, out, kernel, dilation));
    am_end_scope(b);
    return x;
}

/* Parts of the channels, each but the first convolved with what the one before gave: x: [B, C, T]. */
static am_value res2net(am_builder *b, am_value x, int layer, const dit_config *c)
{
    int64_t C = am_dim(b, x, 1) / c->parts;
    am_value all = AM_NONE, last = AM_NONE;
    for (int64_t i = 0; i < c->parts && !am_builder_failed(b); i++) {
        char name[48];
        snprintf(name, sizeof name, "res2net_block.blocks.%d", (int)i - 1);
        am_value part = am_slice(b, x, 1, i * C, (i + 1) * C);
        if (i > 1) part = am_add(b, part, last);
        if (i > 0) last = part = delay_layer(b, name, part, C, c->kernels[layer], c->dilations[layer]);
        all = i ? am_concat2(b, all, part, 1) : part;
    }
    return all;
}

/* x: [B, C, T], each channel times what a small network says of all means over time. */
static am_value excited(am_builder *b, am_value x, const dit_config *c)
{
    int64_t C = am_dim(b, x, 1);
    am_scope(b, "se_block");
    am_value h = am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(2), true);
    h = am_unary(b, AM_RELU, conv(b, "conv1", h, c->squeezed, 1, 1));
    h = am_unary(b, AM_SIGMOID, conv(b, "conv2", h, C, 1, 1));
    am_end_scope(b);
    return am_mul(b, x, h);
}

/* Mean and deviation over time, weighted: x, weights: [B, C, T] -> [B, C, 1] each; weights AM_NONE: all the same. */
static void statistics(am_builder *b, am_value x, am_value weights, am_value out[2])
{
    am_reduce_fn fn = weights.id ? AM_REDUCE_SUM : AM_REDUCE_MEAN;
    out[0] = am_reduce(b, fn, weights.id ? am_mul(b, x, weights) : x, am_shape_of(2), true);
    am_value square = am_unary(b, AM_SQUARE, am_sub(b, x, out[0]));
    if (weights.id) square = am_mul(b, square, weights);
    square = am_reduce(b, fn, square, am_shape_of(2), true);
    out[1] = am_unary(b, AM_SQRT, am_binary_number(b, AM_MAX, square, LEAST_VARIANCE));
}

/* x: [B, C, T] -> [B, 2 * C, 1] */
static am_value pooled(am_builder *b, am_value x, const dit_config *c)
{
    am_shape shape = am_shape_of_value(b, x);
    am_value moments[2];
    statistics(b, x, AM_NONE, moments);
    am_scope(b, "asp");
    am_value h = am_concat2(b, x, am_broadcast(b, moments[0], shape), 1);
    h = am_concat2(b, h, am_broadcast(b, moments[1], shape), 1);
    h = am_unary(b, AM_TANH, delay_layer(b, "tdnn", h, c->pool_channels, 1, 1));
    am_value weights = am_softmax(b, conv(b, "conv", h, am_dim(b, x, 1), 1, 1), 2);
    am_end_scope(b);
    statistics(b, x, weights, moments);
    return am_concat2(b, moments[0], moments[1], 1);
}

/* x: [B, T, mel_dim] -> [B, enc_dim] */
static am_value voice_of(am_builder *b, am_value x, const dit_config *c)
{
    int last = c->voice_layers - 1;
    am_value all = AM_NONE;
    if (am_builder_failed(b)) return AM_NONE; /* the configuration is wrong, and the lists may be empty */
    am_scope(b, "spk_encoder");
    x = delay_layer(b, "blocks.0", am_transpose(b, x, 1, 2), c->channels[0], c->kernels[0], c->dilations[0]);
    for (int i = 1; i < last && !am_builder_failed(b); i++) {
        am_scope(b, "blocks.%d", i);
        am_value h = res2net(b, delay_layer(b, "tdnn1", x, c->channels[i], 1, 1), i, c);
        x = am_add(b, x, excited(b, delay_layer(b, "tdnn2", h, c->channels[i], 1, 1), c));
        am_end_scope(b);
        all = i > 1 ? am_concat2(b, all, x, 1) : x;
    }
    x = delay_layer(b, "mfa", all, c->channels[last], c->kernels[last], c->dilations[last]);
    x = am_squeeze(b, conv(b, "fc", pooled(b, x, c), c->voice_out, 1, 1), 2);
    am_end_scope(b);
    return x;
}

/* --- what goes in --- */

/* Which of the things told a run is without. */
typedef struct told {
    bool beside; /* a second half of the rows is without voice and codes */
    bool no_voice, no_codes;
} told;

/* x: [B, ..] and, behind, rows of zeros like it. */
static am_value beside_zeros(am_builder *b, am_value x)
{
    return am_concat2(b, x, am_mul_number(b, x, 0), 0);
}

/* The time of a step, one for each of N rows: [N, C]. */
static am_value time_of(am_builder *b, int64_t B, int64_t N, const dit_config *c)
{
    float frequencies[TIME_WIDTH / 2];
    am_value t = am_input(b, "time_step", -1);
    for (int i = 0; i < TIME_WIDTH / 2; i++) frequencies[i] = (float)exp(-log(10000) / (TIME_WIDTH / 2 - 1) * i);
    if (am_rank(b, t) == 0) t = am_broadcast(b, am_reshape(b, t, am_shape_of(1)), am_shape_of(N));
    else if (N == 2 * B && am_dim(b, t, 0) == B) t = am_concat2(b, t, t, 0);
    am_value table = am_constant_copy(b, AM_F32, am_shape_of(1, TIME_WIDTH / 2), frequencies);
    am_value x = am_mul(b, am_mul_number(b, am_unsqueeze(b, t, 1), TIME_SCALE), table);
    x = am_concat2(b, am_unary(b, AM_SIN, x), am_unary(b, AM_COS, x), 1);
    am_scope(b, "time_embed");
    x = am_linear_activation(b, "time_mlp.0", x, c->width, AM_BIAS, AM_SILU);
    x = am_linear(b, "time_mlp.2", x, c->width, AM_BIAS);
    am_end_scope(b);
    return x;
}

/* Rows of the input quantized_code: [B, N], or of code 0 in their place, each for `repeats` frames: [B, T, C]. */
static am_value codes_of(am_builder *b, bool none, const dit_config *c)
{
    am_value ids = am_input(b, "quantized_code", 2);
    int64_t B = am_dim(b, ids, 0), N = am_dim(b, ids, 1), C = c->code_width;
    if (none) ids = am_mul_number(b, ids, 0);
    am_value x = am_embedding(b, "text_embed.codec_embed", ids, c->codes + 1, C);
    x = am_broadcast(b, am_reshape(b, x, am_shape_of(B, N, 1, C)), am_shape_of(B, N, c->repeats, C));
    return am_reshape(b, x, am_shape_of(B, N * c->repeats, C));
}

/* x: [B, T, mel_dim] with all that is told beside it, projected: [N, T, C]. */
static am_value embedded(am_builder *b, am_value x, const told *t, const dit_config *c)
{
    am_value voice = am_input(b, "speaker_embedding", 3), sound = am_input(b, "condition_vector", 3);
    am_value codes = codes_of(b, t->no_codes && !t->beside, c);
    if (t->beside) {
        x = am_concat2(b, x, x, 0);
        voice = beside_zeros(b, voice);
        sound = beside_zeros(b, sound);
        codes = am_concat2(b, codes, codes_of(b, true, c), 0);
    } else if (t->no_voice) {
        voice = am_mul_number(b, voice, 0);
        sound = am_mul_number(b, sound, 0);
    }
    am_scope(b, "input_embed");
    sound = am_unsqueeze(b, voice_of(b, sound, c), 1);
    sound = am_broadcast(b, sound, am_shape_of(am_dim(b, x, 0), am_dim(b, x, 1), c->voice_out));
    const am_value parts[] = {x, sound, codes, voice};
    x = am_linear(b, "proj", am_concat(b, parts, 4, 2), c->width, AM_BIAS);
    am_end_scope(b);
    return x;
}

/* --- layers --- */

/* x: [N, T, C], normed, times 1 + scale: [N, C] with shift: [N, C] added. */
static am_value modulated(am_builder *b, am_value x, am_value scale, am_value shift)
{
    am_norm_attributes layer = {.kind = AM_NORM_LAYER, .eps = NORM_EPS};
    x = am_norm_op(b, x, AM_NONE, AM_NONE, AM_NONE, AM_NONE, &layer);
    x = am_mul(b, x, am_unsqueeze(b, am_add_number(b, scale, 1), 1));
    return am_add(b, x, am_unsqueeze(b, shift, 1));
}

/* Frames see their own block, and those beside it that a layer looks to: BOOL [1, 1, T, T]. */
static am_value block_mask(am_builder *b, int64_t T, bool ahead, bool back, const dit_config *c)
{
    am_value size = am_scalar(b, AM_F32, (double)c->block_size);
    am_value own = am_unary(b, AM_FLOOR, am_div(b, am_iota(b, AM_F32, am_shape_of(1, 1, T, 1), 2, 0, 1), size));
    am_value other = am_unary(b, AM_FLOOR, am_div(b, am_iota(b, AM_F32, am_shape_of(1, 1, 1, T), 3, 0, 1), size));
    am_value apart = am_sub(b, other, own);
    return am_binary(b, AM_LOGICAL_AND, am_binary_number(b, AM_GREATER_EQUAL, apart, back ? -1 : 0),
                     am_binary_number(b, AM_LESS_EQUAL, apart, ahead ? 1 : 0));
}

/* x: [N, T, H, D], of which the first head alone is turned, as the model was trained. */
static am_value first_turned(am_builder *b, am_value x, const am_rope *rope)
{
    am_value first = am_rope_apply(b, rope, am_slice(b, x, 2, 0, 1));
    return am_dim(b, x, 2) > 1 ? am_concat2(b, first, am_slice(b, x, 2, 1, AM_SLICE_END), 2) : first;
}

static am_value attention(am_builder *b, am_value x, am_value mask, const am_rope *rope, const dit_config *c)
{
    am_attention_options options = {
        .heads = c->heads, .head_dim = c->head_dim, .q = "to_q", .k = "to_k", .v = "to_v", .mask = mask};
    am_value qkv[3];
    am_attention_heads(b, x, &options, qkv);
    x = am_attend_cached(b, first_turned(b, qkv[0], rope), first_turned(b, qkv[1], rope), qkv[2], &options);
    return am_linear(b, "to_out.0", am_merge_heads(b, x), c->width, AM_BIAS);
}

/* Part i of six of what a step's time says: [N, 6 C] -> [N, C]. */
static am_value part(am_builder *b, am_value x, int i, const dit_config *c)
{
    return am_slice(b, x, 1, i * c->width, (i + 1) * c->width);
}

static am_value layer(am_builder *b, am_value x, am_value time, am_value mask, const am_rope *rope, const dit_config *c)
{
    am_value t = am_linear(b, "attn_norm.linear", am_unary(b, AM_SILU, time), 6 * c->width, AM_BIAS);
    am_value h = modulated(b, x, part(b, t, 1, c), part(b, t, 0, c));
    am_scope(b, "attn");
    h = attention(b, h, mask, rope, c);
    am_end_scope(b);
    x = am_add(b, x, am_mul(b, am_unsqueeze(b, part(b, t, 2, c), 1), h));
    h = modulated(b, x, part(b, t, 4, c), part(b, t, 3, c));
    h = am_linear_activation(b, "ff.ff.0", h, c->inner * c->width, AM_BIAS, AM_GELU_TANH);
    h = am_linear(b, "ff.ff.3", h, c->width, AM_BIAS);
    return am_add(b, x, am_mul(b, am_unsqueeze(b, part(b, t, 5, c), 1), h));
}

static void dit_model(am_builder *b)
{
    dit_config c = read_config(b);
    told t = {.beside = am_model_argument(b, "apply_cfg", 1),
              .no_voice = am_model_argument(b, "drop_audio_conditioning", 0),
              .no_codes = am_model_argument(b, "drop_code", 0)};
    am_value x = am_input(b, "hidden_states", 3);
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1), N = t.beside ? 2 * B : B;
    am_value time = time_of(b, B, N, &c);
    x = embedded(b, x, &t, &c);
    am_rope rope = am_rope_tables(b, &c.rope, T);
    rope.interleaved = true;
    for (int i = 0; i < c.layers && !am_builder_failed(b); i++) {
        am_scope(b, "transformer_blocks.%d", i);
        x = layer(b, x, time, block_mask(b, T, c.looks_ahead[i], c.looks_back[i], &c), &rope, &c);
        am_end_scope(b);
    }
    time = am_linear(b, "norm_out.linear", am_unary(b, AM_SILU, time), 2 * c.width, AM_BIAS);
    x = modulated(b, x, part(b, time, 0, &c), part(b, time, 1, &c));
    am_output(b, "output", am_linear(b, "proj_out", x, c.mel_dim, AM_BIAS));
}

static const am_architecture architectures[] = {
    {"Qwen2_5OmniToken2WavDiTModel", dit_model, NULL, 0},
    {0},
};

const am_model_type am_model_qwen2_5_omni_dit = {
    .name = "qwen2_5_omni_dit", .base_prefix = "model", .architectures = architectures};
