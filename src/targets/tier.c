#include "targets/tier.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/warning.h"
#include "targets/calibration.h"
#include "targets/measurement.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* The cpu spends this on a graph before a target is tried of which nothing is known, and each is tried this often. */
enum { AFTER_MS = 1000, AFTER_RUNS = 8, TRIAL_RUNS = 6 };

/* With nothing to compile: the cpu, or the best target, runs. */
typedef enum phase { WAITING, COMPILING, TRYING, DECIDED } phase;

typedef enum standing {
    UNTRIED,
    ABSENT,   /* not on this machine */
    HOPELESS, /* by its estimate */
    GIVEN_UP, /* declined, failed or could not be opened */
    MEASURED,
} standing;

typedef struct candidate {
    standing standing;
    am_measurement found; /* in this process, or kept from another */
    bool is_kept;
    double ratio; /* of a hopeless one */
} candidate;

/* What the thread makes; the tier's own once `is_done`. */
typedef struct job {
    int candidate;
    pthread_t thread;
    bool is_running; /* to be joined */
    atomic_bool is_done;
    am_program *made;
    am_status failure;
    double ratio; /* estimated; 0: no estimate was wanted or possible */
    double create_ms;
} job;

struct am_tier {
    const am_graph *graph;
    const am_target_choice *choice;
    am_target_options options;
    uint64_t hash;
    candidate candidates[AM_TARGET_LIMIT];
    phase phase;
    job job;
    atomic_bool is_cancelled;
    am_program *best; /* runs unless another is tried; null: the cpu's own */
    am_program *trial;
    int best_candidate, trial_candidate; /* -1 for the cpu */
    bool on_trial;                       /* the run under way is the trial's */
    int runs, trials, unchecked;         /* unchecked: runs left until a kept measurement is believed */
    double spent_ms;                     /* on the graph */
    double cpu_ms, best_ms, trial_ms;    /* least: of the cpu in turns; of this trial */
    am_buffer state;
};

static const am_target_pick *pick_of(const am_tier *t, int i)
{
    return &t->choice->picks[i];
}

static const char *name_of(const am_tier *t, int i)
{
    return i < 0 ? "the cpu" : pick_of(t, i)->target->name;
}

/* --- compiling --- */

/* Each process measures a target at most once at a time. */
static am_status calibrate(const am_tier *t, const am_target_pick *pick, am_calibration *out)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    am_status status = NULL;
    while (pthread_mutex_trylock(&lock) != 0) {
        if (atomic_load(&t->is_cancelled)) return am_error(AM_INTERNAL, "cancelled");
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    if (!am_calibration_load(pick, &t->options, out)) status = am_calibration_measure(pick, &t->options, out);
    pthread_mutex_unlock(&lock);
    return status;
}

/* A target without the ops of the calibration has no estimate, and is tried. */
static am_status estimate(const am_tier *t, const am_target_pick *pick, double *out)
{
    am_calibration calibration;
    am_graph_work work = {0};
    AM_TRY(am_graph_work_add(t->graph, &work));
    am_status status = calibrate(t, pick, &calibration);
    if (!status) *out = am_calibration_ratio(&calibration, &work);
    if (!status || am_status_code(status) != AM_UNSUPPORTED) return status;
    am_status_free(status);
    return NULL;
}

static void *compile(void *context)
{
    am_tier *t = context;
    job *j = &t->job;
    const am_target_pick *pick = pick_of(t, j->candidate);
    am_target_choice choice = {.picks = {*pick},
                               .count = 1,
                               .policy = AM_TARGET_REQUIRE, /* a part on the cpu costs more than it saves */
                               .allow_untested = t->choice->allow_untested};
    am_progress_quiet(true);
    if (t->candidates[j->candidate].standing == UNTRIED) j->failure = estimate(t, pick, &j->ratio);
    double begin = am_clock_ms();
    if (!j->failure && j->ratio <= AM_TIER_HOPELESS)
        j->failure = am_program_create(t->graph, &choice, &t->options, &j->made);
    j->create_ms = am_clock_ms() - begin;
    atomic_store(&j->is_done, true);
    return NULL;
}

static bool start(am_tier *t, int i)
{
    t->job = (job){.candidate = i};
    t->job.is_running = pthread_create(&t->job.thread, NULL, compile, t) == 0;
    t->phase = t->job.is_running ? COMPILING : DECIDED;
    return t->job.is_running;
}

static void join(am_tier *t)
{
    if (t->job.is_running) pthread_join(t->job.thread, NULL);
    t->job.is_running = false;
}

static bool is_here(const am_target *target)
{
    am_target_report report = {0};
    target->probe(&report);
    return report.present;
}

/* --- what is known --- */

static bool is_known_faster(const candidate *c)
{
    return c->standing == MEASURED && am_measurement_is_faster(c->found.target_ms, c->found.cpu_ms);
}

/* The fastest by what is kept, if it is not the best already; -1: none. */
static int find_known(const am_tier *t)
{
    int found = -1;
    for (int i = 0; i < t->choice->count && !t->best; i++) {
        const candidate *c = &t->candidates[i];
        if (!c->is_kept || !is_known_faster(c)) continue;
        if (found < 0 || c->found.target_ms < t->candidates[found].found.target_ms) found = i;
    }
    return found;
}

static int find_untried(am_tier *t)
{
    for (int i = 0; i < t->choice->count; i++) {
        if (t->candidates[i].standing != UNTRIED) continue;
        if (is_here(pick_of(t, i)->target)) return i;
        t->candidates[i].standing = ABSENT;
    }
    return -1;
}

static bool has_untried(const am_tier *t)
{
    bool any = false;
    for (int i = 0; i < t->choice->count; i++) any = any || t->candidates[i].standing == UNTRIED;
    return any;
}

/* The candidate to begin with now; -1: none yet. A known one is worth a wait as long as loading it. */
static int find_due(am_tier *t)
{
    int known = find_known(t);
    bool is_long = t->spent_ms >= AFTER_MS && t->runs >= AFTER_RUNS;
    if (known < 0) return is_long ? find_untried(t) : -1;
    return is_long || (t->runs > 0 && t->spent_ms >= t->candidates[known].found.create_ms) ? known : -1;
}

static void go_on(am_tier *t)
{
    int i = find_due(t);
    if (i >= 0) start(t, i);
    else t->phase = find_known(t) >= 0 || has_untried(t) ? WAITING : DECIDED;
}

static void keep(const am_tier *t, int i)
{
    am_measurement_store(t->hash, pick_of(t, i), &t->options, &t->candidates[i].found);
}

/* What will be so in the next process too is kept. */
static void give_up(am_tier *t, int i, am_status why)
{
    candidate *c = &t->candidates[i];
    am_code code = am_status_code(why);
    c->standing = GIVEN_UP;
    c->is_kept = false;
    c->found = (am_measurement){.what = code == AM_UNSUPPORTED ? AM_MEASURED_DECLINED : AM_MEASURED_FAILED};
    snprintf(c->found.reason, sizeof c->found.reason, "%s", am_status_message(why));
    for (char *letter = c->found.reason; *letter; letter++)
        if (*letter == '\n') *letter = ' ';
    if (code != AM_UNSUPPORTED && code != AM_UNAVAILABLE)
        am_warn("target %s failed and is given up: %s", name_of(t, i), am_status_message(why));
    if (code == AM_UNSUPPORTED || code == AM_INTERNAL || code == AM_FAILED) keep(t, i);
}

/* --- deciding --- */

static void adopt(am_tier *t, am_program *program, int i)
{
    am_program_destroy(t->best);
    t->best = program;
    t->best_candidate = i;
    t->best_ms = 0;
}

static void begin_trial(am_tier *t, am_program *program, int i)
{
    t->phase = TRYING;
    t->trial = program;
    t->trial_candidate = i;
    t->trials = 0;
    t->best_ms = t->trial_ms = 0;
}

static void end_trial(am_tier *t)
{
    candidate *c = &t->candidates[t->trial_candidate];
    if (!t->best) t->cpu_ms = t->best_ms;
    c->standing = MEASURED;
    c->is_kept = false;
    c->found.what = AM_MEASURED_TIMES;
    c->found.cpu_ms = t->cpu_ms;
    c->found.target_ms = t->trial_ms;
    c->found.runs = TRIAL_RUNS;
    keep(t, t->trial_candidate);
    if (am_measurement_is_faster(t->trial_ms, t->best_ms)) adopt(t, t->trial, t->trial_candidate);
    else am_program_destroy(t->trial);
    t->trial = NULL;
    go_on(t);
}

static void take_compiled(am_tier *t)
{
    job *j = &t->job;
    candidate *c = &t->candidates[j->candidate];
    join(t);
    if (j->failure) {
        give_up(t, j->candidate, j->failure);
        am_status_free(j->failure);
        j->failure = NULL;
        go_on(t);
        return;
    }
    if (!j->made) {
        c->standing = HOPELESS;
        c->ratio = j->ratio;
        go_on(t);
        return;
    }
    am_program *made = j->made;
    j->made = NULL;
    c->found.create_ms = j->create_ms;
    if (!c->is_kept) {
        begin_trial(t, made, j->candidate);
        return;
    }
    keep(t, j->candidate); /* with the time that loading takes now */
    adopt(t, made, j->candidate);
    t->cpu_ms = c->found.cpu_ms;
    t->unchecked = TRIAL_RUNS;
    go_on(t);
}

/* --- beginning and end --- */

static void load_kept(am_tier *t)
{
    for (int i = 0; i < t->choice->count; i++) {
        candidate *c = &t->candidates[i];
        c->found = am_measurement_load(t->hash, pick_of(t, i), &t->options);
        c->is_kept = c->found.what != AM_MEASURED_NOTHING;
        if (c->found.what == AM_MEASURED_TIMES) c->standing = MEASURED;
        else if (c->is_kept) c->standing = GIVEN_UP;
        if (c->is_kept && !is_here(pick_of(t, i)->target)) c->standing = ABSENT;
    }
}

/* Waits for a known target as long as the answer does not come later by it than by the cpu. */
static void load_at_once(am_tier *t, int i)
{
    const am_measurement *known = &t->candidates[i].found;
    double most_ms = known->cpu_ms - known->target_ms, begin = am_clock_ms();
    if (known->create_ms > most_ms || !start(t, i)) return;
    while (!atomic_load(&t->job.is_done) && am_clock_ms() - begin < most_ms)
        nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    if (atomic_load(&t->job.is_done)) take_compiled(t);
}

am_status am_tier_create(const am_graph *graph, const am_target_choice *candidates, const am_target_options *options,
                         am_tier **out)
{
    am_tier *t = *out = am_alloc_zeroed(1, sizeof *t);
    if (!t) return am_out_of_memory();
    t->graph = graph;
    t->choice = candidates;
    t->options = *options;
    t->options.cancelled = &t->is_cancelled;
    t->options.allow_untested = candidates->allow_untested;
    t->hash = am_graph_hash(graph);
    t->best_candidate = t->trial_candidate = -1;
    load_kept(t);
    go_on(t);
    int known = find_known(t);
    if (known >= 0) load_at_once(t, known);
    return NULL;
}

void am_tier_destroy(am_tier *t)
{
    if (!t) return;
    atomic_store(&t->is_cancelled, true);
    join(t);
    am_program_destroy(t->job.made);
    am_program_destroy(t->trial);
    am_program_destroy(t->best);
    am_status_free(t->job.failure);
    am_buffer_deinit(&t->state);
    am_free(t);
}

/* --- running --- */

am_program *am_tier_next(am_tier *t)
{
    if (t->phase == WAITING) go_on(t);
    if (t->phase == COMPILING && atomic_load(&t->job.is_done)) take_compiled(t);
    t->on_trial = t->phase == TRYING && t->trials % 2 == 0;
    return t->on_trial ? t->trial : t->best;
}

static void note_best(double *best, double milliseconds)
{
    if (*best == 0 || milliseconds < *best) *best = milliseconds;
}

/* A target that was moved over to by what is kept, and is now slower than the cpu was, is measured again. */
static void check_kept(am_tier *t, double milliseconds)
{
    if (t->phase == COMPILING) return; /* which takes time from it */
    note_best(&t->best_ms, milliseconds);
    if (--t->unchecked > 0 || t->best_ms <= t->cpu_ms) return;
    am_program *doubted = t->best;
    t->best = NULL;
    begin_trial(t, doubted, t->best_candidate);
    t->best_candidate = -1;
}

void am_tier_ran(am_tier *t, double milliseconds)
{
    t->runs++;
    t->spent_ms += milliseconds;
    if (t->phase == TRYING) {
        note_best(t->on_trial ? &t->trial_ms : &t->best_ms, milliseconds);
        if (++t->trials == 2 * TRIAL_RUNS) end_trial(t);
    } else if (t->best && t->unchecked > 0) check_kept(t, milliseconds);
}

void am_tier_failed(am_tier *t, am_status why)
{
    if (t->on_trial) {
        am_program_destroy(t->trial);
        t->trial = NULL;
        give_up(t, t->trial_candidate, why);
        go_on(t);
        return;
    }
    give_up(t, t->best_candidate, why);
    adopt(t, NULL, -1);
    t->unchecked = 0;
    if (t->phase == TRYING) begin_trial(t, t->trial, t->trial_candidate); /* against the cpu now */
    else if (t->phase != COMPILING) go_on(t);
}

/* --- telling --- */

static void tell(am_buffer *out, const am_tier *t, int i)
{
    const candidate *c = &t->candidates[i];
    const char *separator = strchr(am_buffer_text(out), '(') ? "; " : " (";
    if (c->standing == UNTRIED || c->standing == ABSENT) return;
    am_buffer_printf(out, "%s%s ", separator, name_of(t, i));
    if (c->standing == MEASURED)
        am_buffer_printf(out, "%.3g ms, cpu %.3g ms, least of %d%s", c->found.target_ms, c->found.cpu_ms, c->found.runs,
                         c->is_kept ? ", measured before" : "");
    else if (c->standing == HOPELESS)
        am_buffer_printf(out, "not tried: estimated at %.1f times the cpu's time", c->ratio);
    else am_buffer_printf(out, "given up%s: %s", c->is_kept ? " before" : "", c->found.reason);
}

const char *am_tier_state(am_tier *t)
{
    am_buffer *out = &t->state;
    am_buffer_clear(out);
    if (t->phase == TRYING) am_buffer_printf(out, "trying %s", name_of(t, t->trial_candidate));
    else am_buffer_printf(out, "on %s", name_of(t, t->best_candidate));
    if (t->phase == COMPILING) am_buffer_printf(out, ", compiling for %s", name_of(t, t->job.candidate));
    for (int i = 0; i < t->choice->count; i++) tell(out, t, i);
    if (strchr(am_buffer_text(out), '(')) am_buffer_append_char(out, ')');
    return am_buffer_text(out);
}
