#include "api/api_support.h"

#include "base/threads.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void api_lists__version_is_the_projects(void **state)
{
    char *text = am_test_read_file(am_test_source_path("CMakeLists.txt"), NULL);
    assert_non_null(strstr(text, am_test_format("project(anymodel VERSION %s ", am_version())));
    free(text);
}

static void api_lists__threads_are_set_and_read(void **state)
{
    am_test_expect_ok(am_set_threads(3));
    assert_int_equal(am_get_threads(), 3);
    am_test_expect_ok(am_set_threads(0));
    assert_int_equal(am_get_threads(), am_threads_available());
    am_test_expect_error(am_set_threads(-1), AM_INVALID_ARGUMENT, "");
    am_threads_shutdown();
}

static void api_lists__models_name_class_type_and_task(void **state)
{
    char *json;
    am_test_expect_ok(am_models(&json));
    am_json_document *document = parse_answer(json);
    am_json row = find_row(root_of(document), "class", "BertForMaskedLM");
    assert_true(am_json_equals(am_json_get(row, "model_type"), "bert"));
    assert_true(am_json_equals(am_json_get(row, "task"), "fill-mask"));
    assert_true(am_json_equals(am_json_get(row, "state"), "verified"));
    row = find_row(root_of(document), "class", "BertForPreTraining");
    assert_int_equal(am_json_kind_of(am_json_get(row, "task")), AM_JSON_NULL);
    am_json_close(document);
}

static void api_lists__the_cpu_is_there(void **state)
{
    char *json;
    am_test_expect_ok(am_targets(&json));
    am_json_document *document = parse_answer(json);
    am_json cpu = find_row(root_of(document), "name", "cpu");
    assert_true(am_json_bool(am_json_get(cpu, "available"), false));
    assert_int_equal(int_at(cpu, "threads"), am_threads_count());
    assert_true(int_at(cpu, "memory_bytes") > 1 << 20);
    assert_true(int_at(cpu, "memory_available_bytes") <= int_at(cpu, "memory_bytes"));
    assert_int_equal(am_json_kind_of(am_json_get(cpu, "features")), AM_JSON_ARRAY);
    am_json_close(document);
}

static void api_lists__other_targets_say_why_not(void **state)
{
    static const char *const names[] = {"cuda", "rocm", "mps", "openvino", "webnn", "webgpu", "mojo", "max"};
    char *json;
    am_test_expect_ok(am_targets(&json));
    am_json_document *document = parse_answer(json);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        am_json row = find_row(root_of(document), "name", names[i]);
        bool available = am_json_bool(am_json_get(row, "available"), true);
        assert_int_equal(available, am_json_text(am_json_get(row, "reason")).length == 0);
        assert_true(available || am_json_bool(am_json_get(row, "present"), true) ==
                                     !am_json_text(am_json_get(row, "remedy")).length);
    }
    am_json_close(document);
}

static void expect_name(const char *name, const char *answer, const char *type, const char *what)
{
    char *json;
    am_test_expect_ok(am_model_names(&name, 1, &json));
    am_json_document *document = parse_answer(json);
    am_json row = find_row(root_of(document), "name", name);
    assert_string_equal(am_json_text(am_json_get(row, "state")).bytes, answer);
    assert_string_equal(am_json_text(am_json_get(row, "model_type")).bytes, type);
    assert_string_equal(am_json_text(am_json_get(row, "what")).bytes, what);
    am_json_close(document);
}

static void api_lists__names_are_what_they_are_in_transformers(void **state)
{
    expect_name("BertModel", "verified", "bert", "a model of bert, verified");
    expect_name("TFBertModel", "verified as PyTorch", "bert",
                "a TensorFlow model of bert; the same model is BertModel, verified");
    expect_name("CLIPTextModelOutput", "output type", "clip", "an output type of clip, not a model");
    expect_name("CLIPConfig", "not a model", "clip", "a configuration of clip, not a model");
    expect_name("AutoModelForCTC", "auto class", "", "an auto class, not a model");
    expect_name("BertPreTrainedModel", "abstract class", "bert", "an abstract base class of bert, not a model");
    expect_name("ConditionalDetrConvModel", "internal module", "conditional_detr",
                "an internal module of conditional_detr, not a model");
    expect_name("NoSuchModel", "unknown", "", "neither transformers 5.23 nor 4.52 has a class of this name");
}

static int64_t bytes_of_kind(am_json root, const char *kind)
{
    return int_at(find_row(am_json_get(root, "kinds"), "kind", kind), "bytes");
}

static void api_lists__the_cache_is_listed_and_cleared(void **state)
{
    const char *folder = am_test_temporary_directory();
    const char *const weights[] = {"weights"}, *const other[] = {"wieghts"};
    char *json;
    assert_int_equal(mkdir(am_test_format("%s/weights", folder), 0700), 0);
    assert_int_equal(mkdir(am_test_format("%s/weights/a", folder), 0700), 0);
    assert_int_equal(mkdir(am_test_format("%s/digests", folder), 0700), 0);
    am_test_write_text(folder, "weights/a/b", "12345");
    am_test_write_text(folder, "weights/c", "123");
    am_test_write_text(folder, "digests/d", "1");
    am_test_write_text(folder, "mine", "keep");
    assert_int_equal(setenv("ANYMODEL_CACHE", folder, 1), 0);
    am_test_expect_ok(am_cache_list(&json));
    am_json_document *document = parse_answer(json);
    assert_true(am_json_equals(am_json_get(root_of(document), "folder"), folder));
    assert_int_equal(int_at(root_of(document), "bytes"), 9);
    assert_int_equal(bytes_of_kind(root_of(document), "weights"), 8);
    assert_int_equal(bytes_of_kind(root_of(document), "max"), 0);
    am_json_close(document);
    am_test_expect_error(am_cache_clear(other, 1, &json), AM_INVALID_ARGUMENT, "\"wieghts\"");
    am_test_expect_ok(am_cache_clear(weights, 1, &json));
    document = parse_answer(json);
    assert_int_equal(int_at(root_of(document), "freed_bytes"), 8);
    assert_int_equal(bytes_of_kind(root_of(document), "weights"), 0);
    am_json_close(document);
    am_test_expect_ok(am_cache_clear(NULL, 0, &json));
    document = parse_answer(json);
    assert_int_equal(int_at(root_of(document), "freed_bytes"), 1);
    am_json_close(document);
    assert_int_equal(access(am_test_format("%s/mine", folder), F_OK), 0);
    unsetenv("ANYMODEL_CACHE");
}
