/* Tokenizers and chat templates without a model, through the program: tokenize, render, --tokenizer. */
#include "cli_support.h"

static const char *tokenizer_path(const char *name)
{
    return am_test_source_path(am_test_format("tests/unit/text/data/tokenizers/%s", name));
}

static void expect_output(am_test_result result, const char *expected)
{
    expect_code(&result, AM_OK);
    assert_string_equal(result.out, expected);
    am_test_result_free(&result);
}

static void end_to_end_text_commands__tokens_stand_beside_their_text(void **state)
{
    expect_output(am_test_anymodel(NULL, "tokenize", tokenizer_path("families/bert_uncased"), "Héllo, the"),
                  "       2  [CLS]\n"
                  "    1026  hello                        0-5     \"Héllo\"\n"
                  "      16  ,                            5-6     \",\"\n"
                  "     737  the                          7-10    \"the\"\n"
                  "       3  [SEP]\n");
}

static void end_to_end_text_commands__json_holds_the_whole_encoding(void **state)
{
    expect_output(
        am_test_anymodel(NULL, "tokenize", tokenizer_path("families/bert_uncased"), "the", "--pair", "é", "--json"),
        "[{\"ids\": [2, 737, 3, 47, 3], \"tokens\": [\"[CLS]\", \"the\", \"[SEP]\", \"e\", \"[SEP]\"], "
        "\"type_ids\": [0, 0, 0, 1, 1], \"attention_mask\": [1, 1, 1, 1, 1], \"special_tokens_mask\": [1, 0, 1, 0, 1], "
        "\"word_ids\": [null, 0, null, 0, null], \"sequence_ids\": [null, 0, null, 1, null], "
        "\"offsets\": [[0, 0], [0, 3], [0, 0], [0, 1], [0, 0]], "
        "\"byte_offsets\": [[0, 0], [0, 3], [0, 0], [0, 2], [0, 0]], \"overflowing\": []}]\n");
    expect_output(am_test_anymodel("", "tokenize", tokenizer_path("families/bert_uncased"), "--json"), "[]\n");
}

static void end_to_end_text_commands__lines_are_texts(void **state)
{
    const kept_text bert = keep(tokenizer_path("families/bert_uncased"));
    expect_output(am_test_anymodel("the\r\n\nthe", "tokenize", bert.text, "--ids"), "2 737 3\n2 3\n2 737 3\n");
    expect_output(am_test_anymodel("the", "tokenize", bert.text, "--ids", "--no-special-tokens"), "737\n");
    expect_output(am_test_anymodel("the\nthe the the", "tokenize", bert.text, "--ids", "--padding", "longest"),
                  "2 737 3 0 0\n2 737 737 737 3\n");
}

static void end_to_end_text_commands__what_is_cut_off_is_shown(void **state)
{
    expect_output(am_test_anymodel(NULL, "tokenize", tokenizer_path("families/bert_uncased"), "a b c", "--ids",
                                   "--max-length", "4", "--truncation", "true"),
                  "2 43 44 3\n2 45 3\n");
}

static void end_to_end_text_commands__ids_become_text_again(void **state)
{
    const kept_text bert = keep(tokenizer_path("families/bert_uncased"));
    expect_output(am_test_anymodel(NULL, "tokenize", bert.text, "--decode", "2", "737", "1026", "3"), "the hello\n");
    expect_output(am_test_anymodel("2 737,3\n1026", "tokenize", bert.text, "--decode", "--no-special-tokens"),
                  "[CLS] the [SEP]\nhello\n");
    expect_output(am_test_anymodel(NULL, "tokenize", bert.text, "--decode", "737", "--json"),
                  "[{\"text\": \"the\"}]\n");
    expect_failure(am_test_anymodel(NULL, "tokenize", bert.text, "--decode", "1", "x"), AM_INVALID_ARGUMENT,
                   "found \"x\"");
}

/* This file pads to 12 tokens; AutoTokenizer's plain call does not. */
static void end_to_end_text_commands__a_file_is_taken_as_it_is(void **state)
{
    const kept_text padded = keep(tokenizer_path("synthetic/pad_fixed_Left"));
    expect_output(am_test_anymodel(NULL, "tokenize", padded.text, "hello world", "--ids"), "2 5 6 3\n");
    expect_output(am_test_anymodel(NULL, "tokenize", padded.text, "hello world", "--ids", "--tokenizer", "file"),
                  "1 1 1 1 1 1 1 1 2 5 6 3\n");
    expect_output(am_test_anymodel(NULL, "tokenize", tokenizer_path("legacy/t5/spiece.model"), "the cat", "--ids",
                                   "--tokenizer", "file"),
                  "54 145 13\n");
    expect_failure(am_test_anymodel(NULL, "tokenize", padded.text, "a", "--tokenizer", "slow"), AM_INVALID_ARGUMENT,
                   "expected auto or file, found \"slow\"");
    expect_failure(
        am_test_anymodel(NULL, "generate", model_path("tiny-llama-text"), "--prompt", "She", "--tokenizer", "slow"),
        AM_INVALID_ARGUMENT, "expected auto or file, found \"slow\"");
}

static void end_to_end_text_commands__arguments_that_are_none_are_named(void **state)
{
    const kept_text bert = keep(tokenizer_path("families/bert_uncased"));
    expect_failure(am_test_anymodel(NULL, "tokenize", bert.text, "a", "--option", "foo=1"), AM_INVALID_ARGUMENT,
                   "no argument \"foo\"");
    expect_failure(am_test_anymodel(NULL, "tokenize", bert.text, "a", "--padding", "3"), AM_INVALID_ARGUMENT,
                   "padding: expected true, false, longest");
    expect_failure(am_test_anymodel(NULL, "tokenize", bert.text, "a\xff"), AM_INVALID_ARGUMENT, "not UTF-8 at byte 1");
    expect_failure(am_test_anymodel(NULL, "tokenize", "/nonexistent", "a"), AM_NOT_FOUND, "no such directory");
}

#define HELLO "[{\"role\": \"user\", \"content\": \" Hi \"}]"

static void end_to_end_text_commands__conversations_are_rendered(void **state)
{
    const kept_text model = keep(model_path("tiny-llama-text"));
    expect_output(am_test_anymodel(NULL, "render", model.text, HELLO), "<s><|user|>Hi<|end|><|assistant|>");
    expect_output(am_test_anymodel(HELLO, "render", model.text, "-", "--no-generation-prompt"), "<s><|user|>Hi<|end|>");
    expect_output(am_test_anymodel(NULL, "render", model.text, HELLO, "--option", "bos_token=(B)", "--json"),
                  "{\"text\": \"(B)<|user|>Hi<|end|><|assistant|>\", \"generation_spans\": []}\n");
    expect_failure(am_test_anymodel(NULL, "render", model.text, "[{\"role\": \"cat\", \"content\": \"\"}]"),
                   AM_INVALID_ARGUMENT, "chat_template.jinja, line 1, column");
    expect_failure(am_test_anymodel(NULL, "render", model.text, "[{\"role\""), AM_INVALID_FILE, "not JSON");
    expect_failure(am_test_anymodel(NULL, "render", model.text, "[]"), AM_INVALID_ARGUMENT, "found none in it");
    expect_failure(am_test_anymodel(NULL, "render", model.text, "no-such-file"), AM_NOT_FOUND, "no-such-file");
    expect_failure(am_test_anymodel(NULL, "render", model.text, HELLO, "--template", "rag"), AM_NOT_FOUND, "rag");
}

static void end_to_end_text_commands__generation_blocks_and_tools(void **state)
{
    static const char *const files[] = {"tokenizer.json", "tokenizer_config.json", NULL};
    const char *directory = copy_model("tiny-llama-text", files);
    am_test_write_text(directory, "chat_template.jinja",
                       "{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %};{% endfor %}"
                       "{{ tools | length }}{{ documents[0].title }}");
    const char *tools = am_test_write_text(directory, "tools.json", "[{\"name\": \"f\"}, {\"name\": \"g\"}]");
    expect_output(am_test_anymodel(NULL, "render", directory,
                                   "[{\"role\": \"assistant\", \"content\": \"é\"}, {\"role\": \"user\", \"content\": "
                                   "\"ab\"}]",
                                   "--tools", tools, "--documents", "[{\"title\": \"T\"}]", "--json"),
                  "{\"text\": \"é;ab;2T\", \"generation_spans\": [[0, 1], [2, 4]]}\n");
}
