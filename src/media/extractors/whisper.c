/* WhisperFeatureExtractor: the log-mel spectrogram of chunk_length seconds. */
#include "media/extractors/extractor.h"

#include <math.h>

/* The mask that the configuration asks for is one of samples; the one that the caller asks for, of frames: so has it
   WhisperFeatureExtractor, which does not look at the configuration's do_normalize either. Normalizing leaves its mask
   of samples behind. */
static am_status add_mask(am_feature_run *run, const am_padded *padded, int64_t frames, bool normalized)
{
    am_mask_columns columns = {.step = am_feature_setting_int(run->extractor, "hop_length"), .limit = frames};
    if (run->options.return_attention_mask == AM_CHOICE_YES)
        return am_feature_add_mask(run, "attention_mask", AM_I32, padded, &columns);
    if (!am_feature_wants_mask(run) && !normalized) return NULL;
    return am_feature_add_mask(run, "attention_mask", AM_I32, padded, &am_all_columns);
}

/* The last frame is dropped, what is more than 8 (80 dB) below the loudest is raised to that, and the rest brought near
   [-1, 1]. */
static am_status run_whisper(am_feature_run *run)
{
    am_sequences sounds;
    am_padded padded;
    am_spectra spectra;
    am_spectrum_recipe recipe = am_whisper_recipe(run->extractor);
    if (!run->options.max_length) run->options.max_length = am_feature_chunk_samples(run->extractor);
    AM_TRY(am_sequences_of_sounds(run, &sounds));
    AM_TRY(am_sequences_pad(run, &sounds, &run->options, run->extractor->padding_value, &padded));
    bool normalizes = am_feature_argument_bool(run, "do_normalize", false);
    if (normalizes) am_padded_normalize(run, true, &padded);
    AM_TRY(am_spectra_of(run, &recipe, &padded, &spectra));
    am_spectra_log_mel(&spectra, spectra.frames - 1, NAN, 8.0);
    AM_TRY(am_feature_add_spectra(run, "input_features", &spectra, spectra.frames - 1));
    return add_mask(run, &padded, spectra.frames - 1, normalizes);
}

const am_feature_class am_feature_class_whisper = {
    .name = "WhisperFeatureExtractor",
    .defaults = "{\"feature_size\": 80, \"sampling_rate\": 16000, \"hop_length\": 160, \"chunk_length\": 30.0, "
                "\"n_fft\": 400, \"padding_value\": 0.0, \"dither\": 0.0, \"return_attention_mask\": false}",
    .call = {.padding = AM_PADDING_MAX_LENGTH, .truncation = AM_CHOICE_YES},
    .arguments = {"do_normalize"},
    .models = {"audioflamingo3", "glmasr", "qwen2_5_omni", "qwen2_audio", "qwen3_omni_moe", "voxtral", "whisper"},
    .run = run_whisper,
};
