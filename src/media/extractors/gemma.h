/* Spectrograms of Gemma3n's and Gemma4's extractors: magnitudes of frames of frame_length_ms, each of which needs a
   sample more than it has. */
#ifndef AM_MEDIA_GEMMA_H
#define AM_MEDIA_GEMMA_H

#include "media/extractors/extractor.h"

typedef struct am_gemma_frames {
    am_padded padded; /* samples; with `before` zeros in front */
    am_spectra mels;  /* [count, feature_size, frames], before the logarithm */
    int64_t frame_length, hop_length;
} am_gemma_frames;

/* Pads as the call says; without a whole frame there are none. Fails with AM_INVALID_FILE for frames of no length. */
am_status am_gemma_frames_of(am_feature_run *run, bool half_frame_before, am_gemma_frames *out) AM_NODISCARD;

/* Subtracts per_bin_mean and divides by per_bin_stddev, where the settings have them. */
am_status am_gemma_standardize(const am_feature_run *run, am_spectra *spectra) AM_NODISCARD;

#endif
