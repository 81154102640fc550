/* VITS (arXiv 2106.06103): an encoder with relative positions reads a text and says how each of its tokens sounds;
   flows make lengths of noise and the encoder's states, tokens are repeated as long, more flows and HiFi-GAN make a
   wave of them. transformers: models/vits/modeling_vits.py */
#include "models/blocks/hifigan.h"

#include "models/blocks/attention.h"
#include "models/blocks/heads.h"
#include "models/blocks/transformer_xl.h"
#include "models/blocks/vision.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static const double NORM_EPS = 1e-5; /* of the norms that layer_norm_eps is not for */
static const double LEAST = 1e-3;    /* of a spline: width and height of a bin, derivative at its ends */

enum { DURATION_SEED = 1, FLOW_SEED = 2 };

typedef struct vits_config {
    int64_t vocab_size, hidden_size, num_hidden_layers, heads, ffn_dim, ffn_kernel_size, window_size;
    int64_t flow_size, speakers, speaker_size;
    bool use_bias, stochastic;
    am_unary_fn hidden_act;
    double layer_norm_eps, speaking_rate, noise_scale, noise_scale_duration;
    int64_t predictor_kernel, predictor_flows, predictor_bins, predictor_channels, separable_layers;
    double tail_bound;
    int64_t wavenet_kernel, wavenet_dilation, wavenet_layers, flows;
    am_hifigan vocoder;
} vits_config;

/* What is spoken: masks and states of the text. */
typedef struct vits_text {
    am_value x;               /* [B, C, T] */
    am_value mask;            /* F32 [B, 1, T] */
    am_value means, log_vars; /* [B, T, flow_size] */
    am_value speaker;         /* [1 or B, speaker_size, 1], or AM_NONE */
} vits_text;

static void check(const am_config *c, const vits_config *r)
{
    am_config_check_divides(c, "num_attention_heads", r->heads, "hidden_size", r->hidden_size);
    if (r->flow_size % 2) am_config_fail(c, "flow_size", "expected an even number, found %" PRId64, r->flow_size);
    if (am_config_size(c, "depth_separable_channels", 2) != 2)
        am_config_fail(c, "depth_separable_channels", "lengths come of 2 channels, found another number");
    if (am_config_is_null(c, "window_size")) am_config_fail(c, "window_size", "expected a size, found none");
    if (r->predictor_bins > 1000) am_config_fail(c, "duration_predictor_flow_bins", "at most 1000 have a width");
    if (r->predictor_kernel % 2 == 0 || r->wavenet_kernel % 2 == 0)
        am_config_fail(c, r->wavenet_kernel % 2 ? "duration_predictor_kernel_size" : "wavenet_kernel_size",
                       "an even number changes lengths");
    if (!(r->speaking_rate > 0 && r->speaking_rate < 1e6))
        am_config_fail(c, "speaking_rate", "expected more than 0, found %g", r->speaking_rate);
    if (!(r->tail_bound > 0)) am_config_fail(c, "duration_predictor_tail_bound", "expected more than 0");
    if (pow((double)r->predictor_kernel, (double)r->separable_layers) > INT32_MAX ||
        pow((double)r->wavenet_dilation, (double)r->wavenet_layers) * (double)r->wavenet_kernel > INT32_MAX)
        am_config_fail(c, "depth_separable_num_layers", "dilations grow too much");
}

static vits_config read_config(am_builder *b)
{
    static const int64_t rates[] = {8, 8, 2, 2}, kernels[] = {16, 16, 4, 4};
    const am_config *c = am_model_config(b);
    vits_config r = {
        .vocab_size = am_config_size(c, "vocab_size", 38),
        .hidden_size = am_config_size(c, "hidden_size", 192),
        .num_hidden_layers = am_config_count(c, "num_hidden_layers", 6),
        .heads = am_config_size(c, "num_attention_heads", 2),
        .ffn_dim = am_config_size(c, "ffn_dim", 768),
        .ffn_kernel_size = am_config_size(c, "ffn_kernel_size", 3),
        .window_size = am_config_size(c, "window_size", 4),
        .flow_size = am_config_size(c, "flow_size", 192),
        .speakers = am_config_count(c, "num_speakers", 1),
        .speaker_size = am_config_count(c, "speaker_embedding_size", 0),
        .use_bias = am_config_flag(c, "use_bias", true),
        .stochastic = am_config_flag(c, "use_stochastic_duration_prediction", true),
        .hidden_act = am_config_activation(c, "hidden_act", AM_RELU),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-5),
        .speaking_rate = am_config_real(c, "speaking_rate", 1),
        .noise_scale = am_config_real(c, "noise_scale", 0.667),
        .noise_scale_duration = am_config_real(c, "noise_scale_duration", 0.8),
        .predictor_kernel = am_config_size(c, "duration_predictor_kernel_size", 3),
        .predictor_flows = am_config_count(c, "duration_predictor_num_flows", 4),
        .predictor_bins = am_config_size(c, "duration_predictor_flow_bins", 10),
        .predictor_channels = am_config_size(c, "duration_predictor_filter_channels", 256),
        .separable_layers = am_config_count(c, "depth_separable_num_layers", 3),
        .tail_bound = am_config_real(c, "duration_predictor_tail_bound", 5),
        .wavenet_kernel = am_config_size(c, "wavenet_kernel_size", 5),
        .wavenet_dilation = am_config_size(c, "wavenet_dilation_rate", 1),
        .wavenet_layers = am_config_count(c, "prior_encoder_num_wavenet_layers", 4),
        .flows = am_config_count(c, "prior_encoder_num_flows", 4),
        .vocoder = am_hifigan_read(c, rates, kernels, 4),
    };
    r.vocoder.unbiased_post = true;
    check(c, &r);
    return r;
}

/* Convolution NAME: x: [B, C, T] -> [B, out, T - before - after + ..], with zeros around. */
static am_value conv(am_builder *b, const char *name, am_value x, int64_t out, int64_t kernel, int64_t dilation,
                     int64_t groups)
{
    int64_t total = (kernel - 1) * dilation;
    return am_normed_convolution(b, name, x, out, kernel, AM_BIAS,
                                 &(am_convolution_attributes){.dilation = am_shape_of(dilation),
                                                              .groups = groups,
                                                              .padding_before = am_shape_of(total / 2),
                                                              .padding_after = am_shape_of(total - total / 2)});
}

/* The same of one tap. */
static am_value mix(am_builder *b, const char *name, am_value x, int64_t out)
{
    return conv(b, name, x, out, 1, 1, 1);
}

/* --- text encoder --- */

/* Rows of how far away a key is, the weight NAME, and one of zeros for those further than the window: F32 [2 w + 2, D].
 */
static am_value distance_rows(am_builder *b, const char *name, int64_t D, int64_t window)
{
    am_value rows = am_cast(b, am_weight(b, name, am_shape_of(1, 2 * window + 1, D)), AM_F32);
    return am_pad_zero(b, am_squeeze(b, rows, 0), 0, 0, 1);
}

/* Row for query t and key s: I32 [T, T]. */
static am_value distance_index(am_builder *b, int64_t T, int64_t window)
{
    am_value key = am_iota(b, AM_I32, am_shape_of(T, T), 1, 0, 1),
             query = am_iota(b, AM_I32, am_shape_of(T, T), 0, 0, 1);
    am_value row = am_add_number(b, am_sub(b, key, query), (double)window);
    am_value near = am_binary(b, AM_LOGICAL_AND, am_binary_number(b, AM_GREATER_EQUAL, row, 0),
                              am_binary_number(b, AM_LESS_EQUAL, row, (double)(2 * window)));
    return am_select(b, near, row, am_scalar(b, AM_I32, (double)(2 * window + 1)));
}

/* What keys near a query add to its value: parts: [B, H, T, T] of attention -> [B, T, H, D]. */
static am_value near_values(am_builder *b, am_value parts, int64_t D, int64_t window)
{
    int64_t B = am_dim(b, parts, 0), H = am_dim(b, parts, 1), T = am_dim(b, parts, 2), count = 2 * window + 1;
    am_value rows = am_slice(b, distance_rows(b, "emb_rel_v", D, window), 0, 0, count);
    am_value place = am_add(b, am_iota(b, AM_I32, am_shape_of(T, count), 0, 0, 1),
                            am_iota(b, AM_I32, am_shape_of(T, count), 1, 0, 1));
    place = am_broadcast(b, place, am_shape_of(B, H, T, count));
    parts = am_gather(b, am_pad_zero(b, parts, 3, window, window), place, 3, true);
    return am_transpose(b, am_matmul(b, parts, rows, false, false), 1, 2);
}

/* x: [B, T, C], mask: BOOL [B, 1, 1, T] or AM_NONE */
static am_value attention(am_builder *b, am_value x, am_value mask, const vits_config *c)
{
    int64_t C = c->hidden_size, D = C / c->heads, T = am_dim(b, x, 1);
    int bias = c->use_bias ? AM_BIAS : AM_NO_BIAS;
    am_value q = am_mul_number(b, am_linear(b, "q_proj", x, C, bias), 1 / sqrt((double)D));
    q = am_split_heads(b, q, c->heads);
    am_value k = am_split_heads(b, am_linear(b, "k_proj", x, C, bias), c->heads),
             v = am_split_heads(b, am_linear(b, "v_proj", x, C, bias), c->heads);
    am_value scores = am_matmul(b, am_transpose(b, q, 1, 2), am_transpose(b, k, 1, 2), false, true);
    am_value rows = am_unsqueeze(b, distance_rows(b, "emb_rel_k", D, c->window_size), 1);
    rows = am_broadcast(b, rows, am_shape_of(2 * c->window_size + 2, c->heads, D));
    scores = am_add(b, scores, am_xl_scores(b, q, rows, distance_index(b, T, c->window_size)));
    if (mask.id) scores = am_select(b, mask, scores, am_scalar(b, AM_F32, -FLT_MAX));
    am_value parts = am_softmax(b, scores, 3);
    am_value y = am_transpose(b, am_matmul(b, parts, am_transpose(b, v, 1, 2), false, false), 1, 2);
    y = am_add(b, y, near_values(b, parts, D, c->window_size));
    return am_linear(b, "out_proj", am_merge_heads(b, y), C, bias);
}

/* x: [B, T, C], mask: F32 [B, 1, T]. Of an even kernel the larger half of the zeros stands behind. */
static am_value feed_forward(am_builder *b, am_value x, am_value mask, const vits_config *c)
{
    x = am_mul(b, am_transpose(b, x, 1, 2), mask);
    x = am_unary(b, c->hidden_act, conv(b, "conv_1", x, c->ffn_dim, c->ffn_kernel_size, 1, 1));
    x = am_mul(b, x, mask);
    x = am_mul(b, conv(b, "conv_2", x, c->hidden_size, c->ffn_kernel_size, 1, 1), mask);
    return am_transpose(b, x, 1, 2);
}

/* The states, named as hidden states: [B, T, C]. */
static am_value encoder(am_builder *b, am_value x, am_value mask, const vits_config *c)
{
    am_value rows = am_transpose(b, mask, 1, 2), attended = am_padding_mask(b, "attention_mask");
    x = am_mul(b, x, rows);
    am_scope(b, "encoder");
    for (int i = 0; i < c->num_hidden_layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "hidden_states", i, x);
        am_scope(b, "layers.%d", i);
        am_scope(b, "attention");
        am_value h = attention(b, x, attended, c);
        am_end_scope(b);
        x = am_layer_norm(b, "layer_norm", am_add(b, x, h), c->layer_norm_eps);
        am_scope(b, "feed_forward");
        h = feed_forward(b, x, mask, c);
        am_end_scope(b);
        x = am_layer_norm(b, "final_layer_norm", am_add(b, x, h), c->layer_norm_eps);
        am_end_scope(b);
    }
    am_end_scope(b);
    x = am_mul(b, x, rows);
    am_output_hidden_state(b, "hidden_states", (int)c->num_hidden_layers, x);
    return x;
}

/* The row of the argument speaker_id, or of the input of that name: [1 or B, speaker_size, 1]; AM_NONE without one. */
static am_value speaker(am_builder *b, const vits_config *c)
{
    am_value id = am_input_optional(b, "speaker_id", 1);
    int64_t argument = am_model_argument(b, "speaker_id", -1);
    if (c->speakers < 2 || (!id.id && argument < 0)) return AM_NONE;
    if (!id.id && argument >= c->speakers)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "speaker_id is %" PRId64 ", expected 0 to %" PRId64, argument,
                                    c->speakers - 1));
    if (!id.id) id = am_iota(b, AM_I32, am_shape_of(1), 0, (double)argument, 0);
    return am_unsqueeze(b, am_embedding(b, "embed_speaker", id, c->speakers, c->speaker_size), 2);
}

static vits_text read_text(am_builder *b, const vits_config *c)
{
    am_value ids = am_input(b, "input_ids", 2), mask = am_input_optional(b, "attention_mask", 2);
    am_shape ones = am_shape_of(am_dim(b, ids, 0), am_dim(b, ids, 1));
    mask = mask.id ? am_cast(b, mask, AM_F32) : am_broadcast(b, am_scalar(b, AM_F32, 1), ones);
    vits_text r = {.mask = am_unsqueeze(b, mask, 1), .speaker = speaker(b, c)};
    am_scope(b, "text_encoder");
    am_value x = am_embedding(b, "embed_tokens", ids, c->vocab_size, c->hidden_size);
    x = encoder(b, am_mul_number(b, x, sqrt((double)c->hidden_size)), r.mask, c);
    r.x = am_transpose(b, x, 1, 2);
    am_value stats = am_mul(b, mix(b, "project", r.x, 2 * c->flow_size), r.mask);
    am_end_scope(b);
    stats = am_transpose(b, stats, 1, 2);
    r.means = am_slice(b, stats, 2, 0, c->flow_size);
    r.log_vars = am_slice(b, stats, 2, c->flow_size, 2 * c->flow_size);
    return r;
}

/* --- lengths --- */

/* Channels of x: [B, C, T] normed by NAME.<i>. */
static am_value norm_channels(am_builder *b, const char *list, int i, am_value x)
{
    char name[32];
    snprintf(name, sizeof name, "%s.%d", list, i);
    return am_layer_norm_channels_first(b, name, x, NORM_EPS);
}

/* Convolutions of each channel, ever further apart, and ones of one tap, below the scope: x: [B, C, T]. */
static am_value separable(am_builder *b, am_value x, am_value mask, const vits_config *c)
{
    int64_t C = am_dim(b, x, 1), dilation = 1;
    char name[32];
    for (int i = 0; i < c->separable_layers && !am_builder_failed(b); i++, dilation *= c->predictor_kernel) {
        snprintf(name, sizeof name, "convs_dilated.%d", i);
        am_value h = conv(b, name, am_mul(b, x, mask), C, c->predictor_kernel, dilation, C);
        h = am_unary(b, AM_GELU, norm_channels(b, "norms_1", i, h));
        snprintf(name, sizeof name, "convs_pointwise.%d", i);
        h = am_unary(b, AM_GELU, norm_channels(b, "norms_2", i, mix(b, name, h, C)));
        x = am_add(b, x, h);
    }
    return am_mul(b, x, mask);
}

/* Edges of bins whose sizes are x: [B, T, N] before their softmax, from -tail to tail: [B, T, N + 1]. */
static am_value bin_edges(am_builder *b, am_value x, double tail)
{
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1), N = am_dim(b, x, 2);
    am_value sizes = am_add_number(b, am_mul_number(b, am_softmax(b, x, 2), 1 - LEAST * (double)N), LEAST);
    am_value inner = am_slice(b, am_scan(b, AM_REDUCE_SUM, sizes, 2, false, false), 2, 0, N - 1);
    inner = am_add_number(b, am_mul_number(b, inner, 2 * tail), -tail);
    am_value end = am_broadcast(b, am_scalar(b, AM_F32, tail), am_shape_of(B, T, 1));
    am_value parts[] = {am_unary(b, AM_NEG, end), inner, end};
    return am_concat(b, parts, 3, 2);
}

/* Element bin: I32 [B, T, 1] of x: [B, T, N]: [B, T]. */
static am_value at_bin(am_builder *b, am_value x, am_value bin)
{
    return am_squeeze(b, am_gather(b, x, bin, 2, true), 2);
}

/* The inverse of a monotone function of rational quadratic pieces (arXiv 1906.04032) at y: [B, T]; beyond the tails it
   is y. widths and heights: [B, T, N], slopes: [B, T, N - 1], as a network gave them. */
static am_value inverse_spline(am_builder *b, am_value y, am_value widths, am_value heights, am_value slopes,
                               double tail)
{
    int64_t N = am_dim(b, widths, 2);
    am_value x_edges = bin_edges(b, widths, tail), y_edges = bin_edges(b, heights, tail);
    am_value width = am_sub(b, am_slice(b, x_edges, 2, 1, N + 1), am_slice(b, x_edges, 2, 0, N)),
             height = am_sub(b, am_slice(b, y_edges, 2, 1, N + 1), am_slice(b, y_edges, 2, 0, N));
    /* at both tails the slope is 1, that of the identity */
    am_value inner = am_add_number(b, am_unary(b, AM_SOFTPLUS, slopes), LEAST);
    am_value one = am_broadcast(b, am_scalar(b, AM_F32, 1), am_shape_of(am_dim(b, y, 0), am_dim(b, y, 1), 1));
    slopes = am_concat(b, (am_value[]){one, inner, one}, 3, 2);
    am_value passed = am_binary(b, AM_GREATER_EQUAL, am_unsqueeze(b, y, 2), am_slice(b, y_edges, 2, 1, N));
    am_value bin = am_reduce(b, AM_REDUCE_SUM, am_cast(b, passed, AM_I32), am_shape_of(2), true);
    am_value w = at_bin(b, width, bin), h = at_bin(b, height, bin), left = at_bin(b, x_edges, bin),
             above = am_sub(b, y, at_bin(b, y_edges, bin)), slope = am_div(b, h, w), before = at_bin(b, slopes, bin),
             after = at_bin(b, slopes, am_add_number(b, bin, 1));
    am_value bend = am_sub(b, am_add(b, before, after), am_mul_number(b, slope, 2)), bent = am_mul(b, above, bend);
    am_value p = am_add(b, am_mul(b, h, am_sub(b, slope, before)), bent), q = am_sub(b, am_mul(b, h, before), bent),
             r = am_unary(b, AM_NEG, am_mul(b, slope, above));
    am_value root = am_unary(b, AM_SQRT, am_sub(b, am_unary(b, AM_SQUARE, q), am_mul_number(b, am_mul(b, p, r), 4)));
    root = am_div(b, am_mul_number(b, r, -2), am_add(b, q, root));
    am_value inside = am_binary_number(b, AM_LESS_EQUAL, am_unary(b, AM_ABS, y), tail);
    return am_select(b, inside, am_add(b, am_mul(b, root, w), left), y);
}

/* Flow flows.<i> of two channels backwards: the first decides how the second is bent. x: [B, 2, T], condition: [B, C,
   T]. */
static am_value bend(am_builder *b, int i, am_value x, am_value condition, am_value mask, const vits_config *c)
{
    int64_t N = c->predictor_bins, C = c->hidden_size;
    am_value first = am_slice(b, x, 1, 0, 1), second = am_slice(b, x, 1, 1, 2);
    am_scope(b, "flows.%d", i);
    am_value h = am_add(b, mix(b, "conv_pre", first, C), condition);
    am_scope(b, "conv_dds");
    h = separable(b, h, mask, c);
    am_end_scope(b);
    h = am_transpose(b, am_mul(b, mix(b, "conv_proj", h, 3 * N - 1), mask), 1, 2);
    am_end_scope(b);
    am_value sizes = am_mul_number(b, am_slice(b, h, 2, 0, 2 * N), 1 / sqrt((double)C));
    second = inverse_spline(b, am_squeeze(b, second, 1), am_slice(b, sizes, 2, 0, N), am_slice(b, sizes, 2, N, 2 * N),
                            am_slice(b, h, 2, 2 * N, 3 * N - 1), c->tail_bound);
    return am_mul(b, am_concat2(b, first, am_unsqueeze(b, second, 1), 1), mask);
}

static am_value flipped(am_builder *b, am_value x)
{
    return am_slice_step(b, x, 1, -1, AM_SLICE_END, -1);
}

/* Flow flows.0 backwards: x: [B, 2, T]. */
static am_value unscale(am_builder *b, am_value x, am_value mask)
{
    am_scope(b, "flows.0");
    am_value by = am_parameter(b, "translate", am_shape_of(2, 1), x),
             scale = am_parameter(b, "log_scale", am_shape_of(2, 1), x);
    am_end_scope(b);
    return am_mul(b, am_mul(b, am_sub(b, x, by), am_unary(b, AM_EXP, am_unary(b, AM_NEG, scale))), mask);
}

/* Normal numbers times `scale`. */
static am_value noise(am_builder *b, am_shape shape, int64_t seed, double scale)
{
    if (scale == 0) return am_broadcast(b, am_scalar(b, AM_F32, 0), shape);
    return am_mul_number(b, am_random(b, shape, seed, true), scale);
}

/* Below duration_predictor: logarithm of each token's length by flows: [B, 1, T]. The first of them but the scale is
   left out, as in transformers. */
static am_value flowing_lengths(am_builder *b, am_value x, const vits_text *t, const vits_config *c)
{
    am_value condition = mix(b, "conv_pre", x, c->hidden_size);
    if (t->speaker.id) condition = am_add(b, condition, mix(b, "cond", t->speaker, c->hidden_size));
    am_scope(b, "conv_dds");
    condition = separable(b, condition, t->mask, c);
    am_end_scope(b);
    condition = am_mul(b, mix(b, "conv_proj", condition, c->hidden_size), t->mask);
    x = noise(b, am_shape_of(am_dim(b, x, 0), 2, am_dim(b, x, 2)), DURATION_SEED, c->noise_scale_duration);
    for (int64_t i = c->predictor_flows; i > 1 && !am_builder_failed(b); i--)
        x = bend(b, (int)i, flipped(b, x), condition, t->mask, c);
    return am_slice(b, unscale(b, flipped(b, x), t->mask), 1, 0, 1);
}

/* The same by two convolutions. */
static am_value plain_lengths(am_builder *b, am_value x, const vits_text *t, const vits_config *c)
{
    if (t->speaker.id) x = am_add(b, x, mix(b, "cond", t->speaker, c->hidden_size));
    for (int i = 1; i <= 2; i++) {
        char name[16];
        snprintf(name, sizeof name, "conv_%d", i);
        x = am_unary(b, AM_RELU,
                     conv(b, name, am_mul(b, x, t->mask), c->predictor_channels, c->predictor_kernel, 1, 1));
        snprintf(name, sizeof name, "norm_%d", i);
        x = am_layer_norm_channels_first(b, name, x, c->layer_norm_eps);
    }
    return am_mul(b, mix(b, "proj", am_mul(b, x, t->mask), 1), t->mask);
}

/* Frames of each token: I32 [B, T]. */
static am_value lengths(am_builder *b, const vits_text *t, const vits_config *c)
{
    am_scope(b, "duration_predictor");
    am_value x = c->stochastic ? flowing_lengths(b, t->x, t, c) : plain_lengths(b, t->x, t, c);
    am_end_scope(b);
    x = am_mul_number(b, am_mul(b, am_unary(b, AM_EXP, x), t->mask), 1 / c->speaking_rate);
    x = am_binary_number(b, AM_MIN, am_unary(b, AM_CEIL, x), 1 << 24);
    return am_squeeze(b, am_cast(b, x, AM_I32), 1);
}

/* --- sound --- */

/* WaveNet (arXiv 1609.03499) below the scope: x: [B, C, L], mask: F32 [B, 1, L]. */
static am_value wavenet(am_builder *b, am_value x, am_value mask, am_value speaker, const vits_config *c)
{
    int64_t C = c->hidden_size, dilation = 1;
    am_value sum = AM_NONE;
    char name[32];
    if (speaker.id) speaker = mix(b, "cond_layer", speaker, 2 * C * c->wavenet_layers);
    for (int i = 0; i < c->wavenet_layers && !am_builder_failed(b); i++, dilation *= c->wavenet_dilation) {
        bool is_last = i + 1 == c->wavenet_layers;
        snprintf(name, sizeof name, "in_layers.%d", i);
        am_value h = conv(b, name, x, 2 * C, c->wavenet_kernel, dilation, 1);
        if (speaker.id) h = am_add(b, h, am_slice(b, speaker, 1, i * 2 * C, (i + 1) * 2 * C));
        h = am_gated_activation(b, AM_SIGMOID, am_slice(b, h, 1, C, 2 * C),
                                am_unary(b, AM_TANH, am_slice(b, h, 1, 0, C)));
        snprintf(name, sizeof name, "res_skip_layers.%d", i);
        h = mix(b, name, h, is_last ? C : 2 * C);
        if (!is_last) x = am_mul(b, am_add(b, x, am_slice(b, h, 1, 0, C)), mask);
        if (!is_last) h = am_slice(b, h, 1, C, 2 * C);
        sum = i ? am_add(b, sum, h) : h;
    }
    return sum.id ? am_mul(b, sum, mask) : am_mul_number(b, x, 0);
}

/* The flows of the prior backwards: x: [B, flow_size, L]. */
static am_value unflow(am_builder *b, am_value x, am_value mask, am_value speaker, const vits_config *c)
{
    int64_t half = c->flow_size / 2;
    for (int64_t i = c->flows - 1; i >= 0 && !am_builder_failed(b); i--) {
        x = flipped(b, x);
        am_value first = am_slice(b, x, 1, 0, half), second = am_slice(b, x, 1, half, 2 * half);
        am_scope(b, "flow.flows.%d", (int)i);
        am_value h = am_mul(b, mix(b, "conv_pre", first, c->hidden_size), mask);
        am_scope(b, "wavenet");
        h = wavenet(b, h, mask, speaker, c);
        am_end_scope(b);
        h = am_mul(b, mix(b, "conv_post", h, half), mask);
        am_end_scope(b);
        x = am_concat2(b, first, am_mul(b, am_sub(b, second, h), mask), 1);
    }
    return x;
}

/* durations: I32 [B, T], totals: I32 [B, 1] -> the spectrogram: [B, flow_size, L] */
static am_value spectrogram(am_builder *b, const vits_text *t, am_value durations, am_value totals,
                            const vits_config *c)
{
    int64_t L = am_model_argument(b, "length", am_dim(b, durations, 1)), B = am_dim(b, durations, 0);
    am_value mask = am_frames_before(b, am_squeeze(b, totals, 1), L);
    mask = am_unsqueeze(b, am_cast(b, mask, AM_F32), 1);
    am_value x = am_transpose(b, am_repeat_rows(b, t->means, durations, L), 1, 2);
    if (c->noise_scale != 0) {
        am_value spread = am_unary(b, AM_EXP, am_transpose(b, am_repeat_rows(b, t->log_vars, durations, L), 1, 2));
        x = am_add(b, x, am_mul(b, noise(b, am_shape_of(B, c->flow_size, L), FLOW_SEED, c->noise_scale), spread));
    }
    return am_mul(b, unflow(b, x, mask, t->speaker, c), mask);
}

static void vits_model(am_builder *b)
{
    vits_config c = read_config(b);
    vits_text t = read_text(b, &c);
    am_value durations = lengths(b, &t, &c), condition = AM_NONE;
    am_value totals = am_reduce(b, AM_REDUCE_SUM, durations, am_shape_of(1), true);
    totals = am_binary_number(b, AM_MAX, totals, 1);
    if (am_model_stage(b) == AM_STAGE_MEASURE) {
        am_output(b, "length", am_reduce(b, AM_REDUCE_MAX, totals, am_shape_of(0), true));
        return;
    }
    am_value x = spectrogram(b, &t, durations, totals, &c);
    am_scope(b, "decoder");
    if (t.speaker.id) condition = mix(b, "cond", t.speaker, c.vocoder.upsample_initial_channel);
    am_output(b, "waveform", am_hifigan_wave(b, x, condition, &c.vocoder));
    am_end_scope(b);
    am_output(b, "sequence_lengths", am_squeeze(b, am_mul_number(b, totals, (double)c.vocoder.hop), 1));
    am_output(b, "spectrogram", x);
}

static const am_architecture architectures[] = {
    {"VitsModel", vits_model, NULL, AM_MEASURES},
    {0},
};

const am_model_type am_model_vits = {.name = "vits", .base_prefix = "vits", .architectures = architectures};
