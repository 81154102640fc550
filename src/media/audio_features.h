/* Spectrograms and what they are made of, in double precision, as audio_utils.py of transformers has them. */
#ifndef AM_MEDIA_AUDIO_FEATURES_H
#define AM_MEDIA_AUDIO_FEATURES_H

#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum am_mel_scale { AM_MEL_HTK, AM_MEL_KALDI, AM_MEL_SLANEY } am_mel_scale;

/* hertz_to_mel, mel_to_hertz. */
double am_hertz_to_mel(double hertz, am_mel_scale scale);
double am_mel_to_hertz(double mel, am_mel_scale scale);

/* Bins are the num_bins frequencies from 0 to sampling_rate / 2; the filters are triangles between
   num_filters + 2 points that are even on the mel scale. */
typedef struct am_mel_options {
    int64_t num_bins, num_filters;
    double min_hertz, max_hertz;
    int64_t sampling_rate; /* Hz */
    am_mel_scale scale;
    bool slaney_norm;  /* divide by the width of the band, 2 / (right - left) */
    bool in_mel_space; /* triangles over mels, not hertz (triangularize_in_mel_space) */
} am_mel_options;

/* mel_filter_bank. out: [num_bins, num_filters]. Fails with AM_INVALID_ARGUMENT, AM_OUT_OF_MEMORY. */
am_status am_mel_filter_bank(const am_mel_options *options, double *out) AM_NODISCARD;

typedef struct am_chroma_options {
    int64_t num_bins, num_chroma;
    int64_t sampling_rate;                    /* Hz */
    double tuning;                            /* from A = 440 Hz, in fractions of a chroma bin */
    double power;                             /* of the norm of a column; 0: columns are left as they are */
    double center_octave, half_width_octaves; /* Gaussian weight of the octaves; half width 0: none */
    bool start_at_a;                          /* instead of C */
} am_chroma_options;

/* Columns that am_chroma_filter_bank makes, for num_bins that come from a spectrogram with as many points. */
int64_t am_chroma_columns(int64_t num_bins);

/* chroma_filter_bank (after librosa.filters.chroma). out: [num_chroma, am_chroma_columns(num_bins)]. */
am_status am_chroma_filter_bank(const am_chroma_options *options, double *out) AM_NODISCARD;

typedef enum am_window { AM_WINDOW_BOXCAR, AM_WINDOW_HAMMING, AM_WINDOW_HANN, AM_WINDOW_POVEY } am_window;

/* window_function: `length` points of a periodic or symmetric window among frame_length >= length zeros, in
   their middle when `center`, else first. out: [frame_length]. Fails with AM_INVALID_ARGUMENT. */
am_status am_window_function(am_window window, int64_t length, bool periodic, int64_t frame_length, bool center,
                             double *out) AM_NODISCARD;

typedef enum am_pad_mode { AM_PAD_REFLECT, AM_PAD_CONSTANT, AM_PAD_EDGE } am_pad_mode;
typedef enum am_log_mel { AM_LOG_NONE, AM_LOG_NATURAL, AM_LOG_10, AM_LOG_DECIBEL } am_log_mel;

/* The natural logarithms or those to 10 of what is raised to `least` first, in place, on all threads. */
void am_logarithms(double *values, int64_t count, double least, am_log_mel which);

/* 10 (power) or 20 (amplitude) times log10(x / reference), in place; values below min_value count as
   min_value, results more than db_range below the greatest are raised to that (0: not). The three are
   positive. */
typedef struct am_decibel_options {
    double reference, min_value, db_range;
} am_decibel_options;

am_status am_power_to_db(double *values, int64_t count, const am_decibel_options *options) AM_NODISCARD;
am_status am_amplitude_to_db(double *values, int64_t count, const am_decibel_options *options) AM_NODISCARD;

/* Frames of frame_length samples, every hop_length, are windowed and transformed; of fft_length points (zeros
   follow the frame) fft_length / 2 + 1 are kept, rounded to single precision, and their magnitude is raised
   to `power`. */
typedef struct am_spectrogram_options {
    int64_t frame_length, hop_length, fft_length;
    const double *window; /* [frame_length] */
    double power;
    bool center; /* frame t lies around sample t * hop_length; what is missing is padded */
    am_pad_mode pad_mode;
    bool remove_dc_offset;
    double preemphasis;        /* 0: none */
    const double *mel_filters; /* [fft_length / 2 + 1, mel_count]; null: none */
    int64_t mel_count;
    double mel_floor;           /* with filters, values are at least this */
    am_log_mel log_mel;         /* results are rounded to single precision; AM_LOG_DECIBEL needs power 1 or 2 */
    am_decibel_options decibel; /* of AM_LOG_DECIBEL */
} am_spectrogram_options;

/* Frames for `length` samples; less than 1 when they are too few. */
int64_t am_spectrogram_frames(const am_spectrogram_options *options, int64_t length);

/* Rows of a spectrogram: mel_count or fft_length / 2 + 1. */
int64_t am_spectrogram_rows(const am_spectrogram_options *options);

/* spectrogram. waveform: [length]; out: [am_spectrogram_rows, am_spectrogram_frames]. Dither, two-sided and
   complex spectrograms are not there. Fails with AM_INVALID_ARGUMENT, AM_OUT_OF_MEMORY. */
am_status am_spectrogram(const float *waveform, int64_t length, const am_spectrogram_options *options,
                         double *out) AM_NODISCARD;

#endif
