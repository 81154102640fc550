/* Dots3NoteFeatureExtractor: Whisper's spectrograms of chunks, with the tokens that each will be. */
#include "media/extractors/chunks.h"

#include "tensor/shape.h"

enum { FRAMES_PER_TOKEN = 8 };

static int64_t tokens_of(const am_feature_extractor *e, int64_t samples)
{
    int64_t each = am_feature_setting_int(e, "hop_length") * FRAMES_PER_TOKEN;
    return (samples + each - 1) / each;
}

static am_status add_lengths(am_feature_run *run, const am_sequences *chunks, int64_t chunk_samples)
{
    am_tensor lengths, tokens;
    AM_TRY(am_feature_add(run, "chunk_sample_lengths", AM_I64, am_shape_of(chunks->count), &lengths));
    AM_TRY(am_feature_add(run, "num_audio_tokens", AM_I64, am_shape_of(run->count), &tokens));
    int64_t chunk = 0;
    for (int64_t i = 0; i < run->count; i++) {
        for (int64_t left = run->sounds[i].frames; left > 0; left -= chunk_samples, chunk++) {
            ((int64_t *)lengths.data)[chunk] = chunks->lengths[chunk];
            ((int64_t *)tokens.data)[i] += tokens_of(run->extractor, chunks->lengths[chunk]);
        }
    }
    return NULL;
}

static am_status run_dots3_note(am_feature_run *run)
{
    const am_feature_extractor *e = run->extractor;
    double seconds = am_json_real(am_feature_setting(e, "chunk_seconds"), am_feature_setting_real(e, "chunk_length"));
    int64_t chunk_samples = (int64_t)(seconds * (double)e->sampling_rate), most = 0;
    am_sequences chunks;
    am_padded padded;
    am_spectra spectra;
    AM_TRY(am_chunk_sounds(run, chunk_samples, &chunks));
    AM_TRY(am_chunk_spectra(run, chunk_samples, &chunks, &padded, &spectra));
    for (int64_t i = 0; i < chunks.count; i++) {
        int64_t frames = tokens_of(e, chunks.lengths[i]) * FRAMES_PER_TOKEN;
        if (frames > most) most = frames;
    }
    if (most > spectra.frames - 1) most = spectra.frames - 1;
    AM_TRY(am_feature_add_spectra(run, "input_features", &spectra, most));
    return add_lengths(run, &chunks, chunk_samples);
}

const am_feature_class am_feature_class_dots3_note = {
    .name = "Dots3NoteFeatureExtractor",
    .defaults = "{\"feature_size\": 128, \"sampling_rate\": 16000, \"padding_value\": 0.0, \"n_fft\": 400, "
                "\"hop_length\": 160, \"chunk_length\": 60.0, \"chunk_seconds\": null, "
                "\"return_attention_mask\": false, \"dither\": 0.0}",
    .models = {"dots3_note"},
    .run = run_dots3_note,
};
