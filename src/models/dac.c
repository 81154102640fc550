/* DAC (arXiv 2306.06546): a sound as codes, and what a decoder makes of these: dilated convolutions with Snake between
   them, and residual codebooks of few numbers, looked up by direction. transformers: models/dac/modeling_dac.py */
#include "models/blocks/speech.h"
#include "models/blocks/vision.h"

#include <inttypes.h>
#include <stdio.h>

enum { RATIOS_LIMIT = 24 };

typedef struct dac_config {
    int64_t encoder_width, decoder_width, hidden_size;
    int down_count, up_count;
    int64_t down[RATIOS_LIMIT], up[RATIOS_LIMIT];
    int64_t codebooks, codebook_size, codebook_dim;
} dac_config;

static void check(const am_config *c, const dac_config *r)
{
    if (r->down_count == 0) am_config_fail(c, "downsampling_ratios", "expected a list of sizes");
    if (r->up_count == 0) am_config_fail(c, "upsampling_ratios", "expected a list of sizes");
    for (int i = 0; i < r->down_count; i++)
        if (r->down[i] < 1) am_config_fail(c, "downsampling_ratios", "element %d is 0", i);
    for (int i = 0; i < r->up_count; i++)
        if (r->up[i] < 1) am_config_fail(c, "upsampling_ratios", "element %d is 0", i);
    if (r->encoder_width > INT32_MAX >> r->down_count)
        am_config_fail(c, "encoder_hidden_size", "too much, doubled by each of downsampling_ratios");
    if (r->decoder_width >> r->up_count < 1)
        am_config_fail(c, "decoder_hidden_size", "too little, halved by each of upsampling_ratios");
    if (r->codebook_size & (r->codebook_size - 1))
        am_config_fail(c, "codebook_size", "expected a power of 2, found %" PRId64, r->codebook_size);
    if (r->codebooks < 1) am_config_fail(c, "n_codebooks", "expected 1 or more");
}

static dac_config read_config(am_builder *b)
{
    static const int64_t ratios[] = {2, 4, 8, 8};
    const am_config *c = am_model_config(b);
    dac_config r = {.encoder_width = am_config_size(c, "encoder_hidden_size", 64),
                    .decoder_width = am_config_size(c, "decoder_hidden_size", 1536),
                    .codebooks = am_config_count(c, "n_codebooks", 9),
                    .codebook_size = am_config_size(c, "codebook_size", 1024),
                    .codebook_dim = am_config_size(c, "codebook_dim", 8)};
    int64_t backwards[RATIOS_LIMIT];
    r.down_count = am_config_sizes(c, "downsampling_ratios", r.down, RATIOS_LIMIT, ratios, 4);
    for (int i = 0; i < r.down_count; i++) backwards[i] = r.down[r.down_count - 1 - i];
    r.up_count = am_config_sizes(c, "upsampling_ratios", r.up, RATIOS_LIMIT, backwards, r.down_count);
    check(c, &r);
    r.hidden_size = am_config_size(c, "hidden_size", r.encoder_width << r.down_count);
    return r;
}

/* --- convolutions --- */

/* x + sin(alpha x)^2 / alpha, one alpha a channel: x: [B, C, T]. */
static am_value snake(am_builder *b, const char *name, am_value x)
{
    am_scope(b, "%s", name);
    am_value alpha = am_parameter(b, "alpha", am_shape_of(1, am_dim(b, x, 1), 1), x);
    am_end_scope(b);
    am_value wave = am_unary(b, AM_SQUARE, am_unary(b, AM_SIN, am_mul(b, alpha, x)));
    return am_add(b, x, am_mul(b, am_unary(b, AM_RECIPROCAL, am_add_number(b, alpha, 1e-9)), wave));
}

/* Convolution NAME with a bias, `padding` zeros on both sides. */
static am_value conv(am_builder *b, const char *name, am_value x, int64_t out, int64_t kernel,
                     am_convolution_attributes options, int64_t padding)
{
    options.padding_before = options.padding_after = am_shape_of(padding);
    return am_normed_convolution(b, name, x, out, kernel, AM_BIAS, &options);
}

/* res_unit1 to 3 below the scope, ever further apart: x: [B, C, T]. */
static am_value residual_units(am_builder *b, am_value x)
{
    static const int64_t dilations[] = {1, 3, 9};
    int64_t C = am_dim(b, x, 1);
    for (int i = 0; i < 3; i++) {
        am_convolution_attributes options = {.dilation = am_shape_of(dilations[i])};
        am_scope(b, "res_unit%d", i + 1);
        am_value h = conv(b, "conv1", snake(b, "snake1", x), C, 7, options, 3 * dilations[i]);
        h = conv(b, "conv2", snake(b, "snake2", h), C, 1, (am_convolution_attributes){0}, 0);
        x = am_add(b, x, h);
        am_end_scope(b);
    }
    return x;
}

/* x: [B, 1, L] -> [B, hidden_size, T] */
static am_value encoder(am_builder *b, am_value x, const dac_config *c)
{
    am_convolution_attributes plain = {0};
    am_scope(b, "encoder");
    x = conv(b, "conv1", x, c->encoder_width, 7, plain, 3);
    for (int i = 0; i < c->down_count; i++) {
        int64_t stride = c->down[i];
        am_scope(b, "block.%d", i);
        x = snake(b, "snake1", residual_units(b, x));
        x = conv(b, "conv1", x, 2 * am_dim(b, x, 1), 2 * stride,
                 (am_convolution_attributes){.stride = am_shape_of(stride)}, (stride + 1) / 2);
        am_end_scope(b);
    }
    x = conv(b, "conv2", snake(b, "snake1", x), c->hidden_size, 3, plain, 1);
    am_end_scope(b);
    return x;
}

/* x: [B, hidden_size, T] -> [B, L'] */
static am_value decoder(am_builder *b, am_value x, const dac_config *c)
{
    am_convolution_attributes plain = {0};
    am_scope(b, "decoder");
    x = conv(b, "conv1", x, c->decoder_width, 7, plain, 3);
    for (int i = 0; i < c->up_count; i++) {
        int64_t stride = c->up[i];
        am_shape padding = am_shape_of((stride + 1) / 2);
        am_scope(b, "block.%d", i);
        x = am_normed_conv_transpose(
            b, "conv_t1", snake(b, "snake1", x), c->decoder_width >> (i + 1), 2 * stride, AM_BIAS,
            &(am_convolution_attributes){
                .stride = am_shape_of(stride), .padding_before = padding, .padding_after = padding});
        x = residual_units(b, x);
        am_end_scope(b);
    }
    x = conv(b, "conv2", snake(b, "snake1", x), 1, 7, plain, 3);
    am_end_scope(b);
    return am_squeeze(b, am_unary(b, AM_TANH, x), 1);
}

/* --- codebooks --- */

/* Row of the table: [size, D] that points where x: [B, T, D] does: I32 [B, T]. The squared lengths are added, as in
   transformers, which for rows of length 1 is all the same. */
static am_value pointing(am_builder *b, am_value x, am_value table)
{
    table = am_unit_length(b, table, 1e-12);
    am_value lengths = am_reduce(b, AM_REDUCE_SUM, am_unary(b, AM_SQUARE, table), am_shape_of(1), false);
    x = am_mul_number(b, am_unit_length(b, x, 1e-12), 2);
    return am_arg_reduce(b, am_linear_with(b, x, table, lengths), 2, false);
}

/* What the codebooks give for all they read. */
typedef struct quantized {
    am_value sum, codes, latents; /* [B, C, T], I32 [B, N, T], [B, N * D, T] */
} quantized;

/* Codebook i takes its part of *rest: [B, C, T]. */
static void quantize(am_builder *b, int i, am_value *rest, quantized *q, const dac_config *c)
{
    am_convolution_attributes plain = {0};
    am_scope(b, "quantizers.%d", i);
    am_value latent = conv(b, "in_proj", *rest, c->codebook_dim, 1, plain, 0);
    am_scope(b, "codebook");
    am_value table = am_cast(b, am_weight(b, "weight", am_shape_of(c->codebook_size, c->codebook_dim)), AM_F32);
    am_end_scope(b);
    am_value code = pointing(b, am_transpose(b, latent, 1, 2), table);
    am_value x = am_transpose(b, am_embedding_op(b, table, code), 1, 2);
    x = conv(b, "out_proj", x, c->hidden_size, 1, plain, 0);
    am_end_scope(b);
    *rest = am_sub(b, *rest, x);
    code = am_unsqueeze(b, code, 1);
    q->sum = i ? am_add(b, q->sum, x) : x;
    q->codes = i ? am_concat2(b, q->codes, code, 1) : code;
    q->latents = i ? am_concat2(b, q->latents, latent, 1) : latent;
}

static void dac_model(am_builder *b)
{
    dac_config c = read_config(b);
    quantized q = {AM_NONE, AM_NONE, AM_NONE};
    am_value x = am_input(b, "input_values", 3);
    int64_t L = am_dim(b, x, 2), wanted = am_model_argument(b, "n_quantizers", c.codebooks);
    if (wanted < 1) am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "n_quantizers is %" PRId64, wanted));
    x = encoder(b, x, &c);
    am_scope(b, "quantizer");
    for (int i = 0; i < c.codebooks && i < wanted && !am_builder_failed(b); i++) quantize(b, i, &x, &q, &c);
    am_end_scope(b);
    am_value sound = decoder(b, q.sum, &c);
    am_output(b, "audio_values", am_dim(b, sound, 1) > L ? am_slice(b, sound, 1, 0, L) : sound);
    am_output(b, "quantized_representation", q.sum);
    am_output(b, "audio_codes", q.codes);
    am_output(b, "projected_latents", q.latents);
}

static const am_architecture architectures[] = {
    {"DacModel", dac_model, "feature-extraction", 0},
    {0},
};

const am_model_type am_model_dac = {.name = "dac", .base_prefix = "dac", .architectures = architectures};
