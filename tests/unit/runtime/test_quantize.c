#define _POSIX_C_SOURCE 200809L
#include "test_support.h"

#include "base/file.h"
#include "base/prng.h"
#include "base/sha256.h"
#include "base/threads.h"
#include "runtime/quantize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { C = AM_QUANTIZED_COLUMNS };

static const am_weight_format int8 = {8, false}, int4 = {4, false}, int4_asymmetric = {4, true};

/* Number [n, k] of a rounded weight. */
static double number(const am_quantized_weight *w, int64_t n, int64_t k)
{
    int64_t together = w->bits == 8 ? 4 : 8, panel = n / C, c = n % C;
    int64_t group = (panel * (w->K / w->group) + k / w->group) * C + c;
    int q = w->weight[((panel * (w->K / together) + k / together) * C + c) * 4 + k % 4];
    if (w->bits == 4) q = k % 8 < 4 ? q & 15 : q >> 4;
    int zero = w->zero_points ? w->zero_points[group] : w->bits == 8 ? 128 : 8;
    return (q - zero) * (double)am_bf16_to_f32(w->scales[group]);
}

static double scale_at(const am_quantized_weight *w, int64_t n, int64_t k)
{
    return fabs((double)am_bf16_to_f32(w->scales[(n / C * (w->K / w->group) + k / w->group) * C + n % C]));
}

/* [N, K] in -1 .. 1, a few of them larger. */
static float *make(int64_t count)
{
    float *w = malloc((size_t)count * sizeof *w);
    assert_non_null(w);
    am_uniform_floats(7, -1, 1, count, w);
    for (int64_t i = 0; i < count; i += 37) w[i] *= 3;
    return w;
}

static am_quantized_weight round_floats(float *numbers, int64_t N, int64_t K, const am_weight_format *format)
{
    am_quantized_weight out;
    am_tensor source = {AM_F32, am_shape_of(N, K), numbers};
    am_test_expect_ok(am_quantize(&source, false, format, &out));
    return out;
}

static void runtime_quantize__finds_groups(void **state)
{
    assert_int_equal(am_quantized_group(64, 8), 32);
    assert_int_equal(am_quantized_group(4096, 4), 32);
    assert_int_equal(am_quantized_group(40, 4), 40);
    assert_int_equal(am_quantized_group(36, 8), 36);
    assert_int_equal(am_quantized_group(36, 4), 0);
    assert_int_equal(am_quantized_group(37, 8), 0);
    assert_int_equal(am_quantized_group(5000 * 4, 8), 32);
    assert_int_equal(am_quantized_group(5001 * 4, 8), 0);
    assert_int_equal(am_quantized_group(0, 8), 0);
}

/* Half a step, and what the rounded scale cuts off. */
static void runtime_quantize__bytes_are_off_by_half_a_step(void **state)
{
    static const int64_t sizes[][2] = {{1, 32}, {16, 64}, {21, 96}, {35, 44}};
    for (int i = 0; i < 4; i++) {
        int64_t N = sizes[i][0], K = sizes[i][1];
        float *w = make(N * K);
        am_quantized_weight rounded = round_floats(w, N, K, &int8);
        for (int64_t at = 0; at < N * K; at++) {
            double is = (double)w[at], error = fabs(is - number(&rounded, at / K, at % K));
            assert_true(error <= 0.501 * scale_at(&rounded, at / K, at % K) + fabs(is) * 0x1p-8);
        }
        am_quantized_weight_deinit(&rounded);
        free(w);
    }
}

/* The squared error of a group as Q4_0 has it: the number furthest from 0 becomes -8. */
static double simple_error(const float *w, int64_t count)
{
    double furthest = 0, sum = 0;
    for (int64_t k = 0; k < count; k++)
        if (fabs((double)w[k]) > fabs(furthest)) furthest = (double)w[k];
    for (int64_t k = 0; k < count; k++) {
        double scale = furthest / -8, q = fmin(fmax(nearbyint((double)w[k] / scale), -8), 7);
        sum += ((double)w[k] - q * scale) * ((double)w[k] - q * scale);
    }
    return sum;
}

static double total_error(const am_quantized_weight *rounded, const float *w)
{
    double sum = 0;
    for (int64_t i = 0; i < rounded->N * rounded->K; i++) {
        double error = (double)w[i] - number(rounded, i / rounded->K, i % rounded->K);
        sum += error * error;
    }
    return sum;
}

static void runtime_quantize__halves_have_less_error_than_without_a_search(void **state)
{
    int64_t N = 40, K = 256;
    float *w = make(N * K);
    double simple = 0;
    for (int64_t i = 0; i < N * K; i += 32) simple += simple_error(w + i, 32);
    am_quantized_weight symmetric = round_floats(w, N, K, &int4), asymmetric = round_floats(w, N, K, &int4_asymmetric);
    assert_null(symmetric.zero_points);
    assert_non_null(asymmetric.zero_points);
    assert_true(total_error(&symmetric, w) < 0.9 * simple);
    assert_true(total_error(&asymmetric, w) < 0.75 * total_error(&symmetric, w));
    assert_int_equal(symmetric.bytes, 48 * 256 / 2 + 48 * 8 * 2);
    assert_int_equal(asymmetric.bytes, 48 * 256 / 2 + 48 * 8 * 3);
    am_quantized_weight_deinit(&symmetric);
    am_quantized_weight_deinit(&asymmetric);
    free(w);
}

/* Numbers of one sign: with a zero point there are 15 steps for them, else 8. */
static void runtime_quantize__zero_points_serve_numbers_of_one_sign(void **state)
{
    float w[64];
    for (int k = 0; k < 64; k++) w[k] = (k < 32 ? 1.0f : -1.0f) * (float)(k % 32) / 31;
    am_quantized_weight symmetric = round_floats(w, 2, 32, &int4),
                        asymmetric = round_floats(w, 2, 32, &int4_asymmetric);
    assert_true(total_error(&asymmetric, w) < 0.4 * total_error(&symmetric, w));
    assert_int_equal(asymmetric.zero_points[0], 0);
    assert_int_equal(asymmetric.zero_points[1], 0);
    assert_true(am_bf16_to_f32(asymmetric.scales[0]) > 0 && am_bf16_to_f32(asymmetric.scales[1]) < 0);
    am_quantized_weight_deinit(&symmetric);
    am_quantized_weight_deinit(&asymmetric);
}

static void runtime_quantize__what_a_group_holds_exactly_stays(void **state)
{
    float w[96];
    for (int k = 0; k < 32; k++) {
        w[k] = (float)(k % 16 - 8) * 0.125f; /* all 16 numbers of 4 bits */
        w[32 + k] = 0;
        w[64 + k] = k == 3 ? -0.75f : 0;
    }
    am_quantized_weight rounded = round_floats(w, 3, 32, &int4);
    for (int i = 0; i < 96; i++) assert_true(number(&rounded, i / 32, i % 32) == (double)w[i]);
    am_quantized_weight_deinit(&rounded);
}

static void runtime_quantize__a_group_with_no_number_becomes_nan(void **state)
{
    const am_weight_format *const formats[] = {&int8, &int4, &int4_asymmetric};
    const float wrong[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 3; i++) {
        float w[64] = {0};
        w[5] = wrong[i];
        w[40] = 1;
        am_quantized_weight rounded = round_floats(w, 1, 64, formats[i]);
        assert_true(isnan(am_bf16_to_f32(rounded.scales[0])));
        assert_true(am_bf16_to_f32(rounded.scales[C]) > 0 || am_bf16_to_f32(rounded.scales[C]) < 0);
        am_quantized_weight_deinit(&rounded);
    }
}

static void expect_same(const am_quantized_weight *a, const am_quantized_weight *b)
{
    int64_t rows = (a->N + C - 1) / C * C, groups = rows * (a->K / a->group);
    assert_memory_equal(a->weight, b->weight, (size_t)(rows * a->K * a->bits / 8));
    assert_memory_equal(a->scales, b->scales, (size_t)groups * sizeof *a->scales);
    assert_int_equal(a->zero_points != NULL, b->zero_points != NULL);
    if (a->zero_points) assert_memory_equal(a->zero_points, b->zero_points, (size_t)groups);
}

/* A weight stored the other way round, in 16 bits, and on several threads. */
static void runtime_quantize__the_same_however_it_is_stored(void **state)
{
    const am_weight_format *const formats[] = {&int8, &int4, &int4_asymmetric};
    int64_t N = 53, K = 128;
    float *w = make(N * K), *turned = make(N * K);
    uint16_t *narrow = malloc((size_t)(N * K) * sizeof *narrow);
    for (int64_t i = 0; i < N * K; i++) {
        narrow[i] = am_f32_to_bf16(w[i]);
        w[i] = am_bf16_to_f32(narrow[i]);
        turned[i % K * N + i / K] = w[i];
    }
    const am_tensor sources[] = {{AM_BF16, am_shape_of(N, K), narrow}, {AM_F32, am_shape_of(K, N), turned}};
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 2; k++) {
            am_quantized_weight other, rounded = round_floats(w, N, K, formats[i]);
            am_test_expect_ok(am_threads_set(3));
            am_test_expect_ok(am_quantize(&sources[k], k == 1, formats[i], &other));
            am_test_expect_ok(am_threads_set(1));
            expect_same(&rounded, &other);
            am_quantized_weight_deinit(&rounded);
            am_quantized_weight_deinit(&other);
        }
    free(w);
    free(turned);
    free(narrow);
}

/* The largest and smallest floats: squares of them would not fit. */
static void runtime_quantize__groups_of_any_size_of_numbers(void **state)
{
    static const float sizes[] = {1e30f, 3e38f, 1e-28f};
    for (int i = 0; i < 3; i++) {
        float *w = make(64), most = 0;
        for (int k = 0; k < 64; k++) w[k] *= sizes[i] / 3;
        for (int k = 0; k < 64; k++) most = fabsf(w[k]) > most ? fabsf(w[k]) : most;
        am_quantized_weight symmetric = round_floats(w, 1, 64, &int4),
                            asymmetric = round_floats(w, 1, 64, &int4_asymmetric);
        for (int k = 0; k < 64; k++) {
            assert_true(fabs((double)w[k] - number(&symmetric, 0, k)) < 0.12 * (double)most);
            assert_true(fabs((double)w[k] - number(&asymmetric, 0, k)) < 0.12 * (double)most);
        }
        am_quantized_weight_deinit(&symmetric);
        am_quantized_weight_deinit(&asymmetric);
        free(w);
    }
}

/* Rounded weights are kept on disks (targets/cpu/weight_cache.h), where another version of the program reads them:
   other bytes need another VERSION in quantize.c. */
static void runtime_quantize__has_the_bytes_of_its_version(void **state)
{
    static const struct {
        const am_weight_format *format;
        const char *digest;
    } rows[] = {{&int8, "fc0b76a594884ab7b7506e4ca3258bdc8285999ce1148bb6111bb013d353997c"},
                {&int4, "b1cb41052ea88451a6fb13efaac28a4cfe7cc642f1e8eb848bb6d4c77b8ae143"},
                {&int4_asymmetric, "41fa329d4d41abe7803c108e06e0e6aaeb1f04fd3f2c47d230cef41915a05ed2"}};
    for (int i = 0; i < 3; i++) {
        float *w = make(37 * 160);
        char digest[AM_SHA256_TEXT];
        am_quantized_weight rounded = round_floats(w, 37, 160, rows[i].format);
        am_sha256_digits_of(rounded.weight, rounded.bytes, digest);
        assert_string_equal(digest, rows[i].digest);
        am_quantized_weight_deinit(&rounded);
        free(w);
    }
}

static void sleep_milliseconds(int count)
{
    nanosleep(&(struct timespec){count / 1000, count % 1000 * 1000000L}, NULL);
}

/* The second time a weight of a file comes from the cache folder: with the same bytes, and no memory of its own. */
static void runtime_quantize__the_next_start_finds_what_was_made(void **state)
{
    am_test_skip_on_full_disk();
    enum { N = 512, K = 512 };
    const char *path = am_test_format("%s/weights", am_test_temporary_directory());
    float *w = make(N * K);
    am_mapped_file file;
    am_quantized_weight made, found = {0};
    assert_int_equal(setenv("ANYMODEL_CACHE", am_test_temporary_directory(), 1), 0);
    assert_int_equal(setenv("ANYMODEL_WEIGHT_CACHE", "1", 1), 0);
    am_test_write_file(path, w, N * K * sizeof *w);
    am_test_expect_ok(am_file_map(path, &file));
    am_tensor source = {AM_F32, am_shape_of(N, K), (void *)(uintptr_t)file.bytes};
    sleep_milliseconds(2500); /* what has just been written may still change and have the same time */
    am_test_expect_ok(am_quantize(&source, false, &int4, &made));
    assert_non_null(made.own);
    for (int i = 0; i < 3000 && !found.weight; i++) {
        sleep_milliseconds(10);
        am_test_expect_ok(am_quantize(&source, false, &int4, &found));
        if (found.own) am_quantized_weight_deinit(&found);
    }
    assert_non_null(found.weight);
    assert_memory_equal(made.weight, found.weight, made.bytes);
    expect_same(&made, &found);
    am_quantized_weight other;
    am_test_expect_ok(am_quantize(&source, false, &int4_asymmetric, &other));
    assert_non_null(other.own); /* another format is another entry */
    am_quantized_weight_deinit(&other);
    am_quantized_weight_deinit(&made);
    am_quantized_weight_deinit(&found);
    am_file_unmap(&file);
    assert_int_equal(setenv("ANYMODEL_WEIGHT_CACHE", "0", 1), 0);
    free(w);
}
