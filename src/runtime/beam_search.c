#include "runtime/beam_search.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

/* Added to a score that must not be chosen. Scores are float32 sums in the order of transformers, so that equal ones
   stay equal. */
static const float OUT_OF_THE_QUESTION = -1e9F;

typedef struct hypothesis {
    int32_t *ids;             /* prompt and new tokens: [end] */
    float *log_probabilities; /* of the same; null: not wanted */
    int64_t length;
    float score;
    bool finished;
} hypothesis;

typedef struct continuation {
    float score, log_probability;
    int32_t beam, token;
    bool stops;
} continuation;

typedef struct row {
    hypothesis *running, *finished; /* [beams] each */
    hypothesis *spare;              /* [beams]: to build the next ones in */
    bool can_improve;
} row;

struct am_beam_search {
    am_beam_problem problem;
    am_sampler *sampler;
    am_arena arena;
    row *rows;
    int64_t beams, kept; /* continuations considered of a row: enough that `beams` of them do not stop */
    int64_t prompt, length, end;
    int32_t *next, *origin;
    float *scores, *noisy; /* [beams * vocab] */
    int64_t vocab;
    am_scored_token *best; /* [kept] */
    continuation *continuations;
};

/* --- beginning --- */

static am_status make_hypotheses(am_beam_search *s, const am_history *prompt, float score, hypothesis **out)
{
    *out = am_arena_array(&s->arena, (size_t)s->beams, sizeof **out);
    for (int64_t i = 0; *out && i < s->beams; i++) {
        hypothesis *h = &(*out)[i];
        h->ids = am_arena_array(&s->arena, (size_t)s->end, sizeof *h->ids);
        if (s->problem.wants_log_probabilities)
            h->log_probabilities = am_arena_array(&s->arena, (size_t)s->end, sizeof *h->log_probabilities);
        if (!h->ids || (s->problem.wants_log_probabilities && !h->log_probabilities)) return am_out_of_memory();
        memcpy(h->ids, prompt->ids, (size_t)prompt->length * sizeof *h->ids);
        h->length = prompt->length;
        h->score = score;
    }
    return *out ? NULL : am_out_of_memory();
}

/* Only the first beam counts at first; all are the same. */
static am_status make_row(am_beam_search *s, const am_history *prompt, row *r)
{
    AM_TRY(make_hypotheses(s, prompt, OUT_OF_THE_QUESTION, &r->running));
    AM_TRY(make_hypotheses(s, prompt, OUT_OF_THE_QUESTION, &r->finished));
    AM_TRY(make_hypotheses(s, prompt, OUT_OF_THE_QUESTION, &r->spare));
    r->running[0].score = 0;
    r->can_improve = true;
    return NULL;
}

static am_status make_arrays(am_beam_search *s)
{
    size_t rows = (size_t)(s->problem.batch * s->beams);
    s->rows = am_arena_array(&s->arena, (size_t)s->problem.batch, sizeof *s->rows);
    s->next = am_arena_array(&s->arena, rows, sizeof *s->next);
    s->origin = am_arena_array(&s->arena, rows, sizeof *s->origin);
    s->best = am_arena_array(&s->arena, (size_t)s->kept, sizeof *s->best);
    s->continuations = am_arena_array(&s->arena, (size_t)s->kept, sizeof *s->continuations);
    if (!s->rows || !s->next || !s->origin || !s->best || !s->continuations) return am_out_of_memory();
    for (int64_t r = 0; r < s->problem.batch; r++) AM_TRY(make_row(s, &s->problem.prompts[r], &s->rows[r]));
    return am_sampler_create(s->problem.config, &s->sampler);
}

am_status am_beam_search_create(const am_beam_problem *problem, am_beam_search **out)
{
    am_beam_search *s = *out = am_alloc_zeroed(1, sizeof *s);
    int64_t stops = problem->config->eos_token_id.count;
    if (!s) return am_out_of_memory();
    s->problem = *problem;
    s->beams = problem->config->num_beams;
    s->kept = (stops > 1 ? stops + 1 : 2) * s->beams;
    s->prompt = s->length = problem->prompts[0].length;
    s->end = am_generation_config_end(problem->config, s->prompt);
    am_status status = make_arrays(s);
    if (!status) return NULL;
    am_beam_search_destroy(s);
    *out = NULL;
    return status;
}

void am_beam_search_destroy(am_beam_search *s)
{
    if (!s) return;
    am_sampler_destroy(s->sampler);
    am_free(s->scores);
    am_free(s->noisy);
    am_arena_deinit(&s->arena);
    am_free(s);
}

static am_status make_room(am_beam_search *s, int64_t vocab)
{
    if (s->vocab == vocab) return NULL;
    if (vocab * s->beams < s->kept || vocab > INT32_MAX / s->beams)
        return am_error(AM_INVALID_ARGUMENT, "num_beams is %lld, for a vocabulary of %lld", (long long)s->beams,
                        (long long)vocab);
    am_free(s->scores);
    am_free(s->noisy);
    s->scores = am_alloc_zeroed((size_t)(vocab * s->beams), sizeof *s->scores);
    s->noisy = am_alloc_zeroed((size_t)(vocab * s->beams), sizeof *s->noisy);
    s->vocab = s->scores && s->noisy ? vocab : 0;
    return s->vocab ? NULL : am_out_of_memory();
}

/* --- one step of one row --- */

/* Scores of every token after every beam: [beams, vocab]. */
static am_status score_tokens(am_beam_search *s, int64_t at, const float *logits)
{
    am_history history = s->problem.prompts[at];
    history.length = s->length;
    for (int64_t b = 0; b < s->beams; b++) {
        const hypothesis *beam = &s->rows[at].running[b];
        float *scores = s->scores + b * s->vocab;
        history.ids = beam->ids;
        AM_TRY(am_sampler_log_probabilities(s->sampler, logits + b * s->vocab, s->vocab, &history, scores));
        for (int64_t i = 0; i < s->vocab; i++) scores[i] += beam->score;
    }
    return NULL;
}

static bool is_stop(am_beam_search *s, const hypothesis *beam, int32_t token)
{
    if (s->length + 1 >= s->end || am_generation_config_stops(s->problem.config, token)) return true;
    beam->ids[s->length] = token;
    return s->problem.stops && s->problem.stops(s->problem.context, beam->ids, s->length + 1, s->prompt);
}

static void choose_continuations(am_beam_search *s, int64_t at)
{
    am_sampler_continuations(s->sampler, s->scores, s->beams * s->vocab, s->kept, (uint64_t)at, s->length, s->noisy,
                             s->best);
    for (int64_t i = 0; i < s->kept; i++) {
        int32_t beam = (int32_t)(s->best[i].token / s->vocab), token = (int32_t)(s->best[i].token % s->vocab);
        s->continuations[i] = (continuation){.score = s->best[i].score, .beam = beam, .token = token};
        s->continuations[i].stops = is_stop(s, &s->rows[at].running[beam], token);
        if (s->problem.wants_log_probabilities)
            s->continuations[i].log_probability =
                (float)am_log_probability(s->scores + beam * s->vocab, s->vocab, token, 1.0);
    }
}

static void extend(const am_beam_search *s, const hypothesis *beam, const continuation *c, float score, hypothesis *out)
{
    memcpy(out->ids, beam->ids, (size_t)s->length * sizeof *out->ids);
    out->ids[s->length] = c->token;
    if (out->log_probabilities) {
        memcpy(out->log_probabilities, beam->log_probabilities, (size_t)s->length * sizeof *out->log_probabilities);
        out->log_probabilities[s->length] = c->log_probability;
    }
    out->length = s->length + 1;
    out->score = score;
}

static void swap(hypothesis **a, hypothesis **b)
{
    hypothesis *c = *a;
    *a = *b;
    *b = c;
}

/* Place of the best of `count` scores not yet taken; the first of equal ones. It is taken. */
static int64_t take_best(const float *scores, bool *taken, int64_t count)
{
    int64_t best = -1;
    for (int64_t i = 0; i < count; i++)
        if (!taken[i] && (best < 0 || scores[i] > scores[best])) best = i;
    taken[best] = true;
    return best;
}

static bool is_full(const am_beam_search *s, const row *r)
{
    for (int64_t i = 0; i < s->beams; i++)
        if (!r->finished[i].finished) return false;
    return true;
}

/* Score of a continuation as a finished hypothesis; out of the question unless it is one and may enter. */
static float finished_score(const am_beam_search *s, const row *r, int64_t i, bool full)
{
    const am_generation_config *c = s->problem.config;
    float score = s->continuations[i].score / (float)pow((double)(s->length + 1 - s->prompt), c->length_penalty);
    if (full && c->early_stopping == AM_EARLY_STOPPING_TRUE) score += OUT_OF_THE_QUESTION;
    if (!r->can_improve) score += OUT_OF_THE_QUESTION;
    if (!s->continuations[i].stops || i >= s->beams) score += OUT_OF_THE_QUESTION;
    return score;
}

/* The best of the finished ones and of the continuations that stop, of which only the best `beams` may. A place that
   holds nothing yet goes to any. */
static void merge_finished(am_beam_search *s, row *r, float *scores, bool *taken)
{
    bool full = is_full(s, r);
    for (int64_t i = 0; i < s->beams; i++) scores[i] = r->finished[i].finished ? r->finished[i].score : -INFINITY;
    for (int64_t i = 0; i < s->kept; i++) scores[s->beams + i] = finished_score(s, r, i, full);
    for (int64_t i = 0; i < s->beams; i++) {
        int64_t place = take_best(scores, taken, s->beams + s->kept), k = place - s->beams;
        const continuation *c = k >= 0 ? &s->continuations[k] : NULL;
        hypothesis *out = &r->spare[i], old = *out;
        if (c) extend(s, &r->running[c->beam], c, scores[place], out);
        else {
            *out = r->finished[place];
            r->finished[place].ids = old.ids;
            r->finished[place].log_probabilities = old.log_probabilities;
        }
        if (c) out->finished = c->stops && k < s->beams;
    }
    swap(&r->finished, &r->spare);
}

/* The best continuations that do not stop go on. */
static void choose_running(am_beam_search *s, int64_t at, float *scores, bool *taken)
{
    row *r = &s->rows[at];
    for (int64_t i = 0; i < s->kept; i++)
        scores[i] = s->continuations[i].score + (s->continuations[i].stops ? OUT_OF_THE_QUESTION : 0);
    for (int64_t i = 0; i < s->beams; i++) {
        int64_t place = take_best(scores, taken, s->kept), to = at * s->beams + i;
        const continuation *c = &s->continuations[place];
        extend(s, &r->running[c->beam], c, scores[place], &r->spare[i]);
        s->next[to] = c->token;
        s->origin[to] = (int32_t)(at * s->beams) + c->beam;
    }
    swap(&r->running, &r->spare);
}

/* Whether the best running beam may yet beat the worst finished one; `length` counts the token just added. */
static bool may_improve(const am_beam_search *s, const row *r, int64_t length)
{
    const am_generation_config *c = s->problem.config;
    bool to_end = c->early_stopping == AM_EARLY_STOPPING_NEVER && c->length_penalty > 0;
    int64_t reached = (to_end ? s->end : length) - s->prompt;
    float possible = r->running[0].score / (float)pow((double)reached, c->length_penalty), worst = INFINITY;
    for (int64_t i = 0; i < s->beams; i++) worst = fminf(worst, r->finished[i].score);
    for (int64_t i = 0; i < s->beams; i++)
        if (possible > (r->finished[i].finished ? worst : OUT_OF_THE_QUESTION)) return true;
    return false;
}

static am_status step_row(am_beam_search *s, int64_t at, const float *logits)
{
    row *r = &s->rows[at];
    size_t count = (size_t)(s->beams + s->kept);
    float *scores = am_alloc_zeroed(count, sizeof *scores);
    bool *taken = am_alloc_zeroed(2 * count, sizeof *taken);
    am_status status = scores && taken ? score_tokens(s, at, logits) : am_out_of_memory();
    if (!status) {
        choose_continuations(s, at);
        merge_finished(s, r, scores, taken);
        choose_running(s, at, scores, taken + count);
        r->can_improve = r->can_improve && may_improve(s, r, s->length + 1);
    }
    am_free(scores);
    am_free(taken);
    return status;
}

/* --- all rows --- */

am_status am_beam_search_step(am_beam_search *s, const float *logits, int64_t vocab, const int32_t **next,
                              const int32_t **origin, bool *done)
{
    bool can_improve = false, all_full = true, all_stop = true;
    AM_TRY(make_room(s, vocab));
    for (int64_t r = 0; r < s->problem.batch; r++) {
        AM_TRY(step_row(s, r, logits + r * s->beams * vocab));
        can_improve |= s->rows[r].can_improve;
        all_full &= is_full(s, &s->rows[r]);
        for (int64_t i = 0; i < s->kept; i++) all_stop &= s->continuations[i].stops;
    }
    s->length++;
    *next = s->next;
    *origin = s->origin;
    *done = !can_improve || all_stop || (all_full && s->problem.config->early_stopping == AM_EARLY_STOPPING_TRUE);
    return NULL;
}

am_hypothesis am_beam_search_result(const am_beam_search *s, int64_t at, int64_t rank)
{
    const hypothesis *h = &s->rows[at].finished[rank];
    return (am_hypothesis){.ids = h->ids + s->prompt,
                           .length = h->length - s->prompt,
                           .score = h->score,
                           .log_probabilities = h->log_probabilities ? h->log_probabilities + s->prompt : NULL};
}
