#include "test_support.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "text/chat_template.h"
#include "recorded/recorded.h"

#include <locale.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MESSAGES "[{\"role\": \"user\", \"content\": \"hi\"}]"

/* ---- helpers ---- */

static am_json_document *parse_json(const char *text)
{
    am_json_document *document;
    am_test_expect_ok(am_json_parse(text, strlen(text), "test", &document));
    return document;
}

/* Options from a JSON object with members of their names; MESSAGES where it has none. */
static am_chat_options options_of(const am_json_document *document, const am_json_document *messages)
{
    am_json root = am_json_root(document);
    am_json own = am_json_get(root, "messages");
    return (am_chat_options){
        .messages = am_json_kind_of(own) == AM_JSON_MISSING ? am_json_root(messages) : own,
        .tools = am_json_get(root, "tools"),
        .documents = am_json_get(root, "documents"),
        .special_tokens = am_json_get(root, "special_tokens"),
        .arguments = am_json_get(root, "arguments"),
        .add_generation_prompt = am_json_bool(am_json_get(root, "add_generation_prompt"), false),
    };
}

static am_status render(const char *source, const char *json, const char *continue_field, am_chat_text *out)
{
    am_chat_template *chat_template;
    *out = (am_chat_text){0};
    am_status status = am_chat_template_parse(source, strlen(source), "test", &chat_template);
    if (status) return status;
    am_json_document *document = parse_json(json), *messages = parse_json(MESSAGES);
    am_chat_options options = options_of(document, messages);
    options.continue_field = continue_field;
    status = am_chat_template_render(chat_template, &options, out);
    am_json_close(document);
    am_json_close(messages);
    am_chat_template_close(chat_template);
    return status;
}

static void expect_text_of(const char *source, const char *json, const char *continue_field, const char *expected)
{
    am_chat_text text;
    am_test_expect_ok(render(source, json, continue_field, &text));
    assert_string_equal(text.text, expected);
    assert_int_equal(text.length, strlen(expected));
    am_chat_text_deinit(&text);
}

static void expect_text(const char *source, const char *json, const char *expected)
{
    expect_text_of(source, json, NULL, expected);
}

static void expect_failure_of(const char *source, const char *json, const char *continue_field, am_code code,
                              const char *part)
{
    am_chat_text text;
    am_test_expect_error(render(source, json, continue_field, &text), code, part);
    assert_null(text.text);
    assert_null(text.spans);
}

static void expect_failure(const char *source, const char *json, am_code code, const char *part)
{
    expect_failure_of(source, json, NULL, code, part);
}

/* ---- recorded answers ---- */

static void keep_line(void *context, const char *line)
{
    am_buffer_append_string(context, line);
    am_buffer_append_char(context, '\n');
}

static void text_chat_template__answers_as_transformers_recorded(void **state)
{
    am_buffer report = {0};
    am_recorded counts = {.on_line = keep_line, .context = &report};
    const char *folder = am_test_source_path("tests/unit/text/data/chat_templates");
    am_test_expect_ok(am_recorded_chat_templates(folder, &counts));
    if (counts.failed) print_error("%s", am_buffer_text(&report));
    assert_int_equal(counts.failed, 0);
    assert_int_equal(counts.unsupported, 0);
    assert_true(counts.passed >= 1700);
    am_buffer_deinit(&report);
}

static void text_chat_template__verification_reports_what_differs(void **state)
{
    am_buffer report = {0};
    am_recorded counts = {.on_line = keep_line, .context = &report};
    const char *folder = am_test_temporary_directory();
    assert_int_equal(mkdir(am_test_format("%s/templates", folder), 0755), 0);
    assert_int_equal(mkdir(am_test_format("%s/cases", folder), 0755), 0);
    am_test_write_text(folder, "messages.json",
                       "{\"sets\": {\"a\": " MESSAGES "}, \"tools\": [], \"now\": \"2025-01-02T03:04:05\"}");
    am_test_write_text(folder, "templates/t.jinja", "{{ messages[0].content }}{% generation %}x{% endgeneration %}");
    am_test_write_text(folder, "cases/t.json",
                       "[{\"messages\": \"a\", \"args\": {}, \"text\": \"hix\"},"
                       " {\"messages\": \"a\", \"args\": {}, \"text\": \"hiy\"},"
                       " {\"messages\": \"a\", \"args\": {}, \"text\": \"hix\", \"generation_spans\": [[2, 4]]},"
                       " {\"messages\": \"a\", \"args\": {}, \"error\": \"TypeError\", \"message\": \"m\"},"
                       " {\"messages\": \"none\", \"args\": {}, \"text\": \"\"}]");
    am_test_expect_ok(am_recorded_chat_templates(folder, &counts));
    assert_int_equal(counts.passed, 1);
    assert_int_equal(counts.failed, 4);
    assert_non_null(strstr(am_buffer_text(&report), "t.json[1]: text differs at byte 2: expected \"y\", found \"x\""));
    assert_non_null(
        strstr(am_buffer_text(&report), "t.json[2]: generation spans: expected \"[[2,4]]\", found \"[[2,3]]\""));
    assert_non_null(strstr(am_buffer_text(&report), "t.json[3]: error: expected \"TypeError: m (t\""));
    am_buffer_deinit(&report);
}

static bool same_spans(am_json expected, const am_chat_text *text)
{
    size_t i = 0;
    if (am_json_count(expected) != text->span_count) return false;
    for (am_json_iterator span = am_json_iterate(expected); am_json_next(&span); i++) {
        am_json_iterator ends = am_json_iterate(span.value);
        if (!am_json_next(&ends) || am_json_int(ends.value, -1) != (int64_t)text->spans[i].start) return false;
        if (!am_json_next(&ends) || am_json_int(ends.value, -1) != (int64_t)text->spans[i].end) return false;
    }
    return true;
}

static bool snippet_passes(am_json file, am_json expected, const struct tm *now)
{
    am_chat_template *chat_template;
    am_chat_text text = {0};
    am_json_string source = am_json_text(am_json_get(expected, "template"));
    am_json_string wanted = am_json_text(am_json_get(expected, "text"));
    am_json error = am_json_get(expected, "error");
    am_chat_options options = {
        .messages = am_json_get(file, "messages"), .arguments = am_json_get(file, "arguments"), .now = now};
    am_status status = am_chat_template_parse(source.bytes, source.length, "t", &chat_template);
    if (!status) status = am_chat_template_render(chat_template, &options, &text);
    bool same = !status && text.length == wanted.length && memcmp(text.text, wanted.bytes, wanted.length) == 0 &&
                same_spans(am_json_get(expected, "spans"), &text);
    if (am_json_kind_of(error) != AM_JSON_MISSING) {
        const char *message = am_test_format("%s: %s (t", am_json_text(error).bytes,
                                             am_json_text(am_json_get(expected, "message")).bytes);
        same = status && strncmp(am_status_message(status), message, strlen(message)) == 0;
    }
    if (!same) print_error("%s\n  gives %s%s\n", source.bytes, am_status_message(status), text.text ? text.text : "");
    am_status_free(status);
    am_chat_text_deinit(&text);
    am_chat_template_close(chat_template);
    return same;
}

static void text_chat_template__small_templates_do_what_jinja2_does(void **state)
{
    am_json_document *document;
    size_t count = 0, failed = 0;
    /* Monday, 2025-02-03T04:05:06 */
    const struct tm now = {
        .tm_year = 125, .tm_mon = 1, .tm_mday = 3, .tm_hour = 4, .tm_min = 5, .tm_sec = 6, .tm_wday = 1, .tm_yday = 33};
    am_test_expect_ok(am_json_open(am_test_source_path("tests/unit/text/data/jinja_snippets.json"), &document));
    am_json file = am_json_root(document);
    for (am_json_iterator i = am_json_iterate(am_json_get(file, "cases")); am_json_next(&i); count++)
        failed += !snippet_passes(file, i.value, &now);
    assert_int_equal(failed, 0);
    assert_true(count >= 900);
    am_json_close(document);
}

/* ---- errors and their places ---- */

static void text_chat_template__errors_tell_class_and_place(void **state)
{
    expect_failure("a\nb {{ messages[0].nope.x }}", "{}", AM_INVALID_ARGUMENT,
                   "UndefinedError: 'dict object' has no attribute 'nope' (test, line 2, column 22)");
    expect_failure("{% if x %}\r\n{% endfor %}", "{}", AM_INVALID_FILE,
                   "TemplateSyntaxError: Encountered unknown tag 'endfor'. Jinja was looking for the following tags: "
                   "'elif' or 'else' or 'endif'. The innermost block that needs to be closed is 'if'. "
                   "(test, line 2, column 4)");
    expect_failure("日本 {{ 1 +", "{}", AM_INVALID_FILE, "(test, line 1, column 10)");
    expect_failure("{{ raise_exception('no ' ~ messages[0].role) }}", "{}", AM_INVALID_ARGUMENT,
                   "TemplateError: no user (test, line 1, column 19)");
    expect_failure("{% macro f() %}\n{{ 'a' + 1 }}{% endmacro %}\n\n{{ f() }}", "{}", AM_INVALID_ARGUMENT,
                   "TypeError: can only concatenate str (not \"int\") to str (test, line 2, column 4)");
    expect_failure("{{ [].append(1) }}", "{}", AM_INVALID_ARGUMENT,
                   "SecurityError: access to attribute 'append' of 'list' object is unsafe.");
}

static void text_chat_template__refuses_what_is_not_supported(void **state)
{
    expect_failure("{% include 'x' %}", "{}", AM_INVALID_ARGUMENT,
                   "TypeError: no loader for this environment specified (test, line 1, column 4)");
    expect_failure("{% autoescape true %}{% endautoescape %}", "{}", AM_UNSUPPORTED, "autoescape is not supported");
    expect_failure("{% block a scoped %}{% endblock %}", "{}", AM_UNSUPPORTED, "scoped or required block");
    expect_failure("{{ [1] | random }}", "{}", AM_UNSUPPORTED, "the filter random is not supported");
    expect_failure("{{ lipsum() }}", "{}", AM_UNSUPPORTED, "lipsum");
    expect_failure("{{ 'a'.encode() }}", "{}", AM_UNSUPPORTED, "str.encode() is not supported");
    expect_failure("{{ (-8) ** 0.5 }}", "{}", AM_UNSUPPORTED, "complex numbers are not supported");
    expect_failure("{{ '\\ud83d' }}", "{}", AM_INVALID_FILE, "UnicodeEncodeError");
}

static void text_chat_template__refuses_text_that_is_not_utf8(void **state)
{
    am_chat_template *chat_template;
    am_test_expect_error(am_chat_template_parse("ab\xff", 3, "test", &chat_template), AM_INVALID_FILE,
                         "test: not UTF-8: ill-formed byte at offset 2");
    assert_null(chat_template);
}

static void text_chat_template__keeps_zero_bytes(void **state)
{
    am_chat_template *chat_template;
    am_chat_text text;
    size_t length;
    am_json_document *messages = parse_json("[{\"content\": \"a\\u0000b\"}]");
    am_chat_options options = {.messages = am_json_root(messages)};
    const char source[] = "x\0{{ messages[0].content }}{{ messages[0].content | length }}{{ '\\0' | tojson }}";
    am_test_expect_ok(am_chat_template_parse(source, sizeof source - 1, "zeros", &chat_template));
    assert_memory_equal(am_chat_template_text(chat_template, &length), source, sizeof source - 1);
    assert_int_equal(length, sizeof source - 1);
    assert_string_equal(am_chat_template_name(chat_template), "zeros");
    am_test_expect_ok(am_chat_template_render(chat_template, &options, &text));
    assert_int_equal(text.length, 14);
    assert_memory_equal(text.text, "x\0a\0b3\"\\u0000\"", 15);
    am_chat_text_deinit(&text);
    am_chat_template_close(chat_template);
    am_json_close(messages);
}

/* ---- what the conversation becomes ---- */

static void text_chat_template__leaves_out_members_that_are_null(void **state)
{
    expect_text("{{ messages[0] | tojson }}{{ messages[0].tool_calls is defined }}",
                "{\"messages\": [{\"role\": \"a\", \"content\": null, \"tool_calls\": null, \"x\": {\"y\": null}}]}",
                "{\"role\": \"a\", \"x\": {\"y\": null}}False");
}

static void text_chat_template__gives_reasoning_all_its_names(void **state)
{
    const char *source = "{{ messages[0] | tojson }}";
    expect_text(source, "{\"messages\": [{\"role\": \"a\", \"reasoning\": \"r\"}]}",
                "{\"thinking\": \"r\", \"role\": \"a\", \"reasoning\": \"r\", \"reasoning_content\": \"r\"}");
    expect_text(source, "{\"messages\": [{\"role\": \"a\", \"thinking\": \"t\", \"reasoning\": \"r\"}]}",
                "{\"thinking\": \"t\", \"role\": \"a\", \"reasoning\": \"r\", \"reasoning_content\": \"t\"}");
    expect_text(source, "{\"messages\": [{\"reasoning_content\": \"c\", \"thinking\": null}]}",
                "{\"thinking\": \"c\", \"reasoning_content\": \"c\"}");
}

static void text_chat_template__arguments_win_over_special_tokens(void **state)
{
    expect_text("{{ bos_token }} {{ eos_token }} {{ x }} {{ tools }} {{ documents }} {{ add_generation_prompt }}",
                "{\"special_tokens\": {\"bos_token\": \"<s>\", \"eos_token\": \"</s>\"},"
                " \"arguments\": {\"bos_token\": \"<b>\", \"x\": [1.0, {\"a\": null}]},"
                " \"tools\": [{\"name\": \"t\"}], \"documents\": [{\"title\": \"d\"}], \"add_generation_prompt\": "
                "true}",
                "<b> </s> [1.0, {'a': None}] [{'name': 't'}] [{'title': 'd'}] True");
    expect_text("{{ tools is none }}{{ documents is none }}{{ tools is defined }}", "{\"tools\": null}",
                "TrueTrueTrue");
}

static void text_chat_template__refuses_options_that_make_no_sense(void **state)
{
    expect_failure("x", "{\"messages\": []}", AM_INVALID_ARGUMENT,
                   "ValueError: Cannot apply chat template to an empty");
    expect_failure("x", "{\"messages\": {}}", AM_INVALID_ARGUMENT, "must be an array of objects, not an object");
    expect_failure("x", "{\"messages\": [\"a\"]}", AM_INVALID_ARGUMENT, "Chat messages should be dicts");
    expect_failure("x", "{\"tools\": [\"a\"]}", AM_INVALID_ARGUMENT,
                   "ValueError: Tools should either be a JSON schema");
    expect_failure("x", "{\"tools\": 1}", AM_INVALID_ARGUMENT, "ValueError: Tools should");
    expect_failure("x", "{\"documents\": [1]}", AM_INVALID_ARGUMENT, "TypeError: Documents should be a list of dicts");
    expect_failure("x", "{\"arguments\": {\"messages\": 1}}", AM_INVALID_ARGUMENT,
                   "multiple values for keyword argument 'messages'");
    expect_failure_of("{{ content }}", "{\"add_generation_prompt\": true}", "content", AM_INVALID_ARGUMENT,
                      "continue_final_message and add_generation_prompt are not compatible");
}

static void text_chat_template__continues_the_final_message(void **state)
{
    const char *chat = "{% for m in messages %}<{{ m.role }}>{{ m.content }}</>{% endfor %}";
    const char *trimmed = "{% for m in messages %}<{{ m.role }}>{{ m.content | trim }}</>{% endfor %}";
    const char *blocks = "{% for b in messages[-1].content %}[{{ b.text }}]{% endfor %}";
    const char *reasoning = "{{ messages[-1].thinking }}!{{ messages[-1].content }}";
    expect_text_of(chat, "{}", "content", "<user>hi");
    expect_text_of(chat, "{\"messages\": [{\"role\": \"a\", \"content\": \"x  \"}]}", "content", "<a>x  ");
    expect_text_of(trimmed, "{\"messages\": [{\"role\": \"a\", \"content\": \"x  \"}]}", "content", "<a>x");
    expect_text_of(blocks, "{\"messages\": [{\"content\": [{\"text\": \"a\"}, {\"text\": \"b\"}, {\"image\": 1}]}]}",
                   "content", "[a][b");
    expect_text_of(reasoning, "{\"messages\": [{\"content\": \"c\", \"reasoning\": \"why\"}]}", "reasoning_content",
                   "why");
    expect_failure_of(chat, "{\"messages\": [{\"role\": \"a\"}]}", "content", AM_INVALID_ARGUMENT,
                      "the final message has no \"content\" to continue!");
    expect_failure_of("{{ messages[0].role }}", "{}", "content", AM_INVALID_ARGUMENT,
                      "ValueError: continue_final_message is set to \"content\" but this is not an accepted field");
    expect_failure_of("{{ messages[0].content | upper }}", "{}", "content", AM_INVALID_ARGUMENT,
                      "the final message does not appear in the chat after applying the chat template!");
    expect_failure_of(blocks, "{\"messages\": [{\"content\": [{\"image\": 1}]}]}", "content", AM_INVALID_ARGUMENT,
                      "could not find any text to continue");
    expect_failure_of("{{ messages[0].content }}", "{\"messages\": [{\"content\": 5}]}", "content", AM_INVALID_ARGUMENT,
                      "TypeError: unsupported operand type(s) for +: 'int' and 'str'");
}

static void text_chat_template__formats_the_time_that_is_given(void **state)
{
    am_chat_template *chat_template;
    am_chat_text text;
    const char *source = "{{ strftime_now('%d %b %Y') }}";
    const struct tm now = {.tm_year = 124, .tm_mon = 6, .tm_mday = 26, .tm_wday = 5, .tm_yday = 207};
    am_json_document *messages = parse_json(MESSAGES);
    am_chat_options options = {.messages = am_json_root(messages), .now = &now};
    am_test_expect_ok(am_chat_template_parse(source, strlen(source), "test", &chat_template));
    am_test_expect_ok(am_chat_template_render(chat_template, &options, &text));
    assert_string_equal(text.text, "26 Jul 2024");
    am_chat_text_deinit(&text);
    options.now = NULL;
    am_test_expect_ok(am_chat_template_render(chat_template, &options, &text));
    assert_int_equal(text.length, 11);
    assert_string_not_equal(text.text, "26 Jul 2024");
    am_chat_text_deinit(&text);
    am_chat_template_close(chat_template);
    am_json_close(messages);
}

static void text_chat_template__numbers_do_not_depend_on_the_locale(void **state)
{
    if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "fr_FR.UTF-8")) {
        print_message("no locale with a decimal comma here\n");
        skip();
    }
    expect_text("{{ 1.5 }} {{ '2.5' | float }} {{ '%.1f' % 3.25 }} {{ strftime_now('%p') | length }}", "{}",
                "1.5 2.5 3.2 2");
    setlocale(LC_ALL, "C");
}

/* ---- limits ---- */

static am_status render_limited(const char *source, am_chat_options options)
{
    am_chat_template *chat_template;
    am_chat_text text = {0};
    am_json_document *messages = parse_json(MESSAGES);
    options.messages = am_json_root(messages);
    am_status status = am_chat_template_parse(source, strlen(source), "test", &chat_template);
    if (!status) status = am_chat_template_render(chat_template, &options, &text);
    am_chat_text_deinit(&text);
    am_chat_template_close(chat_template);
    am_json_close(messages);
    return status;
}

static void expect_limit(const char *source, am_chat_options options, const char *part)
{
    am_test_expect_error(render_limited(source, options), AM_OUT_OF_MEMORY, part);
}

static void text_chat_template__stops_at_its_limits(void **state)
{
    const am_chat_options few_steps = {.step_limit = 10000}, little_memory = {.memory_limit_bytes = 1 << 20},
                          short_output = {.output_limit_bytes = 100}, none = {0};
    expect_limit("{% for i in range(100000) %}{% endfor %}", few_steps, "RuntimeError: the template takes more steps");
    expect_limit("{% set s = 'ab' * 400000 %}{% for i in range(1000) %}{{ 'c' in s }}{% endfor %}", few_steps, "steps");
    expect_limit("{% set s = 'a' * 1000 %}{% for i in range(50) %}{% set s = s * 10 %}{% endfor %}{{ s * 10000 }}",
                 little_memory, "MemoryError: the template needs more than 1048576 bytes of memory");
    expect_limit("{% for i in range(100) %}{{ 'abcdefghij' }}{% endfor %}", short_output,
                 "MemoryError: the rendered text is longer than 100 bytes");
    expect_limit("{% set x %}{{ 'a' * 101 }}{% endset %}", short_output, "longer than 100 bytes");
    expect_limit("{{ 'a' * 9223372036854775 }}", none, "MemoryError");
    expect_limit("{{ 'a'.center(4611686018427387904) }}", none, "MemoryError");
    expect_limit("{{ '%99999d' % 1 * 99999 }}{{ ('x' * 99999) | replace('', 'y' * 99999) }}", none, "MemoryError");
    expect_limit("{{ 2 ** 99999 }}", none, "OverflowError: integers of more than 16384 bits are not supported");
    expect_limit("{{ [[1] * 99999] * 99999 * 99999 }}", none, "");
    expect_limit("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", none,
                 "RecursionError: maximum recursion depth exceeded");
    expect_limit("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}", none, "RecursionError");
    expect_limit("{% set ns = namespace(x=[]) %}{% for i in range(5000) %}{% set ns.x = [ns.x] %}{% endfor "
                 "%}{{ ns.x }}",
                 none, "RecursionError");
    expect_limit("{% set ns = namespace(x=[]) %}{% for i in range(5000) %}{% set ns.x = [ns.x] %}{% endfor %}"
                 "{{ ns.x == [ns.x] or ns.x | tojson }}",
                 none, "RecursionError");
    expect_limit("{% set ns = namespace(x=[1]) %}{% for i in range(5000) %}{% set ns.x = ns.x | map('abs') "
                 "%}{% endfor %}"
                 "{{ ns.x | list }}",
                 none, "RecursionError");
    am_test_expect_error(render_limited("{{ range(100001) }}", none), AM_INVALID_ARGUMENT,
                         "OverflowError: Range too big. The sandbox blocks ranges larger than MAX_RANGE (100000).");
}

static char *repeated(const char *begin, const char *unit, size_t times, const char *end)
{
    am_buffer buffer = {0};
    am_buffer_append_string(&buffer, begin);
    for (size_t i = 0; i < times; i++) am_buffer_append_string(&buffer, unit);
    am_buffer_append_string(&buffer, end);
    return am_buffer_take(&buffer);
}

static void text_chat_template__refuses_absurd_nesting(void **state)
{
    const struct {
        const char *begin, *unit, *end;
    } cases[] = {{"{{ ", "(", ""},
                 {"{{ ", "[", ""},
                 {"{{ ", "{'a':", ""},
                 {"{{ ", "-", "1 }}"},
                 {"{{ ", "not ", "1 }}"},
                 {"{{ 1", " + 1", " }}"},
                 {"{{ x", ".x", " }}"},
                 {"{{ x", "[0]", " }}"},
                 {"{{ x", " | upper", " }}"},
                 {"{{ x", "()", " }}"},
                 {"", "{% if x %}", ""},
                 {"", "{% for x in y %}", ""},
                 {"{{ 1", " if 1 else 1", " }}"},
                 {"{{ ", "x(", ""},
                 {"{{ 1", " ** 1", " }}"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *source = repeated(cases[i].begin, cases[i].unit, 20000, cases[i].end);
        am_test_expect_error(render_limited(source, (am_chat_options){0}), AM_INVALID_FILE,
                             "RecursionError: maximum recursion depth exceeded");
        am_free(source);
    }
}

static void text_chat_template__takes_what_people_nest(void **state)
{
    char *source = repeated("", "{% if true %}", 60, "x");
    char *whole = repeated(source, "{% endif %}", 60, "{{ ((((((((((((((((((((1)))))))))))))))))))) }}");
    expect_text(whole, "{}", "x1");
    am_free(whole);
    am_free(source);
    source = repeated("{{ 'a'", " ~ 'a'", 5000, " }}");
    char *expected = repeated("", "a", 5001, "");
    expect_text(source, "{}", expected);
    am_free(source);
    am_free(expected);
    expect_text("{% macro f(n) %}{{ n }}{% if n %},{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(150) | length }}", "{}",
                "493");
}

static void text_chat_template__text_that_grows_in_a_loop_costs_what_it_is_long(void **state)
{
    /* 20 000 turns of 10 bytes: 2 GB if each turn copied all before it. */
    const am_chat_options options = {.memory_limit_bytes = 64 << 20};
    am_test_expect_ok(
        render_limited("{% set ns = namespace(t='', l=[]) %}{% for i in range(20000) %}"
                       "{% set ns.t = ns.t ~ '0123456789' %}{% set ns.l = ns.l + [i] %}{% endfor %}"
                       "{% if ns.t | length != 200000 or ns.l | sum != 199990000 %}{{ 1 / 0 }}{% endif %}",
                       options));
}

/* ---- threads, memory ---- */

enum { THREADS = 4, TURNS = 50 };

static const char shared_source[] =
    "{% macro f(m) %}{{ m.role ~ ': ' ~ m.content | upper }}{% endmacro %}{% set ns = namespace(n=0) %}"
    "{% for m in messages %}{{ f(m) }};{% set ns.n = ns.n + loop.index %}{% generation %}{{ 'a' 'b' ~ ns.n }}"
    "{% endgeneration %}{% endfor %}{{ {'a': [1, 2.5, none]} | tojson(indent=2) }}{{ 'x' 'y' ~ ns.n }}";

static void *render_often(void *shared)
{
    const am_chat_template *chat_template = shared;
    am_json_document *messages;
    size_t failures = 0;
    if (am_json_parse(MESSAGES, strlen(MESSAGES), "test", &messages)) return (void *)1;
    am_chat_options options = {.messages = am_json_root(messages)};
    for (int i = 0; i < TURNS; i++) {
        am_chat_text text;
        am_status status = am_chat_template_render(chat_template, &options, &text);
        const char *expected = "user: HI;ab1{\n  \"a\": [\n    1,\n    2.5,\n    null\n  ]\n}xy1";
        failures += status || strcmp(text.text, expected) != 0 || text.span_count != 1 || text.spans[0].start != 9 ||
                    text.spans[0].end != 12;
        am_status_free(status);
        am_chat_text_deinit(&text);
    }
    am_json_close(messages);
    return (void *)(uintptr_t)failures;
}

static void text_chat_template__one_template_serves_several_threads(void **state)
{
    am_chat_template *chat_template;
    pthread_t threads[THREADS];
    am_test_expect_ok(am_chat_template_parse(shared_source, strlen(shared_source), "test", &chat_template));
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, render_often, chat_template), 0);
    for (int i = 0; i < THREADS; i++) {
        void *failures;
        pthread_join(threads[i], &failures);
        assert_null(failures);
    }
    am_chat_template_close(chat_template);
}

static void text_chat_template__survives_every_failed_allocation(void **state)
{
    am_json_document *messages = parse_json(MESSAGES);
    am_chat_options options = {.messages = am_json_root(messages)};
    bool done = false;
    /* Long enough for the arena to take block after block. */
    const char *loop = "{% for i in range(3000) %}{{ [i, i | string] | tojson }}{% generation %}x{% "
                       "endgeneration %}{% endfor %}";
    char *source = repeated(shared_source, loop, 20, "");
    for (int64_t n = 0; !done; n++) {
        am_chat_template *chat_template;
        am_chat_text text = {0};
        am_memory_fail_after(n);
        am_status status = am_chat_template_parse(source, strlen(source), "test", &chat_template);
        if (!status) status = am_chat_template_render(chat_template, &options, &text);
        am_memory_fail_after(-1);
        done = !status;
        if (status) assert_int_equal(am_status_code(status), AM_OUT_OF_MEMORY);
        assert_true(n < 10000);
        assert_true(!done || n > 20);
        am_status_free(status);
        am_chat_text_deinit(&text);
        am_chat_template_close(chat_template);
    }
    am_free(source);
    am_json_close(messages);
}
