/* Rounded weights as a user asks for them. */
#include "cli_support.h"

#define LLAMA "tiny-llama-text"

static void expect_linears(const char *weights, const char *op)
{
    am_test_result result = am_test_anymodel(NULL, "plan", model_path(LLAMA), "--weights", weights, "--target", "cpu");
    expect_code(&result, AM_OK);
    expect_part(result.out, am_test_format("  %s  model.layers.0.self_attn.q_proj ", op));
    am_test_result_free(&result);
}

static void end_to_end_rounded_weights__are_shown_by_plan(void **state)
{
    expect_linears("int8", "quantized_linear");
    expect_linears("int4", "quantized_linear");
    am_test_result result = am_test_anymodel(NULL, "plan", model_path(LLAMA), "--weights", "auto", "--target", "cpu");
    expect_code(&result, AM_OK);
    assert_null(strstr(result.out, "quantized_linear"));
    am_test_result_free(&result);
}

static void end_to_end_rounded_weights__answer_the_same_on_every_number_of_threads(void **state)
{
    expect_same_on_threads(LLAMA, "--weights", "int4");
}

static void end_to_end_rounded_weights__quality_reads_texts(void **state)
{
    const char *model = model_path(LLAMA);
    am_test_result result = am_test_anymodel(NULL, "quality", model, "--weights", "int8", "--target", "cpu");
    expect_code(&result, AM_OK);
    expect_part(result.out, "kl_divergence:");
    am_test_result_free(&result);
    result = am_test_anymodel("It is a truth universally acknowledged.", "quality", model, "--weights", "int4",
                              "--text", "-", "--window", "4", "--target", "cpu", "--json");
    expect_code(&result, AM_OK);
    expect_part(result.out, "\"weights\": \"int4\"");
    am_test_result_free(&result);
}

static void end_to_end_rounded_weights__errors_name_what_is_wrong(void **state)
{
    const char *model = model_path(LLAMA);
    expect_failure(am_test_anymodel(NULL, "quality", model), AM_INVALID_ARGUMENT, "--weights FORMAT is missing");
    expect_failure(am_test_anymodel(NULL, "quality", model, "--weights", "int8", "--text", "/nonexistent.txt"),
                   AM_NOT_FOUND, "cannot read /nonexistent.txt");
    expect_failure(am_test_anymodel(NULL, "generate", model, "--prompt", "It", "--weights", "int7"),
                   AM_INVALID_ARGUMENT, "weights: expected auto, int8, int4 or int4-asymmetric, found \"int7\"");
    expect_failure(am_test_anymodel(NULL, "bench", model, "--weights", "fp4"), AM_INVALID_ARGUMENT, "found \"fp4\"");
    expect_failure(
        am_test_anymodel(NULL, "verify", am_test_source_path("tests/golden/data/llama.json"), "--weights", "int2"),
        AM_INVALID_ARGUMENT, "found \"int2\"");
}
