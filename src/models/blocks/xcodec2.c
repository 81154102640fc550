#include "models/blocks/xcodec2.h"

#include "models/blocks/alias_free.h"
#include "models/blocks/attention.h"
#include "models/blocks/dac.h"
#include "models/blocks/decoder.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { LEVELS_LIMIT = 64, WINDOW_HOPS = 4, NORM_GROUPS = 32 };
static const double NORM_EPS = 1e-6, PI = 3.14159265358979323846; /* eps is not configurable */

typedef struct codec_config {
    am_dac dac;
    am_config semantic;
    int64_t width, semantic_width, intermediate_size, layers;
    int64_t hop; /* samples of a frame that is decoded */
    double rate; /* samples decoded for each that is read */
    am_unary_fn hidden_act;
    double rms_norm_eps;
    am_attention_options attention;
    am_rope_config rope;
    int64_t quantization_dim, levels[LEVELS_LIMIT];
    int level_count;
    bool changes_rate;
} codec_config;

static void read_levels(const am_config *c, codec_config *r)
{
    static const int64_t fours[] = {4, 4, 4, 4, 4, 4, 4, 4};
    double product = 1;
    r->level_count = am_config_sizes(c, "quantization_levels", r->levels, LEVELS_LIMIT, fours, 8);
    for (int i = 0; i < r->level_count; i++) {
        if (r->levels[i] < 2) am_config_fail(c, "quantization_levels", "element %d is less than 2", i);
        product *= (double)r->levels[i];
    }
    if (product > INT32_MAX) am_config_fail(c, "quantization_levels", "more codes than 2^31");
    if (r->level_count == 0) am_config_fail(c, "quantization_levels", "expected a list of sizes");
}

static void read_attention(const am_config *c, codec_config *r)
{
    bool unbiased = !am_config_flag(c, "attention_bias", false);
    int64_t heads = am_config_size(c, "num_attention_heads", 16);
    am_config_check_divides(c, "num_attention_heads", heads, "hidden_size", r->width);
    r->attention = (am_attention_options){.heads = heads,
                                          .kv_heads = am_config_size(c, "num_key_value_heads", heads),
                                          .head_dim = am_config_size(c, "head_dim", 64),
                                          .out = "o_proj",
                                          .no_q_bias = unbiased,
                                          .no_k_bias = unbiased,
                                          .no_v_bias = unbiased,
                                          .no_out_bias = unbiased};
    if (r->attention.kv_heads != heads)
        am_config_fail(c, "num_key_value_heads", "expected num_attention_heads, %" PRId64, heads);
    r->rope =
        am_rope_config_read_fields(c, &(am_rope_fields){.whole_heads = true}, r->attention.head_dim, 10000, 1, 4096);
}

static void read_rates(const am_config *c, codec_config *r)
{
    double in = (double)am_config_size(c, "input_sampling_rate", 16000);
    double out = (double)am_config_size(c, "output_sampling_rate", 24000);
    r->hop = r->dac.hop_length;
    r->rate = 1;
    if (!r->changes_rate) return;
    double hop = floor((double)r->hop * out / in);
    r->rate = out / in;
    if (!(hop >= 1 && hop < 1 << 20)) am_config_fail(c, "output_sampling_rate", "frames of %g samples", hop);
    else r->hop = (int64_t)hop;
}

static codec_config read_config(am_builder *b)
{
    static const am_dac absent = {.encoder_hidden_size = 48,
                                  .decoder_hidden_size = 1 << AM_DAC_RATIOS_LIMIT,
                                  .hidden_size = 1024,
                                  .down_count = 5,
                                  .downsampling_ratios = {2, 2, 4, 4, 5}};
    const am_config *c = am_model_config(b);
    const am_xcodec2_family *family = am_model_family(b);
    codec_config r = {.dac = am_dac_read(c, &absent),
                      .semantic = am_config_child(c, "semantic_model_config"),
                      .intermediate_size = am_config_size(c, "intermediate_size", 4096),
                      .layers = am_config_count(c, "num_hidden_layers", 12),
                      .hidden_act = am_config_activation(c, "hidden_act", AM_SILU),
                      .rms_norm_eps = am_config_real(c, "rms_norm_eps", 1e-6),
                      .quantization_dim = am_config_size(c, "quantization_dim", 2048),
                      .changes_rate = family->changes_rate};
    r.dac.snake = am_alias_free_snake;
    r.width = r.dac.hidden_size;
    r.semantic_width = am_config_size(&r.semantic, "hidden_size", 1024);
    if (!am_config_has(c, "semantic_model_config"))
        am_config_fail(c, "semantic_model_config", "expected a configuration");
    if (r.width % NORM_GROUPS) am_config_fail(c, "hidden_size", "expected a multiple of %d", NORM_GROUPS);
    read_levels(c, &r);
    read_attention(c, &r);
    read_rates(c, &r);
    if (r.dac.hop_length > 1 << 20) am_config_fail(c, "downsampling_ratios", "too much together");
    return r;
}

/* --- what is read --- */

/* A convolution of `kernel` taps that keeps the length: x: [B, C, T] -> [B, out, T]. */
static am_value conv(am_builder *b, const char *name, am_value x, int64_t out, int64_t kernel, int bias)
{
    am_shape padding = am_shape_of(kernel / 2);
    return am_conv(b, name, x, out, am_shape_of(kernel), bias,
                   &(am_convolution_attributes){.padding_before = padding, .padding_after = padding});
}

/* The speech model's states of the input input_features, and what convolutions make of them: [B, C, T]. */
static am_value semantic_states(am_builder *b, const codec_config *c)
{
    int64_t C = c->semantic_width;
    am_part_input inputs[] = {{.name = "input_features", .whole = "input_features"},
                              {.name = "attention_mask", .whole = "input_features_mask"}};
    am_part part = {.auto_class = "AutoModel",
                    .model_type = "wav2vec2-bert",
                    .config = &c->semantic,
                    .inputs = inputs,
                    .input_count = 2};
    am_scope(b, "semantic_encoder");
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    am_value x = am_transpose(b, am_part_output(&outputs, "last_hidden_state"), 1, 2);
    am_scope(b, "semantic_adapter");
    x = am_unary(b, AM_RELU, conv(b, "conv1", x, C, 3, AM_NO_BIAS));
    am_value h = am_unary(b, AM_RELU, conv(b, "conv2", x, C, 3, AM_BIAS));
    x = am_add(b, conv(b, "conv3", h, C, 3, AM_BIAS), x);
    x = conv(b, "conv4", x, C, 3, AM_NO_BIAS);
    am_end_scope(b);
    return x;
}

/* Both sides of each frame of the input input_values: [B, 1, L]: [B, T, C + C']. */
static am_value encode(am_builder *b, am_value sound, const codec_config *c)
{
    am_value states = semantic_states(b, c);
    am_scope(b, "acoustic_encoder");
    am_value x = am_dac_encode(b, sound, &c->dac);
    am_end_scope(b);
    int64_t T = am_dim(b, states, 2), other = am_dim(b, x, 2);
    if (c->changes_rate) {
        int64_t both = T < other ? T : other;
        states = am_slice(b, states, 2, 0, both);
        x = am_slice(b, x, 2, 0, both);
    } else if (!am_builder_failed(b) && T != other)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "input_values give %" PRId64 " frames, input_features %" PRId64, other, T));
    x = am_transpose(b, am_concat2(b, states, x, 1), 1, 2);
    return am_linear(b, "fc_encoder", x, c->width + c->semantic_width, AM_BIAS);
}

/* --- codes --- */

/* `count` numbers as a constant [count]. */
static am_value numbers(am_builder *b, const double *values, int count)
{
    float rounded[LEVELS_LIMIT];
    for (int i = 0; i < count; i++) rounded[i] = (float)values[i];
    return am_constant_copy(b, AM_F32, am_shape_of(count), rounded);
}

/* x: [.., levels] brought between the lowest and the highest level of each. */
static am_value bounded(am_builder *b, am_value x, const codec_config *c)
{
    double range[LEVELS_LIMIT], offset[LEVELS_LIMIT], shift[LEVELS_LIMIT];
    for (int i = 0; i < c->level_count; i++) {
        range[i] = (double)(c->levels[i] - 1) * (1 + 1e-3) / 2;
        offset[i] = c->levels[i] % 2 == 0 ? 0.5 : 0;
        shift[i] = atanh(offset[i] / range[i]);
    }
    x = am_unary(b, AM_TANH, am_add(b, x, numbers(b, shift, c->level_count)));
    return am_sub(b, am_mul(b, x, numbers(b, range, c->level_count)), numbers(b, offset, c->level_count));
}

/* x: [B, T, C] as codes: *out_codes: I32 [B, 1, T], and what these stand for: [B, T, quantization_dim]. */
static am_value quantize(am_builder *b, am_value x, const codec_config *c, am_value *out_codes)
{
    double half[LEVELS_LIMIT];
    int32_t basis[LEVELS_LIMIT], middle[LEVELS_LIMIT], product = 1;
    for (int i = 0; i < c->level_count; i++) {
        middle[i] = (int32_t)(c->levels[i] / 2);
        half[i] = middle[i];
        basis[i] = product;
        product = (int32_t)(product * c->levels[i]);
    }
    am_shape shape = am_shape_of(c->level_count);
    am_scope(b, "quantizer");
    x = am_linear(b, "project_in", x, c->level_count, AM_BIAS);
    x = am_unary(b, AM_ROUND, bounded(b, bounded(b, x, c), c)); /* the original bounds it twice, too */
    am_value level = am_add(b, am_cast(b, x, AM_I32), am_constant_copy(b, AM_I32, shape, middle));
    level = am_mul(b, level, am_constant_copy(b, AM_I32, shape, basis));
    *out_codes = am_unsqueeze(b, am_reduce(b, AM_REDUCE_SUM, level, am_shape_of(-1), false), 1);
    x = am_div(b, x, numbers(b, half, c->level_count));
    x = am_linear(b, "project_out", x, c->quantization_dim, AM_BIAS);
    am_end_scope(b);
    return x;
}

/* --- what is decoded --- */

/* x: [B, T, C] and two convolutions of it, each normed before: NAME.0 and NAME.1, one after the other. */
static am_value residual_blocks(am_builder *b, const char *name, am_value x)
{
    int64_t C = am_dim(b, x, 2);
    x = am_transpose(b, x, 1, 2);
    for (int i = 0; i < 2; i++) {
        am_scope(b, "%s.%d", name, i);
        am_value h = am_unary(b, AM_SILU, am_group_norm(b, "norm1", x, NORM_GROUPS, NORM_EPS));
        h = conv(b, "conv1", h, C, 3, AM_BIAS);
        h = am_unary(b, AM_SILU, am_group_norm(b, "norm2", h, NORM_GROUPS, NORM_EPS));
        x = am_add(b, x, conv(b, "conv2", h, C, 3, AM_BIAS));
        am_end_scope(b);
    }
    return am_transpose(b, x, 1, 2);
}

/* x: [B, T, H, D] turned by the number of its head, as the models were trained. */
static am_value turned(am_builder *b, am_value x, const am_rope *rope)
{
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1), H = am_dim(b, x, 2), D = am_dim(b, x, 3);
    x = am_rope_apply(b, rope, am_reshape(b, x, am_shape_of(B * T, H, 1, D)));
    return am_reshape(b, x, am_shape_of(B, T, H, D));
}

static am_value layer(am_builder *b, am_value x, const am_attention_options *attention, const am_rope *rope,
                      const codec_config *c)
{
    am_value qkv[3], h = am_rms_norm(b, "input_layernorm", x, c->rms_norm_eps, 0);
    am_scope(b, "self_attn");
    am_attention_heads(b, h, attention, qkv);
    h = am_attend_cached(b, turned(b, qkv[0], rope), turned(b, qkv[1], rope), qkv[2], attention);
    h = am_linear(b, "o_proj", am_merge_heads(b, h), c->width, attention->no_out_bias ? AM_NO_BIAS : AM_BIAS);
    am_end_scope(b);
    x = am_add(b, x, h);
    h = am_rms_norm(b, "post_attention_layernorm", x, c->rms_norm_eps, 0);
    am_scope(b, "mlp");
    h = am_linear_activation(b, "fc1", h, c->intermediate_size, AM_NO_BIAS, c->hidden_act);
    h = am_linear(b, "fc2", h, c->width, AM_NO_BIAS);
    am_end_scope(b);
    return am_add(b, x, h);
}

/* A Hann window of N samples: [N]; with T, what the squares of T of them add up to, `hop` apart, without `cut` at
   either end. */
static am_value window(am_builder *b, int64_t N, int64_t hop, int64_t T, int64_t cut)
{
    int64_t total = T ? (T - 1) * hop + N : N;
    float *values = am_arena_array(am_builder_arena(b), (size_t)total + 1, sizeof *values);
    double *sums = am_arena_array(am_builder_arena(b), (size_t)total + 1, sizeof *sums);
    if (!values || !sums) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    memset(sums, 0, (size_t)total * sizeof *sums);
    for (int64_t t = 0; t < (T ? T : 1); t++)
        for (int64_t i = 0; i < N; i++) {
            double w = 0.5 - 0.5 * cos(2 * PI * (double)i / (double)N);
            sums[t * hop + i] += T ? w * w : w;
        }
    for (int64_t i = 0; i < total; i++) values[i] = (float)(T && sums[i] < 1e-11 ? 1e-11 : sums[i]);
    return am_constant_copy(b, AM_F32, am_shape_of(total - 2 * cut), values + cut);
}

/* A wave of the spectrum that NAME says of each frame: x: [B, T, C] -> [B, 1, T * hop]. */
static am_value wave_of(am_builder *b, am_value x, const codec_config *c)
{
    int64_t N = WINDOW_HOPS * c->hop, T = am_dim(b, x, 1), cut = (N - c->hop) / 2, total = (T - 1) * c->hop + N;
    x = am_linear(b, "linear", x, N + 2, AM_BIAS);
    am_value size = am_binary_number(b, AM_MIN, am_unary(b, AM_EXP, am_slice(b, x, 2, 0, N / 2 + 1)), 1e2);
    am_value phase = am_slice(b, x, 2, N / 2 + 1, N + 2);
    am_value re = am_unsqueeze(b, am_mul(b, size, am_unary(b, AM_COS, phase)), 3);
    am_value im = am_unsqueeze(b, am_mul(b, size, am_unary(b, AM_SIN, phase)), 3);
    if (am_builder_failed(b)) return AM_NONE;
    x = am_fourier(b, am_concat2(b, re, im, 3),
                   &(am_fourier_attributes){.inverse = true, .real_output = true, .axis = 2, .length = N});
    x = am_transpose(b, am_mul(b, x, window(b, N, 0, 0, 0)), 1, 2);
    x = am_fold(
        b, x,
        &(am_unfold_attributes){.kernel = am_shape_of(N), .stride = am_shape_of(c->hop), .output = am_shape_of(total)});
    return am_div(b, am_slice(b, x, 2, cut, total - cut), window(b, N, c->hop, T, cut));
}

/* latents: [B, T, quantization_dim], mask: which frames are no padding, [B, T], or AM_NONE -> [B, 1, T * hop] */
static am_value decode(am_builder *b, am_value latents, am_value mask, const codec_config *c)
{
    am_attention_options attention = c->attention;
    attention.mask = am_padding_mask_of(b, mask);
    am_rope rope = am_rope_tables_at(b, &c->rope, am_iota(b, AM_I32, am_shape_of(1, c->attention.heads), 1, 0, 1));
    am_scope(b, "acoustic_decoder");
    am_value x = am_transpose(b, am_linear(b, "fc", latents, c->width, AM_BIAS), 1, 2);
    x = residual_blocks(b, "prior_net", am_transpose(b, conv(b, "embed", x, c->width, 7, AM_BIAS), 1, 2));
    for (int i = 0; i < c->layers && !am_builder_failed(b); i++) {
        am_scope(b, "layers.%d", i);
        x = layer(b, x, &attention, &rope, c);
        am_end_scope(b);
    }
    x = am_layer_norm(b, "norm", residual_blocks(b, "post_net", x), NORM_EPS);
    am_scope(b, "head");
    x = wave_of(b, x, c);
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

/* Which of T frames the input padding_mask: [.., L] says are no padding: I32 [.., T]; AM_NONE without it. */
static am_value code_mask(am_builder *b, int64_t T, const codec_config *c)
{
    am_value mask = am_input_optional(b, "padding_mask", -1);
    if (!mask.id) return AM_NONE;
    am_value length = am_reduce(b, AM_REDUCE_SUM, am_cast(b, mask, AM_F32), am_shape_of(-1), true);
    am_value frames =
        am_unary(b, AM_FLOOR, am_mul_number(b, am_mul_number(b, length, c->rate), 1 / (double)c->dac.hop_length));
    am_value is = am_binary(b, AM_LESS, am_iota(b, AM_F32, am_shape_of(1, T), 1, 0, 1), frames);
    return am_cast(b, is, AM_I32);
}

void am_xcodec2_model(am_builder *b)
{
    codec_config c = read_config(b);
    am_value sound = am_input(b, "input_values", 3), codes;
    if (sound.id && am_dim(b, sound, 1) != 1)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "input_values have %" PRId64 " channels, expected 1",
                                    am_dim(b, sound, 1)));
    am_value latents = quantize(b, encode(b, sound, &c), &c, &codes), mask = code_mask(b, am_dim(b, codes, 2), &c);
    if (mask.id && c.changes_rate && am_rank(b, mask) != 2)
        am_builder_fail(b,
                        am_error(AM_INVALID_ARGUMENT, "padding_mask has %d dimensions, expected 2", am_rank(b, mask)));
    am_value x = decode(b, latents, c.changes_rate ? mask : AM_NONE, &c);
    int64_t L = (int64_t)((double)am_dim(b, sound, 2) * c.rate);
    am_output(b, "audio_values", am_dim(b, x, 2) > L ? am_slice(b, x, 2, 0, L) : x);
    am_output(b, "audio_codes", codes);
    if (am_model_argument(b, "output_latents", 0)) am_output(b, "latents", am_transpose(b, latents, 1, 2));
    if (mask.id) am_output(b, "audio_codes_mask", mask);
}
