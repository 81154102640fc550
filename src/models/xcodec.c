/* X-Codec (arXiv 2408.17175): a sound as codes of what DAC's convolutions and a speech model's states make of it
   together, and what DAC's decoder makes of these. transformers: models/xcodec/modeling_xcodec.py */
#include "models/blocks/dac.h"
#include "models/blocks/seanet.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { LIST_LIMIT = 64 };

typedef struct xcodec_config {
    am_dac dac;
    am_config semantic; /* of the speech model */
    int64_t semantic_width, kernel, unit_kernel;
    int stride_count, dilation_count;
    int64_t strides[LIST_LIMIT], ratios[LIST_LIMIT], dilations[LIST_LIMIT];
    am_bandwidths bandwidths;
    int64_t codebook_size, quantizers, frame_rate;
} xcodec_config;

/* As many as the last bandwidth has room for. */
static void read_quantizers(const am_config *c, xcodec_config *r)
{
    int64_t bits = 0, hop = 1;
    for (int i = 0; i < r->dac.down_count; i++) hop *= r->dac.downsampling_ratios[i];
    r->frame_rate = (am_config_size(c, "sample_rate", 16000) + hop - 1) / hop;
    r->codebook_size = am_config_size(c, "codebook_size", 1024);
    while ((int64_t)1 << bits < r->codebook_size) bits++;
    double second = (double)((bits ? bits : 1) * r->frame_rate);
    r->quantizers = (int64_t)fmin(floor(1000 * r->bandwidths.items[r->bandwidths.count - 1] / second), 65536);
    if (bits == 0) am_config_fail(c, "codebook_size", "expected 2 or more");
    if (r->quantizers < 1) am_config_fail(c, "target_bandwidths", "the last one is too little for a codebook");
}

static void read_lists(const am_config *c, xcodec_config *r)
{
    static const int64_t ones[] = {1, 1};
    int ratios = am_config_sizes(c, "channel_ratios", r->ratios, LIST_LIMIT, ones, 2);
    r->stride_count = am_config_sizes(c, "strides", r->strides, LIST_LIMIT, ones, 2);
    r->dilation_count = am_config_sizes(c, "block_dilations", r->dilations, LIST_LIMIT, ones, 2);
    if (ratios != r->stride_count) am_config_fail(c, "strides", "as many as channel_ratios are expected");
    for (int i = 0; i < r->stride_count && i < ratios; i++)
        if (r->strides[i] < 1 || r->strides[i] > INT32_MAX / 2 || r->ratios[i] > INT32_MAX / r->semantic_width)
            am_config_fail(c, "strides", "element %d, or that of channel_ratios, is too much", i);
    for (int i = 0; i < r->dilation_count; i++)
        if (r->dilations[i] > INT32_MAX / r->unit_kernel)
            am_config_fail(c, "block_dilations", "element %d is too much", i);
}

static xcodec_config read_config(am_builder *b)
{
    static const am_dac absent = {.encoder_hidden_size = 64,
                                  .decoder_hidden_size = 1024,
                                  .hidden_size = 256,
                                  .down_count = 4,
                                  .up_count = 4,
                                  .downsampling_ratios = {8, 5, 4, 2},
                                  .upsampling_ratios = {8, 5, 4, 2}};
    const am_config *c = am_model_config(b);
    am_config acoustic = am_config_child(c, "acoustic_model_config");
    xcodec_config r = {.dac = am_dac_read(&acoustic, &absent),
                       .semantic = am_config_child(c, "semantic_model_config"),
                       .kernel = am_config_size(c, "kernel_size", 3),
                       .unit_kernel = am_config_size(c, "unit_kernel_size", 3)};
    if (am_config_has(&acoustic, "model_type") && !am_config_is(&acoustic, "model_type", "dac"))
        am_config_unsupported(&acoustic, "model_type", "only \"dac\" is");
    r.dac.odd_strides_keep = true;
    r.semantic_width = am_config_size(&r.semantic, "hidden_size", 768);
    int64_t width = r.dac.hidden_size + r.semantic_width, codebook_dim = am_config_size(c, "codebook_dim", width);
    if (codebook_dim != width)
        am_config_fail(c, "codebook_dim", "expected the width of both models, %" PRId64 ", found %" PRId64, width,
                       codebook_dim);
    read_lists(c, &r);
    r.bandwidths = am_bandwidths_read(c, (const double[]){0.5, 1, 1.5, 2, 4});
    read_quantizers(c, &r);
    return r;
}

/* --- the speech model's states --- */

/* The mean of the hidden states of samples: [B, L]: [B, T, C]. */
static am_value states_of(am_builder *b, am_value samples, const xcodec_config *c)
{
    char name[32];
    am_part_input inputs[] = {{.name = "input_values", .value = samples}};
    am_part part = {.auto_class = "AutoModel",
                    .model_type = "hubert",
                    .config = &c->semantic,
                    .inputs = inputs,
                    .input_count = 1,
                    .hidden_states = true};
    am_scope(b, "semantic_model");
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    am_value sum = am_part_output(&outputs, "hidden_states.0");
    int count = 1;
    for (;; count++) {
        snprintf(name, sizeof name, "hidden_states.%d", count);
        am_value x = am_part_output(&outputs, name);
        if (!x.id) break;
        sum = am_add(b, sum, x);
    }
    return am_mul_number(b, sum, 1.0 / count);
}

static am_value conv(am_builder *b, const char *name, am_value x, int64_t out, int64_t kernel, int bias,
                     am_convolution_attributes options, int64_t padding)
{
    options.padding_before = options.padding_after = am_shape_of(padding);
    return am_conv(b, name, x, out, am_shape_of(kernel), bias, &options);
}

/* x: [B, C, T] and what two convolutions with ELU before them make of it. */
static am_value residual_unit(am_builder *b, am_value x, int64_t dilation, const xcodec_config *c)
{
    int64_t C = am_dim(b, x, 1), padding = (c->unit_kernel - 1) / 2 * dilation;
    am_value h = conv(b, "conv1", am_unary(b, AM_ELU, x), C, c->unit_kernel, AM_NO_BIAS,
                      (am_convolution_attributes){.dilation = am_shape_of(dilation)}, padding);
    h = conv(b, "conv2", am_unary(b, AM_ELU, h), C, 1, AM_NO_BIAS, (am_convolution_attributes){0}, 0);
    return am_add(b, x, h);
}

/* x: [B, C, T] -> [B, C', T'] */
static am_value encode_states(am_builder *b, am_value x, const xcodec_config *c)
{
    am_scope(b, "encoder_semantic");
    x = conv(b, "conv", x, c->semantic_width, c->kernel, AM_NO_BIAS, (am_convolution_attributes){0}, c->kernel / 2);
    for (int i = 0; i < c->stride_count && !am_builder_failed(b); i++) {
        int64_t stride = c->strides[i], kernel = stride == 1 ? 3 : 2 * stride;
        am_scope(b, "conv_blocks.%d", i);
        for (int k = 0; k < c->dilation_count; k++) {
            am_scope(b, "res_units.%d", k);
            x = residual_unit(b, x, c->dilations[k], c);
            am_end_scope(b);
        }
        x = conv(b, "conv", x, c->semantic_width * c->ratios[i], kernel, AM_BIAS,
                 (am_convolution_attributes){.stride = am_shape_of(stride)}, (kernel - 1) / 2);
        am_end_scope(b);
    }
    am_end_scope(b);
    return x;
}

/* --- codes --- */

static am_value codebook(am_builder *b, int64_t size, int64_t C)
{
    return am_cast(b, am_weight(b, "codebook.embed", am_shape_of(size, C)), AM_F32);
}

/* How many codebooks the argument bandwidth asks for; without it, the last of the configuration. */
static int wanted_quantizers(am_builder *b, const xcodec_config *c)
{
    double bandwidth = am_bandwidth_wanted(b, &c->bandwidths, c->bandwidths.items[c->bandwidths.count - 1]);
    double one = log2((double)c->codebook_size) * (double)c->frame_rate / 1000;
    return (int)fmin(fmax(1, floor(bandwidth / one)), (double)c->quantizers);
}

/* x: [B, C, T] -> [B, out, T] */
static am_value linear_of_channels(am_builder *b, const char *name, am_value x, int64_t out)
{
    return am_transpose(b, am_linear(b, name, am_transpose(b, x, 1, 2), out, AM_BIAS), 1, 2);
}

/* x: [B, 1, L] -> I32 [B, quantizers, T] */
static am_value encode(am_builder *b, am_value x, const xcodec_config *c)
{
    int64_t hop = 1;
    for (int i = 0; i < c->dac.down_count; i++) hop *= c->dac.downsampling_ratios[i];
    am_value padded = am_pad_zero(b, x, 2, hop / 2, hop / 2);
    am_value states = encode_states(b, am_transpose(b, states_of(b, am_squeeze(b, padded, 1), c), 1, 2), c);
    if (am_dac_frames(&c->dac, am_dim(b, x, 2)) != am_dim(b, states, 2)) x = padded;
    am_scope(b, "acoustic_encoder");
    x = am_dac_encode(b, x, &c->dac);
    am_end_scope(b);
    if (!am_builder_failed(b) && am_dim(b, x, 2) != am_dim(b, states, 2))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "input_values: %" PRId64 " frames of acoustic_model_config, %" PRId64
                                    " of semantic_model_config",
                                    am_dim(b, x, 2), am_dim(b, states, 2)));
    x = am_concat2(b, x, states, 1);
    x = linear_of_channels(b, "fc", x, am_dim(b, x, 1));
    am_scope(b, "quantizer");
    x = am_codebooks_encode(b, "quantizers", x, wanted_quantizers(b, c), c->codebook_size, codebook);
    am_end_scope(b);
    return x;
}

/* codes: I32 [B, N, T] -> [B, 1, L'] */
static am_value decode(am_builder *b, am_value codes, const xcodec_config *c)
{
    if (am_dim(b, codes, 1) > c->quantizers)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "audio_codes of %" PRId64 " codebooks, there are %" PRId64,
                                    am_dim(b, codes, 1), c->quantizers));
    am_scope(b, "quantizer");
    am_value x =
        am_codebooks_decode(b, "quantizers", codes, c->codebook_size, c->dac.hidden_size + c->semantic_width, codebook);
    am_end_scope(b);
    x = linear_of_channels(b, "fc2", x, c->dac.hidden_size);
    am_scope(b, "acoustic_decoder");
    x = am_dac_decode(b, x, &c->dac);
    am_end_scope(b);
    return x;
}

static void xcodec_model(am_builder *b)
{
    xcodec_config c = read_config(b);
    am_value x = am_input(b, "input_values", 3), codes = am_input_optional(b, "audio_codes", 3);
    int64_t L = am_dim(b, x, 2);
    if (x.id && am_dim(b, x, 1) != 1)
        am_builder_fail(
            b, am_error(AM_INVALID_ARGUMENT, "input_values have %" PRId64 " channels, expected 1", am_dim(b, x, 1)));
    if (!codes.id) codes = encode(b, x, &c);
    am_output(b, "audio_codes", codes);
    x = decode(b, codes, &c);
    am_output(b, "audio_values", am_dim(b, x, 2) > L ? am_slice(b, x, 2, 0, L) : x);
}

static const am_architecture architectures[] = {
    {"XcodecModel", xcodec_model, "feature-extraction", 0},
    {0},
};

const am_model_type am_model_xcodec = {.name = "xcodec", .base_prefix = "xcodec", .architectures = architectures};
