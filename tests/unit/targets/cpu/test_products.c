/* Matrix products, panels and filters of every remainder of their tiles, against sums in doubles. */
#include "check.h"

enum { GAP_A = 3, GAP_B = 2, GAP_C = 5 }; /* between rows */

typedef enum product_form { NT, NN, PANEL } product_form;

typedef struct product {
    product_form form;
    int64_t M, N, K;
    am_dtype dtype;          /* of b */
    bool accumulate, turned; /* PANEL: packed of columns that are rows in memory */
    check_place place;
    check_kind kind;
} product;

/* The arrays of a product: b as it is stored and as floats [K][N]. */
typedef struct operands {
    int64_t lda, ldb, ldc;
    float *a, *c, *b, *before;
    void *stored, *panel;
} operands;

static size_t bytes_of(am_dtype dtype)
{
    return dtype == AM_F32 ? sizeof(float) : sizeof(uint16_t);
}

static uint16_t half_number(am_dtype dtype, check_kind kind)
{
    static const uint16_t specials[] = {0x7c00, 0xfc00, 0x7e00, 0x8000, 0x0001};
    uint32_t random = check_random();
    if (dtype == AM_BF16) {
        float x = check_number(kind);
        memcpy(&random, &x, sizeof random);
        return (uint16_t)(random >> 16);
    }
    if (kind == SMALL) return (uint16_t)(random & 0x83ff);
    if (kind == LARGE) return (uint16_t)(random & 0xbfff);
    if (kind == SPECIAL && random >> 16 == 0) return specials[random % 5];
    return (uint16_t)((random & 0x83ff) | 0x3800);
}

/* b[k, n] is element at(k, n) of what is stored. */
static int64_t at(const product *p, const operands *o, int64_t k, int64_t n)
{
    return p->form == NT || p->turned ? n * o->ldb + k : k * o->ldb + n;
}

static void fill_b(const product *p, const operands *o, int64_t stored)
{
    uint16_t *halves = o->stored;
    if (p->dtype == AM_F32) check_fill(p->kind, o->stored, stored);
    else
        for (int64_t i = 0; i < stored; i++) halves[i] = half_number(p->dtype, p->kind);
    for (int64_t k = 0; k < p->K; k++)
        for (int64_t n = 0; n < p->N; n++) {
            int64_t i = at(p, o, k, n);
            o->b[k * p->N + n] = p->dtype == AM_F32    ? ((const float *)o->stored)[i]
                                 : p->dtype == AM_BF16 ? am_bf16_to_f32(halves[i])
                                                       : am_f16_to_f32(halves[i]);
        }
}

static int64_t extent(int64_t rows, int64_t row, int64_t stride)
{
    return rows && row ? (rows - 1) * stride + row : 0;
}

static operands make(const am_micro *micro, const product *p)
{
    bool rows_are_columns = p->form == NT || p->turned;
    int64_t rows = rows_are_columns ? p->N : p->K, row = rows_are_columns ? p->K : p->N;
    operands o = {.lda = p->K + GAP_A, .ldb = row + GAP_B, .ldc = p->N + GAP_C};
    int64_t a_count = extent(p->M, p->K, o.lda), b_count = extent(rows, row, o.ldb),
            c_count = extent(p->M, p->N, o.ldc);
    o.a = check_floats(p->place, a_count), o.c = check_floats(p->place, c_count);
    o.stored = check_array(p->place, b_count, bytes_of(p->dtype));
    o.b = check_floats(AT_END, p->K * p->N), o.before = check_floats(AT_END, c_count);
    check_fill(p->kind, o.a, a_count), check_fill(ORDINARY, o.c, c_count);
    memcpy(o.before, o.c, (size_t)c_count * sizeof *o.c);
    fill_b(p, &o, b_count);
    if (p->form != PANEL) return o;
    o.panel = check_array(p->place, p->K * micro->panel_columns, bytes_of(p->dtype));
    micro->pack_panel(o.stored, p->dtype, p->turned ? 1 : o.ldb, p->turned ? o.ldb : 1, p->K, p->N, o.panel);
    return o;
}

/* Rows m..m+M-1 and columns 0..N-1 into c. */
static void multiply(const am_micro *micro, const product *p, const operands *o, int64_t m, int64_t M, int64_t N,
                     float *c, int64_t ldc)
{
    const float *a = o->a + m * o->lda;
    if (p->form == NT) micro->gemm_nt(M, N, p->K, a, o->lda, o->stored, o->ldb, p->dtype, c, ldc);
    else if (p->form == NN) micro->gemm_nn(M, N, p->K, a, o->lda, o->stored, o->ldb, c, ldc, p->accumulate);
    else micro->gemm_panel(M, N, p->K, a, o->lda, o->panel, p->dtype, o->panel, c, ldc, p->accumulate);
}

/* gemm_nt sums at least four sequences over k. */
static double roundings(const product *p)
{
    return p->form == NT ? (double)p->K / 4 + 10 : (double)p->K + 2;
}

static void compare(const product *p, const operands *o)
{
    for (int64_t m = 0; m < p->M; m++) {
        for (int64_t n = 0; n < p->N; n++) {
            double sum = p->accumulate ? (double)o->before[m * o->ldc + n] : 0, magnitude = fabs(sum);
            for (int64_t k = 0; k < p->K; k++) {
                double term = (double)o->a[m * o->lda + k] * (double)o->b[k * p->N + n];
                sum += term, magnitude += fabs(term);
            }
            check_near((double)o->c[m * o->ldc + n], sum, check_rounding(roundings(p), magnitude));
        }
        if (m + 1 < p->M && p->N)
            assert_memory_equal(o->c + m * o->ldc + p->N, o->before + m * o->ldc + p->N, GAP_C * sizeof *o->c);
    }
}

/* The bits of a result depend neither on the rows and columns computed with it nor on how many there are. */
static void compare_cuts(const am_micro *micro, const product *p, const operands *o)
{
    float *c = check_floats(p->place, p->N);
    for (int64_t m = 0; m < p->M; m += 1 + p->M / 3) {
        int64_t N = 1 + (m + p->K) % p->N;
        memcpy(c, o->before + m * o->ldc, (size_t)p->N * sizeof *c);
        multiply(micro, p, o, m, 1, N, c, p->N);
        for (int64_t n = 0; n < N; n++) check_same(c[n], o->c[m * o->ldc + n]);
    }
}

static void check_product(const am_micro *micro, const product *p)
{
    static const char *const names[] = {"gemm_nt", "gemm_nn", "gemm_panel"};
    static const char *const bounds[] = {"k / 4 + 10 roundings", "k + 2 roundings", "k + 2 roundings"};
    check_start(micro, names[p->form], bounds[p->form]);
    check_where("%dx%dx%d %s, accumulate %d, turned %d, place %d, kind %d", (int)p->M, (int)p->N, (int)p->K,
                am_dtype_name(p->dtype), p->accumulate, p->turned, (int)p->place, (int)p->kind);
    operands o = make(micro, p);
    multiply(micro, p, &o, 0, p->M, p->N, o.c, o.ldc);
    compare(p, &o);
    if (p->N) compare_cuts(micro, p, &o);
    check_release();
}

/* dtype of b, place, kind and the flags take turns. */
static void check_turn(const am_micro *micro, product_form form, int64_t M, int64_t N, int64_t K)
{
    static const am_dtype dtypes[] = {AM_F32, AM_BF16, AM_F16};
    static unsigned turn;
    product p = {.form = form, .M = M, .N = N, .K = K, .dtype = form == NN ? AM_F32 : dtypes[turn % 3]};
    p.place = (check_place)(turn / 3 % PLACES), p.kind = (check_kind)(turn / 9 % KINDS);
    p.accumulate = form != NT && turn / 5 % 2, p.turned = form == PANEL && turn / 7 % 2;
    turn++;
    check_product(micro, &p);
}

/* Depths beyond 1024 are more than gemm_nt takes at once. */
static void check_sizes(const am_micro *micro, product_form form, int64_t widest)
{
    static const int64_t depths[] = {0, 1, 2, 7, 8, 17, 33}, great_depths[] = {1024, 1025, 2050};
    for (int64_t M = 0; M <= 25; M += M < 10 ? 1 : 5)
        for (int64_t N = 0; N <= widest; N += N < 35 ? 1 : 6)
            for (size_t k = 0; k < sizeof depths / sizeof *depths; k++) check_turn(micro, form, M, N, depths[k]);
    for (int64_t M = 1; M <= 7; M += 3)
        for (int64_t N = 1; N <= widest; N += 13)
            for (size_t k = 0; k < 3; k++) check_turn(micro, form, M, N, great_depths[k]);
}

static void targets_cpu_products__gemm_nt_of_all_remainders(void **state)
{
    FOR_EACH_LEVEL(micro) check_sizes(micro, NT, 71);
}

static void targets_cpu_products__gemm_nn_of_all_remainders(void **state)
{
    FOR_EACH_LEVEL(micro) check_sizes(micro, NN, 137);
}

static void targets_cpu_products__panels_of_all_remainders(void **state)
{
    FOR_EACH_LEVEL(micro) check_sizes(micro, PANEL, micro->panel_columns);
}

/* --- what ends a product: what gemm_panel gives is checked above --- */

enum { FACTORS = 1, TERMS = 2, RESIDUAL = 4, RELU = 8, ENDINGS = 16 };

static void compare_endings(const product *p, const operands *o, const float *products, const am_ending *ending)
{
    for (int64_t i = 0; p->N && i < extent(p->M, p->N, o->ldc); i++) {
        int64_t n = i % o->ldc;
        if (n >= p->N) { /* between rows */
            check_same(o->c[i], o->before[i]);
            continue;
        }
        double scaled = (double)products[i] * (ending->factors ? (double)ending->factors[n] : 1);
        double term = ending->terms ? (double)ending->terms[n] : 0;
        double other = ending->residual ? (double)ending->residual[i] : 0, sum = scaled + term + other;
        check_near((double)o->c[i], ending->relu ? am_unary_real(AM_RELU, sum) : sum,
                   check_rounding(3, fabs(scaled) + fabs(term) + fabs(other)));
    }
}

static void check_ending(const am_micro *micro, const product *p, unsigned parts)
{
    operands o = make(micro, p);
    int64_t c_count = extent(p->M, p->N, o.ldc);
    float *factors = check_floats(p->place, p->N), *terms = check_floats(p->place, p->N);
    float *residual = check_floats(p->place, c_count), *products = check_floats(AT_END, c_count);
    check_fill(ORDINARY, factors, p->N), check_fill(ORDINARY, terms, p->N), check_fill(p->kind, residual, c_count);
    memcpy(products, o.before, (size_t)c_count * sizeof *products);
    multiply(micro, p, &o, 0, p->M, p->N, products, o.ldc);
    am_ending ending = {parts & FACTORS ? factors : NULL, parts & TERMS ? terms : NULL,
                        parts & RESIDUAL ? residual : NULL, parts & RELU};
    micro->gemm_panel_ending(p->M, p->N, p->K, o.a, o.lda, o.panel, p->dtype, NULL, o.c, o.ldc, p->accumulate, &ending);
    check_where("%dx%dx%d %s, parts %u, place %d, kind %d", (int)p->M, (int)p->N, (int)p->K, am_dtype_name(p->dtype),
                parts, (int)p->place, (int)p->kind);
    compare_endings(p, &o, products, &ending);
    check_release();
}

static void targets_cpu_products__panels_with_endings_of_all_parts(void **state)
{
    static const am_dtype dtypes[] = {AM_F32, AM_BF16, AM_F16};
    unsigned turn = 0;
    FOR_EACH_LEVEL(micro) for (int64_t M = 0; M <= 14; M++) for (int64_t N = 0; N <= micro->panel_columns; N++)
    {
        check_start(micro, "gemm_panel_ending", "3 roundings more than gemm_panel");
        for (unsigned parts = 0; parts < ENDINGS; parts++, turn++)
            check_ending(micro,
                         &(product){.form = PANEL,
                                    .M = M,
                                    .N = N,
                                    .K = turn % 5,
                                    .dtype = dtypes[turn % 3],
                                    .accumulate = turn / 3 % 2,
                                    .place = (check_place)(turn / 7 % PLACES),
                                    .kind = (check_kind)(turn / 11 % KINDS)},
                         parts);
    }
}

static void check_packing(const am_micro *micro, am_dtype dtype, check_place place, int64_t K, int64_t columns)
{
    size_t bytes = bytes_of(dtype);
    for (int turned = 0; turned < 2; turned++) {
        int64_t row = turned ? 1 : columns + GAP_B, column = turned ? K + GAP_B : 1;
        int64_t count = K && columns ? (K - 1) * row + (columns - 1) * column + 1 : 0;
        unsigned char *w = check_array(place, count, bytes), zeros[sizeof(float)] = {0};
        unsigned char *panel = check_array(place, K * micro->panel_columns, bytes);
        for (size_t i = 0; i < (size_t)count * bytes; i++) w[i] = (unsigned char)check_random();
        micro->pack_panel(w, dtype, row, column, K, columns, panel);
        for (int64_t k = 0; k < K; k++)
            for (int64_t j = 0; j < micro->panel_columns; j++) {
                const unsigned char *from = j < columns ? w + (size_t)(k * row + j * column) * bytes : zeros;
                assert_memory_equal(panel + (size_t)(k * micro->panel_columns + j) * bytes, from, bytes);
            }
        check_release();
    }
}

static void targets_cpu_products__panels_hold_the_weight_and_zeros(void **state)
{
    static const int64_t depths[] = {0, 1, 3, 255, 256, 257, 600};
    FOR_EACH_LEVEL(micro) FOR_EACH_PLACE(place) for (int64_t columns = 0; columns <= micro->panel_columns; columns++)
    {
        check_start(micro, "pack_panel", "0 (the same bits)");
        check_where("%d columns, place %d", (int)columns, (int)place);
        for (size_t k = 0; k < sizeof depths / sizeof *depths; k++) {
            check_packing(micro, AM_F32, place, depths[k], columns);
            check_packing(micro, AM_BF16, place, depths[k], columns);
        }
    }
}

/* --- taps --- */

static void check_taps(const am_micro *micro, check_place place, check_kind kind, int64_t taps, int64_t count)
{
    enum { BEFORE = 5, SPAN = 40 }; /* offsets go from -BEFORE to SPAN */
    float *x = check_floats(place, BEFORE + SPAN + count), *y = check_floats(place, count);
    float *weights = check_floats(place, taps), bias = check_number(ORDINARY);
    int64_t *offsets = check_array(place, taps, sizeof *offsets);
    check_fill(kind, x, BEFORE + SPAN + count), check_fill(ORDINARY, weights, taps);
    for (int64_t t = 0; t < taps; t++) offsets[t] = t == 0 ? SPAN : t == 1 ? -BEFORE : (int64_t)(check_random() % SPAN);
    micro->taps(x + BEFORE, offsets, weights, taps, bias, y, count);
    check_where("%d taps, %d elements, place %d, kind %d", (int)taps, (int)count, (int)place, (int)kind);
    for (int64_t i = 0; i < count; i++) {
        double sum = (double)bias, magnitude = fabs(sum);
        float alone;
        for (int64_t t = 0; t < taps; t++) {
            double term = (double)weights[t] * (double)x[BEFORE + offsets[t] + i];
            sum += term, magnitude += fabs(term);
        }
        check_near((double)y[i], sum, check_rounding((double)taps + 1, magnitude));
        micro->taps(x + BEFORE + i, offsets, weights, taps, bias, &alone, 1);
        check_same(alone, y[i]);
    }
    check_release();
}

static void targets_cpu_products__taps_of_all_counts_and_places(void **state)
{
    static const int64_t taps[] = {0, 1, 2, 9, 25};
    FOR_EACH_LEVEL(micro) FOR_EACH_PLACE(place) FOR_EACH_KIND(kind) FOR_EACH_COUNT(n)
    {
        check_start(micro, "taps", "taps + 1 roundings");
        for (size_t t = 0; t < sizeof taps / sizeof *taps && n <= 257; t++) check_taps(micro, place, kind, taps[t], n);
    }
}

/* --- filter --- */

static void check_filter(const am_micro *micro, check_place place, check_kind kind, int64_t taps, int64_t count,
                         int64_t channels)
{
    enum { PLACES_MORE = 11 }; /* that taps reach */
    int64_t x_place = channels + GAP_A, y_place = channels + GAP_C, row = channels + GAP_B;
    int64_t x_count = extent(PLACES_MORE + count, channels, x_place), y_count = extent(count, channels, y_place);
    float *x = check_floats(place, x_count), *y = check_floats(place, y_count), *before = check_floats(AT_END, y_count);
    float *weights = check_floats(place, extent(taps, channels, row));
    int64_t *offsets = check_array(place, taps, sizeof *offsets);
    check_fill(kind, x, x_count), check_fill(ORDINARY, weights, extent(taps, channels, row));
    check_fill(ORDINARY, y, y_count);
    memcpy(before, y, (size_t)y_count * sizeof *y);
    for (int64_t t = 0; t < taps; t++)
        offsets[t] = (t == 0 ? PLACES_MORE : (int64_t)(check_random() % PLACES_MORE)) * x_place;
    micro->filter(x, x_place, offsets, weights, row, taps, y, y_place, count, channels);
    check_where("%d taps, %d places, %d channels, place %d, kind %d", (int)taps, (int)count, (int)channels, (int)place,
                (int)kind);
    for (int64_t i = 0; i < count; i++) {
        for (int64_t c = 0; c < channels; c++) {
            double sum = 0, magnitude = 0;
            float alone;
            for (int64_t t = 0; t < taps; t++) {
                double term = (double)weights[t * row + c] * (double)x[offsets[t] + i * x_place + c];
                sum += term, magnitude += fabs(term);
            }
            check_near((double)y[i * y_place + c], sum, check_rounding((double)taps + 1, magnitude));
            micro->filter(x + i * x_place + c, x_place, offsets, weights + c, row, taps, &alone, 1, 1, 1);
            check_same(alone, y[i * y_place + c]);
        }
        if (i + 1 < count && channels)
            assert_memory_equal(y + i * y_place + channels, before + i * y_place + channels, GAP_C * sizeof *y);
    }
    check_release();
}

static void targets_cpu_products__filters_of_all_remainders(void **state)
{
    static const int64_t taps[] = {0, 1, 2, 9};
    unsigned turn = 0;
    FOR_EACH_LEVEL(micro) for (int64_t count = 0; count <= 17; count++) FOR_EACH_COUNT(channels)
    {
        check_start(micro, "filter", "taps + 1 roundings");
        for (size_t t = 0; t < sizeof taps / sizeof *taps && channels <= 65; t++, turn++)
            check_filter(micro, (check_place)(turn % PLACES), (check_kind)(turn / PLACES % KINDS), taps[t], count,
                         channels);
    }
}
