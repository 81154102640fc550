/* Tokenizers, chat templates and generation settings that are broken, and texts that are none, through the program. */
#include "cli_support.h"

static void expect_generate_failure(const char *directory, const char *prompt, am_code code, const char *part)
{
    kept_text expected = keep(part);
    expect_failure(am_test_anymodel(prompt, "generate", directory, "--prompt", "-", "--max-new-tokens", "2"), code,
                   expected.text);
}

typedef struct file_case {
    const char *text;
    am_code code;
    const char *part;
} file_case;

/* Each text as a file of the model: fails so, and names the file. */
static void expect_file_failures(const char *name, const file_case *cases, size_t count)
{
    const char *directory = copy_llama();
    for (size_t i = 0; i < count; i++) {
        am_test_write_text(directory, name, cases[i].text);
        expect_generate_failure(directory, "She", cases[i].code, cases[i].part);
        expect_generate_failure(directory, "She", cases[i].code, name);
    }
}

#define EXPECT_FILE_FAILURES(name, cases) expect_file_failures(name, cases, sizeof(cases) / sizeof *(cases))

#define BPE(part) "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0}, \"merges\": []}, " part "}"
#define SPLIT(regex)                                                                                                   \
    BPE("\"pre_tokenizer\": {\"type\": \"Split\", \"pattern\": {\"Regex\": \"" regex                                   \
        "\"}, \"behavior\": \"Isolated\", \"invert\": false}")

static void end_to_end_text__tokenizers_that_are_broken(void **state)
{
    static const file_case cases[] = {
        {"", AM_INVALID_FILE, "the text is empty"},
        {"{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\"", AM_INVALID_FILE, "not JSON"},
        {"{\"model\": 3}", AM_INVALID_FILE, "model: expected an object, found an integer"},
        {"{\"model\": {\"type\": \"Nope\"}}", AM_INVALID_FILE, "model.type: \"Nope\""},
        {"{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": -1}, \"merges\": []}}", AM_INVALID_FILE, "id -1 of \"a\""},
        {"{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 1e18}, \"merges\": []}}", AM_INVALID_FILE, "vocab"},
        {"{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0}, \"merges\": [\"a b c\"]}}", AM_INVALID_FILE,
         "model.merges"},
        {BPE("\"normalizer\": []"), AM_INVALID_FILE, "normalizer: expected an object, found an array"},
        {BPE("\"decoder\": {\"type\": 3}"), AM_INVALID_FILE, "decoder.type: expected a string, found an integer"},
        {BPE("\"truncation\": 3"), AM_INVALID_FILE, "truncation: expected an object, found an integer"},
        {BPE("\"padding\": \"x\""), AM_INVALID_FILE, "padding: expected an object, found a string"},
        {BPE("\"added_tokens\": {}"), AM_INVALID_FILE, "added_tokens: expected an array, found an object"},
        {SPLIT("("), AM_INVALID_FILE, "( without )"},
        {SPLIT("(?R)"), AM_UNSUPPORTED, "regular expression \"(?R)\""},
        {SPLIT("(?<a>(?&a))"), AM_UNSUPPORTED, "an unknown kind of group"},
        {SPLIT("\\\\p{Nope}"), AM_INVALID_FILE, "unknown property"},
    };
    EXPECT_FILE_FAILURES("tokenizer.json", cases);
}

static void end_to_end_text__a_tokenizer_with_a_catastrophic_expression_ends(void **state)
{
    static const char *const expressions[] = {"(a+)+$", "(a|aa)+$", "(?:a*)*b", "(a?){200}a{200}"};
    const char *directory = copy_llama();
    char *letters = repeated("a", 200);
    for (size_t i = 0; i < sizeof expressions / sizeof *expressions; i++) {
        am_test_write_text(directory, "tokenizer.json",
                           am_test_format("{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0}, \"merges\": []}, "
                                          "\"pre_tokenizer\": {\"type\": \"Split\", \"pattern\": {\"Regex\": \"%s\"}, "
                                          "\"behavior\": \"Isolated\", \"invert\": false}}",
                                          expressions[i]));
        am_test_result result =
            am_test_anymodel(letters, "generate", directory, "--prompt", "-", "--max-new-tokens", "1");
        if (result.exit_code) expect_part(result.err, "regular expression");
        assert_in_range(result.exit_code, AM_OK, AM_OUT_OF_RANGE); /* either an answer or a reason, and soon */
        am_test_result_free(&result);
    }
    free(letters);
}

static void end_to_end_text__tokenizer_settings_that_are_broken(void **state)
{
    static const file_case cases[] = {
        {"", AM_INVALID_FILE, "the text is empty"},
        {"3", AM_INVALID_FILE, "expected an object, found an integer"},
        {"[]", AM_INVALID_FILE, "expected an object, found an array"},
    };
    EXPECT_FILE_FAILURES("tokenizer_config.json", cases);
    const char *directory = copy_llama();
    am_test_write_text(directory, "tokenizer_config.json", "{\"added_tokens_decoder\": 3}");
    expect_generate_failure(directory, "She", AM_INVALID_FILE, "added_tokens_decoder: expected an object");
    am_test_write_text(directory, "tokenizer_config.json", "{\"bos_token\": 3}");
    expect_generate_failure(directory, "She", AM_INVALID_FILE, "bos_token: expected a token, found an integer");
}

static void end_to_end_text__generation_settings_that_are_broken(void **state)
{
    static const file_case cases[] = {
        {"", AM_INVALID_FILE, "the text is empty"},
        {"{\"temperature\":", AM_INVALID_FILE, "not JSON"},
        {"3", AM_INVALID_FILE, "expected an object, found an integer"},
        {"[]", AM_INVALID_FILE, "expected an object, found an array"},
        {"{\"max_new_tokens\": -1}", AM_INVALID_FILE, "max_new_tokens: expected 0 to 2147483647, found -1"},
        {"{\"max_length\": 1e18}", AM_INVALID_FILE, "max_length: expected 0 to 2147483647, found 1000000000000000000"},
        {"{\"max_new_tokens\": \"x\"}", AM_INVALID_FILE, "max_new_tokens: expected an integer, found a string"},
        {"{\"temperature\": \"hot\"}", AM_INVALID_FILE, "temperature: expected a number, found a string"},
        {"{\"do_sample\": \"yes\"}", AM_INVALID_FILE, "do_sample: expected a boolean, found a string"},
        {"{\"eos_token_id\": \"x\"}", AM_INVALID_FILE, "eos_token_id: expected a token, found a string"},
        {"{\"eos_token_id\": {}}", AM_INVALID_FILE, "eos_token_id: expected a token, found an object"},
        {"{\"suppress_tokens\": [1, []]}", AM_INVALID_FILE, "suppress_tokens: expected a token, found an array"},
        {"{\"num_beams\": -1}", AM_INVALID_FILE, "num_beams: expected 1 to 1024, found -1"},
    };
    EXPECT_FILE_FAILURES("generation_config.json", cases);
}

static void end_to_end_text__chat_templates_that_are_broken_or_do_not_end(void **state)
{
    static const file_case cases[] = {
        {"{% for", AM_INVALID_FILE, "TemplateSyntaxError: unexpected 'end of template'"},
        {"{{ x.y.z }}", AM_INVALID_ARGUMENT, "UndefinedError: 'x' is undefined"},
        {"{{ raise_exception('no') }}", AM_INVALID_ARGUMENT, "TemplateError: no"},
        {"{% for i in range(1000000000) %}x{% endfor %}", AM_INVALID_ARGUMENT, "OverflowError: Range too big"},
        {"{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}", AM_OUT_OF_MEMORY,
         "chat_template.jinja"},
        {"{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}", AM_OUT_OF_MEMORY, "RecursionError"},
        {"{{ 'a' * 1000000000000 }}", AM_OUT_OF_MEMORY, "MemoryError"},
        {"{{ 2 ** 100000000 }}", AM_OUT_OF_MEMORY, "OverflowError"},
        {"{{ 1 / 0 }}", AM_INVALID_ARGUMENT, "ZeroDivisionError"},
        {"{{ messages.__class__.__mro__ }}", AM_INVALID_ARGUMENT, "SecurityError"},
        {"{% import 'os' as os %}{{ os.system('id') }}", AM_INVALID_ARGUMENT, "TypeError: no loader"},
        {"\xff\xfe", AM_INVALID_FILE, "not UTF-8"},
    };
    const char *directory = copy_llama();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        am_test_write_text(directory, "chat_template.jinja", cases[i].text);
        am_test_result result = am_test_anymodel("Hello\n", "chat", directory, "--max-new-tokens", "2");
        expect_part(result.err, "chat_template.jinja");
        expect_failure(result, cases[i].code, cases[i].part);
    }
}

static void end_to_end_text__prompts_that_are_no_text(void **state)
{
    kept_text model = keep(model_path("tiny-llama-text"));
    expect_generate_failure(model.text, "\xff\xfe", AM_INVALID_ARGUMENT, "not UTF-8 at byte 0");
    expect_failure(am_test_anymodel(NULL, "generate", model.text, "--prompt", "ab\xc0\x80"), AM_INVALID_ARGUMENT,
                   "not UTF-8 at byte 2");
    expect_failure(am_test_anymodel("\xff\n", "chat", model.text), AM_INVALID_ARGUMENT, "not UTF-8");
    expect_failure(am_test_anymodel("\xff\n", "embed", model.text), AM_INVALID_ARGUMENT, "not UTF-8");
    expect_failure(am_test_anymodel(NULL, "run", model.text, "\xff"), AM_INVALID_ARGUMENT, "not UTF-8");
    expect_failure(run_shell(am_test_format("printf 'a\\0b\\n' | $P chat '%s'", model.text)), AM_INVALID_ARGUMENT,
                   "a zero byte");
    am_test_result empty = am_test_anymodel("", "generate", model.text, "--prompt", "-", "--max-new-tokens", "2");
    expect_code(&empty, AM_OK); /* the token that begins a text is a prompt */
    am_test_result_free(&empty);
    am_test_result none = am_test_anymodel("", "embed", model.text);
    expect_code(&none, AM_OK);
    assert_string_equal(none.out, "");
    am_test_result_free(&none);
}

static void end_to_end_text__prompts_beyond_the_context(void **state)
{
    kept_text model = keep(model_path("tiny-llama-text"));
    char *prompt = repeated("walk ", 4000), *line = repeated("walk ", 4001);
    line[5 * 4001 - 1] = '\n';
    expect_generate_failure(model.text, prompt, AM_OUT_OF_RANGE, "the model's context holds 512");
    expect_failure(am_test_anymodel(line, "chat", model.text), AM_OUT_OF_RANGE, "the model's context holds 512");
    static const char *const tasks[] = {"text-generation", "feature-extraction"};
    for (int i = 0; i < 2; i++)
        expect_failure(am_test_anymodel(prompt, "run", model.text, "-", "--task", tasks[i]), AM_OUT_OF_RANGE, "512");
    free(prompt);
    free(line);
}

static void end_to_end_text__ids_outside_of_the_vocabulary(void **state)
{
    const char *directory = copy_llama();
    am_test_write_text(directory, "tokenizer.json",
                       "{\"model\": {\"type\": \"WordLevel\", \"vocab\": {\"She\": 2048}, \"unk_token\": \"She\"}}");
    expect_generate_failure(directory, "She", AM_OUT_OF_RANGE, "index 2048 at place");
    expect_generate_failure(directory, "She", AM_OUT_OF_RANGE, "outside of 0..2047");
}

static void end_to_end_text__module_lists_that_are_broken(void **state)
{
    static const file_case cases[] = {
        {"", AM_INVALID_FILE, "the text is empty"},
        {"{}", AM_INVALID_FILE, "expected an array of modules, found an object"},
        {"[3]", AM_INVALID_FILE, "expected objects, found an integer"},
        {"[{\"type\": \"x.Pooling\", \"path\": \"../..\"}]", AM_INVALID_FILE, "path: expected a folder of the model"},
        {"[{\"type\": \"x.Pooling\", \"path\": \"nowhere\"}]", AM_NOT_FOUND, "nowhere/config.json"},
        {"[{\"type\": \"x.Dense\", \"path\": \"2_Dense\"}]", AM_NOT_FOUND, "2_Dense/config.json"},
        {"[{\"type\": \"x.Novel\", \"path\": \"2_Novel\"}]", AM_UNSUPPORTED, "module x.Novel"},
    };
    const char *directory = copy_llama();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        am_test_write_text(directory, "modules.json", cases[i].text);
        expect_failure(am_test_anymodel("She\n", "embed", directory), cases[i].code, cases[i].part);
    }
}
