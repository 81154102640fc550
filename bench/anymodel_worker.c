/* Runs a model directory for the bench: one process, one line of answer for each line of command.

   anymodel_worker MODEL_DIR CASE_DIR THREADS [WEIGHTS [DTYPE]]   prints "ready LOAD_MS"; both: see am_model_options
       run N            runs the model N times      "times MS ... MS"
       compile          makes the graph ready       "compiled MS"
       work          of one run, after one     "work FLOPS BYTES_OF_WEIGHTS BYTES_OF_CACHE", those that it reads
       answer FILE      writes the output's floats  "answered COUNT"
       profile MS    runs for so long           "profile {JSON}", as am_profile_put has it; {} of steps
   Any other line, or the end of input, ends it. CASE_DIR/case.txt names the inputs, each with dtype, dimensions
   and the file of its bytes, and the output:
       input input_ids i64 1,128 input_ids.bin
       output last_hidden_state
   A line "last_logits" asks for the logits of the last position alone, as generating does.
   A line "steps" makes a run of an encoder-decoder what generating computes: the encoder once, then
   decoder_input_ids: [1, T], one at a time with a KV cache; the answer is the last one's logits.
   A line "cached N" splits input_ids, the only input: N tokens are read once into a KV cache, and a run is the rest. */
#define _POSIX_C_SOURCE 200809L
#include "api/graph_work.h"
#include "api/model_internal.h"
#include "api/json_writer.h"
#include "api/arguments.h"
#include "api/profile.h"
#include "runtime/decoder_feed.h"
#include "runtime/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { INPUTS = 8, LINE = 4096, CACHE_PLACES = 256 };

typedef struct bench_case {
    am_named_array inputs[INPUTS];
    char names[INPUTS][64];
    size_t count;
    char output[64];
    long cached; /* tokens */
    bool last_logits, steps;
    bool is_filled;
} bench_case;

static void fail(const char *what, const char *detail)
{
    fprintf(stderr, "anymodel_worker: %s: %s\n", what, detail);
    exit(1);
}

static void must(am_status status)
{
    if (status) fail(am_code_text(am_status_code(status)), am_status_message(status));
}

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* --- the case --- */

static am_dtype dtype_named(const char *name)
{
    for (int i = 0; i < AM_DTYPE_COUNT; i++)
        if (strcmp(am_dtype_name((am_dtype)i), name) == 0) return (am_dtype)i;
    fail("unknown dtype", name);
    return AM_F32;
}

/* "1,128". */
static am_shape parse_shape(char *text)
{
    am_shape shape = {0};
    char *rest = text;
    for (char *dim; shape.rank < AM_RANK_LIMIT && (dim = strtok_r(NULL, ",", &rest));)
        shape.dims[shape.rank++] = strtoll(dim, NULL, 10);
    return shape;
}

static void *read_bytes(const char *folder, const char *name, size_t size)
{
    char path[LINE];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    void *bytes = malloc(size);
    if (!file || !bytes || fread(bytes, 1, size, file) != size) fail("cannot read", path);
    fclose(file);
    return bytes;
}

static void add_input(bench_case *c, const char *folder, const char *name, const char *dtype, char *dims,
                      const char *file)
{
    if (c->count == INPUTS) fail("too many inputs", folder);
    am_named_array *input = &c->inputs[c->count];
    snprintf(c->names[c->count], sizeof *c->names, "%s", name);
    *input = (am_named_array){c->names[c->count++], {dtype_named(dtype), parse_shape(dims), NULL}};
    size_t size = am_dtype_bytes(input->tensor.dtype);
    for (int i = 0; i < input->tensor.shape.rank; i++) size *= (size_t)input->tensor.shape.dims[i];
    input->tensor.data = read_bytes(folder, file, size);
}

static void read_case(const char *folder, bench_case *c)
{
    char path[LINE], line[LINE], name[64], dtype[16], dims[128], file_name[128];
    snprintf(path, sizeof path, "%s/case.txt", folder);
    FILE *file = fopen(path, "r");
    if (!file) fail("cannot read", path);
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "input %63s %15s %127s %127s", name, dtype, dims, file_name) == 4)
            add_input(c, folder, name, dtype, dims, file_name);
        else if (strcmp(line, "last_logits\n") == 0) c->last_logits = true;
        else if (strcmp(line, "steps\n") == 0) c->steps = true;
        else if (sscanf(line, "output %63s", c->output) != 1 && sscanf(line, "cached %ld", &c->cached) != 1)
            fail("not a line of case.txt", line);
    }
    fclose(file);
}

/* --- running --- */

/* Input i, or of the only one the part that a run with a cache reads: columns from..to. */
static am_session_input input_of(const bench_case *c, size_t i, long from, long to)
{
    am_session_input input = {c->inputs[i].name, c->inputs[i].tensor};
    if (!c->cached) return input;
    input.tensor.data = (char *)input.tensor.data + (size_t)from * am_dtype_bytes(input.tensor.dtype);
    input.tensor.shape.dims[1] = to - from;
    return input;
}

static am_run_options options_at(const bench_case *c, long offset)
{
    return (am_run_options){
        .last_logits_only = c->last_logits, .cache_capacity = c->cached ? CACHE_PLACES : 0, .cache_offset = offset};
}

/* Reads what a cache is to hold, once. */
static void fill_cache(am_session *session, bench_case *c)
{
    am_run_options options = options_at(c, 0);
    if (c->cached && !c->is_filled)
        must(am_session_run(session, (am_session_input[]){input_of(c, 0, 0, c->cached)}, 1, &options));
    c->is_filled = true;
}

static int inputs_of(const bench_case *c, am_session_input *out)
{
    long length = c->cached ? (long)c->inputs[0].tensor.shape.dims[1] : 0;
    for (size_t i = 0; i < c->count; i++) out[i] = input_of(c, i, c->cached, length);
    return (int)c->count;
}

static void compile(am_model *model, bench_case *c)
{
    am_session_input inputs[INPUTS];
    am_session *session = model->pipeline->session;
    fill_cache(session, c);
    double start = now_ms();
    am_run_options options = options_at(c, c->cached);
    must(am_session_prepare(session, inputs, inputs_of(c, inputs), &options));
    printf("compiled %.4f\n", now_ms() - start);
}

/* The public interface has no caches for a bare model, and gives the logits of all positions. */
static am_tensor forward_session(am_model *model, bench_case *c)
{
    am_session_input inputs[INPUTS];
    am_tensor found;
    am_session *session = model->pipeline->session;
    fill_cache(session, c);
    am_run_options options = options_at(c, c->cached);
    must(am_session_run(session, inputs, inputs_of(c, inputs), &options));
    if (!am_session_find_output(session, c->output, &found)) fail("no output is named", c->output);
    return found;
}

/* Adds that of the session's last run; work may be null. */
static void add_work(const am_session *session, am_graph_work *work)
{
    am_graph_work last;
    if (!work) return;
    must(am_graph_work_count(am_session_program(session), &last));
    work->flops += last.flops;
    work->weight_bytes += last.weight_bytes;
}

/* Takes decoder_input_ids out of the inputs. */
static const am_tensor *split_inputs(const bench_case *c, am_session_input *encoder, int *out_count)
{
    const am_tensor *ids = NULL;
    *out_count = 0;
    for (size_t i = 0; i < c->count; i++) {
        if (strcmp(c->inputs[i].name, "decoder_input_ids") == 0) ids = &c->inputs[i].tensor;
        else encoder[(*out_count)++] = (am_session_input){c->inputs[i].name, c->inputs[i].tensor};
    }
    if (!ids || ids->shape.rank != 2) fail("steps need decoder_input_ids", "[1, T]");
    return ids;
}

/* As am_generate reads them; adds the work of all runs. */
static am_tensor forward_steps(am_model *model, const bench_case *c, am_graph_work *work)
{
    am_session_input inputs[INPUTS];
    am_generate_request request = {.inputs = inputs, .batch = 1, .length = 1};
    const am_tensor *ids = split_inputs(c, inputs, &request.input_count);
    am_session *session = model->pipeline->session;
    const float *logits = NULL;
    int64_t vocab = 0;
    am_decoder_feed feed;
    must(am_decoder_feed_init(&feed, session, &request));
    add_work(session, work);
    for (int64_t t = 0; t < ids->shape.dims[1]; t++) {
        int32_t id = (int32_t)am_load_int(ids->dtype, ids->data, t);
        must(am_decoder_feed_run(&feed, &id, 1, &logits, &vocab));
        add_work(session, work);
    }
    am_decoder_feed_deinit(&feed);
    return (am_tensor){AM_F32, am_shape_of(1, vocab), (void *)(uintptr_t)logits};
}

/* Through the public interface where it has what the case asks for. */
static am_tensor forward(am_model *model, bench_case *c)
{
    const am_named_array *outputs;
    size_t count;
    if (c->steps) return forward_steps(model, c, NULL);
    if (c->cached || c->last_logits) return forward_session(model, c);
    must(am_model_forward(model, c->inputs, c->count, false, &outputs, &count));
    for (size_t i = 0; i < count; i++)
        if (strcmp(outputs[i].name, c->output) == 0) return outputs[i].tensor;
    fail("no output is named", c->output);
    return (am_tensor){0};
}

static void run(am_model *model, bench_case *c, long count)
{
    fputs("times", stdout);
    for (long i = 0; i < count; i++) {
        double start = now_ms();
        forward(model, c);
        printf(" %.4f", now_ms() - start);
    }
    putchar('\n');
}

/* What a run reads of the KV cache. */
static double cache_bytes(const am_session *session, const bench_case *c)
{
    const am_program *program = am_session_program(session);
    double bytes = 0, tokens = (double)c->inputs[0].tensor.shape.dims[1];
    for (int i = 0; i < am_program_plan(program)->piece_count; i++) {
        const am_graph *g = am_program_piece_graph(program, i);
        for (int k = 0; k < g->state_count; k++) {
            const am_value_info *info = am_graph_value(g, g->states[k].value);
            bytes += (double)am_tensor_bytes(info->dtype, &info->shape) * tokens / CACHE_PLACES;
        }
    }
    return bytes;
}

static void tell_work(am_model *model, const bench_case *c)
{
    am_graph_work work = {0};
    if (c->steps) forward_steps(model, c, &work);
    else add_work(model->pipeline->session, &work);
    printf("work %.0f %.0f %.0f\n", work.flops, work.weight_bytes,
           c->cached ? cache_bytes(model->pipeline->session, c) : 0.0);
}

static am_model_options precision; /* WEIGHTS and DTYPE */

/* By kernel, in a session of its own that takes times. */
static void tell_profile(am_model *model, const bench_case *c, long milliseconds)
{
    am_session_input inputs[INPUTS];
    am_run_options options = options_at(c, c->cached);
    am_profile_run how = {inputs, inputs_of(c, inputs), &options};
    am_session_options session = {.program.profile = true};
    am_profile profile = {0};
    am_buffer text = {0};
    am_put_open(&text, NULL, '{');
    if (!c->steps) {
        must(am_read_precision(precision.weights, precision.dtype, &session));
        must(am_profile_measure(model->pipeline->model, &session, &how, (double)milliseconds, &profile));
        am_profile_put(&text, &profile);
    }
    am_put_close(&text, '}');
    printf("profile %s\n", am_buffer_text(&text));
    am_profile_deinit(&profile);
    am_buffer_deinit(&text);
}

static void write_answer(am_model *model, bench_case *c, const char *path)
{
    am_tensor answer = forward(model, c);
    size_t count = 1;
    for (int i = 0; i < answer.shape.rank; i++) count *= (size_t)answer.shape.dims[i];
    FILE *file = fopen(path, "wb");
    if (answer.dtype != AM_F32) fail("the output is not f32", am_dtype_name(answer.dtype));
    if (!file || fwrite(answer.data, sizeof(float), count, file) != count || fclose(file)) fail("cannot write", path);
    printf("answered %zu\n", count);
}

static void serve(am_model *model, bench_case *c)
{
    char line[LINE], path[LINE];
    long count;
    for (; fgets(line, sizeof line, stdin); fflush(stdout)) {
        if (sscanf(line, "run %ld", &count) == 1) run(model, c, count);
        else if (strcmp(line, "compile\n") == 0) compile(model, c);
        else if (strcmp(line, "work\n") == 0) tell_work(model, c);
        else if (sscanf(line, "profile %ld", &count) == 1) tell_profile(model, c, count);
        else if (sscanf(line, "answer %4095[^\n]", path) == 1) write_answer(model, c, path);
        else return;
    }
}

int main(int argc, char **argv)
{
    static bench_case c;
    am_model *model;
    if (argc < 4 || argc > 6) fail("usage", "anymodel_worker MODEL_DIR CASE_DIR THREADS [WEIGHTS [DTYPE]]");
    precision = (am_model_options){.weights = argc > 4 ? argv[4] : NULL, .dtype = argc > 5 ? argv[5] : NULL};
    must(am_set_threads(atoi(argv[3])));
    read_case(argv[2], &c);
    if (c.cached && (c.count != 1 || c.inputs[0].tensor.shape.rank != 2)) fail("a cache needs [1, T] alone", argv[2]);
    double start = now_ms();
    must(am_model_open(argv[1], &precision, &model));
    printf("ready %.4f\n", now_ms() - start);
    fflush(stdout);
    serve(model, &c);
    am_model_close(model);
    for (size_t i = 0; i < c.count; i++) free(c.inputs[i].tensor.data);
    return 0;
}
