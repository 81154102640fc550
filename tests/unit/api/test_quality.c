#include "api_support.h"

#include <stdlib.h>

#define TEXT                                                                                                           \
    "It is a truth universally acknowledged, that a single man in possession of a good fortune, must be in want "      \
    "of a wife."

static am_json_document *quality(const char *weights, int window)
{
    char *json = NULL;
    const char *folder = am_test_source_path(LLAMA);
    am_test_expect_ok(
        am_quality(folder, &(am_model_options){.target = "cpu", .weights = weights}, TEXT, window, &json));
    return parse_answer(json);
}

static void api_quality__compares_logits(void **state)
{
    static const struct {
        const char *weights;
        double divergence, same, bytes;
    } rows[] = {{"int8", 0.001, 0.95, 0.8}, {"int4", 0.05, 0.7, 0.53}, {"int4-asymmetric", 0.05, 0.7, 0.55}};
    for (int i = 0; i < 3; i++) {
        am_json_document *document = quality(rows[i].weights, 0);
        am_json root = root_of(document);
        double divergence = real_at(root, "kl_divergence"), as_shipped = real_at(root, "perplexity.as_shipped");
        assert_true(am_json_equals(am_json_get(root, "weights"), rows[i].weights));
        assert_true(divergence > 0 && divergence < rows[i].divergence);
        assert_true(real_at(root, "kl_divergence_largest") >= divergence);
        assert_true(real_at(root, "same_top_token") > rows[i].same);
        assert_true(as_shipped > 1 && as_shipped < 100);
        assert_true(real_at(root, "perplexity.rounded") < as_shipped * 1.1);
        double bytes = real_at(root, "weight_bytes.rounded") / real_at(root, "weight_bytes.as_shipped");
        assert_true(bytes > rows[i].bytes - 0.05 && bytes < rows[i].bytes);
        assert_int_equal(int_at(root, "rounded_weights"), 4 * 7 + 1);
        assert_int_equal(int_at(root, "windows"), 1);
        am_json_close(document);
    }
}

/* A last window of one token is left out: nothing is known of what follows. */
static void api_quality__reads_windows(void **state)
{
    am_json_document *whole = quality("int8", 0);
    int64_t tokens = int_at(root_of(whole), "tokens");
    for (int window = 2; window < 8; window += 5) {
        am_json_document *document = quality("int8", window);
        int64_t left = tokens % window == 1;
        assert_int_equal(int_at(root_of(document), "tokens"), tokens - left);
        assert_int_equal(int_at(root_of(document), "windows"), (tokens + window - 1) / window - left);
        am_json_close(document);
    }
    am_json_close(whole);
}

static void api_quality__refuses_what_it_cannot_compare(void **state)
{
    char *json = NULL;
    const am_model_options int8 = {.target = "cpu", .weights = "int8"}, none = {.weights = "auto"};
    const char *llama = am_test_source_path(LLAMA), *vit = am_test_source_path(VIT);
    am_test_expect_error(am_quality(llama, &none, TEXT, 0, &json), AM_INVALID_ARGUMENT, "weights: expected int8, int4");
    am_test_expect_error(am_quality(llama, NULL, TEXT, 0, &json), AM_INVALID_ARGUMENT, "weights: expected int8, int4");
    am_test_expect_error(am_quality(llama, &int8, "", 0, &json), AM_INVALID_ARGUMENT, "a text of 1 tokens");
    am_test_expect_error(am_quality(llama, &int8, TEXT, -1, &json), AM_INVALID_ARGUMENT, "window");
    am_test_expect_error(am_quality(llama, &int8, NULL, 0, &json), AM_INVALID_ARGUMENT, "a text");
    am_test_expect_error(am_quality(vit, &int8, TEXT, 0, &json), AM_UNSUPPORTED, "ViTForImageClassification");
    am_test_expect_error(am_quality("/nonexistent", &int8, TEXT, 0, &json), AM_NOT_FOUND, "/nonexistent");
    assert_null(json);
}

static void expect_answer(const char *weights, const char *expected)
{
    am_model *model;
    am_text_result result;
    const char *folder = am_test_source_path(LLAMA);
    am_test_expect_ok(am_model_open(folder, &(am_model_options){.target = "cpu", .weights = weights}, &model));
    am_test_expect_ok(
        am_model_generate(model, "It is", &(am_text_options){.max_new_tokens = 6, .greedy = true}, &result));
    if (expected) assert_string_equal(result.text, expected);
    am_text_result_deinit(&result);
    am_model_close(model);
}

/* Token by token through caches: prefill and decode graphs read the same weights. */
static void api_quality__rounded_models_generate(void **state)
{
    expect_answer("int8", NULL);
    expect_answer("int4", NULL);
    expect_answer("int4-asymmetric", NULL);
    am_model *model = NULL;
    am_test_expect_error(am_model_open(am_test_source_path(LLAMA), &(am_model_options){.weights = "int5"}, &model),
                         AM_INVALID_ARGUMENT, "found \"int5\"");
    assert_null(model);
}

/* A file of compiled graphs holds none of rounded weights. */
static void api_quality__rounded_models_are_not_compiled_ahead(void **state)
{
    am_model *model, *again = NULL;
    const char *file = am_test_format("%s/model.compiled", am_test_temporary_directory());
    const am_model_options as_shipped = {.target = "cpu"}, rounded = {.target = "cpu", .weights = "int8"};
    am_test_expect_ok(am_model_open(am_test_source_path(LLAMA), &rounded, &model));
    am_test_expect_ok(am_model_compile(model, "length=8", 2));
    am_test_expect_error(am_model_save_compiled(model, file, NULL), AM_UNSUPPORTED, "rounded weights");
    am_model_close(model);
    am_test_expect_ok(am_model_open(am_test_source_path(LLAMA), &as_shipped, &model));
    am_test_expect_ok(am_model_compile(model, "length=8", 2));
    am_test_expect_ok(am_model_save_compiled(model, file, NULL));
    am_model_close(model);
    am_test_expect_error(am_model_open(file, &rounded, &again), AM_UNSUPPORTED, "weights: int8");
    const am_model_options in_bf16 = {.target = "cpu", .dtype = "bf16"};
    am_test_expect_error(am_model_open(file, &in_bf16, &again), AM_UNSUPPORTED, "dtype: bf16: a compiled file");
    assert_null(again);
}

/* --- golden cases --- */

static void keep_worst(void *context, const am_verify_case *report)
{
    if (report->worst > *(double *)context) *(double *)context = report->worst;
}

static void api_quality__golden_cases_have_a_bound(void **state)
{
    static const char *const formats[] = {"int8", "int4", "int4-asymmetric"};
    const char *path = am_test_source_path("tests/golden/data/llama.json");
    assert_true(am_verify_rounded_bound(NULL, NULL) == 0 && am_verify_rounded_bound("auto", "auto") == 0);
    assert_true(am_verify_rounded_bound("int9", NULL) == 0 && am_verify_rounded_bound(NULL, "fp8") == 0);
    assert_true(am_verify_rounded_bound(NULL, "bf16") > 0);
    for (int i = 0; i < 3; i++) {
        am_verify_summary summary = {0};
        double worst = 0, bound = am_verify_rounded_bound(formats[i], NULL);
        am_test_expect_ok(
            am_verify_files(path,
                            &(am_verify_request){
                                .only = "ForCausalLM", .weights = formats[i], .on_case = keep_worst, .context = &worst},
                            &summary));
        assert_true(summary.passed > 0 && summary.failed == 0);
        assert_true(worst > 0.01 * bound && worst < bound);
    }
    am_verify_summary summary = {0};
    am_test_expect_error(am_verify_files(path, &(am_verify_request){.weights = "int9"}, &summary), AM_INVALID_ARGUMENT,
                         "found \"int9\"");
}

/* With a weight of another seed the answer is another one altogether. */
static void api_quality__golden_cases_can_fail(void **state)
{
    char *text = am_test_read_file(am_test_source_path("tests/golden/data/llama.json"), NULL);
    const char *folder = am_test_temporary_directory();
    size_t length;
    char *arrays = am_test_read_file(am_test_source_path("tests/golden/data/llama.safetensors"), &length);
    am_test_write_file(am_test_format("%s/llama.safetensors", folder), arrays, length);
    char *salt = strstr(text, "\"salt\":\"1/\"");
    assert_non_null(salt);
    salt[strlen("\"salt\":\"")] = '2';
    am_verify_summary summary = {0};
    const char *path = am_test_write_text(folder, "llama.json", text);
    am_test_expect_ok(am_verify_files(path, &(am_verify_request){.weights = "int8"}, &summary));
    assert_int_equal(summary.failed, 1);
    free(text);
    free(arrays);
}
