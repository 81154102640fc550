/* Sounds cut into chunks of the settings' chunk_length, each of which becomes a row of Whisper's spectrograms. */
#ifndef AM_MEDIA_CHUNKS_H
#define AM_MEDIA_CHUNKS_H

#include "media/extractors/extractor.h"

/* chunks: borrowed places of the sounds, one after another. */
am_status am_chunk_sounds(am_feature_run *run, int64_t chunk_samples, am_sequences *chunks) AM_NODISCARD;

/* Chunks padded with zeros to chunk_samples, and their spectra, of which one frame is too many. */
am_status am_chunk_spectra(am_feature_run *run, int64_t chunk_samples, const am_sequences *chunks, am_padded *padded,
                           am_spectra *spectra) AM_NODISCARD;

#endif
