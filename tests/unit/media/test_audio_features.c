#include "media_support.h"

#include "base/prng.h"
#include "media/audio_features.h"
#include "media/vector/vector.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

/* The definition, with the angle reduced so that it is exact. */
static am_complex transform_slowly(const double *in, int64_t length, int64_t k)
{
    am_complex sum = {0};
    for (int64_t t = 0; t < length; t++) {
        double angle = -2.0 * pi * (double)(k * t % length) / (double)length;
        sum.re += in[t] * cos(angle);
        sum.im += in[t] * sin(angle);
    }
    return sum;
}

/* In each lane other numbers, by the routines of each instruction set, which give the same bits. */
static void expect_transform_by(const am_spectrum_routines *vector, const am_fft *fft, const double *numbers,
                                am_complex *plainest)
{
    int64_t length = fft->length, bins = length / 2 + 1, lanes = vector->lanes;
    double *in = am_alloc_aligned((size_t)(length * lanes) * sizeof *in),
           *out = am_alloc_aligned((size_t)(2 * bins * lanes) * sizeof *out),
           *scratch = am_alloc_aligned((size_t)vector->fft_scratch(fft) * sizeof *scratch);
    for (int64_t t = 0; t < length; t++)
        for (int64_t l = 0; l < lanes; l++) in[t * lanes + l] = numbers[l * length + t];
    vector->fft_real(fft, in, scratch, out);
    for (int64_t l = 0; l < lanes; l++) {
        for (int64_t k = 0; k < bins; k++) {
            am_complex found = {out[2 * k * lanes + l], out[(2 * k + 1) * lanes + l]}, *first = &plainest[l * bins + k];
            if (vector == am_media_vector_at(0)->spectrum || l >= am_media_vector_at(0)->spectrum->lanes) {
                am_complex expected = transform_slowly(numbers + l * length, length, k);
                assert_true(hypot(found.re - expected.re, found.im - expected.im) < 1e-13 * (double)(length + 10));
                *first = found;
            }
            assert_memory_equal(&found, first, sizeof found);
        }
    }
    am_free_aligned(in);
    am_free_aligned(out);
    am_free_aligned(scratch);
}

static void expect_transform(int64_t length)
{
    enum { MOST_LANES = 8 };
    am_fft *fft;
    double *numbers = am_alloc((size_t)(MOST_LANES * length) * sizeof *numbers);
    am_complex *plainest = am_alloc((size_t)(MOST_LANES * (length / 2 + 1)) * sizeof *plainest);
    for (int64_t i = 0; i < MOST_LANES * length; i++) numbers[i] = am_uniform(7, (uint64_t)i) - 0.5;
    am_test_expect_ok(am_fft_create(length, &fft));
    for (int i = 0; am_media_vector_at(i); i++)
        expect_transform_by(am_media_vector_at(i)->spectrum, fft, numbers, plainest);
    am_fft_destroy(fft);
    am_free(numbers);
    am_free(plainest);
}

static void media_fft__agrees_with_the_definition(void **state)
{
    for (int64_t length = 1; length <= 64; length++) expect_transform(length);
    expect_transform(400);
    expect_transform(512);
    expect_transform(997); /* a prime */
    expect_transform(1000);
    expect_transform(2 * 3 * 5 * 7 * 11);
}

static void media_fft__refuses_lengths(void **state)
{
    am_fft *fft;
    am_test_expect_error(am_fft_create(0, &fft), AM_INVALID_ARGUMENT, "0 points");
    am_test_expect_error(am_fft_create((1 << 20) + 1, &fft), AM_INVALID_ARGUMENT, "1048577 points");
    assert_null(fft);
}

static void media_audio_features__mel_scales_invert_each_other(void **state)
{
    for (int scale = AM_MEL_HTK; scale <= AM_MEL_SLANEY; scale++) {
        for (double hertz = 0.0; hertz < 20000.0; hertz += 333.3) {
            double mel = am_hertz_to_mel(hertz, (am_mel_scale)scale);
            assert_true(fabs(am_mel_to_hertz(mel, (am_mel_scale)scale) - hertz) < 1e-9 * (hertz + 1.0));
        }
    }
}

static void media_audio_features__refuses_impossible_filters(void **state)
{
    double out[8];
    am_mel_options mel = {.num_bins = 1, .num_filters = 4, .max_hertz = 100.0, .sampling_rate = 200};
    am_test_expect_error(am_mel_filter_bank(&mel, out), AM_INVALID_ARGUMENT, "4 mel filters over 1 bins");
    mel.num_bins = 2;
    mel.min_hertz = 200.0;
    am_test_expect_error(am_mel_filter_bank(&mel, out), AM_INVALID_ARGUMENT, "from 200 to 100 Hz");
    am_chroma_options chroma = {.num_bins = 1, .num_chroma = 12, .sampling_rate = 100};
    am_test_expect_error(am_chroma_filter_bank(&chroma, out), AM_INVALID_ARGUMENT, "12 chroma over 1 bins");
    am_test_expect_error(am_window_function(AM_WINDOW_HANN, 9, true, 8, true, out), AM_INVALID_ARGUMENT,
                         "a window of 9 samples in a frame of 8");
    am_decibel_options decibel = {.reference = 0.0, .min_value = 1e-10};
    am_test_expect_error(am_power_to_db(out, 8, &decibel), AM_INVALID_ARGUMENT, "expected positive numbers");
}

static void media_audio_features__a_tone_lies_in_its_bin(void **state)
{
    enum { N = 64, FRAMES = 5, LENGTH = N + (FRAMES - 1) * 16 };
    float wave[LENGTH];
    double window[N], out[(N / 2 + 1) * FRAMES];
    for (int i = 0; i < LENGTH; i++) wave[i] = (float)cos(2.0 * pi * 8.0 * i / N);
    am_test_expect_ok(am_window_function(AM_WINDOW_BOXCAR, N, true, N, true, window));
    am_spectrogram_options o = {.frame_length = N, .hop_length = 16, .fft_length = N, .window = window, .power = 2.0};
    assert_int_equal(am_spectrogram_frames(&o, LENGTH), FRAMES);
    am_test_expect_ok(am_spectrogram(wave, LENGTH, &o, out));
    for (int k = 0; k <= N / 2; k++)
        for (int t = 0; t < FRAMES; t++) assert_true(fabs(out[k * FRAMES + t] - (k == 8 ? N * N / 4.0 : 0.0)) < 1e-3);
}

static void media_audio_features__pads_short_sounds_by_folding(void **state)
{
    static const float wave[] = {1, 2, 4};
    double window[8], out[5 * 4];
    am_test_expect_ok(am_window_function(AM_WINDOW_BOXCAR, 8, true, 8, true, window));
    am_spectrogram_options o = {
        .frame_length = 8, .hop_length = 1, .fft_length = 8, .window = window, .power = 1.0, .center = true};
    assert_int_equal(am_spectrogram_frames(&o, 3), 4);
    am_test_expect_ok(am_spectrogram(wave, 3, &o, out));
    assert_true(fabs(out[0] - 18.0) < 1e-6); /* 1 2 4 2 | 1 2 4 | 2: the sum of its first frame */
    o.pad_mode = AM_PAD_EDGE;
    am_test_expect_ok(am_spectrogram(wave, 3, &o, out));
    assert_true(fabs(out[0] - 15.0) < 1e-6); /* 1 1 1 1 | 1 2 4 | 4 */
    o.pad_mode = AM_PAD_CONSTANT;
    am_test_expect_ok(am_spectrogram(wave, 3, &o, out));
    assert_true(fabs(out[0] - 7.0) < 1e-6);
}

static void media_audio_features__refuses_impossible_spectrograms(void **state)
{
    static const float wave[4] = {0};
    double window[8] = {0}, out[64];
    am_spectrogram_options o = {.frame_length = 8, .hop_length = 2, .fft_length = 8, .window = window, .power = 2.0};
    am_test_expect_error(am_spectrogram(wave, 4, &o, out), AM_INVALID_ARGUMENT,
                         "4 samples are too few for a frame of 8");
    o.fft_length = 4;
    am_test_expect_error(am_spectrogram(wave, 4, &o, out), AM_INVALID_ARGUMENT, "no frame longer than its transform");
    o.fft_length = 8;
    o.hop_length = 0;
    am_test_expect_error(am_spectrogram(wave, 4, &o, out), AM_INVALID_ARGUMENT, "every 0");
    o = (am_spectrogram_options){
        .frame_length = 2, .hop_length = 2, .fft_length = 2, .window = window, .power = 3.0, .log_mel = AM_LOG_DECIBEL};
    am_test_expect_error(am_spectrogram(wave, 4, &o, out), AM_INVALID_ARGUMENT, "decibels of power 3");
}

static am_status spectrogram_once(void *context)
{
    static const float wave[40] = {0};
    double window[8] = {0}, filters[5 * 2] = {0}, out[2 * 20];
    am_mel_options mel = {.num_bins = 5, .num_filters = 2, .max_hertz = 4.0, .sampling_rate = 8};
    AM_TRY(am_mel_filter_bank(&mel, filters));
    am_spectrogram_options o = {.frame_length = 8,
                                .hop_length = 4,
                                .fft_length = 8,
                                .window = window,
                                .power = 2.0,
                                .mel_filters = filters,
                                .mel_count = 2};
    return am_spectrogram(wave, 40, &o, out);
}

static void media_audio_features__leaks_nothing_when_memory_is_short(void **state)
{
    expect_clean_failures(spectrogram_once, NULL);
}
