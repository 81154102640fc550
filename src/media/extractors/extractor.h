/* A class of feature extractors, and the steps that classes share. One file a class, registered by the folder:
   whisper.c defines am_feature_class_whisper. */
#ifndef AM_MEDIA_EXTRACTOR_H
#define AM_MEDIA_EXTRACTOR_H

#include "base/arena.h"
#include "media/audio_features.h"
#include "media/feature_extractor.h"

/* One call. */
typedef struct am_feature_run {
    const am_feature_extractor *extractor;
    const am_audio *sounds; /* [count], checked */
    int64_t count;
    am_feature_options options; /* with the class's defaults for what was left to it */
    am_feature_padding padding; /* as the caller gave it */
    am_arena arena;             /* of the call */
    am_features *out;
} am_feature_run;

struct am_feature_class {
    const char *name;
    /* An object: default of each member of preprocessor_config.json that the class reads, as __init__ has them. To them
       come padding_side, padding_value, return_attention_mask with those of SequenceFeatureExtractor. */
    const char *defaults;
    am_feature_options call;  /* defaults of __call__ */
    const char *arguments[6]; /* further arguments of __call__ that are there */
    const char *models[12];   /* model types that use the class where a configuration names none */
    bool adds_noise;          /* dither may be other than 0 */
    bool stereo;              /* feature_size 2 means two channels */
    am_status (*run)(am_feature_run *run);
};

extern const am_feature_class *const am_feature_class_registry[];

/* --- settings and arguments --- */

/* A setting as it is: text, a list, null. */
am_json am_feature_setting(const am_feature_extractor *extractor, const char *name);

/* An argument of the call, or the fallback when it is not given. */
bool am_feature_argument_bool(const am_feature_run *run, const char *name, bool fallback);
int64_t am_feature_argument_int(const am_feature_run *run, const char *name, int64_t fallback);

/* The call's return_attention_mask, or the configuration's where the call does not say. */
bool am_feature_wants_mask(const am_feature_run *run);

/* --- sequences of different lengths --- */

/* Row i has lengths[i] places of `width` numbers. */
typedef struct am_sequences {
    int64_t count, width;
    int64_t *lengths;
    float **places;
} am_sequences;

/* `count` empty rows, in the arena of the run. */
am_status am_sequences_init(am_feature_run *run, int64_t count, int64_t width, am_sequences *out) AM_NODISCARD;

/* Gives row i `length` places of zeros, in the arena of the run. */
am_status am_sequences_add(am_feature_run *run, am_sequences *s, int64_t i, int64_t length) AM_NODISCARD;

/* The samples of the sounds, as they are (borrowed; not to be written to), or copies of them. */
am_status am_sequences_of_sounds(am_feature_run *run, am_sequences *out) AM_NODISCARD;
am_status am_sequences_copy_sounds(am_feature_run *run, am_sequences *out) AM_NODISCARD;

/* Rows of one length. */
typedef struct am_padded {
    int64_t count, length, width;
    float *values; /* [count, length, width], in the arena of the run */
    int32_t *mask; /* [count, length] */
} am_padded;

/* SequenceFeatureExtractor.pad with the padding, truncation, max_length and pad_to_multiple_of of `options`. Fails with
   AM_INVALID_ARGUMENT when rows stay of different lengths. */
am_status am_sequences_pad(am_feature_run *run, const am_sequences *s, const am_feature_options *options,
                           double padding_value, am_padded *out) AM_NODISCARD;

/* zero_mean_unit_var_norm of samples (width 1) in place: over as many of the first ones as the mask has, the others
   become the padding value; without by_mask over all. */
void am_padded_normalize(const am_feature_run *run, bool by_mask, am_padded *padded);

/* `stride` places side by side as one, without what is left over; a group counts where all its places do. */
am_status am_padded_group(am_feature_run *run, const am_padded *padded, int64_t stride, am_padded *out) AM_NODISCARD;

/* --- results --- */

/* Adds a tensor of zeros to the results. */
am_status am_feature_add(am_feature_run *run, const char *name, am_dtype dtype, am_shape shape,
                         am_tensor *out) AM_NODISCARD;

/* Adds values as [count, length, width] (rank 3), [count, length] (rank 2, of width 1), or [count, width, length]. */
am_status am_feature_add_values(am_feature_run *run, const char *name, int rank, const am_padded *padded) AM_NODISCARD;
am_status am_feature_add_channels(am_feature_run *run, const char *name, const am_padded *padded) AM_NODISCARD;

/* Adds every step-th column of the mask [count, length], from column `first`, at most `limit` of them, each as 0 or 1
   of the dtype. */
typedef struct am_mask_columns {
    int64_t first, step, limit;
} am_mask_columns;
extern const am_mask_columns am_all_columns;
am_status am_feature_add_mask(am_feature_run *run, const char *name, am_dtype dtype, const am_padded *padded,
                              const am_mask_columns *columns) AM_NODISCARD;

/* Adds [count, length] of the dtype: 1 in the first lengths[i] columns of row i. */
am_status am_feature_add_lengths_mask(am_feature_run *run, const char *name, am_dtype dtype, const int64_t *lengths,
                                      int64_t count, int64_t length) AM_NODISCARD;

/* --- spectra --- */

/* How a spectrogram is made; zeros are no. */
typedef struct am_spectrum_recipe {
    int64_t frame_length, hop_length, fft_length; /* fft_length 0: frame_length */
    int64_t window_length;                        /* in the middle of a frame; 0: frame_length */
    am_window window;
    bool symmetric; /* the window */
    bool center;
    am_pad_mode pad_mode;
    bool like_torch; /* which refuses to reflect more than there is */
    bool magnitude;  /* instead of its square */
    double preemphasis;
    bool remove_dc_offset;
    am_mel_options mels; /* num_filters 0: none; num_bins and sampling_rate are filled in */
    double mel_floor;
} am_spectrum_recipe;

typedef struct am_spectrum {
    am_spectrogram_options options;
    bool like_torch;
    int64_t rows, bins;
    double *filters; /* [bins, rows]; null: none, rows are bins */
} am_spectrum;

/* Window and filters, in the arena of the run. Fails with AM_INVALID_ARGUMENT for lengths that do not fit. */
am_status am_spectrum_init(am_feature_run *run, const am_spectrum_recipe *recipe, am_spectrum *out) AM_NODISCARD;

/* [rows, *frames] of `length` samples, in the arena of the run. Fails with AM_INVALID_ARGUMENT for too few of them. */
am_status am_spectrum_of(am_feature_run *run, const am_spectrum *spectrum, const float *samples, int64_t length,
                         double **out, int64_t *frames) AM_NODISCARD;

/* Spectra of samples [count, length] (width 1), each [rows, frames] in turn. */
typedef struct am_spectra {
    int64_t count, rows, frames;
    double *values; /* in the arena of the run */
} am_spectra;
am_status am_spectra_of(am_feature_run *run, const am_spectrum_recipe *recipe, const am_padded *padded,
                        am_spectra *out) AM_NODISCARD;

/* The mel filter bank `mels` (num_bins, sampling_rate filled in) over spectra of bins. */
am_status am_spectra_filter(am_feature_run *run, const am_mel_options *mels, const am_spectra *bins,
                            am_spectra *out) AM_NODISCARD;

/* Adds the first `frames` frames as [count, rows, frames], or as [count, frames, rows]. */
am_status am_feature_add_spectra(am_feature_run *run, const char *name, const am_spectra *spectra,
                                 int64_t frames) AM_NODISCARD;
am_status am_feature_add_frames(am_feature_run *run, const char *name, const am_spectra *spectra,
                                int64_t frames) AM_NODISCARD;

/* log10 of values of at least 1e-10; what is more than `range` below `most` (NAN: below the greatest of its row of the
   batch, over `frames` frames) is raised to that; then (x + 4) / 4. */
void am_spectra_log_mel(am_spectra *spectra, int64_t frames, double most, double range);

/* The recipe of Whisper's spectra: n_fft, hop_length, feature_size of the settings; Slaney's mels up to 8000 Hz. */
am_spectrum_recipe am_whisper_recipe(const am_feature_extractor *extractor);

/* torchaudio's MelSpectrogram: n_fft, win_length, hop_length of the settings, HTK's mels up to half the rate. */
am_spectrum_recipe am_torchaudio_recipe(const am_feature_extractor *extractor, int64_t mels);

/* Kaldi's filter bank (compute-fbank-feats; torchaudio.compliance.kaldi.fbank): logarithms of mel energies of frames
   without their mean, with pre-emphasis. */
typedef struct am_fbank_options {
    int64_t frame_length, frame_shift; /* samples; 0: 400 and 160 */
    int64_t num_mel_bins;
    am_window window;
    double scale; /* of the samples */
} am_fbank_options;

/* Row i becomes [frames, num_mel_bins] of row i of `samples` (width 1). */
am_status am_fbank_of(am_feature_run *run, const am_fbank_options *options, const am_sequences *samples,
                      am_sequences *out) AM_NODISCARD;

/* Brings each of `width` columns of [length, width] to mean 0 and variance 1 over its first `used` places: (x - mean) /
   sqrt(variance + epsilon), where the sum of squares is divided by used - correction. */
typedef struct am_column_norm {
    int64_t used, correction;
    double epsilon;
    bool keep_mean, keep_variance;
    bool like_torch; /* the mean as torch_sum.h says */
} am_column_norm;
void am_normalize_columns(float *values, int64_t length, int64_t width, const am_column_norm *norm);

/* The window that a name of window_function means ("hann", "hann_window", "povey" ...). */
am_status am_window_named(am_json name, am_window *out) AM_NODISCARD;

/* The next power of two that is not less. */
int64_t am_optimal_fft_length(int64_t length);

#endif
