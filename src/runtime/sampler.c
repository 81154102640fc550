#include "runtime/sampler.h"

#include "base/memory.h"
#include "base/prng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct candidate {
    float score;
    int32_t token;
} candidate;

struct am_sampler {
    am_generation_config config;
    float *scores; /* [vocab] */
    candidate *sorted;
    int64_t vocab;
};

am_status am_sampler_create(const am_generation_config *config, am_sampler **out)
{
    *out = am_alloc_zeroed(1, sizeof **out);
    if (!*out) return am_out_of_memory();
    (*out)->config = *config;
    return NULL;
}

void am_sampler_destroy(am_sampler *s)
{
    if (!s) return;
    am_free(s->scores);
    am_free(s->sorted);
    am_free(s);
}

static am_status make_room(am_sampler *s, int64_t vocab)
{
    if (s->vocab >= vocab) return NULL;
    am_free(s->scores);
    am_free(s->sorted);
    s->scores = am_alloc_zeroed((size_t)vocab, sizeof *s->scores);
    s->sorted = am_alloc_zeroed((size_t)vocab, sizeof *s->sorted);
    s->vocab = s->scores && s->sorted ? vocab : 0;
    return s->vocab ? NULL : am_out_of_memory();
}

/* --- processors --- */

/* CTRL (arXiv 1909.05858): each token that occurred is made less likely once. */
static void penalize_repetition(const am_sampler *s, int64_t vocab, const int32_t *ids, int64_t length)
{
    float penalty = (float)s->config.repetition_penalty;
    for (int64_t i = 0; i < length; i++) {
        bool counted = ids[i] < 0 || ids[i] >= vocab;
        for (int64_t k = 0; k < i && !counted; k++) counted = ids[k] == ids[i];
        if (!counted) s->scores[ids[i]] *= s->scores[ids[i]] < 0 ? penalty : 1 / penalty;
    }
}

static void forbid_ngrams(const am_sampler *s, int64_t vocab, const int32_t *ids, int64_t length)
{
    int64_t n = s->config.no_repeat_ngram_size;
    for (int64_t i = 0; i + n <= length; i++)
        if (memcmp(ids + i, ids + length - n + 1, (size_t)(n - 1) * sizeof *ids) == 0 && ids[i + n - 1] >= 0 &&
            ids[i + n - 1] < vocab)
            s->scores[ids[i + n - 1]] = -INFINITY;
}

static void forbid_early_stop(const am_sampler *s, int64_t vocab, int64_t length, int64_t prompt)
{
    const am_generation_config *c = &s->config;
    if (length >= c->min_length && length - prompt >= c->min_new_tokens) return;
    for (int i = 0; i < c->eos_count; i++)
        if (c->eos_token_id[i] >= 0 && c->eos_token_id[i] < vocab) s->scores[c->eos_token_id[i]] = -INFINITY;
}

static void forbid_tokens(const am_sampler *s, int64_t vocab, const int32_t *tokens, int count)
{
    for (int i = 0; i < count; i++)
        if (tokens[i] >= 0 && tokens[i] < vocab) s->scores[tokens[i]] = -INFINITY;
}

static void force_token(const am_sampler *s, int64_t vocab, int32_t token)
{
    for (int64_t i = 0; i < vocab; i++) s->scores[i] = i == token ? 0 : -INFINITY;
}

static void force_tokens(const am_sampler *s, int64_t vocab, int64_t length, int64_t prompt)
{
    const am_generation_config *c = &s->config;
    int64_t end = c->max_new_tokens ? prompt + c->max_new_tokens : c->max_length;
    if (c->forced_bos_token_id >= 0 && length == 1) force_token(s, vocab, c->forced_bos_token_id);
    if (c->forced_eos_token_id >= 0 && length == end - 1) force_token(s, vocab, c->forced_eos_token_id);
}

static void process(const am_sampler *s, int64_t vocab, const int32_t *ids, int64_t length, int64_t prompt)
{
    if (s->config.repetition_penalty != 1) penalize_repetition(s, vocab, ids, length);
    if (s->config.no_repeat_ngram_size > 0) forbid_ngrams(s, vocab, ids, length);
    forbid_early_stop(s, vocab, length, prompt);
    forbid_tokens(s, vocab, s->config.suppress_tokens, s->config.suppress_count);
    if (length == prompt) forbid_tokens(s, vocab, s->config.begin_suppress_tokens, s->config.begin_suppress_count);
    force_tokens(s, vocab, length, prompt);
}

/* --- drawing --- */

static int by_score(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return (x->token > y->token) - (x->token < y->token);
}

/* Best candidates first, as many as top_k, top_p and min_p leave; their scores become probabilities that are
 * not yet normalized. */
static int64_t warp(am_sampler *s, int64_t vocab)
{
    const am_generation_config *c = &s->config;
    double total = 0, kept = 0;
    int64_t count = vocab;
    for (int64_t i = 0; i < vocab; i++) s->sorted[i] = (candidate){s->scores[i] / (float)c->temperature, (int32_t)i};
    qsort(s->sorted, (size_t)vocab, sizeof *s->sorted, by_score);
    if (c->top_k > 0 && c->top_k < count) count = c->top_k;
    float best = s->sorted[0].score;
    for (int64_t i = 0; i < count; i++) total += s->sorted[i].score = expf(s->sorted[i].score - best);
    int64_t end = count;
    for (int64_t i = 0; i < end && c->top_p < 1; i++) {
        kept += (double)s->sorted[i].score / total;
        if (kept >= c->top_p) end = i + 1;
    }
    while (c->min_p > 0 && end > 1 && (double)s->sorted[end - 1].score < c->min_p) end--;
    return end;
}

static int32_t draw(am_sampler *s, int64_t vocab, uint64_t row, int64_t length)
{
    int64_t count = warp(s, vocab);
    double total = 0, reached = 0, wanted;
    for (int64_t i = 0; i < count; i++) total += s->sorted[i].score;
    wanted = am_uniform(am_splitmix(s->config.seed, row), (uint64_t)length) * total;
    for (int64_t i = 0; i < count; i++) {
        reached += s->sorted[i].score;
        if (wanted < reached) return s->sorted[i].token;
    }
    return s->sorted[count - 1].token;
}

static int32_t best(const float *scores, int64_t vocab)
{
    int64_t at = 0;
    for (int64_t i = 1; i < vocab; i++)
        if (scores[i] > scores[at]) at = i;
    return (int32_t)at;
}

am_status am_sampler_choose(am_sampler *s, const float *logits, int64_t vocab, const int32_t *ids, int64_t length,
                            int64_t prompt, uint64_t row, int32_t *out)
{
    if (vocab < 1) return am_error(AM_INVALID_ARGUMENT, "there are no logits to choose from");
    AM_TRY(make_room(s, vocab));
    memcpy(s->scores, logits, (size_t)vocab * sizeof *logits);
    process(s, vocab, ids, length, prompt);
    *out = s->config.do_sample && s->config.temperature > 0 ? draw(s, vocab, row, length) : best(s->scores, vocab);
    return NULL;
}
