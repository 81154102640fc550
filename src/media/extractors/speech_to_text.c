/* Speech2TextFeatureExtractor: Kaldi's filter bank, each mel bin brought to mean 0 and variance 1 over the utterance.
 */
#include "media/extractors/extractor.h"

static void normalize_utterance(const am_feature_run *run, am_padded *padded, int64_t i, int64_t used)
{
    const am_feature_extractor *e = run->extractor;
    float *values = padded->values + i * padded->length * padded->width;
    am_column_norm norm = {.used = used,
                           .keep_mean = !am_feature_setting_bool(e, "normalize_means"),
                           .keep_variance = !am_feature_setting_bool(e, "normalize_vars")};
    am_normalize_columns(values, padded->length, padded->width, &norm);
    for (int64_t k = used * padded->width; k < padded->length * padded->width; k++) values[k] = (float)e->padding_value;
}

static am_status run_speech_to_text(am_feature_run *run)
{
    const am_feature_extractor *e = run->extractor;
    am_fbank_options options = {
        .num_mel_bins = am_feature_setting_int(e, "num_mel_bins"), .window = AM_WINDOW_POVEY, .scale = 32768.0};
    am_sequences sounds, fbank;
    am_padded padded;
    AM_TRY(am_sequences_of_sounds(run, &sounds));
    AM_TRY(am_fbank_of(run, &options, &sounds, &fbank));
    AM_TRY(am_sequences_pad(run, &fbank, &run->options, e->padding_value, &padded));
    for (int64_t i = 0; i < padded.count && am_feature_setting_bool(e, "do_ceptral_normalize"); i++) {
        int64_t used = 0;
        for (int64_t t = 0; t < padded.length; t++) used += padded.mask[i * padded.length + t];
        normalize_utterance(run, &padded, i, used);
    }
    AM_TRY(am_feature_add_values(run, "input_features", 3, &padded));
    if (!am_feature_wants_mask(run)) return NULL;
    return am_feature_add_mask(run, "attention_mask", AM_I32, &padded, &am_all_columns);
}

const am_feature_class am_feature_class_speech_to_text = {
    .name = "Speech2TextFeatureExtractor",
    .defaults = "{\"feature_size\": 80, \"sampling_rate\": 16000, \"num_mel_bins\": 80, \"padding_value\": 0.0, "
                "\"dither\": 0.0, \"do_ceptral_normalize\": true, \"normalize_means\": true, \"normalize_vars\": true}",
    .models = {"speech_to_text"},
    .run = run_speech_to_text,
};
