/* VoxtralRealtimeFeatureExtractor: Whisper's spectrogram below a loudness that is the same for all sounds. */
#include "media/extractors/extractor.h"

#include <math.h>

/* The greatest of the batch, where no loudness is set. */
static double greatest(const am_spectra *s)
{
    double most = 1e-10;
    for (int64_t row = 0; row < s->count * s->rows; row++)
        for (int64_t t = 0; t + 1 < s->frames; t++) most = fmax(most, s->values[row * s->frames + t]);
    return log10(most);
}

static am_status run_voxtral_realtime(am_feature_run *run)
{
    const am_feature_extractor *e = run->extractor;
    am_spectrum_recipe recipe = am_whisper_recipe(e);
    am_json most = am_feature_setting(e, "global_log_mel_max");
    am_sequences sounds;
    am_padded padded;
    am_spectra spectra;
    recipe.center = am_feature_argument_bool(run, "center", true);
    AM_TRY(am_sequences_of_sounds(run, &sounds));
    AM_TRY(am_sequences_pad(run, &sounds, &run->options, e->padding_value, &padded));
    AM_TRY(am_spectra_of(run, &recipe, &padded, &spectra));
    am_spectra_log_mel(&spectra, spectra.frames - 1, am_json_real(most, greatest(&spectra)), 8.0);
    AM_TRY(am_feature_add_spectra(run, "input_features", &spectra, spectra.frames - 1));
    if (run->options.return_attention_mask != AM_CHOICE_YES) return NULL;
    am_mask_columns columns = {.first = am_feature_setting_int(e, "win_length") - 1,
                               .step = am_feature_setting_int(e, "hop_length"),
                               .limit = INT64_MAX};
    return am_feature_add_mask(run, "attention_mask", AM_BOOL, &padded, &columns);
}

const am_feature_class am_feature_class_voxtral_realtime = {
    .name = "VoxtralRealtimeFeatureExtractor",
    .defaults = "{\"feature_size\": 128, \"sampling_rate\": 16000, \"hop_length\": 160, \"n_fft\": 400, "
                "\"win_length\": 400, \"padding_value\": 0.0, \"global_log_mel_max\": 1.5}",
    .call = {.padding = AM_PADDING_LONGEST},
    .arguments = {"center"},
    .models = {"voxtral_realtime"},
    .run = run_voxtral_realtime,
};
