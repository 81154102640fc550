#define _POSIX_C_SOURCE 200809L
#include "api/api_support.h"

#include <stdlib.h>

static am_model *open_model(const char *path)
{
    am_model *model;
    assert_int_equal(setenv("ANYMODEL_CACHE", am_test_temporary_directory(), 1), 0);
    am_test_expect_ok(am_model_open(path, &(am_model_options){.target = "cpu"}, &model));
    return model;
}

static const char *new_file(void)
{
    return am_test_format("%s/model.compiled", am_test_temporary_directory());
}

static void expect_text(am_model *model, const char *prompt, const char *expected)
{
    am_text_result result;
    am_test_expect_ok(
        am_model_generate(model, prompt, &(am_text_options){.max_new_tokens = 5, .greedy = true}, &result));
    assert_string_equal(result.text, expected);
    am_text_result_deinit(&result);
}

static void api_compile__a_file_can_be_opened_twice(void **state)
{
    (void)state;
    const char *file = new_file();
    am_text_result result;
    am_model *model = open_model(am_test_source_path(LLAMA)), *first, *second;
    am_test_expect_ok(
        am_model_generate(model, "It is", &(am_text_options){.max_new_tokens = 5, .greedy = true}, &result));
    am_test_expect_ok(am_model_save_compiled(model, file, NULL));
    am_model_close(model);
    am_test_expect_ok(am_model_open(file, NULL, &first));
    am_test_expect_ok(am_model_open(file, NULL, &second));
    expect_text(first, "It is", result.text);
    am_model_close(first);
    expect_text(second, "It is", result.text); /* opens its tokenizer only now */
    am_model_close(second);
    am_text_result_deinit(&result);
}

static void api_compile__what_has_run_is_saved(void **state)
{
    (void)state;
    char *json;
    am_model *model = open_model(am_test_source_path(VIT));
    const char *file = new_file();
    am_test_expect_error(am_model_save_compiled(model, file, NULL), AM_INVALID_ARGUMENT, "not compiled any graph");
    am_test_expect_ok(am_model_compile(model, "batch=1", 0));
    am_test_expect_ok(am_model_compile(model, "batch=2", 0));
    am_test_expect_ok(am_model_compile(model, "batch=2", 0));
    am_test_expect_ok(am_model_save_compiled(model, file, &json));
    am_json_document *document = parse_answer(json);
    am_json pieces = am_json_get(root_of(document), "pieces");
    assert_int_equal(am_json_count(pieces), 2);
    assert_true(am_json_equals(am_json_get(root_of(document), "file"), file));
    am_json_close(document);
    am_model_close(model);
}

static void api_compile__refuses_what_makes_no_sense(void **state)
{
    (void)state;
    am_model *model = open_model(am_test_source_path(LLAMA));
    am_test_expect_error(am_model_compile(model, "length=9000", 0), AM_INVALID_ARGUMENT, "");
    am_test_expect_error(am_model_compile(model, NULL, -1), AM_INVALID_ARGUMENT, "new_tokens");
    am_test_expect_error(am_model_save_compiled(model, NULL, NULL), AM_INVALID_ARGUMENT, "no file");
    am_test_expect_ok(am_model_compile(model, "length=3", 2));
    am_test_expect_error(am_model_save_compiled(model, "/nonexistent/folder/x", NULL), AM_NOT_FOUND,
                         "/nonexistent/folder");
    am_model_close(model);
}
