#include "runtime/quantize.h"

#include "base/memory.h"
#include "base/memory_limit.h"
#include "base/threads.h"

#include <math.h>
#include <string.h>

enum { C = AM_QUANTIZED_COLUMNS, GROUP = 32, GROUP_LIMIT = 2048 };

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

/* One group and the best found so far. */
typedef struct search {
    const float *w;
    int64_t count; /* a multiple of LANES */
    uint16_t scale;
    int zero;
    float error;
} search;

static float load_scale(uint16_t scale)
{
    return am_bf16_to_f32(scale);
}

/* --- 4 bits --- */

static four limit(four x, float low, float high)
{
    four_whole below = x<low, above = x> high;
    four lowest = low - (four){0}, highest = high - (four){0};
    return (four)(((four_whole)x & ~below & ~above) | ((four_whole)lowest & below) | ((four_whole)highest & above));
}

/* To the nearest whole number, of two the even one; |x| < 2^22. */
static four nearest(four x)
{
    return (x + 0x1.8p23f) - 0x1.8p23f;
}

/* Numbers 0 .. 15 that stand for four of the group. */
static four halves_of(const float *w, float inverse, float zero)
{
    four x;
    memcpy(&x, w, sizeof x);
    return nearest(limit(x * inverse + zero, 0, 15));
}

static void try_scale(search *s, float scale, int zero)
{
    uint16_t stored = am_f32_to_bf16(scale);
    float step = load_scale(stored), inverse = 1 / step, from = (float)zero;
    four sums = {0};
    if (!(fabsf(step) >= SMALLEST / 16)) return;
    for (int64_t k = 0; k < s->count; k += LANES) {
        four x;
        memcpy(&x, s->w + k, sizeof x);
        four rest = x - (halves_of(s->w + k, inverse, from) - from) * step;
        sums += rest * rest;
    }
    float error = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    if (error < s->error) *s = (search){s->w, s->count, stored, zero, error};
}

/* The scale that fits best to the numbers that the best one gives. */
static void refine(search *s)
{
    float inverse = 1 / load_scale(s->scale), zero = (float)s->zero;
    four products = {0}, squares = {0};
    for (int64_t k = 0; k < s->count; k += LANES) {
        four x, q = halves_of(s->w + k, inverse, zero) - zero;
        memcpy(&x, s->w + k, sizeof x);
        products += x * q;
        squares += q * q;
    }
    float square = (squares[0] + squares[1]) + (squares[2] + squares[3]);
    if (square > 0) try_scale(s, ((products[0] + products[1]) + (products[2] + products[3])) / square, s->zero);
}

/* The number that is furthest from 0 becomes -8, or a little less or more. */
static void search_symmetric(search *s, float furthest)
{
    enum { STEPS = 13 };
    s->zero = 8;
    for (int i = 0; i < STEPS; i++) try_scale(s, furthest / -(7.0f + 0.2f * (float)i), 8);
}

/* The whole range, or less of it. */
static void search_asymmetric(search *s, float low, float high)
{
    enum { STEPS = 8 };
    float zero = low < high ? -low / (high - low) * 15 : 0;
    for (int i = 0; i < STEPS; i++) {
        float scale = (high - low) * (1 - 0.04f * (float)i) / 15;
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
    extent e = {0, 0, true};
    for (int64_t k = 0; k < count; k++) {
        if (!isfinite(w[k])) e.is_finite = false;
        if (w[k] < e.low) e.low = w[k];
        if (w[k] > e.high) e.high = w[k];
    }
    return e;
}

static search find_scale(const float *w, int64_t count, const am_weight_format *format)
{
    extent e = extent_of(w, count);
    float furthest = -e.low > e.high ? e.low : e.high;
    search s = {w, count, 0, format->bits == 8 ? 128 : 8, INFINITY};
    if (!e.is_finite) s.scale = am_f32_to_bf16(NAN);
    else if (fabsf(furthest) < SMALLEST) s.scale = 0;
    else if (format->bits == 8) s.scale = am_f32_to_bf16(fabsf(furthest) / 127);
    else {
        if (format->asymmetric) search_asymmetric(&s, e.low, e.high);
        else search_symmetric(&s, furthest);
        refine(&s);
    }
    return s;
}

/* Number 0 .. 2^bits - 1 of w; the zero point where the scale is 0 or NaN. */
static uint8_t number_of(float w, float inverse, int zero, int bits)
{
    float low = bits == 8 ? 1 : 0, high = bits == 8 ? 255 : 15;
    float q = nearbyintf(w * inverse + (float)zero);
    return (uint8_t)(q < low ? low : q > high ? high : q);
}

/* --- panels --- */

typedef struct work {
    const am_tensor *source;
    const am_weight_format *format;
    bool in_out;
    am_quantized_weight *to;
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

static void write_group(const work *w, int64_t n, int64_t k0, const float *numbers)
{
    const am_quantized_weight *to = w->to;
    int64_t panel = n / C, c = n % C, at = (panel * (to->K / to->group) + k0 / to->group) * C + c;
    search best = find_scale(numbers, to->group, w->format);
    float step = load_scale(best.scale), inverse = step < 0 || step > 0 ? 1 / step : 0;
    to->scales[at] = best.scale;
    if (to->zero_points) to->zero_points[at] = (uint8_t)best.zero;
    for (int64_t i = 0; i < to->group; i++) {
        int64_t k = k0 + i, together = to->bits == 8 ? 4 : 8;
        uint8_t q = inverse == 0 ? (uint8_t)best.zero : number_of(numbers[i], inverse, best.zero, to->bits);
        uint8_t *byte = &to->weight[((panel * (to->K / together) + k / together) * C + c) * 4 + k % 4];
        if (to->bits == 8 || k % 8 < 4) *byte = q;
        else *byte = (uint8_t)(*byte | q << 4);
    }
}

/* Columns that the weight does not have are zeros. */
static void clear_column(const am_quantized_weight *to, int64_t n)
{
    int64_t panel = n / C, c = n % C, groups = to->K / to->group, steps = to->K / (to->bits == 8 ? 4 : 8);
    for (int64_t g = 0; g < groups; g++) {
        to->scales[(panel * groups + g) * C + c] = 0;
        if (to->zero_points) to->zero_points[(panel * groups + g) * C + c] = 0;
    }
    for (int64_t i = 0; i < steps; i++) memset(&to->weight[((panel * steps + i) * C + c) * 4], 0, 4);
}

static void quantize_panels(void *context, int64_t begin, int64_t end)
{
    const work *w = context;
    float numbers[GROUP_LIMIT];
    for (int64_t n = begin * C; n < end * C; n++) {
        if (n >= w->to->N) clear_column(w->to, n);
        for (int64_t k = 0; k < w->to->K && n < w->to->N; k += w->to->group) {
            read_group(w, n, k, numbers);
            write_group(w, n, k, numbers);
        }
    }
}

am_status am_quantize(const am_tensor *source, bool in_out, const am_weight_format *format, am_quantized_weight *out)
{
    int64_t N = source->shape.dims[in_out ? 1 : 0], K = source->shape.dims[in_out ? 0 : 1], panels = (N + C - 1) / C;
    *out = (am_quantized_weight){.N = N, .K = K, .bits = format->bits, .group = am_quantized_group(K, format->bits)};
    size_t numbers = (size_t)(panels * C * K) * (size_t)format->bits / 8,
           groups = (size_t)(panels * C * K / out->group);
    out->bytes = numbers + groups * (sizeof *out->scales + (format->asymmetric ? 1 : 0));
    AM_TRY(am_memory_check(out->bytes, "a quantized weight"));
    out->weight = am_alloc_large(numbers);
    out->scales = am_alloc_aligned(groups * sizeof *out->scales);
    out->zero_points = format->asymmetric ? am_alloc_aligned(groups) : NULL;
    if (!out->weight || !out->scales || (format->asymmetric && !out->zero_points)) {
        am_quantized_weight_deinit(out);
        return am_out_of_memory();
    }
    am_parallel_for(panels, 1, quantize_panels, &(work){source, format, in_out, out});
    return NULL;
}

void am_quantized_weight_deinit(am_quantized_weight *w)
{
    am_free_aligned(w->weight);
    am_free_aligned(w->scales);
    am_free_aligned(w->zero_points);
    *w = (am_quantized_weight){0};
}
