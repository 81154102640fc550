#include "media/audio_features.h"

#include "base/memory.h"
#include "media/fft.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

/* Slaney's scale is linear up to 1000 Hz (15 mels), then logarithmic. */
static const double slaney_hertz = 1000.0, slaney_mel = 15.0;

static double slaney_step(void)
{
    return log(6.4) / 27.0;
}

double am_hertz_to_mel(double hertz, am_mel_scale scale)
{
    if (scale == AM_MEL_HTK) return 2595.0 * log10(1.0 + hertz / 700.0);
    if (scale == AM_MEL_KALDI) return 1127.0 * log(1.0 + hertz / 700.0);
    return hertz < slaney_hertz ? 3.0 * hertz / 200.0 : slaney_mel + log(hertz / slaney_hertz) / slaney_step();
}

double am_mel_to_hertz(double mel, am_mel_scale scale)
{
    if (scale == AM_MEL_HTK) return 700.0 * (pow(10.0, mel / 2595.0) - 1.0);
    if (scale == AM_MEL_KALDI) return 700.0 * (exp(mel / 1127.0) - 1.0);
    return mel < slaney_mel ? 200.0 * mel / 3.0 : slaney_hertz * exp(slaney_step() * (mel - slaney_mel));
}

/* Point i of `count` from first to last. */
static double even_point(double first, double last, int64_t count, int64_t i)
{
    if (i == count - 1) return last;
    return first + (double)i * ((last - first) / (double)(count - 1));
}

static double bin_position(const am_mel_options *o, int64_t bin)
{
    if (!o->in_mel_space) return even_point(0.0, (double)(o->sampling_rate / 2), o->num_bins, bin);
    double width = (double)o->sampling_rate / (double)((o->num_bins - 1) * 2);
    return am_hertz_to_mel(width * (double)bin, o->scale);
}

static am_status check_mel(const am_mel_options *o)
{
    if (o->num_bins < 2 || o->num_filters < 1 || o->num_bins > INT32_MAX || o->num_filters > INT32_MAX)
        return am_error(AM_INVALID_ARGUMENT,
                        "%" PRId64 " mel filters over %" PRId64 " bins; expected at least 1 over 2", o->num_filters,
                        o->num_bins);
    if (!(o->min_hertz >= 0.0 && o->min_hertz <= o->max_hertz && isfinite(o->max_hertz)) || o->sampling_rate < 1)
        return am_error(AM_INVALID_ARGUMENT, "mel filters from %g to %g Hz at %" PRId64 " Hz; expected 0 <= from <= to",
                        o->min_hertz, o->max_hertz, o->sampling_rate);
    return NULL;
}

am_status am_mel_filter_bank(const am_mel_options *options, double *out)
{
    AM_TRY(check_mel(options));
    const am_mel_options *o = options;
    double *points = am_alloc_zeroed((size_t)o->num_filters + 2, sizeof *points);
    if (!points) return am_out_of_memory();
    double low = am_hertz_to_mel(o->min_hertz, o->scale), high = am_hertz_to_mel(o->max_hertz, o->scale);
    for (int64_t i = 0; i < o->num_filters + 2; i++) {
        double mel = even_point(low, high, o->num_filters + 2, i);
        points[i] = o->in_mel_space ? mel : am_mel_to_hertz(mel, o->scale);
    }
    for (int64_t bin = 0; bin < o->num_bins; bin++) {
        double at = bin_position(o, bin);
        for (int64_t i = 0; i < o->num_filters; i++) {
            const double *p = points + i;
            double rising = (at - p[0]) / (p[1] - p[0]), falling = (p[2] - at) / (p[2] - p[1]);
            double weight = fmax(0.0, fmin(rising, falling));
            out[bin * o->num_filters + i] = o->slaney_norm ? weight * (2.0 / (p[2] - p[0])) : weight;
        }
    }
    am_free(points);
    return NULL;
}

int64_t am_chroma_columns(int64_t num_bins)
{
    return num_bins < 2 ? num_bins : 1 + num_bins / 2;
}

/* Position of a bin in chroma steps above the 16th part of A (440 Hz); what belongs to no frequency, bin 0,
   lies 1.5 octaves below bin 1. */
static double chroma_position(const am_chroma_options *o, int64_t bin)
{
    double octave = (double)o->num_chroma;
    if (bin == 0) return chroma_position(o, 1) - 1.5 * octave;
    double hertz = (double)bin * ((double)o->sampling_rate / (double)o->num_bins);
    return octave * log2(hertz / (440.0 * pow(2.0, o->tuning / octave) / 16.0));
}

static double chroma_bump(const am_chroma_options *o, double position, double width, int64_t chroma)
{
    double octave = (double)o->num_chroma, half = nearbyint(octave / 2.0);
    double distance = fmod(position - (double)chroma + half + 10.0 * octave, octave);
    if (distance < 0.0) distance += octave;
    distance -= half;
    return exp(-0.5 * pow(2.0 * distance / width, 2.0));
}

am_status am_chroma_filter_bank(const am_chroma_options *options, double *out)
{
    const am_chroma_options *o = options;
    if (o->num_bins < 2 || o->num_chroma < 1 || o->sampling_rate < 1 || o->num_bins > INT32_MAX)
        return am_error(AM_INVALID_ARGUMENT, "%" PRId64 " chroma over %" PRId64 " bins; expected at least 1 over 2",
                        o->num_chroma, o->num_bins);
    int64_t columns = am_chroma_columns(o->num_bins), shift = o->start_at_a ? 0 : 3 * (o->num_chroma / 12);
    for (int64_t bin = 0; bin < columns; bin++) {
        double position = chroma_position(o, bin), norm = 0.0, weight = 1.0;
        double width = bin + 1 < o->num_bins ? fmax(chroma_position(o, bin + 1) - position, 1.0) : 1.0;
        if (o->power > 0.0) {
            for (int64_t c = 0; c < o->num_chroma; c++) norm += pow(chroma_bump(o, position, width, c), o->power);
            weight = 1.0 / pow(norm, 1.0 / o->power);
        }
        if (o->half_width_octaves > 0.0) {
            double octaves = (position / (double)o->num_chroma - o->center_octave) / o->half_width_octaves;
            weight *= exp(-0.5 * octaves * octaves);
        }
        for (int64_t c = 0; c < o->num_chroma; c++) {
            int64_t row = ((c - shift) % o->num_chroma + o->num_chroma) % o->num_chroma;
            out[row * columns + bin] = weight * chroma_bump(o, position, width, c);
        }
    }
    return NULL;
}

/* Point i of numpy's symmetric window of `points`. */
static double window_point(am_window window, int64_t i, int64_t points)
{
    if (window == AM_WINDOW_BOXCAR || points == 1) return 1.0;
    double turn = cos(pi * (double)(2 * i - points + 1) / (double)(points - 1));
    if (window == AM_WINDOW_HAMMING) return 0.54 + 0.46 * turn;
    double hann = 0.5 + 0.5 * turn;
    return window == AM_WINDOW_POVEY ? pow(hann, 0.85) : hann;
}

am_status am_window_function(am_window window, int64_t length, bool periodic, int64_t frame_length, bool center,
                             double *out)
{
    if (length < 1 || length > frame_length || frame_length > INT32_MAX)
        return am_error(AM_INVALID_ARGUMENT, "a window of %" PRId64 " samples in a frame of %" PRId64, length,
                        frame_length);
    memset(out, 0, (size_t)frame_length * sizeof *out);
    int64_t offset = center ? (frame_length - length) / 2 : 0;
    for (int64_t i = 0; i < length; i++) out[offset + i] = window_point(window, i, periodic ? length + 1 : length);
    return NULL;
}

static am_status to_decibels(double *values, int64_t count, double factor, const am_decibel_options *o)
{
    if (!(o->reference > 0.0 && o->min_value > 0.0 && o->db_range >= 0.0))
        return am_error(AM_INVALID_ARGUMENT, "decibels over %g, at least %g, in %g; expected positive numbers",
                        o->reference, o->min_value, o->db_range);
    double zero = log10(fmax(o->min_value, o->reference)), greatest = -INFINITY;
    for (int64_t i = 0; i < count; i++) {
        values[i] = factor * (log10(fmax(values[i], o->min_value)) - zero);
        greatest = fmax(greatest, values[i]);
    }
    for (int64_t i = 0; i < count && o->db_range > 0.0; i++) values[i] = fmax(values[i], greatest - o->db_range);
    return NULL;
}

am_status am_power_to_db(double *values, int64_t count, const am_decibel_options *options)
{
    return to_decibels(values, count, 10.0, options);
}

am_status am_amplitude_to_db(double *values, int64_t count, const am_decibel_options *options)
{
    return to_decibels(values, count, 20.0, options);
}

int64_t am_spectrogram_frames(const am_spectrogram_options *options, int64_t length)
{
    int64_t padded = length + (options->center ? options->frame_length / 2 * 2 : 0);
    return padded < options->frame_length ? 0 : 1 + (padded - options->frame_length) / options->hop_length;
}

int64_t am_spectrogram_rows(const am_spectrogram_options *options)
{
    return options->mel_filters ? options->mel_count : options->fft_length / 2 + 1;
}

/* Sample `at` of a waveform that goes on over both ends as numpy.pad has it. */
static double padded_sample(const float *waveform, int64_t length, int64_t at, am_pad_mode mode)
{
    if (at >= 0 && at < length) return (double)waveform[at];
    if (mode == AM_PAD_CONSTANT) return 0.0;
    if (mode == AM_PAD_EDGE || length == 1) return (double)waveform[at < 0 ? 0 : length - 1];
    int64_t period = 2 * (length - 1), folded = (at % period + period) % period;
    return (double)waveform[folded < length ? folded : period - folded];
}

static void prepare_frame(const am_spectrogram_options *o, double *frame)
{
    double mean = 0.0;
    for (int64_t i = 0; i < o->frame_length && o->remove_dc_offset; i++) mean += frame[i] / (double)o->frame_length;
    for (int64_t i = 0; i < o->frame_length; i++) frame[i] -= mean;
    for (int64_t i = o->frame_length - 1; i > 0 && o->preemphasis != 0.0; i--)
        frame[i] -= o->preemphasis * frame[i - 1];
    frame[0] *= 1.0 - o->preemphasis;
    for (int64_t i = 0; i < o->frame_length; i++) frame[i] *= o->window[i];
}

typedef struct scratch {
    am_fft *fft;
    double *frame;       /* [fft_length] */
    am_complex *bins;    /* [fft_length / 2 + 1] */
    double *magnitudes;  /* [fft_length / 2 + 1] */
    int64_t *mel_ranges; /* [mel_count, 2]: bins from and to where a filter is not 0 */
} scratch;

static void scratch_deinit(scratch *s)
{
    am_fft_destroy(s->fft);
    am_free(s->frame);
    am_free(s->bins);
    am_free(s->magnitudes);
    am_free(s->mel_ranges);
}

static am_status scratch_init(scratch *s, const am_spectrogram_options *o)
{
    size_t bins = (size_t)(o->fft_length / 2 + 1);
    AM_TRY(am_fft_create(o->fft_length, &s->fft));
    s->frame = am_alloc_zeroed((size_t)o->fft_length, sizeof *s->frame);
    s->bins = am_alloc_zeroed(bins, sizeof *s->bins);
    s->magnitudes = am_alloc_zeroed(bins, sizeof *s->magnitudes);
    s->mel_ranges = am_alloc_zeroed((size_t)o->mel_count + 1, 2 * sizeof *s->mel_ranges);
    if (!s->frame || !s->bins || !s->magnitudes || !s->mel_ranges) return am_out_of_memory();
    for (int64_t m = 0; o->mel_filters && m < o->mel_count; m++) {
        int64_t begin = 0, end = (int64_t)bins;
        while (begin < end && o->mel_filters[begin * o->mel_count + m] == 0.0) begin++;
        while (end > begin && o->mel_filters[(end - 1) * o->mel_count + m] == 0.0) end--;
        s->mel_ranges[2 * m] = begin;
        s->mel_ranges[2 * m + 1] = end;
    }
    return NULL;
}

/* NumPy keeps the transform in single precision, and its absolute value in double. */
static double magnitude(am_complex bin, double power)
{
    double re = (double)(float)bin.re, im = (double)(float)bin.im;
    double square = re * re + im * im;
    return power == 2.0 ? square : power == 1.0 ? sqrt(square) : pow(sqrt(square), power);
}

/* Column `frame` of `frames` in out. */
static void put_column(const am_spectrogram_options *o, const scratch *s, int64_t frame, int64_t frames, double *out)
{
    if (!o->mel_filters) {
        for (int64_t k = 0; k <= o->fft_length / 2; k++) out[k * frames + frame] = s->magnitudes[k];
        return;
    }
    for (int64_t m = 0; m < o->mel_count; m++) {
        double sum = 0.0;
        for (int64_t k = s->mel_ranges[2 * m]; k < s->mel_ranges[2 * m + 1]; k++)
            sum += s->magnitudes[k] * o->mel_filters[k * o->mel_count + m];
        out[m * frames + frame] = fmax(o->mel_floor, sum);
    }
}

static am_status take_logarithm(const am_spectrogram_options *o, double *values, int64_t count)
{
    if (o->log_mel == AM_LOG_NONE) return NULL;
    for (int64_t i = 0; i < count && o->log_mel == AM_LOG_NATURAL; i++) values[i] = log(values[i]);
    for (int64_t i = 0; i < count && o->log_mel == AM_LOG_10; i++) values[i] = log10(values[i]);
    if (o->log_mel == AM_LOG_DECIBEL) {
        if (o->power != 1.0 && o->power != 2.0)
            return am_error(AM_INVALID_ARGUMENT, "decibels of power %g; expected 1 or 2", o->power);
        AM_TRY(to_decibels(values, count, o->power == 1.0 ? 20.0 : 10.0, &o->decibel));
    }
    for (int64_t i = 0; i < count; i++) values[i] = (double)(float)values[i];
    return NULL;
}

static am_status check_spectrogram(const am_spectrogram_options *o, int64_t length)
{
    if (o->frame_length < 1 || o->hop_length < 1 || o->fft_length < o->frame_length)
        return am_error(AM_INVALID_ARGUMENT,
                        "frames of %" PRId64 " samples, every %" PRId64 ", in transforms of %" PRId64
                        "; expected positive numbers, and no frame longer than its transform",
                        o->frame_length, o->hop_length, o->fft_length);
    if (length < 1 || am_spectrogram_frames(o, length) < 1)
        return am_error(AM_INVALID_ARGUMENT, "%" PRId64 " samples are too few for a frame of %" PRId64, length,
                        o->frame_length);
    return NULL;
}

am_status am_spectrogram(const float *waveform, int64_t length, const am_spectrogram_options *options, double *out)
{
    const am_spectrogram_options *o = options;
    AM_TRY(check_spectrogram(o, length));
    scratch s = {0};
    am_status status = scratch_init(&s, o);
    int64_t frames = am_spectrogram_frames(o, length), before = o->center ? o->frame_length / 2 : 0;
    for (int64_t t = 0; t < frames && !status; t++) {
        int64_t first = t * o->hop_length - before;
        for (int64_t i = 0; i < o->frame_length; i++)
            s.frame[i] = padded_sample(waveform, length, first + i, o->pad_mode);
        prepare_frame(o, s.frame);
        am_fft_real(s.fft, s.frame, s.bins);
        for (int64_t k = 0; k <= o->fft_length / 2; k++) s.magnitudes[k] = magnitude(s.bins[k], o->power);
        put_column(o, &s, t, frames, out);
    }
    scratch_deinit(&s);
    return status ? status : take_logarithm(o, out, am_spectrogram_rows(o) * frames);
}
