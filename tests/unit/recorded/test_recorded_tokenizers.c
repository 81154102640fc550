/* Recorded answers of transformers and the tokenizers library (data/README.md). */
#include "test_support.h"

#include "recorded/recorded.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void keep_line(void *context, const char *line)
{
    am_buffer_append_string(context, line);
    am_buffer_append_char(context, '\n');
}

/* Verifies every folder of data/tokenizers/`kind`: no case may fail or be unsupported. */
static void verify_all(const char *kind, size_t least_folders)
{
    char root[1024];
    size_t folders = 0;
    am_buffer report = {0};
    am_recorded counts = {.on_line = keep_line, .context = &report};
    snprintf(root, sizeof root, "%s/%s", am_test_source_path("tests/unit/text/data/tokenizers"), kind);
    DIR *directory = opendir(root);
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (entry->d_name[0] == '.') continue;
        am_test_expect_ok(am_recorded_tokenizer(am_test_format("%s/%s", root, entry->d_name), &counts));
        folders++;
    }
    closedir(directory);
    if (report.length) print_error("%.20000s", am_buffer_text(&report));
    am_buffer_deinit(&report);
    assert_int_equal(counts.failed, 0);
    assert_int_equal(counts.unsupported, 0);
    assert_true(counts.passed > (int64_t)folders * 20);
    assert_true(folders >= least_folders);
}

static void recorded_tokenizers__families(void **state)
{
    verify_all("families", 18);
}

static void recorded_tokenizers__hub(void **state)
{
    verify_all("hub", 6);
}

static void recorded_tokenizers__python(void **state)
{
    verify_all("python", 39);
}

static void recorded_tokenizers__synthetic(void **state)
{
    verify_all("synthetic", 51);
}

static void recorded_tokenizers__reports_what_differs(void **state)
{
    const char *root = am_test_temporary_directory(),
               *model = "{\"model\":{\"type\":\"WordLevel\",\"vocab\":{\"a\":0,\"u\":1},\"unk_token\":\"u\"}}";
    am_buffer report = {0};
    am_recorded counts = {.on_line = keep_line, .context = &report};
    am_test_write_text(root, "texts.json", "[\"a\", \"b\"]");
    am_test_write_text(root, "pairs.json", "[]");
    const char *folder = am_test_format("%s/synthetic/one", root);
    assert_int_equal(mkdir(am_test_format("%s/synthetic", root), 0777), 0);
    assert_int_equal(mkdir(folder, 0777), 0);
    am_test_write_text(folder, "tokenizer.json", model);
    am_test_write_text(folder, "cases.jsonl",
                       "{\"i\":0,\"ids\":[0],\"o\":[0,1]}\n{\"i\":1,\"ids\":[0],\"o\":[0,1],\"d\":\"u\"}\n{"
                       "\"i\":1,\"err\":\"\"}\n");
    am_test_expect_ok(am_recorded_tokenizer(folder, &counts));
    assert_int_equal(counts.passed, 1);
    assert_int_equal(counts.failed, 2);
    assert_non_null(strstr(am_buffer_text(&report), "text 1: ids: expected [0], found [1]"));
    assert_non_null(strstr(am_buffer_text(&report), "text 1: status: expected an error, found success"));
    am_buffer_deinit(&report);

    am_test_write_text(folder, "cases.jsonl", "{\n");
    am_test_expect_error(am_recorded_tokenizer(folder, &counts), AM_INVALID_FILE, "cases.jsonl");
    am_buffer_deinit(&report);
    am_test_expect_error(am_recorded_tokenizer(root, &counts), AM_NOT_FOUND, "texts.json");
    am_buffer_deinit(&report);
}

/* A line that is read by none of the checks, or names a text that is not there, never passes. */
static void recorded_tokenizers__pass_no_line_that_is_not_compared(void **state)
{
    static const char *const lines[] = {"{\"header\":[\"a\"],\"rows\":[[\"b\"]],\"query\":\"a\"}",
                                        "{\"i\":0,\"d\":\"a\"}",
                                        "{\"i\":7,\"ids\":[]}",
                                        "{\"words\":[\"a\"],\"ids\":[]}",
                                        "{}",
                                        "{\"batch\":[\"a\"]}"};
    const char *root = am_test_temporary_directory(), *folder = am_test_format("%s/synthetic/one", root);
    am_test_write_text(root, "texts.json", "[\"\"]");
    am_test_write_text(root, "pairs.json", "[]");
    assert_int_equal(mkdir(am_test_format("%s/synthetic", root), 0777), 0);
    assert_int_equal(mkdir(folder, 0777), 0);
    am_test_write_text(folder, "tokenizer.json",
                       "{\"model\":{\"type\":\"WordLevel\",\"vocab\":{\"a\":0},\"unk_token\":\"a\"}}");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        am_buffer report = {0};
        am_recorded counts = {.on_line = keep_line, .context = &report};
        am_test_write_text(folder, "cases.jsonl", lines[i]);
        am_test_expect_ok(am_recorded_tokenizer(folder, &counts));
        assert_int_equal(counts.passed, 0);
        assert_int_equal(counts.failed, 0);
        assert_int_equal(counts.unsupported, 1);
        am_buffer_deinit(&report);
    }
}

static void recorded_tokenizers__legacy(void **state)
{
    verify_all("legacy", 16);
}

static void recorded_tokenizers__sentencepiece(void **state)
{
    am_buffer report = {0};
    am_recorded counts = {.on_line = keep_line, .context = &report};
    am_test_expect_ok(
        am_recorded_sentencepiece(am_test_source_path("tests/unit/text/data/tokenizers/sentencepiece"), &counts));
    if (report.length) print_error("%.20000s", am_buffer_text(&report));
    am_buffer_deinit(&report);
    assert_int_equal(counts.failed, 0);
    assert_int_equal(counts.passed, 9 * 21);
}

static void recorded_tokenizers__reports_what_sentencepiece_answers_otherwise(void **state)
{
    const char *root = am_test_temporary_directory(), *folder = am_test_format("%s/sentencepiece", root);
    am_buffer report = {0};
    am_recorded counts = {.on_line = keep_line, .context = &report};
    size_t length;
    assert_int_equal(mkdir(folder, 0777), 0);
    am_test_write_text(root, "texts.json", "[\"a\"]");
    char *model =
        am_test_read_file(am_test_source_path("tests/unit/text/data/tokenizers/sentencepiece/char.model"), &length);
    am_test_write_file(am_test_format("%s/a.model", folder), model, length);
    am_test_write_file(am_test_format("%s/b.model", folder), model, length / 2);
    free(model);
    am_test_write_text(folder, "a.jsonl",
                       "{\"i\":0,\"ids\":[0],\"n\":\"\xe2\x96\x81"
                       "a\"}\n{\"i\":0,\"ids\":[4,7],\"d\":\"b\"}\n");
    am_test_expect_ok(am_recorded_sentencepiece(folder, &counts));
    assert_int_equal(counts.passed, 0);
    assert_int_equal(counts.failed, 3);
    assert_non_null(strstr(am_buffer_text(&report), "text 0: ids: expected [0], found"));
    assert_non_null(strstr(am_buffer_text(&report), "text 0: n: expected \"a\", found"));
    assert_non_null(strstr(am_buffer_text(&report), "b.model: open 0: status"));
    am_buffer_deinit(&report);
    am_test_expect_error(am_recorded_sentencepiece("/nowhere", &counts), AM_NOT_FOUND, "/nowhere");
}
