/* KyutaiSpeechToTextFeatureExtractor: Encodec's samples, between a prefix of silence and a delay of a second more than
   audio_delay_seconds. */
#include "media/extractors/codec.h"

#include <string.h>

static am_status surround(am_feature_run *run, am_padded *padded)
{
    const am_feature_extractor *e = run->extractor;
    double rate = (double)e->sampling_rate;
    int64_t before = (int64_t)(am_feature_setting_real(e, "audio_silence_prefix_seconds") * rate);
    int64_t after = (int64_t)((am_feature_setting_real(e, "audio_delay_seconds") + 1.0) * rate);
    am_padded out = *padded;
    out.length += before + after;
    out.values = am_arena_array(&run->arena, (size_t)(out.count * out.length), (size_t)out.width * sizeof *out.values);
    out.mask = am_arena_array(&run->arena, (size_t)(out.count * out.length), sizeof *out.mask);
    if (!out.values || !out.mask) return am_out_of_memory();
    for (int64_t i = 0; i < out.count; i++) {
        memcpy(out.values + (i * out.length + before) * out.width, padded->values + i * padded->length * out.width,
               (size_t)(padded->length * out.width) * sizeof *out.values);
        memcpy(out.mask + i * out.length + before, padded->mask + i * padded->length,
               (size_t)padded->length * sizeof *out.mask);
    }
    *padded = out;
    return NULL;
}

static am_status run_kyutai(am_feature_run *run)
{
    am_sequences sounds;
    am_padded padded;
    AM_TRY(am_codec_check(run));
    am_codec_fit_chunks(run, &run->options);
    AM_TRY(am_sequences_of_sounds(run, &sounds));
    AM_TRY(am_sequences_pad(run, &sounds, &run->options, run->extractor->padding_value, &padded));
    AM_TRY(surround(run, &padded));
    AM_TRY(am_feature_add_channels(run, "input_values", &padded));
    if (run->options.padding == AM_PADDING_NONE) return NULL;
    return am_feature_add_mask(run, "padding_mask", AM_I32, &padded, &am_all_columns);
}

const am_feature_class am_feature_class_kyutai_speech_to_text = {
    .name = "KyutaiSpeechToTextFeatureExtractor",
    .defaults = "{\"feature_size\": 1, \"sampling_rate\": 24000, \"padding_value\": 0.0, \"chunk_length_s\": null, "
                "\"overlap\": null, \"audio_delay_seconds\": 0.0, \"audio_silence_prefix_seconds\": 0.0}",
    .call = {.padding = AM_PADDING_LONGEST},
    .models = {"kyutai_speech_to_text"},
    .stereo = true,
    .run = run_kyutai,
};
