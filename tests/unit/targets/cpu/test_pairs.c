/* Products of numbers rounded to BF16, their panels and the rounding, against sums in doubles. */
#include "amx_plain.h"
#include "check.h"
#include "plain.h"

enum { GAP_A = 2, GAP_C = 3 };

/* --- rounding --- */

/* To nearest even; what is below the least normal number may become 0 of its sign. */
static void check_rounded(float x, unsigned found)
{
    uint16_t expected = am_f32_to_bf16(x);
    if (isnan(x)) {
        assert_true(isnan(am_bf16_to_f32((uint16_t)found)));
        return;
    }
    bool may_vanish = fabsf(x) < 0x1p-126f;
    if (found != expected && !(may_vanish && found == (expected & 0x8000)))
        fail_msg("%a rounded to %04x, expected %04x", (double)x, found, expected);
}

static void targets_cpu_pairs__numbers_are_rounded_to_nearest_even(void **state)
{
    static const float halfway[] = {0x1.01p0f,     0x1.03p0f,   -0x1.01p3f, 0x1.010002p0f,
                                    0x1.00fffep0f, 0x1.ffp127f, 0,          -0.0f};
    FOR_EACH_LEVEL(micro) for (int64_t count = 0; count <= 70; count++)
    {
        check_start(micro, "round_pairs", "0 (the same bits)"), check_where("%d numbers", (int)count);
        float *x = check_floats((check_place)(count % PLACES), count);
        am_pair *pairs = check_array((check_place)(count % PLACES), am_pairs_of(count), sizeof *pairs);
        for (int64_t i = 0; i < count; i++) x[i] = i < 8 ? halfway[i] : check_any();
        micro->round_pairs(x, count, pairs);
        for (int64_t i = 0; i < count; i++) check_rounded(x[i], pairs[i / 2] >> (i % 2 * 16) & 0xffff);
        if (count % 2) assert_true(pairs[count / 2] >> 16 == 0);
        check_release();
    }
}

/* --- functions --- */

static void check_function(am_unary_fn fn, float x, float z, unsigned found)
{
    double y = am_unary_real(fn, (double)x) * (double)z, size = fabs(y);
    float near = am_bf16_to_f32((uint16_t)found);
    if (found == am_f32_to_bf16((float)y) || isinf(x)) return;
    check_where("x = %.9g (%a), times %.9g", (double)x, (double)x, (double)z);
    if (isnan(y)) assert_true(isnan(near));
    else if (!isinf((float)y))
        check_near((double)near, y, ldexp(size, -8) + ldexp(size, -12) + ldexp(fabs((double)z), -20));
}

static void check_functions(const am_micro *micro, am_unary_fn fn, check_place place, int64_t count, bool has_factors)
{
    float *x = check_floats(place, count), *z = check_floats(place, count);
    am_pair *pairs = check_array(place, am_pairs_of(count), sizeof *pairs);
    for (int64_t i = 0; i < count; i++) {
        do x[i] = i % 2 ? check_any() : check_number(ORDINARY);
        while (fabsf(x[i]) > 0x1p100f);
        z[i] = has_factors ? check_number(ORDINARY) : 1;
    }
    micro->round_function(fn, x, has_factors ? z : NULL, count, pairs);
    for (int64_t i = 0; i < count; i++) check_function(fn, x[i], z[i], pairs[i / 2] >> (i % 2 * 16) & 0xffff);
    if (count % 2) assert_true(pairs[count / 2] >> 16 == 0);
    check_release();
}

static void targets_cpu_pairs__functions_are_near_and_rounded(void **state)
{
    static const am_unary_fn functions[] = {AM_IDENTITY, AM_GELU, AM_GELU_TANH, AM_QUICK_GELU, AM_SILU,
                                            AM_TANH,     AM_RELU, AM_SIGMOID,   AM_HARD_SWISH, AM_ELU};
    FOR_EACH_LEVEL(micro) for (size_t f = 0; f < sizeof functions / sizeof *functions; f++)
    {
        check_start(micro, "round_function", "2^-8 |y| (rounding) + 2^-12 |y| + 2^-20 |z|");
        for (int64_t count = 0; count <= 70; count++)
            check_functions(micro, functions[f], (check_place)(count % PLACES), count, count % 4 == 1);
        check_functions(micro, functions[f], ODD, 20000, f % 2);
    }
}

/* --- panels --- */

static size_t bytes_of(am_dtype dtype)
{
    return dtype == AM_F32 ? sizeof(float) : sizeof(uint16_t);
}

static float number_of(am_dtype dtype, const void *w, int64_t at)
{
    if (dtype == AM_F32) return ((const float *)w)[at];
    uint16_t half = ((const uint16_t *)w)[at];
    return dtype == AM_BF16 ? am_bf16_to_f32(half) : am_f16_to_f32(half);
}

static void check_packing(const am_micro *micro, am_dtype dtype, check_place place, int64_t row, int64_t column,
                          int64_t K, int64_t columns)
{
    int64_t count = K && columns ? (K - 1) * row + (columns - 1) * column + 1 : 0, width = micro->panel_columns;
    void *w = check_array(place, count, bytes_of(dtype));
    am_pair *panel = check_array(place, am_pairs_of(K) * width, sizeof *panel);
    for (int64_t i = 0; i < count; i++) {
        if (dtype == AM_F32) ((float *)w)[i] = check_any();
        else ((uint16_t *)w)[i] = (uint16_t)(check_random() >> 8);
    }
    check_where("%s, %dx%d, rows %d and columns %d apart", am_dtype_name(dtype), (int)K, (int)columns, (int)row,
                (int)column);
    micro->pack_pairs(w, dtype, row, column, K, columns, panel);
    for (int64_t k = 0; k < 2 * am_pairs_of(K); k++)
        for (int64_t j = 0; j < width; j++)
            check_rounded(k < K && j < columns ? number_of(dtype, w, k * row + j * column) : 0,
                          panel[k / 2 * width + j] >> (k % 2 * 16) & 0xffff);
    check_release();
}

static void targets_cpu_pairs__panels_hold_the_weight_and_zeros(void **state)
{
    static const int64_t depths[] = {0, 1, 2, 3, 31, 256, 259, 520};
    static const am_dtype dtypes[] = {AM_F32, AM_BF16, AM_F16};
    unsigned turn = 0;
    FOR_EACH_LEVEL(micro) for (int64_t columns = 0; columns <= micro->panel_columns; columns += 1 + columns / 5)
    {
        check_start(micro, "pack_pairs", "0 (the same bits)");
        for (size_t i = 0; i < sizeof depths / sizeof *depths; i++, turn++) {
            am_dtype dtype = dtypes[turn % 3];
            check_place place = (check_place)(turn / 3 % PLACES);
            int64_t K = depths[i];
            check_packing(micro, dtype, place, 1, K + 1, K, columns);
            check_packing(micro, dtype, place, columns + 2, 1, K, columns);
            if (K < 100) check_packing(micro, dtype, place, 3, 3 * K + 1, K, columns);
        }
    }
}

/* --- products --- */

typedef struct product {
    int64_t M, N, K; /* K pairs */
    bool accumulate, has_ending;
    check_place place;
    check_kind kind;
} product;

static am_pair random_pair(check_kind kind)
{
    return am_f32_to_bf16(check_number(kind)) | (am_pair)am_f32_to_bf16(check_number(kind)) << 16;
}

static am_pair *random_pairs(const product *p, int64_t count)
{
    am_pair *pairs = check_array(p->place, count, sizeof *pairs);
    for (int64_t i = 0; i < count; i++) pairs[i] = random_pair(p->kind == SPECIAL ? ORDINARY : p->kind);
    if (p->kind == SPECIAL && count) pairs[check_random() % (uint32_t)count] = 0x7fc0ff80u; /* NaN and -infinity */
    return pairs;
}

static float half_of(am_pair pair, int64_t which)
{
    return am_bf16_to_f32((uint16_t)(which ? pair >> 16 : pair & 0xffff));
}

/* The bits of a result depend neither on the rows and columns computed with it nor on how many there are. */
static void compare_cuts(const am_micro *micro, const product *p, const am_pair *a, int64_t lda, const am_pair *panel,
                         const float *before, const float *found, int64_t ldc)
{
    float *c = check_floats(p->place, p->N);
    for (int64_t m = 0; m < p->M; m += 1 + p->M / 3) {
        int64_t N = 1 + (m + p->K) % p->N;
        memcpy(c, before + m * ldc, (size_t)p->N * sizeof *c);
        micro->gemm_pairs(1, N, p->K, a + m * lda, lda, panel, NULL, c, p->N, p->accumulate, NULL);
        for (int64_t n = 0; n < N; n++) check_same(c[n], found[m * ldc + n]);
    }
}

/* A product with an ending is one without, and then the ending: three roundings more. */
static void check_ending(const am_micro *micro, const product *p, const am_pair *a, int64_t lda, const am_pair *panel,
                         const float *before, const float *found, int64_t ldc)
{
    int64_t count = (p->M - 1) * ldc + p->N;
    float *c = check_floats(p->place, count), *numbers = check_floats(p->place, 2 * p->N);
    memcpy(c, before, (size_t)count * sizeof *c);
    check_fill(ORDINARY, numbers, 2 * p->N);
    am_ending ending = {.factors = numbers, .terms = numbers + p->N, .residual = before, .relu = p->K % 2};
    micro->gemm_pairs(p->M, p->N, p->K, a, lda, panel, panel, c, ldc, p->accumulate, &ending);
    for (int64_t m = 0; m < p->M; m++)
        for (int64_t n = 0; n < p->N; n++) {
            double scaled = (double)found[m * ldc + n] * (double)numbers[n], term = (double)numbers[p->N + n];
            double other = (double)before[m * ldc + n], sum = scaled + term + other;
            if (ending.relu && sum < 0) sum = 0;
            check_near((double)c[m * ldc + n], sum, check_rounding(3, fabs(scaled) + fabs(term) + fabs(other)));
        }
}

static void check_product(const am_micro *micro, const product *p)
{
    int64_t lda = p->K + GAP_A, ldc = p->N + GAP_C, width = micro->panel_columns;
    int64_t a_count = p->M ? (p->M - 1) * lda + p->K : 0, c_count = p->M && p->N ? (p->M - 1) * ldc + p->N : 0;
    am_pair *a = random_pairs(p, a_count), *panel = random_pairs(p, p->K * width);
    for (int64_t i = 0; i < p->K * width; i++)
        if (i % width >= p->N) panel[i] = 0;
    float *c = check_floats(p->place, c_count), *before = check_floats(AT_END, c_count);
    check_fill(ORDINARY, c, c_count);
    memcpy(before, c, (size_t)c_count * sizeof *c);
    check_where("%dx%dx%d pairs, accumulate %d, place %d, kind %d", (int)p->M, (int)p->N, (int)p->K, p->accumulate,
                (int)p->place, (int)p->kind);
    micro->gemm_pairs(p->M, p->N, p->K, a, lda, panel, panel, c, ldc, p->accumulate, NULL);
    for (int64_t i = 0; i < c_count; i++) {
        int64_t m = i / ldc, n = i % ldc;
        double sum = p->accumulate ? (double)before[i] : 0, magnitude = fabs(sum);
        if (n >= p->N) {
            check_same(c[i], before[i]);
            continue;
        }
        for (int64_t k = 0; k < 2 * p->K; k++) {
            double term = (double)half_of(a[m * lda + k / 2], k % 2) * (double)half_of(panel[k / 2 * width + n], k % 2);
            sum += term, magnitude += fabs(term);
        }
        check_near((double)c[i], sum, check_rounding(2 * (double)p->K + 2, magnitude) + 0x1p-120);
    }
    if (c_count) compare_cuts(micro, p, a, lda, panel, before, c, ldc);
    if (c_count && p->kind != SPECIAL && p->has_ending) check_ending(micro, p, a, lda, panel, before, c, ldc);
    check_release();
}

/* Turns go through places, kinds of numbers and what comes before and after the products. */
static void check_turn(const am_micro *micro, int64_t M, int64_t N, int64_t K, unsigned turn)
{
    check_start(micro, "gemm_pairs", "2 k + 2 roundings");
    check_product(micro, &(product){.M = M,
                                    .N = N,
                                    .K = K,
                                    .accumulate = turn / 5 % 2,
                                    .has_ending = turn / 2 % 2,
                                    .place = (check_place)(turn % PLACES),
                                    .kind = (check_kind)(turn / 7 % KINDS)});
}

/* Of the tiles of AMX: with the instructions in plain C, so that their memory and their shapes are checked here. */
static void targets_cpu_pairs__products_in_tiles_of_amx(void **state)
{
    static const int64_t depths[] = {0, 1, 15, 16, 33, 96}, rows[] = {0, 1, 2, 15, 16, 17, 31, 32, 33, 48, 70};
    const am_micro *base = am_micro_of(AM_ISA_AVX512);
    unsigned turn = 0;
    if (!base || !amx_plain_gemm_pairs()) {
        print_message("this build or this cpu lacks avx512\n");
        skip();
    }
    am_micro micro = *base;
    micro.name = "amx in plain C", micro.gemm_pairs = amx_plain_gemm_pairs();
    for (size_t m = 0; m < sizeof rows / sizeof *rows; m++)
        for (int64_t N = 0; N <= micro.panel_columns; N += N < 18 ? 1 : 7)
            for (size_t k = 0; k < sizeof depths / sizeof *depths; k++)
                check_turn(&micro, rows[m], N, depths[k], turn++);
}

static void targets_cpu_pairs__products_of_all_remainders(void **state)
{
    static const int64_t depths[] = {0, 1, 2, 7, 16, 33, 150};
    unsigned turn = 0;
    FOR_EACH_LEVEL(micro)
    for (int64_t M = 0; M <= 26; M += M < 14 ? 1 : 6)
        for (int64_t N = 0; N <= micro->panel_columns; N += N < 20 ? 1 : 5)
            for (size_t k = 0; k < sizeof depths / sizeof *depths; k++) check_turn(micro, M, N, depths[k], turn++);
}
