/* The policy auto: what it decides, keeps and believes, with targets made for it. Times are told, not measured. */
#include "test_support.h"

#include "base/clock.h"
#include "base/warning.h"
#include "graph/ops.h"
#include "targets/calibration.h"
#include "targets/cpu/cpu.h"
#include "targets/cpu/program.h"
#include "targets/kept.h"
#include "targets/measurement.h"
#include "targets/tier.h"

#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- targets that compute by the cpu, and behave as they are told --- */

static struct {
    const char *version;
    bool takes_products; /* the ops of the calibration too */
    bool fails_to_compile, fails_to_run, waits_for_cancel;
    int compile_ms, run_ms;
    atomic_int created;
} fake;

static void probe(am_target_report *out)
{
    out->present = true;
    snprintf(out->version, sizeof out->version, "%s", fake.version);
}

static bool supports(const am_graph *graph, const am_node *node, am_reason *why)
{
    bool is_product = node->op == AM_OP_LINEAR || node->op == AM_OP_BINARY;
    return node->op == AM_OP_UNARY || (is_product && fake.takes_products) || am_reason_no(why, "not taken");
}

static void sleep_ms(int ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

static am_status create(const am_graph *graph, const am_target_options *options, void **out)
{
    am_cpu_program *program = NULL;
    *out = NULL;
    atomic_fetch_add(&fake.created, 1);
    while (fake.waits_for_cancel && !atomic_load(options->cancelled)) sleep_ms(1);
    if (fake.waits_for_cancel) return am_error(AM_INTERNAL, "cancelled on purpose");
    sleep_ms(fake.compile_ms);
    if (fake.fails_to_compile) return am_error(AM_INTERNAL, "compiling failed\non purpose");
    am_status status = am_cpu_program_create(graph, NULL, &program);
    *out = program;
    return status;
}

static am_status run(void *program, const am_tensor *inputs, void *const *states)
{
    if (fake.fails_to_run) return am_error(AM_INTERNAL, "running failed on purpose");
    sleep_ms(fake.run_ms);
    return am_cpu_target_run(program, inputs, states);
}

#define FAKE_TARGET(id)                                                                                                \
    {                                                                                                                  \
        .name = id, .summary = "made for a test", .probe = probe, .supports = supports, .create = create,              \
        .destroy = am_cpu_target_destroy, .run = run, .output = am_cpu_target_output, .bytes = am_cpu_target_bytes     \
    }

static const am_target one = FAKE_TARGET("one"), two = FAKE_TARGET("two");
static const am_target_choice only_one = {.picks = {{.target = &one}}, .count = 1, .policy = AM_TARGET_AUTO};
static const am_target_choice both = {.picks = {{.target = &one}, {.target = &two}}, .count = 2};
static const am_target_options no_options;

/* --- a graph, a cache, warnings --- */

static const float X[4] = {0, 1, -1, 2};
static am_graph *graph;
static const char *folder; /* of what auto keeps */
static int warnings;
static char last_warning[512];

static void on_warning(void *context, const char *message)
{
    warnings++;
    snprintf(last_warning, sizeof last_warning, "%s", message);
}

static void begin(void)
{
    static char path[4096];
    am_builder *b;
    memset(&fake, 0, sizeof fake);
    fake.version = "1";
    warnings = 0;
    am_warning_set_handler(on_warning, NULL, NULL);
    setenv("ANYMODEL_CACHE", am_test_temporary_directory(), 1);
    snprintf(path, sizeof path, "%s/auto", getenv("ANYMODEL_CACHE"));
    folder = path;
    am_test_expect_ok(am_builder_create(&b));
    am_output(b, "y", am_unary(b, AM_NEG, am_graph_input(b, "x", AM_F32, am_shape_of(4))));
    am_test_expect_ok(am_builder_finish(b, &graph));
    am_builder_destroy(b);
}

static void end(void)
{
    am_graph_destroy(graph);
    am_warning_set_handler(NULL, NULL, NULL);
}

/* Path of a kept file; "" when there is none. */
static const char *kept_file(const char *part)
{
    DIR *d = opendir(folder);
    const char *found = "";
    for (struct dirent *entry; d && (entry = readdir(d));)
        if (strstr(entry->d_name, part)) found = am_test_format("%s/%s", folder, entry->d_name);
    if (d) closedir(d);
    return found;
}

/* --- a process: a tier that runs are told to --- */

static am_tier *open_tier(const am_target_choice *choice)
{
    am_tier *tier;
    am_test_expect_ok(am_tier_create(graph, choice, &no_options, &tier));
    return tier;
}

static void wait_for_compiler(am_tier *tier)
{
    double begun = am_clock_seconds();
    while (strstr(am_tier_state(tier), ", compiling for ") && am_clock_seconds() < begun + 20) {
        sleep_ms(1);
        (void)am_tier_next(tier);
    }
    assert_null(strstr(am_tier_state(tier), ", compiling for "));
}

/* Which target a run would be on; as the state says it. */
static bool is_on(am_tier *tier, const char *name)
{
    size_t length = strlen(name);
    const char *state = am_tier_state(tier);
    return strncmp(state, "on ", 3) == 0 && strncmp(state + 3, name, length) == 0 &&
           (state[3 + length] == 0 || state[3 + length] == ' ' || state[3 + length] == ',');
}

/* Runs often enough that everything is decided: a run takes as long as is told of where it is. */
static void decide(am_tier *tier, double cpu_ms, double one_ms, double two_ms)
{
    for (int i = 0; i < 100; i++) {
        wait_for_compiler(tier);
        am_program *program = am_tier_next(tier);
        const char *name = program ? am_program_piece_target(program, 0)->name : "cpu";
        am_tier_ran(tier, strcmp(name, "one") == 0 ? one_ms : strcmp(name, "two") == 0 ? two_ms : cpu_ms);
    }
    wait_for_compiler(tier);
    assert_null(strstr(am_tier_state(tier), "trying"));
}

/* A first process that decides. */
static void decide_once(double cpu_ms, double one_ms)
{
    am_tier *tier = open_tier(&only_one);
    decide(tier, cpu_ms, one_ms, 0);
    am_tier_destroy(tier);
}

/* --- tests: deciding, and the next process --- */

static void targets_auto__nothing_is_compiled_for_a_short_run(void **state)
{
    begin();
    am_tier *tier = open_tier(&only_one);
    for (int i = 0; i < 7; i++) {
        assert_null(am_tier_next(tier));
        am_tier_ran(tier, 500);
    }
    assert_string_equal(am_tier_state(tier), "on the cpu");
    am_tier_destroy(tier);
    assert_int_equal(fake.created, 0);
    assert_string_equal(kept_file("-one"), "");
    end();
}

static void targets_auto__a_faster_target_stays_and_the_next_process_begins_there(void **state)
{
    begin();
    am_tier *tier = open_tier(&only_one);
    decide(tier, 200, 50, 0);
    assert_string_equal(am_tier_state(tier), "on one (one 50 ms, cpu 200 ms, least of 6)");
    am_tier_destroy(tier);
    tier = open_tier(&only_one);
    assert_string_equal(am_tier_state(tier), "on one (one 50 ms, cpu 200 ms, least of 6, measured before)");
    assert_non_null(am_tier_next(tier));
    am_tier_destroy(tier);
    assert_int_equal(warnings, 0);
    end();
}

static void targets_auto__a_slower_target_is_tried_once_for_all_processes(void **state)
{
    begin();
    decide_once(200, 195); /* not clearly faster */
    assert_int_equal(fake.created, 1);
    am_tier *tier = open_tier(&only_one);
    decide(tier, 200, 1, 0);
    assert_int_equal(fake.created, 1);
    assert_string_equal(am_tier_state(tier), "on the cpu (one 195 ms, cpu 200 ms, least of 6, measured before)");
    am_tier_destroy(tier);
    end();
}

static void targets_auto__the_fastest_of_two_stays(void **state)
{
    begin();
    am_tier *tier = open_tier(&both);
    decide(tier, 200, 100, 50);
    assert_true(is_on(tier, "two"));
    am_tier_destroy(tier);
    tier = open_tier(&both);
    assert_true(is_on(tier, "two"));
    assert_int_equal(fake.created, 3);
    am_tier_destroy(tier);
    end();
    begin();
    tier = open_tier(&both);
    decide(tier, 200, 50, 100);
    assert_true(is_on(tier, "one"));
    am_tier_destroy(tier);
    end();
}

static void targets_auto__a_target_that_fails_to_compile_is_told_once(void **state)
{
    begin();
    fake.fails_to_compile = true;
    decide_once(200, 50);
    assert_int_equal(warnings, 1);
    assert_non_null(strstr(last_warning, "target one failed and is given up"));
    fake.fails_to_compile = false;
    am_tier *tier = open_tier(&only_one);
    decide(tier, 200, 50, 0);
    assert_int_equal(fake.created, 1);
    assert_int_equal(warnings, 1);
    assert_true(is_on(tier, "the cpu"));
    assert_non_null(strstr(am_tier_state(tier), "one given up before: target one: compiling failed on purpose"));
    am_tier_destroy(tier);
    end();
}

static void targets_auto__a_failure_is_believed_for_a_day(void **state)
{
    am_buffer context = {0};
    char name[AM_KEPT_NAME];
    begin();
    am_kept_name(am_test_format("%016llx", (unsigned long long)am_graph_hash(graph)), &only_one.picks[0], name);
    am_test_expect_ok(am_kept_context(&only_one.picks[0], &no_options, &context));
    for (int age_h = 23; age_h <= 25; age_h += 2) {
        long long at = (long long)time(NULL) - age_h * 3600;
        am_kept_store(name, am_buffer_text(&context), am_test_format("failed at %lld of old\n", at));
        am_measurement found = am_measurement_load(am_graph_hash(graph), &only_one.picks[0], &no_options);
        assert_int_equal(found.what, age_h < 24 ? AM_MEASURED_FAILED : AM_MEASURED_NOTHING);
    }
    am_buffer_deinit(&context);
    end();
}

static void targets_auto__a_graph_that_is_declined_is_no_warning(void **state)
{
    am_builder *b;
    begin();
    am_graph_destroy(graph);
    am_test_expect_ok(am_builder_create(&b));
    am_output(b, "y", am_softmax(b, am_graph_input(b, "x", AM_F32, am_shape_of(4)), -1));
    am_test_expect_ok(am_builder_finish(b, &graph));
    am_builder_destroy(b);
    decide_once(200, 50);
    am_tier *tier = open_tier(&only_one);
    assert_non_null(strstr(am_tier_state(tier), "one given up before: "));
    assert_non_null(strstr(am_tier_state(tier), "does not run on one: not taken"));
    am_tier_destroy(tier);
    assert_int_equal(warnings, 0);
    end();
}

/* --- tests: what is not believed --- */

static void targets_auto__another_version_is_measured_again(void **state)
{
    begin();
    decide_once(200, 300);
    fake.version = "2";
    am_tier *tier = open_tier(&only_one);
    assert_string_equal(am_tier_state(tier), "on the cpu");
    decide(tier, 200, 50, 0);
    assert_true(is_on(tier, "one"));
    am_tier_destroy(tier);
    end();
}

static void targets_auto__a_damaged_file_is_as_none(void **state)
{
    size_t length;
    begin();
    decide_once(200, 300);
    const char *path = kept_file("-one");
    char *bytes = am_test_read_file(path, &length);
    for (size_t i = 0; i < length; i++) {
        bytes[i] ^= 4;
        am_test_write_file(path, bytes, length);
        assert_int_equal(am_measurement_load(am_graph_hash(graph), &only_one.picks[0], &no_options).what,
                         AM_MEASURED_NOTHING);
        bytes[i] ^= 4;
        am_test_write_file(path, bytes, i);
        assert_int_equal(am_measurement_load(am_graph_hash(graph), &only_one.picks[0], &no_options).what,
                         AM_MEASURED_NOTHING);
    }
    am_test_write_file(path, bytes, length);
    assert_int_equal(am_measurement_load(am_graph_hash(graph), &only_one.picks[0], &no_options).what,
                     AM_MEASURED_TIMES);
    free(bytes);
    end();
}

static void targets_auto__a_target_that_became_slower_is_left(void **state)
{
    begin();
    decide_once(200, 50);
    am_tier *tier = open_tier(&only_one);
    assert_true(is_on(tier, "one"));
    decide(tier, 200, 250, 0);
    assert_string_equal(am_tier_state(tier), "on the cpu (one 250 ms, cpu 200 ms, least of 6)");
    am_tier_destroy(tier);
    tier = open_tier(&only_one);
    assert_true(is_on(tier, "the cpu"));
    am_tier_destroy(tier);
    end();
}

static void targets_auto__without_a_cache_folder_everything_is_measured(void **state)
{
    begin();
    setenv("ANYMODEL_CACHE", "/dev/null/cache", 1);
    decide_once(200, 50);
    am_tier *tier = open_tier(&only_one);
    assert_string_equal(am_tier_state(tier), "on the cpu");
    am_tier_destroy(tier);
    assert_int_equal(warnings, 0);
    end();
}

/* --- tests: time --- */

/* What was compiled is not in the cache any more: it is waited for no longer than an answer by the cpu takes. */
static void targets_auto__an_answer_is_never_waited_for(void **state)
{
    begin();
    decide_once(200, 50);
    fake.compile_ms = 600;
    double begun = am_clock_seconds();
    am_tier *tier = open_tier(&only_one);
    assert_true(am_clock_seconds() - begun < 0.5); /* 150 ms, on a machine that may be busy */
    assert_null(am_tier_next(tier));
    assert_non_null(strstr(am_tier_state(tier), "on the cpu, compiling for one"));
    wait_for_compiler(tier);
    assert_true(is_on(tier, "one"));
    am_tier_destroy(tier);
    end();
}

/* Loading that takes longer than it saves on one run begins when the cpu has spent as long. */
static void targets_auto__slow_loading_is_beside(void **state)
{
    begin();
    am_measurement_store(
        am_graph_hash(graph), &only_one.picks[0], &no_options,
        &(am_measurement){AM_MEASURED_TIMES, .cpu_ms = 30, .target_ms = 10, .create_ms = 100, .runs = 6});
    am_tier *tier = open_tier(&only_one);
    for (int i = 0; i < 4; i++) {
        assert_null(am_tier_next(tier));
        assert_int_equal(fake.created, 0);
        am_tier_ran(tier, 30);
    }
    (void)am_tier_next(tier);
    wait_for_compiler(tier);
    assert_true(is_on(tier, "one"));
    am_tier_destroy(tier);
    am_measurement kept = am_measurement_load(am_graph_hash(graph), &only_one.picks[0], &no_options);
    assert_true(kept.create_ms < 100); /* what it takes now */
    end();
}

static void targets_auto__compiling_is_cancelled_with_the_process(void **state)
{
    begin();
    fake.waits_for_cancel = true;
    am_tier *tier = open_tier(&only_one);
    for (int i = 0; i < 20; i++) {
        assert_null(am_tier_next(tier));
        am_tier_ran(tier, 200);
    }
    assert_non_null(strstr(am_tier_state(tier), "compiling for one"));
    double begun = am_clock_seconds();
    am_tier_destroy(tier);
    assert_true(am_clock_seconds() - begun < 5);
    assert_string_equal(kept_file("-one"), "");
    assert_int_equal(warnings, 0);
    end();
}

/* --- tests: estimates --- */

static void targets_auto__a_hopeless_target_is_not_tried(void **state)
{
    am_calibration calibration;
    begin();
    fake.takes_products = true;
    fake.run_ms = 40;
    decide_once(200, 50);
    assert_int_equal(fake.created, AM_CALIBRATION_POINTS);
    assert_true(am_calibration_load(&only_one.picks[0], &no_options, &calibration));
    for (int i = 0; i < AM_CALIBRATION_POINTS; i++) assert_true(calibration.points[i].other_ms >= 40);
    am_tier *tier = open_tier(&only_one);
    decide(tier, 200, 50, 0);
    assert_int_equal(fake.created, AM_CALIBRATION_POINTS); /* measured once */
    assert_true(is_on(tier, "the cpu"));
    assert_non_null(strstr(am_tier_state(tier), "one not tried: estimated at "));
    am_tier_destroy(tier);
    end();
}

/* A target of twice the cpu's latency, half its arithmetic and a tenth of its memory. */
static void targets_auto__estimates_follow_the_kind_of_work(void **state)
{
    const am_calibration c = {{{"small linear", 1e6, 1 + 0.01, 2 + 0.02},
                               {"large linear", 1e9, 1 + 10, 2 + 20},
                               {"small add", 1e5, 1 + 0.1, 2 + 1},
                               {"large add", 1e7, 1 + 10, 2 + 100}}};
    double latency = am_calibration_ratio(&c, &(am_graph_work){0}),
           products = am_calibration_ratio(&c, &(am_graph_work){.flops = 1e12}),
           memory = am_calibration_ratio(&c, &(am_graph_work){.moved_bytes = 1e10});
    assert_true(latency > 1.99 && latency < 2.01);
    assert_true(products > 1.99 && products < 2.01);
    assert_true(memory > 9.9 && memory < 10.1);
}

/* --- tests: whole programs --- */

static void expect_right(am_program *program)
{
    float x[4];
    memcpy(x, X, sizeof x);
    am_test_expect_ok(am_program_run(program, &(am_tensor){AM_F32, am_shape_of(4), x}, NULL));
    for (int i = 0; i < 4; i++) assert_true(((const float *)am_program_output(program, 0).data)[i] == -X[i]);
}

static void targets_auto__a_target_that_fails_to_run_leaves_the_answer_right(void **state)
{
    am_program *program;
    begin();
    decide_once(2000, 50);
    am_test_expect_ok(am_program_create(graph, &only_one, NULL, &program));
    assert_non_null(strstr(am_program_state(program), "on one ("));
    expect_right(program);
    fake.fails_to_run = true;
    expect_right(program);
    expect_right(program);
    assert_int_equal(warnings, 1);
    assert_non_null(strstr(last_warning, "target one failed and is given up"));
    assert_non_null(strstr(last_warning, "running failed on purpose"));
    am_program_destroy(program);
    am_test_expect_ok(am_program_create(graph, &only_one, NULL, &program));
    assert_non_null(strstr(am_program_state(program), "on the cpu (one given up before: "));
    expect_right(program);
    am_program_destroy(program);
    assert_int_equal(warnings, 1);
    end();
}

static void targets_auto__a_trial_that_fails_leaves_the_answer_right(void **state)
{
    am_program *program;
    begin();
    am_tier *tier = open_tier(&only_one);
    for (int i = 0; i < 8; i++) {
        (void)am_tier_next(tier);
        am_tier_ran(tier, 200);
    }
    (void)am_tier_next(tier);
    wait_for_compiler(tier);
    program = am_tier_next(tier);
    assert_non_null(program);
    fake.fails_to_run = true;
    float x[4] = {0};
    am_status status = am_program_run(program, &(am_tensor){AM_F32, am_shape_of(4), x}, NULL);
    am_tier_failed(tier, status);
    am_status_free(status);
    assert_null(am_tier_next(tier));
    assert_int_equal(warnings, 1);
    am_tier_destroy(tier);
    end();
}
