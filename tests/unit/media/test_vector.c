/* The vector routines of each instruction set that this processor runs, beside plain loops: the same bits. Blocks have
   just the size that a routine may touch, so that a sanitizer sees what lies outside. */
#include "media_support.h"

#include "base/prng.h"
#include "media/vector/vector.h"

#include <math.h>

static uint8_t *random_bytes(size_t count, uint64_t seed)
{
    uint8_t *bytes = malloc(count ? count : 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < count; i++) bytes[i] = (uint8_t)(am_uniform(seed, i) * 256.0);
    return bytes;
}

/* Between -2^bits and 2^bits. */
static int16_t *random_weights(int64_t count, int bits, uint64_t seed)
{
    int16_t *weights = malloc((size_t)count * sizeof *weights);
    assert_non_null(weights);
    for (int64_t i = 0; i < count; i++)
        weights[i] = (int16_t)((am_uniform(seed, (uint64_t)i) * 2.0 - 1.0) * (double)(1 << bits));
    return weights;
}

static uint8_t weighed(const int16_t *high, const int16_t *low, int64_t taps, const uint8_t *in, int64_t stride,
                       int bits)
{
    int64_t sum = 1 << (bits - 1);
    for (int64_t t = 0; t < taps; t++)
        sum += (low ? (int64_t)high[t] * 2048 + low[t] : high[t]) * (int64_t)in[t * stride];
    sum >>= bits;
    return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

static void expect_weighed(const am_picture_routines *vector, int64_t taps, int64_t count, bool parts)
{
    int bits = parts ? 22 : 14;
    int64_t stride = count + 3;
    uint8_t *in = random_bytes((size_t)((taps - 1) * stride + count), (uint64_t)(taps * 1000 + count)),
            *out = random_bytes((size_t)count, 1);
    int16_t *high = random_weights(taps, parts ? 10 : 12, 2), *low = parts ? random_weights(taps, 10, 3) : NULL;
    vector->weigh(high, low, taps, in, stride, count, bits, out);
    for (int64_t x = 0; x < count; x++) assert_int_equal(out[x], weighed(high, low, taps, in + x, stride, bits));
    free(in);
    free(out);
    free(high);
    free(low);
}

static void media_vector__weighs(void **state)
{
    for (int i = 0; am_media_vector_at(i); i++) {
        for (int64_t taps = 1; taps <= 9; taps++) {
            for (int64_t count = 1; count <= 200; count += count < 70 ? 1 : 13) {
                expect_weighed(am_media_vector_at(i)->picture, taps, count, false);
                expect_weighed(am_media_vector_at(i)->picture, taps, count, true);
            }
        }
    }
}

/* The largest weights and bytes, of which sums still fit: 2 * 255 * 32767 * 128 < 2^31. */
static void media_vector__weighs_the_largest_numbers(void **state)
{
    enum { TAPS = 128, COUNT = 67 };
    int16_t high[2][TAPS];
    uint8_t *in = malloc(TAPS * COUNT), out[COUNT];
    assert_non_null(in);
    memset(in, 255, TAPS * COUNT);
    for (int t = 0; t < TAPS; t++) {
        high[0][t] = INT16_MAX;
        high[1][t] = -INT16_MAX;
    }
    for (int i = 0; am_media_vector_at(i); i++) {
        for (int k = 0; k < 2; k++) {
            am_media_vector_at(i)->picture->weigh(high[k], NULL, TAPS, in, COUNT, COUNT, 15, out);
            for (int x = 0; x < COUNT; x++) assert_int_equal(out[x], k ? 0 : 255);
        }
    }
    free(in);
}

static void media_vector__turns(void **state)
{
    for (int i = 0; am_media_vector_at(i); i++) {
        for (int64_t rows = 1; rows <= 70; rows += rows < 18 ? 1 : 13) {
            for (int64_t columns = 1; columns <= 50; columns += columns < 34 ? 1 : 5) {
                int64_t in_stride = columns + 2, out_stride = rows + 5;
                uint8_t *in = random_bytes((size_t)((rows - 1) * in_stride + columns), 4),
                        *out = random_bytes((size_t)((columns - 1) * out_stride + rows), 5);
                am_media_vector_at(i)->picture->turn(in, in_stride, rows, columns, out, out_stride);
                for (int64_t r = 0; r < rows; r++)
                    for (int64_t c = 0; c < columns; c++)
                        assert_int_equal(out[c * out_stride + r], in[r * in_stride + c]);
                free(in);
                free(out);
            }
        }
    }
}

static void media_vector__splits_pixels(void **state)
{
    for (int i = 0; am_media_vector_at(i); i++) {
        for (int64_t count = 0; count <= 100; count++) {
            int64_t plane = count + 7;
            uint8_t *pixels = random_bytes((size_t)(3 * count), 6),
                    *planes = random_bytes((size_t)(2 * plane + count), 7);
            am_media_vector_at(i)->picture->split(pixels, count, planes, plane);
            for (int64_t k = 0; k < count; k++)
                for (int64_t c = 0; c < 3; c++) assert_int_equal(planes[c * plane + k], pixels[3 * k + c]);
            free(pixels);
            free(planes);
        }
    }
}

static void expect_floats(const float *found, const float *expected, int64_t count)
{
    if (count) assert_memory_equal(found, expected, (size_t)count * sizeof *found);
}

static void expect_values(const am_picture_routines *vector, int64_t count)
{
    const am_channel_scale channel = {103.53f, 57.375f};
    const float scale = 1.0f / 255.0f;
    uint8_t *bytes = random_bytes((size_t)count, 8);
    float *in = malloc((size_t)count * sizeof *in + 1), *out = malloc((size_t)count * sizeof *out + 1),
          *expected = malloc((size_t)count * sizeof *expected + 1);
    assert_true(in && out && expected);
    for (int64_t i = 0; i < count; i++) in[i] = (float)(am_uniform(9, (uint64_t)i) * 300.0 - 20.0);

    for (int64_t i = 0; i < count; i++) expected[i] = (float)bytes[i];
    vector->widen(bytes, count, out);
    expect_floats(out, expected, count);
    for (int64_t i = 0; i < count; i++) expected[i] = (float)bytes[i] * scale;
    vector->rescale_bytes(bytes, count, scale, out);
    expect_floats(out, expected, count);
    for (int64_t i = 0; i < count; i++) expected[i] = ((float)bytes[i] - channel.mean) / channel.std;
    vector->normalize_bytes(bytes, count, channel, out);
    expect_floats(out, expected, count);
    for (int64_t i = 0; i < count; i++) expected[i] = in[i] * scale;
    vector->rescale(in, count, scale, out);
    expect_floats(out, expected, count);
    for (int64_t i = 0; i < count; i++) expected[i] = (in[i] - channel.mean) / channel.std;
    vector->normalize(in, count, channel, in);
    expect_floats(in, expected, count);
    free(bytes);
    free(in);
    free(out);
    free(expected);
}

static void media_vector__changes_values(void **state)
{
    for (int i = 0; am_media_vector_at(i); i++)
        for (int64_t count = 0; count <= 100; count++) expect_values(am_media_vector_at(i)->picture, count);
}

/* Every table, frames that fill no vector, and sounds shorter than what is before the first frame. */
static void expect_spectra(am_spectrum_job job, const double *expected, int64_t numbers)
{
    for (int i = 0; am_media_vector_at(i); i++) {
        const am_spectrum_routines *vector = am_media_vector_at(i)->spectrum;
        double *out = malloc((size_t)numbers * sizeof *out),
               *scratch = am_alloc_aligned((size_t)vector->spectrum_scratch(job.fft) * sizeof *scratch);
        assert_true(out && scratch);
        job.out = out;
        for (int64_t t = 0; t < job.frames; t += vector->lanes)
            vector->spectrum(&job, t, job.frames - t < vector->lanes ? job.frames - t : vector->lanes, scratch);
        assert_memory_equal(out, expected, (size_t)numbers * sizeof *out);
        am_free_aligned(scratch);
        free(out);
    }
}

static void media_vector__spectra_are_the_same_of_each_instruction_set(void **state)
{
    enum { FRAME = 50, FFT = 64, MELS = 5, LONGEST = 400, BINS = FFT / 2 + 1 };
    static double window[FRAME], filters[BINS * MELS], expected[BINS * (LONGEST / 20 + 4)];
    static float sound[LONGEST];
    am_fft *fft;
    am_test_expect_ok(am_fft_create(FFT, &fft));
    am_test_expect_ok(am_window_function(AM_WINDOW_HANN, FRAME, true, FRAME, true, window));
    am_test_expect_ok(am_mel_filter_bank(
        &(am_mel_options){.num_bins = BINS, .num_filters = MELS, .max_hertz = 8000.0, .sampling_rate = 16000},
        filters));
    for (int i = 0; i < LONGEST; i++) sound[i] = (float)(am_uniform(10, (uint64_t)i) - 0.5);
    for (int64_t length = 26; length <= LONGEST; length += 17) {
        for (int mode = AM_PAD_REFLECT; mode <= AM_PAD_EDGE; mode++) {
            for (int kind = 0; kind < 6; kind++) {
                const double powers[] = {1.0, 2.0, 1.5};
                am_spectrogram_options o = {.frame_length = FRAME,
                                            .hop_length = 20,
                                            .fft_length = FFT,
                                            .window = window,
                                            .power = powers[kind % 3],
                                            .center = true,
                                            .pad_mode = (am_pad_mode)mode,
                                            .remove_dc_offset = kind == 1,
                                            .preemphasis = kind == 2 ? 0.97 : 0.0,
                                            .mel_filters = kind < 3 ? filters : NULL,
                                            .mel_count = kind < 3 ? MELS : 0,
                                            .mel_floor = 1e-3};
                int64_t ranges[2 * MELS], rows = am_spectrogram_rows(&o), frames = am_spectrogram_frames(&o, length);
                for (int m = 0; m < MELS; m++) {
                    ranges[2 * m] = 0;
                    ranges[2 * m + 1] = BINS;
                }
                am_test_expect_ok(am_spectrogram(sound, length, &o, expected));
                expect_spectra((am_spectrum_job){.options = &o,
                                                 .fft = fft,
                                                 .mel_ranges = ranges,
                                                 .waveform = sound,
                                                 .length = length,
                                                 .before = FRAME / 2,
                                                 .frames = frames},
                               expected, rows * frames);
            }
        }
    }
    am_fft_destroy(fft);
}
