#include "api/arguments.h"
#include "api/example_generation.h"
#include "api/example_inputs.h"
#include "api/graph_work.h"
#include "api/json_writer.h"
#include "api/machine_peaks.h"
#include "api/model_internal.h"
#include "api/profile.h"
#include "base/clock.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { RUNS_LEAST = 5, RUNS_MOST = 200, NEW_TOKENS = 32 };

static const double STEADY_MS = 400;

typedef struct benchmark {
    am_arena arena;
    am_model *model;
    am_example_inputs inputs;
    double load_ms, first_ms;
    double runs_ms[RUNS_MOST];
    int run_count;
    am_graph_work work, step_work; /* of one run; of one decoding step */
    bool generates, profiles;
    int64_t new_tokens, prompt_tokens; /* of all rows */
    double prefill_ms, decode_ms;
    int64_t decode_steps;
} benchmark;

/* --- measuring --- */

static am_status run_once(benchmark *m, double *out_ms)
{
    double start = am_clock_ms();
    AM_TRY(am_session_run(m->model->pipeline->session, m->inputs.items, m->inputs.count, NULL));
    *out_ms = am_clock_ms() - start;
    return NULL;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorted times of runs after the first. */
static am_status run_steadily(benchmark *m)
{
    double spent = 0;
    while (m->run_count < RUNS_MOST && (m->run_count < RUNS_LEAST || spent < STEADY_MS)) {
        AM_TRY(run_once(m, &m->runs_ms[m->run_count]));
        spent += m->runs_ms[m->run_count++];
    }
    qsort(m->runs_ms, (size_t)m->run_count, sizeof *m->runs_ms, by_size);
    return NULL;
}

static am_status count_work(const benchmark *m, am_graph_work *out)
{
    return am_graph_work_count(am_session_program(m->model->pipeline->session), out);
}

static am_status generate(benchmark *m)
{
    am_generated answer;
    AM_TRY(am_example_generate(m->model->pipeline, &m->inputs, NEW_TOKENS, &answer));
    for (int64_t row = 0; row < answer.batch; row++) m->new_tokens += answer.lengths[row];
    m->prompt_tokens = answer.prompt_tokens * answer.batch;
    m->prefill_ms = answer.prefill_ms;
    m->decode_ms = answer.decode_ms;
    m->decode_steps = answer.decode_steps;
    m->generates = m->decode_steps > 0;
    am_generated_deinit(&answer);
    return m->generates ? count_work(m, &m->step_work) : NULL;
}

static am_status measure(benchmark *m, const char *directory, const am_model_options *options, const char *shapes)
{
    double start = am_clock_ms();
    AM_TRY(am_model_open(directory, options, &m->model));
    m->load_ms = am_clock_ms() - start;
    am_pipeline *p = m->model->pipeline;
    bool generates = p->model->architecture->flags & AM_GENERATES;
    int64_t context = am_pipeline_context_length(p), tokens = generates ? context / 2 : context;
    AM_TRY(am_example_inputs_choose(p->model, shapes, tokens, &m->inputs));
    AM_TRY(am_example_inputs_fill(p->model, &m->arena, &m->inputs));
    AM_TRY(run_once(m, &m->first_ms));
    AM_TRY(run_steadily(m));
    AM_TRY(count_work(m, &m->work));
    return generates ? generate(m) : NULL;
}

/* --- writing --- */

/* "openvino", or "openvino,cpu" where pieces run on both. */
static void put_targets(am_buffer *out, am_program *program)
{
    am_buffer names = {0};
    const am_target *last = NULL;
    for (const am_target *const *t = am_target_registry; *t; t++)
        for (int i = 0; i < am_program_plan(program)->piece_count; i++) {
            if (am_program_piece_target(program, i) != *t || last == *t) continue;
            am_buffer_printf(&names, "%s%s", last ? "," : "", (*t)->name);
            last = *t;
        }
    am_put_text(out, "target", am_buffer_text(&names));
    if (am_program_state(program)) am_put_text(out, "auto", am_program_state(program));
    am_buffer_deinit(&names);
}

static void put_inputs(am_buffer *out, const am_example_inputs *inputs)
{
    am_put_open(out, "inputs", '{');
    for (int i = 0; i < inputs->count; i++) am_put_shape(out, inputs->items[i].name, &inputs->items[i].tensor.shape);
    am_put_close(out, '}');
}

static void put_rates(am_buffer *out, const am_graph_work *work, double milliseconds)
{
    am_put_real(out, "gflop", work->flops * 1e-9);
    am_put_real(out, "gflop_per_s", work->flops * 1e-6 / milliseconds);
    am_put_real(out, "weight_bytes", work->weight_bytes);
    am_put_real(out, "weight_gb_per_s", work->weight_bytes * 1e-6 / milliseconds);
}

static void put_steady(am_buffer *out, const benchmark *m)
{
    int middle = m->run_count / 2;
    double median = m->run_count % 2 ? m->runs_ms[middle] : (m->runs_ms[middle - 1] + m->runs_ms[middle]) / 2;
    am_put_open(out, "steady", '{');
    am_put_integer(out, "runs", m->run_count);
    am_put_real(out, "median_ms", median);
    am_put_real(out, "min_ms", m->runs_ms[0]);
    am_put_real(out, "max_ms", m->runs_ms[m->run_count - 1]);
    put_rates(out, &m->work, median);
    am_put_close(out, '}');
}

static void put_generation(am_buffer *out, const benchmark *m)
{
    if (!m->generates) {
        am_put_text(out, "generation", NULL);
        return;
    }
    int64_t rows = m->inputs.items[0].tensor.shape.dims[0];
    am_put_open(out, "generation", '{');
    am_put_integer(out, "prompt_tokens", m->prompt_tokens);
    am_put_integer(out, "new_tokens", m->new_tokens);
    am_put_real(out, "prefill_ms", m->prefill_ms);
    am_put_real(out, "decode_ms", m->decode_ms);
    am_put_real(out, "tokens_per_s", (double)(m->decode_steps * rows) * 1e3 / m->decode_ms);
    am_put_open(out, "step", '{');
    put_rates(out, &m->step_work, m->decode_ms / (double)m->decode_steps);
    am_put_close(out, '}');
    am_put_close(out, '}');
}

static am_status put_machine(am_buffer *out)
{
    am_machine_peaks peaks;
    AM_TRY(am_machine_peaks_measure(&peaks));
    am_put_open(out, "machine", '{');
    am_put_integer(out, "threads", am_get_threads());
    am_put_text(out, "kernels", peaks.kernels);
    am_put_real(out, "peak_gflop_per_s", peaks.gflop_per_s);
    am_put_real(out, "peak_bf16_gflop_per_s", peaks.bf16_gflop_per_s);
    am_put_real(out, "peak_int8_gop_per_s", peaks.int8_gop_per_s);
    am_put_real(out, "peak_read_gb_per_s", peaks.read_gb_per_s);
    am_put_close(out, '}');
    return NULL;
}

static int64_t peak_memory_bytes(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (int64_t)usage.ru_maxrss * 1024 : 0;
}

/* What the profile's runs use: the targets of the model, but no candidates for which "auto" would compile meanwhile. */
static am_status choose_targets(const benchmark *m, const am_model_options *options, am_session_options *out)
{
    *out = (am_session_options){.artefact = m->model->artefact, .program.profile = true};
    if (m->model->artefact) out->targets = *am_artefact_targets(m->model->artefact);
    else
        AM_TRY(
            am_target_choose(options ? options->target : NULL, options ? options->target_policy : NULL, &out->targets));
    AM_TRY(am_read_precision(options ? options->weights : NULL, options ? options->dtype : NULL, out));
    if (out->targets.policy == AM_TARGET_AUTO) out->targets = (am_target_choice){0};
    return NULL;
}

static am_status put_profile(am_buffer *out, const benchmark *m, const am_model_options *options)
{
    am_session_options how;
    am_profile profile;
    if (!m->profiles) {
        am_put_text(out, "profile", NULL);
        return NULL;
    }
    AM_TRY(choose_targets(m, options, &how));
    am_status status = am_profile_measure(m->model->pipeline->model, &how,
                                          &(am_profile_run){.inputs = m->inputs.items, .input_count = m->inputs.count},
                                          STEADY_MS, &profile);
    if (!status) am_profile_put(out, &profile);
    am_profile_deinit(&profile);
    return status;
}

static am_status write(const benchmark *m, const am_model_options *options, am_buffer *out)
{
    int64_t peak = peak_memory_bytes(); /* before the peaks' own buffers */
    am_put_open(out, NULL, '{');
    am_put_text(out, "architecture", am_model_architecture(m->model));
    put_targets(out, am_session_program(m->model->pipeline->session));
    put_inputs(out, &m->inputs);
    am_put_real(out, "load_ms", m->load_ms);
    am_put_real(out, "first_ms", m->first_ms);
    put_steady(out, m);
    put_generation(out, m);
    am_put_integer(out, "peak_memory_bytes", peak);
    AM_TRY(put_profile(out, m, options));
    AM_TRY(put_machine(out));
    am_put_close(out, '}');
    return NULL;
}

am_status am_benchmark(const char *directory, const am_model_options *options, const char *shapes, bool profile,
                       char **out_json)
{
    benchmark m = {.profiles = profile};
    am_buffer out = {0};
    am_status status = measure(&m, directory, options, shapes);
    if (!status) status = write(&m, options, &out);
    am_model_close(m.model);
    am_arena_deinit(&m.arena);
    return am_put_finish(&out, status, out_json);
}
