/* Mimi (arXiv 2410.00037): a sound as codes, and what a decoder makes of these: SEANet, causal transformers that look
   back so far, one more convolution that halves the frames, and residual codebooks, the first ones beside the others.
   transformers: models/mimi/modeling_mimi.py */
#include "models/blocks/mimi.h"
#include "models/blocks/vision.h"

#include <inttypes.h>

typedef struct mimi_config {
    am_mimi mimi;
    int64_t codebook_size, codebook_dim, quantizers, semantic;
} mimi_config;

/* How many frames the last convolution makes one of. */
static int64_t read_latent_stride(const am_config *c, const am_seanet *s)
{
    double rate = (double)am_config_size(c, "sampling_rate", 24000);
    int64_t frame_rate = ((int64_t)rate + s->hop - 1) / s->hop;
    double wanted = am_config_real(c, "frame_rate", am_config_real(c, "_frame_rate", rate / (double)(2 * s->hop)));
    int64_t stride = wanted > 0 && (double)frame_rate / wanted < 1e6 ? (int64_t)((double)frame_rate / wanted) : 0;
    if (stride < 1 || wanted == (double)frame_rate) {
        am_config_fail(c, "frame_rate", "expected less than the %" PRId64 " of the convolutions, found %g", frame_rate,
                       wanted);
        return 1;
    }
    return stride;
}

static void read_codebooks(const am_config *c, mimi_config *r)
{
    r->codebook_size = am_config_size(c, "codebook_size", 2048);
    r->codebook_dim =
        am_config_size(c, "codebook_dim", am_config_is_null(c, "codebook_dim") ? r->mimi.seanet.hidden_size : 256);
    r->quantizers = am_config_count(c, "num_quantizers", 32);
    r->semantic = am_config_count(c, "num_semantic_quantizers", 1);
    int64_t inner = am_config_size(c, "vector_quantization_hidden_dimension", 256);
    if (r->semantic < 1 || r->semantic >= r->quantizers)
        am_config_fail(c, "num_semantic_quantizers", "expected 1 up to num_quantizers, %" PRId64 ", found %" PRId64,
                       r->quantizers, r->semantic);
    if (inner != r->codebook_dim)
        am_config_fail(c, "codebook_dim", "expected vector_quantization_hidden_dimension, %" PRId64 ", found %" PRId64,
                       inner, r->codebook_dim);
}

static mimi_config read_config(am_builder *b)
{
    static const am_mimi absent = {.seanet = {.audio_channels = 1,
                                              .num_filters = 64,
                                              .hidden_size = 512,
                                              .num_residual_layers = 1,
                                              .kernel_size = 7,
                                              .last_kernel_size = 3,
                                              .residual_kernel_size = 3,
                                              .dilation_growth_rate = 2,
                                              .compress = 2,
                                              .ratio_count = 4,
                                              .upsampling_ratios = {8, 6, 5, 4},
                                              .use_causal_conv = true,
                                              .pad_mode = AM_PAD_CONSTANT,
                                              .trim_right_ratio = 1},
                                   .layers = 8,
                                   .hidden_act = AM_GELU};
    const am_config *c = am_model_config(b);
    mimi_config r = {.mimi = am_mimi_read(c, &absent)};
    r.mimi.latent_stride = read_latent_stride(c, &r.mimi.seanet);
    read_codebooks(c, &r);
    return r;
}

/* --- codebooks --- */

/* Means of what each code stood for while training. */
static am_value codebook(am_builder *b, int64_t size, int64_t C)
{
    am_scope(b, "codebook");
    am_value usage = am_unsqueeze(b, am_cast(b, am_weight(b, "cluster_usage", am_shape_of(size)), AM_F32), 1);
    am_value sum = am_cast(b, am_weight(b, "embed_sum", am_shape_of(size, C)), AM_F32);
    am_end_scope(b);
    return am_div(b, sum, am_binary_number(b, AM_MAX, usage, 1e-5));
}

/* A convolution of one tap: x: [B, C, T] -> [B, out, T]; x itself where nothing is projected. */
static am_value projected(am_builder *b, const char *name, am_value x, int64_t out, const mimi_config *c)
{
    if (c->codebook_dim == c->mimi.seanet.hidden_size) return x;
    return am_normed_convolution(b, name, x, out, 1, AM_NO_BIAS, &(am_convolution_attributes){0});
}

/* The first codebooks, or the others. */
static const char *const lists[] = {"quantizer.semantic_residual_vector_quantizer",
                                    "quantizer.acoustic_residual_vector_quantizer"};

/* x: [B, C, T] -> I32 [B, count, T] */
static am_value codes_of(am_builder *b, int list, am_value x, int64_t count, const mimi_config *c)
{
    am_scope(b, "%s", lists[list]);
    x = projected(b, "input_proj", x, c->codebook_dim, c);
    am_value codes = am_codebooks_encode(b, "layers", x, (int)count, c->codebook_size, codebook);
    am_end_scope(b);
    return codes;
}

/* codes: I32 [B, N, T] -> [B, C, T] */
static am_value sum_of(am_builder *b, int list, am_value codes, const mimi_config *c)
{
    am_scope(b, "%s", lists[list]);
    am_value x = am_codebooks_decode(b, "layers", codes, c->codebook_size, c->codebook_dim, codebook);
    x = projected(b, "output_proj", x, c->mimi.seanet.hidden_size, c);
    am_end_scope(b);
    return x;
}

/* --- the codec --- */

/* Input input_values: [B, channels, L] -> [B, C, T]. The input padding_mask hides nothing here. */
static am_value latents_of(am_builder *b, am_value x, const mimi_config *c, bool shows)
{
    return am_mimi_encode(b, x, "encoder", c->mimi.seanet.hidden_size, &c->mimi, shows);
}

/* The same -> I32 [B, num_quantizers, T]. */
static am_value encode(am_builder *b, am_value x, const mimi_config *c)
{
    int64_t quantizers = am_model_argument(b, "num_quantizers", c->quantizers);
    if (quantizers < c->semantic || quantizers > c->quantizers)
        am_builder_fail(b,
                        am_error(AM_INVALID_ARGUMENT, "num_quantizers is %" PRId64 ", expected %" PRId64 " to %" PRId64,
                                 quantizers, c->semantic, c->quantizers));
    x = latents_of(b, x, c, false);
    am_value first = codes_of(b, 0, x, c->semantic, c);
    return quantizers > c->semantic ? am_concat2(b, first, codes_of(b, 1, x, quantizers - c->semantic, c), 1) : first;
}

/* codes: I32 [B, N, T] -> [B, C, T] */
static am_value latents_of_codes(am_builder *b, am_value codes, const mimi_config *c)
{
    int64_t N = am_dim(b, codes, 1);
    am_value x = sum_of(b, 0, am_slice(b, codes, 1, 0, N < c->semantic ? N : c->semantic), c);
    return N > c->semantic ? am_add(b, x, sum_of(b, 1, am_slice(b, codes, 1, c->semantic, N), c)) : x;
}

static void mimi_model(am_builder *b)
{
    mimi_config c = read_config(b);
    am_value values = am_input(b, "input_values", 3), codes = am_input_optional(b, "audio_codes", 3);
    am_value mask = am_input_optional(b, "padding_mask", -1);
    int64_t L = mask.id ? am_dim(b, mask, -1) : am_dim(b, values, 2);
    if (!codes.id) codes = encode(b, values, &c);
    am_output(b, "audio_codes", codes);
    am_output(b, "audio_values", am_mimi_decode(b, latents_of_codes(b, codes, &c), "decoder", &c.mimi, L, false));
}

static void mimi_encoder_model(am_builder *b)
{
    mimi_config c = read_config(b);
    am_output(b, "latents", latents_of(b, am_input(b, "input_values", 3), &c, true));
}

static void mimi_decoder_model(am_builder *b)
{
    mimi_config c = read_config(b);
    am_value mask = am_input_optional(b, "padding_mask", -1), x = am_input(b, "latents", 3);
    am_output(b, "audio_values", am_mimi_decode(b, x, "decoder", &c.mimi, mask.id ? am_dim(b, mask, -1) : 0, true));
}

static const am_architecture architectures[] = {
    {"MimiModel", mimi_model, "feature-extraction", 0},
    {"MimiEncoderModel", mimi_encoder_model, NULL, 0},
    {"MimiDecoderModel", mimi_decoder_model, NULL, 0},
    {0},
};

const am_model_type am_model_mimi = {
    .name = "mimi mimi_encoder mimi_decoder", .base_prefix = "mimi", .architectures = architectures};
