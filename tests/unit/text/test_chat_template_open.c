#include "test_support.h"

#include "base/memory.h"
#include "text/chat_template.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* "FOLDER/additional_chat_templates", made. Valid until the next call. */
static const char *add_folder(const char *folder)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/additional_chat_templates", folder);
    assert_int_equal(mkdir(path, 0755), 0);
    return path;
}

static void expect_template(const char *folder, const char *name, bool has_tools, const char *text, const char *file)
{
    am_chat_template *chat_template;
    size_t length;
    am_test_expect_ok(am_chat_template_open(folder, name, has_tools, &chat_template));
    assert_string_equal(am_chat_template_text(chat_template, &length), text);
    assert_int_equal(length, strlen(text));
    assert_string_equal(am_chat_template_name(chat_template), am_test_format("%s/%s", folder, file));
    am_chat_template_close(chat_template);
}

static void expect_error(const char *folder, const char *name, am_code code, const char *part)
{
    am_chat_template *chat_template;
    am_test_expect_error(am_chat_template_open(folder, name, false, &chat_template), code, part);
    assert_null(chat_template);
}

static void text_chat_template_open__prefers_the_file_of_its_own(void **state)
{
    const char *folder = am_test_temporary_directory();
    am_test_write_text(folder, "processor_config.json", "{\"chat_template\": \"processor\"}");
    expect_template(folder, NULL, false, "processor", "processor_config.json");
    am_test_write_text(folder, "tokenizer_config.json", "{\"chat_template\": \"config\"}");
    expect_template(folder, NULL, false, "config", "tokenizer_config.json");
    am_test_write_text(folder, "chat_template.json", "{\"chat_template\": \"json\"}");
    expect_template(folder, NULL, true, "json", "chat_template.json");
    am_test_write_text(folder, "chat_template.jinja", "jinja\n");
    expect_template(folder, NULL, true, "jinja\n", "chat_template.jinja");
    expect_template(folder, "default", false, "jinja\n", "chat_template.jinja");
}

static void text_chat_template_open__chooses_among_named_templates(void **state)
{
    const char *folder = am_test_temporary_directory();
    am_test_write_text(folder, "tokenizer_config.json",
                       "{\"chat_template\": [{\"name\": \"default\", \"template\": \"d\"},"
                       " {\"name\": \"tool_use\", \"template\": \"t\"}, {\"name\": \"rag\", \"template\": \"r\"}]}");
    expect_template(folder, NULL, false, "d", "tokenizer_config.json");
    expect_template(folder, NULL, true, "t", "tokenizer_config.json");
    expect_template(folder, "rag", true, "r", "tokenizer_config.json");
    expect_error(folder, "nope", AM_NOT_FOUND, "no chat template is named \"nope\"; there are: default, tool_use, rag");
}

static void text_chat_template_open__reads_additional_templates(void **state)
{
    const char *folder = am_test_temporary_directory();
    am_test_write_text(folder, "tokenizer_config.json", "{\"chat_template\": \"unused\"}");
    const char *additional = add_folder(folder);
    am_test_write_text(additional, "rag.jinja", "r");
    am_test_write_text(additional, "notes.txt", "no template");
    expect_template(folder, "rag", false, "r", "additional_chat_templates/rag.jinja");
    expect_error(folder, NULL, AM_NOT_FOUND, "several chat templates and none is the default; choose one of: rag");
    am_test_write_text(folder, "chat_template.jinja", "d");
    am_test_write_text(additional, "tool_use.jinja", "t");
    expect_template(folder, NULL, false, "d", "chat_template.jinja");
    expect_template(folder, NULL, true, "t", "additional_chat_templates/tool_use.jinja");
}

static void text_chat_template_open__reads_an_object_of_templates(void **state)
{
    const char *folder = am_test_temporary_directory();
    am_test_write_text(folder, "processor_config.json", "{\"chat_template\": {\"default\": \"d\", \"x\": \"y\"}}");
    expect_template(folder, NULL, true, "d", "processor_config.json");
    expect_template(folder, "x", false, "y", "processor_config.json");
}

static void text_chat_template_open__says_what_is_missing_or_wrong(void **state)
{
    const char *folder = am_test_temporary_directory();
    expect_error(am_test_format("%s/nowhere", folder), NULL, AM_NOT_FOUND, "nowhere");
    expect_error(folder, NULL, AM_NOT_FOUND, "no chat template: neither chat_template.jinja, chat_template.json nor");
    am_test_write_text(folder, "tokenizer_config.json", "{\"chat_template\": null}");
    expect_error(folder, NULL, AM_NOT_FOUND, "no chat template");
    am_test_write_text(folder, "tokenizer_config.json", "{\"chat_template\": 5}");
    expect_error(folder, NULL, AM_INVALID_FILE, "expected a string or an array, found an integer");
    am_test_write_text(folder, "tokenizer_config.json", "{\"chat_template\": [{\"name\": \"a\"}]}");
    expect_error(folder, NULL, AM_INVALID_FILE, "expected objects with \"name\" and \"template\"");
    am_test_write_text(folder, "tokenizer_config.json", "{\"chat_template\": [\"a\"]}");
    expect_error(folder, NULL, AM_INVALID_FILE, "expected objects with \"name\" and \"template\"");
    am_test_write_text(folder, "tokenizer_config.json", "{");
    expect_error(folder, NULL, AM_INVALID_FILE, "tokenizer_config.json: not JSON");
    am_test_write_text(folder, "chat_template.jinja", "{% if %}");
    expect_error(folder, NULL, AM_INVALID_FILE, "chat_template.jinja, line 1, column 7)");
    am_test_write_text(folder, "chat_template.jinja", "\xff");
    expect_error(folder, NULL, AM_INVALID_FILE, "chat_template.jinja: not UTF-8");
}

static void text_chat_template_open__survives_every_failed_allocation(void **state)
{
    const char *folder = am_test_temporary_directory();
    am_test_write_text(folder, "tokenizer_config.json",
                       "{\"chat_template\": [{\"name\": \"default\", \"template\": \"{{ 1 }}\"}]}");
    (void)add_folder(folder);
    bool done = false;
    for (int64_t n = 0; !done; n++) {
        am_chat_template *chat_template;
        am_memory_fail_after(n);
        am_status status = am_chat_template_open(folder, NULL, false, &chat_template);
        am_memory_fail_after(-1);
        done = !status;
        if (status) assert_int_equal(am_status_code(status), AM_OUT_OF_MEMORY);
        assert_true(n < 1000);
        am_status_free(status);
        am_chat_template_close(chat_template);
    }
}
