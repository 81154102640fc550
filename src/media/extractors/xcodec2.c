/* Xcodec2FeatureExtractor. */
#include "media/extractors/semantic_codec.h"

static am_status run_xcodec2(am_feature_run *run)
{
    return am_semantic_codec_add(run, am_feature_setting_int(run->extractor, "hop_length") / 2, true);
}

const am_feature_class am_feature_class_xcodec2 = {
    .name = "Xcodec2FeatureExtractor",
    .defaults = "{\"feature_size\": 80, \"sampling_rate\": 16000, \"padding_value\": 1.0, \"hop_length\": 320}",
    .call = {.padding = AM_PADDING_LONGEST},
    .models = {"xcodec2"},
    .run = run_xcodec2,
};
