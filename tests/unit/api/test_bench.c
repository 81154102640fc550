#include "api/api_support.h"

static am_json_document *benchmark(const char *path, const char *shapes)
{
    char *json;
    am_test_expect_ok(am_benchmark(am_test_source_path(path), NULL, shapes, &json));
    return parse_answer(json);
}

static void api_bench__measures_a_model(void **state)
{
    am_json_document *document = benchmark(VIT, "batch=2");
    am_json root = root_of(document);
    double least = real_at(root, "steady.min_ms"), median = real_at(root, "steady.median_ms"),
           most = real_at(root, "steady.max_ms");
    assert_int_equal(item(am_json_get_path(root, "inputs.pixel_values"), 0), 2);
    assert_true(real_at(root, "load_ms") > 0 && real_at(root, "first_ms") > 0);
    assert_true(least > 0 && least <= median && median <= most);
    assert_true(int_at(root, "steady.runs") >= 5);
    assert_true(real_at(root, "steady.gflop_per_s") > 0 && real_at(root, "steady.weight_gb_per_s") > 0);
    assert_int_equal(am_json_kind_of(am_json_get(root, "generation")), AM_JSON_NULL);
    assert_true(int_at(root, "peak_memory_bytes") > 1 << 20);
    assert_true(real_at(root, "machine.peak_read_gb_per_s") > 0);
    am_json_close(document);
}

static void api_bench__measures_generation(void **state)
{
    am_json_document *document = benchmark(LLAMA, "length=7");
    am_json root = root_of(document);
    assert_int_equal(int_at(root, "generation.prompt_tokens"), 7);
    assert_int_equal(int_at(root, "generation.new_tokens"), 32);
    assert_true(real_at(root, "generation.tokens_per_s") > 0);
    assert_true(real_at(root, "generation.step.weight_gb_per_s") > 0);
    am_json_close(document);
}

static void api_bench__bad_input_is_an_error(void **state)
{
    char *json;
    am_test_expect_error(am_benchmark("/nonexistent/model", NULL, NULL, &json), AM_NOT_FOUND, "/nonexistent/model");
    am_test_expect_error(am_benchmark(am_test_source_path(VIT), NULL, "image=31", &json), AM_INVALID_ARGUMENT, "31");
    assert_null(json);
}
