#include "models/blocks/parakeet.h"

#include "models/blocks/attention.h"
#include "models/blocks/conformer.h"
#include "models/blocks/transformer_xl.h"

#include <inttypes.h>
#include <math.h>

static const double NORM_EPS = 1e-5; /* not configurable */

/* What files call the weights. */
typedef struct parakeet_names {
    const char *subsampling, *layers, *linear; /* scope, list of convolutions, what is behind them */
    const char *q, *k, *v, *o, *relative, *bias_u, *bias_v;
} parakeet_names;

static const parakeet_names own_names = {"subsampling", "layers", "linear",          "q_proj", "k_proj",
                                         "v_proj",      "o_proj", "relative_k_proj", "bias_u", "bias_v"};

/* NeMo's, which Cohere's files kept. */
static const parakeet_names nemo_names = {"pre_encode", "conv",       "out",        "linear_q",   "linear_k",
                                          "linear_v",   "linear_out", "linear_pos", "pos_bias_u", "pos_bias_v"};

typedef struct parakeet_config {
    int64_t hidden_size, layers, intermediate_size, heads, kv_heads, head_dim, kernel;
    am_unary_fn hidden_act;
    bool attention_bias, convolution_bias, scale_input;
    const parakeet_names *names;
    int64_t subsamplings, channels, subsampling_kernel, subsampling_stride, bins;
    bool streaming; /* convolutions look back only, attention as far as chunks go */
} parakeet_config;

static parakeet_config read_config(const am_config *c)
{
    am_config whole = am_config_whole(c);
    bool usual = !am_config_is(&whole, "model_type", "nemotron_h_omni"); /* whose files leave away what is false */
    parakeet_config r = {.hidden_size = am_config_size(c, "hidden_size", 1024),
                         .layers = am_config_count(c, "num_hidden_layers", 24),
                         .intermediate_size = am_config_size(c, "intermediate_size", 4096),
                         .heads = am_config_size(c, "num_attention_heads", 8),
                         .kernel = am_config_size(c, "conv_kernel_size", 9),
                         .hidden_act = am_config_activation(c, "hidden_act", AM_SILU),
                         .attention_bias = am_config_flag(c, "attention_bias", usual),
                         .convolution_bias = am_config_flag(c, "convolution_bias", true),
                         .scale_input = am_config_flag(c, "scale_input", usual),
                         .channels = am_config_size(c, "subsampling_conv_channels", 256),
                         .subsampling_kernel = am_config_size(c, "subsampling_conv_kernel_size", 3),
                         .subsampling_stride = am_config_size(c, "subsampling_conv_stride", 2),
                         .bins = am_config_size(c, "num_mel_bins", 80)};
    int64_t factor = am_config_size(c, "subsampling_factor", 8);
    while (factor >> (r.subsamplings + 1)) r.subsamplings++;
    r.kv_heads = am_config_size(c, "num_key_value_heads", r.heads);
    if (!am_config_has(c, "head_dim"))
        am_config_check_divides(c, "num_attention_heads", r.heads, "hidden_size", r.hidden_size);
    r.head_dim = am_config_size(c, "head_dim", r.hidden_size / r.heads);
    am_config_check_divides(c, "num_key_value_heads", r.kv_heads, "num_attention_heads", r.heads);
    if (r.hidden_size % 2) am_config_fail(c, "hidden_size", "expected an even number, found %" PRId64, r.hidden_size);
    return r;
}

/* --- subsampling --- */

/* Frames and their lengths: I32 [B], or AM_NONE. */
typedef struct frames {
    am_value x, lengths;
} frames;

/* x: [B, C, T, F] with zeros behind each row's length. */
static am_value cut_off(am_builder *b, am_value x, am_value lengths)
{
    if (!lengths.id) return x;
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 2);
    am_value mask = am_reshape(b, am_frames_before(b, lengths, T), am_shape_of(B, 1, T, 1));
    return am_select(b, mask, x, am_scalar(b, am_dtype_of(b, x), 0));
}

/* Convolution layers.<index>, one of each channel where groups says so, over f->x: [B, C, T, F]. */
static void subsample(am_builder *b, frames *f, int index, int64_t groups, const parakeet_config *c)
{
    int64_t kernel = c->subsampling_kernel, stride = c->subsampling_stride, half = (kernel - 1) / 2,
            before = c->streaming ? kernel - 1 : half, after = c->streaming ? stride - 1 : half;
    am_convolution_attributes options = {.stride = am_shape_of(stride, stride),
                                         .padding_before = am_shape_of(before, before),
                                         .padding_after = am_shape_of(after, after),
                                         .groups = groups};
    if (!c->streaming) am_scope(b, "%s.%d", c->names->layers, index);
    else if (index == 0) am_scope(b, "conv_in");
    else am_scope(b, "layers.%d.depthwise_conv", (index - 2) / 3);
    f->x = am_conv(b, "", f->x, c->channels, am_shape_of(kernel, kernel), AM_BIAS, &options);
    am_end_scope(b);
    if (f->lengths.id && (stride > 1 || c->streaming))
        f->lengths = am_convolved_length(b, f->lengths, kernel - before - after, stride);
    f->x = cut_off(b, f->x, f->lengths);
}

/* The input input_features: [B, L, bins] -> [B, T, C]. */
static frames subsampled(am_builder *b, const parakeet_config *c)
{
    frames f = {.x = am_unsqueeze(b, am_input(b, "input_features", 3), 1), .lengths = am_attended_lengths(b)};
    if (f.x.id && am_dim(b, f.x, 3) != c->bins)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "input_features has %" PRId64 " bins, expected %" PRId64 " (num_mel_bins)",
                                    am_dim(b, f.x, 3), c->bins));
    am_scope(b, "%s", c->names->subsampling);
    subsample(b, &f, 0, 1, c);
    f.x = am_unary(b, AM_RELU, f.x);
    for (int i = 0; i + 1 < c->subsamplings && !am_builder_failed(b); i++) {
        subsample(b, &f, 2 + 3 * i, c->channels, c);
        if (c->streaming) am_scope(b, "layers.%d.pointwise_conv", i);
        else am_scope(b, "%s.%d", c->names->layers, 3 + 3 * i);
        f.x = am_conv(b, "", f.x, c->channels, am_shape_of(1, 1), AM_BIAS, &(am_convolution_attributes){0});
        am_end_scope(b);
        f.x = am_unary(b, AM_RELU, cut_off(b, f.x, f.lengths));
    }
    f.x = am_flatten(b, am_transpose(b, f.x, 1, 2), 2, 3);
    f.x = am_linear(b, c->names->linear, f.x, c->hidden_size, AM_BIAS);
    am_end_scope(b);
    if (c->scale_input) f.x = am_mul_number(b, f.x, sqrt((double)c->hidden_size));
    return f;
}

/* --- layers --- */

static am_value feed_forward(am_builder *b, const char *name, const char *norm, am_value x, const parakeet_config *c)
{
    int bias = c->attention_bias ? AM_BIAS : AM_NO_BIAS;
    am_value h = am_layer_norm(b, norm, x, NORM_EPS);
    am_scope(b, "%s", name);
    h = am_linear_activation(b, "linear1", h, c->intermediate_size, bias, c->hidden_act);
    h = am_linear(b, "linear2", h, c->hidden_size, bias);
    am_end_scope(b);
    return am_add(b, x, am_mul_number(b, h, 0.5));
}

static am_value heads_of(am_builder *b, const char *name, am_value x, int64_t heads, int bias, const parakeet_config *c)
{
    return am_split_heads(b, am_linear(b, name, x, heads * c->head_dim, bias), heads);
}

/* x: [B, T, C], mask: BOOL [B, 1, T, T] or AM_NONE; what sees nothing, where sees: BOOL [B, T] or AM_NONE says so, is
   given nothing. */
static am_value attention(am_builder *b, am_value x, am_value mask, am_value sees, am_value sinusoids,
                          const parakeet_config *c)
{
    int bias = c->attention_bias ? AM_BIAS : AM_NO_BIAS;
    double scale = 1 / sqrt((double)c->head_dim);
    const parakeet_names *names = c->names;
    am_value q = heads_of(b, names->q, x, c->heads, bias, c);
    am_value rows = am_index(b, heads_of(b, names->relative, sinusoids, c->heads, AM_NO_BIAS, c), 0, 0);
    am_value scores = am_xl_shifted(b, am_xl_products(b, am_xl_biased(b, q, names->bias_v), rows));
    am_attention_inputs inputs = {.q = am_xl_biased(b, q, names->bias_u),
                                  .k = heads_of(b, names->k, x, c->kv_heads, bias, c),
                                  .v = heads_of(b, names->v, x, c->kv_heads, bias, c),
                                  .mask = mask,
                                  .bias = am_mul_number(b, scores, scale)};
    am_value h = am_merge_heads(b, am_attention_op(b, &inputs, &(am_attention_attributes){.scale = scale}));
    if (sees.id) h = am_select(b, am_unsqueeze(b, sees, 2), h, am_scalar(b, am_dtype_of(b, h), 0));
    return am_linear(b, names->o, h, c->hidden_size, bias);
}

/* kept: BOOL [B, T], seen: BOOL [B, 1, T, T], or AM_NONE both */
static am_value layer(am_builder *b, am_value x, am_value kept, am_value seen, am_value sinusoids,
                      const parakeet_config *c)
{
    x = feed_forward(b, "feed_forward1", "norm_feed_forward1", x, c);
    am_value h = am_layer_norm(b, "norm_self_att", x, NORM_EPS);
    am_scope(b, "self_attn");
    x = am_add(b, x, attention(b, h, seen, c->streaming ? kept : AM_NONE, sinusoids, c));
    am_end_scope(b);
    h = am_layer_norm(b, "norm_conv", x, NORM_EPS);
    am_scope(b, "conv");
    h = (c->streaming ? am_conformer_causal_convolution : am_conformer_convolution)(b, h, kept, c->kernel,
                                                                                    c->convolution_bias, c->hidden_act);
    x = am_add(b, x, h);
    am_end_scope(b);
    x = feed_forward(b, "feed_forward2", "norm_feed_forward2", x, c);
    return am_layer_norm(b, "norm_out", x, NORM_EPS);
}

/* Which frames each sees whose chunks are so long, by how many are kept: BOOL [1, 1, T, T]. */
static am_value chunk_mask(am_builder *b, const am_config *config, int64_t T)
{
    int64_t window = am_config_size(config, "sliding_window", 71),
            ahead = am_config_count(config, "default_num_lookahead_tokens", 13);
    ahead = am_model_argument(b, "num_lookahead_tokens", ahead);
    if (ahead < 0 || ahead > INT32_MAX - 1) {
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "num_lookahead_tokens: %" PRId64, ahead));
        return AM_NONE;
    }
    double length = (double)(ahead + 1), before = (double)((window - 1) / (ahead + 1));
    am_value query = am_binary_number(b, AM_DIV, am_iota(b, AM_I32, am_shape_of(1, 1, T, 1), 2, 0, 1), length),
             key = am_binary_number(b, AM_DIV, am_iota(b, AM_I32, am_shape_of(1, 1, 1, T), 3, 0, 1), length),
             apart = am_sub(b, query, key);
    return am_binary(b, AM_LOGICAL_AND, am_binary_number(b, AM_GREATER_EQUAL, apart, 0),
                     am_binary_number(b, AM_LESS_EQUAL, apart, before));
}

/* Which frames are hidden from their neighbours, and which each sees: *kept and *seen of `layer`. */
static void read_masks(am_builder *b, const am_config *config, const parakeet_config *c, am_value real, am_value *kept,
                       am_value *seen, const int64_t size[2])
{
    int64_t B = size[0], T = size[1];
    am_value keys = real.id ? am_reshape(b, real, am_shape_of(B, 1, 1, T)) : AM_NONE;
    *kept = real;
    *seen = AM_NONE;
    if (c->streaming) {
        *seen = chunk_mask(b, config, T);
        if (!keys.id) return;
        *seen = am_binary(b, AM_LOGICAL_AND, *seen, keys);
        *kept = am_squeeze(b, am_reduce(b, AM_REDUCE_ANY, *seen, am_shape_of(3), false), 1);
    } else if (keys.id) { /* frames of padding see nothing, either */
        *seen = am_binary(b, AM_LOGICAL_AND, am_reshape(b, real, am_shape_of(B, 1, T, 1)), keys);
    }
}

static am_value encode(am_builder *b, const am_config *config, const parakeet_config *c, am_value *out_mask)
{
    frames f = subsampled(b, c);
    const int64_t size[] = {am_dim(b, f.x, 0), am_dim(b, f.x, 1)};
    *out_mask = AM_NONE;
    if (am_builder_failed(b)) return AM_NONE;
    am_value kept, seen, x = f.x, sinusoids = am_conformer_sinusoids(b, size[1], c->hidden_size);
    if (f.lengths.id) *out_mask = am_frames_before(b, f.lengths, size[1]);
    read_masks(b, config, c, *out_mask, &kept, &seen, size);
    for (int i = 0; i < c->layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "hidden_states", i, x);
        am_scope(b, "layers.%d", i);
        x = layer(b, x, kept, seen, sinusoids, c);
        am_end_scope(b);
    }
    am_output_hidden_state(b, "hidden_states", (int)c->layers, x);
    return x;
}

am_value am_parakeet_encode(am_builder *b, const am_config *config, am_value *out_mask)
{
    parakeet_config c = read_config(config);
    c.names = am_has_weight(b, "pre_encode.out.weight") ? &nemo_names : &own_names;
    if (c.kernel % 2 == 0)
        am_config_fail(config, "conv_kernel_size", "expected an odd number, found %" PRId64, c.kernel);
    return encode(b, config, &c, out_mask);
}

am_value am_parakeet_encode_streaming(am_builder *b, const am_config *config, am_value *out_mask)
{
    parakeet_config c = read_config(config);
    c.names = &own_names;
    c.streaming = true;
    return encode(b, config, &c, out_mask);
}

am_value am_parakeet_mask(am_builder *b, const am_config *config, int64_t T)
{
    parakeet_config c = read_config(config);
    am_value lengths = am_attended_lengths(b);
    if (!lengths.id) return AM_NONE;
    int64_t reach = c.subsampling_kernel - 2 * ((c.subsampling_kernel - 1) / 2);
    int convolutions = c.subsamplings > 1 ? (int)c.subsamplings : 1;
    for (int i = 0; i < convolutions && c.subsampling_stride > 1; i++)
        lengths = am_convolved_length(b, lengths, reach, c.subsampling_stride);
    return am_frames_before(b, lengths, T);
}

void am_parakeet_encoder_model(am_builder *b, am_parakeet_encoder *encode_by)
{
    am_value mask;
    am_output(b, "last_hidden_state", encode_by(b, am_model_config(b), &mask));
    if (mask.id) am_output(b, "attention_mask", am_cast(b, mask, AM_I32));
}

am_value am_parakeet_states(am_builder *b, am_parakeet_encoder *encode_by)
{
    am_config config = am_config_child(am_model_config(b), "encoder_config");
    am_value mask;
    am_scope(b, "encoder");
    am_value x = encode_by(b, &config, &mask);
    am_end_scope(b);
    return x;
}
