/* EncodecFeatureExtractor: samples of one or two channels, padded to the longest, or to whole chunks. */
#include "media/extractors/codec.h"

static am_status run_encodec(am_feature_run *run)
{
    am_sequences sounds;
    AM_TRY(am_codec_check(run));
    am_codec_fit_chunks(run, &run->options);
    AM_TRY(am_sequences_of_sounds(run, &sounds));
    return am_codec_add(run, &sounds, &run->options);
}

const am_feature_class am_feature_class_encodec = {
    .name = "EncodecFeatureExtractor",
    .defaults = "{\"feature_size\": 1, \"sampling_rate\": 24000, \"padding_value\": 0.0, \"chunk_length_s\": null, "
                "\"overlap\": null}",
    .call = {.padding = AM_PADDING_LONGEST},
    .models = {"csm", "encodec", "mimi", "moshi", "musicgen", "pocket_tts_audio_tokenizer"},
    .stereo = true,
    .run = run_encodec,
};
