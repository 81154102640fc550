#include "media/extractors/chunks.h"

#include <math.h>

am_status am_chunk_sounds(am_feature_run *run, int64_t chunk_samples, am_sequences *chunks)
{
    int64_t count = 0;
    if (chunk_samples < 1) return am_error(AM_INVALID_FILE, "chunk_length: less than a sample");
    for (int64_t i = 0; i < run->count; i++) count += (run->sounds[i].frames + chunk_samples - 1) / chunk_samples;
    AM_TRY(am_sequences_init(run, count, 1, chunks));
    count = 0;
    for (int64_t i = 0; i < run->count; i++) {
        int64_t length = run->sounds[i].frames;
        for (int64_t first = 0; first < length; first += chunk_samples, count++) {
            chunks->places[count] = run->sounds[i].samples + first;
            chunks->lengths[count] = length - first < chunk_samples ? length - first : chunk_samples;
        }
    }
    return NULL;
}

am_status am_chunk_spectra(am_feature_run *run, int64_t chunk_samples, const am_sequences *chunks, am_padded *padded,
                           am_spectra *spectra)
{
    am_feature_options options = {.padding = AM_PADDING_MAX_LENGTH, .max_length = chunk_samples};
    am_spectrum_recipe recipe = am_whisper_recipe(run->extractor);
    AM_TRY(am_sequences_pad(run, chunks, &options, run->extractor->padding_value, padded));
    AM_TRY(am_spectra_of(run, &recipe, padded, spectra));
    am_spectra_log_mel(spectra, spectra->frames - 1, NAN, 8.0);
    return NULL;
}
