/* MuseSparkFeatureExtractor: samples, padded to whole tokens. */
#include "media/extractors/extractor.h"

static am_status run_muse_spark(am_feature_run *run)
{
    am_feature_options *o = &run->options;
    am_sequences sounds;
    am_padded padded;
    if (!o->pad_to_multiple_of) o->pad_to_multiple_of = am_feature_setting_int(run->extractor, "samples_per_token");
    AM_TRY(am_sequences_of_sounds(run, &sounds));
    AM_TRY(am_sequences_pad(run, &sounds, o, run->extractor->padding_value, &padded));
    AM_TRY(am_feature_add_values(run, "input_values", 2, &padded));
    if (!am_feature_wants_mask(run)) return NULL;
    return am_feature_add_mask(run, "input_values_mask", AM_I32, &padded, &am_all_columns);
}

const am_feature_class am_feature_class_muse_spark = {
    .name = "MuseSparkFeatureExtractor",
    .defaults = "{\"feature_size\": 1, \"sampling_rate\": 24000, \"padding_value\": 0.0, \"samples_per_token\": 1920}",
    .call = {.padding = AM_PADDING_LONGEST},
    .models = {"muse_spark"},
    .run = run_muse_spark,
};
