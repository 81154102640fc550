#include "runtime/sampler.h"

#include "base/memory.h"
#include "base/prng.h"

#include <math.h>
#include <string.h>

struct am_sampler {
    const am_generation_config *config;
    float *scores; /* [vocab] */
    am_scored_token *scratch;
    int64_t vocab;
};

am_status am_sampler_create(const am_generation_config *config, am_sampler **out)
{
    *out = am_alloc_zeroed(1, sizeof **out);
    if (!*out) return am_out_of_memory();
    (*out)->config = config;
    return NULL;
}

void am_sampler_destroy(am_sampler *s)
{
    if (!s) return;
    am_free(s->scores);
    am_free(s->scratch);
    am_free(s);
}

static am_status make_room(am_sampler *s, int64_t vocab)
{
    if (vocab < 1) return am_error(AM_INVALID_ARGUMENT, "there are no logits to choose from");
    if (s->vocab >= vocab) return NULL;
    am_free(s->scores);
    am_free(s->scratch);
    s->scores = am_alloc_zeroed((size_t)vocab, sizeof *s->scores);
    s->scratch = am_alloc_zeroed((size_t)vocab, sizeof *s->scratch);
    s->vocab = s->scores && s->scratch ? vocab : 0;
    return s->vocab ? NULL : am_out_of_memory();
}

static bool samples(const am_sampler *s)
{
    return s->config->do_sample && s->config->temperature > 0;
}

static int32_t best(const float *scores, int64_t vocab)
{
    int64_t at = 0;
    for (int64_t i = 1; i < vocab; i++)
        if (scores[i] > scores[at]) at = i;
    return (int32_t)at;
}

static am_status draw(const am_sampler *s, int64_t vocab, uint64_t row, int64_t length, int32_t *out)
{
    double highest = s->scores[best(s->scores, vocab)], total = 0, reached = 0;
    for (int64_t i = 0; i < vocab; i++) total += exp(s->scores[i] - highest);
    if (!(total > 0)) return am_error(AM_INVALID_ARGUMENT, "the settings of generation forbid every token");
    double wanted = am_uniform(am_splitmix(s->config->seed, row), (uint64_t)length) * total;
    for (int64_t i = 0; i < vocab; i++) {
        double weight = exp(s->scores[i] - highest);
        if (weight > 0) *out = (int32_t)i;
        reached += weight;
        if (wanted < reached) return NULL;
    }
    return NULL;
}

am_status am_sampler_choose(am_sampler *s, const float *logits, int64_t vocab, const am_history *history, uint64_t row,
                            int32_t *out, float *log_probability)
{
    AM_TRY(make_room(s, vocab));
    memcpy(s->scores, logits, (size_t)vocab * sizeof *logits);
    AM_TRY(am_process_logits(s->config, history, s->scores, vocab, s->scratch));
    if (samples(s)) AM_TRY(draw(s, vocab, row, history->length, out));
    else *out = best(s->scores, vocab);
    double scale = samples(s) ? s->config->temperature : 1.0;
    if (log_probability) *log_probability = (float)am_log_probability(s->scores, vocab, *out, scale);
    return NULL;
}

am_status am_sampler_log_probabilities(am_sampler *s, const float *logits, int64_t vocab, const am_history *history,
                                       float *out)
{
    AM_TRY(make_room(s, vocab));
    memcpy(out, logits, (size_t)vocab * sizeof *logits);
    am_logits_normalize(out, vocab);
    return am_process_logits(s->config, history, out, vocab, s->scratch);
}

/* The best of scores with Gumbel noise are a draw without replacement (arXiv 1903.06059). */
int64_t am_sampler_continuations(am_sampler *s, const float *scores, int64_t count, int64_t limit, uint64_t row,
                                 int64_t length, float *scratch, am_scored_token *out)
{
    uint64_t stream = am_splitmix(am_splitmix(s->config->seed, row), (uint64_t)length);
    if (!samples(s)) return am_best_scores(scores, count, limit, out);
    for (int64_t i = 0; i < count; i++) {
        double uniform = am_uniform(stream, (uint64_t)i) + 0x1p-25;
        scratch[i] = (float)(scores[i] - log(-log(uniform)));
    }
    int64_t found = am_best_scores(scratch, count, limit, out);
    for (int64_t i = 0; i < found; i++) out[i].score = scores[out[i].token];
    return found;
}
