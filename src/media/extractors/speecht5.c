/* SpeechT5FeatureExtractor: samples for the encoder, or with the argument as_target (audio_target of transformers)
   log-mel spectrograms for the decoder. */
#include "media/extractors/extractor.h"

#include <math.h>

static am_status target_recipe(const am_feature_extractor *e, am_spectrum_recipe *out)
{
    int64_t sample_size = am_feature_setting_int(e, "win_length") * e->sampling_rate / 1000;
    *out = (am_spectrum_recipe){.frame_length = sample_size,
                                .hop_length = am_feature_setting_int(e, "hop_length") * e->sampling_rate / 1000,
                                .fft_length = am_optimal_fft_length(sample_size),
                                .center = true,
                                .magnitude = true,
                                .mel_floor = am_feature_setting_real(e, "mel_floor"),
                                .mels = {.num_filters = am_feature_setting_int(e, "num_mel_bins"),
                                         .min_hertz = am_feature_setting_real(e, "fmin"),
                                         .max_hertz = am_feature_setting_real(e, "fmax"),
                                         .scale = AM_MEL_SLANEY,
                                         .slaney_norm = true}};
    return am_window_named(am_feature_setting(e, "win_function"), &out->window);
}

static am_status target_frames(am_feature_run *run, am_sequences *out)
{
    am_spectrum_recipe recipe;
    am_spectrum spectrum;
    AM_TRY(target_recipe(run->extractor, &recipe));
    AM_TRY(am_spectrum_init(run, &recipe, &spectrum));
    AM_TRY(am_sequences_init(run, run->count, spectrum.rows, out));
    for (int64_t i = 0; i < run->count; i++) {
        double *values;
        int64_t frames;
        AM_TRY(am_spectrum_of(run, &spectrum, run->sounds[i].samples, run->sounds[i].frames, &values, &frames));
        AM_TRY(am_sequences_add(run, out, i, frames));
        for (int64_t t = 0; t < frames; t++)
            for (int64_t m = 0; m < spectrum.rows; m++)
                out->places[i][t * spectrum.rows + m] = (float)log10(values[m * frames + t]);
    }
    return NULL;
}

static am_status run_speecht5(am_feature_run *run)
{
    am_sequences sequences;
    am_padded padded;
    bool is_target = am_feature_argument_bool(run, "as_target", false), masked = am_feature_wants_mask(run);
    AM_TRY(is_target ? target_frames(run, &sequences) : am_sequences_of_sounds(run, &sequences));
    AM_TRY(am_sequences_pad(run, &sequences, &run->options, run->extractor->padding_value, &padded));
    if (!is_target && am_feature_setting_bool(run->extractor, "do_normalize"))
        am_padded_normalize(run, masked && run->options.padding != AM_PADDING_NONE, &padded);
    AM_TRY(am_feature_add_values(run, "input_values", is_target ? 3 : 2, &padded));
    if (!masked) return NULL;
    return am_feature_add_mask(run, "attention_mask", AM_I32, &padded, &am_all_columns);
}

const am_feature_class am_feature_class_speecht5 = {
    .name = "SpeechT5FeatureExtractor",
    .defaults = "{\"feature_size\": 1, \"sampling_rate\": 16000, \"padding_value\": 0.0, \"do_normalize\": false, "
                "\"num_mel_bins\": 80, \"hop_length\": 16, \"win_length\": 64, \"win_function\": \"hann_window\", "
                "\"fmin\": 80.0, \"fmax\": 7600.0, \"mel_floor\": 1e-10, \"return_attention_mask\": true}",
    .arguments = {"as_target"},
    .models = {"speecht5"},
    .run = run_speecht5,
};
