#include "targets/tier.h"

#include "base/memory.h"
#include "base/warning.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* The cpu spends this on a graph before another target is tried, and each is tried this often. */
enum { AFTER_MS = 1000, AFTER_RUNS = 8, TRIAL_RUNS = 6 };

/* A target must beat the cpu by this much to be worth its memory. */
static const double CLEARLY_FASTER = 0.95;

typedef enum phase { WAITING, COMPILING, TRYING, DECIDED } phase;

struct am_tier {
    const am_graph *graph;
    const am_target_choice *candidates;
    am_target_options options;
    phase phase;
    int candidate;       /* index of the pick that is compiled or tried; candidates->count: none is left */
    am_program *program; /* the candidate's; stays when it won */
    bool on_candidate;   /* the run under way is the candidate's */
    int runs, trials;
    double spent_ms, best_ms, candidate_best_ms;
    pthread_t thread;
    bool has_thread;
    atomic_bool is_done, is_cancelled;
    am_program *made; /* by the thread */
    am_status failure;
    char state[64];
};

am_status am_tier_create(const am_graph *graph, const am_target_choice *candidates, const am_target_options *options,
                         am_tier **out)
{
    am_tier *t = *out = am_alloc_zeroed(1, sizeof *t);
    if (!t) return am_out_of_memory();
    t->graph = graph;
    t->candidates = candidates;
    t->options = *options;
    t->options.cancelled = &t->is_cancelled;
    return NULL;
}

static void join(am_tier *t)
{
    if (t->has_thread) pthread_join(t->thread, NULL);
    t->has_thread = false;
}

void am_tier_destroy(am_tier *t)
{
    if (!t) return;
    atomic_store(&t->is_cancelled, true);
    join(t);
    am_program_destroy(t->made);
    am_program_destroy(t->program);
    am_status_free(t->failure);
    am_free(t);
}

/* --- compiling --- */

static void *compile(void *context)
{
    am_tier *t = context;
    am_target_choice choice = {.picks = {t->candidates->picks[t->candidate]},
                               .count = 1,
                               .policy = AM_TARGET_REQUIRE, /* a part on the cpu costs more than it saves */
                               .allow_untested = t->candidates->allow_untested};
    t->failure = am_program_create(t->graph, &choice, &t->options, &t->made);
    atomic_store(&t->is_done, true);
    return NULL;
}

static bool is_here(const am_target *target)
{
    am_target_report report = {0};
    target->probe(&report);
    return report.present;
}

static void start(am_tier *t)
{
    while (t->candidate < t->candidates->count && !is_here(t->candidates->picks[t->candidate].target)) t->candidate++;
    if (t->candidate == t->candidates->count) {
        t->phase = DECIDED;
        return;
    }
    atomic_store(&t->is_done, false);
    t->has_thread = pthread_create(&t->thread, NULL, compile, t) == 0;
    t->phase = t->has_thread ? COMPILING : DECIDED;
}

static void give_up(am_tier *t)
{
    am_program_destroy(t->program);
    t->program = NULL;
    t->candidate++;
    start(t);
}

static void take_compiled(am_tier *t)
{
    join(t);
    t->program = t->made;
    t->made = NULL;
    am_status_free(t->failure);
    t->failure = NULL;
    if (!t->program) {
        give_up(t);
        return;
    }
    t->phase = TRYING;
    t->trials = 0;
    t->best_ms = t->candidate_best_ms = 0;
}

/* --- running --- */

am_program *am_tier_next(am_tier *t)
{
    if (t->phase == WAITING && t->spent_ms >= AFTER_MS && t->runs >= AFTER_RUNS) start(t);
    if (t->phase == COMPILING && atomic_load(&t->is_done)) take_compiled(t);
    t->on_candidate = t->program && (t->phase == DECIDED || t->trials % 2 == 0);
    return t->on_candidate ? t->program : NULL;
}

static void note_trial(am_tier *t, double milliseconds)
{
    double *best = t->on_candidate ? &t->candidate_best_ms : &t->best_ms;
    if (*best == 0 || milliseconds < *best) *best = milliseconds;
    if (++t->trials < 2 * TRIAL_RUNS) return;
    if (t->candidate_best_ms < CLEARLY_FASTER * t->best_ms) t->phase = DECIDED;
    else give_up(t);
}

void am_tier_ran(am_tier *t, double milliseconds)
{
    t->runs++;
    t->spent_ms += milliseconds;
    if (t->phase == TRYING) note_trial(t, milliseconds);
}

void am_tier_failed(am_tier *t, am_status why)
{
    am_warn("target %s failed and is given up: %s", t->candidates->picks[t->candidate].target->name,
            am_status_message(why));
    give_up(t);
}

const char *am_tier_state(am_tier *t)
{
    const char *name = t->candidate < t->candidates->count ? t->candidates->picks[t->candidate].target->name : "";
    if (t->phase == COMPILING) snprintf(t->state, sizeof t->state, "on the cpu, compiling for %s", name);
    else if (t->phase == TRYING) snprintf(t->state, sizeof t->state, "trying %s", name);
    else snprintf(t->state, sizeof t->state, "on %s", t->program ? name : "the cpu");
    return t->state;
}
