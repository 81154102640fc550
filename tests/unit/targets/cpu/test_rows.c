/* Sums, norms and softmax of rows against the same in doubles. Squares of numbers beyond 2^60 are infinite in floats,
   so rows of LARGE numbers are the largest here. */
#include "check.h"

/* A row, and what is true of it. */
typedef struct row {
    check_place place;
    check_kind kind;
    int64_t n;
    float *x;
    double sum, magnitude, mean, variance; /* magnitude: sum of |x| */
    float largest;
} row;

static row row_make(const am_micro *micro, check_place place, check_kind kind, int64_t n)
{
    row r = {place, kind, n, check_floats(place, n), .largest = -INFINITY};
    check_fill(kind, r.x, n);
    float shift = check_random() % 4 == 0 && kind == ORDINARY ? 100 : 0; /* a mean far from zero */
    for (int64_t i = 0; i < n; i++) {
        r.x[i] += shift;
        r.sum += (double)r.x[i];
        r.magnitude += fabs((double)r.x[i]);
        r.largest = r.x[i] > r.largest || isnan(r.x[i]) ? r.x[i] : r.largest;
    }
    r.mean = r.sum / (double)n;
    for (int64_t i = 0; i < n; i++) r.variance += ((double)r.x[i] - r.mean) * ((double)r.x[i] - r.mean);
    r.variance /= (double)n;
    return r;
}

#define FOR_EACH_ROW(micro, r)                                                                                         \
    FOR_EACH_LEVEL(micro)                                                                                              \
    FOR_EACH_PLACE(place)                                                                                              \
    FOR_EACH_KIND(kind)                                                                                                \
    FOR_EACH_COUNT(n)                                                                                                  \
    for (int turn = 0; turn < 2; turn++)                                                                               \
        for (row r = row_make(micro, place, kind, n), *once = &r; once; once = NULL, check_release())

static void where(const row *r)
{
    check_where("%d elements, place %d, kind %d", (int)r->n, (int)r->place, (int)r->kind);
}

/* Sums of floats are those of at most 1024. */
static double additions(int64_t n)
{
    return check_additions(n < 1024 ? n : 1024);
}

static double mean_bound(const row *r)
{
    return check_rounding(additions(r->n), r->magnitude / (double)r->n);
}

/* Distances are from the mean as a float. */
static double variance_bound(const row *r)
{
    double off = mean_bound(r) + check_rounding(1, fabs(r->mean));
    return off * off + check_rounding(additions(r->n) + 4, r->variance + off * off);
}

static void targets_cpu_rows__sum_is_near_that_of_doubles(void **state)
{
    FOR_EACH_ROW(micro, r)
    {
        check_start(micro, "sum", "n / 16 + 8 roundings");
        where(&r);
        check_near((double)micro->sum(r.x, r.n), r.sum, check_rounding(check_additions(r.n), r.magnitude));
    }
}

static void targets_cpu_rows__largest_is_exact_and_nan_wins(void **state)
{
    FOR_EACH_ROW(micro, r)
    {
        check_start(micro, "largest", "0 (the same number)");
        where(&r);
        check_near((double)micro->largest(r.x, r.n), (double)r.largest, 0);
        for (int64_t i = 0; i<r.n; i += r.n> 65 ? 61 : 1) { /* wherever it stands */
            float kept = r.x[i];
            r.x[i] = NAN;
            assert_true(isnan(micro->largest(r.x, r.n)));
            r.x[i] = kept;
        }
    }
}

static void targets_cpu_rows__moments_are_near_those_of_doubles(void **state)
{
    FOR_EACH_ROW(micro, r)
    {
        double mean, variance;
        micro->moments(r.x, r.n, &mean, &variance);
        check_start(micro, "moments: mean", "n / 16 + 8 roundings");
        where(&r);
        check_near(mean, r.mean, mean_bound(&r));
        check_start(micro, "moments: variance", "n / 16 + 12 roundings, the mean's squared");
        where(&r);
        check_near(variance, r.variance, variance_bound(&r));
    }
}

/* --- norms --- */

enum { PARTS = 4 }; /* without and with weight (1), bias (2) */

static void check_layer_norm(const am_micro *micro, const row *r, int parts, float eps)
{
    float *y = check_floats(r->place, r->n), *w = check_floats(r->place, r->n), *b = check_floats(r->place, r->n);
    double scale = 1 / sqrt(r->variance + (double)eps), off = mean_bound(r) + check_rounding(1, fabs(r->mean));
    double scale_off = variance_bound(r) / (r->variance + (double)eps) / 2; /* relative */
    check_fill(ORDINARY, w, r->n), check_fill(ORDINARY, b, r->n);
    micro->layer_norm(r->x, parts & 1 ? w : NULL, parts & 2 ? b : NULL, y, r->n, eps);
    where(r);
    for (int64_t i = 0; i < r->n; i++) {
        double weight = parts & 1 ? (double)w[i] : 1, bias = parts & 2 ? (double)b[i] : 0;
        double product = ((double)r->x[i] - r->mean) * scale * weight,
               size = fabs(product) + off * scale * fabs(weight);
        check_near((double)y[i], product + bias,
                   off * scale * fabs(weight) + scale_off * size + check_rounding(4, size + fabs(bias)));
    }
    float *in_place = check_floats(r->place, r->n);
    memcpy(in_place, r->x, (size_t)r->n * sizeof *in_place);
    micro->layer_norm(in_place, parts & 1 ? w : NULL, parts & 2 ? b : NULL, in_place, r->n, eps);
    for (int64_t i = 0; i < r->n; i++) check_same(in_place[i], y[i]);
}

static void targets_cpu_rows__layer_norm_is_near_that_of_doubles(void **state)
{
    FOR_EACH_ROW(micro, r)
    {
        check_start(micro, "layer_norm", "4 roundings, those of the moments");
        check_layer_norm(micro, &r, (int)(n + turn) % PARTS, turn ? 1e-5f : 1e-12f);
    }
}

static void check_rms_norm(const am_micro *micro, const row *r, bool weighted, float offset, float eps)
{
    float *y = check_floats(r->place, r->n), *w = check_floats(r->place, r->n);
    double square = 0;
    for (int64_t i = 0; i < r->n; i++) square += (double)r->x[i] * (double)r->x[i];
    square = square / (double)r->n + (double)eps;
    check_fill(ORDINARY, w, r->n);
    micro->rms_norm(r->x, weighted ? w : NULL, offset, y, r->n, eps);
    where(r);
    for (int64_t i = 0; i < r->n; i++) {
        double weight = weighted ? (double)w[i] + (double)offset : 1,
               expected = (double)r->x[i] / sqrt(square) * weight;
        double weight_off = weighted ? check_rounding(1, fabs(weight)) * fabs((double)r->x[i]) / sqrt(square) : 0;
        check_near((double)y[i], expected, weight_off + check_rounding(additions(r->n) / 2 + 5, fabs(expected)));
    }
    micro->rms_norm(r->x, weighted ? w : NULL, offset, r->x, r->n, eps);
    for (int64_t i = 0; i < r->n; i++) check_same(r->x[i], y[i]);
}

static void targets_cpu_rows__rms_norm_is_near_that_of_doubles(void **state)
{
    FOR_EACH_ROW(micro, r)
    {
        check_start(micro, "rms_norm", "n / 32 + 9 roundings");
        check_rms_norm(micro, &r, (n + turn) % 2, turn ? 1 : 0, turn ? 1e-6f : 1e-12f);
    }
}

/* --- softmax --- */

/* An exponential is off by its own 1.5 ulp and by the rounding of x - largest, which counts at most |d| e^d there. */
static void check_softmax(const am_micro *micro, const row *r, bool log_form)
{
    float *y = check_floats(r->place, r->n);
    double total = 0, total_off = 0, additions_of_64 = (double)(r->n < 256 ? r->n : 256) / 4 + 16;
    for (int64_t i = 0; i < r->n; i++) {
        double d = (double)r->x[i] - (double)r->largest, e = exp(d);
        total += e;
        total_off += isinf(d) ? 0 : check_rounding(fabs(d) + 3, e);
    }
    total_off += check_rounding(additions_of_64, total);
    micro->softmax(r->x, y, r->n, log_form);
    where(r);
    for (int64_t i = 0; i < r->n; i++) {
        double d = (double)r->x[i] - (double)r->largest, e = exp(d), away = isinf(d) ? 0 : fabs(d);
        if (log_form)
            check_near((double)y[i], d - log(total),
                       check_rounding(2, away + fabs(log(total))) + total_off / total + check_rounding(1, log(total)));
        else
            check_near((double)y[i], e / total,
                       (check_rounding(away + 4, e) + e * total_off / total) / total + check_rounding(2, e / total));
    }
    micro->softmax(r->x, r->x, r->n, log_form);
    for (int64_t i = 0; i < r->n; i++) check_same(r->x[i], y[i]);
}

static void targets_cpu_rows__softmax_is_near_that_of_doubles(void **state)
{
    FOR_EACH_ROW(micro, r)
    {
        check_start(micro, turn ? "softmax: log" : "softmax", "exponentials of 1.5 ulp, at most 80 additions");
        check_softmax(micro, &r, turn);
    }
}

/* What attention and logits hold: -infinity among others, and nothing but it. */
static void targets_cpu_rows__softmax_of_infinities(void **state)
{
    FOR_EACH_LEVEL(micro) FOR_EACH_COUNT(n)
    {
        float *x = check_floats(AT_END, n), *y = check_floats(AT_END, n);
        check_start(micro, "softmax of -inf", "0 (the same number)");
        for (int64_t i = 0; i < n; i++) x[i] = -INFINITY;
        micro->softmax(x, y, n, false);
        for (int64_t i = 0; i < n; i++) assert_true(isnan(y[i]));
        if (n) x[n / 2] = 3;
        micro->softmax(x, y, n, false);
        for (int64_t i = 0; i < n; i++) check_same(y[i], i == n / 2 ? 1 : 0);
        micro->softmax(x, y, n, true);
        for (int64_t i = 0; i < n; i++) check_near((double)y[i], i == n / 2 ? 0 : -INFINITY, 0);
        check_release();
    }
}
