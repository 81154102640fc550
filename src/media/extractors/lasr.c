/* LasrFeatureExtractor: the logarithm of mel power, of frames that lie within the sound. */
#include "media/extractors/extractor.h"

#include <math.h>

static am_status run_lasr(am_feature_run *run)
{
    const am_feature_extractor *e = run->extractor;
    int64_t frame = am_feature_setting_int(e, "win_length"), hop = am_feature_setting_int(e, "hop_length");
    am_spectrum_recipe recipe = {
        .frame_length = frame,
        .hop_length = hop,
        .fft_length = am_feature_setting_int(e, "n_fft"),
        .window = AM_WINDOW_HANN,
        .symmetric = true,
        .mel_floor = 1e-5,
        .mels = {.num_filters = e->feature_size,
                 .min_hertz = 125.0,
                 .max_hertz = 7500.0,
                 .scale = AM_MEL_KALDI,
                 .in_mel_space = true},
    };
    am_sequences sounds;
    am_padded padded;
    am_spectra spectra;
    AM_TRY(am_sequences_of_sounds(run, &sounds));
    AM_TRY(am_sequences_pad(run, &sounds, &run->options, e->padding_value, &padded));
    AM_TRY(am_spectra_of(run, &recipe, &padded, &spectra));
    for (int64_t k = 0; k < spectra.count * spectra.rows * spectra.frames; k++)
        spectra.values[k] = log(spectra.values[k]);
    AM_TRY(am_feature_add_frames(run, "input_features", &spectra, spectra.frames));
    if (run->options.return_attention_mask != AM_CHOICE_YES) return NULL;
    am_mask_columns columns = {.first = frame - 1, .step = hop, .limit = INT64_MAX};
    return am_feature_add_mask(run, "attention_mask", AM_BOOL, &padded, &columns);
}

const am_feature_class am_feature_class_lasr = {
    .name = "LasrFeatureExtractor",
    .defaults = "{\"feature_size\": 128, \"sampling_rate\": 16000, \"hop_length\": 160, \"n_fft\": 512, "
                "\"win_length\": 400, \"padding_value\": 0.0}",
    .call = {.padding = AM_PADDING_LONGEST},
    .models = {"lasr_ctc", "lasr_encoder"},
    .run = run_lasr,
};
