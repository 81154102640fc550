/* DAC (arXiv 2306.06546): a sound as codes, and what a decoder makes of these: dilated convolutions with Snake between
   them, and residual codebooks of few numbers, looked up by direction. transformers: models/dac/modeling_dac.py */
#include "models/blocks/dac.h"

#include <inttypes.h>

typedef struct dac_config {
    am_dac dac;
    int64_t codebooks, codebook_size, codebook_dim;
} dac_config;

static dac_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    dac_config r = {.dac = am_dac_read(c, NULL),
                    .codebooks = am_config_count(c, "n_codebooks", 9),
                    .codebook_size = am_config_size(c, "codebook_size", 1024),
                    .codebook_dim = am_config_size(c, "codebook_dim", 8)};
    if (r.codebook_size & (r.codebook_size - 1))
        am_config_fail(c, "codebook_size", "expected a power of 2, found %" PRId64, r.codebook_size);
    if (r.codebooks < 1) am_config_fail(c, "n_codebooks", "expected 1 or more");
    return r;
}

/* A convolution of one tap with a bias: x: [B, C, T] -> [B, out, T]. */
static am_value projected(am_builder *b, const char *name, am_value x, int64_t out)
{
    return am_normed_convolution(b, name, x, out, 1, AM_BIAS, &(am_convolution_attributes){0});
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
    am_scope(b, "quantizers.%d", i);
    am_value latent = projected(b, "in_proj", *rest, c->codebook_dim);
    am_scope(b, "codebook");
    am_value table = am_cast(b, am_weight(b, "weight", am_shape_of(c->codebook_size, c->codebook_dim)), AM_F32);
    am_end_scope(b);
    am_value code = pointing(b, am_transpose(b, latent, 1, 2), table);
    am_value x = am_transpose(b, am_embedding_op(b, table, code), 1, 2);
    x = projected(b, "out_proj", x, c->dac.hidden_size);
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
    am_scope(b, "encoder");
    x = am_dac_encode(b, x, &c.dac);
    am_end_scope(b);
    am_scope(b, "quantizer");
    for (int i = 0; i < c.codebooks && i < wanted && !am_builder_failed(b); i++) quantize(b, i, &x, &q, &c);
    am_end_scope(b);
    am_scope(b, "decoder");
    am_value sound = am_squeeze(b, am_unary(b, AM_TANH, am_dac_decode(b, q.sum, &c.dac)), 1);
    am_end_scope(b);
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
