/* Gemma4UnifiedAudioFeatureExtractor: samples, audio_samples_per_token to a token. */
#include "media/extractors/extractor.h"

#include <string.h>

static am_status run_gemma4_unified(am_feature_run *run)
{
    int64_t width = am_feature_setting_int(run->extractor, "audio_samples_per_token");
    am_feature_options *o = &run->options;
    am_sequences tokens;
    am_padded padded;
    AM_TRY(am_sequences_init(run, run->count, width, &tokens));
    for (int64_t i = 0; i < run->count; i++) {
        int64_t length = run->sounds[i].frames;
        AM_TRY(am_sequences_add(run, &tokens, i, (length + width - 1) / width));
        memcpy(tokens.places[i], run->sounds[i].samples, (size_t)length * sizeof(float));
    }
    if (!o->max_length) o->truncation = AM_CHOICE_NO;
    AM_TRY(am_sequences_pad(run, &tokens, o, run->extractor->padding_value, &padded));
    AM_TRY(am_feature_add_values(run, "input_features", 3, &padded));
    return am_feature_add_mask(run, "input_features_mask", AM_BOOL, &padded, &am_all_columns);
}

const am_feature_class am_feature_class_gemma4_unified = {
    .name = "Gemma4UnifiedAudioFeatureExtractor",
    .defaults = "{\"feature_size\": 640, \"sampling_rate\": 16000, \"padding_value\": 0.0, "
                "\"audio_samples_per_token\": 640}",
    .call = {.padding = AM_PADDING_LONGEST, .truncation = AM_CHOICE_YES},
    .models = {"gemma4_unified"},
    .run = run_gemma4_unified,
};
