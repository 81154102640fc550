#include "api/profile.h"

#include "api/json_writer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "targets/work.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS_LEAST = 5 };

/* The row of a kernel, made where there is none; null when there is no memory. */
static am_profile_row *row_of(am_profile *p, const char *kernel)
{
    for (int i = 0; i < p->count; i++)
        if (strcmp(p->rows[i].kernel, kernel) == 0) return &p->rows[i];
    if (p->count == p->limit) {
        int limit = p->limit ? 2 * p->limit : 32;
        am_profile_row *rows = am_realloc(p->rows, (size_t)limit * sizeof *rows);
        if (!rows) return NULL;
        p->rows = rows;
        p->limit = limit;
    }
    p->rows[p->count] = (am_profile_row){.kernel = kernel};
    return &p->rows[p->count++];
}

/* Adds what the steps have taken so far; sign -1: takes it off. */
static am_status add_steps(am_profile *p, const am_program *program, int sign)
{
    am_target_step step;
    for (int piece = 0; piece < am_program_plan(program)->piece_count; piece++)
        for (int i = 0; am_program_step(program, piece, i, &step); i++) {
            am_profile_row *row = row_of(p, step.kernel);
            if (!row) return am_out_of_memory();
            row->calls += sign * step.calls;
            row->nanoseconds += sign * step.nanoseconds;
        }
    return NULL;
}

/* Of one run. Kernels of targets that keep no times have no row. */
static void add_flops(am_profile *p, const am_program *program)
{
    for (int piece = 0; piece < am_program_plan(program)->piece_count; piece++) {
        const am_graph *graph = am_program_piece_graph(program, piece);
        for (int i = 0; i < graph->node_count; i++) {
            const char *kernel = am_program_kernel(program, piece, &graph->nodes[i]);
            for (int r = 0; r < p->count; r++)
                if (strcmp(p->rows[r].kernel, kernel) == 0)
                    p->rows[r].flops += am_graph_node_flops(graph, &graph->nodes[i]);
        }
    }
}

static int by_time(const void *a, const void *b)
{
    int64_t x = ((const am_profile_row *)a)->nanoseconds, y = ((const am_profile_row *)b)->nanoseconds;
    return (x < y) - (x > y);
}

static am_status run_once(am_profile *p, const am_profile_run *run)
{
    return am_session_run(p->session, run->inputs, run->input_count, run->options);
}

static am_status run_often(am_profile *p, const am_profile_run *run, double milliseconds)
{
    for (; p->runs < RUNS_LEAST || p->runs_ms < milliseconds; p->runs++) {
        double start = am_clock_ms();
        AM_TRY(run_once(p, run));
        p->runs_ms += am_clock_ms() - start;
    }
    return NULL;
}

am_status am_profile_measure(am_loaded_model *model, const am_session_options *options, const am_profile_run *run,
                             double milliseconds, am_profile *out)
{
    *out = (am_profile){0};
    AM_TRY(am_session_create(model, options, &out->session));
    AM_TRY(run_once(out, run));
    const am_program *program = am_session_program(out->session);
    AM_TRY(add_steps(out, program, -1));
    AM_TRY(run_often(out, run, milliseconds));
    AM_TRY(add_steps(out, program, 1));
    add_flops(out, program);
    if (out->count) qsort(out->rows, (size_t)out->count, sizeof *out->rows, by_time);
    return NULL;
}

void am_profile_deinit(am_profile *p)
{
    am_session_destroy(p->session);
    am_free(p->rows);
    *p = (am_profile){0};
}

static void put_row(am_buffer *out, const am_profile *p, const am_profile_row *row)
{
    double ms = (double)row->nanoseconds * 1e-6 / p->runs;
    am_put_open(out, NULL, '{');
    am_put_text(out, "kernel", row->kernel);
    am_put_integer(out, "calls", row->calls / p->runs);
    am_put_real(out, "ms", ms);
    am_put_real(out, "share", ms * p->runs / p->runs_ms);
    am_put_real(out, "gflop_per_s", row->flops > 0 && ms > 0 ? row->flops * 1e-6 / ms : NAN);
    am_put_close(out, '}');
}

void am_profile_put(am_buffer *out, const am_profile *p)
{
    am_put_open(out, "profile", '{');
    am_put_integer(out, "runs", p->runs);
    am_put_real(out, "run_ms", p->runs_ms / p->runs);
    am_put_open(out, "kernels", '[');
    for (int i = 0; i < p->count; i++) put_row(out, p, &p->rows[i]);
    am_put_close(out, ']');
    am_put_close(out, '}');
}
