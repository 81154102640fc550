/* DiaFeatureExtractor: samples, padded to a multiple of hop_length; of stereo (feature_size 2) the mean. */
#include "media/extractors/codec.h"

static am_status mean_of_channels(am_feature_run *run, am_sequences *out)
{
    AM_TRY(am_sequences_init(run, run->count, 1, out));
    for (int64_t i = 0; i < run->count; i++) {
        const am_audio *sound = &run->sounds[i];
        AM_TRY(am_sequences_add(run, out, i, sound->frames));
        for (int64_t t = 0; t < sound->frames; t++) {
            const float *frame = sound->samples + t * sound->channels;
            out->places[i][t] = sound->channels == 2 ? (frame[0] + frame[1]) / 2.0f : frame[0];
        }
    }
    return NULL;
}

static am_status run_dia(am_feature_run *run)
{
    am_sequences sounds;
    AM_TRY(am_codec_check(run));
    run->options.pad_to_multiple_of = am_feature_setting_int(run->extractor, "hop_length");
    AM_TRY(mean_of_channels(run, &sounds));
    return am_codec_add(run, &sounds, &run->options);
}

const am_feature_class am_feature_class_dia = {
    .name = "DiaFeatureExtractor",
    .defaults = "{\"feature_size\": 1, \"sampling_rate\": 16000, \"padding_value\": 0.0, \"hop_length\": 512}",
    .call = {.padding = AM_PADDING_LONGEST},
    .models = {"dia"},
    .stereo = true,
    .run = run_dia,
};
