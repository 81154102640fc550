/* The program with MAX: example models, and what may happen while a graph is compiled and kept. Runs where MAX is and
   ANYMODEL_TEST_SLOW is set. What was once compiled for these tests stays in the cache folder. */
#include "test_support.h"

#include "base/cache_folder.h"
#include "targets/max/library.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Texts that outlive the buffers of am_test_format. */
static char folder[1024], kept[1024], libexec[1024];

static const char *run_text(const char *line)
{
    static char out[1 << 16];
    am_test_result result = am_test_run(
        (const char *const[]){"sh", "-c", am_test_format("P='%s'; %s", am_test_program(), line), NULL}, NULL);
    snprintf(out, sizeof out, "%s%s", result.out, result.err);
    am_test_result_free(&result);
    return out;
}

static void expect_part(const char *text, const char *part)
{
    if (strstr(text, part)) return;
    print_error("\"%s\" is not in: %s\n", part, text);
    fail();
}

/* Skips without MAX. */
static void need_max(void)
{
    am_target_report report = {0};
    am_arena arena = {0};
    char *below;
    am_max_find(&report);
    if (!getenv("ANYMODEL_TEST_SLOW")) {
        print_message("not run: MAX compiles for minutes; make test-targets runs it\n");
        skip();
    }
    if (!report.present) {
        print_message("max is not available: %s\n", report.reason.text);
        skip();
    }
    am_test_expect_ok(am_cache_folder(&arena, am_test_format("max-tests-%s", report.version), &below));
    snprintf(kept, sizeof kept, "%s", below);
    am_arena_deinit(&arena);
    snprintf(folder, sizeof folder, "%s", am_test_temporary_directory());
    const char *program = am_test_program();
    snprintf(libexec, sizeof libexec, "%.*s", (int)(strrchr(program, '/') - program), program);
}

/* A script in the compiler's place, in an empty cache; $REAL is the compiler. */
static void use_compiler(const char *script)
{
    const char *path =
        am_test_write_text(folder, "anymodel-max-compile",
                           am_test_format("#!/bin/sh\nREAL='%s/anymodel-max-compile'\n%s", libexec, script));
    assert_int_equal(chmod(path, 0700), 0);
    setenv("ANYMODEL_LIBEXEC", folder, 1);
    setenv("ANYMODEL_CACHE", am_test_format("%s/cache", folder), 1);
    setenv("TMPDIR", folder, 1);
}

/* The compiler, whose results are kept for the next test: a graph takes it a minute. Each start is a line in `starts`.
 */
static void use_patient_compiler(void)
{
    use_compiler(am_test_format(
        "echo start >> '%s/starts'\nsleep 1\nkept='%s'\n"
        "sum=$(sha256sum < \"$3\" | cut -c1-64)\nmef=\"$2/.max_cache/mof/mef\"\n"
        "if [ ! -f \"$kept/$sum\" ]; then\n"
        "    \"$REAL\" \"$@\" || exit\n"
        "    largest=$(find \"$mef\" -type f -printf '%%s %%p\\n' | sort -n | tail -n 1 | cut -d' ' -f2-)\n"
        "    cp \"$largest\" \"$kept/$sum.$$\" && mv \"$kept/$sum.$$\" \"$kept/$sum\"\n"
        "else mkdir -p \"$mef/kept\" && cp \"$kept/$sum\" \"$mef/kept/\" || exit 1\nfi\n",
        folder, kept));
}

/* A small graph on max, and what was said about it. */
#define NO_ROOM "ulimit -f 64; " /* files of 32 KB */
#define CHECK   "\"$P\" targets --check --json"

static void expect_works(const char *said)
{
    const char *row = strstr(said, "{\"name\": \"max\"");
    assert_non_null(row);
    expect_part(row, "{\"name\": \"max\", \"works\": true");
}

static void expect_starts(const char *count)
{
    assert_string_equal(run_text(am_test_format("wc -l < '%s/starts'", folder)), count);
}

/* An example model where max fails after `prepare`: what the cpu says, then `warning`. */
static void expect_answer_of_the_cpu(const char *prepare, const char *warning)
{
    static char answer[1 << 14], line[2048];
    snprintf(line, sizeof line, "cd '%s' && \"$P\" run examples/models/digits-vit examples/data/digits/photo-4.jpg",
             am_test_source_path(""));
    snprintf(answer, sizeof answer, "%s", run_text(am_test_format("%s --target cpu", line)));
    assert_true(strlen(answer) > 0);
    const char *said = run_text(am_test_format("%s%s --target max", prepare, line));
    assert_memory_equal(said, answer, strlen(answer));
    expect_part(said + strlen(answer), warning);
}

static void targets_max_program__a_compiler_killed_in_the_middle_is_started_again(void **state)
{
    need_max();
    use_compiler("\"$REAL\" \"$@\" &\nsleep 3\nkill -KILL $!\nkill -KILL $$\n");
    expect_answer_of_the_cpu(
        "", "target max failed, its part runs on the cpu instead: max: its compiler was ended by signal 9");
    const char *said = run_text(CHECK);
    expect_part(said, "\"max\", \"works\": false, \"message\": \"target max: max: its compiler was ended by signal 9");
    assert_string_equal(run_text(am_test_format("ls '%s' | grep anymodel-", folder)), "anymodel-max-compile\n");
    use_patient_compiler();
    expect_works(run_text(CHECK));
    expect_works(run_text(CHECK));
    expect_starts("1\n");
}

static void targets_max_program__a_full_disk_is_an_error_until_there_is_room(void **state)
{
    need_max();
    use_patient_compiler();
    signal(SIGXFSZ, SIG_IGN); /* writes beyond the limit fail then */
    expect_answer_of_the_cpu(NO_ROOM, "File too large");
    const char *said = run_text(NO_ROOM CHECK);
    expect_part(said, "\"max\", \"works\": false, \"message\": \"target max: max: its compiler failed");
    expect_works(run_text(CHECK));
    expect_starts("2\n");
}

static void targets_max_program__two_at_once_compile_once(void **state)
{
    need_max();
    use_patient_compiler();
    run_text(am_test_format(CHECK " > '%s/first' & " CHECK " > '%s/second'; wait", folder, folder));
    expect_works(run_text(am_test_format("cat '%s/first'", folder)));
    expect_works(run_text(am_test_format("cat '%s/second'", folder)));
    expect_starts("1\n");
}

static void targets_max_program__a_damaged_entry_is_compiled_again(void **state)
{
    static const char *const damages[] = {"printf X | dd of=\"$entry\" bs=1 seek=5000 conv=notrunc",
                                          "printf X | dd of=\"$entry\" bs=1 seek=50 conv=notrunc",
                                          "truncate -s 3000 \"$entry\"", "truncate -s 0 \"$entry\""};
    need_max();
    use_patient_compiler();
    expect_works(run_text(CHECK));
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        run_text(am_test_format("entry=$(ls '%s'/cache/max/* | grep -v lock); %s", folder, damages[i]));
        const char *said = run_text(CHECK);
        expect_works(said);
        expect_part(said, "is compiled again");
    }
    expect_starts("5\n");
}

/* --- models --- */

/* The same answer as on the cpu, and nothing on stderr; on the cpu of what max cannot do. */
static void expect_same_answer(const char *arguments)
{
    static char line[2048], answer[1 << 14];
    snprintf(line, sizeof line, "%s", arguments);
    snprintf(answer, sizeof answer, "%s",
             run_text(am_test_format("cd '%s' && \"$P\" %s --target cpu", am_test_source_path(""), line)));
    assert_true(strlen(answer) > 0);
    setenv("USE_MOJO_MAX_TARGET", "1", 1);
    assert_string_equal(run_text(am_test_format("cd '%s' && \"$P\" %s", am_test_source_path(""), line)), answer);
}

static void targets_max_program__example_models_answer_as_on_the_cpu(void **state)
{
    need_max();
    setenv("ANYMODEL_LIBEXEC", libexec, 1);
    expect_same_answer("run examples/models/digits-vit examples/data/digits/photo-4.jpg");
    expect_same_answer("run examples/models/spoken-words-wav2vec2 examples/data/speech/stop-go-left-right.wav");
    const char *plan =
        run_text(am_test_format("cd '%s' && \"$P\" plan examples/models/digits-vit --json", am_test_source_path("")));
    expect_part(plan, "{\"piece\": 0, \"target\": \"max\"");
    expect_part(plan, "\"elsewhere\": []");
}

/* Two graphs: one reads 16 tokens of a prompt, one a single token, whatever the lengths of prompt and text. */
static void targets_max_program__a_text_is_the_same_token_by_token(void **state)
{
    need_max();
    use_patient_compiler();
    expect_same_answer(
        "generate examples/models/tiny-llama-text --prompt 'It is a truth universally acknowledged, that a "
        "single man in possession' --max-new-tokens 30 --temperature 0.3 --seed 2 --stream");
    expect_same_answer("generate examples/models/tiny-llama-text --prompt 'She was' --max-new-tokens 12 --seed 1");
    expect_starts("2\n");
}
