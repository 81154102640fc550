/* Does pieces of work that valgrind's callgrind counts the instructions of (instructions.py), on one thread and by the
   kernels that ANYMODEL_CPU allows: the calls of tests/unit/targets/cpu/calls.c, ops, and whole things.

   instruction_worker ROOT     the project's folder, for its example models
   Prints "kernels NAME" and "made-by COMPILER-VERSION LIBRARY-VERSION". Each piece ends with a dump of callgrind's that
   has its name. */
#define _POSIX_C_SOURCE 200809L
#include "base/file.h"
#include "base/memory.h"
#include "base/prng.h"
#include "base/threads.h"
#include "graph/ops.h"
#include "targets/cpu/program.h"
#include "tests/unit/targets/cpu/calls.h"
#include "text/tokenizer.h"

#include <anymodel/anymodel.h>

#include <gnu/libc-version.h>
#include <stdio.h>
#include <stdlib.h>
#include <valgrind/callgrind.h>

enum { NAME = 64, PATH = 4096 };

static void must(am_status status)
{
    if (!status) return;
    fprintf(stderr, "instruction_worker: %s\n", am_status_message(status));
    exit(1);
}

/* Counting is between these two; valgrind copies the name at once. */
static void begin(void)
{
    CALLGRIND_ZERO_STATS;
    CALLGRIND_TOGGLE_COLLECT;
}

static void end(const char *name)
{
    CALLGRIND_TOGGLE_COLLECT;
    CALLGRIND_DUMP_STATS_AT(name);
}

/* --- single routines --- */

static void count_calls(void)
{
    const am_micro *micro = am_micro_of(AM_ISA_ANY);
    micro_memory *memory = micro_memory_create();
    if (!micro || !memory) must(am_error(AM_UNSUPPORTED, "no vector routines, or no memory"));
    for (const micro_call *call = micro_calls; call->function; call++) {
        char name[NAME];
        snprintf(name, sizeof name, "%s %s", call->function, call->shape);
        micro_memory_prepare(memory, call, micro);
        call->run(call, micro, memory); /* finds functions of libraries */
        begin();
        call->run(call, micro, memory);
        end(name);
    }
    micro_memory_destroy(memory);
}

/* --- ops --- */

static float *numbers(am_shape shape, uint64_t seed)
{
    int64_t count = am_shape_count(&shape);
    float *data = malloc((size_t)count * sizeof *data);
    if (!data) must(am_error(AM_OUT_OF_MEMORY, "no memory for %lld numbers", (long long)count));
    am_uniform_floats(seed, -0.5, 0.5, count, data);
    return data;
}

/* Ends the builder and frees the weight and the input. */
static void count_graph(am_builder *b, am_value y, const am_tensor *x, float *weight, const char *name)
{
    am_graph *graph;
    am_cpu_program *program;
    am_output(b, "y", y);
    must(am_builder_finish(b, &graph));
    am_builder_destroy(b);
    must(am_cpu_program_create(graph, &(am_cpu_program_options){.prepare = true}, &program));
    must(am_cpu_program_run(program, x, NULL));
    begin();
    must(am_cpu_program_run(program, x, NULL));
    end(name);
    am_cpu_program_destroy(program);
    am_graph_destroy(graph);
    free(x->data);
    free(weight);
}

/* `size` x `size` places, kernel x kernel, padded to as many. */
static void count_convolution(const char *name, int64_t C, int64_t O, int64_t size, int64_t kernel, int64_t groups)
{
    am_builder *b;
    must(am_builder_create(&b));
    am_shape shape = am_shape_of(1, C, size, size), weights = am_shape_of(O, C / groups, kernel, kernel);
    am_tensor x = {AM_F32, shape, numbers(shape, 1)};
    float *weight = numbers(weights, 2);
    am_convolution_attributes a = {.padding_before = am_shape_of(kernel / 2, kernel / 2),
                                   .padding_after = am_shape_of(kernel / 2, kernel / 2),
                                   .groups = groups};
    am_value w = am_constant_lent(b, "weight", AM_F32, weights, weight);
    count_graph(b, am_convolution(b, am_graph_input(b, "x", AM_F32, shape), w, AM_NONE, &a), &x, weight, name);
}

static void count_attention(const char *name, int64_t T, int64_t S, int64_t H)
{
    am_builder *b;
    must(am_builder_create(&b));
    am_shape shape = am_shape_of(1, T, H, 64), keys = am_shape_of(1, S, H, 64);
    am_tensor x = {AM_F32, shape, numbers(shape, 1)};
    float *weight = numbers(keys, 2);
    am_value k = am_constant_lent(b, "k", AM_F32, keys, weight);
    am_attention_inputs in = {.q = am_graph_input(b, "q", AM_F32, shape), .k = k, .v = k};
    count_graph(b, am_attention_op(b, &in, &(am_attention_attributes){.causal = true}), &x, weight, name);
}

static void count_ops(void)
{
    count_convolution("convolution 3x3, 32 to 64, 20x20", 32, 64, 20, 3, 1);
    count_convolution("convolution 1x1, 64 to 128, 20x20", 64, 128, 20, 1, 1);
    count_convolution("convolution 3x3, 64 groups of 1, 20x20", 64, 64, 20, 3, 64);
    count_attention("attention op, 64 of 64, 4 heads", 64, 64, 4);
}

/* --- whole things --- */

static void count_tokenizing(const char *root)
{
    char path[PATH], *text;
    size_t length;
    am_tokenizer *tokenizer;
    am_encoding encoding;
    snprintf(path, sizeof path, "%s/LICENSE", root);
    must(am_file_read(path, SIZE_MAX, &text, &length));
    snprintf(path, sizeof path, "%s/examples/models/tiny-llama-text/tokenizer.json", root);
    begin();
    must(am_tokenizer_open(path, AM_TOKENIZER_FILE, &tokenizer));
    end("opening a tokenizer.json");
    begin();
    must(am_tokenizer_encode_batch(tokenizer, &(am_text){text, length}, NULL, 1, NULL, &encoding));
    end("tokenizing 11 kB of text");
    am_encoding_deinit(&encoding);
    am_tokenizer_close(tokenizer);
    am_free(text);
}

static void count_model(const char *root)
{
    char path[PATH];
    am_model *model;
    const am_named_array *outputs;
    size_t count;
    am_shape shape = am_shape_of(1, 3, 32, 32);
    float *pixels = numbers(shape, 3);
    am_named_array input = {"pixel_values", {AM_F32, shape, pixels}};
    snprintf(path, sizeof path, "%s/examples/models/digits-vit", root);
    begin();
    must(am_model_open(path, NULL, &model));
    must(am_model_forward(model, &input, 1, false, &outputs, &count));
    end("opening digits-vit and its first run");
    begin();
    must(am_model_forward(model, &input, 1, false, &outputs, &count));
    end("a run of digits-vit");
    am_model_close(model);
    free(pixels);
}

static const char *compiler(void)
{
#if defined(__clang__)
    return "clang-" __clang_version__;
#else
    return "gcc-" __VERSION__;
#endif
}

int main(int argc, char **argv)
{
    if (argc != 2) must(am_error(AM_INVALID_ARGUMENT, "usage: instruction_worker ROOT"));
    const am_micro *micro = am_micro_of(AM_ISA_ANY);
    must(am_cpu_check_wish());
    must(am_threads_set(1));
    printf("kernels %s\nmade-by %s glibc-%s\n", micro ? micro->name : "reference", compiler(), gnu_get_libc_version());
    count_tokenizing(argv[1]); /* first: what lies free in the heap decides what growing costs */
    count_model(argv[1]);
    count_calls();
    count_ops();
    return 0;
}
