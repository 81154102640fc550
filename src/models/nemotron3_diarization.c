/* Nemotron 3 Diarization: who speaks when, by a streaming Sortformer: chunks of a sound's frames are encoded behind the
   frames that a cache keeps of each speaker, in the order of their arrival, and a queue of the last ones. transformers:
   models/nemotron3_diarization/modeling_nemotron3_diarization.py */
#include "models/blocks/layers.h"
#include "models/blocks/nemotron3.h"

#include <inttypes.h>
#include <math.h>

typedef struct diarization {
    am_nemotron3_encoder encoder;
    am_nemotron3_chunks chunks;
    int64_t width, speakers; /* of the head */
    int64_t fifo_length, period, stream_fifo_length, stream_period;
    int64_t cache_length, silences, positives, strongs, weaks;
    double threshold, latest_boost;
} diarization;

/* How many frames a share of a speaker's part of the cache is. */
static int64_t share(const am_config *c, const char *key, double fallback, int64_t budget)
{
    double rate = am_config_real(c, key, fallback);
    if (rate >= 0 && rate <= 1024) return (int64_t)floor((double)budget * rate);
    am_config_fail(c, key, "expected 0 or more, found %g", rate);
    return 0;
}

static void read_cache(const am_config *c, diarization *r)
{
    r->stream_fifo_length = am_config_size(c, "fifo_length", 264);
    r->stream_period = am_config_size(c, "speaker_cache_update_period", 222);
    r->cache_length = am_config_size(c, "speaker_cache_length", 264);
    r->silences = am_config_count(c, "speaker_cache_silence_frames_per_speaker", 1);
    r->threshold = am_config_real(c, "prediction_score_threshold", 0.25);
    r->latest_boost = am_config_real(c, "latest_frames_score_boost", 0.05);
    if (am_config_size(c, "num_speakers", 8) != r->speakers)
        am_config_fail(c, "num_speakers", "expected that of head_config, %" PRId64, r->speakers);
    if (am_config_size(c, "subsampling_factor", 8) != r->encoder.stacked)
        am_config_fail(c, "subsampling_factor", "expected that of audio_config, %" PRId64, r->encoder.stacked);
    if (r->cache_length < (1 + r->silences) * r->speakers)
        am_config_fail(c, "speaker_cache_length", "too few for %" PRId64 " speakers and their silence", r->speakers);
    int64_t budget = r->cache_length / r->speakers - r->silences;
    r->positives = share(c, "min_positive_scores_rate", 0.5, budget);
    r->strongs = share(c, "strong_boost_rate", 0.75, budget);
    r->weaks = share(c, "weak_boost_rate", 1.5, budget);
}

static diarization read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config audio = am_config_child(c, "audio_config"), head = am_config_child(c, "head_config");
    am_config streaming = am_config_child(c, "streaming_config");
    diarization r = {.encoder = am_nemotron3_encoder_read(&audio, &am_nemotron3_diarization_defaults),
                     .chunks = am_nemotron3_chunks_read(c),
                     .width = am_config_size(&head, "hidden_size", 192),
                     .speakers = am_config_size(&head, "num_speakers", 8),
                     .fifo_length = am_config_size(c, "fifo_length", 40),
                     .period = am_config_size(c, "speaker_cache_update_period", 300)};
    if (am_config_size(&head, "audio_hidden_size", 512) != r.encoder.width)
        am_config_fail(&head, "audio_hidden_size", "expected hidden_size of audio_config, %" PRId64, r.encoder.width);
    if (am_config_size(&head, "subsampling_factor", 8) != r.encoder.stacked)
        am_config_fail(&head, "subsampling_factor", "expected that of audio_config, %" PRId64, r.encoder.stacked);
    if (r.width > INT32_MAX / r.encoder.stacked) am_config_fail(&head, "hidden_size", "too much");
    read_cache(&streaming, &r);
    return r;
}

/* --- the model --- */

static void audio_model(am_builder *b)
{
    am_nemotron3_model(b, &am_nemotron3_diarization_defaults);
}

/* States x: [B, T, C] below the scope -> [B, T * stacked, width]: a frame for each of the spectrogram's. */
static am_value upsampled(am_builder *b, am_value x, const diarization *d)
{
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1), factor = d->encoder.stacked;
    am_shape padding = am_shape_of(1);
    am_convolution_attributes same = {.padding_before = padding, .padding_after = padding};
    x = am_transpose(b, am_linear(b, "proj", x, d->width, AM_BIAS), 1, 2);
    x = am_transpose(b, am_conv(b, "upsampler.conv", x, d->width * factor, am_shape_of(3), AM_BIAS, &same), 1, 2);
    return am_reshape(b, x, am_shape_of(B, T * factor, d->width));
}

/* x: [B, T, C], embedded, below the scope -> [B, T * stacked, width]. */
static am_value encoded(am_builder *b, am_value x, am_value mask, am_value positions, const diarization *d, int first)
{
    am_scope(b, "audio_tower");
    x = am_nemotron3_encode(b, x, mask, positions, &d->encoder, first);
    am_end_scope(b);
    if (d->encoder.layers > 0) am_output_hidden_state(b, "hidden_states", first + (int)d->encoder.layers, x);
    return upsampled(b, x, d);
}

static am_value embedded(am_builder *b, const diarization *d)
{
    am_scope(b, "audio_tower");
    am_value x = am_nemotron3_embed(b, am_input(b, "input_features", 3), &d->encoder);
    am_end_scope(b);
    return x;
}

static void diarization_model(am_builder *b)
{
    diarization d = read_config(b);
    am_value x = am_input_optional(b, "inputs_embeds", 3), mask = am_input_optional(b, "attention_mask", 2);
    if (!x.id) {
        x = embedded(b, &d);
        mask = am_nemotron3_mask(b, mask, &d.encoder);
    }
    am_output(b, "last_hidden_state", encoded(b, x, mask, am_input_optional(b, "position_ids", 2), &d, 0));
}

/* --- the cache of speakers --- */

typedef struct cache {
    am_value frames, probabilities, fifo; /* [B, N, C], [B, N, S], [B, F, C]; AM_NONE of no frames */
    int64_t count, fifo_count;            /* N, F */
    bool compressed;
} cache;

static am_value joined(am_builder *b, am_value x, am_value y, int axis)
{
    return x.id && y.id ? am_concat2(b, x, y, axis) : x.id ? x : y;
}

/* Frames from .. to - 1 of x: [B, T, C]; AM_NONE where they are none. */
static am_value span(am_builder *b, am_value x, int64_t from, int64_t to)
{
    return to > from ? am_slice(b, x, 1, from, to) : AM_NONE;
}

static am_value minus_infinity_where(am_builder *b, am_value is, am_value x)
{
    return am_select(b, is, am_scalar(b, AM_F32, -INFINITY), x);
}

/* How much each frame says of each speaker: probabilities: [B, N, S] -> [B, N, S]. */
static am_value scores_of(am_builder *b, am_value p, const diarization *d)
{
    am_value logs = am_unary(b, AM_LOG, am_binary_number(b, AM_MAX, p, d->threshold));
    am_value rest = am_add_number(b, am_unary(b, AM_NEG, p), 1);
    rest = am_unary(b, AM_LOG, am_binary_number(b, AM_MAX, rest, d->threshold));
    am_value all = am_reduce(b, AM_REDUCE_SUM, rest, am_shape_of(2), true);
    am_value x = am_add_number(b, am_add(b, am_sub(b, logs, rest), all), -log(0.5));
    am_value silent = am_binary_number(b, AM_LESS_EQUAL, p, 0.5);
    x = minus_infinity_where(b, silent, x);
    am_value positive = am_binary_number(b, AM_GREATER, x, 0);
    am_value count = am_reduce(b, AM_REDUCE_SUM, am_cast(b, positive, AM_F32), am_shape_of(1), true);
    am_value enough = am_binary_number(b, AM_GREATER_EQUAL, count, (double)d->positives);
    return minus_infinity_where(b, am_binary(b, AM_LOGICAL_AND, am_unary(b, AM_LOGICAL_NOT, positive), enough), x);
}

/* x: [B, N, S] with `boost` added to the `count` best frames of each speaker. */
static am_value boosted(am_builder *b, am_value x, int64_t count, double boost)
{
    am_value places;
    if (count < 1) return x;
    am_top_k(b, x, 1, count, false, &places);
    am_value more = am_broadcast(b, am_scalar(b, AM_F32, boost), am_shape_of_value(b, places));
    return am_scatter(b, x, places, more,
                      &(am_scatter_attributes){.axis = 1, .elementwise = true, .fn = AM_SCATTER_ADD});
}

/* Rows of x: [B, N, C] at places: I32 [B, K]: [B, K, C]. */
static am_value rows_at(am_builder *b, am_value x, am_value places)
{
    int64_t B = am_dim(b, x, 0), N = am_dim(b, x, 1);
    am_value offset = am_iota(b, AM_I32, am_shape_of(B, 1), 0, 0, (double)N);
    return am_gather(b, am_flatten(b, x, 0, 1), am_add(b, places, offset), 0, false);
}

/* The frames that are worth most, by speaker, and silence between them. A frame that is kept for two speakers stands
   twice in the cache from then on: which of these equals goes first, the library leaves open; here the earlier one
   does. */
static void compress(am_builder *b, cache *k, am_value silence, const diarization *d)
{
    int64_t B = am_dim(b, k->frames, 0), N = k->count, S = d->speakers, C = d->encoder.width, scored = N + d->silences;
    am_value x = scores_of(b, k->probabilities, d), places;
    x = am_concat2(b, span(b, x, 0, d->cache_length), am_add_number(b, span(b, x, d->cache_length, N), d->latest_boost),
                   1);
    x = boosted(b, boosted(b, x, d->strongs, -2 * log(0.5)), d->weaks, -log(0.5));
    if (d->silences)
        x = am_concat2(b, x, am_broadcast(b, am_scalar(b, AM_F32, INFINITY), am_shape_of(B, d->silences, S)), 1);
    x = am_reshape(b, am_transpose(b, x, 1, 2), am_shape_of(B, S * scored));
    x = am_top_k(b, x, 1, d->cache_length, false, &places);
    am_value none = am_binary_number(b, AM_EQUAL, x, -INFINITY);
    am_value sentinel = am_scalar(b, AM_I32, (double)(scored * S));
    places = am_sort(b, am_select(b, none, sentinel, places), 1, false, NULL);
    am_value frame = am_binary_number(b, AM_MIN, am_binary_number(b, AM_MOD, places, (double)scored), (double)N);
    frame = am_select(b, am_binary(b, AM_EQUAL, places, sentinel), am_scalar(b, AM_I32, (double)N), frame);
    am_value row = am_broadcast(b, am_reshape(b, silence, am_shape_of(1, 1, C)), am_shape_of(B, 1, C));
    k->frames = rows_at(b, am_concat2(b, k->frames, row, 1), frame);
    k->probabilities = rows_at(b, am_pad_zero(b, k->probabilities, 1, 0, 1), frame);
    k->count = d->cache_length;
    k->compressed = true;
}

/* What a chunk gave: `frames` [B, T, C] went in, `back` of which between the cached ones and the chunk's own `count`.
 */
typedef struct chunk {
    am_value frames, logits, mask;
    int64_t back, count;
} chunk;

/* Probabilities of the logits: [B, T * stacked, S], one for each frame: [B, T, S], zero for padding. */
static am_value pooled(am_builder *b, const chunk *step, const diarization *d)
{
    int64_t B = am_dim(b, step->frames, 0), T = am_dim(b, step->frames, 1);
    am_value x = am_unary(b, AM_SIGMOID, step->logits);
    x = am_reshape(b, x, am_shape_of(B, T, d->encoder.stacked, d->speakers));
    x = am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(2), false);
    if (!step->mask.id) return x;
    return am_mul(b, x, am_unsqueeze(b, am_cast_like(b, step->mask, x), 2));
}

/* The chunk goes into the queue, and of that what no longer fits into the cache. */
static void remember(am_builder *b, cache *k, const chunk *step, am_value silence, bool streams, const diarization *d)
{
    int64_t length = streams ? d->stream_fifo_length : d->fifo_length, period = streams ? d->stream_period : d->period;
    int64_t before = k->count + k->fifo_count, start = before + step->back, waiting = k->fifo_count + step->count;
    am_value fifo = joined(b, k->fifo, span(b, step->frames, start, start + step->count), 1);
    int64_t leaving = waiting <= length ? 0 : waiting - length > period ? waiting - length : period;
    if (leaving > waiting) leaving = waiting;
    if (leaving) {
        am_value p = pooled(b, step, d);
        am_value fifo_p = joined(b, span(b, p, k->count, before), span(b, p, start, start + step->count), 1);
        am_value kept = k->compressed ? k->probabilities : span(b, p, 0, k->count);
        k->frames = joined(b, k->frames, span(b, fifo, 0, leaving), 1);
        k->probabilities = joined(b, kept, span(b, fifo_p, 0, leaving), 1);
        k->count += leaving;
        fifo = span(b, fifo, leaving, waiting);
        if (k->count > d->cache_length) compress(b, k, silence, d);
    }
    k->fifo = fifo;
    k->fifo_count = waiting - leaving;
}

/* --- who speaks --- */

/* x: [B, T, C] -> [B, T, speakers] */
static am_value classified(am_builder *b, am_value x, const diarization *d)
{
    am_scope(b, "classifier");
    x = am_linear(b, "dense", am_unary(b, AM_RELU, x), d->width, AM_BIAS);
    x = am_linear(b, "out_proj", am_unary(b, AM_RELU, x), d->speakers, AM_BIAS);
    am_end_scope(b);
    return x;
}

/* Ones for the cached frames, and the marks of those between from and to: [B, N + to - from]. */
static am_value step_mask(am_builder *b, am_value mask, int64_t cached, int64_t from, int64_t to)
{
    if (!mask.id) return AM_NONE;
    am_value x = am_cast(b, am_binary_number(b, AM_NOT_EQUAL, am_slice(b, mask, 1, from, to), 0), AM_I32);
    if (!cached) return x;
    am_value ones = am_broadcast(b, am_scalar(b, AM_I32, 1), am_shape_of(am_dim(b, mask, 0), cached));
    return am_concat2(b, ones, x, 1);
}

/* The logits of the frames start .. end - 1 of x: [B, T, C], which see `seen` frames, `back` of them before start. */
static am_value run_chunk(am_builder *b, am_value x, am_value mask, const cache *k, chunk *step, int64_t from,
                          int64_t to, const diarization *d, int first)
{
    int64_t cached = k->count + k->fifo_count, factor = d->encoder.stacked, start = cached + step->back;
    step->frames = joined(b, joined(b, k->frames, k->fifo, 1), am_slice(b, x, 1, from, to), 1);
    step->mask = step_mask(b, mask, cached, from, to);
    am_scope(b, "model");
    am_value states = encoded(b, step->frames, step->mask, AM_NONE, d, first);
    am_end_scope(b);
    step->logits = classified(b, states, d);
    return am_slice(b, step->logits, 1, start * factor, (start + step->count) * factor);
}

static void for_audio_frame_classification(am_builder *b)
{
    diarization d = read_config(b);
    int64_t ahead = am_model_argument(b, "num_lookahead_frames", -1);
    int64_t behind = am_model_argument(b, "num_lookback_frames", -1);
    bool streams = ahead >= 0 || behind >= 0;
    am_value features = am_input(b, "input_features", 3), mask = am_input_optional(b, "attention_mask", 2);
    am_scope(b, "model");
    am_value x = embedded(b, &d), logits = AM_NONE, silence;
    am_end_scope(b);
    silence = am_cast(b, am_weight(b, "silence_embeds", am_shape_of(d.encoder.width)), AM_F32);
    mask = am_nemotron3_mask(b, mask, &d.encoder);
    ahead = ahead < 0 ? 0 : ahead;
    behind = behind < 0 ? 0 : behind;
    int64_t T = am_dim(b, x, 1), end = T - ahead;
    if (end - behind < 1) {
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "no frame is left of %" PRId64, T));
        return;
    }
    if (streams) d.chunks = (am_nemotron3_chunks){.length = end - behind, .left = behind, .right = ahead};
    cache k = {0};
    int first = 0;
    for (int64_t at = behind; at < end && !am_builder_failed(b); at += d.chunks.length) {
        int64_t to = at + d.chunks.length < end ? at + d.chunks.length : end;
        int64_t from = at > d.chunks.left ? at - d.chunks.left : 0;
        int64_t seen = to + d.chunks.right < T ? to + d.chunks.right : T;
        chunk step = {.back = at - from, .count = to - at};
        logits = joined(b, logits, run_chunk(b, x, mask, &k, &step, from, seen, &d, first), 1);
        first += (int)d.encoder.layers + 1;
        if (to < end) remember(b, &k, &step, silence, streams, &d);
    }
    int64_t wanted = am_dim(b, features, 1) - behind * d.encoder.stacked;
    am_output(b, "logits", am_dim(b, logits, 1) > wanted ? am_slice(b, logits, 1, 0, wanted) : logits);
}

static const am_architecture architectures[] = {
    {"Nemotron3DiarizationModel", diarization_model, "feature-extraction", 0},
    {"Nemotron3DiarizationForAudioFrameClassification", for_audio_frame_classification, NULL, 0},
    {"Nemotron3DiarizationAudioModel", audio_model, "feature-extraction", 0},
    {0},
};

const am_model_type am_model_nemotron3_diarization = {.name = "nemotron3_diarization nemotron3_diarization_audio",
                                                      .base_prefix = "model",
                                                      .architectures = architectures};
