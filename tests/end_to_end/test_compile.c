/* `anymodel compile` and what becomes of its files: the same answers, or an error that says what is wrong. */
#define _POSIX_C_SOURCE 200809L
#include "cli_support.h"

#include "base/json.h"
#include "formats/safetensors.h"
#include "runtime/artefact_internal.h"

#include <anymodel/anymodel.h>

#include <unistd.h>

/* Digests of weights are not to land in the user's folder. */
static void use_own_cache(void)
{
    static const char *folder;
    if (!folder) folder = am_test_temporary_directory();
    assert_int_equal(setenv("ANYMODEL_CACHE", folder, 1), 0);
}

static kept_text compile_for_cpu(const char *directory)
{
    use_own_cache();
    kept_text file = keep(am_test_format("%s/model.compiled", directory));
    am_test_result made = am_test_anymodel(NULL, "compile", directory, "--target", "cpu", "-o", file.text);
    expect_code(&made, AM_OK);
    am_test_result_free(&made);
    return file;
}

/* What the model says of a digit, as JSON; freed with free. */
static char *answer_of(const char *model)
{
    am_test_result result = am_test_anymodel(NULL, "run", model, digit_path(), "--json");
    expect_code(&result, AM_OK);
    char *text = strdup(result.out);
    am_test_result_free(&result);
    return text;
}

static void expect_same_answer(const char *model, const char *other)
{
    char *expected = answer_of(model), *found = answer_of(other);
    assert_string_equal(found, expected);
    free(expected);
    free(found);
}

static void end_to_end_compile__answers_as_the_directory_does(void **state)
{
    (void)state;
    const char *directory = copy_vit();
    kept_text file = compile_for_cpu(directory);
    expect_same_answer(directory, file.text);
}

static void end_to_end_compile__generates_as_the_directory_does(void **state)
{
    (void)state;
    const char *directory = copy_llama();
    kept_text file = compile_for_cpu(directory);
    static const char *const prompts[] = {"It is a truth", "She was"};
    for (int i = 0; i < 2; i++) {
        am_test_result a = am_test_anymodel(NULL, "generate", directory, "--prompt", prompts[i], "--max-new-tokens",
                                            "9", "--json", "--target", "cpu");
        am_test_result b =
            am_test_anymodel(NULL, "generate", file.text, "--prompt", prompts[i], "--max-new-tokens", "9", "--json");
        expect_code(&a, AM_OK);
        expect_code(&b, AM_OK);
        assert_string_equal(a.out, b.out);
        am_test_result_free(&a);
        am_test_result_free(&b);
    }
}

static void end_to_end_compile__tells_what_it_made(void **state)
{
    (void)state;
    use_own_cache();
    const char *directory = copy_llama();
    kept_text file = keep(am_test_format("%s/x", directory));
    am_test_result made =
        am_test_anymodel(NULL, "compile", directory, "--target", "cpu", "--output", file.text, "--shape", "length=4",
                         "--max-new-tokens", "3", "--prompt", "It is a truth", "--json");
    am_json_document *document = NULL;
    expect_code(&made, AM_OK);
    am_test_expect_ok(am_json_parse(made.out, made.out_length, "output", &document));
    am_json root = am_json_root(document), pieces = am_json_get(root, "pieces");
    assert_int_equal(am_json_count(pieces), 3); /* two prompts and the step after them */
    am_json_iterator i = am_json_iterate(pieces);
    assert_true(am_json_next(&i));
    assert_true(am_json_equals(am_json_get(i.value, "target"), "cpu"));
    assert_true(am_json_equals(am_json_get(i.value, "graph"),
                               "LlamaForCausalLM(input_ids i32[1, 4]), cache of 64, last logits"));
    assert_true(am_json_int(am_json_get(root, "bytes"), 0) > 10000);
    assert_true(am_json_real(am_json_get(root, "seconds"), -1) >= 0);
    am_json_close(document);
    am_test_result_free(&made);
}

/* --- where its files lie --- */

static void end_to_end_compile__needs_nothing_but_the_weights(void **state)
{
    (void)state;
    const char *directory = copy_vit();
    kept_text file = compile_for_cpu(directory);
    char *before = answer_of(file.text);
    am_test_write_text(directory, "config.json", "{}");
    assert_int_equal(unlink(am_test_format("%s/preprocessor_config.json", directory)), 0);
    char *after = answer_of(file.text);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static void end_to_end_compile__moves_with_its_directory(void **state)
{
    (void)state;
    const char *folder = am_test_temporary_directory(), *directory = copy_vit();
    kept_text file = compile_for_cpu(directory), moved = keep(am_test_format("%s/moved", folder));
    char *before = answer_of(file.text);
    assert_int_equal(rename(directory, moved.text), 0);
    char *after = answer_of(am_test_format("%s/model.compiled", moved.text));
    assert_string_equal(before, after);
    free(before);
    free(after);
    assert_int_equal(rename(moved.text, directory), 0);
}

static void end_to_end_compile__can_move_away_from_its_directory(void **state)
{
    (void)state;
    const char *folder = am_test_temporary_directory(), *directory = copy_vit();
    kept_text file = compile_for_cpu(directory), moved = keep(am_test_format("%s/moved", folder));
    assert_int_equal(rename(file.text, moved.text), 0);
    expect_same_answer(directory, moved.text);
}

static void end_to_end_compile__misses_its_weights(void **state)
{
    (void)state;
    const char *directory = copy_vit();
    kept_text file = compile_for_cpu(directory);
    assert_int_equal(unlink(am_test_format("%s/model.safetensors", directory)), 0);
    am_test_result result = am_test_anymodel(NULL, "run", file.text, digit_path());
    expect_part(result.err, file.text);
    expect_part(result.err, am_test_format("%s/model.safetensors", directory));
    expect_failure(result, AM_NOT_FOUND, "its weights are gone");
}

static void end_to_end_compile__refuses_other_weights(void **state)
{
    (void)state;
    const char *directory = copy_vit();
    kept_text file = compile_for_cpu(directory), path = keep(am_test_format("%s/model.safetensors", directory));
    size_t length;
    char *bytes = am_test_read_file(path.text, &length);
    bytes[length - 1] ^= 1;
    am_test_write_file(path.text, bytes, length);
    expect_failure(am_test_anymodel(NULL, "run", file.text, digit_path()), AM_INVALID_FILE,
                   "are others than when it was compiled");
    expect_failure(am_test_anymodel(NULL, "run", file.text, digit_path(), "--target-policy", "prefer"), AM_INVALID_FILE,
                   path.text);
    am_test_write_file(path.text, bytes, length - 1);
    expect_failure(am_test_anymodel(NULL, "run", file.text, digit_path()), AM_INVALID_FILE,
                   am_test_format("are %zu bytes, %zu when it was compiled", length - 1, length));
    free(bytes);
}

/* --- files that are not what they were --- */

static void end_to_end_compile__notices_every_changed_byte(void **state)
{
    (void)state;
    enum { PLACES = 61 };
    const char *directory = copy_vit();
    kept_text file = compile_for_cpu(directory);
    size_t length;
    int refused = 0;
    char *bytes = am_test_read_file(file.text, &length), *expected = answer_of(file.text);
    for (size_t i = 0; i < PLACES; i++) {
        size_t at = i * (length - 1) / (PLACES - 1);
        bytes[at] ^= 4;
        am_test_write_file(file.text, bytes, length);
        bytes[at] ^= 4;
        am_test_result result = am_test_anymodel(NULL, "run", file.text, digit_path(), "--json");
        if (result.exit_code) { /* padding may be anything */
            expect_code(&result, AM_INVALID_FILE);
            expect_part(result.err, file.text);
            refused++;
        } else assert_string_equal(result.out, expected);
        am_test_result_free(&result);
    }
    assert_in_range(refused, PLACES / 2, PLACES);
    free(bytes);
    free(expected);
}

static void end_to_end_compile__notices_a_cut(void **state)
{
    (void)state;
    const char *directory = copy_vit();
    kept_text file = compile_for_cpu(directory);
    size_t length;
    char *bytes = am_test_read_file(file.text, &length);
    const size_t kept[] = {0, 7, 8, 300, length / 2, length - 1};
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        am_test_write_file(file.text, bytes, kept[i]);
        expect_failure(am_test_anymodel(NULL, "run", file.text, digit_path()), AM_INVALID_FILE, file.text);
    }
    free(bytes);
}

/* The file with one text of its manifest replaced, and the digest of that put right. */
static void rewrite_manifest(const char *path, const char *from, const char *to)
{
    am_arena arena = {0};
    am_tensor_table table = {0};
    const char *text;
    char digits[AM_SHA256_TEXT];
    am_test_expect_ok(am_safetensors_metadata(path, AM_ARTEFACT_KEY, &arena, &text));
    am_test_expect_ok(am_safetensors_read(path, &table));
    const char *manifest = text + 64, *at = strstr(manifest, from);
    assert_non_null(at);
    const char *changed = am_arena_printf(&arena, "%.*s%s%s", (int)(at - manifest), manifest, to, at + strlen(from));
    am_sha256_digits_of(changed, strlen(changed), digits);
    am_test_expect_ok(am_safetensors_write_with(path, AM_ARTEFACT_KEY, am_arena_printf(&arena, "%s%s", digits, changed),
                                                table.tensors, table.count));
    am_tensor_table_deinit(&table);
    am_arena_deinit(&arena);
}

static void end_to_end_compile__refuses_another_format(void **state)
{
    (void)state;
    kept_text file = compile_for_cpu(copy_vit());
    rewrite_manifest(file.text, "\"format\":1,", "\"format\":9,");
    expect_failure(am_test_anymodel(NULL, "run", file.text, digit_path()), AM_UNSUPPORTED,
                   "format 9 of such files, this program reads 1: compile it again");
}

static void end_to_end_compile__of_another_version_runs_on_the_cpu_if_asked(void **state)
{
    (void)state;
    const char *directory = copy_vit();
    kept_text file = compile_for_cpu(directory);
    char *expected = answer_of(file.text);
    rewrite_manifest(file.text, am_test_format("\"program\":\"%s\"", am_version()), "\"program\":\"0.0.7\"");
    const char *part =
        am_test_format("%s: compiled with anymodel 0.0.7, here is %s: compile it again", file.text, am_version());
    expect_failure(am_test_anymodel(NULL, "run", file.text, digit_path()), AM_UNSUPPORTED, part);
    am_test_result result =
        am_test_anymodel(NULL, "run", file.text, digit_path(), "--json", "--target-policy", "prefer");
    expect_code(&result, AM_OK);
    expect_part(result.err, "anymodel: warning: ");
    expect_part(result.err, "all of it runs on the cpu");
    assert_string_equal(result.out, expected);
    am_test_result_free(&result);
    free(expected);
}

static void end_to_end_compile__refuses_files_of_other_places(void **state)
{
    (void)state;
    static const char *const names[] = {"\"name\":\"../config.json\"", "\"name\":\"/etc/hostname\"", "\"name\":\"\"",
                                        "\"name\":7"};
    const char *directory = copy_vit();
    for (int i = 0; i < 4; i++) {
        kept_text file = compile_for_cpu(directory);
        rewrite_manifest(file.text, "\"name\":\"config.json\"", names[i]);
        expect_failure(am_test_anymodel(NULL, "run", file.text, digit_path()), AM_INVALID_FILE, "manifest: ");
    }
}

/* A program of another graph in its place. */
static void end_to_end_compile__refuses_a_graph_that_is_not_built_here(void **state)
{
    (void)state;
    const char *directory = copy_vit();
    kept_text file = compile_for_cpu(directory);
    am_arena arena = {0};
    const char *text, *at;
    am_test_expect_ok(am_safetensors_metadata(file.text, AM_ARTEFACT_KEY, &arena, &text));
    at = strstr(text, "\"graph\":{\"blob\":\"");
    const char *config = strstr(text, "\"name\":\"config.json\",\"blob\":\"");
    assert_non_null(at);
    assert_non_null(config);
    kept_text from = keep(am_test_format("%.*s", (int)(strchr(at, '}') - at), at));
    config = strstr(config, "\"blob\"");
    kept_text to = keep(am_test_format("\"graph\":{%.*s", (int)(strchr(config, '}') - config), config));
    am_arena_deinit(&arena);
    rewrite_manifest(file.text, from.text, to.text);
    expect_failure(am_test_anymodel(NULL, "run", file.text, digit_path()), AM_UNSUPPORTED, "compile it again");
}

/* --- command lines --- */

static void end_to_end_compile__wants_a_target_and_a_file(void **state)
{
    (void)state;
    kept_text model = keep(model_path("digits-vit"));
    const char *folder = am_test_temporary_directory();
    kept_text file = keep(am_test_format("%s/none/x", folder));
    expect_failure(am_test_anymodel(NULL, "compile", model.text, "-o", "x"), AM_INVALID_ARGUMENT, "--target NAMES");
    expect_failure(am_test_anymodel(NULL, "compile", model.text, "--target", "cpu"), AM_INVALID_ARGUMENT, "-o FILE");
    expect_failure(am_test_anymodel(NULL, "compile", model.text, "--target", "cpu", "-o"), AM_INVALID_ARGUMENT,
                   "needs a value");
    expect_failure(am_test_anymodel(NULL, "embed", model.text, "-o", "x"), AM_INVALID_ARGUMENT, "no short options");
    expect_failure(am_test_anymodel(NULL, "compile", model.text, "--target", "cpu", "-o", file.text), AM_NOT_FOUND,
                   file.text);
    expect_failure(am_test_anymodel(NULL, "compile", model.text, "--target", "cpu", "-o", folder), AM_INVALID_ARGUMENT,
                   "is a folder");
    expect_failure(am_test_anymodel(NULL, "compile", model.text, "--target", "cpu", "--target-policy", "auto", "-o",
                                    am_test_format("%s/x", folder)),
                   AM_INVALID_ARGUMENT, "policy auto");
    expect_failure(am_test_anymodel(NULL, "compile", model.text, "--target", "cpu", "--shape", "length=0", "-o",
                                    am_test_format("%s/x", folder)),
                   AM_INVALID_ARGUMENT, "shapes: length");
}

static void end_to_end_compile__runs_on_what_it_was_compiled_for(void **state)
{
    (void)state;
    const char *directory = copy_vit();
    kept_text file = compile_for_cpu(directory);
    expect_failure(
        am_test_anymodel(NULL, "compile", file.text, "--target", "cpu", "-o", am_test_format("%s/again", directory)),
        AM_INVALID_ARGUMENT, "is compiled already");
    expect_failure(am_test_anymodel(NULL, "run", file.text, digit_path(), "--target-policy", "auto"),
                   AM_INVALID_ARGUMENT, "require or prefer");
    expect_failure(am_test_anymodel(NULL, "run", file.text, digit_path(), "--target", "auto"), AM_INVALID_ARGUMENT,
                   "is compiled for cpu, not for auto");
    am_test_result same = am_test_anymodel(NULL, "run", file.text, digit_path(), "--target", "cpu");
    expect_code(&same, AM_OK);
    am_test_result_free(&same);
    expect_failure(am_test_anymodel(NULL, "run", am_test_format("%s/model.safetensors", directory), digit_path()),
                   AM_INVALID_FILE, "this is no file of `anymodel compile`");
}
