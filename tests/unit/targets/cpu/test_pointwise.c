/* Functions of single elements against their definitions (graph/functions.def) in doubles. */
#include "check.h"

#include <float.h>

enum { PATTERNS = 40000, BLOCK = 500 };

/* --- unary --- */

/* What is allowed, of floats near the result (ulps) and of 2^-24 |x| (steps). Where e^-x is beyond all floats a result
   of less than 2^-125 |x| may be zero. */
typedef struct unary_bound {
    const char *name, *text;
    am_unary_fn fn;
    double ulps, steps;
    bool may_vanish;
} unary_bound;

/* clang-format off: a table */
static const unary_bound unary_bounds[] = {
    {"unary identity", "0 (the same bits)", AM_IDENTITY, 0, 0, false},
    {"unary abs", "0 (the same bits)", AM_ABS, 0, 0, false},
    {"unary neg", "0 (the same bits)", AM_NEG, 0, 0, false},
    {"unary relu", "0 (the same bits)", AM_RELU, 0, 0, false},
    {"unary square", "0.5 ulp", AM_SQUARE, 0.5, 0, false},
    {"unary relu2", "0.5 ulp", AM_RELU2, 0.5, 0, false},
    {"unary reciprocal", "0.5 ulp", AM_RECIPROCAL, 0.5, 0, false},
    {"unary exp", "1.5 ulp", AM_EXP, 1.5, 0, false},
    {"unary tanh", "2 ulp", AM_TANH, 2, 0, false},
    {"unary erf", "2 ulp", AM_ERF, 2, 0, false},
    {"unary sigmoid", "3 ulp", AM_SIGMOID, 3, 0, true},
    {"unary silu", "3 ulp", AM_SILU, 3, 0, true},
    {"unary quick_gelu", "3 ulp + 4 |x| ulp", AM_QUICK_GELU, 3, 0, true},
    {"unary gelu", "2^-24 |x| 2", AM_GELU, 0, 2, false},
    {"unary gelu_tanh", "2^-24 |x| 3", AM_GELU_TANH, 0, 3, false},
};
/* clang-format on */

static double allowed(const unary_bound *b, double x, double y)
{
    double size = isinf(x) ? 1 : fabs(x), ulps = b->ulps + (b->fn == AM_QUICK_GELU ? 4 * size : 0);
    double bound = ulps * check_ulp(y) + check_rounding(b->steps, size);
    return b->may_vanish ? bound + ldexp(fmax(size, 1), -125) : bound;
}

/* Near the largest float what is allowed may lie on either side of where infinity begins. */
static void check_definition(const unary_bound *b, float x, float y)
{
    double expected = am_unary_real(b->fn, (double)x), found = (double)y;
    bool is_zero = x == 0 && expected == 0; /* which has a sign */
    check_where("x = %.9g (%a)", (double)x, (double)x);
    if (is_zero || (isinf(y) && isinf((float)expected))) check_same(y, (float)expected);
    else check_near(isinf(y) ? copysign(0x1p128, found) : found, expected, allowed(b, (double)x, expected));
}

static void targets_cpu_pointwise__unary_is_near_its_definition(void **state)
{
    FOR_EACH_LEVEL(micro) for (size_t i = 0; i < sizeof unary_bounds / sizeof *unary_bounds; i++)
    {
        const unary_bound *b = &unary_bounds[i];
        check_start(micro, b->name, b->text);
        for (int at = 0; at < PATTERNS; at += BLOCK) {
            float x[BLOCK], y[BLOCK];
            for (int k = 0; k < BLOCK; k++) x[k] = check_any();
            micro->unary(b->fn, x, y, BLOCK);
            for (int k = 0; k < BLOCK; k++) check_definition(b, x[k], y[k]);
        }
    }
}

/* Wherever an element stands, in place or not, it is what it is alone; a function that has no vectors is its
 * definition. */
static void check_unary(const am_micro *micro, am_unary_fn fn, check_place place, int64_t n)
{
    float *x = check_floats(place, n), *y = check_floats(place, n), alone;
    for (int64_t i = 0; i < n; i++) x[i] = check_any();
    bool in_vectors = micro->unary(fn, x, y, n);
    check_where("%s, %d elements, place %d", am_unary_names[fn], (int)n, (int)place);
    for (int64_t i = 0; i < n; i++) {
        assert_true(micro->unary(fn, x + i, &alone, 1) == in_vectors);
        check_same(y[i], alone);
        if (!in_vectors) check_same(y[i], (float)am_unary_real(fn, (double)x[i]));
    }
    micro->unary(fn, x, x, n);
    for (int64_t i = 0; i < n; i++) check_same(x[i], y[i]);
    check_release();
}

static void targets_cpu_pointwise__unary_of_all_counts_and_places(void **state)
{
    FOR_EACH_LEVEL(micro) for (int fn = 0; fn < AM_UNARY_COUNT; fn++) FOR_EACH_PLACE(place) FOR_EACH_COUNT(n)
    {
        check_start(micro, "unary", "0 (the same bits alone)");
        if (n <= 65) check_unary(micro, (am_unary_fn)fn, place, n);
    }
}

/* --- binary --- */

static float binary_float(am_binary_fn fn, float x, float y)
{
    switch (fn) {
    case AM_ADD:
        return x + y;
    case AM_SUB:
        return x - y;
    case AM_MUL:
        return x * y;
    case AM_DIV:
        return x / y;
    default:
        return (float)am_binary_real(fn, (double)x, (double)y);
    }
}

typedef struct operands {
    am_binary_fn fn;
    bool x_repeats, y_repeats;
} operands;

/* in_place: 0 none, 1 the result lies where x does, 2 where y does. */
static void check_binary(const am_micro *micro, operands o, check_place place, int64_t n, int in_place)
{
    float *x = check_floats(place, o.x_repeats ? 1 : n), *y = check_floats(place, o.y_repeats ? 1 : n);
    float *z = in_place == 1 ? x : in_place == 2 ? y : check_floats(place, n), expected[4096];
    for (int64_t i = 0; i < (o.x_repeats ? 1 : n); i++) x[i] = check_any();
    for (int64_t i = 0; i < (o.y_repeats ? 1 : n); i++) y[i] = check_any();
    for (int64_t i = 0; i < n; i++) expected[i] = binary_float(o.fn, x[o.x_repeats ? 0 : i], y[o.y_repeats ? 0 : i]);
    micro->binary(o.fn, x, o.x_repeats, y, o.y_repeats, z, n);
    check_where("%s, %d elements, place %d, repeats %d %d, in place %d", am_binary_names[o.fn], (int)n, (int)place,
                o.x_repeats, o.y_repeats, in_place);
    for (int64_t i = 0; i < n; i++) check_same(z[i], expected[i]);
    check_release();
}

static void targets_cpu_pointwise__binary_of_all_counts_and_places(void **state)
{
    FOR_EACH_LEVEL(micro) for (int fn = 0; fn < AM_BINARY_COUNT; fn++)
    {
        am_dtype result;
        if (!am_binary_result((am_binary_fn)fn, AM_F32, &result) || result != AM_F32) continue;
        check_start(micro, "binary", "0 (the same bits)");
        FOR_EACH_PLACE(place) FOR_EACH_COUNT(n) for (int repeats = 0; repeats < 4; repeats++)
        {
            operands o = {(am_binary_fn)fn, repeats & 1, repeats & 2};
            check_binary(micro, o, place, n, 0);
            if (!o.x_repeats) check_binary(micro, o, place, n, 1);
            if (!o.y_repeats) check_binary(micro, o, place, n, 2);
        }
    }
}

/* --- what is made of both: bits are those of the parts --- */

static void check_gated(const am_micro *micro, am_unary_fn fn, check_place place, int64_t n, int in_place)
{
    float *x = check_floats(place, n), *z = check_floats(place, n), expected[4096];
    float *y = in_place == 1 ? x : in_place == 2 ? z : check_floats(place, n);
    for (int64_t i = 0; i < n; i++) x[i] = check_any(), z[i] = check_any();
    micro->unary(fn, x, expected, n);
    for (int64_t i = 0; i < n; i++) expected[i] *= z[i];
    micro->gated(fn, x, z, y, n);
    check_where("%s, %d elements, place %d, in place %d", am_unary_names[fn], (int)n, (int)place, in_place);
    for (int64_t i = 0; i < n; i++) check_same(y[i], expected[i]);
    check_release();
}

static void targets_cpu_pointwise__gated_is_a_function_times_another(void **state)
{
    static const am_unary_fn fns[] = {AM_IDENTITY, AM_SIGMOID, AM_SILU, AM_GELU, AM_GELU_TANH, AM_RELU, AM_MISH};
    FOR_EACH_LEVEL(micro) for (size_t f = 0; f < sizeof fns / sizeof *fns; f++) FOR_EACH_PLACE(place) FOR_EACH_COUNT(n)
    {
        check_start(micro, "gated", "0 (the same bits)");
        for (int in_place = 0; in_place < 3; in_place++) check_gated(micro, fns[f], place, n, in_place);
    }
}

static void check_finish(const am_micro *micro, am_unary_fn fn, check_place place, int64_t n, bool biased, bool added)
{
    float *c = check_floats(place, n), *bias = check_floats(place, n), *residual = check_floats(place, n);
    float expected[4096];
    for (int64_t i = 0; i < n; i++) {
        c[i] = check_any(), bias[i] = check_any(), residual[i] = check_any();
        expected[i] = biased ? c[i] + bias[i] : c[i];
    }
    micro->unary(fn, expected, expected, n);
    for (int64_t i = 0; i < n && added; i++) expected[i] += residual[i];
    micro->finish(c, biased ? bias : NULL, added ? residual : NULL, fn, n);
    check_where("%s, %d elements, place %d, bias %d, residual %d", am_unary_names[fn], (int)n, (int)place, biased,
                added);
    for (int64_t i = 0; i < n; i++) check_same(c[i], expected[i]);
    check_release();
}

static void targets_cpu_pointwise__finish_adds_before_and_after_a_function(void **state)
{
    static const am_unary_fn fns[] = {AM_IDENTITY, AM_RELU, AM_GELU, AM_TANH, AM_SOFTPLUS};
    FOR_EACH_LEVEL(micro) for (size_t f = 0; f < sizeof fns / sizeof *fns; f++) FOR_EACH_PLACE(place) FOR_EACH_COUNT(n)
    {
        check_start(micro, "finish", "0 (the same bits)");
        for (int parts = 0; parts < 4; parts++) check_finish(micro, fns[f], place, n, parts & 1, parts & 2);
    }
}

/* --- scale --- */

static void check_scale(const am_micro *micro, check_place place, int64_t n, float factor, float term)
{
    float *x = check_floats(place, n), *y = check_floats(place, n);
    for (int64_t i = 0; i < n; i++) x[i] = check_any();
    micro->scale(x, factor, term, y, n);
    for (int64_t i = 0; i < n; i++) {
        double product = (double)x[i] * (double)factor, expected = product + (double)term;
        check_where("%d elements, place %d, %.9g * %.9g + %.9g", (int)n, (int)place, (double)x[i], (double)factor,
                    (double)term);
        if (isfinite(x[i]) && isfinite(factor) && fabs(product) > 0x1p127) continue; /* a float may be infinite here */
        check_near((double)y[i], expected, check_rounding(1.001, fabs(product) + fabs(expected)));
    }
    micro->scale(x, factor, term, x, n);
    for (int64_t i = 0; i < n; i++) check_same(x[i], y[i]);
    check_release();
}

static void targets_cpu_pointwise__scale_multiplies_and_adds(void **state)
{
    static const float factors[][2] = {{1.5f, -0.25f}, {1, 3},         {0, 0},   {-0.0f, 1}, {0x1p-130f, 0},
                                       {INFINITY, 1},  {2, -INFINITY}, {NAN, 0}, {1, NAN}};
    FOR_EACH_LEVEL(micro) FOR_EACH_PLACE(place) FOR_EACH_COUNT(n)
    {
        check_start(micro, "scale", "2 roundings");
        for (size_t i = 0; i < sizeof factors / sizeof *factors; i++)
            check_scale(micro, place, n, factors[i][0], factors[i][1]);
    }
}

/* --- affine --- */

enum { FACTORS = 1, TERMS = 2, RESIDUAL = 4, RELU = 8, AFFINES = 16 };

static void check_affine(const am_micro *micro, unsigned parts, check_place place, check_kind kind, int64_t n)
{
    enum { ROWS = 3, GAP = 5 };
    int64_t stride = n + GAP, all = n ? (ROWS - 1) * stride + n : 0;
    float *y = check_floats(place, all), *residual = check_floats(place, all), *before = check_floats(AT_END, all);
    float *factors = check_floats(place, n), *terms = check_floats(place, n);
    check_fill(kind, y, all), check_fill(ORDINARY, residual, all);
    check_fill(ORDINARY, factors, n), check_fill(ORDINARY, terms, n);
    memcpy(before, y, (size_t)all * sizeof *y);
    micro->affine(y, parts & RESIDUAL ? residual : NULL, stride, ROWS, n, parts & FACTORS ? factors : NULL,
                  parts & TERMS ? terms : NULL, parts & RELU);
    check_where("%d elements, parts %u, place %d, kind %d", (int)n, parts, (int)place, (int)kind);
    for (int64_t i = 0; i < all; i++) {
        int64_t k = i % stride;
        double product = (double)before[i] * (parts & FACTORS && k < n ? (double)factors[k] : 1);
        double term = parts & TERMS && k < n ? (double)terms[k] : 0, other = parts & RESIDUAL ? (double)residual[i] : 0;
        double sum = product + term + other, size = fabs(product) + fabs(term) + fabs(other);
        if (k >= n) check_same(y[i], before[i]); /* between rows */
        else check_near((double)y[i], parts & RELU ? am_unary_real(AM_RELU, sum) : sum, check_rounding(3, size));
    }
    check_release();
}

static void targets_cpu_pointwise__affine_of_all_parts_and_counts(void **state)
{
    FOR_EACH_LEVEL(micro) FOR_EACH_PLACE(place) FOR_EACH_KIND(kind) FOR_EACH_COUNT(n)
    {
        check_start(micro, "affine", "3 roundings");
        for (unsigned parts = 0; parts < AFFINES && n <= 257; parts++) check_affine(micro, parts, place, kind, n);
    }
}

/* --- rope --- */

static void check_rope(const am_micro *micro, check_place place, check_kind kind, int64_t half, bool interleaved)
{
    float *x = check_floats(place, 2 * half), *y = check_floats(place, 2 * half);
    float *cosines = check_floats(place, half), *sines = check_floats(place, half);
    check_fill(kind, x, 2 * half);
    for (int64_t i = 0; i < half; i++) cosines[i] = cosf((float)i), sines[i] = sinf((float)i);
    micro->rope(x, cosines, sines, y, half, interleaved);
    check_where("half %d, place %d, kind %d, interleaved %d", (int)half, (int)place, (int)kind, interleaved);
    for (int64_t i = 0; i < half; i++) {
        int64_t first = interleaved ? 2 * i : i, second = interleaved ? 2 * i + 1 : i + half;
        double a = (double)x[first], b = (double)x[second], c = (double)cosines[i], s = (double)sines[i];
        check_near((double)y[first], a * c - b * s, check_rounding(2, fabs(a * c) + fabs(b * s)));
        check_near((double)y[second], b * c + a * s, check_rounding(2, fabs(b * c) + fabs(a * s)));
    }
    micro->rope(x, cosines, sines, x, half, interleaved);
    for (int64_t i = 0; i < 2 * half; i++) check_same(x[i], y[i]);
    check_release();
}

static void targets_cpu_pointwise__rope_turns_pairs(void **state)
{
    FOR_EACH_LEVEL(micro) FOR_EACH_PLACE(place) FOR_EACH_KIND(kind) FOR_EACH_COUNT(half)
    {
        check_start(micro, "rope", "2 roundings");
        check_rope(micro, place, kind, half, false);
        check_rope(micro, place, kind, half, true);
    }
}

/* --- widen --- */

static void check_widen(const am_micro *micro, am_dtype dtype, check_place place, int64_t n)
{
    uint16_t *x = check_array(place, n, sizeof *x);
    float *y = check_floats(place, n);
    for (uint32_t first = 0; n && first < 65536; first += (uint32_t)n) {
        for (int64_t i = 0; i < n; i++) x[i] = (uint16_t)(first + (uint32_t)i);
        micro->widen(dtype, x, y, n);
        for (int64_t i = 0; i < n; i++) check_same(y[i], dtype == AM_F16 ? am_f16_to_f32(x[i]) : am_bf16_to_f32(x[i]));
        if (n < 63 && first > 2048) first += 4099; /* all of them for long arrays, samples for short ones */
    }
    check_release();
}

static void targets_cpu_pointwise__widen_is_exact(void **state)
{
    FOR_EACH_LEVEL(micro) FOR_EACH_PLACE(place) FOR_EACH_COUNT(n)
    {
        check_start(micro, "widen", "0 (the same bits)");
        check_where("%d elements, place %d", (int)n, (int)place);
        check_widen(micro, AM_BF16, place, n);
        check_widen(micro, AM_F16, place, n);
    }
}
