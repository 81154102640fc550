#include "api/api_support.h"

#include <math.h>

static am_json_document *benchmark(const char *path, const char *shapes, bool profile)
{
    char *json;
    am_test_expect_ok(am_benchmark(am_test_source_path(path), NULL, shapes, profile, &json));
    return parse_answer(json);
}

static void api_bench__measures_a_model(void **state)
{
    am_json_document *document = benchmark(VIT, "batch=2", false);
    am_json root = root_of(document);
    double least = real_at(root, "steady.min_ms"), median = real_at(root, "steady.median_ms"),
           most = real_at(root, "steady.max_ms");
    assert_int_equal(item(am_json_get_path(root, "inputs.pixel_values"), 0), 2);
    assert_true(real_at(root, "load_ms") > 0 && real_at(root, "first_ms") > 0);
    assert_true(least > 0 && least <= median && median <= most);
    assert_true(int_at(root, "steady.runs") >= 5);
    assert_true(real_at(root, "steady.gflop_per_s") > 0 && real_at(root, "steady.weight_gb_per_s") > 0);
    assert_int_equal(am_json_kind_of(am_json_get(root, "generation")), AM_JSON_NULL);
    assert_int_equal(am_json_kind_of(am_json_get(root, "profile")), AM_JSON_NULL);
    assert_true(int_at(root, "peak_memory_bytes") > 1 << 20);
    assert_true(real_at(root, "machine.peak_read_gb_per_s") > 0);
    am_json_close(document);
}

static void api_bench__measures_generation(void **state)
{
    am_json_document *document = benchmark(LLAMA, "length=7", false);
    am_json root = root_of(document);
    assert_int_equal(int_at(root, "generation.prompt_tokens"), 7);
    assert_int_equal(int_at(root, "generation.new_tokens"), 32);
    assert_true(real_at(root, "generation.tokens_per_s") > 0);
    assert_true(real_at(root, "generation.step.weight_gb_per_s") > 0);
    am_json_close(document);
}

/* digits-vit's only convolution is its patches' embedding, and each of its layers has four or more linear nodes. */
static void api_bench__profiles_kernels(void **state)
{
    am_json_document *document = benchmark(VIT, "batch=2", true);
    am_json root = root_of(document);
    double sum_ms = 0, sum_share = 0, gflop = 0, run_ms = real_at(root, "profile.run_ms"), last_ms = run_ms;
    int64_t calls_most = 0;
    for (am_json_iterator i = am_json_iterate(am_json_get_path(root, "profile.kernels")); am_json_next(&i);) {
        double ms = real_at(i.value, "ms"), rate = real_at(i.value, "gflop_per_s");
        assert_true(ms >= 0 && ms <= last_ms);
        last_ms = ms;
        sum_ms += ms;
        sum_share += real_at(i.value, "share");
        if (rate > 0) gflop += rate * ms * 1e-3;
        if (rate > 0 && int_at(i.value, "calls") > calls_most) calls_most = int_at(i.value, "calls");
    }
    assert_true(run_ms > 0 && sum_ms > 0.5 * run_ms && sum_ms <= run_ms);
    assert_true(fabs(sum_share - sum_ms / run_ms) < 1e-3);
    assert_true(fabs(gflop - real_at(root, "steady.gflop")) < 1e-2 * gflop);
    assert_true(int_at(root, "profile.runs") >= 5 && calls_most >= 4);
    am_json_close(document);
}

static void api_bench__bad_input_is_an_error(void **state)
{
    char *json;
    am_test_expect_error(am_benchmark("/nonexistent/model", NULL, NULL, true, &json), AM_NOT_FOUND,
                         "/nonexistent/model");
    am_test_expect_error(am_benchmark(am_test_source_path(VIT), NULL, "image=31", false, &json), AM_INVALID_ARGUMENT,
                         "31");
    assert_null(json);
}
