/* MossTranscribeDiarizeFeatureExtractor: Whisper's spectrograms of chunks; masks of their frames and of the samples. */
#include "media/extractors/chunks.h"

static am_status add_padding_mask(am_feature_run *run)
{
    int64_t longest = 0, *lengths = am_arena_array(&run->arena, (size_t)run->count, sizeof *lengths);
    if (!lengths) return am_out_of_memory();
    for (int64_t i = 0; i < run->count; i++) {
        lengths[i] = run->sounds[i].frames;
        if (lengths[i] > longest) longest = lengths[i];
    }
    return am_feature_add_lengths_mask(run, "padding_mask", AM_I64, lengths, run->count, longest);
}

static am_status run_moss(am_feature_run *run)
{
    const am_feature_extractor *e = run->extractor;
    int64_t chunk_samples = am_feature_chunk_samples(e);
    am_sequences chunks;
    am_padded padded;
    am_spectra spectra;
    AM_TRY(am_chunk_sounds(run, chunk_samples, &chunks));
    AM_TRY(am_chunk_spectra(run, chunk_samples, &chunks, &padded, &spectra));
    AM_TRY(am_feature_add_spectra(run, "input_features", &spectra, spectra.frames - 1));
    am_mask_columns columns = {.step = am_feature_setting_int(e, "hop_length"), .limit = spectra.frames - 1};
    AM_TRY(am_feature_add_mask(run, "input_features_mask", AM_I32, &padded, &columns));
    return add_padding_mask(run);
}

const am_feature_class am_feature_class_moss_transcribe_diarize = {
    .name = "MossTranscribeDiarizeFeatureExtractor",
    .defaults = "{\"feature_size\": 80, \"sampling_rate\": 16000, \"hop_length\": 160, \"chunk_length\": 30.0, "
                "\"n_fft\": 400, \"padding_value\": 0.0, \"dither\": 0.0, \"return_attention_mask\": false}",
    .models = {"moss_transcribe_diarize"},
    .run = run_moss,
};
