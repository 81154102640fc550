/* What tests of the command line program share. */
#ifndef AM_CLI_SUPPORT_H
#define AM_CLI_SUPPORT_H

#include "test_support.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Fails with all the program said unless it ended with this code. */
static inline void expect_code(const am_test_result *result, int code)
{
    if (result->exit_code == code) return;
    print_error("exit code %d, expected %d\nstdout: %s\nstderr: %s\n", result->exit_code, code, result->out,
                result->err);
    fail();
}

static inline void expect_part(const char *text, const char *part)
{
    if (strstr(text, part)) return;
    print_error("\"%s\" is not in: %s\n", part, text);
    fail();
}

/* Ends with this code, and says on stderr "anymodel: CODE ...part". Frees the result. */
static inline void expect_failure(am_test_result result, int code, const char *part)
{
    expect_code(&result, code);
    expect_part(result.err, am_test_format("anymodel: %d %s: ", code, am_code_text((am_code)code)));
    expect_part(result.err, part);
    am_test_result_free(&result);
}

static inline const char *model_path(const char *name)
{
    return am_test_source_path(am_test_format("examples/models/%s", name));
}

/* A copy of an example model's files in a new folder, where a test may spoil one. */
static inline const char *copy_model(const char *name, const char *const files[])
{
    const char *directory = am_test_temporary_directory();
    for (int i = 0; files[i]; i++) {
        size_t length;
        char *bytes = am_test_read_file(am_test_format("%s/%s", model_path(name), files[i]), &length);
        am_test_write_file(am_test_format("%s/%s", directory, files[i]), bytes, length);
        free(bytes);
    }
    return directory;
}

static inline const char *digit_path(void)
{
    return am_test_source_path("examples/data/digits/digit-3.png");
}

/* A text that outlives the buffers of am_test_format, which every run uses some of. */
typedef struct kept_text {
    char text[4096];
} kept_text;

static inline kept_text keep(const char *text)
{
    kept_text kept;
    snprintf(kept.text, sizeof kept.text, "%s", text);
    return kept;
}

static inline const char *copy_vit(void)
{
    static const char *const files[] = {"config.json", "model.safetensors", "preprocessor_config.json", NULL};
    return copy_model("digits-vit", files);
}

static inline const char *copy_llama(void)
{
    static const char *const files[] = {"config.json",
                                        "model.safetensors",
                                        "tokenizer.json",
                                        "tokenizer_config.json",
                                        "generation_config.json",
                                        "chat_template.jinja",
                                        NULL};
    return copy_model("tiny-llama-text", files);
}

static inline const char *copy_wav2vec2(void)
{
    static const char *const files[] = {"config.json", "model.safetensors",     "preprocessor_config.json",
                                        "vocab.json",  "tokenizer_config.json", NULL};
    return copy_model("spoken-words-wav2vec2", files);
}

static inline char *find_bytes(char *bytes, size_t length, const char *part, size_t part_length)
{
    for (size_t i = 0; i + part_length <= length; i++)
        if (memcmp(bytes + i, part, part_length) == 0) return bytes + i;
    return NULL;
}

/* Puts `to` where the file has `from` first; fails the test when it has not. */
static inline void replace_in_file(const char *path, const char *from, const char *to)
{
    size_t length, old = strlen(from), new = strlen(to);
    char *bytes = am_test_read_file(path, &length);
    char *at = find_bytes(bytes, length, from, old);
    assert_non_null(at);
    char *changed = malloc(length + new + 1);
    assert_non_null(changed);
    size_t before = (size_t)(at - bytes);
    memcpy(changed, bytes, before);
    memcpy(changed + before, to, new);
    memcpy(changed + before + new, at + old, length - before - old);
    am_test_write_file(path, changed, length - old + new);
    free(changed);
    free(bytes);
}

/* `count` times `text`, freed with free. */
static inline char *repeated(const char *text, size_t count)
{
    size_t length = strlen(text);
    char *all = malloc(length * count + 1);
    assert_non_null(all);
    for (size_t i = 0; i < count; i++) memcpy(all + i * length, text, length);
    all[length * count] = 0;
    return all;
}

/* What a model writes is the same on 1 to 3 threads with this option. */
static inline void expect_same_on_threads(const char *model, const char *option, const char *value)
{
    char *first = NULL;
    for (int threads = 1; threads <= 3; threads++) {
        am_test_result result =
            am_test_anymodel(NULL, "generate", model_path(model), "--prompt", "It is a truth", "--max-new-tokens", "12",
                             option, value, "--target", "cpu", "--threads", am_test_format("%d", threads));
        expect_code(&result, AM_OK);
        if (first) assert_string_equal(result.out, first);
        else first = strdup(result.out);
        am_test_result_free(&result);
    }
    assert_true(strlen(first) > 10);
    free(first);
}

/* A line for the shell, in which $P is the program. */
static inline am_test_result run_shell(const char *line)
{
    return am_test_run((const char *const[]){"sh", "-c", am_test_format("P='%s'; %s", am_test_program(), line), NULL},
                       NULL);
}

#endif
