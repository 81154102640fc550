/* Every option of every command with values that make no sense. What is right is taken from the program's own help, so
   that no option is forgotten. */
#include "cli_support.h"

#include <ctype.h>

static const char *const commands[] = {
    "run",   "generate", "chat",    "embed",      "inspect", "plan",       "targets",  "target", "models", "verify",
    "bench", "help",     "version", "completion", "compile", "preprocess", "tokenize", "render", "quality"};
enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

typedef struct option {
    char name[64];
    bool has_value, is_number;
} option;

/* "  --name VALUE  meaning": the next option of a help text; false at its end. A value N or X is a number. */
static bool next_option(const char **at, option *out)
{
    const char *begin = strstr(*at, "\n  --");
    if (!begin) return false;
    begin += strlen("\n  --");
    size_t length = strcspn(begin, " \n");
    assert_in_range(length, 1, sizeof out->name - 1);
    memcpy(out->name, begin, length);
    out->name[length] = 0;
    const char *value = begin + length;
    out->has_value = value[0] == ' ' && isupper((unsigned char)value[1]);
    out->is_number = out->has_value && (value[1] == 'N' || value[1] == 'X') && value[2] == ' ';
    *at = begin;
    return true;
}

static void check_option(const char *command, const option *o)
{
    static const char *const nonsense[] = {
        "x", "", "nan", "1e999", "0x", "--", "99999999999999999999999", "-9223372036854775809"};
    const char *named = am_test_format("--%s", o->name);
    if (!o->has_value) {
        expect_failure(am_test_anymodel(NULL, command, am_test_format("--%s=1", o->name)), AM_INVALID_ARGUMENT,
                       "takes no value");
        return;
    }
    expect_failure(am_test_anymodel(NULL, command, named), AM_INVALID_ARGUMENT, "needs a value");
    for (size_t i = 0; o->is_number && i < sizeof nonsense / sizeof *nonsense; i++)
        expect_failure(am_test_anymodel(NULL, command, am_test_format("--%s=%s", o->name, nonsense[i])),
                       AM_INVALID_ARGUMENT, am_test_format("--%s: expected", o->name));
}

static void end_to_end_options__of_every_command_with_values_that_make_no_sense(void **state)
{
    int options = 0, numbers = 0;
    for (int i = 0; i < COMMAND_COUNT; i++) {
        am_test_result help = am_test_anymodel(NULL, "help", commands[i]);
        option o;
        for (const char *at = help.out; next_option(&at, &o); options++, numbers += o.is_number)
            if (strcmp(o.name, "help") != 0) check_option(commands[i], &o);
        am_test_result_free(&help);
    }
    assert_true(options >= 5 * COMMAND_COUNT); /* the common ones alone */
    assert_true(numbers >= COMMAND_COUNT);
}

static void end_to_end_options__that_no_command_has(void **state)
{
    for (int i = 0; i < COMMAND_COUNT; i++) {
        expect_failure(am_test_anymodel(NULL, commands[i], "--nonsense"), AM_INVALID_ARGUMENT, "--nonsense");
        expect_failure(am_test_anymodel(NULL, commands[i], "-x"), AM_INVALID_ARGUMENT, "no short options");
    }
}

static void end_to_end_options__name_targets_that_do_not_exist(void **state)
{
    static const char *const targets[] = {"tpu", "metal", "", "cpu0", "cpu,tpu"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        expect_failure(am_test_anymodel(NULL, "models", "--target", targets[i]), AM_INVALID_ARGUMENT,
                       "there is no target \"");
        expect_failure(am_test_anymodel(NULL, "inspect", model_path("digits-vit"), "--target", targets[i]),
                       AM_INVALID_ARGUMENT, "there is no target \"");
    }
}

static void end_to_end_options__name_tasks_that_are_none_or_another_s(void **state)
{
    kept_text llama = keep(model_path("tiny-llama-text")), vit = keep(model_path("digits-vit"));
    expect_failure(am_test_anymodel(NULL, "run", llama.text, "x", "--task", "nonsense"), AM_UNSUPPORTED,
                   "task \"nonsense\" is not supported; there are ");
    expect_failure(am_test_anymodel(NULL, "run", llama.text, "x", "--task", ""), AM_UNSUPPORTED, "task \"\"");
    expect_failure(am_test_anymodel(NULL, "run", llama.text, "x", "--pair", "y", "--task", "question-answering"),
                   AM_UNSUPPORTED, "class LlamaForCausalLM");
    expect_failure(am_test_anymodel(NULL, "run", llama.text, "x", "--task", "summarization"), AM_UNSUPPORTED,
                   "class LlamaForCausalLM is no encoder-decoder");
    expect_failure(am_test_anymodel(NULL, "run", llama.text, digit_path(), "--task", "image-classification"),
                   AM_NOT_FOUND, "preprocessor_config.json");
    expect_failure(am_test_anymodel(NULL, "run", vit.text, "x", "--task", "text-generation"), AM_NOT_FOUND,
                   "tokenizer");
    expect_failure(am_test_anymodel("x", "chat", vit.text), AM_NOT_FOUND, vit.text);
}

static void end_to_end_options__shapes_that_make_no_sense(void **state)
{
    static const char *const values[] = {"0", "-1", "x", "", "1.5", "1000000000", "99999999999999999999"};
    kept_text model = keep(model_path("tiny-llama-text"));
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        expect_failure(am_test_anymodel(NULL, "plan", model.text, "--shape", am_test_format("batch=%s", values[i])),
                       AM_INVALID_ARGUMENT, "batch: expected a number from 1 to");
    expect_failure(am_test_anymodel(NULL, "plan", model.text, "--shape", "nonsense=1"), AM_INVALID_ARGUMENT,
                   "\"nonsense\" is no size");
}
