#include "media/audio_features.h"

#include "base/memory.h"
#include "base/threads.h"
#include "media/vector/vector.h"

#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
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

typedef struct logarithm_work {
    double *values, least;
    double (*logarithm)(double);
} logarithm_work;

static void take_logarithms(void *context, int64_t begin, int64_t end)
{
    const logarithm_work *work = context;
    for (int64_t i = begin; i < end; i++)
        work->values[i] = work->logarithm(work->values[i] > work->least ? work->values[i] : work->least);
}

void am_logarithms(double *values, int64_t count, double least, am_log_mel which)
{
    logarithm_work work = {values, least, which == AM_LOG_NATURAL ? log : log10};
    am_parallel_for(count, 1 << 12, take_logarithms, &work);
}

static am_status to_decibels(double *values, int64_t count, double factor, const am_decibel_options *o)
{
    if (!(o->reference > 0.0 && o->min_value > 0.0 && o->db_range >= 0.0))
        return am_error(AM_INVALID_ARGUMENT, "decibels over %g, at least %g, in %g; expected positive numbers",
                        o->reference, o->min_value, o->db_range);
    double zero = log10(fmax(o->min_value, o->reference)), greatest = -INFINITY;
    am_logarithms(values, count, o->min_value, AM_LOG_10);
    for (int64_t i = 0; i < count; i++) {
        values[i] = factor * (values[i] - zero);
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

static am_status take_logarithm(const am_spectrogram_options *o, double *values, int64_t count)
{
    if (o->log_mel == AM_LOG_NONE) return NULL;
    if (o->log_mel != AM_LOG_DECIBEL) am_logarithms(values, count, -INFINITY, o->log_mel);
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

/* Of each filter the bins from and to where it is not 0. */
static int64_t *find_mel_ranges(const am_spectrogram_options *o)
{
    int64_t *ranges = am_alloc_zeroed((size_t)o->mel_count + 1, 2 * sizeof *ranges);
    for (int64_t m = 0; ranges && o->mel_filters && m < o->mel_count; m++) {
        int64_t begin = 0, end = o->fft_length / 2 + 1;
        while (begin < end && o->mel_filters[begin * o->mel_count + m] == 0.0) begin++;
        while (end > begin && o->mel_filters[(end - 1) * o->mel_count + m] == 0.0) end--;
        ranges[2 * m] = begin;
        ranges[2 * m + 1] = end;
    }
    return ranges;
}

typedef struct frames_work {
    am_spectrum_job job;
    atomic_bool lacks_memory;
} frames_work;

/* Blocks of frames, as many as the vectors have lanes in each. */
static void make_frames(void *context, int64_t begin, int64_t end)
{
    frames_work *work = context;
    const am_spectrum_routines *vector = am_media_vector_best()->spectrum;
    int64_t lanes = vector->lanes;
    double *scratch = am_alloc_aligned((size_t)vector->spectrum_scratch(work->job.fft) * sizeof *scratch);
    if (!scratch) atomic_store(&work->lacks_memory, true);
    for (int64_t t = begin * lanes; scratch && t < end * lanes && t < work->job.frames; t += lanes)
        vector->spectrum(&work->job, t, work->job.frames - t < lanes ? work->job.frames - t : lanes, scratch);
    am_free_aligned(scratch);
}

am_status am_spectrogram(const float *waveform, int64_t length, const am_spectrogram_options *options, double *out)
{
    enum { BLOCKS = 32 }; /* of frames, that a thread takes */
    const am_spectrogram_options *o = options;
    am_fft *fft;
    AM_TRY(check_spectrogram(o, length));
    AM_TRY(am_fft_create(o->fft_length, &fft));
    frames_work work = {.job = {.options = o, .fft = fft, .waveform = waveform, .length = length, .out = out}};
    int64_t *ranges = find_mel_ranges(o), frames = am_spectrogram_frames(o, length),
            lanes = am_media_vector_best()->spectrum->lanes;
    work.job.mel_ranges = ranges;
    work.job.before = o->center ? o->frame_length / 2 : 0;
    work.job.frames = frames;
    if (ranges) am_parallel_for((frames + lanes - 1) / lanes, BLOCKS, make_frames, &work);
    am_free(ranges);
    am_fft_destroy(fft);
    if (!ranges || work.lacks_memory) return am_out_of_memory();
    return take_logarithm(o, out, am_spectrogram_rows(o) * frames);
}
