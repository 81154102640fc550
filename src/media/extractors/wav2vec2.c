/* Wav2Vec2FeatureExtractor: samples, brought to mean 0 and variance 1. */
#include "media/extractors/extractor.h"

static am_status run_wav2vec2(am_feature_run *run)
{
    am_sequences sounds;
    am_padded padded;
    bool masked = am_feature_wants_mask(run);
    AM_TRY(am_sequences_of_sounds(run, &sounds));
    AM_TRY(am_sequences_pad(run, &sounds, &run->options, run->extractor->padding_value, &padded));
    /* with a mask, as many samples count as it has ones, and always the first ones, on whichever side the padding is */
    if (am_feature_setting_bool(run->extractor, "do_normalize"))
        am_padded_normalize(run, masked && run->options.padding != AM_PADDING_NONE, &padded);
    AM_TRY(am_feature_add_values(run, "input_values", 2, &padded));
    if (!masked) return NULL;
    return am_feature_add_mask(run, "attention_mask", AM_I32, &padded, &am_all_columns);
}

const am_feature_class am_feature_class_wav2vec2 = {
    .name = "Wav2Vec2FeatureExtractor",
    .defaults = "{\"feature_size\": 1, \"sampling_rate\": 16000, \"padding_value\": 0.0, "
                "\"return_attention_mask\": false, \"do_normalize\": true}",
    .models = {"data2vec-audio", "hubert", "moonshine", "sew", "sew-d", "unispeech", "unispeech-sat", "wav2vec2",
               "wav2vec2-bert", "wav2vec2-conformer", "wavlm"},
    .run = run_wav2vec2,
};
