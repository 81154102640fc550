/* EnCodec (arXiv 2210.13438): a sound as codes, and what a decoder makes of these: SEANet with an LSTM, and residual
   codebooks, of which the bandwidth decides how many are used. Long sounds may be cut into chunks that overlap.
   transformers: models/encodec/modeling_encodec.py */
#include "models/blocks/seanet.h"

#include <inttypes.h>
#include <math.h>

enum { CUT_OFF_LIMIT = 32 };

typedef struct encodec_config {
    am_seanet seanet;
    am_bandwidths bandwidths;
    int64_t codebook_size, quantizers, sampling_rate;
    double bits_per_second;      /* of one codebook, in thousands */
    bool normalize;              /* sounds are brought to one loudness, and back */
    int64_t chunk, chunk_stride; /* in samples; 0: sounds are not cut */
} encodec_config;

/* A sound of L samples cut into chunks: `count` of them, of which those from `whole` on end with the sound. */
typedef struct chunks {
    int64_t chunk, stride, whole, count;
} chunks;

static void read_quantizers(const am_config *c, encodec_config *r)
{
    int64_t bits = 0, frame_rate = (r->sampling_rate + r->seanet.hop - 1) / r->seanet.hop;
    while ((int64_t)1 << bits < r->codebook_size) bits++;
    if ((int64_t)1 << bits != r->codebook_size || bits == 0)
        am_config_fail(c, "codebook_size", "expected a power of 2, found %" PRId64, r->codebook_size);
    r->bits_per_second = (double)(bits ? bits : 1) * (double)frame_rate;
    double last = r->bandwidths.items[r->bandwidths.count - 1];
    r->quantizers = (int64_t)fmin(floor(1000 * last / r->bits_per_second), 65536);
    if (r->quantizers < 1) am_config_fail(c, "target_bandwidths", "the last one is too little for a codebook");
}

static void read_chunks(const am_config *c, encodec_config *r)
{
    if (!am_config_has(c, "chunk_length_s")) return;
    double length = am_config_real(c, "chunk_length_s", 1), overlap = am_config_real(c, "overlap", 0);
    if (!(length > 0 && length * (double)r->sampling_rate < INT32_MAX))
        am_config_fail(c, "chunk_length_s", "%g seconds are no length of a chunk", length);
    else r->chunk = (int64_t)(length * (double)r->sampling_rate);
    if (!am_config_has(c, "overlap") || !(overlap >= 0 && overlap < 1))
        am_config_fail(c, "overlap", "expected 0 up to 1 where chunk_length_s is given");
    else r->chunk_stride = (int64_t)fmax(1, (1 - overlap) * (double)r->chunk);
    if (r->chunk < 1 || r->chunk_stride < 1) am_config_fail(c, "chunk_length_s", "no sample in a chunk");
}

static encodec_config read_config(am_builder *b)
{
    static const am_seanet absent = {.audio_channels = 1,
                                     .num_filters = 32,
                                     .hidden_size = 128,
                                     .num_residual_layers = 1,
                                     .kernel_size = 7,
                                     .last_kernel_size = 7,
                                     .residual_kernel_size = 3,
                                     .dilation_growth_rate = 2,
                                     .compress = 2,
                                     .ratio_count = 4,
                                     .upsampling_ratios = {8, 5, 4, 2},
                                     .use_causal_conv = true,
                                     .use_conv_shortcut = true,
                                     .pad_mode = AM_PAD_REFLECT,
                                     .trim_right_ratio = 1};
    const am_config *c = am_model_config(b);
    encodec_config r = {.seanet = am_seanet_read(c, &absent),
                        .codebook_size = am_config_size(c, "codebook_size", 1024),
                        .sampling_rate = am_config_size(c, "sampling_rate", 24000),
                        .normalize = am_config_flag(c, "normalize", false)};
    r.seanet.num_lstm_layers = am_config_size(c, "num_lstm_layers", 2);
    r.seanet.group_norm = am_config_is(c, "norm_type", "time_group_norm");
    if (!r.seanet.group_norm && am_config_has(c, "norm_type") && !am_config_is(c, "norm_type", "weight_norm"))
        am_config_fail(c, "norm_type", "expected \"weight_norm\" or \"time_group_norm\", found \"%s\"",
                       am_config_text(c, "norm_type", ""));
    int64_t width = am_config_size(c, "codebook_dim", r.seanet.hidden_size);
    if (width != r.seanet.hidden_size)
        am_config_fail(c, "codebook_dim", "expected hidden_size, %" PRId64 ", found %" PRId64, r.seanet.hidden_size,
                       width);
    r.bandwidths = am_bandwidths_read(c, (const double[]){1.5, 3, 6, 12, 24});
    read_quantizers(c, &r);
    read_chunks(c, &r);
    return r;
}

static am_value codebook(am_builder *b, int64_t size, int64_t C)
{
    return am_cast(b, am_weight(b, "codebook.embed", am_shape_of(size, C)), AM_F32);
}

/* How many codebooks the argument bandwidth asks for; without it, the first of the configuration. */
static int wanted_quantizers(am_builder *b, const encodec_config *c)
{
    double bandwidth = am_bandwidth_wanted(b, &c->bandwidths, c->bandwidths.items[0]);
    return (int)fmin(fmax(1, floor(bandwidth * 1000 / c->bits_per_second)), (double)c->quantizers);
}

/* --- chunks --- */

static chunks cut(am_builder *b, int64_t L, const encodec_config *c)
{
    chunks r = {.chunk = c->chunk, .stride = c->chunk_stride};
    if (c->chunk == 0 || L < 1) return (chunks){.chunk = L, .stride = L, .whole = 1, .count = 1};
    if (L < c->chunk) r.chunk = L; /* the first one is cut off, too */
    r.whole = (L - r.chunk) / r.stride + 1;
    r.count = (L + r.stride - 1) / r.stride;
    if (r.count - r.whole > CUT_OFF_LIMIT)
        am_config_unsupported(am_model_config(b), "overlap", "%" PRId64 " chunks are cut off by the end, at most %d",
                              r.count - r.whole, CUT_OFF_LIMIT);
    return r;
}

/* x: [B, C, L] -> [N * B, C, chunk]: the N whole chunks, one after the other. */
static am_value whole_chunks(am_builder *b, am_value x, const chunks *r)
{
    int64_t B = am_dim(b, x, 0), C = am_dim(b, x, 1);
    if (r->whole == 1) return am_slice(b, x, 2, 0, r->chunk);
    x = am_unfold(b, x, &(am_unfold_attributes){.kernel = am_shape_of(r->chunk), .stride = am_shape_of(r->stride)});
    x = am_permute(b, am_reshape(b, x, am_shape_of(B, C, r->chunk, r->whole)), am_shape_of(3, 0, 1, 2));
    return am_reshape(b, x, am_shape_of(r->whole * B, C, r->chunk));
}

/* Each sample's part of a chunk of L: a triangle, whose sides are not 0. In float, as the frames are added. */
static float part_of(int64_t i, int64_t L)
{
    double t = (double)(i + 1) / (double)(L + 1);
    return (float)(0.5 - fabs(t - 0.5));
}

/* What the parts of N chunks of `length`, of which the last is `last` long, add up to: [total]. */
static am_value part_sums(am_builder *b, int64_t N, int64_t stride, int64_t length, int64_t last)
{
    int64_t total = stride * (N - 1) + last;
    float *sums = am_arena_array(am_builder_arena(b), (size_t)total + 1, sizeof *sums);
    if (!sums) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t n = 0; n < N; n++)
        for (int64_t i = 0; i < (n + 1 < N ? length : last) && n * stride + i < total; i++)
            sums[n * stride + i] += part_of(i, length);
    return am_constant_copy(b, AM_F32, am_shape_of(total), sums);
}

/* x: [N, B, C, length] added where the chunks were, each weighted; the last one counts `last` samples, what is behind
   them being zero: [B, C, stride * (N - 1) + last]. */
static am_value overlapped(am_builder *b, am_value x, int64_t stride, int64_t last)
{
    int64_t N = am_dim(b, x, 0), B = am_dim(b, x, 1), C = am_dim(b, x, 2), length = am_dim(b, x, 3);
    int64_t total = stride * (N - 1) + length;
    if (am_builder_failed(b)) return AM_NONE;
    float *parts = am_arena_array(am_builder_arena(b), (size_t)length + 1, sizeof *parts);
    if (!parts) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t i = 0; i < length; i++) parts[i] = part_of(i, length);
    x = am_mul(b, x, am_constant_copy(b, AM_F32, am_shape_of(length), parts));
    x = am_reshape(b, am_permute(b, x, am_shape_of(1, 2, 3, 0)), am_shape_of(B, C * length, N));
    x = am_fold(b, x,
                &(am_unfold_attributes){
                    .kernel = am_shape_of(length), .stride = am_shape_of(stride), .output = am_shape_of(total)});
    x = am_slice(b, x, 2, 0, total - length + last);
    return am_div(b, x, part_sums(b, N, stride, length, last));
}

/* --- codes --- */

/* Loudness of each row of x: [B, C, L]: [B, 1, 1]. */
static am_value loudness(am_builder *b, am_value x)
{
    am_value mono = am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(1), true);
    am_value square = am_reduce(b, AM_REDUCE_MEAN, am_unary(b, AM_SQUARE, mono), am_shape_of(2), true);
    return am_add_number(b, am_unary(b, AM_SQRT, square), 1e-8);
}

/* x: [B, C, L] -> I32 [B, quantizers, T]; *scale is its loudness where sounds are normed. */
static am_value encode(am_builder *b, am_value x, int quantizers, const encodec_config *c, am_value *scale)
{
    *scale = c->normalize ? loudness(b, x) : AM_NONE;
    if (c->normalize) x = am_div(b, x, *scale);
    am_scope(b, "encoder");
    x = am_seanet_encode(b, x, &c->seanet);
    am_end_scope(b);
    return am_codebooks_encode(b, "quantizer.layers", x, quantizers, c->codebook_size, codebook);
}

/* codes: I32 [B, quantizers, T] -> [B, C, T * hop] */
static am_value decode(am_builder *b, am_value codes, am_value scale, const encodec_config *c)
{
    am_value x = am_codebooks_decode(b, "quantizer.layers", codes, c->codebook_size, c->seanet.hidden_size, codebook);
    am_scope(b, "decoder");
    x = am_seanet_decode(b, x, &c->seanet);
    am_end_scope(b);
    return scale.id ? am_mul(b, x, scale) : x;
}

/* What is encoded: `whole` chunks as rows, and the last one, which may be none. */
typedef struct encoded {
    am_value whole, last, whole_scale, last_scale;
} encoded;

/* The input input_values: [B, C, L] without what the input padding_mask: [B, L] or [B, C, L] hides. */
static am_value samples(am_builder *b, const encodec_config *c)
{
    am_value x = am_input(b, "input_values", 3), mask = am_input_optional(b, "padding_mask", -1);
    if (x.id && am_dim(b, x, 1) != c->seanet.audio_channels)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "input_values has %" PRId64 " channels, expected %" PRId64 " (audio_channels)",
                                    am_dim(b, x, 1), c->seanet.audio_channels));
    if (!mask.id) return x;
    mask = am_reshape(b, mask, am_shape_of(am_dim(b, mask, 0), -1, am_dim(b, mask, -1)));
    if (am_dtype_of(b, mask) != AM_BOOL) mask = am_binary_number(b, AM_NOT_EQUAL, mask, 0);
    return am_select(b, mask, x, am_scalar(b, AM_F32, 0));
}

/* One more chunk among the whole ones, as it has as many codes as these. */
static void join(am_builder *b, encoded *e, am_value codes, am_value scale)
{
    if (am_dim(b, codes, 2) != am_dim(b, e->whole, 2))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "chunks before the last one have %" PRId64 " and %" PRId64 " frames",
                                    am_dim(b, e->whole, 2), am_dim(b, codes, 2)));
    e->whole = am_concat2(b, e->whole, codes, 0);
    if (scale.id) e->whole_scale = am_concat2(b, e->whole_scale, scale, 0);
}

static encoded encode_chunks(am_builder *b, const encodec_config *c)
{
    int quantizers = wanted_quantizers(b, c);
    am_value x = samples(b, c), scale;
    encoded r = {.last = AM_NONE};
    chunks all = cut(b, am_dim(b, x, 2), c);
    r.whole = encode(b, whole_chunks(b, x, &all), quantizers, c, &r.whole_scale);
    for (int64_t i = all.whole; i < all.count && !am_builder_failed(b); i++) {
        am_value codes = encode(b, am_slice(b, x, 2, i * all.stride, AM_SLICE_END), quantizers, c, &scale);
        if (i + 1 < all.count) join(b, &r, codes, scale);
        else r.last = codes, r.last_scale = scale;
    }
    return r;
}

/* Output audio_codes: [N, B, quantizers, T], the last chunk's padded with zeros. */
static void output_codes(am_builder *b, const encoded *e, int64_t B)
{
    int64_t Q = am_dim(b, e->whole, 1), T = am_dim(b, e->whole, 2);
    am_value codes = am_reshape(b, e->whole, am_shape_of(am_dim(b, e->whole, 0) / B, B, Q, T));
    if (e->last.id) {
        am_value last = am_pad_zero(b, e->last, 2, 0, T - am_dim(b, e->last, 2));
        codes = am_concat2(b, codes, am_reshape(b, last, am_shape_of(1, B, Q, T)), 0);
    }
    am_output(b, "audio_codes", codes);
}

/* The sound of N chunks: [B, C, L']. */
static am_value decode_chunks(am_builder *b, const encoded *e, int64_t B, const encodec_config *c)
{
    am_value x = decode(b, e->whole, e->whole_scale, c);
    if (c->chunk == 0) return x;
    int64_t C = am_dim(b, x, 1), length = am_dim(b, x, 2), last = length;
    x = am_reshape(b, x, am_shape_of(am_dim(b, x, 0) / B, B, C, length));
    if (e->last.id) {
        am_value rest = decode(b, e->last, e->last_scale, c);
        last = am_dim(b, rest, 2);
        rest = am_reshape(b, am_pad_zero(b, rest, 2, 0, length - last), am_shape_of(1, B, C, length));
        x = am_concat2(b, x, rest, 0);
    }
    return overlapped(b, x, c->chunk_stride, last);
}

/* The input audio_codes: [N, B, quantizers, T], of whose last chunk last_frame_pad_length codes are padding. */
static encoded given_codes(am_builder *b, am_value codes, const encodec_config *c)
{
    int64_t N = am_dim(b, codes, 0), T = am_dim(b, codes, 3),
            padding = am_model_argument(b, "last_frame_pad_length", 0);
    encoded r = {.last = AM_NONE};
    if ((c->chunk == 0 && N != 1) || padding < 0 || padding >= T) {
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "audio_codes has %" PRId64 " chunks of %" PRId64 " frames, of which %" PRId64
                                    " are padding",
                                    N, T, padding));
        return r;
    }
    am_value first = codes;
    if (padding && N > 1) {
        r.last = am_slice(b, am_index(b, codes, 0, -1), 2, 0, T - padding);
        first = am_slice(b, codes, 0, 0, N - 1);
    } else if (padding) first = am_slice(b, codes, 3, 0, T - padding);
    r.whole = am_flatten(b, first, 0, 1);
    return r;
}

static void encodec_model(am_builder *b)
{
    encodec_config c = read_config(b);
    am_value values = am_input(b, "input_values", 3), codes = am_input_optional(b, "audio_codes", 4);
    if (am_builder_failed(b)) return;
    int64_t B = codes.id ? am_dim(b, codes, 1) : am_dim(b, values, 0), L = am_dim(b, values, 2);
    encoded e = codes.id ? given_codes(b, codes, &c) : encode_chunks(b, &c);
    if (am_builder_failed(b)) return;
    if (codes.id) am_output(b, "audio_codes", codes);
    else output_codes(b, &e, B);
    am_value x = decode_chunks(b, &e, B, &c);
    am_output(b, "audio_values", am_dim(b, x, 2) > L ? am_slice(b, x, 2, 0, L) : x);
}

static const am_architecture architectures[] = {
    {"EncodecModel", encodec_model, "feature-extraction", 0},
    {0},
};

const am_model_type am_model_encodec = {.name = "encodec", .base_prefix = "encodec", .architectures = architectures};
