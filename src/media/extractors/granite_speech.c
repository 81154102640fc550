/* GraniteSpeechFeatureExtractor: torchaudio's mel spectrogram, two frames side by side, and the sizes of what the
   projector makes of them. Arguments about padding are passed over: sounds are filled with zeros to the longest. */
#include "media/extractors/extractor.h"

#include "tensor/shape.h"

#include <math.h>

/* Two frames side by side, without an odd last one. */
static am_status add_pairs(am_feature_run *run, const am_spectra *s)
{
    am_tensor tensor;
    int64_t pairs = s->frames / 2;
    AM_TRY(am_feature_add(run, "input_features", AM_F32, am_shape_of(s->count, pairs, 2 * s->rows), &tensor));
    float *to = tensor.data;
    for (int64_t i = 0; i < s->count; i++)
        for (int64_t t = 0; t < 2 * pairs; t++)
            for (int64_t m = 0; m < s->rows; m++) *to++ = (float)s->values[(i * s->rows + m) * s->frames + t];
    return NULL;
}

/* audio_embed_sizes: i64 [count]. */
static am_status add_sizes(am_feature_run *run)
{
    const am_feature_extractor *e = run->extractor;
    int64_t window = am_feature_setting_int(e, "projector_window_size"), most = 0;
    int64_t effective = window / am_feature_setting_int(e, "projector_downsample_rate");
    am_tensor sizes;
    AM_TRY(am_feature_add(run, "audio_embed_sizes", AM_I64, am_shape_of(run->count), &sizes));
    int64_t *size = sizes.data;
    for (int64_t i = 0; i < run->count; i++) {
        int64_t frames = run->sounds[i].frames / am_feature_setting_int(e, "hop_length") + 1;
        size[i] = (frames / 2 + window - 1) / window * effective;
        if (size[i] > most) most = size[i];
    }
    return am_feature_add_lengths_mask(run, "input_features_mask", AM_BOOL, size, run->count, most);
}

static am_status run_granite_speech(am_feature_run *run)
{
    am_feature_options options = {.padding = AM_PADDING_LONGEST};
    am_spectrum_recipe recipe = am_torchaudio_recipe(run->extractor, am_feature_setting_int(run->extractor, "n_mels"));
    am_sequences sounds;
    am_padded padded;
    am_spectra spectra;
    AM_TRY(am_sequences_of_sounds(run, &sounds));
    AM_TRY(am_sequences_pad(run, &sounds, &options, 0.0, &padded));
    AM_TRY(am_spectra_of(run, &recipe, &padded, &spectra));
    am_spectra_log_mel(&spectra, spectra.frames, NAN, 8.0);
    AM_TRY(add_pairs(run, &spectra));
    return add_sizes(run);
}

const am_feature_class am_feature_class_granite_speech = {
    .name = "GraniteSpeechFeatureExtractor",
    .defaults = "{\"feature_size\": 80, \"sampling_rate\": 16000, \"n_fft\": 512, \"win_length\": 400, "
                "\"hop_length\": 160, \"n_mels\": 80, \"projector_window_size\": 15, "
                "\"projector_downsample_rate\": 5, \"padding_value\": 0.0}",
    .models = {"granite_speech", "granite_speech_plus"},
    .run = run_granite_speech,
};
