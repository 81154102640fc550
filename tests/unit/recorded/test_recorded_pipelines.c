#include "test_support.h"

#include "recorded/recorded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void print_line(void *context, const char *line)
{
    print_message("%s\n", line);
}

static void recorded_pipelines__all_is_as_recorded(void **state)
{
    am_recorded counts = {.on_line = print_line};
    am_test_expect_ok(am_recorded_pipelines(am_test_source_path("tests/unit/text/data/pipelines"), &counts));
    assert_int_equal(counts.failed, 0);
    assert_int_equal(counts.unsupported, 0);
    assert_int_equal(counts.passed, 237);
}

static void keep_line(void *context, const char *line)
{
    snprintf(context, 400, "%s", line);
}

static am_recorded verify(const char *text, char line[400])
{
    am_recorded counts = {.on_line = keep_line, .context = line};
    const char *folder = am_test_temporary_directory();
    am_test_write_text(folder, "a.jsonl", text);
    am_test_expect_ok(am_recorded_pipelines(folder, &counts));
    return counts;
}

static void recorded_pipelines__says_what_is_not_as_recorded(void **state)
{
    char line[400] = "";
    am_recorded counts = verify("{\"task\": \"paint\"}\n", line);
    assert_int_equal(counts.unsupported, 1);
    assert_non_null(strstr(line, "a.jsonl:1: task paint"));
    counts = verify("\n{\"task\": \"whisper-decode\", \"tokenizer\": \"not/there\"}", line);
    assert_int_equal(counts.failed, 1);
    assert_non_null(strstr(line, "a.jsonl:2: "));
    counts = verify("{", line);
    assert_int_equal(counts.failed, 1);
}

/* An answer that was changed is found, whatever of it is: a word, a time, a number of chunks. */
static void recorded_pipelines__compares_every_part_of_an_answer(void **state)
{
    static const char *const changes[][2] = {{"\"text\":\"", "\"text\":\"x"},
                                             {"\"timestamp\":[0.", "\"timestamp\":[1."},
                                             {"\"chunks\":[", "\"chunks\":[{},"},
                                             {"\"chunks\":", "\"parts\":"}};
    char line[400], changed[8192];
    size_t length;
    const char *folder = am_test_temporary_directory();
    assert_int_equal(
        symlink(am_test_source_path("tests/unit/text/data/tokenizers"), am_test_format("%s/tokenizers", folder)), 0);
    mkdir(am_test_format("%s/pipelines", folder), 0700);
    char *file = am_test_read_file(am_test_source_path("tests/unit/text/data/pipelines/ctc.jsonl"), &length);
    char *second = strchr(file, '\n') + 1, *end = strchr(second, '\n');
    *end = 0;
    char *output = strstr(second, "\"output\"");
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char *at = strstr(output, changes[i][0]);
        assert_non_null(at);
        am_recorded counts = {.on_line = keep_line, .context = line};
        int written = snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - second), second, changes[i][1],
                               at + strlen(changes[i][0]));
        assert_true(written > 0 && (size_t)written < sizeof changed);
        am_test_write_file(am_test_format("%s/pipelines/a.jsonl", folder), changed, (size_t)written);
        am_test_expect_ok(am_recorded_pipelines(am_test_format("%s/pipelines", folder), &counts));
        assert_int_equal(counts.failed, 1);
        assert_non_null(strstr(line, "output"));
    }
    free(file);
}
