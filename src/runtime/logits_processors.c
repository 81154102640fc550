#include "runtime/logits_processors.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TOP_H_TOKENS = 100 };

typedef struct processing {
    const am_generation_config *config;
    const am_history *history;
    float *scores; /* [vocab] */
    int64_t vocab;
    am_scored_token *scratch; /* [vocab] */
} processing;

/* --- best scores --- */

static bool is_better(am_scored_token a, am_scored_token b)
{
    return a.score > b.score || (a.score == b.score && a.token < b.token);
}

static int by_score(const void *a, const void *b)
{
    const am_scored_token *x = a, *y = b;
    return is_better(*x, *y) ? -1 : is_better(*y, *x);
}

/* Puts x, which replaces the root of a heap with the worst on top, where it belongs. */
static void sift_down(am_scored_token *heap, int64_t count, int64_t at, am_scored_token x)
{
    for (int64_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && is_better(heap[child], heap[child + 1])) child++;
        if (!is_better(x, heap[child])) break;
        heap[at] = heap[child];
    }
    heap[at] = x;
}

int64_t am_best_scores(const float *scores, int64_t count, int64_t limit, am_scored_token *out)
{
    int64_t kept = limit < count ? limit : count;
    for (int64_t i = 0; i < kept; i++) out[i] = (am_scored_token){scores[i], (int32_t)i};
    for (int64_t i = kept / 2; i-- > 0;) sift_down(out, kept, i, out[i]);
    for (int64_t i = kept; kept && i < count; i++) {
        am_scored_token x = {scores[i], (int32_t)i};
        if (is_better(x, out[0])) sift_down(out, kept, 0, x);
    }
    qsort(out, (size_t)kept, sizeof *out, by_score);
    return kept;
}

/* --- probabilities --- */

static float highest(const float *scores, int64_t count)
{
    float best = -INFINITY;
    for (int64_t i = 0; i < count; i++)
        if (scores[i] > best) best = scores[i];
    return best;
}

static double exponential_sum(const float *scores, int64_t count, float best)
{
    double total = 0;
    for (int64_t i = 0; i < count; i++) total += exp((double)scores[i] - best);
    return total;
}

void am_logits_normalize(float *scores, int64_t count)
{
    float best = highest(scores, count);
    double log_total = log(exponential_sum(scores, count, best));
    for (int64_t i = 0; i < count; i++) scores[i] = (float)((double)scores[i] - best - log_total);
}

double am_log_probability(const float *scores, int64_t count, int64_t place, double scale)
{
    double best = highest(scores, count), total = 0;
    for (int64_t i = 0; i < count; i++) total += exp((scores[i] - best) * scale);
    return (scores[place] - best) * scale - log(total);
}

/* Probabilities of scores are exp(score - best) / total. */
typedef struct distribution {
    float best;
    double total;
} distribution;

static distribution distribution_of(const processing *p)
{
    float best = highest(p->scores, p->vocab);
    return (distribution){best, exponential_sum(p->scores, p->vocab, best)};
}

static double probability(distribution d, float score)
{
    return exp((double)score - d.best) / d.total;
}

static double entropy_of(const processing *p, distribution d)
{
    double entropy = 0;
    for (int64_t i = 0; i < p->vocab; i++) {
        double log_probability = (double)p->scores[i] - d.best - log(d.total);
        if (p->scores[i] > -INFINITY) entropy -= exp(log_probability) * log_probability;
    }
    return entropy;
}

/* --- processors --- */

static void forbid(const processing *p, int32_t token)
{
    if (token >= 0 && token < p->vocab) p->scores[token] = -INFINITY;
}

static void forbid_all(const processing *p, am_token_list tokens)
{
    for (int64_t i = 0; i < tokens.count; i++) forbid(p, tokens.ids[i]);
}

/* Biases of all sequences that the token would complete; minus infinity forbids. */
static void add_biases(const processing *p, const am_biased_sequences *sequences, bool keep_stops)
{
    const am_history *h = p->history;
    for (int64_t i = 0; i < sequences->count; i++) {
        const am_biased_sequence *s = &sequences->items[i];
        int64_t before = s->tokens.count - 1;
        int32_t last = s->tokens.ids[before];
        bool kept = keep_stops && before == 0 && am_generation_config_stops(p->config, last);
        if (kept || before > h->length) continue;
        if (memcmp(h->ids + h->length - before, s->tokens.ids, (size_t)before * sizeof(int32_t)) == 0)
            p->scores[last] += s->bias;
    }
}

static void bias_sequences(const processing *p)
{
    add_biases(p, &p->config->sequence_bias, false);
}

static void forbid_bad_words(const processing *p)
{
    add_biases(p, &p->config->bad_words_ids, true);
}

/* Each token that occurs is made less likely once (CTRL, arXiv 1909.05858). */
static void penalize(const processing *p, const int32_t *ids, int64_t count, float penalty)
{
    for (int64_t i = 0; i < p->vocab; i++) p->scratch[i].token = 0;
    for (int64_t i = 0; i < count; i++) {
        if (ids[i] < 0 || ids[i] >= p->vocab || p->scratch[ids[i]].token) continue;
        float *score = &p->scores[ids[i]];
        *score = *score < 0 ? *score * penalty : *score / penalty;
        p->scratch[ids[i]].token = 1;
    }
}

static void penalize_repetition(const processing *p)
{
    const am_history *h = p->history;
    if (p->config->repetition_penalty == 1) return;
    penalize(p, h->ids + h->padding, h->length - h->padding, (float)p->config->repetition_penalty);
}

static void penalize_hallucination(const processing *p)
{
    if (p->config->encoder_repetition_penalty == 1 || !p->history->source_ids) return;
    penalize(p, p->history->source_ids, p->history->source_length, (float)(1 / p->config->encoder_repetition_penalty));
}

/* Forbids what would complete an n-gram of `text` after the last n - 1 ids. */
static void forbid_ngrams_of(const processing *p, const int32_t *text, int64_t length, int64_t n)
{
    const am_history *h = p->history;
    if (n < 1 || h->length < n - 1) return;
    const int32_t *prefix = h->ids + h->length - (n - 1);
    for (int64_t i = 0; i + n <= length; i++)
        if (memcmp(text + i, prefix, (size_t)(n - 1) * sizeof *text) == 0) forbid(p, text[i + n - 1]);
}

static void forbid_ngrams(const processing *p)
{
    forbid_ngrams_of(p, p->history->ids, p->history->length, p->config->no_repeat_ngram_size);
}

static void forbid_source_ngrams(const processing *p)
{
    if (!p->history->source_ids) return;
    forbid_ngrams_of(p, p->history->source_ids, p->history->source_length, p->config->encoder_no_repeat_ngram_size);
}

static void forbid_early_stop(const processing *p)
{
    const am_generation_config *c = p->config;
    const am_history *h = p->history;
    int64_t least = c->min_new_tokens >= 0 ? h->prompt + c->min_new_tokens : c->min_length;
    if (h->length < least) forbid_all(p, c->eos_token_id);
}

static void force(const processing *p, const int32_t *tokens, int64_t count)
{
    for (int64_t i = 0; i < p->vocab; i++) p->scores[i] = -INFINITY;
    for (int64_t i = 0; i < count; i++)
        if (tokens[i] < p->vocab) p->scores[tokens[i]] = 0;
}

static void force_beginning(const processing *p)
{
    if (p->config->forced_bos_token_id >= 0 && p->history->length == 1) force(p, &p->config->forced_bos_token_id, 1);
}

static void force_end(const processing *p)
{
    const am_token_list *tokens = &p->config->forced_eos_token_id;
    int64_t end = am_generation_config_end(p->config, p->history->prompt);
    if (tokens->count && p->history->length == end - 1) force(p, tokens->ids, tokens->count);
}

static void remove_invalid(const processing *p)
{
    for (int64_t i = 0; p->config->remove_invalid_values && i < p->vocab; i++) {
        if (isnan(p->scores[i])) p->scores[i] = 0;
        if (isinf(p->scores[i])) p->scores[i] = p->scores[i] > 0 ? FLT_MAX : -FLT_MAX;
    }
}

static void favour_end(const processing *p)
{
    const am_generation_config *c = p->config;
    int64_t late = p->history->length - p->history->prompt - c->decay_start;
    if (c->decay_factor == 1 || late <= 0) return;
    float growth = (float)(pow(c->decay_factor, (double)late) - 1);
    for (int64_t i = 0; i < c->eos_token_id.count; i++) {
        int32_t token = c->eos_token_id.ids[i];
        if (token < p->vocab && isfinite(p->scores[token])) p->scores[token] += fabsf(p->scores[token]) * growth;
    }
}

static void suppress(const processing *p)
{
    forbid_all(p, p->config->suppress_tokens);
}

static void suppress_at_beginning(const processing *p)
{
    const am_history *h = p->history;
    bool after_forced = h->prompt <= 1 && p->config->forced_bos_token_id >= 0;
    if (h->length == h->prompt + after_forced) forbid_all(p, p->config->begin_suppress_tokens);
}

static void forbid_range(const processing *p, int64_t first, int64_t end)
{
    for (int64_t i = first; i < end && i < p->vocab; i++) p->scores[i] = -INFINITY;
}

/* Whether the times together are likelier than every other token. */
static bool prefers_time(const processing *p, int64_t begin)
{
    double total = 0;
    float best = -INFINITY, best_time = -INFINITY;
    for (int64_t i = 0; i < begin; i++) best = fmaxf(best, p->scores[i]);
    for (int64_t i = begin; i < p->vocab; i++) best_time = fmaxf(best_time, p->scores[i]);
    if (best_time == -INFINITY) return false;
    for (int64_t i = begin; i < p->vocab; i++) total += exp((double)p->scores[i] - (double)best_time);
    return (double)best_time + log(total) > (double)best;
}

/* No time before the last one, which may be said twice only: as an end, and as the beginning that follows. */
static void forbid_earlier_times(const processing *p, int64_t begin, bool is_open)
{
    const am_history *h = p->history;
    for (int64_t i = h->length - 1; i >= h->prompt; i--) {
        if (h->ids[i] < begin) continue;
        forbid_range(p, begin, h->ids[i] + !is_open);
        return;
    }
}

/* WhisperTimeStampLogitsProcessor: times come in pairs and do not decrease; the first token is one. */
static void pair_times(const processing *p)
{
    const am_history *h = p->history;
    int64_t begin = p->config->timestamp_begin, made = h->length - h->prompt;
    if (begin < 1 || begin >= p->vocab) return;
    bool last = made >= 1 && h->ids[h->length - 1] >= begin, before = made < 2 || h->ids[h->length - 2] >= begin;
    p->scores[begin - 1] = -INFINITY; /* <|notimestamps|> */
    if (last && before) forbid_range(p, begin, p->vocab);
    else if (last) forbid_range(p, 0, p->config->eos_token_id.count ? p->config->eos_token_id.ids[0] : begin);
    forbid_earlier_times(p, begin, last && !before);
    if (!made) {
        int64_t most = p->config->max_initial_timestamp_index;
        forbid_range(p, 0, begin);
        if (most >= 0) forbid_range(p, begin + most + 1, p->vocab);
    }
    if (prefers_time(p, begin)) forbid_range(p, 0, begin);
}

static void (*const processors[])(const processing *p) = {
    bias_sequences,
    penalize_hallucination,
    penalize_repetition,
    forbid_ngrams,
    forbid_source_ngrams,
    forbid_bad_words,
    forbid_early_stop,
    force_beginning,
    force_end,
    remove_invalid,
    favour_end,
    suppress,
    suppress_at_beginning,
    pair_times,
};

/* --- warpers, of sampling --- */

/* Beams need a continuation besides the end of the text. */
static int64_t least_kept(const processing *p)
{
    int64_t stops = p->config->eos_token_id.count;
    if (p->config->num_beams <= 1) return 1;
    int64_t kept = stops ? stops + 1 : 2;
    return kept < p->vocab ? kept : p->vocab;
}

/* Score of the n-th best. */
static float nth_best(const processing *p, int64_t n)
{
    int64_t kept = am_best_scores(p->scores, p->vocab, n, p->scratch);
    return p->scratch[kept - 1].score;
}

static void warp_temperature(const processing *p)
{
    float temperature = (float)p->config->temperature;
    for (int64_t i = 0; temperature != 1 && i < p->vocab; i++) p->scores[i] /= temperature;
}

/* Top-H (arXiv 2509.02510): as many of the best as keep a share of the entropy. */
static void warp_top_h(const processing *p)
{
    double total = 0, entropy = 0, reached = 0;
    if (p->config->top_h <= 0) return;
    int64_t count = am_best_scores(p->scores, p->vocab, TOP_H_TOKENS, p->scratch), kept = 1;
    float best = p->scratch[0].score;
    for (int64_t i = 0; i < count; i++) total += exp((double)p->scratch[i].score - best);
    for (int pass = 0; pass < 2; pass++) /* the whole, then up to the share */
        for (int64_t i = 0; i < count; i++) {
            double log_probability = (double)p->scratch[i].score - best - log(total),
                   term = log_probability > -INFINITY ? -exp(log_probability) * log_probability : 0;
            *(pass ? &reached : &entropy) += term;
            if (pass && reached <= entropy * p->config->top_h) kept = i + 1 > kept ? i + 1 : kept;
        }
    for (int64_t i = 0; i < p->vocab; i++)
        if (is_better(p->scratch[kept - 1], (am_scored_token){p->scores[i], (int32_t)i})) p->scores[i] = -INFINITY;
}

static void warp_top_k(const processing *p)
{
    int64_t kept = p->config->top_k > least_kept(p) ? p->config->top_k : least_kept(p);
    if (p->config->top_k < 1 || kept >= p->vocab) return;
    float least = nth_best(p, kept);
    for (int64_t i = 0; i < p->vocab; i++)
        if (p->scores[i] < least) p->scores[i] = -INFINITY;
}

/* Tokens that are not forbidden, in scratch: how many. */
static int64_t gather_allowed(const processing *p)
{
    int64_t count = 0;
    for (int64_t i = 0; i < p->vocab; i++)
        if (p->scores[i] > -INFINITY) p->scratch[count++] = (am_scored_token){p->scores[i], (int32_t)i};
    return count;
}

static int worst_first(const void *a, const void *b)
{
    const am_scored_token *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? -1 : 1;
    return (x->token > y->token) - (x->token < y->token);
}

static void warp_top_p(const processing *p)
{
    double reached = 0;
    float most = (float)(1 - p->config->top_p);
    if (p->config->top_p >= 1) return;
    distribution d = distribution_of(p);
    int64_t count = gather_allowed(p), least = least_kept(p);
    qsort(p->scratch, (size_t)count, sizeof *p->scratch, worst_first);
    for (int64_t i = 0; i + least < count; i++) {
        reached += probability(d, p->scratch[i].score);
        if ((float)reached > most) return;
        p->scores[p->scratch[i].token] = -INFINITY;
    }
}

static void warp_min_p(const processing *p)
{
    if (p->config->min_p <= 0) return;
    distribution d = distribution_of(p);
    double least = p->config->min_p / d.total;
    int64_t kept = am_best_scores(p->scores, p->vocab, least_kept(p), p->scratch);
    for (int64_t i = 0; i < p->vocab; i++) {
        bool is_among_best = !is_better(p->scratch[kept - 1], (am_scored_token){p->scores[i], (int32_t)i});
        if (probability(d, p->scores[i]) < least && !is_among_best) p->scores[i] = -INFINITY;
    }
}

/* Typical sampling (arXiv 2202.00666): tokens by how far their surprise is from the expected one. */
static void warp_typical_p(const processing *p)
{
    if (p->config->typical_p >= 1) return;
    distribution d = distribution_of(p);
    double entropy = entropy_of(p, d), reached = 0;
    int64_t count = gather_allowed(p), last = 0, least = least_kept(p);
    for (int64_t i = 0; i < count; i++)
        p->scratch[i].score = fabsf((float)(d.best + log(d.total) - (double)p->scratch[i].score - entropy));
    qsort(p->scratch, (size_t)count, sizeof *p->scratch, worst_first);
    while (last + 1 < count && (reached += probability(d, p->scores[p->scratch[last].token])) < p->config->typical_p)
        last++;
    float limit = p->scratch[last].score;
    for (int64_t i = least; i < count; i++)
        if (p->scratch[i].score > limit) p->scores[p->scratch[i].token] = -INFINITY;
}

static void cut_below(const processing *p, distribution d, double least)
{
    float kept = nth_best(p, least_kept(p));
    for (int64_t i = 0; i < p->vocab; i++)
        if (probability(d, p->scores[i]) < least && p->scores[i] < kept) p->scores[i] = -INFINITY;
}

static void warp_epsilon(const processing *p)
{
    double epsilon = p->config->epsilon_cutoff;
    if (epsilon > 0 && epsilon < 1) cut_below(p, distribution_of(p), epsilon);
}

/* Eta sampling (arXiv 2210.15191). */
static void warp_eta(const processing *p)
{
    double epsilon = p->config->eta_cutoff;
    if (epsilon <= 0 || epsilon >= 1) return;
    distribution d = distribution_of(p);
    cut_below(p, d, fmin(epsilon, sqrt(epsilon) * exp(-entropy_of(p, d))));
}

static void (*const warpers[])(const processing *p) = {
    warp_temperature, warp_top_h, warp_top_k, warp_top_p, warp_min_p, warp_typical_p, warp_epsilon, warp_eta,
};

/* --- */

static am_status check_sequences(const am_biased_sequences *sequences, const char *key, int64_t vocab)
{
    for (int64_t i = 0; i < sequences->count; i++)
        for (int64_t k = 0; k < sequences->items[i].tokens.count; k++)
            if (sequences->items[i].tokens.ids[k] >= vocab)
                return am_error(AM_INVALID_ARGUMENT, "%s: token %d, and the vocabulary has %lld", key,
                                (int)sequences->items[i].tokens.ids[k], (long long)vocab);
    return NULL;
}

am_status am_process_logits(const am_generation_config *c, const am_history *history, float *scores, int64_t vocab,
                            am_scored_token *scratch)
{
    processing p = {c, history, scores, vocab, scratch};
    AM_TRY(check_sequences(&c->sequence_bias, "sequence_bias", vocab));
    AM_TRY(check_sequences(&c->bad_words_ids, "bad_words_ids", vocab));
    for (size_t i = 0; i < sizeof processors / sizeof processors[0]; i++) processors[i](&p);
    if (c->do_sample && c->temperature > 0)
        for (size_t i = 0; i < sizeof warpers / sizeof warpers[0]; i++) warpers[i](&p);
    if (c->renormalize_logits) am_logits_normalize(scores, vocab);
    return NULL;
}
