/* PeAudioFeatureExtractor: samples, each sound reflected up to a multiple of hop_length. */
#include "media/extractors/codec.h"

#include <string.h>

/* numpy.pad(..., "reflect") at the end: the last sample is not repeated. */
static void reflect(float *samples, int64_t length, int64_t padded)
{
    int64_t period = length > 1 ? 2 * (length - 1) : 1;
    for (int64_t t = length; t < padded; t++) {
        int64_t folded = t % period;
        samples[t] = samples[folded < length ? folded : period - folded];
    }
}

static am_status run_pe_audio(am_feature_run *run)
{
    int64_t hop = am_feature_setting_int(run->extractor, "hop_length");
    am_sequences sounds;
    AM_TRY(am_codec_check(run));
    if (run->extractor->feature_size != 1)
        return am_error(AM_UNSUPPORTED, "feature_size other than 1: stereo, which transformers refuses too");
    run->options.pad_to_multiple_of = hop;
    AM_TRY(am_sequences_init(run, run->count, 1, &sounds));
    for (int64_t i = 0; i < run->count; i++) {
        int64_t length = run->sounds[i].frames;
        AM_TRY(am_sequences_add(run, &sounds, i, (length + hop - 1) / hop * hop));
        memcpy(sounds.places[i], run->sounds[i].samples, (size_t)length * sizeof(float));
        reflect(sounds.places[i], length, sounds.lengths[i]);
    }
    return am_codec_add(run, &sounds, &run->options);
}

const am_feature_class am_feature_class_pe_audio = {
    .name = "PeAudioFeatureExtractor",
    .defaults = "{\"feature_size\": 1, \"sampling_rate\": 48000, \"padding_value\": 0.0, \"hop_length\": 1920}",
    .call = {.padding = AM_PADDING_LONGEST},
    .models = {"pe_audio", "pe_audio_video"},
    .run = run_pe_audio,
};
