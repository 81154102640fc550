/* FastSpeech 2 (arXiv 2006.04558) of conformer layers: an encoder reads a text; pitch, energy and length of each of its
   tokens are predicted and decide which frames a second encoder makes a spectrogram of; HiFi-GAN makes a wave of that.
   transformers: models/fastspeech2_conformer/modeling_fastspeech2_conformer.py */
#include "models/blocks/conformer.h"
#include "models/blocks/hifigan.h"

#include <inttypes.h>
#include <math.h>

static const double NORM_EPS = 1e-5; /* not configurable */

/* One of the two stacks of conformer layers. */
typedef struct side {
    int64_t heads, layers, kernel, linear_units;
    bool normalize_before, concat_after;
} side;

typedef struct fastspeech_config {
    const am_config *config;
    int64_t hidden_size, vocab_size, bins, reduction_factor, conv_kernel;
    side encoder, decoder;
    bool macaron, convolution_bias;
    double speaking_speed;
} fastspeech_config;

/* What the predictors say of each token. */
typedef struct prediction {
    am_value x;               /* [B, T, C] with pitch and energy added */
    am_value durations;       /* I32 [B, T], as predicted and used */
    am_value pitch, energy;   /* [B, T, 1] */
    am_value encoded, frames; /* [B, T, C] of the encoder; I32 [B, T]: durations at the speed that is wanted */
} prediction;

/* --- configuration --- */

/* `name` within encoder_config or decoder_config, where the file has that, else SIDE_name. */
static am_config part_of(const am_config *c, const char *part, const char **key, const char *name, const char *whole)
{
    am_config child = am_config_child(c, part);
    bool inner = am_config_has(&child, name);
    *key = inner ? name : whole;
    return inner ? child : *c;
}

static int64_t part_size(const am_config *c, const char *part, const char *name, const char *whole, int64_t fallback)
{
    const char *key;
    am_config from = part_of(c, part, &key, name, whole);
    return am_config_size(&from, key, fallback);
}

static bool part_flag(const am_config *c, const char *part, const char *name, const char *whole)
{
    const char *key;
    am_config from = part_of(c, part, &key, name, whole);
    return am_config_flag(&from, key, false);
}

static int64_t part_count(const am_config *c, const char *part, const char *whole)
{
    const char *key;
    am_config from = part_of(c, part, &key, "layers", whole);
    return am_config_count(&from, key, 4);
}

static void read_sides(const am_config *c, fastspeech_config *r)
{
    const char *e = "encoder_config", *d = "decoder_config";
    r->encoder = (side){.heads = part_size(c, e, "num_attention_heads", "encoder_num_attention_heads", 2),
                        .layers = part_count(c, e, "encoder_layers"),
                        .kernel = part_size(c, e, "kernel_size", "encoder_kernel_size", 7),
                        .linear_units = part_size(c, e, "linear_units", "encoder_linear_units", 1536),
                        .normalize_before = part_flag(c, e, "normalize_before", "encoder_normalize_before"),
                        .concat_after = part_flag(c, e, "concat_after", "encoder_concat_after")};
    r->decoder = (side){.heads = part_size(c, d, "num_attention_heads", "decoder_num_attention_heads", 2),
                        .layers = part_count(c, d, "decoder_layers"),
                        .kernel = part_size(c, d, "kernel_size", "decoder_kernel_size", 31),
                        .linear_units = part_size(c, d, "linear_units", "decoder_linear_units", 1536),
                        .normalize_before = part_flag(c, d, "normalize_before", "decoder_normalize_before"),
                        .concat_after = part_flag(c, d, "concat_after", "decoder_concat_after")};
    am_config_check_divides(c, "encoder_num_attention_heads", r->encoder.heads, "hidden_size", r->hidden_size);
    am_config_check_divides(c, "decoder_num_attention_heads", r->decoder.heads, "hidden_size", r->hidden_size);
    if (r->encoder.kernel % 2 == 0) am_config_fail(c, "encoder_kernel_size", "expected an odd number");
    if (r->decoder.kernel % 2 == 0) am_config_fail(c, "decoder_kernel_size", "expected an odd number");
}

static fastspeech_config read_config(const am_config *c)
{
    fastspeech_config r = {.config = c,
                           .hidden_size = am_config_size(c, "hidden_size", 384),
                           .vocab_size = am_config_size(c, "vocab_size", 78),
                           .bins = am_config_size(c, "num_mel_bins", 80),
                           .reduction_factor = am_config_size(c, "reduction_factor", 1),
                           .conv_kernel = am_config_size(c, "positionwise_conv_kernel_size", 3),
                           .macaron = am_config_flag(c, "use_macaron_style_in_conformer", true),
                           .convolution_bias = am_config_flag(c, "convolution_bias", true),
                           .speaking_speed = am_config_real(c, "speaking_speed", 1)};
    read_sides(c, &r);
    if (r.conv_kernel % 2 == 0) am_config_fail(c, "positionwise_conv_kernel_size", "expected an odd number");
    if (!am_config_flag(c, "use_cnn_in_conformer", true))
        am_config_fail(c, "use_cnn_in_conformer", "the layers look for their convolution, expected true");
    if (!(r.speaking_speed > 0 && r.speaking_speed < 1e6))
        am_config_fail(c, "speaking_speed", "expected more than 0, found %g", r.speaking_speed);
    return r;
}

/* --- conformer layers --- */

/* Convolution NAME that keeps the length of x: [B, T, C] -> [B, T, out]; `kernel` is odd. */
static am_value same_conv(am_builder *b, const char *name, am_value x, int64_t out, int64_t kernel)
{
    am_shape padding = am_shape_of(kernel / 2);
    x = am_conv(b, name, am_transpose(b, x, 1, 2), out, am_shape_of(kernel), AM_BIAS,
                &(am_convolution_attributes){.padding_before = padding, .padding_after = padding});
    return am_transpose(b, x, 1, 2);
}

static am_value norm(am_builder *b, const char *name, am_value x, bool wanted)
{
    return wanted ? am_layer_norm(b, name, x, NORM_EPS) : x;
}

static am_value feed_forward(am_builder *b, const char *name, am_value x, const side *s, const fastspeech_config *c)
{
    am_scope(b, "%s", name);
    x = am_unary(b, AM_RELU, same_conv(b, "conv1", x, s->linear_units, c->conv_kernel));
    x = same_conv(b, "conv2", x, c->hidden_size, c->conv_kernel);
    am_end_scope(b);
    return c->macaron ? am_mul_number(b, x, 0.5) : x;
}

/* x: [B, T, C] -> [B, T, C] */
static am_value convolution(am_builder *b, am_value x, const side *s, const fastspeech_config *c)
{
    am_scope(b, "conv_module");
    x = am_conformer_convolution(b, x, AM_NONE, s->kernel, c->convolution_bias, AM_SILU);
    am_end_scope(b);
    return x;
}

static am_value layer(am_builder *b, am_value x, am_value mask, am_value sinusoids, const side *s,
                      const fastspeech_config *c)
{
    bool before = s->normalize_before;
    am_value h;
    if (c->macaron) {
        h = feed_forward(b, "feed_forward_macaron", norm(b, "ff_macaron_layer_norm", x, before), s, c);
        x = norm(b, "ff_macaron_layer_norm", am_add(b, x, h), !before);
    }
    am_value read = norm(b, "self_attn_layer_norm", x, before);
    am_scope(b, "self_attn");
    h = am_conformer_relative_attention(b, read, mask, sinusoids, s->heads);
    am_end_scope(b);
    if (s->concat_after) h = am_linear(b, "concat_linear", am_concat2(b, read, h, 2), c->hidden_size, AM_BIAS);
    x = norm(b, "self_attn_layer_norm", am_add(b, x, h), !before);
    h = convolution(b, norm(b, "conv_layer_norm", x, before), s, c);
    x = norm(b, "conv_layer_norm", am_add(b, x, h), !before);
    h = feed_forward(b, "feed_forward", norm(b, "ff_layer_norm", x, before), s, c);
    x = norm(b, "ff_layer_norm", am_add(b, x, h), !before);
    return am_layer_norm(b, "final_layer_norm", x, NORM_EPS);
}

/* conformer_layers.N below the scope over x: [B, T, C]; names hidden states. mask: I32 [B, T] or AM_NONE. */
static am_value layers(am_builder *b, am_value x, am_value mask, const char *states, const side *s,
                       const fastspeech_config *c)
{
    am_value sinusoids = am_conformer_sinusoids(b, am_dim(b, x, 1), c->hidden_size);
    x = am_mul_number(b, x, sqrt((double)c->hidden_size));
    for (int i = 0; i < s->layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, states, i, x);
        am_scope(b, "conformer_layers.%d", i);
        x = layer(b, x, mask, sinusoids, s, c);
        am_end_scope(b);
    }
    am_output_hidden_state(b, states, (int)s->layers, x);
    return x;
}

/* --- predictors --- */

/* conv_layers.N and linear below NAME: x: [B, T, C] -> [B, T, 1]. */
static am_value predict(am_builder *b, const char *name, am_value x, int64_t count, int64_t channels, int64_t kernel,
                        const fastspeech_config *c)
{
    if (kernel % 2 == 0) am_config_fail(c->config, name, "expected an odd kernel, found %" PRId64, kernel);
    am_scope(b, "%s", name);
    for (int i = 0; i < count && !am_builder_failed(b); i++) {
        am_scope(b, "conv_layers.%d", i);
        x = am_unary(b, AM_RELU, same_conv(b, "conv", x, channels, kernel));
        x = am_layer_norm(b, "layer_norm", x, NORM_EPS);
        am_end_scope(b);
    }
    x = am_linear(b, "linear", x, 1, AM_BIAS);
    am_end_scope(b);
    return x;
}

/* What all tokens are told: who speaks, in which language, with which voice: x: [B, T, C]. */
static am_value with_speaker(am_builder *b, am_value x, const fastspeech_config *c)
{
    int64_t speakers = am_config_count(c->config, "num_speakers", 0),
            languages = am_config_count(c->config, "num_languages", 0),
            width = am_config_count(c->config, "speaker_embed_dim", 0), C = c->hidden_size;
    am_value speaker = am_input_optional(b, "speaker_ids", -1), language = am_input_optional(b, "lang_ids", -1),
             voice = am_input_optional(b, "speaker_embedding", 2);
    am_shape column = am_shape_of(-1, 1);
    if (speakers > 1 && speaker.id)
        x = am_add(b, x, am_embedding(b, "speaker_id_embedding", am_reshape(b, speaker, column), speakers, C));
    if (languages > 1 && language.id)
        x = am_add(b, x, am_embedding(b, "language_id_embedding", am_reshape(b, language, column), languages, C));
    if (width == 0 || !voice.id) return x;
    voice = am_unsqueeze(b, am_unit_length(b, voice, 1e-12), 1);
    voice = am_broadcast(b, voice, am_shape_of(am_dim(b, x, 0), am_dim(b, x, 1), width));
    return am_linear(b, "projection", am_concat2(b, x, voice, 2), C, AM_BIAS);
}

/* Where nothing is to be said, each token of rows without a frame has one. x: I32 [B, T] */
static am_value at_least_one(am_builder *b, am_value x)
{
    am_value rows = am_reduce(b, AM_REDUCE_SUM, x, am_shape_of(1), true);
    am_value all = am_reduce(b, AM_REDUCE_SUM, rows, am_shape_of(0), true);
    return am_select(b, am_binary_number(b, AM_EQUAL, all, 0), am_scalar(b, AM_I32, 1), x);
}

static am_value durations_of(am_builder *b, am_value x, am_value padding, const fastspeech_config *c)
{
    const am_config *config = c->config;
    x = predict(b, "duration_predictor", x, am_config_count(config, "duration_predictor_layers", 2),
                am_config_size(config, "duration_predictor_channels", 256),
                am_config_size(config, "duration_predictor_kernel_size", 3), c);
    x = am_unary(b, AM_ROUND, am_add_number(b, am_unary(b, AM_EXP, am_squeeze(b, x, 2)), -1));
    x = am_cast(b, am_binary_number(b, AM_MIN, am_binary_number(b, AM_MAX, x, 0), 1 << 24), AM_I32);
    return padding.id ? am_select(b, padding, am_scalar(b, AM_I32, 0), x) : x;
}

/* A predicted curve of each token: [B, T, 1], zero for padding; *x: [B, T, C] has what NAME_embed makes of it added. */
static am_value curve(am_builder *b, am_value read, am_value padding, am_value *x, bool is_pitch,
                      const fastspeech_config *c)
{
    const am_config *config = c->config;
    const char *p = is_pitch ? "pitch_predictor_layers" : "energy_predictor_layers";
    am_value y = predict(
        b, is_pitch ? "pitch_predictor" : "energy_predictor", read, am_config_count(config, p, is_pitch ? 5 : 2),
        am_config_size(config, is_pitch ? "pitch_predictor_channels" : "energy_predictor_channels", 256),
        am_config_size(config, is_pitch ? "pitch_predictor_kernel_size" : "energy_predictor_kernel_size",
                       is_pitch ? 5 : 3),
        c);
    const char *key = is_pitch ? "pitch_embed_kernel_size" : "energy_embed_kernel_size";
    int64_t kernel = am_config_size(config, key, 1);
    if (kernel % 2 == 0) am_config_fail(config, key, "expected an odd number, found %" PRId64, kernel);
    if (padding.id) y = am_select(b, am_unsqueeze(b, padding, 2), am_scalar(b, AM_F32, 0), y);
    *x = am_add(b, *x, same_conv(b, is_pitch ? "pitch_embed.conv" : "energy_embed.conv", y, c->hidden_size, kernel));
    return y;
}

/* Below the scope: what is said of the input input_ids. */
static prediction predict_all(am_builder *b, const fastspeech_config *c)
{
    prediction r = {.x = AM_NONE};
    am_value ids = am_input(b, "input_ids", 2), mask = am_input_optional(b, "attention_mask", 2), padding = AM_NONE;
    if (mask.id) padding = am_binary_number(b, AM_EQUAL, am_cast(b, mask, AM_I32), 0);
    am_scope(b, "encoder");
    am_value x = am_embedding(b, "embed", ids, c->vocab_size, c->hidden_size);
    r.encoded = layers(b, x, mask, "encoder_hidden_states", &c->encoder, c);
    am_end_scope(b);
    x = r.x = with_speaker(b, r.encoded, c);
    r.durations = durations_of(b, x, padding, c);
    r.energy = curve(b, x, padding, &r.x, false, c);
    r.pitch = curve(b, x, padding, &r.x, true, c);
    if (c->speaking_speed == 1) r.frames = r.durations = at_least_one(b, r.durations);
    else {
        am_value scaled = am_mul_number(b, am_cast(b, r.durations, AM_F32), c->speaking_speed);
        r.frames = at_least_one(b, am_cast(b, am_unary(b, AM_ROUND, scaled), AM_I32));
    }
    return r;
}

/* --- classes --- */

/* The spectrogram below the scope: [B, L, bins]; names all outputs but the wave. AM_NONE where the length is measured
   only. */
static am_value spectrogram(am_builder *b, const fastspeech_config *c)
{
    prediction p = predict_all(b, c);
    if (am_model_stage(b) == AM_STAGE_MEASURE) {
        am_value rows = am_reduce(b, AM_REDUCE_SUM, p.frames, am_shape_of(1), false);
        am_output(b, "length", am_reduce(b, AM_REDUCE_MAX, rows, am_shape_of(0), true));
        return AM_NONE;
    }
    int64_t L = am_model_argument(b, "length", am_dim(b, p.x, 1));
    am_scope(b, "decoder");
    am_value x = layers(b, am_repeat_rows(b, p.x, p.frames, L), AM_NONE, "decoder_hidden_states", &c->decoder, c);
    am_end_scope(b);
    am_scope(b, "speech_decoder_postnet");
    x = am_linear(b, "feat_out", x, c->bins * c->reduction_factor, AM_BIAS);
    x = am_reshape(b, x, am_shape_of(am_dim(b, x, 0), -1, c->bins));
    x = am_speech_postnet(b, c->config, x);
    am_end_scope(b);
    am_output(b, "spectrogram", x);
    am_output(b, "encoder_last_hidden_state", p.encoded);
    am_output(b, "duration_outputs", p.durations);
    am_output(b, "pitch_outputs", p.pitch);
    am_output(b, "energy_outputs", p.energy);
    return x;
}

static void fastspeech_model(am_builder *b)
{
    fastspeech_config c = read_config(am_model_config(b));
    spectrogram(b, &c);
}

static const int64_t rates[] = {8, 8, 2, 2}, kernels[] = {16, 16, 4, 4}; /* of the vocoder */

static void vocoder(am_builder *b)
{
    am_output(b, "output", am_hifigan_vocoder(b, am_model_config(b), am_input(b, "spectrogram", -1), rates, kernels));
}

static void with_vocoder(am_builder *b)
{
    am_config model = am_config_child(am_model_config(b), "model_config"),
              vocoder_config = am_config_child(am_model_config(b), "vocoder_config");
    fastspeech_config c = read_config(&model);
    am_scope(b, "model");
    am_value x = spectrogram(b, &c);
    am_end_scope(b);
    if (!x.id) return;
    am_scope(b, "vocoder");
    am_output(b, "waveform", am_hifigan_vocoder(b, &vocoder_config, x, rates, kernels));
    am_end_scope(b);
}

static const am_architecture architectures[] = {
    {"FastSpeech2ConformerModel", fastspeech_model, NULL, AM_MEASURES},
    {"FastSpeech2ConformerHifiGan", vocoder, NULL, 0},
    {"FastSpeech2ConformerWithHifiGan", with_vocoder, NULL, AM_MEASURES},
    {0},
};

const am_model_type am_model_fastspeech2_conformer = {
    .name = "fastspeech2_conformer fastspeech2_conformer_hifigan fastspeech2_conformer_with_hifigan",
    .base_prefix = "fastspeech2_conformer",
    .architectures = architectures};
