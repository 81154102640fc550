/* Cutting graphs, and what happens when a target fails, with targets made for it. */
#include "test_support.h"

#include "base/warning.h"
#include "graph/ops.h"
#include "targets/cpu/program.h"
#include "targets/program.h"
#include "targets/template/template.c"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- a target that takes some ops and runs them by the cpu, or fails when told to --- */

static bool fail_create, fail_run;
static int created, ran;

static bool takes_pointwise(const am_graph *graph, const am_node *node, am_reason *why)
{
    bool yes = node->op == AM_OP_UNARY || node->op == AM_OP_BINARY || node->op == AM_OP_GATHER;
    return yes || am_reason_no(why, "only pointwise ops");
}

static am_status create_pointwise(const am_graph *graph, const am_target_options *options, void **out)
{
    am_cpu_program *program = NULL;
    *out = NULL;
    if (fail_create) return am_error(AM_INTERNAL, "compiling failed on purpose");
    created++;
    am_status status = am_cpu_program_create(graph, NULL, &program);
    *out = program;
    return status;
}

static void destroy_pointwise(void *program)
{
    am_cpu_program_destroy(program);
}

static am_status run_pointwise(void *program, const am_tensor *inputs, void *const *states)
{
    if (fail_run) return am_error(AM_INTERNAL, "running failed on purpose");
    ran++;
    return am_cpu_program_run(program, inputs, states);
}

static am_tensor output_pointwise(const void *program, int i)
{
    return am_cpu_program_output(program, i);
}

static size_t bytes_pointwise(const void *program)
{
    return am_cpu_program_bytes(program);
}

static const am_target pointwise = {.name = "pointwise",
                                    .summary = "unary and binary ops",
                                    .supports = takes_pointwise,
                                    .create = create_pointwise,
                                    .destroy = destroy_pointwise,
                                    .run = run_pointwise,
                                    .output = output_pointwise,
                                    .bytes = bytes_pointwise};

static am_target_choice choose(const am_target *target, am_target_policy policy)
{
    fail_create = fail_run = false;
    created = ran = 0;
    return (am_target_choice){.picks = {{.target = target}}, .count = 1, .policy = policy};
}

/* --- graphs --- */

static const float X[6] = {1, -2, 3, -4, 5, -6};

/* exp(x), sum, exp(x) - sum, and x + 1 kept in a state: on `pointwise` but for the sum. */
static am_graph *build(void)
{
    am_builder *b;
    am_graph *graph;
    am_test_expect_ok(am_builder_create(&b));
    am_value x = am_graph_input(b, "x", AM_F32, am_shape_of(2, 3)), e = am_unary(b, AM_EXP, x);
    am_value kept = am_graph_state_input(b, "kept", AM_F32, am_shape_of(2, 3));
    am_state_update(b, kept, am_add(b, kept, x));
    am_output(b, "y", am_sub(b, e, am_reduce_last(b, AM_REDUCE_SUM, e)));
    am_output(b, "x again", x);
    am_output(b, "kept before", am_mul_number(b, kept, 1));
    am_test_expect_ok(am_builder_finish(b, &graph));
    am_builder_destroy(b);
    return graph;
}

static void expect_right(const am_program *program, const float *kept, int runs)
{
    const float *y = am_program_output(program, 0).data, *again = am_program_output(program, 1).data,
                *before = am_program_output(program, 2).data;
    for (int i = 0; i < 6; i++) {
        double sum = 0;
        for (int k = 0; k < 3; k++) sum += exp((double)X[i / 3 * 3 + k]);
        assert_true(fabs((double)y[i] - (exp((double)X[i]) - sum)) < 1e-4);
        assert_true(again[i] == X[i]);
        assert_true(before[i] == (float)(runs - 1) * X[i]);
        assert_true(kept[i] == (float)runs * X[i]);
    }
}

static void run_twice(am_program *program)
{
    float kept[6] = {0};
    float x[6];
    memcpy(x, X, sizeof x);
    const am_tensor input = {AM_F32, am_shape_of(2, 3), x};
    for (int run = 1; run <= 2; run++) {
        am_test_expect_ok(am_program_run(program, &input, (void *[]){kept}));
        expect_right(program, kept, run);
    }
}

static am_program *make_program(const am_graph *graph, const am_target_choice *choice)
{
    am_program *program;
    am_test_expect_ok(am_program_create(graph, choice, NULL, &program));
    return program;
}

/* --- tests --- */

static void targets_plan__pieces_run_in_order_and_states_are_kept(void **state)
{
    am_graph *graph = build();
    am_target_choice choice = choose(&pointwise, AM_TARGET_PREFER);
    am_program *program = make_program(graph, &choice);
    const am_plan *plan = am_program_plan(program);
    int64_t nodes = 0, native = 0;
    am_program_count(program, &nodes, &native);
    assert_int_equal(plan->piece_count, 3); /* exp, kept + x, kept * 1; the sum; the difference */
    assert_int_equal(nodes - native, 1);
    assert_string_equal(am_program_piece_target(program, 1)->name, "cpu");
    run_twice(program);
    assert_int_equal(ran, 4);
    am_program_destroy(program);
    am_graph_destroy(graph);
}

static void targets_plan__every_node_elsewhere_has_a_reason(void **state)
{
    am_graph *graph = build();
    am_target_choice choice = choose(&pointwise, AM_TARGET_PREFER);
    am_program *program = make_program(graph, &choice);
    const am_plan *plan = am_program_plan(program);
    for (int i = 0; i < plan->cut->node_count; i++) {
        bool is_sum = plan->cut->nodes[i].op == AM_OP_REDUCE;
        assert_int_equal(is_sum, plan->reasons[i] != NULL);
        if (is_sum) assert_string_equal(plan->reasons[i], "only pointwise ops");
    }
    am_program_destroy(program);
    am_graph_destroy(graph);
}

static void targets_plan__require_names_the_node_and_the_reason(void **state)
{
    am_graph *graph = build();
    am_program *program = NULL;
    am_target_choice choice = choose(&pointwise, AM_TARGET_REQUIRE);
    am_test_expect_error(am_program_create(graph, &choice, NULL, &program), AM_UNSUPPORTED,
                         "(reduce) does not run on pointwise: only pointwise ops");
    assert_null(program);
    choice.picks[choice.count++] = (am_target_pick){.target = am_target_find("cpu", 3)}; /* asked for: no error */
    program = make_program(graph, &choice);
    run_twice(program);
    am_program_destroy(program);
    am_graph_destroy(graph);
}

static void targets_plan__the_template_gives_every_answer_by_the_cpu(void **state)
{
    am_graph *graph = build();
    am_target_choice choice = choose(&am_target_template, AM_TARGET_PREFER);
    am_target_report report = {0};
    am_target_template.probe(&report);
    am_program *program = make_program(graph, &choice);
    int64_t nodes = 0, native = 0;
    am_program_count(program, &nodes, &native);
    assert_int_equal(native, 0);
    run_twice(program);
    am_program_destroy(program);
    am_graph_destroy(graph);
}

/* --- failures --- */

static int warnings;
static char last_warning[512];

static void on_warning(void *context, const char *message)
{
    warnings++;
    snprintf(last_warning, sizeof last_warning, "%s", message);
}

static void targets_plan__a_piece_that_does_not_compile_goes_to_the_cpu(void **state)
{
    am_graph *graph = build();
    am_target_choice choice = choose(&pointwise, AM_TARGET_PREFER);
    warnings = 0;
    am_warning_set_handler(on_warning, NULL, NULL);
    fail_create = true;
    am_program *program = make_program(graph, &choice);
    run_twice(program);
    assert_int_equal(warnings, 1); /* two pieces failed alike: said once */
    assert_non_null(strstr(last_warning, "target pointwise failed"));
    assert_non_null(strstr(last_warning, "compiling failed on purpose"));
    am_program_destroy(program);
    am_warning_set_handler(NULL, NULL, NULL);
    am_graph_destroy(graph);
}

static void targets_plan__a_piece_that_fails_to_run_goes_to_the_cpu(void **state)
{
    am_graph *graph = build();
    am_target_choice choice = choose(&pointwise, AM_TARGET_PREFER);
    warnings = 0;
    am_warning_set_handler(on_warning, NULL, NULL);
    am_program *program = make_program(graph, &choice);
    fail_run = true;
    run_twice(program);
    assert_int_equal(warnings, 1);
    assert_non_null(strstr(last_warning, "running failed on purpose"));
    assert_string_equal(am_program_piece_target(program, 0)->name, "cpu");
    am_program_destroy(program);
    am_warning_set_handler(NULL, NULL, NULL);
    am_graph_destroy(graph);
}

static void targets_plan__require_passes_failures_on(void **state)
{
    am_graph *graph = build();
    am_program *program = NULL;
    am_target_choice choice = choose(&pointwise, AM_TARGET_REQUIRE);
    choice.picks[choice.count++] = (am_target_pick){.target = am_target_find("cpu", 3)};
    fail_create = true;
    am_test_expect_error(am_program_create(graph, &choice, NULL, &program), AM_INTERNAL,
                         "target pointwise: compiling failed on purpose");
    am_graph_destroy(graph);
}

/* --- indices --- */

static am_graph *build_gather(bool computed)
{
    am_builder *b;
    am_graph *graph;
    am_test_expect_ok(am_builder_create(&b));
    am_value table = am_graph_input(b, "table", AM_F32, am_shape_of(4)),
             i = am_graph_input(b, "i", AM_I32, am_shape_of(2));
    if (computed) i = am_add(b, i, i);
    am_output(b, "y", am_gather(b, table, i, 0, false));
    am_test_expect_ok(am_builder_finish(b, &graph));
    am_builder_destroy(b);
    return graph;
}

static void targets_plan__indices_are_checked_for_targets_that_do_not(void **state)
{
    float table[4] = {1, 2, 3, 4};
    for (int computed = 0; computed < 2; computed++) {
        int32_t indices[2] = {1, 0};
        am_graph *graph = build_gather(computed);
        am_target_choice choice = choose(&pointwise, AM_TARGET_PREFER);
        am_program *program = make_program(graph, &choice);
        const am_tensor inputs[] = {{AM_F32, am_shape_of(4), table}, {AM_I32, am_shape_of(2), indices}};
        assert_int_equal(am_program_plan(program)->pieces[0].guard_count, 1);
        assert_int_equal(am_program_plan(program)->pieces[0].guards[0].is_output, computed);
        am_test_expect_ok(am_program_run(program, inputs, NULL));
        assert_true(((const float *)am_program_output(program, 0).data)[0] == (computed ? 3 : 2));
        indices[1] = 4;
        am_test_expect_error(am_program_run(program, inputs, NULL), AM_OUT_OF_RANGE,
                             computed ? "" : "is not in [0, 4)"); /* or the kernel itself says so */
        am_program_destroy(program);
        am_graph_destroy(graph);
    }
}

/* --- auto --- */

/* The cpu's own program again is not clearly faster: it is tried, and given up. */
static void targets_plan__auto_stays_where_it_is_fastest(void **state)
{
    am_graph *graph = build();
    am_target_choice choice = choose(am_target_find("cpu", 3), AM_TARGET_AUTO);
    am_program *program = make_program(graph, &choice);
    assert_string_equal(am_program_state(program), "on the cpu");
    run_twice(program);
    am_program_destroy(program);
    am_graph_destroy(graph);
}
