/* Products in bfloat16 as a user asks for them. */
#include "cli_support.h"

#define LLAMA "tiny-llama-text"
#define VIT   "digits-vit"

static void expect_kernels(const char *model, const char *dtype, const char *present, const char *absent)
{
    am_test_result result = am_test_anymodel(NULL, "plan", model_path(model), "--dtype", dtype, "--target", "cpu");
    expect_code(&result, AM_OK);
    expect_part(result.out, present);
    assert_null(strstr(result.out, absent));
    am_test_result_free(&result);
}

static void end_to_end_bfloat16__is_shown_by_plan(void **state)
{
    expect_kernels(LLAMA, "bf16", "linear_bf16", "linear_f32");
    expect_kernels(VIT, "bfloat16", "attention_bf16", "attention_f32");
    expect_kernels(LLAMA, "auto", "linear_f32", "linear_bf16");
    expect_kernels(LLAMA, "float32", "linear_f32", "linear_bf16");
}

static void end_to_end_bfloat16__answers_the_same_on_every_number_of_threads(void **state)
{
    expect_same_on_threads(LLAMA, "--dtype", "bf16");
}

static void end_to_end_bfloat16__goes_with_rounded_weights(void **state)
{
    am_test_result result =
        am_test_anymodel(NULL, "plan", model_path(LLAMA), "--dtype", "bf16", "--weights", "int8", "--target", "cpu");
    expect_code(&result, AM_OK);
    expect_part(result.out, "quantized_linear_f32");
    expect_part(result.out, "attention_bf16");
    am_test_result_free(&result);
}

static void end_to_end_bfloat16__quality_tells_what_it_changes(void **state)
{
    am_test_result result =
        am_test_anymodel(NULL, "quality", model_path(LLAMA), "--dtype", "bf16", "--target", "cpu", "--json");
    expect_code(&result, AM_OK);
    expect_part(result.out, "\"dtype\": \"bf16\"");
    expect_part(result.out, "\"weights\": \"auto\"");
    am_test_result_free(&result);
}

static void end_to_end_bfloat16__errors_name_what_is_wrong(void **state)
{
    const char *model = model_path(LLAMA);
    expect_failure(am_test_anymodel(NULL, "generate", model, "--prompt", "It", "--dtype", "fp8"), AM_INVALID_ARGUMENT,
                   "dtype: expected auto, float32 or bf16, found \"fp8\"");
    expect_failure(am_test_anymodel(NULL, "bench", model, "--dtype", ""), AM_INVALID_ARGUMENT, "found \"\"");
    expect_failure(am_test_anymodel(NULL, "quality", model), AM_INVALID_ARGUMENT, "or --dtype bf16");
    expect_failure(
        am_test_anymodel(NULL, "verify", am_test_source_path("tests/golden/data/llama.json"), "--dtype", "float16"),
        AM_INVALID_ARGUMENT, "found \"float16\"");
    expect_failure(am_test_anymodel(NULL, "compile", model, "--dtype", "bf16", "--target", "cpu", "--shape", "length=8",
                                    "-o", am_test_format("%s/model.compiled", am_test_temporary_directory())),
                   AM_UNSUPPORTED, "a compiled file computes in float32");
}
