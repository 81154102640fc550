/* Gemma4AudioFeatureExtractor: the logarithm of mel magnitudes, of frames that begin half a frame before the sound. */
#include "media/extractors/gemma.h"

#include <math.h>

/* A frame counts where its last sample, and the one after it, are sound. */
static void silence_padding(am_gemma_frames *g)
{
    const am_padded *p = &g->padded;
    for (int64_t row = 0; row < g->mels.count * g->mels.rows; row++) {
        const int32_t *mask = p->mask + row / g->mels.rows * p->length;
        for (int64_t t = 0; t < g->mels.frames; t++)
            if (!mask[t * g->hop_length + g->frame_length]) g->mels.values[row * g->mels.frames + t] = 0.0;
    }
}

static am_status run_gemma4(am_feature_run *run)
{
    am_gemma_frames g;
    AM_TRY(am_gemma_frames_of(run, true, &g));
    double floor = am_feature_setting_real(run->extractor, "mel_floor");
    for (int64_t k = 0; k < g.mels.count * g.mels.rows * g.mels.frames; k++)
        g.mels.values[k] = log(g.mels.values[k] + floor);
    AM_TRY(am_gemma_standardize(run, &g.mels));
    silence_padding(&g);
    AM_TRY(am_feature_add_frames(run, "input_features", &g.mels, g.mels.frames));
    am_mask_columns columns = {.first = g.frame_length, .step = g.hop_length, .limit = g.mels.frames};
    return am_feature_add_mask(run, "input_features_mask", AM_BOOL, &g.padded, &columns);
}

const am_feature_class am_feature_class_gemma4 = {
    .name = "Gemma4AudioFeatureExtractor",
    .defaults = "{\"feature_size\": 128, \"sampling_rate\": 16000, \"padding_value\": 0.0, \"frame_length_ms\": 20.0, "
                "\"hop_length_ms\": 10.0, \"min_frequency\": 0.0, \"max_frequency\": 8000.0, \"preemphasis\": 0.0, "
                "\"preemphasis_htk_flavor\": true, \"fft_overdrive\": false, \"dither\": 0.0, "
                "\"input_scale_factor\": 1.0, \"mel_floor\": 0.001, \"per_bin_mean\": null, \"per_bin_stddev\": null}",
    .call = {.padding = AM_PADDING_LONGEST,
             .truncation = AM_CHOICE_YES,
             .max_length = 480000,
             .pad_to_multiple_of = 128},
    .models = {"embedding_gemma2", "gemma4"},
    .run = run_gemma4,
};
