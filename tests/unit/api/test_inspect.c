#include "api/api_support.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>

static am_json_document *inspect(const char *directory)
{
    char *json;
    am_test_expect_ok(am_inspect(directory, &json));
    return parse_answer(json);
}

/* A folder with one tensor "x": f32 [2, 3] and, where `config` is not null, that config.json. */
static const char *make_directory(const char *config, const char *tensor)
{
    const char *directory = am_test_temporary_directory();
    char file[512] = {0};
    int length = snprintf(file + 8, sizeof file - 8,
                          "{\"%s\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}}", tensor);
    while (length % 8) file[8 + length++] = ' ';
    file[0] = (char)length;
    am_test_write_file(am_test_format("%s/model.safetensors", directory), file, 8 + (size_t)length + 24);
    if (config) am_test_write_text(directory, "config.json", config);
    return directory;
}

static void api_inspect__a_supported_model(void **state)
{
    am_json_document *document = inspect(am_test_source_path(LLAMA));
    am_json root = root_of(document);
    assert_true(am_json_equals(am_json_get(root, "class"), "LlamaForCausalLM"));
    assert_true(am_json_equals(am_json_get(root, "model_type"), "llama"));
    assert_true(am_json_equals(am_json_get(root, "task"), "text-generation"));
    assert_true(am_json_bool(am_json_get(root, "supported"), false));
    assert_int_equal(am_json_kind_of(am_json_get(root, "reason")), AM_JSON_NULL);
    assert_int_equal(am_json_kind_of(am_json_get(root, "problem")), AM_JSON_NULL);
    assert_int_equal(int_at(root, "config.hidden_size"), 160);
    assert_int_equal(am_json_kind_of(am_json_get(root, "unused")), AM_JSON_ARRAY);
    assert_int_equal(am_json_count(am_json_get(root, "unused")), 0);
    assert_int_equal(am_json_kind_of(am_json_get(root, "missing")), AM_JSON_ARRAY);
    assert_int_equal(am_json_count(am_json_get(root, "missing")), 0);
    am_json_close(document);
}

static void api_inspect__counts_agree_with_the_tensors(void **state)
{
    am_json_document *document = inspect(am_test_source_path(LLAMA));
    am_json root = root_of(document);
    int64_t parameters = 0;
    for (am_json_iterator i = am_json_iterate(am_json_get(root, "tensors")); am_json_next(&i);) {
        int64_t count = 1;
        for (am_json_iterator d = am_json_iterate(am_json_get(i.value, "shape")); am_json_next(&d);)
            count *= am_json_int(d.value, 0);
        parameters += count;
        assert_true(am_json_equals(am_json_get(i.value, "dtype"), "bf16"));
        assert_true(am_json_equals(am_json_get(i.value, "file"), "model.safetensors"));
    }
    assert_int_equal(int_at(root, "parameters"), parameters);
    assert_int_equal(int_at(root, "bytes"), 2 * parameters);
    assert_int_equal(int_at(root, "dtypes.bf16.parameters"), parameters);
    am_json table = find_row(am_json_get(root, "tensors"), "name", "model.embed_tokens.weight");
    assert_int_equal(item(am_json_get(table, "shape"), 0), 2048);
    assert_int_equal(item(am_json_get(table, "shape"), 1), 160);
    am_json_close(document);
}

static void api_inspect__lists_files(void **state)
{
    am_json_document *document = inspect(am_test_source_path(VIT));
    size_t length;
    free(am_test_read_file(am_test_source_path(VIT "/model.safetensors"), &length));
    am_json row = find_row(am_json_get(root_of(document), "files"), "name", "model.safetensors");
    assert_int_equal(int_at(row, "bytes"), (int64_t)length);
    am_json_close(document);
}

static void api_inspect__an_unsupported_class(void **state)
{
    am_json_document *document =
        inspect(make_directory("{\"model_type\": \"new\", \"architectures\": [\"NewModel\"], \"size\": 7}", "x"));
    am_json root = root_of(document);
    assert_false(am_json_bool(am_json_get(root, "supported"), true));
    assert_non_null(strstr(am_json_text(am_json_get(root, "reason")).bytes, "NewModel"));
    assert_int_equal(int_at(root, "config.size"), 7);
    assert_int_equal(int_at(root, "parameters"), 6);
    assert_int_equal(int_at(root, "bytes"), 24);
    assert_int_equal(am_json_kind_of(am_json_get(root, "missing")), AM_JSON_NULL);
    assert_int_equal(am_json_kind_of(am_json_get(root, "unused")), AM_JSON_NULL);
    am_json_close(document);
}

static void api_inspect__a_folder_without_configuration(void **state)
{
    am_json_document *document = inspect(make_directory(NULL, "x"));
    assert_false(am_json_bool(am_json_get(root_of(document), "supported"), true));
    assert_non_null(strstr(am_json_text(am_json_get(root_of(document), "reason")).bytes, "config.json"));
    assert_int_equal(int_at(root_of(document), "parameters"), 6);
    am_json_close(document);
}

static void api_inspect__a_missing_weight(void **state)
{
    am_json_document *document =
        inspect(make_directory("{\"model_type\": \"llama\", \"architectures\": [\"LlamaModel\"]}", "x"));
    am_json_iterator missing = am_json_iterate(am_json_get(root_of(document), "missing"));
    assert_true(am_json_bool(am_json_get(root_of(document), "supported"), false));
    assert_true(am_json_next(&missing));
    assert_true(am_json_equals(missing.value, "embed_tokens.weight"));
    assert_non_null(strstr(am_json_text(am_json_get(root_of(document), "problem")).bytes, "embed_tokens.weight"));
    am_json_close(document);
}

static void api_inspect__an_unused_weight(void **state)
{
    const char *directory = am_test_temporary_directory();
    char *text = am_test_read_file(am_test_source_path(VIT "/config.json"), NULL);
    size_t length;
    char *weights = am_test_read_file(am_test_source_path(VIT "/model.safetensors"), &length);
    char *class_name = strstr(text, "ViTForImageClassification");
    assert_non_null(class_name);
    memcpy(class_name, "ViTModel\"                ", strlen("ViTForImageClassification"));
    char *after = class_name + strlen("ViTForImageClassification");
    assert_int_equal(*after, '"');
    *after = ' ';
    am_test_write_text(directory, "config.json", text);
    am_test_write_file(am_test_format("%s/model.safetensors", directory), weights, length);
    am_json_document *document = inspect(directory);
    bool found = false;
    for (am_json_iterator i = am_json_iterate(am_json_get(root_of(document), "unused")); am_json_next(&i);)
        found = found || am_json_equals(i.value, "classifier.weight");
    assert_true(found);
    am_json_close(document);
    free(text);
    free(weights);
}

static void api_inspect__bad_input_is_an_error(void **state)
{
    char *json;
    am_test_expect_error(am_inspect("/nonexistent/model", &json), AM_NOT_FOUND, "/nonexistent/model");
    am_test_expect_error(am_inspect(NULL, &json), AM_INVALID_ARGUMENT, "");
    am_test_expect_error(am_inspect(make_directory("{", "x"), &json), AM_INVALID_FILE, "config.json");
    assert_null(json);
}

/* Whatever allocation fails: an error, no answer, and nothing lost or freed twice (leak checkers see that).
 */
static void api_inspect__survives_want_of_memory(void **state)
{
    const char *directory = am_test_source_path(VIT);
    am_status status = NULL;
    char *json = NULL;
    int64_t n = 0;
    do {
        am_memory_fail_after(n++);
        status = am_inspect(directory, &json);
        am_memory_fail_after(-1);
        if (!status) break;
        assert_null(json);
        am_test_expect_error(status, AM_OUT_OF_MEMORY, "");
        assert_true(n < 100000);
    } while (true);
    assert_true(n > 10);
    am_string_free(json);
}
