/* DacFeatureExtractor: samples, padded to a multiple of hop_length. */
#include "media/extractors/codec.h"

static am_status run_dac(am_feature_run *run)
{
    am_sequences sounds;
    AM_TRY(am_codec_check(run));
    if (run->extractor->feature_size != 1)
        return am_error(AM_UNSUPPORTED, "feature_size other than 1: stereo, which transformers refuses too");
    run->options.pad_to_multiple_of = am_feature_setting_int(run->extractor, "hop_length");
    AM_TRY(am_sequences_of_sounds(run, &sounds));
    return am_codec_add(run, &sounds, &run->options);
}

const am_feature_class am_feature_class_dac = {
    .name = "DacFeatureExtractor",
    .defaults = "{\"feature_size\": 1, \"sampling_rate\": 16000, \"padding_value\": 0.0, \"hop_length\": 512}",
    .call = {.padding = AM_PADDING_LONGEST},
    .models = {"dac", "higgs_audio_v2_tokenizer", "xcodec"},
    .run = run_dac,
};
