/* The parts of Nemotron 3.5 Transcribe that hear: an encoder of speech beside a model of who speaks when, whose answers
   are added to its states, and the layers that tell when words are said. transformers:
   models/nemotron3_5_transcribe/modeling_nemotron3_5_transcribe.py */
#include "models/blocks/layers.h"
#include "models/blocks/nemotron3.h"
#include "models/blocks/vision.h"

#include <inttypes.h>
#include <math.h>

static const double NORM_EPS = 1e-5; /* not configurable */

static void asr_audio_model(am_builder *b)
{
    am_nemotron3_model(b, &am_nemotron3_asr_defaults);
}

/* --- when words are said --- */

/* Each mark `factor` times: [B, T] -> [B, T * factor]; AM_NONE of AM_NONE. */
static am_value repeated(am_builder *b, am_value mask, int64_t factor)
{
    if (!mask.id) return AM_NONE;
    int64_t B = am_dim(b, mask, 0), T = am_dim(b, mask, 1);
    mask = am_broadcast(b, am_unsqueeze(b, mask, 2), am_shape_of(B, T, factor));
    return am_reshape(b, mask, am_shape_of(B, T * factor));
}

static void word_timestamp_model(am_builder *b)
{
    static const am_nemotron3_defaults absent = {
        .width = 1280, .intermediate_size = 640, .layers = 2, .heads = 16, .rotated = 0.5, .norms_heads = true};
    const am_config *c = am_model_config(b);
    am_nemotron3_encoder e = am_nemotron3_encoder_read(c, &absent);
    int64_t factor = am_config_size(c, "upsampling_factor", 2), C = e.width;
    int64_t classes = am_config_size(c, "vocab_size", 23863), blank = am_config_int(c, "blank_token_id", 23862);
    if (blank < 0 || blank >= classes) am_config_fail(c, "blank_token_id", "no class of vocab_size");
    am_value x = am_transpose(b, am_input(b, "inputs_embeds", 3), 1, 2);
    am_value mask = repeated(b, am_input_optional(b, "attention_mask", 2), factor);
    am_scope(b, "upsampler");
    am_value weight = am_weight(b, "weight", am_shape_of(C, C, factor));
    x = am_conv_transpose(b, x, weight, am_weight(b, "bias", am_shape_of(C)),
                          &(am_convolution_attributes){.stride = am_shape_of(factor)});
    am_end_scope(b);
    x = am_transpose(b, x, 1, 2);
    am_value h = am_nemotron3_encode(b, x, mask, AM_NONE, &e, 0);
    x = am_add(b, x, am_mul_number(b, h, am_config_real(c, "residual_scale", 0.1)));
    if (e.layers > 0) am_output_hidden_state(b, "hidden_states", (int)e.layers, x);
    am_output(b, "last_hidden_state", x);
}

/* --- speech and speakers --- */

/* x: [B, L, bins], of each bin its mean taken away, over its deviation; of the frames that mask: [B, L] counts. */
static am_value normalized(am_builder *b, am_value x, am_value mask)
{
    am_value is = am_unsqueeze(b, am_cast_like(b, mask, x), 2);
    am_value count = am_reduce(b, AM_REDUCE_SUM, is, am_shape_of(1), true);
    am_value mean = am_reduce(b, AM_REDUCE_SUM, am_mul(b, x, is), am_shape_of(1), true);
    mean = am_div(b, mean, am_binary_number(b, AM_MAX, count, 1));
    x = am_mul(b, am_sub(b, x, mean), is);
    am_value square = am_reduce(b, AM_REDUCE_SUM, am_unary(b, AM_SQUARE, x), am_shape_of(1), true);
    square = am_div(b, square, am_binary_number(b, AM_MAX, am_add_number(b, count, -1), 1));
    return am_div(b, x, am_add_number(b, am_unary(b, AM_SQRT, square), 1e-5));
}

/* States of features: [B, L, bins], chunk by chunk, each seeing some frames around its own: [B, T, C]. */
static am_value speech_states(am_builder *b, am_value features, am_value mask, const am_nemotron3_encoder *e,
                              const am_nemotron3_chunks *chunks)
{
    int64_t T = am_dim(b, features, 1) / e->stacked;
    am_value all = AM_NONE;
    for (int64_t at = 0; at < T && !am_builder_failed(b); at += chunks->length) {
        int64_t to = at + chunks->length < T ? at + chunks->length : T;
        int64_t from = at > chunks->left ? at - chunks->left : 0;
        int64_t seen = to + chunks->right < T ? to + chunks->right : T;
        am_scope(b, "asr_encoder");
        am_value x = am_nemotron3_embed(b, am_slice(b, features, 1, from * e->stacked, seen * e->stacked), e);
        am_value marks = am_slice(b, mask, 1, from * e->stacked, seen * e->stacked);
        x = am_nemotron3_encode(b, x, am_nemotron3_mask(b, marks, e), AM_NONE, e, -1);
        am_end_scope(b);
        x = am_slice(b, x, 1, at - from, to - from);
        all = at ? am_concat2(b, all, x, 1) : x;
    }
    return all;
}

/* Sines and cosines side by side, a row for each of `count` speakers: [C, count]. */
static am_value speaker_table(am_builder *b, int64_t count, int64_t C)
{
    float *values = am_arena_array(am_builder_arena(b), (size_t)(count * C) + 1, sizeof *values);
    if (!values) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t i = 0; i < C; i++)
        for (int64_t s = 0; s < count; s++) {
            double angle = (double)s * exp((double)(i / 2 * 2) * -(log(10000) / (double)C));
            values[i * count + s] = (float)(i % 2 ? cos(angle) : sin(angle));
        }
    return am_constant_copy(b, AM_F32, am_shape_of(C, count), values);
}

/* Logits of who speaks in each frame of the spectrogram: [B, L, speakers]. */
static am_value speaker_logits(am_builder *b, const am_config *config)
{
    am_part_input inputs[] = {{.name = "input_features", .whole = "input_features"},
                              {.name = "attention_mask", .whole = "input_features_mask"}};
    am_part part = {.class_name = "Nemotron3DiarizationForAudioFrameClassification",
                    .config = config,
                    .inputs = inputs,
                    .input_count = 2};
    am_scope(b, "diarization_model");
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    return am_part_output(&outputs, "logits");
}

/* Who is active in each of T frames: logits: [B, T * stacked, S] -> [B, T, C]. */
static am_value speaker_states(am_builder *b, am_value logits, int64_t T, int64_t C, double threshold)
{
    int64_t B = am_dim(b, logits, 0), S = am_dim(b, logits, 2);
    if (T < 1 || C > INT32_MAX / S) {
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "input_features: no frames"));
        return AM_NONE;
    }
    am_value x = am_reshape(b, am_unary(b, AM_SIGMOID, logits), am_shape_of(B, T, am_dim(b, logits, 1) / T, S));
    x = am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(2), false);
    x = am_cast(b, am_binary_number(b, AM_GREATER, x, threshold), AM_F32);
    return am_linear_with(b, am_layer_norm(b, "speaker_norm", x, NORM_EPS), speaker_table(b, S, C), AM_NONE);
}

/* The mask of the spectrogram's frames, which are all where it is not given. */
static am_value marks_of(am_builder *b, am_value features)
{
    am_value mask = am_input_optional(b, "input_features_mask", 2);
    am_shape shape = am_shape_of(am_dim(b, features, 0), am_dim(b, features, 1));
    if (!mask.id) return am_broadcast(b, am_scalar(b, AM_I32, 1), shape);
    return am_binary_number(b, AM_NOT_EQUAL, mask, 0);
}

static void check_defaults(const am_config *c)
{
    static const char *const fields[] = {"chunk_length", "chunk_left_context", "chunk_right_context",
                                         "streaming_config"};
    for (int i = 0; i < 4; i++)
        if (!am_config_has(c, fields[i])) am_config_fail(c, fields[i], "expected to be given, found none");
}

static void audio_model(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config asr = am_config_child(c, "asr_config"), diarization = am_config_child(c, "diarization_config");
    am_nemotron3_encoder e = am_nemotron3_encoder_read(&asr, &am_nemotron3_asr_defaults);
    am_nemotron3_chunks chunks = am_nemotron3_chunks_read(&diarization);
    am_value features = am_input(b, "input_features", 3), mask = marks_of(b, features);
    int64_t L = am_dim(b, features, 1), T = L / e.stacked;
    check_defaults(&diarization);
    if (L % e.stacked)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "input_features of %" PRId64 " frames, no multiple of %" PRId64, L, e.stacked));
    am_value states = speech_states(b, normalized(b, features, mask), mask, &e, &chunks);
    am_value logits = speaker_logits(b, &diarization);
    am_value speakers = speaker_states(b, logits, T, e.width, am_config_real(c, "speaker_activity_threshold", 0.5));
    am_output(b, "last_hidden_state", am_add(b, am_layer_norm(b, "asr_norm", states, NORM_EPS), speakers));
    am_output(b, "asr_last_hidden_state", states);
    am_output(b, "speaker_logits", logits);
}

static const am_architecture architectures[] = {
    {"Nemotron3_5TranscribeAudioModel", audio_model, "feature-extraction", 0},
    {"Nemotron3_5TranscribeAsrAudioModel", asr_audio_model, "feature-extraction", 0},
    {"Nemotron3_5TranscribeWordTimestampModel", word_timestamp_model, "feature-extraction", 0},
    {0},
};

const am_model_type am_model_nemotron3_5_transcribe = {
    .name = "nemotron3_5_transcribe_audio nemotron3_5_transcribe_asr_audio nemotron3_5_transcribe_word_timestamp",
    .base_prefix = "model",
    .architectures = architectures};
