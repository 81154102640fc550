/* What targets export, imported again: the same results, without compiling. */
#define _POSIX_C_SOURCE 200809L
#include "test_support.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/warning.h"
#include "graph/ops.h"
#include "targets/compiled.h"
#include "targets/program.h"

#include <anymodel/anymodel.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEADS = 2, HALF = 3, WIDTH = 2 * HALF };

static const am_target *need(const char *name, bool is_slow)
{
    am_target_report report = {0};
    const am_target *target = am_target_find(name, strlen(name));
    if (!target) {
        print_message("this build has no target %s\n", name);
        skip();
    }
    const char *program = am_test_program(); /* beside which MAX's compiler lies */
    setenv("ANYMODEL_LIBEXEC", am_test_format("%.*s", (int)(am_path_base(program) - program), program), 1);
    target->probe(&report);
    if (!report.present || (is_slow && !getenv("ANYMODEL_TEST_SLOW"))) {
        print_message("%s\n", report.present ? "takes minutes: ANYMODEL_TEST_SLOW is not set" : report.reason.text);
        skip();
    }
    return target;
}

/* x: [1, 1, HEADS, WIDTH] times a weight, rotated by tables of HALF, as decoders do with one token. */
static am_graph *make_graph(void)
{
    static const float weight[WIDTH] = {1, -2, 3, 0.5F, 4, -1};
    am_builder *b;
    am_graph *graph;
    am_test_expect_ok(am_builder_create(&b));
    am_value x = am_graph_input(b, "x", AM_F32, am_shape_of(1, 1, HEADS, WIDTH)),
             cos = am_graph_input(b, "cos", AM_F32, am_shape_of(1, 1, HALF)),
             sin = am_graph_input(b, "sin", AM_F32, am_shape_of(1, 1, HALF));
    am_value scaled = am_mul(b, x, am_constant_copy(b, AM_F32, am_shape_of(WIDTH), weight));
    am_output(b, "y", am_rope_op(b, scaled, cos, sin, false));
    am_test_expect_ok(am_builder_finish(b, &graph));
    am_builder_destroy(b);
    return graph;
}

static void run(am_program *program, float out[HEADS * WIDTH])
{
    float x[HEADS * WIDTH], cos_table[HALF], sin_table[HALF];
    for (int i = 0; i < HEADS * WIDTH; i++) x[i] = (float)i / 7 - 0.5F;
    for (int i = 0; i < HALF; i++) cos_table[i] = cosf((float)i + 1), sin_table[i] = sinf((float)i + 1);
    const am_tensor inputs[] = {{AM_F32, am_shape_of(1, 1, HEADS, WIDTH), x},
                                {AM_F32, am_shape_of(1, 1, HALF), cos_table},
                                {AM_F32, am_shape_of(1, 1, HALF), sin_table}};
    am_test_expect_ok(am_program_run(program, inputs, NULL));
    memcpy(out, am_program_output(program, 0).data, HEADS * WIDTH * sizeof *out);
}

static void expect_cpu_result(const am_graph *graph, am_program *program)
{
    am_program *cpu;
    float expected[HEADS * WIDTH], found[HEADS * WIDTH];
    am_test_expect_ok(am_program_create(graph, NULL, NULL, &cpu));
    run(cpu, expected);
    run(program, found);
    for (int i = 0; i < HEADS * WIDTH; i++) assert_true(fabsf(expected[i] - found[i]) <= 1e-5F);
    am_program_destroy(cpu);
}

typedef struct exported {
    am_graph *graph;
    am_target_choice choice;
    am_compiled_piece piece;
    am_compiled_program program;
} exported;

static void export_from(const am_target *target, exported *out)
{
    am_program *program;
    am_buffer bytes = {0};
    *out = (exported){.graph = make_graph()};
    am_test_expect_ok(am_target_choose(target->name, "prefer", &out->choice));
    am_test_expect_ok(am_program_create(out->graph, &out->choice, NULL, &program));
    assert_int_equal(am_program_plan(program)->piece_count, 1);
    am_test_expect_ok(am_program_export(program, 0, &bytes));
    assert_true(bytes.length > 0);
    void *data = am_alloc_aligned(bytes.length);
    memcpy(data, bytes.bytes, bytes.length);
    out->piece = (am_compiled_piece){.target = target, .bytes = data, .length = bytes.length};
    am_test_expect_ok(am_graph_digest(am_program_piece_graph(program, 0), out->piece.graph));
    am_buffer_deinit(&bytes);
    am_program_destroy(program);
}

static am_status import_all(exported *e, bool is_required, am_program **out)
{
    e->program = (am_compiled_program){"F.compiled", &e->piece, 1, is_required};
    return am_program_create(e->graph, &e->choice, &(am_target_options){.compiled = &e->program}, out);
}

static void deinit(exported *e)
{
    am_free_aligned((void *)(uintptr_t)e->piece.bytes);
    am_graph_destroy(e->graph);
}

static void ignore_warning(void *context, const char *message)
{
    snprintf(context, 512, "%s", message);
}

/* In an empty cache folder, where nothing is when it is done: nothing was compiled. */
static void expect_no_compiling(exported *e)
{
    am_program *program;
    const char *cache = am_test_temporary_directory();
    assert_int_equal(setenv("ANYMODEL_CACHE", cache, 1), 0);
    am_test_expect_ok(import_all(e, true, &program));
    assert_ptr_equal(am_program_piece_target(program, 0), e->piece.target);
    expect_cpu_result(e->graph, program);
    am_program_destroy(program);
    assert_int_equal(access(am_test_format("%s/max", cache), F_OK), -1);
}

/* Another graph, and bytes that are none: errors, or the cpu's with a warning. */
static void expect_refusals(exported *e)
{
    char warning[512] = "";
    am_program *program;
    am_compiled_piece good = e->piece;
    e->piece.graph[0] ^= 1;
    am_test_expect_error(import_all(e, true, &program), AM_UNSUPPORTED, "F.compiled: piece 0 of the graph is another");
    e->piece = good;
    e->piece.length = 5;
    am_status status = import_all(e, true, &program);
    assert_non_null(status);
    am_status_free(status);
    am_warning_set_handler(ignore_warning, NULL, warning);
    am_test_expect_ok(import_all(e, false, &program));
    am_warning_set_handler(NULL, NULL, NULL);
    assert_non_null(strstr(warning, "its part runs on the cpu instead"));
    assert_string_equal(am_program_piece_target(program, 0)->name, "cpu");
    expect_cpu_result(e->graph, program);
    am_program_destroy(program);
    e->piece = good;
}

static void check(const char *name, bool is_slow)
{
    exported e;
    export_from(need(name, is_slow), &e);
    expect_no_compiling(&e);
    expect_refusals(&e);
    deinit(&e);
}

static void targets_compiled__openvino_computes_the_same_when_read_again(void **state)
{
    (void)state;
    check("openvino", false);
}

static void targets_compiled__mojo_computes_the_same_when_read_again(void **state)
{
    (void)state;
    check("mojo", true);
}

static void targets_compiled__max_computes_the_same_when_read_again(void **state)
{
    (void)state;
    check("max", true);
}

/* --- whole models --- */

static am_model *open_model(const char *path, const char *target, const char *policy)
{
    am_model *model;
    am_test_expect_ok(am_model_open(path, &(am_model_options){.target = target, .target_policy = policy}, &model));
    return model;
}

static void expect_text(am_model *model, const char *prompt, const char *expected)
{
    am_text_result result;
    am_text_options how = {.max_new_tokens = 6, .greedy = true};
    am_test_expect_ok(am_model_generate(model, prompt, &how, &result));
    assert_string_equal(result.text, expected);
    am_text_result_deinit(&result);
}

/* A prompt of as many tokens as it was compiled for is answered by what was compiled; another is not, unless the cpu
   may. */
static void targets_compiled__openvino_generates_from_a_file(void **state)
{
    (void)state;
    char warning[512] = "";
    const char *prompt = "It is a truth", *other = "It is a truth that";
    am_text_result first, second;
    am_text_options how = {.max_new_tokens = 6, .greedy = true};
    need("openvino", false);
    const char *directory = am_test_source_path("examples/models/tiny-llama-text");
    const char *file = am_test_format("%s/llama.compiled", am_test_temporary_directory());
    am_model *model = open_model(directory, "openvino", "prefer");
    am_test_expect_ok(am_model_generate(model, prompt, &how, &first));
    am_test_expect_ok(am_model_save_compiled(model, file, NULL));
    am_test_expect_ok(am_model_generate(model, other, &how, &second));
    am_model_close(model);
    model = open_model(file, NULL, NULL);
    expect_text(model, prompt, first.text);
    am_text_result none;
    am_test_expect_error(am_model_generate(model, other, &how, &none), AM_UNSUPPORTED,
                         "is not among what it was compiled for: LlamaForCausalLM(input_ids i32[1, 5])");
    am_model_close(model);
    model = open_model(file, "openvino", "prefer");
    am_warning_set_handler(ignore_warning, NULL, warning);
    expect_text(model, other, second.text);
    am_warning_set_handler(NULL, NULL, NULL);
    assert_non_null(strstr(warning, "the cpu computes it"));
    am_model_close(model);
    am_text_result_deinit(&first);
    am_text_result_deinit(&second);
}
