/* Gemma3nAudioFeatureExtractor: the logarithm of mel magnitudes. */
#include "media/extractors/gemma.h"

#include <math.h>

static am_status run_gemma3n(am_feature_run *run)
{
    am_gemma_frames g;
    AM_TRY(am_gemma_frames_of(run, false, &g));
    double floor = am_feature_setting_real(run->extractor, "mel_floor");
    for (int64_t k = 0; k < g.mels.count * g.mels.rows * g.mels.frames; k++)
        g.mels.values[k] = log(fmax(g.mels.values[k], floor));
    AM_TRY(am_gemma_standardize(run, &g.mels));
    AM_TRY(am_feature_add_frames(run, "input_features", &g.mels, g.mels.frames));
    am_mask_columns columns = {.step = g.hop_length, .limit = g.mels.frames};
    return am_feature_add_mask(run, "input_features_mask", AM_BOOL, &g.padded, &columns);
}

const am_feature_class am_feature_class_gemma3n = {
    .name = "Gemma3nAudioFeatureExtractor",
    .defaults = "{\"feature_size\": 128, \"sampling_rate\": 16000, \"padding_value\": 0.0, \"frame_length_ms\": 32.0, "
                "\"hop_length_ms\": 10.0, \"min_frequency\": 125.0, \"max_frequency\": 7600.0, \"preemphasis\": 0.97, "
                "\"preemphasis_htk_flavor\": true, \"fft_overdrive\": true, \"dither\": 0.0, "
                "\"input_scale_factor\": 1.0, \"mel_floor\": 1e-5, \"per_bin_mean\": null, \"per_bin_stddev\": null}",
    .call = {.padding = AM_PADDING_LONGEST,
             .truncation = AM_CHOICE_YES,
             .max_length = 480000,
             .pad_to_multiple_of = 128},
    .models = {"gemma3n"},
    .run = run_gemma3n,
};
