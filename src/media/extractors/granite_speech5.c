/* GraniteSpeech5FeatureExtractor: torchaudio's mel spectrogram with its deltas, two frames side by side. */
#include "media/extractors/extractor.h"

#include "tensor/shape.h"

#include <math.h>
#include <string.h>

enum { STACKED = 2 };

/* Zeros behind the sounds, so that a whole number of groups of frames begins in them. */
static am_status lengthen(am_feature_run *run, int64_t length, am_padded *p)
{
    am_padded longer = *p;
    if (p->length >= length) return NULL;
    longer.length = length;
    longer.values = am_arena_array(&run->arena, (size_t)(p->count * length), sizeof *longer.values);
    if (!longer.values) return am_out_of_memory();
    for (int64_t i = 0; i < p->count; i++)
        memcpy(longer.values + i * length, p->values + i * p->length, (size_t)p->length * sizeof *p->values);
    *p = longer;
    return NULL;
}

/* torchaudio.functional.compute_deltas at frame t of `frames`: the slope over `window` frames. */
static double delta(const double *row, int64_t frames, int64_t t, int64_t window)
{
    int64_t n = (window - 1) / 2;
    double sum = 0.0, divisor = (double)(n * (n + 1) * (2 * n + 1)) / 3.0;
    for (int64_t k = -n; k <= n; k++) {
        int64_t at = t + k < 0 ? 0 : t + k >= frames ? frames - 1 : t + k;
        sum += (double)k * row[at];
    }
    return sum / divisor;
}

static am_status add_features(am_feature_run *run, const am_spectra *s, int64_t frames)
{
    int64_t window = am_feature_setting_int(run->extractor, "delta_win_length");
    am_tensor tensor;
    if (window < 3) return am_error(AM_INVALID_FILE, "delta_win_length: expected at least 3");
    AM_TRY(am_feature_add(run, "input_features", AM_F32, am_shape_of(s->count, frames / STACKED, STACKED * 2 * s->rows),
                          &tensor));
    float *to = tensor.data;
    for (int64_t i = 0; i < s->count; i++) {
        const double *values = s->values + i * s->rows * s->frames;
        for (int64_t t = 0; t < frames; t++) {
            for (int64_t m = 0; m < s->rows; m++) *to++ = (float)values[m * s->frames + t];
            for (int64_t m = 0; m < s->rows; m++) *to++ = (float)delta(values + m * s->frames, frames, t, window);
        }
    }
    return NULL;
}

static am_status run_granite_speech5(am_feature_run *run)
{
    const am_feature_extractor *e = run->extractor;
    int64_t hop = am_feature_setting_int(e, "hop_length");
    am_spectrum_recipe recipe = am_torchaudio_recipe(e, am_feature_setting_int(e, "num_mel_bins"));
    am_sequences sounds;
    am_padded padded;
    am_spectra spectra;
    AM_TRY(am_sequences_of_sounds(run, &sounds));
    AM_TRY(am_sequences_pad(run, &sounds, &run->options, e->padding_value, &padded));
    int64_t frames = (padded.length / hop + STACKED - 1) / STACKED * STACKED;
    AM_TRY(lengthen(run, (frames - 1) * hop + 1, &padded));
    AM_TRY(am_spectra_of(run, &recipe, &padded, &spectra));
    am_spectra_log_mel(&spectra, frames, NAN, am_feature_setting_real(e, "logmel_floor_db"));
    AM_TRY(add_features(run, &spectra, frames));
    if (!am_feature_wants_mask(run)) return NULL;
    int64_t *lengths = am_arena_array(&run->arena, (size_t)run->count, sizeof *lengths);
    if (!lengths) return am_out_of_memory();
    for (int64_t i = 0; i < run->count; i++) {
        int64_t used = run->sounds[i].frames < padded.length ? run->sounds[i].frames : padded.length;
        lengths[i] = (used / hop + STACKED - 1) / STACKED;
    }
    return am_feature_add_lengths_mask(run, "attention_mask", AM_I64, lengths, run->count, frames / STACKED);
}

const am_feature_class am_feature_class_granite_speech5 = {
    .name = "GraniteSpeech5FeatureExtractor",
    .defaults = "{\"feature_size\": 320, \"sampling_rate\": 16000, \"num_mel_bins\": 80, \"n_fft\": 512, "
                "\"win_length\": 400, \"hop_length\": 160, \"delta_win_length\": 3, \"logmel_floor_db\": 8.0, "
                "\"padding_value\": 0.0}",
    .call = {.padding = AM_PADDING_LONGEST, .return_attention_mask = AM_CHOICE_YES},
    .models = {"granite_speech5_ctc", "granite_speech5_encoder"},
    .run = run_granite_speech5,
};
