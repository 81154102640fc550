/* No memory, no disk space, things that are no files, and files that change while they are in use. */
#include "cli_support.h"

#include <sys/stat.h>
#include <unistd.h>

/* --- memory --- */

/* Under the address sanitizer no program starts with a limited address space. */
static void skip_without_limits(void)
{
    am_test_result result = run_shell("ulimit -v 1000000 && $P version");
    bool works = result.exit_code == 0;
    am_test_result_free(&result);
    if (works) return;
    print_message("skipped: this build does not run under ulimit -v\n");
    skip();
}

/* Whether it ended before its main: in the dynamic loader, or where libgomp, which libsoxr brings, sets itself up. */
static bool was_never_begun(const am_test_result *result)
{
    enum { LOADER_FAILED = 127, LIBGOMP_FAILED = 1 };
    return result->exit_code == LOADER_FAILED ||
           (result->exit_code == LIBGOMP_FAILED && strncmp(result->err, "\nlibgomp: Out of memory", 23) == 0);
}

/* Runs a command under limits of the address space, from one that nothing begins under to one that is enough: it
   answers or says why not. Counts the latter. */
static int run_limited(const char *line, int step_kb)
{
    enum { LEAST_KB = 18432, MOST_KB = 65536 };
    int failed = 0;
    for (int kb = LEAST_KB; kb < MOST_KB; kb += step_kb) {
        am_test_result result = run_shell(am_test_format("echo Hello | (ulimit -v %d && exec \"$P\" %s)", kb, line));
        if (result.exit_code == AM_OUT_OF_MEMORY) expect_part(result.err, "anymodel: 6 out of memory: ");
        else if (!was_never_begun(&result)) expect_code(&result, AM_OK);
        failed += result.exit_code == AM_OUT_OF_MEMORY;
        am_test_result_free(&result);
    }
    return failed;
}

static void end_to_end_resources__the_benchmark_survives_want_of_memory(void **state)
{
    skip_without_limits();
    kept_text line = keep(am_test_format("bench '%s'", model_path("digits-vit")));
    assert_true(run_limited(line.text, 18432) > 0);
}

static void end_to_end_resources__every_command_survives_want_of_memory(void **state)
{
    skip_without_limits();
    kept_text vit = keep(model_path("digits-vit")), llama = keep(model_path("tiny-llama-text")),
              wav2vec2 = keep(model_path("spoken-words-wav2vec2")), image = keep(digit_path()),
              sound = keep(am_test_source_path("examples/data/speech/yes.wav")),
              golden = keep(am_test_source_path("tests/golden/data/vit.json"));
    kept_text lines[] = {
        keep(am_test_format("run '%s' '%s'", vit.text, image.text)),
        keep(am_test_format("run '%s' '%s'", wav2vec2.text, sound.text)),
        keep(am_test_format("generate '%s' --prompt She --max-new-tokens 2", llama.text)),
        keep(am_test_format("chat '%s' --max-new-tokens 2", llama.text)),
        keep(am_test_format("embed '%s'", llama.text)),
        keep(am_test_format("inspect '%s'", llama.text)),
        keep(am_test_format("plan '%s'", llama.text)),
        keep(am_test_format("verify '%s'", golden.text)),
        keep("models"),
        keep("targets"),
        keep("help"),
        keep("completion bash"),
    };
    int failed = 0;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) failed += run_limited(lines[i].text, 6144);
    assert_true(failed > 5); /* the limits were there */
}

static void end_to_end_resources__memory_is_compared_with_what_is_available(void **state)
{
    kept_text model = keep(model_path("tiny-llama-text"));
    am_test_result result = am_test_anymodel(NULL, "plan", model.text, "--shape", "batch=1000000,length=512");
    expect_part(result.err, "MiB are needed, ");
    expect_failure(result, AM_OUT_OF_MEMORY, "MiB are available (");
    skip_without_limits();
    expect_failure(
        run_shell(am_test_format("ulimit -v 300000 && $P plan '%s' --shape batch=64,length=512", model.text)),
        AM_OUT_OF_MEMORY, "MiB are available (RLIMIT_AS)");
}

/* --- output --- */

static void end_to_end_resources__every_command_says_that_the_disk_is_full(void **state)
{
    kept_text vit = keep(model_path("digits-vit")), llama = keep(model_path("tiny-llama-text"));
    kept_text lines[] = {
        keep(am_test_format("run '%s' '%s'", vit.text, digit_path())),
        keep(am_test_format("generate '%s' --prompt She --max-new-tokens 2", llama.text)),
        keep(am_test_format("generate '%s' --prompt She --max-new-tokens 2 --stream", llama.text)),
        keep(am_test_format("chat '%s' --max-new-tokens 2", llama.text)),
        keep(am_test_format("embed '%s'", llama.text)),
        keep(am_test_format("inspect '%s'", llama.text)),
        keep(am_test_format("plan '%s'", llama.text)),
        keep(am_test_format("verify '%s'", am_test_source_path("tests/golden/data/vit.json"))),
        keep("models"),
        keep("targets"),
        keep("help"),
        keep("version"),
        keep("completion zsh"),
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        expect_failure(run_shell(am_test_format("echo Hello | $P %s > /dev/full", lines[i].text)), AM_IO,
                       "cannot write the output");
        expect_failure(run_shell(am_test_format("echo Hello | $P %s --json > /dev/full", lines[i].text)), AM_IO,
                       "cannot write the output");
        expect_failure(run_shell(am_test_format("echo Hello | $P %s >&-", lines[i].text)), AM_IO,
                       "cannot write the output");
    }
}

/* --- what is no file --- */

static void make_folder(const char *path)
{
    assert_int_equal(mkdir(path, 0700), 0);
}

static void make_fifo(const char *path)
{
    assert_int_equal(mkfifo(path, 0600), 0);
}

static void make_loop(const char *path)
{
    assert_int_equal(symlink(am_test_format("%s", path), path), 0);
}

static void make_dangling(const char *path)
{
    assert_int_equal(symlink("/no/such/file", path), 0);
}

static const struct {
    void (*make)(const char *path);
    am_code code;
    const char *part;
} kinds[] = {
    {make_folder, AM_IO, "not a regular file"},
    {make_fifo, AM_IO, "not a regular file"},
    {make_loop, AM_IO, "Too many levels of symbolic links"},
    {make_dangling, AM_NOT_FOUND, "No such file"},
};

enum { KIND_COUNT = sizeof kinds / sizeof *kinds };

static void end_to_end_resources__things_in_place_of_a_model_s_files(void **state)
{
    static const char *const files[] = {"config.json",           "model.safetensors",      "tokenizer.json",
                                        "tokenizer_config.json", "generation_config.json", "chat_template.jinja"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        for (int k = 0; k < KIND_COUNT; k++) {
            const char *directory = copy_llama();
            unlink(am_test_format("%s/%s", directory, files[i]));
            kinds[k].make(am_test_format("%s/%s", directory, files[i]));
            am_test_result result = am_test_anymodel("Hello\n", "chat", directory, "--max-new-tokens", "2");
            expect_part(result.err, am_test_format("%s/%s", directory, files[i]));
            expect_failure(result, kinds[k].code, kinds[k].part);
        }
}

static void end_to_end_resources__things_in_place_of_inputs(void **state)
{
    kept_text vit = keep(model_path("digits-vit")), llama = keep(model_path("tiny-llama-text"));
    for (int k = 0; k < KIND_COUNT; k++) {
        kept_text path = keep(am_test_format("%s/input", am_test_temporary_directory()));
        kinds[k].make(path.text);
        if (kinds[k].make != make_folder) /* which may hold golden files */
            expect_failure(am_test_anymodel(NULL, "verify", path.text), kinds[k].code, path.text);
        if (kinds[k].make == make_fifo) continue; /* is read, as by every program; the test of pipes has it */
        expect_failure(am_test_anymodel(NULL, "run", vit.text, path.text), kinds[k].code, path.text);
        expect_failure(am_test_anymodel(NULL, "embed", llama.text, path.text), kinds[k].code, path.text);
    }
    expect_failure(am_test_anymodel(NULL, "embed", llama.text, "/dev/zero"), AM_OUT_OF_MEMORY, "File too large");
    expect_failure(am_test_anymodel(NULL, "run", vit.text, "/dev/null"), AM_INVALID_FILE, "an empty file");
}

static void end_to_end_resources__pipes_are_read_once(void **state)
{
    kept_text vit = keep(model_path("digits-vit")), llama = keep(model_path("tiny-llama-text")),
              image = keep(digit_path()), fifo = keep(am_test_format("%s/fifo", am_test_temporary_directory()));
    make_fifo(fifo.text);
    am_test_result file = am_test_anymodel(NULL, "run", vit.text, image.text);
    am_test_result pipe =
        run_shell(am_test_format("cat '%s' > '%s' & $P run '%s' '%s'", image.text, fifo.text, vit.text, fifo.text));
    expect_code(&pipe, AM_OK);
    assert_string_equal(pipe.out, file.out);
    am_test_result_free(&pipe);
    am_test_result_free(&file);
    am_test_result text = am_test_anymodel(NULL, "run", llama.text, "She said", "--task", "feature-extraction");
    pipe = run_shell(am_test_format("echo 'She said' > '%s' & $P run '%s' '%s' --task feature-extraction", fifo.text,
                                    llama.text, fifo.text));
    expect_code(&pipe, AM_OK);
    assert_string_equal(pipe.out, text.out);
    am_test_result_free(&pipe);
    am_test_result_free(&text);
}

static void end_to_end_resources__files_that_may_not_be_read(void **state)
{
    const char *directory = copy_vit();
    kept_text config = keep(am_test_format("%s/config.json", directory));
    assert_int_equal(chmod(config.text, 0), 0);
    if (access(config.text, R_OK) == 0) {
        print_message("skipped: this user may read everything\n");
        skip();
    }
    am_test_result result = am_test_anymodel(NULL, "run", directory, digit_path());
    expect_part(result.err, config.text);
    expect_failure(result, AM_IO, "Permission denied");
}

/* --- files that change --- */

/* The model is opened before the first message is read. */
static void end_to_end_resources__weights_cut_short_while_in_use(void **state)
{
    const char *directory = copy_llama();
    kept_text weights = keep(am_test_format("%s/model.safetensors", directory));
    am_test_result result = run_shell(
        am_test_format("(sleep 2; : > '%s'; echo Hello) | $P chat '%s' --max-new-tokens 2", weights.text, directory));
    expect_part(result.err, weights.text);
    expect_failure(result, AM_IO, "the file was cut short");
}
