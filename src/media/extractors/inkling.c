/* InklingFeatureExtractor: log-mel magnitudes of windows that end with the token that they stand for. */
#include "media/extractors/extractor.h"

#include <math.h>
#include <string.h>

static am_status exact_samples(const am_feature_extractor *e, double seconds, const char *what, int64_t *out)
{
    double samples = seconds * (double)e->sampling_rate;
    *out = (int64_t)nearbyint(samples);
    if (fabs(samples - nearbyint(samples)) <= 1e-6 && *out > 0) return NULL;
    return am_error(AM_INVALID_FILE, "%s: %g samples; expected a whole number", what, samples);
}

/* Zeros in front, so that the first window ends with the first token, and behind, up to whole tokens. */
static am_status surround(am_feature_run *run, int64_t before, int64_t hop, am_padded *p)
{
    am_padded out = *p;
    out.length = before + (p->length + hop - 1) / hop * hop;
    out.values = am_arena_array(&run->arena, (size_t)(p->count * out.length), sizeof *out.values);
    if (!out.values) return am_out_of_memory();
    for (int64_t i = 0; i < p->count; i++)
        memcpy(out.values + i * out.length + before, p->values + i * p->length, (size_t)p->length * sizeof *p->values);
    *p = out;
    return NULL;
}

static void take_logarithm(am_spectra *s, const int64_t *lengths)
{
    for (int64_t row = 0; row < s->count * s->rows; row++)
        for (int64_t t = 0; t < s->frames; t++) {
            double *value = &s->values[row * s->frames + t];
            *value = t < lengths[row / s->rows] ? log10(fmax(*value, 1e-10)) : 0.0;
        }
}

static am_status frames_of(am_feature_run *run, int64_t hop, int64_t window, am_spectra *mels)
{
    const am_feature_extractor *e = run->extractor;
    int64_t fft = am_json_int(am_feature_setting(e, "n_fft"), window);
    am_mel_options options = {.num_filters = e->feature_size,
                              .max_hertz = (double)e->sampling_rate / 2.0,
                              .scale = AM_MEL_SLANEY,
                              .slaney_norm = true};
    am_spectrum_recipe recipe = {
        .frame_length = fft, .hop_length = hop, .window_length = window, .window = AM_WINDOW_HANN};
    am_sequences sounds;
    am_padded padded;
    am_spectra bins;
    AM_TRY(am_sequences_of_sounds(run, &sounds));
    AM_TRY(am_sequences_pad(run, &sounds, &run->options, e->padding_value, &padded));
    AM_TRY(surround(run, fft > hop ? fft - hop : 0, hop, &padded));
    AM_TRY(am_spectra_of(run, &recipe, &padded, &bins));
    for (int64_t k = 0; k < bins.count * bins.rows * bins.frames; k++)
        bins.values[k] = sqrt(fmax(bins.values[k], 1e-10));
    return am_spectra_filter(run, &options, &bins, mels);
}

static am_status run_inkling(am_feature_run *run)
{
    const am_feature_extractor *e = run->extractor;
    double token_s = am_feature_setting_real(e, "audio_token_duration_s");
    int64_t hop, window, *lengths = am_arena_array(&run->arena, (size_t)run->count, sizeof *lengths);
    am_spectra mels;
    if (!lengths) return am_out_of_memory();
    AM_TRY(exact_samples(e, token_s, "audio_token_duration_s", &hop));
    AM_TRY(exact_samples(e, token_s * am_feature_setting_real(e, "window_size_multiplier"), "window_size_multiplier",
                         &window));
    AM_TRY(frames_of(run, hop, window, &mels));
    for (int64_t i = 0; i < run->count; i++) lengths[i] = (run->sounds[i].frames + hop - 1) / hop;
    take_logarithm(&mels, lengths);
    AM_TRY(am_feature_add_frames(run, "input_features", &mels, mels.frames));
    if (!am_feature_wants_mask(run)) return NULL;
    return am_feature_add_lengths_mask(run, "input_features_mask", AM_BOOL, lengths, run->count, mels.frames);
}

const am_feature_class am_feature_class_inkling = {
    .name = "InklingFeatureExtractor",
    .defaults = "{\"feature_size\": 80, \"sampling_rate\": 16000, \"padding_value\": 0.0, "
                "\"audio_token_duration_s\": 0.05, \"window_size_multiplier\": 2.0, \"n_fft\": null}",
    .call = {.padding = AM_PADDING_LONGEST, .return_attention_mask = AM_CHOICE_YES},
    .models = {"inkling_mm_model"},
    .run = run_inkling,
};
