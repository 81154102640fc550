/* One table of am_spectrum_routines: transforms and spectra of as many frames as a vector has doubles. Every lane is
   computed by the same operations, so that all tables give the same bits. */
#include "media/vector/vector.h"

#include <math.h>
#include <string.h>

#if defined(AM_VEC_AVX512)
enum { LANES = 8 };
#elif defined(AM_VEC_AVX2)
enum { LANES = 4 };
#else
enum { LANES = 2 };
#endif

#define JOIN2(a, b) a##b
#define JOIN(a, b)  JOIN2(a, b)

typedef double vd __attribute__((vector_size(8 * LANES)));
typedef double vd_unaligned __attribute__((vector_size(8 * LANES), aligned(8), may_alias));
typedef float vf __attribute__((vector_size(4 * LANES)));

typedef struct complexes {
    vd re, im;
} complexes;

/* --- transforms --- */

typedef struct transformer {
    const am_fft *fft;
    complexes *in, *work, *parts; /* [points], [points], [2, largest factor] */
} transformer;

static inline complexes add(complexes a, complexes b)
{
    return (complexes){a.re + b.re, a.im + b.im};
}

static inline complexes subtract(complexes a, complexes b)
{
    return (complexes){a.re - b.re, a.im - b.im};
}

static inline complexes multiply(complexes a, am_complex b)
{
    return (complexes){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

/* a + s b, and a + i s b */
static inline complexes add_scaled(complexes a, double s, complexes b)
{
    return (complexes){a.re + s * b.re, a.im + s * b.im};
}

static inline complexes add_turned(complexes a, double s, complexes b)
{
    return (complexes){a.re - s * b.im, a.im + s * b.re};
}

static inline void dft2(complexes *x)
{
    complexes a = x[0], b = x[1];
    x[0] = add(a, b);
    x[1] = subtract(a, b);
}

static inline void dft3(complexes *x)
{
    static const double sine = -0.86602540378443864676;
    complexes a = x[0], sum = add(x[1], x[2]), difference = subtract(x[1], x[2]);
    complexes middle = add_scaled(a, -0.5, sum);
    x[0] = add(a, sum);
    x[1] = add_turned(middle, sine, difference);
    x[2] = add_turned(middle, -sine, difference);
}

static inline void dft4(complexes *x)
{
    complexes a = add(x[0], x[2]), b = subtract(x[0], x[2]), c = add(x[1], x[3]), d = subtract(x[1], x[3]);
    x[0] = add(a, c);
    x[2] = subtract(a, c);
    x[1] = add_turned(b, -1.0, d);
    x[3] = add_turned(b, 1.0, d);
}

static inline void dft5(complexes *x)
{
    static const double cosine1 = 0.30901699437494742410, cosine2 = -0.80901699437494742410;
    static const double sine1 = -0.95105651629515357212, sine2 = -0.58778525229247312917;
    complexes a = x[0], sum1 = add(x[1], x[4]), sum2 = add(x[2], x[3]);
    complexes difference1 = subtract(x[1], x[4]), difference2 = subtract(x[2], x[3]), zero = {0};
    complexes even1 = add_scaled(add_scaled(a, cosine1, sum1), cosine2, sum2);
    complexes even2 = add_scaled(add_scaled(a, cosine2, sum1), cosine1, sum2);
    complexes odd1 = add_scaled(add_scaled(zero, sine1, difference1), sine2, difference2);
    complexes odd2 = add_scaled(add_scaled(zero, sine2, difference1), -sine1, difference2);
    x[0] = add(a, add(sum1, sum2));
    x[1] = add_turned(even1, 1.0, odd1);
    x[4] = add_turned(even1, -1.0, odd1);
    x[2] = add_turned(even2, 1.0, odd2);
    x[3] = add_turned(even2, -1.0, odd2);
}

/* Of a prime: by its definition. spare: [radix] */
static void dft_of_prime(const am_fft *fft, complexes *x, int64_t radix, complexes *spare)
{
    int64_t step = fft->points / radix;
    for (int64_t k = 0; k < radix; k++) {
        complexes sum = x[0];
        int64_t turn = 0;
        for (int64_t q = 1; q < radix; q++) {
            turn += k;
            if (turn >= radix) turn -= radix;
            sum = add(sum, multiply(x[q], fft->roots[turn * step]));
        }
        spare[k] = sum;
    }
    for (int64_t k = 0; k < radix; k++) x[k] = spare[k];
}

static inline void dft(const am_fft *fft, complexes *x, int64_t radix)
{
    switch (radix) {
    case 2:
        dft2(x);
        return;
    case 3:
        dft3(x);
        return;
    case 4:
        dft4(x);
        return;
    case 5:
        dft5(x);
        return;
    default:
        dft_of_prime(fft, x, radix, x + radix);
    }
}

/* Joins `radix` transforms of `part` points, one after another in `out`, into one of radix * part points:
   with q the number of a part, out[j + k part] = sum over q of parts[q][j] * root^(q (j + k part)). */
static void join(const transformer *f, complexes *out, int64_t radix, int64_t part)
{
    int64_t step = f->fft->points / (radix * part);
    for (int64_t j = 0; j < part; j++) {
        f->parts[0] = out[j];
        for (int64_t q = 1; q < radix; q++) f->parts[q] = multiply(out[q * part + j], f->fft->roots[q * j * step]);
        dft(f->fft, f->parts, radix);
        for (int64_t k = 0; k < radix; k++) out[k * part + j] = f->parts[k];
    }
}

/* Transforms in[0], in[stride], ...: `length` points, 2 at least. */
static void transform(const transformer *f, const int64_t *factors, const complexes *in, int64_t stride, int64_t length,
                      complexes *out)
{
    int64_t radix = factors[0], part = length / radix;
    if (part == 1) {
        for (int64_t q = 0; q < radix; q++) f->parts[q] = in[q * stride];
        dft(f->fft, f->parts, radix);
        for (int64_t k = 0; k < radix; k++) out[k] = f->parts[k];
        return;
    }
    for (int64_t q = 0; q < radix; q++)
        transform(f, factors + 1, in + q * stride, stride * radix, part, out + q * part);
    join(f, out, radix, part);
}

/* Even and odd numbers were transformed as real and imaginary parts: here they come apart and are joined. */
static void join_halves(const transformer *f, complexes *out)
{
    const complexes *z = f->work;
    int64_t points = f->fft->points;
    for (int64_t k = 0; k <= points; k++) {
        complexes a = z[k == points ? 0 : k], b = z[k == 0 ? 0 : points - k];
        complexes even = {0.5 * (a.re + b.re), 0.5 * (a.im - b.im)};
        complexes odd = {0.5 * (a.im + b.im), -0.5 * (a.re - b.re)};
        out[k] = add(even, multiply(odd, f->fft->turns[k]));
    }
}

static transformer transformer_of(const am_fft *fft, double *scratch)
{
    complexes *first = (complexes *)(void *)scratch;
    return (transformer){fft, first, first + fft->points, first + 2 * fft->points};
}

static int64_t fft_scratch(const am_fft *fft)
{
    return (2 * fft->points + 2 * fft->largest_factor) * 2 * LANES;
}

static void fft_real(const am_fft *fft, const double *in, double *scratch, double *out)
{
    const vd *numbers = (const vd *)(const void *)in;
    complexes *to = (complexes *)(void *)out;
    transformer f = transformer_of(fft, scratch);
    int halves = fft->length % 2 == 0;
    for (int64_t t = 0; t < fft->points; t++)
        f.in[t] = halves ? (complexes){numbers[2 * t], numbers[2 * t + 1]} : (complexes){.re = numbers[t]};
    if (fft->points == 1) f.work[0] = f.in[0];
    else transform(&f, fft->factors, f.in, 1, fft->points, f.work);
    if (halves) join_halves(&f, to);
    for (int64_t k = 0; !halves && k <= fft->length / 2; k++) to[k] = f.work[k];
}

/* --- spectra --- */

/* Sample `at` of a waveform that goes on over both ends as numpy.pad has it. */
static double padded_sample(const am_spectrum_job *job, int64_t at)
{
    const float *waveform = job->waveform;
    int64_t length = job->length;
    am_pad_mode mode = job->options->pad_mode;
    if (at >= 0 && at < length) return (double)waveform[at];
    if (mode == AM_PAD_CONSTANT) return 0.0;
    if (mode == AM_PAD_EDGE || length == 1) return (double)waveform[at < 0 ? 0 : length - 1];
    int64_t period = 2 * (length - 1), folded = (at % period + period) % period;
    return (double)waveform[folded < length ? folded : period - folded];
}

/* Frames from `first` on, side by side; the last of `count` again in the lanes that are left. */
static void read_frames(const am_spectrum_job *job, int64_t first, int64_t count, vd *frame)
{
    const am_spectrogram_options *o = job->options;
    int64_t begin[LANES];
    int inside = 1;
    for (int l = 0; l < LANES; l++) {
        begin[l] = (first + (l < count ? l : count - 1)) * o->hop_length - job->before;
        inside = inside && begin[l] >= 0 && begin[l] + o->frame_length <= job->length;
    }
    for (int64_t i = 0; i < o->frame_length; i++)
        for (int l = 0; l < LANES; l++)
            frame[i][l] = inside ? (double)job->waveform[begin[l] + i] : padded_sample(job, begin[l] + i);
    for (int64_t i = o->frame_length; i < o->fft_length; i++) frame[i] = (vd){0};
}

static void prepare_frames(const am_spectrogram_options *o, vd *frame)
{
    vd mean = {0};
    for (int64_t i = 0; i < o->frame_length && o->remove_dc_offset; i++) mean += frame[i] / (double)o->frame_length;
    for (int64_t i = 0; i < o->frame_length; i++) frame[i] -= mean;
    for (int64_t i = o->frame_length - 1; i > 0 && o->preemphasis != 0.0; i--)
        frame[i] -= o->preemphasis * frame[i - 1];
    frame[0] *= 1.0 - o->preemphasis;
    for (int64_t i = 0; i < o->frame_length; i++) frame[i] *= o->window[i];
}

/* NumPy keeps the transform in single precision, and its absolute value in double. */
static vd magnitudes(complexes bin, double power)
{
    vd re = __builtin_convertvector(__builtin_convertvector(bin.re, vf), vd),
       im = __builtin_convertvector(__builtin_convertvector(bin.im, vf), vd), square = re * re + im * im;
    for (int l = 0; l < LANES && power != 2.0; l++)
        square[l] = power == 1.0 ? sqrt(square[l]) : pow(sqrt(square[l]), power);
    return square;
}

static void put(vd values, int64_t count, double *out)
{
    if (count == LANES) *(vd_unaligned *)(void *)out = values;
    else memcpy(out, &values, (size_t)count * sizeof *out);
}

static void put_filtered(const am_spectrum_job *job, const vd *bins, int64_t first, int64_t count)
{
    const am_spectrogram_options *o = job->options;
    for (int64_t m = 0; m < o->mel_count; m++) {
        vd sum = {0};
        for (int64_t k = job->mel_ranges[2 * m]; k < job->mel_ranges[2 * m + 1]; k++)
            sum += bins[k] * o->mel_filters[k * o->mel_count + m];
        for (int l = 0; l < LANES; l++) sum[l] = sum[l] > o->mel_floor ? sum[l] : o->mel_floor;
        put(sum, count, job->out + m * job->frames + first);
    }
}

static int64_t spectrum_scratch(const am_fft *fft)
{
    return (fft->length + 3 * (fft->length / 2 + 1)) * LANES + fft_scratch(fft);
}

static void spectrum(const am_spectrum_job *job, int64_t first, int64_t count, double *scratch)
{
    const am_spectrogram_options *o = job->options;
    int64_t length = job->fft->length, bins = length / 2 + 1;
    vd *frame = (vd *)(void *)scratch, *powers = frame + length;
    complexes *spectra = (complexes *)(void *)(powers + bins);
    read_frames(job, first, count, frame);
    prepare_frames(o, frame);
    fft_real(job->fft, (const double *)frame, (double *)(spectra + bins), (double *)spectra);
    for (int64_t k = 0; k < bins; k++) powers[k] = magnitudes(spectra[k], o->power);
    if (o->mel_filters) put_filtered(job, powers, first, count);
    for (int64_t k = 0; k < bins && !o->mel_filters; k++) put(powers[k], count, job->out + k * job->frames + first);
}

extern const am_spectrum_routines JOIN(am_spectrum_routines_, AM_ISA);
const am_spectrum_routines JOIN(am_spectrum_routines_, AM_ISA) = {
    .lanes = LANES,
    .fft_scratch = fft_scratch,
    .fft_real = fft_real,
    .spectrum_scratch = spectrum_scratch,
    .spectrum = spectrum,
};
