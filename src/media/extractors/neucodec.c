/* NeuCodecFeatureExtractor. */
#include "media/extractors/semantic_codec.h"

static am_status run_neucodec(am_feature_run *run)
{
    return am_semantic_codec_add(run, 0, false);
}

const am_feature_class am_feature_class_neucodec = {
    .name = "NeuCodecFeatureExtractor",
    .defaults = "{\"feature_size\": 80, \"sampling_rate\": 16000, \"padding_value\": 1.0, \"hop_length\": 320}",
    .call = {.padding = AM_PADDING_LONGEST},
    .models = {"neucodec"},
    .run = run_neucodec,
};
