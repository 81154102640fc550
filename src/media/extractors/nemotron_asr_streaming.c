/* NemotronAsrStreamingFeatureExtractor: NeMo's log-mel spectrogram, not normalized; of a stream without frames that
   reach over its ends (center false). */
#include "media/extractors/nemo.h"

#include "base/memory.h"

#include <string.h>

/* Room for the last frames of the last chunk of a stream. */
static am_status lengthen(am_feature_run *run, am_nemo_waves *waves, int64_t more)
{
    am_padded *p = &waves->padded, longer = *p;
    int64_t *lengths = am_arena_array(&run->arena, (size_t)p->count, sizeof *lengths);
    longer.length += more;
    longer.values = am_arena_array(&run->arena, (size_t)(p->count * longer.length), sizeof *longer.values);
    if (!lengths || !longer.values) return am_out_of_memory();
    for (int64_t i = 0; i < p->count; i++) {
        memcpy(longer.values + i * longer.length, p->values + i * p->length, (size_t)p->length * sizeof *p->values);
        lengths[i] = waves->lengths[i] + more;
    }
    *p = longer;
    waves->lengths = lengths;
    return NULL;
}

static void silence_tail(am_spectra *s, const int64_t *frames)
{
    for (int64_t row = 0; row < s->count * s->rows; row++)
        for (int64_t t = frames[row / s->rows] > 0 ? frames[row / s->rows] : 0; t < s->frames; t++)
            s->values[row * s->frames + t] = 0.0;
}

static am_status run_nemotron(am_feature_run *run)
{
    const am_feature_extractor *e = run->extractor;
    int64_t fft = am_feature_setting_int(e, "n_fft"), hop = am_feature_setting_int(e, "hop_length"), *frames;
    am_spectrum_recipe recipe = am_nemo_recipe(e);
    am_sequences sounds;
    am_nemo_waves waves;
    am_spectra spectra;
    if (!am_json_equals(am_feature_setting(e, "mel_filters_dtype"), "float32"))
        return am_error(AM_UNSUPPORTED, "mel_filters_dtype: expected \"float32\"");
    recipe.center = am_feature_argument_bool(run, "center", true);
    AM_TRY(am_sequences_of_sounds(run, &sounds));
    AM_TRY(am_nemo_pad(run, &sounds, &waves));
    am_nemo_preemphasize(am_feature_setting_real(e, "preemphasis"), &waves);
    bool is_last = am_feature_argument_bool(run, "is_last_audio_chunk", false);
    if (!recipe.center && is_last && fft / 2 > hop) AM_TRY(lengthen(run, &waves, fft / 2 - hop));
    AM_TRY(am_spectra_of(run, &recipe, &waves.padded, &spectra));
    am_nemo_logarithm(&spectra);
    AM_TRY(am_nemo_frames(run, &waves, &frames));
    for (int64_t i = 0; i < spectra.count && !recipe.center; i++)
        frames[i] = waves.lengths[i] < fft ? 0 : (waves.lengths[i] - fft) / hop + 1;
    silence_tail(&spectra, frames);
    AM_TRY(am_feature_add_frames(run, "input_features", &spectra, spectra.frames));
    return am_feature_add_lengths_mask(run, "attention_mask", AM_BOOL, frames, spectra.count, spectra.frames);
}

const am_feature_class am_feature_class_nemotron_asr_streaming = {
    .name = "NemotronAsrStreamingFeatureExtractor",
    .defaults = "{\"feature_size\": 80, \"sampling_rate\": 16000, \"hop_length\": 160, \"n_fft\": 512, "
                "\"win_length\": 400, \"preemphasis\": 0.97, \"padding_value\": 0.0, "
                "\"mel_filters_dtype\": \"float32\"}",
    .call = {.padding = AM_PADDING_LONGEST},
    .arguments = {"center", "is_last_audio_chunk"},
    .models = {"nemo_speechlm", "nemotron3_5_asr", "nemotron3_diarization", "nemotron_asr_streaming",
               "nemotron_asr_streaming_encoder"},
    .run = run_nemotron,
};
