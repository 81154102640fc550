/* Targets that are asked for on a machine that has nothing of them: the answers of the cpu, and one line that says so.
   Folders where libraries are looked for are empty ones. */
#include "cli_support.h"

/* `arguments` under USE_MOJO_MAX_TARGET=1 where nothing of Modular's can be found. */
static am_test_result run_without(const char *arguments)
{
    const char *folder = am_test_temporary_directory();
    return run_shell(
        am_test_format("cd '%s'; unset VIRTUAL_ENV CONDA_PREFIX MODULAR_HOME MODULAR_MOJO_MAX_PACKAGE_ROOT "
                       "ANYMODEL_TARGET ANYMODEL_TARGET_POLICY; export HOME='%s' ANYMODEL_SDKS=/nonexistent "
                       "PATH=/nonexistent USE_MOJO_MAX_TARGET=1; \"$P\" %s",
                       folder, folder, arguments));
}

static void expect_one_line(const char *text)
{
    const char *end = strchr(text, '\n');
    if (end && !end[1]) return;
    print_error("not one line: \"%s\"\n", text);
    fail();
}

static void expect_same_answer(const char *arguments)
{
    kept_text kept = keep(arguments);
    am_test_result without = run_without(kept.text);
    am_test_result cpu = run_shell(am_test_format("\"$P\" %s --target cpu", kept.text));
    expect_code(&without, AM_OK);
    expect_code(&cpu, AM_OK);
    assert_true(strlen(cpu.out) > 0);
    assert_string_equal(cpu.err, "");
    assert_string_equal(without.out, cpu.out);
    expect_one_line(without.err);
    expect_part(without.err, "USE_MOJO_MAX_TARGET asks for one of max,mojo, and none is available");
    expect_part(without.err, "pip install modular==");
    am_test_result_free(&without);
    am_test_result_free(&cpu);
}

static void targets_absent__the_cpu_answers_and_one_line_says_so(void **state)
{
    kept_text llama = keep(model_path("tiny-llama-text"));
    expect_same_answer(am_test_format("run '%s' '%s'", model_path("digits-vit"), digit_path()));
    expect_same_answer(am_test_format("run '%s' '%s'", model_path("spoken-words-wav2vec2"),
                                      am_test_source_path("examples/data/speech/stop-go-left-right.wav")));
    expect_same_answer(am_test_format("generate '%s' --prompt 'It is a truth universally acknowledged, that' "
                                      "--max-new-tokens 30 --temperature 0.3 --seed 2 --stream",
                                      llama.text));
    expect_same_answer(am_test_format("embed '%s' '%s/config.json'", llama.text, llama.text));
}

static void targets_absent__the_plan_says_cpu(void **state)
{
    am_test_result plan = run_without(am_test_format("plan '%s' --json", model_path("digits-vit")));
    expect_code(&plan, AM_OK);
    expect_one_line(plan.err);
    expect_part(plan.out, "{\"piece\": 0, \"target\": \"cpu\"");
    assert_null(strstr(plan.out, "\"target\": \"max\""));
    am_test_result_free(&plan);
}

static void targets_absent__require_says_what_to_install(void **state)
{
    const char *run = am_test_format("run '%s' '%s' --target-policy require", model_path("digits-vit"), digit_path());
    am_test_result result = run_without(run);
    expect_one_line(result.err);
    assert_string_equal(result.out, "");
    expect_part(result.err, "pip install modular==26.7.0");
    expect_part(result.err, "make sdks");
    expect_failure(result, AM_UNAVAILABLE, "USE_MOJO_MAX_TARGET asks for one of max,mojo, and none is available");
    result = run_without(
        am_test_format("run '%s' '%s' --target max --target-policy require", model_path("digits-vit"), digit_path()));
    expect_one_line(result.err);
    expect_failure(result, AM_UNAVAILABLE, "target max is not available: ");
}
