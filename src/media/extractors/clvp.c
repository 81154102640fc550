/* ClvpFeatureExtractor: the logarithm of mel power of default_audio_length seconds. */
#include "media/extractors/extractor.h"

#include <inttypes.h>
#include <math.h>

static am_status take_logarithm(const am_feature_extractor *e, am_spectra *s)
{
    am_json norms = am_feature_setting(e, "mel_norms");
    am_json_iterator norm = am_json_iterate(norms);
    bool divides = am_json_kind_of(norms) == AM_JSON_ARRAY;
    if (divides && am_json_count(norms) != (size_t)s->rows)
        return am_error(AM_INVALID_FILE, "mel_norms: %zu numbers, expected %" PRId64, am_json_count(norms), s->rows);
    for (int64_t m = 0; m < s->rows; m++) {
        double by = divides && am_json_next(&norm) ? am_json_real(norm.value, 1.0) : 1.0;
        for (int64_t i = 0; i < s->count; i++) {
            double *row = s->values + (i * s->rows + m) * s->frames;
            for (int64_t t = 0; t < s->frames; t++) row[t] = log(fmax(row[t], 1e-5)) / by;
        }
    }
    return NULL;
}

static am_status run_clvp(am_feature_run *run)
{
    const am_feature_extractor *e = run->extractor;
    am_spectrum_recipe recipe = am_whisper_recipe(e);
    am_sequences sounds;
    am_padded padded;
    am_spectra spectra;
    recipe.like_torch = false;
    recipe.mels.scale = AM_MEL_HTK;
    if (!run->options.max_length)
        run->options.max_length =
            (int64_t)(am_feature_setting_real(e, "default_audio_length") * (double)e->sampling_rate);
    AM_TRY(am_sequences_of_sounds(run, &sounds));
    AM_TRY(am_sequences_pad(run, &sounds, &run->options, e->padding_value, &padded));
    AM_TRY(am_spectra_of(run, &recipe, &padded, &spectra));
    AM_TRY(take_logarithm(e, &spectra));
    AM_TRY(am_feature_add_spectra(run, "input_features", &spectra, spectra.frames));
    if (!am_feature_wants_mask(run)) return NULL;
    return am_feature_add_mask(run, "attention_mask", AM_I32, &padded, &am_all_columns);
}

const am_feature_class am_feature_class_clvp = {
    .name = "ClvpFeatureExtractor",
    .defaults = "{\"feature_size\": 80, \"sampling_rate\": 22050, \"default_audio_length\": 6.0, \"hop_length\": 256, "
                "\"chunk_length\": 30.0, \"n_fft\": 1024, \"padding_value\": 0.0, \"mel_norms\": null, "
                "\"return_attention_mask\": false}",
    .call = {.padding = AM_PADDING_MAX_LENGTH, .truncation = AM_CHOICE_YES, .return_attention_mask = AM_CHOICE_YES},
    .models = {"clvp"},
    .run = run_clvp,
};
