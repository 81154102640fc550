/* Qwen3ASRFeatureExtractor: Whisper's spectrogram of at least min_length samples, in whole windows of 2 n_window
   frames. */
#include "media/extractors/extractor.h"

#include "tensor/shape.h"

#include <math.h>
#include <string.h>

static am_status lengthened(am_feature_run *run, am_sequences *out)
{
    int64_t least = am_feature_setting_int(run->extractor, "min_length");
    AM_TRY(am_sequences_of_sounds(run, out));
    for (int64_t i = 0; i < out->count; i++) {
        const am_audio *sound = &run->sounds[i];
        if (sound->frames >= least) continue;
        AM_TRY(am_sequences_add(run, out, i, least));
        memcpy(out->places[i], sound->samples, (size_t)sound->frames * sizeof(float));
    }
    return NULL;
}

/* The frames that are missing in the last window are zeros. */
static am_status add_windows(am_feature_run *run, const am_spectra *s, int64_t frames, int64_t padded)
{
    am_tensor tensor;
    AM_TRY(am_feature_add(run, "input_features", AM_F32, am_shape_of(s->count, s->rows, padded), &tensor));
    for (int64_t row = 0; row < s->count * s->rows; row++)
        for (int64_t t = 0; t < frames; t++)
            ((float *)tensor.data)[row * padded + t] = (float)s->values[row * s->frames + t];
    return NULL;
}

static am_status add_mask(am_feature_run *run, const am_padded *padded, int64_t frames, int64_t windows)
{
    am_tensor tensor;
    int64_t hop = am_feature_setting_int(run->extractor, "hop_length");
    AM_TRY(am_feature_add(run, "attention_mask", AM_I32, am_shape_of(padded->count, windows), &tensor));
    for (int64_t i = 0; i < padded->count; i++)
        for (int64_t t = 0; t < frames; t++)
            ((int32_t *)tensor.data)[i * windows + t] = padded->mask[i * padded->length + t * hop];
    return NULL;
}

static am_status run_qwen3_asr(am_feature_run *run)
{
    const am_feature_extractor *e = run->extractor;
    am_spectrum_recipe recipe = am_whisper_recipe(e);
    am_sequences sounds;
    am_padded padded;
    am_spectra spectra;
    int64_t window = 2 * am_feature_argument_int(run, "n_window", am_feature_setting_int(e, "n_window"));
    if (!run->options.max_length) run->options.max_length = am_feature_chunk_samples(e);
    AM_TRY(lengthened(run, &sounds));
    AM_TRY(am_sequences_pad(run, &sounds, &run->options, e->padding_value, &padded));
    AM_TRY(am_spectra_of(run, &recipe, &padded, &spectra));
    int64_t frames = spectra.frames - 1, windows = window > 1 ? (frames + window - 1) / window * window : frames;
    am_spectra_log_mel(&spectra, frames, NAN, 8.0);
    AM_TRY(add_windows(run, &spectra, frames, windows));
    if (run->options.return_attention_mask != AM_CHOICE_YES) return NULL;
    return add_mask(run, &padded, frames, windows);
}

const am_feature_class am_feature_class_qwen3_asr = {
    .name = "Qwen3ASRFeatureExtractor",
    .defaults = "{\"feature_size\": 128, \"sampling_rate\": 16000, \"hop_length\": 160, \"chunk_length\": 30.0, "
                "\"n_fft\": 400, \"padding_value\": 0.0, \"dither\": 0.0, \"n_window\": 50, \"min_length\": 8000}",
    .call = {.padding = AM_PADDING_MAX_LENGTH},
    .arguments = {"n_window"},
    .models = {"qwen3_asr"},
    .run = run_qwen3_asr,
};
