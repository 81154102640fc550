#include "runtime/quantize.h"

#include "base/memory.h"
#include "base/memory_limit.h"
#include "base/threads.h"
#include "targets/cpu/weight_cache.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* VERSION: another one wherever other bytes come out of the same weight, as they are kept on disks. */
enum { C = AM_QUANTIZED_COLUMNS, GROUP = 32, GROUP_LIMIT = 2048, VERSION = 1 };

/* Below it a group is zero: what it would contribute is lost in any sum of normal floats. */
#define SMALLEST 0x1p-100f

int64_t am_quantized_group(int64_t K, int bits)
{
    if (K < 1 || K % (bits == 8 ? 4 : 8)) return 0;
    if (K % GROUP == 0) return GROUP;
    return K <= GROUP_LIMIT ? K : 0;
}

/* Four numbers at once, on every processor. */
typedef float four __attribute__((vector_size(16)));
typedef int32_t four_whole __attribute__((vector_size(16)));
enum { LANES = 4 };

/* A group as shares of the number that is furthest from 0, and the best found so far. */
typedef struct search {
    float shares[GROUP_LIMIT];
    int64_t count; /* a multiple of LANES */
    float scale;   /* of shares */
    int zero;
    float fit; /* what of the sum of squares is explained */
} search;

static float load_scale(uint16_t scale)
{
    return am_bf16_to_f32(scale);
}

static four load_four(const float *w)
{
    four x;
    memcpy(&x, w, sizeof x);
    return x;
}

static four positive(four x)
{
    return (four)((four_whole)x & INT32_MAX);
}

/* Whole numbers brought to 0 .. most; exact, as all are small. */
static four limit(four x, float most)
{
    return (positive(x) - positive(x - most) + most) * 0.5f;
}

/* To the nearest whole number, of two the even one; |x| < 2^22. */
static four nearest(four x)
{
    return (x + 0x1.8p23f) - 0x1.8p23f;
}

static float sum_of(four x)
{
    return (x[0] + x[1]) + (x[2] + x[3]);
}

/* --- 4 bits --- */

/* Numbers 0 .. 15 that stand for four of the group. */
static four halves_of(const float *w, float inverse, float zero)
{
    return limit(nearest(load_four(w) * inverse + zero), 15);
}

/* Keeps the scale that fits best to the numbers which `scale` gives, if it leaves less error than what is kept: of all
   scales for numbers q of x that is sum(x q) / sum(q q), and explains sum(x q)^2 / sum(q q) of the squares. */
static void try_scale(search *s, float scale, int zero)
{
    float inverse = 1 / scale, from = (float)zero;
    four products = {0}, squares = {0};
    for (int64_t k = 0; k < s->count; k += LANES) {
        four q = halves_of(s->shares + k, inverse, from) - from;
        products += load_four(s->shares + k) * q;
        squares += q * q;
    }
    float product = sum_of(products), square = sum_of(squares), fit = square > 0 ? product / square * product : 0;
    if (!(fit > s->fit)) return;
    s->scale = product / square, s->zero = zero, s->fit = fit;
}

/* The number that is furthest from 0 becomes -8, or a little less or more. */
static void search_symmetric(search *s)
{
    static const float reaches[] = {8, 7.6f, 8.4f, 7.2f, 8.8f, 9.2f};
    for (size_t i = 0; i < sizeof reaches / sizeof *reaches; i++) try_scale(s, -1 / reaches[i], 8);
}

/* The whole range, or less of it. */
static void search_asymmetric(search *s, float low, float high)
{
    enum { STEPS = 4 };
    float zero = -low / (high - low) * 15;
    for (int i = 0; i < STEPS; i++) {
        float scale = (high - low) * (1 - 0.08f * (float)i) / 15;
        try_scale(s, scale, (int)floorf(zero));
        try_scale(s, scale, (int)ceilf(zero));
    }
}

/* --- a group --- */

typedef struct extent {
    float low, high; /* 0 is between them */
    bool is_finite;
} extent;

static extent extent_of(const float *w, int64_t count)
{
    extent e = {0};
    four low = {0}, high = {0}, rest = {0};
    for (int64_t k = 0; k < count; k += LANES) {
        four x = load_four(w + k);
        four_whole below = x < low;
        four_whole above = x > high;
        low = (four)(((four_whole)x & below) | ((four_whole)low & ~below));
        high = (four)(((four_whole)x & above) | ((four_whole)high & ~above));
        rest += x - x; /* NaN of a NaN and of an infinity */
    }
    for (int i = 0; i < LANES; i++) {
        if (low[i] < e.low) e.low = low[i];
        if (high[i] > e.high) e.high = high[i];
    }
    e.is_finite = sum_of(rest) == 0;
    return e;
}

typedef struct choice {
    uint16_t scale; /* BF16 */
    int zero;
} choice;

static choice search_halves(const float *w, int64_t count, extent e, float furthest, bool asymmetric)
{
    search s;
    float inverse = 1 / furthest, low = e.low * inverse, high = e.high * inverse;
    s.count = count, s.scale = 0, s.zero = 8, s.fit = 0;
    for (int64_t k = 0; k < count; k++) s.shares[k] = w[k] * inverse;
    if (asymmetric) search_asymmetric(&s, low < high ? low : high, low < high ? high : low);
    else search_symmetric(&s);
    return (choice){am_f32_to_bf16(s.scale * furthest), s.zero};
}

static choice find_scale(const float *w, int64_t count, const am_weight_format *format)
{
    extent e = extent_of(w, count);
    float furthest = -e.low > e.high ? e.low : e.high;
    int middle = format->bits == 8 ? 128 : 8;
    if (!e.is_finite) return (choice){am_f32_to_bf16(NAN), middle};
    if (fabsf(furthest) < SMALLEST) return (choice){0, middle};
    if (format->bits == 8) return (choice){am_f32_to_bf16(fabsf(furthest) / 127), middle};
    return search_halves(w, count, e, furthest, format->asymmetric);
}

/* --- panels --- */

typedef struct work {
    const am_tensor *source;
    const am_weight_format *format;
    bool in_out;
    const am_quantized_weight *to;
    uint8_t *weight; /* the three parts of `to`, to be written */
    uint16_t *scales;
    uint8_t *zero_points;
} work;

static void read_group(const work *w, int64_t n, int64_t k0, float *out)
{
    const am_quantized_weight *to = w->to;
    size_t bytes = am_dtype_bytes(w->source->dtype);
    const char *from = w->source->data;
    char numbers[GROUP_LIMIT * sizeof(double)];
    if (!w->in_out) {
        am_convert(AM_F32, out, w->source->dtype, from + (size_t)(n * to->K + k0) * bytes, to->group);
        return;
    }
    for (int64_t k = 0; k < to->group; k++)
        memcpy(numbers + (size_t)k * bytes, from + (size_t)((k0 + k) * to->N + n) * bytes, bytes);
    am_convert(AM_F32, out, w->source->dtype, numbers, to->group);
}

/* Four numbers in the bytes of a column: 8 bits, or 4 and those that are four further along K. */
static void store_four(uint8_t *to, four_whole numbers)
{
    for (int i = 0; i < LANES; i++) to[i] = (uint8_t)numbers[i];
}

static four_whole whole_of(four x)
{
    return __builtin_convertvector(x, four_whole);
}

/* Bytes 1 .. 255: none is further from the middle than 127. */
static void write_bytes(const float *w, float inverse, int64_t count, uint8_t *to)
{
    for (int64_t k = 0; k < count; k += LANES, to += 4 * C)
        store_four(to, whole_of(limit(nearest(load_four(w + k) * inverse + 127), 254)) + 1);
}

static void write_halves(const float *w, float inverse, int zero, int64_t count, uint8_t *to)
{
    float from = (float)zero;
    for (int64_t k = 0; k < count; k += 2 * LANES, to += 4 * C)
        store_four(to, whole_of(halves_of(w + k, inverse, from)) | whole_of(halves_of(w + k + 4, inverse, from)) << 4);
}

/* A group whose scale is 0 or NaN is all zero points. */
static void write_group(const work *w, int64_t n, int64_t k0, const float *numbers)
{
    const am_quantized_weight *to = w->to;
    int64_t panel = n / C, c = n % C, at = (panel * (to->K / to->group) + k0 / to->group) * C + c;
    choice best = find_scale(numbers, to->group, w->format);
    float step = load_scale(best.scale), inverse = step < 0 || step > 0 ? 1 / step : 0;
    float zeros[GROUP_LIMIT];
    w->scales[at] = best.scale;
    if (w->zero_points) w->zero_points[at] = (uint8_t)best.zero;
    if (inverse == 0) {
        memset(zeros, 0, (size_t)to->group * sizeof *zeros);
        numbers = zeros;
    }
    uint8_t *bytes = w->weight + (panel * to->K + k0) * C * to->bits / 8 + c * 4;
    if (to->bits == 8) write_bytes(numbers, inverse, to->group, bytes);
    else write_halves(numbers, inverse, best.zero, to->group, bytes);
}

/* Columns that the weight does not have are zeros. */
static void clear_column(const work *w, int64_t n)
{
    const am_quantized_weight *to = w->to;
    int64_t panel = n / C, c = n % C, groups = to->K / to->group, steps = to->K / (to->bits == 8 ? 4 : 8);
    for (int64_t g = 0; g < groups; g++) {
        w->scales[(panel * groups + g) * C + c] = 0;
        if (w->zero_points) w->zero_points[(panel * groups + g) * C + c] = 0;
    }
    for (int64_t i = 0; i < steps; i++) memset(&w->weight[((panel * steps + i) * C + c) * 4], 0, 4);
}

static void quantize_panels(void *context, int64_t begin, int64_t end)
{
    const work *w = context;
    float numbers[GROUP_LIMIT];
    for (int64_t n = begin * C; n < end * C; n++) {
        if (n >= w->to->N) clear_column(w, n);
        for (int64_t k = 0; k < w->to->K && n < w->to->N; k += w->to->group) {
            read_group(w, n, k, numbers);
            write_group(w, n, k, numbers);
        }
    }
}

/* --- whole weights --- */

typedef struct sizes {
    size_t weight, scales, zero_points;
} sizes;

static sizes sizes_of(const am_quantized_weight *w, bool asymmetric)
{
    size_t numbers = (size_t)((w->N + C - 1) / C * C * w->K), groups = numbers / (size_t)w->group;
    return (sizes){numbers * (size_t)w->bits / 8, groups * sizeof *w->scales, asymmetric ? groups : 0};
}

static void place(am_quantized_weight *w, const void *data, const sizes *s)
{
    const uint8_t *bytes = data;
    w->weight = bytes;
    w->scales = (const uint16_t *)(const void *)(bytes + s->weight);
    w->zero_points = s->zero_points ? bytes + s->weight + s->scales : NULL;
}

static am_weight_form form_of(const am_tensor *source, bool in_out, const am_weight_format *format, size_t bytes)
{
    am_weight_form form = {source->data, am_tensor_bytes(source->dtype, &source->shape), {0}, bytes};
    char text[256];
    int length = snprintf(text, sizeof text, "quantized %d %d %d %d %s %lld %lld", VERSION, format->bits,
                          format->asymmetric, in_out, am_dtype_name(source->dtype), (long long)source->shape.dims[0],
                          (long long)source->shape.dims[1]);
    am_sha256_of(text, (size_t)length, form.form);
    return form;
}

static am_status make(const am_tensor *source, bool in_out, const am_weight_format *format, const sizes *s,
                      am_quantized_weight *out)
{
    AM_TRY(am_memory_check(out->bytes, "a quantized weight"));
    out->own = am_alloc_large(out->bytes);
    if (!out->own) return am_out_of_memory();
    place(out, out->own, s);
    work job = {.source = source, .format = format, .in_out = in_out, .to = out, .weight = out->own};
    job.scales = (uint16_t *)(void *)(job.weight + s->weight);
    job.zero_points = s->zero_points ? job.weight + s->weight + s->scales : NULL;
    am_parallel_for((out->N + C - 1) / C, 1, quantize_panels, &job);
    return NULL;
}

am_status am_quantize(const am_tensor *source, bool in_out, const am_weight_format *format, am_quantized_weight *out)
{
    int64_t N = source->shape.dims[in_out ? 1 : 0], K = source->shape.dims[in_out ? 0 : 1];
    *out = (am_quantized_weight){.N = N, .K = K, .bits = format->bits, .group = am_quantized_group(K, format->bits)};
    sizes s = sizes_of(out, format->asymmetric);
    out->bytes = s.weight + s.scales + s.zero_points;
    am_weight_form form = form_of(source, in_out, format, out->bytes);
    const void *kept = am_weight_cache_map(&form);
    if (kept) {
        place(out, kept, &s);
        return NULL;
    }
    AM_TRY(make(source, in_out, format, &s, out));
    am_weight_cache_keep(&form, out->own);
    return NULL;
}

void am_quantized_weight_deinit(am_quantized_weight *w)
{
    am_weight_cache_end(w->weight, w->own, w->bytes);
    *w = (am_quantized_weight){0};
}
