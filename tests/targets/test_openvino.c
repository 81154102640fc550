/* What the conformance run of single ops does not see: whole graphs on OpenVINO, and its known faults. */
#include "test_support.h"

#include "graph/ops.h"
#include "targets/cpu/program.h"
#include "targets/openvino/compiled.h"
#include "targets/openvino/library.h"
#include "targets/program.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* Two caches; where the second is written depends on what the first holds then, so that the first is written before
   that is known to be wrong. */
static void targets_openvino__a_run_that_fails_leaves_states(void **state)
{
    am_builder *b;
    am_graph *graph;
    float first[4] = {0, 0, 0, 7}, second[4] = {5, 6, 7, 8}, x = 1;
    int32_t at = 0;
    need_openvino();
    am_test_expect_ok(am_builder_create(&b));
    am_value one = am_graph_state_input(b, "one", AM_F32, am_shape_of(4, 1)),
             two = am_graph_state_input(b, "two", AM_F32, am_shape_of(4, 1)),
             row = am_graph_input(b, "x", AM_F32, am_shape_of(1, 1)),
             i = am_graph_input(b, "i", AM_I32, am_shape_of(1));
    am_value updated = am_scatter(b, one, i, row, &(am_scatter_attributes){.axis = 0});
    am_value sum = am_reduce(b, AM_REDUCE_SUM, updated, am_shape_of(0, 1), false);
    am_value place = am_reshape(b, am_cast(b, sum, AM_I32), am_shape_of(1));
    am_state_update(b, one, updated);
    am_state_update(b, two, am_scatter(b, two, place, row, &(am_scatter_attributes){.axis = 0}));
    am_output(b, "sum", sum);
    am_test_expect_ok(am_builder_finish(b, &graph));
    am_builder_destroy(b);
    am_program *program = create(graph);
    const am_tensor inputs[] = {{AM_F32, am_shape_of(1, 1), &x}, {AM_I32, am_shape_of(1), &at}};
    am_test_expect_error(am_program_run(program, inputs, (void *[]){first, second}), AM_OUT_OF_RANGE,
                         "index 8 at place 0 is not in [0, 4)");
    assert_true(first[0] == 0 && first[3] == 7 && second[0] == 5 && second[3] == 8);
    at = 3;
    am_test_expect_ok(am_program_run(program, inputs, (void *[]){first, second}));
    assert_true(first[3] == 1 && second[1] == 1 && second[0] == 5);
    am_program_destroy(program);
    am_graph_destroy(graph);
}

/* --- graphs that differ in sizes --- */

enum { WIDTH = 8, HEADS = 2, LONGEST = 40, PLACES = 48 };

static float weight[WIDTH * WIDTH], table[LONGEST * WIDTH];

static float next_real(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (float)(*seed >> 8) / (float)(1 << 23) - 1;
}

static void fill(float *x, int count, uint32_t *seed)
{
    for (int i = 0; i < count; i++) x[i] = next_real(seed);
}

/* Everything that sizes enter: positions (a constant of the length), reshapes, a cache that is written and read, masks
   by position, the last row alone. */
static am_graph *build_text(int64_t B, int64_t T, am_unary_fn fn, const float *rows)
{
    am_builder *b;
    am_graph *graph;
    am_shape heads = am_shape_of(B, T, HEADS, WIDTH / HEADS);
    am_test_expect_ok(am_builder_create(&b));
    am_value ids = am_graph_input(b, "ids", AM_I32, am_shape_of(B, T)),
             offset = am_graph_input(b, "offset", AM_I32, (am_shape){0}),
             w = am_constant_lent(b, "w", AM_F32, am_shape_of(WIDTH, WIDTH), rows),
             words = am_constant_lent(b, "words", AM_F32, am_shape_of(LONGEST, WIDTH), table);
    am_shape places = heads;
    places.dims[1] = PLACES;
    am_value cache = am_graph_state_input(b, "key", AM_F32, places);
    am_value counts = am_iota(b, AM_I32, am_shape_of(T), 0, 0, 1), at = am_add(b, counts, offset);
    am_value x = am_add(b, am_embedding_op(b, words, ids), am_embedding_op(b, words, counts));
    am_value k = am_scatter(b, cache, at, am_reshape(b, am_matmul(b, x, w, false, true), heads),
                            &(am_scatter_attributes){.axis = 1});
    am_state_update(b, cache, k);
    am_value y =
        am_attention_op(b, &(am_attention_inputs){.q = am_reshape(b, x, heads), .k = k, .v = k, .offset = offset},
                        &(am_attention_attributes){.causal = true});
    y = am_unary(b, fn, am_reshape(b, y, am_shape_of(B, T, WIDTH)));
    am_output(b, "all", y);
    am_output(b, "last", am_slice(b, y, 1, T - 1, T));
    am_test_expect_ok(am_builder_finish(b, &graph));
    am_builder_destroy(b);
    return graph;
}

static void expect_close(am_tensor x, am_tensor y)
{
    assert_true(am_shape_equal(&x.shape, &y.shape));
    for (int64_t i = 0, count = am_shape_count(&x.shape); i < count; i++) {
        double a = ((const float *)x.data)[i], e = ((const float *)y.data)[i];
        if (!(fabs(a - e) <= 1e-5)) fail_msg("element %lld is %g, on the cpu %g", (long long)i, a, e);
    }
}

/* Runs B rows of T tokens on both, with what a cache may hold. */
static void check_text(uint32_t *seed, am_program *program, const am_graph *graph, int64_t B, int64_t T)
{
    enum { CACHE = 3 * PLACES * WIDTH };
    static float caches[2][CACHE];
    int32_t ids[3 * LONGEST], offset = (int32_t)(*seed % (PLACES - LONGEST));
    am_program *cpu;
    am_test_expect_ok(am_program_create(graph, NULL, NULL, &cpu));
    for (int i = 0; i < B * T; i++) ids[i] = (int32_t)((next_real(seed) + 1) * (LONGEST / 2 - 1));
    fill(caches[0], CACHE, seed);
    memcpy(caches[1], caches[0], sizeof caches[0]);
    const am_tensor inputs[] = {{AM_I32, am_shape_of(B, T), ids}, {AM_I32, {0}, &offset}};
    am_test_expect_ok(am_program_run(program, inputs, (void *[]){caches[0]}));
    am_test_expect_ok(am_program_run(cpu, inputs, (void *[]){caches[1]}));
    for (int i = 0; i < 2; i++) expect_close(am_program_output(program, i), am_program_output(cpu, i));
    for (int i = 0; i < CACHE; i++) assert_true(fabsf(caches[0][i] - caches[1][i]) <= 1e-5f);
    am_program_destroy(cpu);
}

/* Ten random lengths after two that show what is free. Earlier programs are gone when later ones run. */
static void targets_openvino__graphs_of_other_sizes_compile_nothing(void **state)
{
    static const int lengths[] = {7, 19}; /* then random ones */
    uint32_t seed = 5;
    int64_t begin, compiled, reused, before;
    am_program *programs[12] = {0};
    am_graph *graphs[12] = {0};
    need_openvino();
    fill(weight, WIDTH * WIDTH, &seed);
    fill(table, LONGEST * WIDTH, &seed);
    am_ov_compiled_count(&begin, &before);
    for (int i = 0; i < 12; i++) {
        int64_t T = i < 2 ? lengths[i] : 1 + (int64_t)((next_real(&seed) + 1) * (LONGEST / 2 - 1)), B = 1 + i % 3;
        graphs[i] = build_text(B, T, AM_TANH, weight);
        programs[i] = create(graphs[i]);
        check_text(&seed, programs[i], graphs[i], B, T);
        if (i > 1) {
            am_program_destroy(programs[i - 2]);
            am_graph_destroy(graphs[i - 2]);
        }
    }
    for (int i = 10; i < 12; i++) {
        am_program_destroy(programs[i]);
        am_graph_destroy(graphs[i]);
    }
    am_ov_compiled_count(&compiled, &reused);
    assert_int_equal(compiled - begin, 4); /* two stages, each twice */
    assert_int_equal(reused - before, 20);
}

/* The second graph's last stage is another; the third's weights are. */
static void targets_openvino__graphs_of_another_kind_have_their_own(void **state)
{
    static const am_unary_fn fns[] = {AM_TANH, AM_SIN, AM_SIN};
    static float other[WIDTH * WIDTH];
    uint32_t seed = 6;
    int64_t begin, compiled, reused, before;
    am_program *programs[3];
    am_graph *graphs[3];
    need_openvino();
    fill(weight, WIDTH * WIDTH, &seed);
    fill(table, LONGEST * WIDTH, &seed);
    fill(other, WIDTH * WIDTH, &seed);
    am_ov_compiled_count(&begin, &before);
    for (int i = 0; i < 3; i++) {
        graphs[i] = build_text(1, 5 + i, fns[i], i == 2 ? other : weight);
        programs[i] = create(graphs[i]);
        am_ov_compiled_count(&compiled, &reused);
        assert_int_equal(compiled - begin, 2 * (i + 1));
        assert_int_equal(reused, before);
    }
    for (int i = 0; i < 3; i++) check_text(&seed, programs[i], graphs[i], 1, 5 + i);
    for (int i = 0; i < 3; i++) {
        am_program_destroy(programs[i]);
        am_graph_destroy(graphs[i]);
    }
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
