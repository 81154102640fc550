#include "models/blocks/seamless.h"

#include "models/blocks/hifigan.h"

#include <inttypes.h>

static const double NORM_EPS = 1e-5; /* of norms inside layers: not configurable */

/* --- speech --- */

/* Frames left of what the input attention_mask attends: I32 [B]; AM_NONE without that input. */
static am_value adapted_lengths(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_value lengths = am_attended_lengths(b);
    if (!lengths.id) return AM_NONE;
    int64_t kernel = am_config_size(c, "adaptor_kernel_size", 8), stride = am_config_size(c, "adaptor_stride", 8);
    return am_conformer_adapted_lengths(b, lengths, kernel, stride);
}

am_value am_seamless_speech_mask(am_builder *b, int64_t S)
{
    am_value lengths = adapted_lengths(b);
    return lengths.id ? am_frames_before(b, lengths, S) : AM_NONE;
}

am_value am_seamless_text_mask(am_builder *b, int64_t S)
{
    (void)S;
    am_value mask = am_input_optional(b, "attention_mask", 2);
    if (!mask.id || am_dtype_of(b, mask) == AM_BOOL) return mask;
    return am_binary_number(b, AM_NOT_EQUAL, mask, 0);
}

/* Layers that each read the mask of the whole, however much those before have left. */
static am_value adapter(am_builder *b, am_value x, const am_conformer_options *o)
{
    const am_config *c = am_model_config(b);
    am_conformer_adapter options = {.heads = o->heads,
                                    .intermediate_size = o->intermediate_size,
                                    .kernel = am_config_size(c, "adaptor_kernel_size", 8),
                                    .stride = am_config_size(c, "adaptor_stride", 8),
                                    .norm_eps = NORM_EPS,
                                    .activation = AM_RELU};
    int64_t count = am_config_count(c, "num_adapter_layers", 1);
    am_value lengths = adapted_lengths(b);
    for (int i = 0; i < count && !am_builder_failed(b); i++) {
        am_scope(b, "adapter.layers.%d", i);
        x = am_conformer_adapter_layer(b, x, lengths, &options);
        am_end_scope(b);
    }
    return x;
}

/* What the configuration says of conformer layers of either version; C: its width. */
static void read_layers(const am_config *c, int64_t C, am_conformer_options *o)
{
    o->heads = am_config_size(c, "speech_encoder_attention_heads", 16);
    o->intermediate_size = am_config_size(c, "speech_encoder_intermediate_size", 4096);
    o->kernel_size = am_config_size(c, "conv_depthwise_kernel_size", 31);
    o->activation = am_config_activation(c, "speech_encoder_hidden_act", AM_SILU);
    o->norm_eps = NORM_EPS;
    o->hides_padding = true;
    o->hidden_states = "encoder_hidden_states";
    am_config_check_divides(c, "speech_encoder_attention_heads", o->heads, "hidden_size", C);
    if (o->kernel_size % 2 == 0)
        am_config_fail(c, "conv_depthwise_kernel_size", "expected an odd number, found %" PRId64, o->kernel_size);
}

/* The input input_features, normed and projected: [B, T, C]. */
static am_value projected(am_builder *b, int64_t C, double eps)
{
    int64_t F = am_config_size(am_model_config(b), "feature_projection_input_dim", 160);
    am_value x = am_input(b, "input_features", 3);
    if (x.id && am_dim(b, x, 2) != F)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "input_features has %" PRId64 " numbers a frame, expected %" PRId64
                                    " (feature_projection_input_dim)",
                                    am_dim(b, x, 2), F));
    x = am_layer_norm(b, "feature_projection.layer_norm", x, eps);
    return am_linear(b, "feature_projection.projection", x, C, AM_BIAS);
}

am_value am_seamless_speech_encoder(am_builder *b, am_conformer_options o)
{
    const am_config *c = am_model_config(b);
    int64_t C = am_config_size(c, "hidden_size", 1024), count = am_config_count(c, "speech_encoder_layers", 24);
    double eps = am_config_real(c, "layer_norm_eps", 1e-5);
    am_value mask = am_seamless_text_mask(b, 0);
    read_layers(c, C, &o);
    am_scope(b, "speech_encoder");
    am_value x = am_zero_outside(b, projected(b, C, eps), mask);
    am_scope(b, "encoder");
    x = am_layer_norm(b, "layer_norm", am_conformer_layers(b, x, mask, &o, count, NULL), eps);
    am_end_scope(b);
    am_value h = am_speech_feed_forward(b, "intermediate_ffn", x, o.intermediate_size, AM_RELU);
    x = am_add(b, x, am_mul_number(b, h, 0.5));
    if (am_config_flag(c, "add_adapter", true)) x = adapter(b, x, &o);
    x = am_layer_norm(b, "inner_layer_norm", x, NORM_EPS);
    am_end_scope(b);
    am_output_hidden_state(b, o.hidden_states, (int)count, x);
    return x;
}

/* --- words --- */

/* fc2(activation(fc1(x))) of the module ffn. */
static am_value feed_forward(am_builder *b, am_value x, const am_bart_part *part)
{
    am_scope(b, "ffn");
    x = am_bart_two_projections(b, x, part);
    am_end_scope(b);
    return x;
}

static am_bart_family words(int64_t max_positions)
{
    return (am_bart_family){.vocab_size = 256102,
                            .layers = 24,
                            .heads = 16,
                            .ffn_dim = 8192,
                            .max_positions = max_positions,
                            .activation = AM_RELU,
                            .scale_embedding = true,
                            .start_token_id = 3,
                            .eos_token_id = 3,
                            .pre_norm = true,
                            .no_embedding_norm = true,
                            .positions = AM_BART_AFTER_PADS,
                            .cross_attention = "cross_attention",
                            .feed_forward_norm = "ffn_layer_norm",
                            .feed_forward = feed_forward,
                            .encoder_scope = "text_encoder",
                            .decoder_scope = "text_decoder"};
}

void am_seamless_text_to_text(am_builder *b, int64_t max_positions)
{
    am_bart_family family = words(max_positions);
    am_bart_class(b, &family, "", true);
}

void am_seamless_speech_to_text(am_builder *b, int64_t max_positions, am_value (*encode)(am_builder *b))
{
    am_bart_family family = words(max_positions);
    family.encode = encode;
    family.encoder_mask = am_seamless_speech_mask;
    am_bart_class(b, &family, "", true);
}

/* --- vocoder --- */

/* How many frames each unit of x: [B, T, C] lasts: I32 [B, T]. */
static am_value durations(am_builder *b, am_value x)
{
    static const char *const convs[] = {"conv1", "conv2"}, *const norms[] = {"ln1", "ln2"};
    const am_config *c = am_model_config(b);
    int64_t C = am_dim(b, x, 2), kernel = am_config_size(c, "variance_predictor_kernel_size", 3);
    am_convolution_attributes options = {.padding_before = am_shape_of(1), .padding_after = am_shape_of(1)};
    if (kernel != 3) /* the second convolution is padded for that, whatever the field says */
        am_config_fail(c, "variance_predictor_kernel_size", "expected 3, found %" PRId64, kernel);
    am_scope(b, "dur_predictor");
    for (int i = 0; i < 2 && !am_builder_failed(b); i++) {
        x = am_conv(b, convs[i], am_transpose(b, x, 1, 2), C, am_shape_of(3), AM_BIAS, &options);
        x = am_layer_norm(b, norms[i], am_transpose(b, am_unary(b, AM_RELU, x), 1, 2), NORM_EPS);
    }
    x = am_squeeze(b, am_linear(b, "proj", x, 1, AM_BIAS), 2);
    am_end_scope(b);
    x = am_unary(b, AM_ROUND, am_add_number(b, am_unary(b, AM_EXP, x), -1));
    return am_cast(b, am_binary_number(b, AM_MAX, x, 1), AM_I32);
}

/* x: [B, 1] ids of the table NAME at each of L frames: [B, L, C]. */
static am_value everywhere(am_builder *b, const char *name, const char *input, int64_t count, int64_t C, int64_t L)
{
    am_value x = am_embedding(b, name, am_input(b, input, 2), count, C);
    if (x.id && am_dim(b, x, 1) != 1)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "input %s: expected one number a row", input));
    return am_broadcast(b, x, am_shape_of(am_dim(b, x, 0), L, C));
}

/* Samples of each row, whose units end where the first pad would stand: I32 [B], or a scalar of one row. */
static am_value sample_counts(am_builder *b, am_value ids, am_value frames, const am_hifigan *o)
{
    int64_t B = am_dim(b, ids, 0), T = am_dim(b, ids, 1),
            pad = am_config_int(am_model_config(b), "t2u_pad_token_id", 1);
    am_value units = am_cast(b, am_binary_number(b, AM_NOT_EQUAL, ids, (double)pad), AM_I32);
    units = am_binary_number(b, AM_MIN, am_reduce_last(b, AM_REDUCE_SUM, units), (double)(T - 1));
    am_value ends = am_scan(b, AM_REDUCE_SUM, frames, 1, false, false);
    am_value length = am_reshape(b, am_gather(b, ends, units, 1, true), am_shape_of(B));
    for (int i = 0; i < o->upsamples; i++) {
        int64_t rate = o->upsample_rates[i], kernel = o->upsample_kernel_sizes[i];
        double beyond = (double)(kernel - rate - (kernel - rate) / 2 * 2);
        length = am_add_number(b, am_mul_number(b, length, (double)rate), beyond);
    }
    return B == 1 ? am_squeeze(b, length, 0) : length;
}

void am_seamless_code_hifigan(am_builder *b)
{
    static const int64_t rates[] = {5, 4, 4, 2, 2}, kernels[] = {11, 8, 8, 4, 4};
    const am_config *c = am_model_config(b);
    am_hifigan o = am_hifigan_read(c, rates, kernels, 5);
    am_value ids = am_input(b, "input_ids", 2);
    am_value x = am_embedding(b, "unit_embedding", ids, am_config_size(c, "unit_hifi_gan_vocab_size", 10000),
                              am_config_size(c, "unit_embed_dim", 1280));
    am_value frames = durations(b, x), totals = am_reduce(b, AM_REDUCE_SUM, frames, am_shape_of(1), false);
    if (am_builder_failed(b)) return;
    if (am_model_stage(b) == AM_STAGE_MEASURE) {
        am_input(b, "lang_id", 2); /* are read later */
        am_input(b, "spkr_id", 2);
        am_output(b, "length", am_reduce(b, AM_REDUCE_MAX, totals, am_shape_of(0), true));
        return;
    }
    int64_t L = am_model_argument(b, "length", am_dim(b, x, 1));
    am_value parts[] = {everywhere(b, "language_embedding", "lang_id", am_config_size(c, "vocoder_num_langs", 36),
                                   am_config_size(c, "lang_embed_dim", 256), L),
                        am_repeat_rows(b, x, frames, L),
                        everywhere(b, "speaker_embedding", "spkr_id", am_config_size(c, "vocoder_num_spkrs", 200),
                                   am_config_size(c, "spkr_embed_dim", 256), L)};
    x = am_transpose(b, am_concat(b, parts, 3, 2), 1, 2);
    am_scope(b, "hifi_gan");
    am_output(b, "0", am_hifigan_wave(b, x, AM_NONE, &o));
    am_end_scope(b);
    am_output(b, "1", sample_counts(b, ids, frames, &o));
}
