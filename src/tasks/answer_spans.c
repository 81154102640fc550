#include "tasks/answer_spans.h"

#include "text/tokenizer.h"

#include <math.h>
#include <stdlib.h>

am_status am_option_count(am_json options, const char *name, int64_t fallback, int64_t *out)
{
    AM_TRY(am_check_option(options, name, AM_JSON_INTEGER));
    *out = am_json_int(am_json_get(options, name), fallback);
    return *out >= 1
               ? NULL
               : am_error(AM_INVALID_ARGUMENT, "option %s: expected at least 1, found %lld", name, (long long)*out);
}

bool *am_allowed_in_answers(const am_tokenizer *tokenizer, const am_encoding *e, int32_t context, am_arena *arena)
{
    int32_t cls = am_tokenizer_special_id(tokenizer, "cls_token");
    bool *allowed = am_arena_array(arena, e->count, sizeof *allowed);
    for (size_t i = 0; allowed && i < e->count; i++)
        allowed[i] = e->attention_mask[i] && (e->sequence_ids[i] == context || (cls >= 0 && e->ids[i] == cls));
    return allowed;
}

/* Probabilities over the allowed places. */
static void normalize(const float *logits, const am_span_search *search, float *out)
{
    float largest = -INFINITY;
    double total = 0;
    for (int64_t i = 0; i < search->T; i++) out[i] = search->allowed[i] ? logits[i] : -10000.0f;
    for (int64_t i = 0; i < search->T; i++) largest = fmaxf(largest, out[i]);
    for (int64_t i = 0; i < search->T; i++) {
        out[i] = expf(out[i] - largest);
        total += (double)out[i];
    }
    for (int64_t i = 0; i < search->T; i++) out[i] = (float)((double)out[i] / total);
}

static int by_score(const void *a, const void *b)
{
    const am_answer_span *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return (x->start > y->start) - (x->start < y->start);
}

/* Keeps the `limit` best, in no order. */
static void keep_best(am_answer_span *best, int64_t *count, int64_t limit, am_answer_span candidate)
{
    int64_t worst = 0;
    if (*count < limit) {
        best[(*count)++] = candidate;
        return;
    }
    for (int64_t i = 1; i < limit; i++)
        if (best[i].score < best[worst].score) worst = i;
    if (candidate.score > best[worst].score) best[worst] = candidate;
}

/* Of two places; 0 where the span is too long or not allowed. */
static double score_of(const float *start, const float *end, const am_span_search *search, int64_t s, int64_t e)
{
    bool fits = e >= s && e < s + search->max_answer_len && search->allowed[s] && search->allowed[e];
    return fits ? (double)(start[s] * end[e]) : 0;
}

/* Where there are fewer than `limit` probable spans, transformers takes others, by their places, and of those leaves
   out the ones that are not allowed, except for the first place. */
static void add_improbable(const float *start, const float *end, const am_span_search *search, am_answer_span *out,
                           int64_t *count)
{
    int64_t left = search->limit - *count;
    for (int64_t i = 0; i < search->T * search->T && left > 0; i++) {
        int64_t s = i / search->T, e = i % search->T;
        if (score_of(start, end, search, s, e) > 0) continue;
        bool kept = (!s || search->allowed[s]) && (!e || search->allowed[e]);
        if (kept) out[(*count)++] = (am_answer_span){.start = s, .end = e};
        left--;
    }
}

static int64_t best_spans(const float *start, const float *end, const am_span_search *search, am_answer_span *out)
{
    int64_t count = 0;
    for (int64_t s = 0; s < search->T; s++)
        for (int64_t e = s; e < search->T && e < s + search->max_answer_len; e++) {
            double score = score_of(start, end, search, s, e);
            if (score > 0)
                keep_best(out, &count, search->limit, (am_answer_span){.score = score, .start = s, .end = e});
        }
    qsort(out, (size_t)count, sizeof *out, by_score);
    add_improbable(start, end, search, out, &count);
    return count;
}

am_status am_best_spans(const float *start_logits, const float *end_logits, const am_span_search *search,
                        am_arena *arena, am_answer_span **out, int64_t *out_count, double *null_score)
{
    float *start = am_arena_array(arena, (size_t)search->T, sizeof *start),
          *end = am_arena_array(arena, (size_t)search->T, sizeof *end);
    *out = am_arena_array(arena, (size_t)search->limit, sizeof **out);
    if (!start || !end || !*out) return am_out_of_memory();
    normalize(start_logits, search, start);
    normalize(end_logits, search, end);
    if (null_score) *null_score = fmin(*null_score, (double)(start[0] * end[0]));
    start[0] = end[0] = 0;
    *out_count = best_spans(start, end, search, *out);
    return NULL;
}

am_status am_find_spans(am_pipeline *p, const am_session_input *inputs, int count, const am_span_search *search,
                        am_arena *arena, am_answer_span **out, int64_t *out_count, double *null_score)
{
    am_tensor start_logits, end_logits;
    AM_TRY(am_run_for_output(p, inputs, count, "start_logits", &start_logits));
    if (!am_session_find_output(p->session, "end_logits", &end_logits))
        return am_error(AM_UNSUPPORTED, "class %s gives no end_logits", p->model->architecture->name);
    return am_best_spans(start_logits.data, end_logits.data, search, arena, out, out_count, null_score);
}
