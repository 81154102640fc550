#include "op_test.h"

#include "base/prng.h"
#include "base/threads.h"

#include <string.h>

enum { C = AM_QUANTIZED_COLUMNS, SEED = 20 };

/* --- nodes --- */

typedef struct layout {
    int64_t M, N, K, group;
    int bits;
    bool zero_points, bias, residual;
    am_dtype scales; /* F32 where it is 0 */
} layout;

static am_quantized_linear_attributes attributes_of(const layout *l, am_unary_fn activation)
{
    return (am_quantized_linear_attributes){l->bits, l->N, l->group, (int)activation};
}

static am_shape weight_shape(const layout *l)
{
    return am_shape_of((l->N + C - 1) / C, l->K / (l->bits == 8 ? 4 : 8), C, 4);
}

static am_shape scales_shape(const layout *l)
{
    return am_shape_of((l->N + C - 1) / C, l->K / l->group, C);
}

/* Whole numbers from low to high, or reals below high. */
static am_tensor make(am_dtype dtype, am_shape shape, double low, double high, uint64_t seed)
{
    am_tensor t = op_test_tensor(dtype, shape);
    for (int64_t i = 0; i < am_shape_count(&shape); i++) {
        double u = am_uniform(SEED + seed, (uint64_t)i);
        if (am_dtype_is_float(dtype)) am_store_real(dtype, t.data, i, low + (high - low) * u);
        else am_store_int(dtype, t.data, i, (int64_t)floor(low + (high - low + 1) * u));
    }
    return t;
}

static op_test_node make_node(const layout *l, const am_quantized_linear_attributes *attributes, am_tensor x)
{
    op_test_node node = {.op = AM_OP_QUANTIZED_LINEAR, .attributes = attributes, .input_count = 6};
    node.inputs[0] = x;
    node.inputs[1] = make(AM_U8, weight_shape(l), 0, 255, 1);
    node.inputs[2] = make(l->scales ? l->scales : AM_F32, scales_shape(l), 0.01, 0.02, 2);
    if (l->zero_points) node.inputs[3] = make(AM_U8, scales_shape(l), 0, l->bits == 8 ? 255 : 15, 3);
    if (l->bias) node.inputs[4] = make(AM_F32, am_shape_of(l->N), -2, 2, 4);
    if (l->residual) node.inputs[5] = make(AM_F32, am_shape_of(l->M, l->N), -2, 2, 5);
    return node;
}

/* Whole numbers of at most 127, which one of each 32 is: rounding to 8 bits leaves them as they are. */
static am_tensor whole_x(const layout *l)
{
    am_tensor x = make(AM_F32, am_shape_of(l->M, l->K), 0, 1, 0);
    float *numbers = x.data;
    for (int64_t i = 0; i < l->M * l->K; i++)
        numbers[i] = i % 32 == 7 ? (i % 64 == 7 ? 127.0f : -127.0f) : floorf(255 * numbers[i]) - 127;
    return x;
}

/* All ways to compute a node whose x needs no rounding. */
static void agree(const layout *l, am_unary_fn activation)
{
    am_quantized_linear_attributes attributes = attributes_of(l, activation);
    op_test_node node = make_node(l, &attributes, whole_x(l));
    op_test_agree(&node);
    op_test_free(node.inputs, OP_TEST_INPUTS);
}

static void ops_quantized_linear__agrees_on_every_number_of_rows_and_columns(void **state)
{
    for (int bits = 4; bits <= 8; bits += 4)
        for (int64_t i = 1; i <= 9; i++) {
            const layout l = {.M = i, .N = 19 - i, .K = 64, .group = 32, .bits = bits, .bias = i % 2 == 0};
            agree(&l, AM_IDENTITY);
        }
}

static void ops_quantized_linear__agrees_on_groups_and_zero_points(void **state)
{
    static const int64_t groups[] = {32, 64, 96, 192};
    for (int bits = 4; bits <= 8; bits += 4)
        for (int i = 0; i < 4; i++) {
            layout l = {.M = 5, .N = 41, .K = 192, .group = groups[i], .bits = bits, .bias = true, .residual = true};
            agree(&l, AM_SILU);
            l.zero_points = true;
            agree(&l, AM_GELU);
        }
}

static void ops_quantized_linear__takes_scales_of_every_float(void **state)
{
    static const am_dtype dtypes[] = {AM_F64, AM_F32, AM_BF16, AM_F16};
    for (int bits = 4; bits <= 8; bits += 4)
        for (int i = 0; i < 4; i++) {
            const layout l = {.M = 2, .N = 33, .K = 96, .group = 32, .bits = bits, .scales = dtypes[i]};
            agree(&l, AM_IDENTITY);
        }
}

/* Where no kernel rounds x: other dtypes, and groups that are no multiple of 32. */
static void ops_quantized_linear__agrees_where_x_is_not_rounded(void **state)
{
    for (int zero_points = 0; zero_points < 2; zero_points++) {
        const am_quantized_linear_attributes a = {8, 21, 12, AM_RELU}, b = {4, 21, 20, AM_IDENTITY};
        op_test_input zero = OP_OF(AM_U8, 2, 5, C), zero4 = OP_OF(AM_U8, 2, 2, C);
        op_test_input weight = {.dtype = AM_U8, .shape = am_shape_of(2, 15, C, 4), .low = 0, .high = 256};
        op_test_input weight4 = {.dtype = AM_U8, .shape = am_shape_of(2, 5, C, 4), .low = 0, .high = 256};
        op_test_input scales = {.dtype = AM_F32, .shape = am_shape_of(2, 5, C), .low = 0.01, .high = 0.02};
        op_test_input scales4 = {.dtype = AM_F32, .shape = am_shape_of(2, 2, C), .low = 0.1, .high = 0.2};
        zero.low = zero4.low = 0, zero.high = 256, zero4.high = 16;
        zero.absent = zero4.absent = !zero_points;
        op_test_compare_floats(AM_OP_QUANTIZED_LINEAR, &a,
                               OP_INPUTS(OP_F32(2, 3, 60), weight, scales, zero, OP_F32(21), OP_F32(2, 3, 21)));
        op_test_compare_floats(AM_OP_QUANTIZED_LINEAR, &b, OP_INPUTS(OP_F32(40), weight4, scales4, zero4));
    }
}

/* --- the kernels' arithmetic, in plain C --- */

static int64_t number(const op_test_node *node, const layout *l, int64_t n, int64_t k)
{
    int64_t together = l->bits == 8 ? 4 : 8, at = ((n / C * (l->K / together) + k / together) * C + n % C) * 4 + k % 4;
    int64_t q = am_load_int(node->inputs[1].dtype, node->inputs[1].data, at);
    return l->bits == 8 ? q : k % 8 < 4 ? q & 15 : q >> 4;
}

static int64_t group_at(const layout *l, int64_t n, int64_t k)
{
    return (n / C * (l->K / l->group) + k / l->group) * C + n % C;
}

static int64_t zero_point(const op_test_node *node, const layout *l, int64_t n, int64_t k)
{
    if (!l->zero_points) return l->bits == 8 ? 128 : 8;
    return am_load_int(node->inputs[3].dtype, node->inputs[3].data, group_at(l, n, k));
}

static float scale_of(const op_test_node *node, const layout *l, int64_t n, int64_t k)
{
    return (float)am_load_real(node->inputs[2].dtype, node->inputs[2].data, group_at(l, n, k));
}

/* Scale of 32 numbers of x and what they become. */
static float round_x(const float *x, int64_t *q)
{
    float most = 0;
    for (int k = 0; k < 32; k++) {
        if (isnan(x[k]) || isinf(x[k])) most = NAN;
        else if (fabsf(x[k]) > most) most = fabsf(x[k]);
    }
    bool rounds = most >= 0x1p-100f;
    for (int k = 0; k < 32; k++) q[k] = rounds ? (int64_t)nearbyintf(x[k] * (127 / most)) : 0;
    return rounds ? most / 127 : isnan(most) ? NAN : 0;
}

/* *bound gets how much rounding x may make of a difference. */
static float model(const op_test_node *node, const layout *l, int64_t m, int64_t n, double *bound)
{
    float sum = 0;
    *bound = 0;
    for (int64_t g = 0; g < l->K; g += 32) {
        int64_t q[32], whole = 0;
        float scale = round_x((const float *)node->inputs[0].data + m * l->K + g, q);
        for (int64_t k = 0; k < 32; k++) {
            int64_t w = number(node, l, n, g + k) - zero_point(node, l, n, g + k);
            whole += q[k] * w;
            *bound += 0.5001 * fabs((double)scale * (double)w * (double)scale_of(node, l, n, g + k));
        }
        sum += (float)whole * (scale * scale_of(node, l, n, g));
    }
    return sum + ((const float *)node->inputs[4].data)[n];
}

/* Every level gives the bits of the model, one row or many, and lies as near to the reference as rounding x allows. */
static void compare_with_model(const op_test_node *node, const layout *l)
{
    am_graph *graph;
    am_tensor reference, found;
    am_test_expect_ok(op_test_graph(node, &graph));
    am_test_expect_ok(op_test_run(graph, node, &(am_cpu_program_options){.reference_only = true}, &reference));
    for (int isa = AM_ISA_SSE2; isa < AM_ISA_COUNT; isa++) {
        if (!am_micro_of((am_isa)isa)) continue;
        am_test_expect_ok(op_test_run(graph, node, &(am_cpu_program_options){.isa = (am_isa)isa}, &found));
        for (int64_t i = 0; i < l->M * l->N; i++) {
            double bound, exact = ((const float *)reference.data)[i];
            float expected = model(node, l, i / l->N, i % l->N, &bound), is = ((const float *)found.data)[i];
            bool same = memcmp(&is, &expected, sizeof is) == 0 || (isnan(is) && isnan(expected));
            if (!same)
                fail_msg("%s, result %lld: expected %.9g, found %.9g", am_isa_name((am_isa)isa), (long long)i,
                         (double)expected, (double)is);
            if (isfinite(is) && fabs((double)is - exact) > bound + 1e-5 * (1 + bound))
                fail_msg("result %lld: %.9g is further from %.9g than %.3g", (long long)i, (double)is, exact, bound);
        }
        op_test_free(&found, 1);
    }
    op_test_free(&reference, 1);
    am_graph_destroy(graph);
}

static void compare_reals(const layout *l)
{
    am_quantized_linear_attributes attributes = attributes_of(l, AM_IDENTITY);
    am_tensor x = make(AM_F32, am_shape_of(l->M, l->K), -3, 3, 0);
    float *numbers = x.data;
    for (int64_t i = 0; i < l->K && l->M > 3; i++) {
        numbers[i] *= i < 32 ? 0 : 1e-34f;     /* zeros, and what is too small to count */
        numbers[l->K + i] *= i % 2 ? 1e4f : 1; /* few large ones */
    }
    if (l->M > 6) {
        numbers[4 * l->K + 3] = NAN;
        numbers[5 * l->K + l->K - 1] = -INFINITY;
    }
    op_test_node node = make_node(l, &attributes, x);
    compare_with_model(&node, l);
    op_test_free(node.inputs, OP_TEST_INPUTS);
}

static void ops_quantized_linear__every_level_gives_the_bits_of_the_model(void **state)
{
    for (int bits = 4; bits <= 8; bits += 4)
        for (int64_t M = 1; M <= 9; M++) {
            const layout l = {.M = M,
                              .N = 57,
                              .K = 192,
                              .group = M % 2 ? 32 : 96,
                              .bits = bits,
                              .scales = M % 3 ? AM_BF16 : AM_F16,
                              .zero_points = M > 4,
                              .bias = true};
            compare_reals(&l);
        }
}

/* Sums as large as there can be. */
static void ops_quantized_linear__sums_of_the_largest_numbers_are_exact(void **state)
{
    for (int bits = 4; bits <= 8; bits += 4)
        for (int i = 0; i < 4; i++) {
            int sign = i % 2 ? -1 : 1;
            const layout l = {.M = 4, .N = 16, .K = 64, .group = 64, .bits = bits, .bias = true};
            am_quantized_linear_attributes attributes = attributes_of(&l, AM_IDENTITY);
            am_tensor x = make(AM_F32, am_shape_of(l.M, l.K), sign, sign, 0);
            op_test_node node = make_node(&l, &attributes, x);
            memset(node.inputs[1].data, i < 2 ? 0 : 255, (size_t)(l.N * l.K * bits / 8));
            compare_with_model(&node, &l);
            op_test_free(node.inputs, OP_TEST_INPUTS);
        }
}

static void ops_quantized_linear__results_do_not_depend_on_threads(void **state)
{
    const layout l = {.M = 200, .N = 150, .K = 96, .group = 32, .bits = 4, .bias = true};
    am_quantized_linear_attributes attributes = attributes_of(&l, AM_GELU);
    op_test_node node = make_node(&l, &attributes, make(AM_F32, am_shape_of(l.M, l.K), -3, 3, 0));
    am_tensor one, many;
    am_graph *graph;
    am_test_expect_ok(op_test_graph(&node, &graph));
    am_test_expect_ok(am_threads_set(1));
    am_test_expect_ok(op_test_run(graph, &node, NULL, &one));
    am_test_expect_ok(am_threads_set(5));
    am_test_expect_ok(op_test_run(graph, &node, NULL, &many));
    am_test_expect_ok(am_threads_set(1));
    assert_memory_equal(one.data, many.data, (size_t)(l.M * l.N) * sizeof(float));
    op_test_free(&one, 1);
    op_test_free(&many, 1);
    op_test_free(node.inputs, OP_TEST_INPUTS);
    am_graph_destroy(graph);
}

/* --- errors --- */

static void ops_quantized_linear__refuses_what_does_not_fit(void **state)
{
    const am_quantized_linear_attributes a = {8, 20, 32, AM_IDENTITY}, b = {4, 20, 32, AM_IDENTITY};
    const am_quantized_linear_attributes wrong[] = {{3, 20, 32, 0}, {8, 0, 32, 0}, {8, 20, 24, 0}, {8, 20, 0, 0}};
    const char *const messages[] = {"weights of 3 bits, expected 8 or 4", "0 columns",
                                    "rows of 64 numbers do not fall into groups of 24",
                                    "rows of 64 numbers do not fall into groups of 0"};
    op_test_input x = OP_F32(2, 64), w = OP_OF(AM_U8, 2, 16, C, 4), s = OP_F32(2, 2, C);
    for (int i = 0; i < 4; i++) op_test_refused(AM_OP_QUANTIZED_LINEAR, &wrong[i], messages[i], OP_INPUTS(x, w, s));
    op_test_refused(AM_OP_QUANTIZED_LINEAR, &a, "rows of 62 numbers, expected a multiple of 4",
                    OP_INPUTS(OP_F32(2, 62), w, s));
    op_test_refused(AM_OP_QUANTIZED_LINEAR, &b, "rows of 36 numbers, expected a multiple of 8",
                    OP_INPUTS(OP_F32(2, 36), w, s));
    op_test_refused(AM_OP_QUANTIZED_LINEAR, &a, "input 0 must have a dimension", OP_INPUTS(OP_SCALAR(AM_F32), w, s));
    op_test_refused(AM_OP_QUANTIZED_LINEAR, &b, "input 1 must be u8, found i8",
                    OP_INPUTS(x, OP_OF(AM_I8, 2, 8, C, 4), s));
    op_test_refused(AM_OP_QUANTIZED_LINEAR, &a, "input 1 must have shape [2, 16, 16, 4], found [1, 16, 16, 4]",
                    OP_INPUTS(x, OP_OF(AM_U8, 1, 16, C, 4), s));
    op_test_refused(AM_OP_QUANTIZED_LINEAR, &a, "input 2 must have shape [2, 2, 16], found [2, 16]",
                    OP_INPUTS(x, w, OP_F32(2, C)));
    op_test_refused(AM_OP_QUANTIZED_LINEAR, &a, "input 2 must be of a float type, found i8",
                    OP_INPUTS(x, w, OP_OF(AM_I8, 2, 2, C)));
    op_test_refused(AM_OP_QUANTIZED_LINEAR, &a, "input 3 must be u8, found i8",
                    OP_INPUTS(x, w, s, OP_OF(AM_I8, 2, 2, C)));
    op_test_refused(AM_OP_QUANTIZED_LINEAR, &a, "input 4 must have shape [20], found [32]",
                    OP_INPUTS(x, w, s, OP_ABSENT, OP_F32(32)));
    op_test_refused(AM_OP_QUANTIZED_LINEAR, &a, "input 5 must have shape [2, 20], found [20]",
                    OP_INPUTS(x, w, s, OP_ABSENT, OP_ABSENT, OP_F32(20)));
}
