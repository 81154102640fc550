/* The vector routines of every level this cpu has, against plain loops in doubles. Every array ends where the next page
   cannot be touched, or begins where the one before cannot, so a read or write outside of it ends the test. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "test_support.h"

#include "targets/cpu/isa.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { GUARDED_PAGES = 64, WIDEST = 16 };

static const int64_t counts[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 11, 15, 16, 17, 19, 31, 32, 33, 35, 63, 64, 65, 1000};
#define FOR_EACH_COUNT(n)                                                                                              \
    for (size_t n##_i = 0; n##_i < sizeof counts / sizeof *counts; n##_i++)                                            \
        for (int64_t n = counts[n##_i], n##_once = 1; n##_once; n##_once = 0)

/* A sum of `terms` products in float is off by at most one rounding for each product and each addition, in whatever
   order, relative to the sum of the magnitudes; a denormal result by as much as the least float for each. */
static double tolerance(int64_t terms, double magnitude)
{
    return (double)(2 * terms + 2) * (ldexp(1, -24) * magnitude + ldexp(1, -149));
}

/* `size` bytes between two pages that cannot be touched: against the second, or against the first. */
typedef struct guarded {
    unsigned char *pages, *data;
    size_t page;
} guarded;

static guarded guarded_new(size_t size, bool at_end)
{
    guarded g = {.page = (size_t)sysconf(_SC_PAGESIZE)};
    size_t room = GUARDED_PAGES * g.page;
    assert_true(size <= room);
    g.pages = mmap(NULL, room + 2 * g.page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(g.pages != MAP_FAILED);
    assert_int_equal(mprotect(g.pages + g.page, room, PROT_READ | PROT_WRITE), 0);
    g.data = g.pages + g.page + (at_end ? room - size : 0);
    return g;
}

static void guarded_free(guarded *g)
{
    assert_int_equal(munmap(g->pages, (GUARDED_PAGES + 2) * g->page), 0);
}

/* Numbers of both signs and of magnitudes from 2^-12 to 2^3. */
static float number(void)
{
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    float fraction = (float)(state >> 8) / (float)(1 << 24) - 0.5f;
    return ldexpf(fraction, (int)(state >> 3 & 15) - 11);
}

static void fill(float *x, int64_t count)
{
    for (int64_t i = 0; i < count; i++) x[i] = number();
}

#define FOR_EACH_LEVEL(micro)                                                                                          \
    for (int isa = AM_ISA_ANY + 1; isa < AM_ISA_COUNT; isa++)                                                          \
        for (const am_micro *micro = am_micro_of((am_isa)isa); micro; micro = NULL)

static void expect_near(const am_micro *micro, const char *what, double found, double expected, double bound)
{
    if (!(fabs(found - expected) <= bound))
        fail_msg("%s of %s: expected %.9g within %.3g, found %.9g", what, micro->name, expected, bound, found);
}

static void check_rows(const am_micro *micro, int64_t n, bool at_end)
{
    guarded in = guarded_new((size_t)n * sizeof(float), at_end), out = guarded_new((size_t)n * sizeof(float), at_end);
    float *x = (float *)in.data, *y = (float *)out.data;
    fill(x, n);
    double sum = 0, magnitude = 0, exponentials = 0;
    float largest = -INFINITY;
    for (int64_t i = 0; i < n; i++) {
        sum += (double)x[i];
        magnitude += fabs((double)x[i]);
        largest = fmaxf(largest, x[i]);
    }
    for (int64_t i = 0; i < n; i++) exponentials += exp((double)x[i] - (double)largest);
    expect_near(micro, "sum", (double)micro->sum(x, n), sum, tolerance(n, magnitude));
    assert_true(micro->largest(x, n) == largest);
    micro->scale(x, 1.5f, -0.25f, y, n);
    for (int64_t i = 0; i < n; i++)
        expect_near(micro, "scale", (double)y[i], 1.5 * (double)x[i] - 0.25,
                    tolerance(1, 1.5 * fabs((double)x[i]) + 0.25));
    micro->softmax(x, y, n, false); /* an exponential: at most 8 roundings beside those of the sum */
    for (int64_t i = 0; i < n; i++) {
        double expected = exp((double)x[i] - (double)largest) / exponentials;
        expect_near(micro, "softmax", (double)y[i], expected, tolerance(n + 8, expected));
    }
    for (int64_t i = 0; i < n; i++) { /* NaN wins wherever it stands */
        float kept = x[i];
        x[i] = NAN;
        assert_true(isnan(micro->largest(x, n)));
        x[i] = kept;
    }
    guarded_free(&in);
    guarded_free(&out);
}

static void targets_cpu_micro__rows_are_those_of_plain_loops(void **state)
{
    FOR_EACH_LEVEL(micro) FOR_EACH_COUNT(n) for (int at_end = 0; at_end < 2; at_end++) check_rows(micro, n, at_end);
}

/* Widening is exact: every one of the 65536 patterns, and NaN stays NaN. */
static void targets_cpu_micro__widen_is_exact(void **state)
{
    FOR_EACH_LEVEL(micro) for (int half = 0; half < 2; half++) FOR_EACH_COUNT(n)
    {
        guarded in = guarded_new((size_t)n * sizeof(uint16_t), true),
                out = guarded_new((size_t)n * sizeof(float), true);
        uint16_t *x = (uint16_t *)in.data;
        float *y = (float *)out.data;
        for (uint32_t first = 0; n && first < 65536; first += (uint32_t)n) {
            for (int64_t i = 0; i < n; i++) x[i] = (uint16_t)(first + (uint32_t)i);
            micro->widen(half ? AM_F16 : AM_BF16, x, y, n);
            for (int64_t i = 0; i < n; i++) {
                float expected = half ? am_f16_to_f32(x[i]) : am_bf16_to_f32(x[i]);
                assert_true(isnan(expected) ? isnan(y[i]) : memcmp(&expected, y + i, sizeof expected) == 0);
            }
        }
        guarded_free(&in);
        guarded_free(&out);
    }
}

typedef struct product {
    int64_t M, N, K, lda, ldc;
    bool accumulate;
} product;

/* Packs b [K][N], multiplies, and compares: rows alone give the bits that they give in a batch, and what lies between
   the rows of c stays. */
static void check_panel(const am_micro *micro, product p, am_dtype dtype)
{
    int64_t size = dtype == AM_F32 ? 4 : 2, columns = micro->panel_columns, c_count = (p.M - 1) * p.ldc + p.N;
    guarded ga = guarded_new((size_t)((p.M - 1) * p.lda + p.K) * 4, true);
    guarded gb = guarded_new((size_t)(p.K * p.N * size), true);
    guarded gp = guarded_new((size_t)(p.K * columns * size), true);
    guarded gc = guarded_new((size_t)c_count * 4, true);
    float *a = (float *)ga.data, *c = (float *)gc.data, *b = malloc((size_t)(p.K * p.N) * 4 + 1);
    float *before = malloc((size_t)c_count * 4), *alone = malloc((size_t)p.N * 4);
    fill(a, (p.M - 1) * p.lda + p.K);
    fill(c, c_count);
    memcpy(before, c, (size_t)c_count * 4);
    for (int64_t i = 0; i < p.K * p.N; i++) {
        uint16_t bits = (uint16_t)(((i * 37) & 0x83ff) | 0x3800); /* magnitudes near one in both types */
        b[i] = dtype == AM_F32 ? number() : dtype == AM_F16 ? am_f16_to_f32(bits) : am_bf16_to_f32(bits);
        memcpy(gb.data + i * size, dtype == AM_F32 ? (const void *)(b + i) : (const void *)&bits, (size_t)size);
    }
    micro->pack_panel(gb.data, dtype, p.N, 1, p.K, p.N, gp.data);
    micro->gemm_panel(p.M, p.N, p.K, a, p.lda, gp.data, dtype, NULL, c, p.ldc, p.accumulate);
    for (int64_t m = 0; m < p.M; m++) {
        for (int64_t n = 0; n < p.N; n++) {
            double first = p.accumulate ? (double)before[m * p.ldc + n] : 0, sum = first, magnitude = fabs(first);
            for (int64_t k = 0; k < p.K; k++) {
                double term = (double)a[m * p.lda + k] * (double)b[k * p.N + n];
                sum += term;
                magnitude += fabs(term);
            }
            expect_near(micro, "gemm_panel", (double)c[m * p.ldc + n], sum, tolerance(p.K + 1, magnitude));
        }
        if (m + 1 < p.M) assert_memory_equal(c + m * p.ldc + p.N, before + m * p.ldc + p.N, (size_t)(p.ldc - p.N) * 4);
        memcpy(alone, before + m * p.ldc, (size_t)p.N * 4);
        micro->gemm_panel(1, p.N, p.K, a + m * p.lda, p.lda, gp.data, dtype, NULL, alone, p.N, p.accumulate);
        assert_memory_equal(alone, c + m * p.ldc, (size_t)p.N * 4);
    }
    free(b), free(before), free(alone);
    guarded_free(&ga), guarded_free(&gb), guarded_free(&gp), guarded_free(&gc);
}

static void targets_cpu_micro__panels_of_all_remainders(void **state)
{
    static const am_dtype dtypes[] = {AM_F32, AM_BF16, AM_F16};
    static const int64_t depths[] = {1, 2, 7, 33};
    FOR_EACH_LEVEL(micro)
    for (int d = 0; d < 3; d++)
        for (int64_t M = 1; M <= WIDEST + 1; M += M < 9 ? 1 : 4)
            for (int64_t N = 1; N <= micro->panel_columns; N++)
                for (int k = 0; k < 4; k++)
                    check_panel(micro, (product){M, N, depths[k], depths[k] + 3, N + 5, (N + k) % 2}, dtypes[d]);
}

/* b is [K][N] for gemm_nn and [N][K] for gemm_nt, its rows ldb apart. gemm_nt has no accumulate. */
static void check_gemm(const am_micro *micro, product p, bool transposed, am_dtype dtype)
{
    int64_t rows = transposed ? p.N : p.K, row = transposed ? p.K : p.N, ldb = row + 2, size = dtype == AM_F32 ? 4 : 2;
    int64_t b_count = (rows - 1) * ldb + row, c_count = (p.M - 1) * p.ldc + p.N;
    guarded ga = guarded_new((size_t)((p.M - 1) * p.lda + p.K) * 4, true),
            gb = guarded_new((size_t)(b_count * size), true);
    guarded gc = guarded_new((size_t)c_count * 4, true);
    float *a = (float *)ga.data, *c = (float *)gc.data, *b = malloc((size_t)b_count * 4);
    float *before = malloc((size_t)c_count * 4);
    fill(a, (p.M - 1) * p.lda + p.K);
    fill(c, c_count);
    memcpy(before, c, (size_t)c_count * 4);
    for (int64_t i = 0; i < b_count; i++) {
        uint16_t bits = (uint16_t)(((i * 37) & 0x83ff) | 0x3800);
        b[i] = dtype == AM_F32 ? number() : dtype == AM_F16 ? am_f16_to_f32(bits) : am_bf16_to_f32(bits);
        memcpy(gb.data + i * size, dtype == AM_F32 ? (const void *)(b + i) : (const void *)&bits, (size_t)size);
    }
    if (transposed) micro->gemm_nt(p.M, p.N, p.K, a, p.lda, gb.data, ldb, dtype, c, p.ldc);
    else micro->gemm_nn(p.M, p.N, p.K, a, p.lda, (const float *)gb.data, ldb, c, p.ldc, p.accumulate);
    for (int64_t m = 0; m < p.M; m++) {
        for (int64_t n = 0; n < p.N; n++) {
            double first = p.accumulate ? (double)before[m * p.ldc + n] : 0, sum = first, magnitude = fabs(first);
            for (int64_t k = 0; k < p.K; k++) {
                double term = (double)a[m * p.lda + k] * (double)b[transposed ? n * ldb + k : k * ldb + n];
                sum += term;
                magnitude += fabs(term);
            }
            expect_near(micro, transposed ? "gemm_nt" : "gemm_nn", (double)c[m * p.ldc + n], sum,
                        tolerance(p.K + 1, magnitude));
        }
        if (m + 1 < p.M) assert_memory_equal(c + m * p.ldc + p.N, before + m * p.ldc + p.N, (size_t)(p.ldc - p.N) * 4);
    }
    free(b), free(before);
    guarded_free(&ga), guarded_free(&gb), guarded_free(&gc);
}

static void check_gemms(const am_micro *micro, int64_t M, int64_t N)
{
    static const am_dtype dtypes[] = {AM_F32, AM_BF16, AM_F16};
    static const int64_t depths[] = {1, 2, 7, 8, 17, 33};
    for (int k = 0; k < 6; k++) {
        product p = {M, N, depths[k], depths[k] + 3, N + 5, false};
        for (int d = 0; d < 3; d++) check_gemm(micro, p, true, dtypes[d]);
        check_gemm(micro, p, false, AM_F32);
        p.accumulate = true;
        check_gemm(micro, p, false, AM_F32);
    }
}

static void targets_cpu_micro__gemm_of_all_remainders(void **state)
{
    for (int64_t M = 1; M <= 9; M++) {
        for (int64_t N = 1; N <= 2 * WIDEST + 3; N++) {
            FOR_EACH_LEVEL(micro) check_gemms(micro, M, N);
        }
    }
}
