/* The transforms of F(2x2, 3x3) of Winograd's minimal filtering, beside their sums in doubles. */
#include "check.h"

enum { SIDE = 4, RESULTS = 2, PARTS = SIDE * SIDE, GAP = 5 };

/* By row, in the order of kernels/convolution_winograd.c. */
static const int of_places[SIDE][SIDE] = {{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}};
static const int of_sums[RESULTS][SIDE] = {{1, 1, 1, 0}, {0, 1, -1, -1}};

/* rows x (numbers of 4 x 4) x columns', and the sum of their sizes. */
static double transformed(const int *rows, const int *columns, const double *numbers, double *size)
{
    double sum = 0;
    *size = 0;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            if (!rows[y] || !columns[x]) continue;
            sum += rows[y] * columns[x] * numbers[y * SIDE + x], *size += fabs(numbers[y * SIDE + x]);
        }
    return sum;
}

/* --- places --- */

static double number_at(am_dtype dtype, const void *x, int64_t at)
{
    return (double)(dtype == AM_F32 ? ((const float *)x)[at] : am_bf16_to_f32(((const uint16_t *)x)[at]));
}

/* Places are one after the other, but for one that is given twice, as what is outside of x is. */
static void check_places(const am_micro *micro, am_dtype from, am_dtype to, check_place place, check_kind kind,
                         int64_t count)
{
    size_t bytes = to == AM_F32 ? sizeof(float) : sizeof(uint16_t);
    int64_t part = count + GAP, all = count ? (PARTS - 1) * part + count : 0;
    float *x = check_floats(place, PARTS * count);
    uint16_t *halves = check_array(place, PARTS * count, sizeof *halves);
    char *parts = check_array(place, all, bytes), *before = check_array(AT_END, all, bytes);
    const void *places[PARTS];
    check_fill(kind, x, PARTS * count);
    for (int64_t i = 0; i < PARTS * count; i++) halves[i] = am_f32_to_bf16(x[i]);
    for (int k = 0; k < PARTS; k++) {
        int64_t at = (k == 7 ? 2 : k) * count;
        places[k] = from == AM_F32 ? (const void *)(x + at) : halves + at;
    }
    memset(parts, 0x5a, (size_t)all * bytes), memset(before, 0x5a, (size_t)all * bytes);
    micro->winograd_places(from, to, places, parts, part, count);
    for (int64_t i = 0; i < count; i++)
        for (int k = 0; k < PARTS; k++) {
            double numbers[PARTS], size;
            for (int n = 0; n < PARTS; n++) numbers[n] = number_at(from, places[n], i);
            double expected = transformed(of_places[k / SIDE], of_places[k % SIDE], numbers, &size);
            double bound = check_rounding(2, size);
            if (to == AM_BF16) bound += ldexp(fabs(expected), -8) + 0x1p-126;
            check_near(number_at(to, parts, k * part + i), expected, bound);
        }
    for (int k = 0; k + 1 < PARTS && count; k++) {
        size_t end = (size_t)(k * part + count) * bytes;
        assert_memory_equal(parts + end, before + end, GAP * bytes);
    }
    check_release();
}

static void targets_cpu_winograd__places_of_all_counts_and_kinds(void **state)
{
    static const am_dtype dtypes[][2] = {{AM_F32, AM_F32}, {AM_F32, AM_BF16}, {AM_BF16, AM_BF16}};
    FOR_EACH_LEVEL(micro) FOR_EACH_PLACE(place) FOR_EACH_KIND(kind) FOR_EACH_COUNT(n)
    {
        check_start(micro, "winograd_places", "2 roundings, and to BF16");
        for (int d = 0; d < 3 && n <= 129; d++) {
            check_where("%d channels, dtypes %d, place %d, kind %d", (int)n, d, (int)place, (int)kind);
            check_places(micro, dtypes[d][0], dtypes[d][1], place, kind, n);
        }
    }
}

/* --- results --- */

enum { FACTORS = 1, TERMS = 2, RESIDUAL = 4, RELU = 8, ENDINGS = 16 };

static void check_results(const am_micro *micro, unsigned way, int rows, int places, check_place place, check_kind kind,
                          int64_t count)
{
    int64_t part = count + GAP, next = count + GAP, row = 3 * next, all = count ? row + next + count : 0;
    float *sums = check_floats(place, count ? (PARTS - 1) * part + count : 0), *y = check_floats(place, all);
    float *residual = check_floats(place, all), *before = check_floats(AT_END, all);
    float *factors = check_floats(place, count), *terms = check_floats(place, count);
    const am_ending ending = {way & FACTORS ? factors : NULL, way & TERMS ? terms : NULL,
                              way & RESIDUAL ? residual : NULL, way & RELU};
    check_fill(kind, sums, count ? (PARTS - 1) * part + count : 0), check_fill(ORDINARY, y, all);
    check_fill(ORDINARY, residual, all), check_fill(ORDINARY, factors, count), check_fill(ORDINARY, terms, count);
    memcpy(before, y, (size_t)all * sizeof *y);
    micro->winograd_results(sums, part, count, y, row, next, rows, places, &ending);
    for (int64_t i = 0; i < all; i++) {
        int64_t c = i % next, x = i % row / next, r = i / row;
        if (c >= count || x >= places || r >= rows) {
            check_same(y[i], before[i]);
            continue;
        }
        double numbers[PARTS], size;
        for (int n = 0; n < PARTS; n++) numbers[n] = (double)sums[n * part + c];
        double sum = transformed(of_sums[r], of_sums[x], numbers, &size),
               factor = way & FACTORS ? (double)factors[c] : 1;
        double term = way & TERMS ? (double)terms[c] : 0, other = way & RESIDUAL ? (double)residual[i] : 0;
        sum = sum * factor + term + other, size = size * fabs(factor) + fabs(term) + fabs(other);
        check_near((double)y[i], way & RELU && sum < 0 ? 0 : sum, check_rounding(7, size));
    }
    check_release();
}

static void targets_cpu_winograd__results_of_all_counts_and_endings(void **state)
{
    unsigned turn = 0;
    FOR_EACH_LEVEL(micro) FOR_EACH_PLACE(place) FOR_EACH_KIND(kind) FOR_EACH_COUNT(n)
    {
        check_start(micro, "winograd_results", "7 roundings");
        for (unsigned way = 0; way < ENDINGS && n <= 129; way++, turn++) {
            int rows = 1 + (int)(turn % 2), places = 1 + (int)(turn / 2 % 2);
            check_where("%d channels, ending %u, %d x %d, place %d, kind %d", (int)n, way, rows, places, (int)place,
                        (int)kind);
            check_results(micro, way, rows, places, place, kind, n);
        }
    }
}
