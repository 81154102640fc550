/* What the conformance run of single ops does not see: whole graphs on OpenVINO, and its known faults. */
#include "test_support.h"

#include "graph/ops.h"
#include "targets/cpu/program.h"
#include "targets/openvino/library.h"
#include "targets/program.h"

#include <math.h>
#include <stdlib.h>

static void need_openvino(void)
{
    am_target_report report = {0};
    am_openvino_find(&report);
    if (report.present) return;
    print_message("openvino is not available: %s\n", report.reason.text);
    skip();
}

static am_program *create(const am_graph *graph)
{
    am_program *program;
    am_target_choice choice;
    am_test_expect_ok(am_target_choose("openvino", "require", &choice));
    am_test_expect_ok(am_program_create(graph, &choice, NULL, &program));
    return program;
}

/* What OpenVINO 2026.4 gets wrong when the reduction drops its axis itself: the constant's element is taken by row. */
static void targets_openvino__a_constant_beside_a_reduction_is_its_own(void **state)
{
    am_builder *b;
    am_graph *graph;
    int32_t x[2 * 3 * 3];
    need_openvino();
    am_test_expect_ok(am_builder_create(&b));
    am_value in = am_graph_input(b, "x", AM_I32, am_shape_of(2, 3, 3));
    am_value least = am_reduce(b, AM_REDUCE_MIN, in, am_shape_of(2), false);
    am_output(b, "y", am_sub(b, am_iota(b, AM_I32, am_shape_of(1, 3), 1, 0, 1), least));
    am_test_expect_ok(am_builder_finish(b, &graph));
    am_builder_destroy(b);
    for (int i = 0; i < 18; i++) x[i] = i / 3 % 3 + (i % 3 == 1 ? 0 : 5);
    am_program *program = create(graph);
    am_test_expect_ok(am_program_run(program, &(am_tensor){AM_I32, am_shape_of(2, 3, 3), x}, NULL));
    for (int i = 0; i < 6; i++) assert_int_equal(((const int32_t *)am_program_output(program, 0).data)[i], 0);
    am_program_destroy(program);
    am_graph_destroy(graph);
}

/* A cache of 4 places, written at an offset; the second run sees what the first one wrote. */
static void targets_openvino__states_live_from_run_to_run(void **state)
{
    am_builder *b;
    am_graph *graph;
    float cache[8] = {0}, row[2] = {1, 2};
    int32_t at = 1;
    need_openvino();
    am_test_expect_ok(am_builder_create(&b));
    am_value kept = am_graph_state_input(b, "cache", AM_F32, am_shape_of(4, 2)),
             x = am_graph_input(b, "x", AM_F32, am_shape_of(1, 2)), i = am_graph_input(b, "i", AM_I32, am_shape_of(1));
    am_value updated = am_scatter(b, kept, i, x, &(am_scatter_attributes){.axis = 0});
    am_state_update(b, kept, updated);
    am_output(b, "sum", am_reduce(b, AM_REDUCE_SUM, updated, am_shape_of(0, 1), false));
    am_test_expect_ok(am_builder_finish(b, &graph));
    am_builder_destroy(b);
    am_program *program = create(graph);
    const am_tensor inputs[] = {{AM_F32, am_shape_of(1, 2), row}, {AM_I32, am_shape_of(1), &at}};
    am_test_expect_ok(am_program_run(program, inputs, (void *[]){cache}));
    assert_true(*(const float *)am_program_output(program, 0).data == 3);
    at = 3;
    am_test_expect_ok(am_program_run(program, inputs, (void *[]){cache}));
    assert_true(*(const float *)am_program_output(program, 0).data == 6);
    assert_true(cache[2] == 1 && cache[7] == 2 && cache[0] == 0);
    at = 4;
    am_test_expect_error(am_program_run(program, inputs, (void *[]){cache}), AM_OUT_OF_RANGE, "is not in [0, 4)");
    am_program_destroy(program);
    am_graph_destroy(graph);
}

static void targets_openvino__an_unknown_device_is_an_error_or_the_cpu(void **state)
{
    am_builder *b;
    am_graph *graph;
    am_program *program = NULL;
    am_target_choice choice;
    need_openvino();
    am_test_expect_ok(am_builder_create(&b));
    am_output(b, "y", am_unary(b, AM_EXP, am_graph_input(b, "x", AM_F32, am_shape_of(2))));
    am_test_expect_ok(am_builder_finish(b, &graph));
    am_builder_destroy(b);
    am_test_expect_ok(am_target_choose("openvino:TPU", "require", &choice));
    am_test_expect_error(am_program_create(graph, &choice, NULL, &program), AM_INTERNAL, "TPU");
    am_test_expect_ok(am_target_choose("openvino:TPU", "prefer", &choice));
    am_test_expect_ok(am_program_create(graph, &choice, NULL, &program));
    assert_string_equal(am_program_piece_target(program, 0)->name, "cpu");
    am_program_destroy(program);
    am_graph_destroy(graph);
}
