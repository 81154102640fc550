#include "plain.h"

#include "graph/ops.h"
#include "targets/cpu/kernels/attention.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 16, BLOCK = 64 };

/* --- products --- */

static double load(am_dtype dtype, const void *x, int64_t at)
{
    if (dtype == AM_F32) return (double)((const float *)x)[at];
    uint16_t bits = ((const uint16_t *)x)[at];
    return (double)(dtype == AM_BF16 ? am_bf16_to_f32(bits) : am_f16_to_f32(bits));
}

/* c[m, n] = first + sum_k a[m, k] b[k, n], b's rows and columns `row` and `column` apart. */
static void multiply(int64_t M, int64_t N, int64_t K, const float *a, int64_t lda, const void *b, am_dtype dtype,
                     int64_t row, int64_t column, float *c, int64_t ldc, bool accumulate)
{
    for (int64_t m = 0; m < M; m++)
        for (int64_t n = 0; n < N; n++) {
            double sum = accumulate ? (double)c[m * ldc + n] : 0;
            for (int64_t k = 0; k < K; k++) sum += (double)a[m * lda + k] * load(dtype, b, k * row + n * column);
            c[m * ldc + n] = (float)sum;
        }
}

static void gemm_nt(int64_t M, int64_t N, int64_t K, const float *a, int64_t lda, const void *b, int64_t ldb,
                    am_dtype dtype, float *c, int64_t ldc)
{
    multiply(M, N, K, a, lda, b, dtype, 1, ldb, c, ldc, false);
}

static void gemm_nn(int64_t M, int64_t N, int64_t K, const float *a, int64_t lda, const float *b, int64_t ldb, float *c,
                    int64_t ldc, bool accumulate)
{
    multiply(M, N, K, a, lda, b, AM_F32, ldb, 1, c, ldc, accumulate);
}

static void pack_panel(const void *w, am_dtype dtype, int64_t row, int64_t column, int64_t K, int64_t columns,
                       void *panel)
{
    size_t bytes = dtype == AM_F32 ? 4 : 2;
    for (int64_t k = 0; k < K; k++)
        for (int64_t j = 0; j < COLUMNS; j++) {
            char *to = (char *)panel + (size_t)(k * COLUMNS + j) * bytes;
            if (j < columns) memcpy(to, (const char *)w + (size_t)(k * row + j * column) * bytes, bytes);
            else memset(to, 0, bytes);
        }
}

static void gemm_panel(int64_t M, int64_t columns, int64_t K, const float *a, int64_t lda, const void *panel,
                       am_dtype dtype, const void *next, float *c, int64_t ldc, bool accumulate)
{
    (void)next;
    multiply(M, columns, K, a, lda, panel, dtype, COLUMNS, 1, c, ldc, accumulate);
}

static void affine(float *y, const float *residual, int64_t stride, int64_t rows, int64_t count, const float *factors,
                   const float *terms, bool relu)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = 0; k < count; k++) {
            double sum =
                (double)y[i * stride + k] * (factors ? (double)factors[k] : 1) + (terms ? (double)terms[k] : 0);
            if (residual) sum += (double)residual[i * stride + k];
            y[i * stride + k] = (float)(relu ? am_unary_real(AM_RELU, sum) : sum);
        }
}

/* The first or the second number of a pair. */
static float half_of(am_pair pair, int64_t which)
{
    return am_bf16_to_f32((uint16_t)(which ? pair >> 16 : pair & 0xffff));
}

static void gemm_pairs(int64_t M, int64_t columns, int64_t K, const am_pair *a, int64_t lda, const am_pair *panel,
                       const am_pair *next, float *c, int64_t ldc, bool accumulate, const am_ending *ending)
{
    (void)next;
    for (int64_t m = 0; m < M; m++)
        for (int64_t n = 0; n < columns; n++) {
            double sum = accumulate ? (double)c[m * ldc + n] : 0;
            for (int64_t k = 0; k < 2 * K; k++)
                sum += (double)half_of(a[m * lda + k / 2], k % 2) * (double)half_of(panel[k / 2 * COLUMNS + n], k % 2);
            c[m * ldc + n] = (float)sum;
        }
    if (ending) affine(c, ending->residual, ldc, M, columns, ending->factors, ending->terms, ending->relu);
}

static void round_pairs(const float *x, int64_t count, am_pair *pairs)
{
    for (int64_t i = 0; i < count; i += 2)
        pairs[i / 2] = am_f32_to_bf16(x[i]) | (i + 1 < count ? (am_pair)am_f32_to_bf16(x[i + 1]) << 16 : 0);
}

static void round_function(am_unary_fn fn, const float *x, const float *z, int64_t count, am_pair *pairs)
{
    for (int64_t i = 0; i < count; i++) {
        float y = (float)am_unary_real(fn, (double)x[i]);
        uint16_t half = am_f32_to_bf16(z ? y * z[i] : y);
        pairs[i / 2] = i % 2 ? pairs[i / 2] | (am_pair)half << 16 : half;
    }
}

static void pack_pairs(const void *w, am_dtype dtype, int64_t row, int64_t column, int64_t K, int64_t columns,
                       am_pair *panel)
{
    for (int64_t k = 0; k < K; k += 2)
        for (int64_t j = 0; j < COLUMNS; j++) {
            int64_t at = k * row + j * column, count = K - k < 2 ? 1 : 2;
            float numbers[2] = {0};
            for (int64_t i = 0; i < count && j < columns; i++) numbers[i] = (float)load(dtype, w, at + i * row);
            round_pairs(numbers, 2, &panel[k / 2 * COLUMNS + j]);
        }
}

static void taps(const float *x, const int64_t *offsets, const float *weights, int64_t count_of_taps, float bias,
                 float *y, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        double sum = (double)bias;
        for (int64_t t = 0; t < count_of_taps; t++) sum += (double)weights[t] * (double)x[offsets[t] + i];
        y[i] = (float)sum;
    }
}

static void filter(const float *x, int64_t x_place, const int64_t *offsets, const float *weights, int64_t row,
                   int64_t count_of_taps, float *y, int64_t y_place, int64_t count, int64_t channels)
{
    for (int64_t i = 0; i < count; i++)
        for (int64_t c = 0; c < channels; c++) {
            double sum = 0;
            for (int64_t t = 0; t < count_of_taps; t++)
                sum += (double)weights[t * row + c] * (double)x[offsets[t] + i * x_place + c];
            y[i * y_place + c] = (float)sum;
        }
}

/* --- transforms --- */

static const int of_places[4][4] = {{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}};
static const int of_sums[2][4] = {{1, 1, 1, 0}, {0, 1, -1, -1}};

/* rows x (numbers of 4 x 4) x columns'. */
static double transformed(const int *rows, const int *columns, const double *numbers)
{
    double sum = 0;
    for (int k = 0; k < 16; k++)
        if (rows[k / 4] && columns[k % 4]) sum += rows[k / 4] * columns[k % 4] * numbers[k];
    return sum;
}

static void winograd_places(am_dtype from, am_dtype to, const void *const *places, void *parts, int64_t part,
                            int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        for (int k = 0; k < 16; k++) {
            double numbers[16];
            for (int n = 0; n < 16; n++) numbers[n] = load(from, places[n], i);
            float y = (float)transformed(of_places[k / 4], of_places[k % 4], numbers);
            if (to == AM_F32) ((float *)parts)[k * part + i] = y;
            else ((uint16_t *)parts)[k * part + i] = am_f32_to_bf16(y);
        }
}

static void winograd_results(const float *sums, int64_t part, int64_t count, float *to, int64_t row, int64_t place,
                             int rows, int places, const am_ending *ending)
{
    for (int r = 0; r < rows; r++)
        for (int x = 0; x < places; x++) {
            int64_t at = r * row + x * place;
            for (int64_t i = 0; i < count; i++) {
                double numbers[16];
                for (int k = 0; k < 16; k++) numbers[k] = (double)sums[k * part + i];
                to[at + i] = (float)transformed(of_sums[r], of_sums[x], numbers);
            }
            affine(to + at, ending->residual ? ending->residual + at : NULL, 0, 1, count, ending->factors,
                   ending->terms, ending->relu);
        }
}

/* --- single elements --- */

static void gemm_panel_ending(int64_t M, int64_t columns, int64_t K, const float *a, int64_t lda, const void *panel,
                              am_dtype dtype, const void *next, float *c, int64_t ldc, bool accumulate,
                              const am_ending *ending)
{
    gemm_panel(M, columns, K, a, lda, panel, dtype, next, c, ldc, accumulate);
    affine(c, ending->residual, ldc, M, columns, ending->factors, ending->terms, ending->relu);
}

static bool unary(am_unary_fn fn, const float *x, float *y, int64_t count)
{
    for (int64_t i = 0; i < count; i++) y[i] = (float)am_unary_real(fn, (double)x[i]);
    return false;
}

static void gated(am_unary_fn fn, const float *x, const float *z, float *y, int64_t count)
{
    for (int64_t i = 0; i < count; i++) y[i] = (float)am_unary_real(fn, (double)x[i]) * z[i];
}

static void finish(float *c, const float *bias, const float *residual, am_unary_fn fn, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        float x = bias ? c[i] + bias[i] : c[i], y = (float)am_unary_real(fn, (double)x);
        c[i] = residual ? y + residual[i] : y;
    }
}

static bool binary(am_binary_fn fn, const float *x, bool x_repeats, const float *y, bool y_repeats, float *z,
                   int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        z[i] = (float)am_binary_real(fn, (double)x[x_repeats ? 0 : i], (double)y[y_repeats ? 0 : i]);
    return false;
}

static void scale(const float *x, float factor, float term, float *y, int64_t count)
{
    for (int64_t i = 0; i < count; i++) y[i] = (float)((double)x[i] * (double)factor + (double)term);
}

static void rope(const float *x, const float *cosines, const float *sines, float *y, int64_t half, bool interleaved)
{
    for (int64_t i = 0; i < half; i++) {
        int64_t first = interleaved ? 2 * i : i, second = interleaved ? 2 * i + 1 : i + half;
        double a = (double)x[first], b = (double)x[second];
        y[first] = (float)(a * (double)cosines[i] - b * (double)sines[i]);
        y[second] = (float)(b * (double)cosines[i] + a * (double)sines[i]);
    }
}

static void widen(am_dtype dtype, const void *x, float *y, int64_t count)
{
    for (int64_t i = 0; i < count; i++) y[i] = (float)load(dtype, x, i);
}

/* --- rows --- */

static double sum_of(const float *x, int64_t count)
{
    double total = 0;
    for (int64_t i = 0; i < count; i++) total += (double)x[i];
    return total;
}

/* Of (x - shift)^2. */
static double squares_of(const float *x, double shift, int64_t count)
{
    double total = 0;
    for (int64_t i = 0; i < count; i++) total += ((double)x[i] - shift) * ((double)x[i] - shift);
    return total;
}

static float sum(const float *x, int64_t count)
{
    return (float)sum_of(x, count);
}

static float largest(const float *x, int64_t count)
{
    float most = -INFINITY;
    for (int64_t i = 0; i < count; i++) most = x[i] > most || x[i] != x[i] ? x[i] : most;
    return most;
}

static void moments(const float *x, int64_t count, double *mean, double *variance)
{
    *mean = sum_of(x, count) / (double)count;
    *variance = squares_of(x, *mean, count) / (double)count;
}

static void layer_norm(const float *x, const float *weight, const float *bias, float *y, int64_t count, float eps)
{
    double mean, variance;
    moments(x, count, &mean, &variance);
    double factor = 1 / sqrt(variance + (double)eps);
    for (int64_t i = 0; i < count; i++)
        y[i] =
            (float)(((double)x[i] - mean) * factor * (weight ? (double)weight[i] : 1) + (bias ? (double)bias[i] : 0));
}

static void rms_norm(const float *x, const float *weight, float weight_offset, float *y, int64_t count, float eps)
{
    double factor = 1 / sqrt(squares_of(x, 0, count) / (double)count + (double)eps);
    for (int64_t i = 0; i < count; i++)
        y[i] = (float)((double)x[i] * factor * (weight ? (double)weight[i] + (double)weight_offset : 1));
}

static void softmax(const float *x, float *y, int64_t count, bool log_form)
{
    double most = (double)largest(x, count), total = 0;
    for (int64_t i = 0; i < count; i++) total += exp((double)x[i] - most);
    for (int64_t i = 0; i < count; i++) {
        double d = (double)x[i] - most;
        y[i] = (float)(log_form ? d - log(total) : exp(d) / total);
    }
}

/* --- attention --- */

static bool sees(const am_attention_problem *p, int64_t b, int64_t h, int64_t t, int64_t s)
{
    const int64_t *strides = p->mask_strides;
    int64_t i = p->first_position + t;
    if (p->mask && !p->mask[b * strides[0] + h * strides[1] + t * strides[2] + s * strides[3]]) return false;
    if (p->causal && s > i) return false;
    return !p->window || (i - s < p->window && (p->causal || s - i < p->window));
}

/* As it is multiplied. */
static double operand(const am_attention_problem *p, float x)
{
    return (double)(p->has_pairs ? am_bf16_to_f32(am_f32_to_bf16(x)) : x);
}

static double score(const am_attention_problem *p, int64_t b, int64_t h, int64_t t, int64_t s)
{
    const int64_t *strides = p->bias_strides;
    const float *q = p->q + ((b * p->T + t) * p->H + h) * p->D,
                *k = p->k + ((b * p->S + s) * p->G + h / (p->H / p->G)) * p->D;
    double product = 0;
    if (!sees(p, b, h, t, s)) return -(double)FLT_MAX;
    for (int64_t d = 0; d < p->D; d++) product += operand(p, q[d]) * operand(p, k[d]);
    product *= (double)p->scale;
    if (p->soft_cap != 0) product = (double)p->soft_cap * tanh(product / (double)p->soft_cap);
    return product + (p->bias ? (double)p->bias[b * strides[0] + h * strides[1] + t * strides[2] + s * strides[3]] : 0);
}

/* Scores are computed three times rather than kept. */
static void attend(const am_attention_problem *p, int64_t b, int64_t h, int64_t t)
{
    double most = p->sinks ? (double)p->sinks[h] : -INFINITY, total = 0;
    for (int64_t s = 0; s < p->keys; s++) most = fmax(most, score(p, b, h, t, s));
    for (int64_t s = 0; s < p->keys; s++) total += exp(score(p, b, h, t, s) - most);
    if (p->sinks) total += exp((double)p->sinks[h] - most);
    for (int64_t e0 = 0; e0 < p->E; e0 += BLOCK) {
        double y[BLOCK] = {0};
        int64_t count = p->E - e0 < BLOCK ? p->E - e0 : BLOCK;
        for (int64_t s = 0; s < p->keys; s++) {
            double weight = exp(score(p, b, h, t, s) - most) / total;
            const float *v = p->v + ((b * p->S + s) * p->G + h / (p->H / p->G)) * p->E + e0;
            for (int64_t e = 0; e < count; e++) y[e] += weight * operand(p, v[e]);
        }
        for (int64_t e = 0; e < count; e++) p->y[((b * p->T + t) * p->H + h) * p->E + e0 + e] = (float)y[e];
    }
}

static void attention(const am_attention_problem *p, int64_t b, int64_t h, int64_t t0, int64_t t1)
{
    for (int64_t t = t0; t < t1; t++) attend(p, b, h, t);
}

/* --- weights of 8 and 4 bits: the same bits as every level, so in floats --- */

static void quantize(const float *x, int64_t count, int bits, void *numbers, float *scales, int16_t *middle)
{
    (void)bits;
    int8_t *q = numbers;
    for (int64_t g = 0; g < count / AM_ACTIVATION_GROUP; g++, x += AM_ACTIVATION_GROUP, q += AM_ACTIVATION_GROUP) {
        float most = 0;
        int sums[2] = {0};
        for (int i = 0; i < AM_ACTIVATION_GROUP; i++)
            most = isnan(x[i]) ? NAN : fabsf(x[i]) > most ? fabsf(x[i]) : most;
        bool rounds = most >= 0x1p-100f && isfinite(most);
        for (int i = 0; i < AM_ACTIVATION_GROUP; i++) {
            q[i] = rounds ? (int8_t)nearbyintf(x[i] * (127 / most)) : 0;
            sums[i / 2 % 2] += q[i];
        }
        scales[g] = rounds ? most / 127 : isfinite(most) ? 0 : NAN;
        for (int i = 0; i < 2; i++) middle[2 * g + i] = (int16_t)(-8 * sums[i]);
    }
}

/* Number k of column c, from its zero point. */
static int whole_at(const am_quantized_panel *p, int bits, int64_t c, int64_t k)
{
    int64_t step = bits == 8 ? 4 : 8, at = (k / step * AM_QUANTIZED_COLUMNS + c) * 4 + k % 4;
    int64_t of_scales = k / p->group * AM_QUANTIZED_COLUMNS + c;
    int q = bits == 8 ? p->weight[at] : p->weight[at] >> (k % 8 / 4 * 4) & 15;
    return q - (p->zero_points ? p->zero_points[of_scales] : bits == 8 ? 128 : 8);
}

static float dot_quantized(const am_quantized_panel *p, int bits, int64_t c, const int8_t *q, const float *scales)
{
    float sum = 0;
    for (int64_t k0 = 0; k0 < p->K; k0 += AM_ACTIVATION_GROUP) {
        int whole = 0;
        float scale = (float)load(p->scale_dtype, p->scales, k0 / p->group * AM_QUANTIZED_COLUMNS + c);
        for (int64_t k = k0; k < k0 + AM_ACTIVATION_GROUP; k++) whole += whole_at(p, bits, c, k) * q[k];
        sum += (float)whole * (scale * scales[k0 / AM_ACTIVATION_GROUP]);
    }
    return sum;
}

static void gemm_quantized(int64_t M, int bits, const am_quantized_panel *panel, const am_quantized_rows *x, float *c,
                           int64_t ldc)
{
    for (int64_t m = 0; m < M; m++)
        for (int64_t n = 0; n < panel->columns; n++)
            c[m * ldc + n] = dot_quantized(panel, bits, n, (const int8_t *)(x->numbers + m * panel->K),
                                           x->scales + m * (panel->K / AM_ACTIVATION_GROUP));
}

const am_micro plain_micro = {
    .name = "plain",
    .gemm_nt = gemm_nt,
    .gemm_nn = gemm_nn,
    .panel_columns = COLUMNS,
    .pack_panel = pack_panel,
    .gemm_panel = gemm_panel,
    .gemm_panel_ending = gemm_panel_ending,
    .gemm_pairs = gemm_pairs,
    .round_pairs = round_pairs,
    .round_function = round_function,
    .pack_pairs = pack_pairs,
    .quantize = quantize,
    .gemm_quantized = gemm_quantized,
    .taps = taps,
    .filter = filter,
    .winograd_places = winograd_places,
    .winograd_results = winograd_results,
    .affine = affine,
    .finish = finish,
    .unary = unary,
    .gated = gated,
    .binary = binary,
    .layer_norm = layer_norm,
    .rms_norm = rms_norm,
    .moments = moments,
    .scale = scale,
    .softmax = softmax,
    .sum = sum,
    .largest = largest,
    .rope = rope,
    .widen = widen,
    .attention = attention,
};
