/* Spectrograms of NeMo's models, which Parakeet, Cohere's and Nemotron's extractors share. */
#ifndef AM_MEDIA_NEMO_H
#define AM_MEDIA_NEMO_H

#include "media/extractors/extractor.h"

/* Samples padded as the call says; lengths [count] are what each sound has of them. */
typedef struct am_nemo_waves {
    am_padded padded;
    const int64_t *lengths;
} am_nemo_waves;

am_status am_nemo_pad(am_feature_run *run, const am_sequences *sounds, am_nemo_waves *out) AM_NODISCARD;

/* x[t] - preemphasis x[t - 1] over the whole sound, zeros behind it. */
void am_nemo_preemphasize(double preemphasis, am_nemo_waves *waves);

/* log(mel power + 2^-24) of frames of n_fft samples under a window of win_length. */
am_spectrum_recipe am_nemo_recipe(const am_feature_extractor *extractor);
void am_nemo_logarithm(am_spectra *spectra);

/* Each mel bin brought to mean 0 and variance 1 over the first lengths[i] frames, zeros behind, in single precision and
   with torch's order of additions: what is left of a bin that stays the same is their rounding. */
am_status am_nemo_normalize(am_feature_run *run, am_spectra *spectra, const int64_t *lengths) AM_NODISCARD;

/* Frames whose middle lies in the sound: [count], in the arena of the run. */
am_status am_nemo_frames(am_feature_run *run, const am_nemo_waves *waves, int64_t **out) AM_NODISCARD;

/* Pads, pre-emphasizes and normalizes, and adds input_features f32 [count, frames, feature_size] and attention_mask
   bool [count, frames]. `add_noise` may be null. */
am_status am_nemo_add(am_feature_run *run, const am_sequences *sounds,
                      am_status (*add_noise)(am_feature_run *run, am_nemo_waves *waves)) AM_NODISCARD;

#endif
