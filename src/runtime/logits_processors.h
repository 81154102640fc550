/* The logits processors of transformers' generate, in its order: from the scores of all next tokens to those that the
   choice is made by. */
#ifndef AM_RUNTIME_LOGITS_PROCESSORS_H
#define AM_RUNTIME_LOGITS_PROCESSORS_H

#include "runtime/generation_config.h"

/* What a next token follows. */
typedef struct am_history {
    const int32_t *ids;        /* prompt and what was chosen so far */
    int64_t length, prompt;    /* of ids; how many of them are the prompt */
    int64_t padding;           /* ids at the beginning that are not attended */
    const int32_t *source_ids; /* what generate was given: the encoder's input_ids, or the prompt; null: no tokens */
    int64_t source_length;
} am_history;

typedef struct am_scored_token {
    float score;
    int32_t token;
} am_scored_token;

/* Changes scores: [vocab], as transformers 5.23 does (generation/logits_process.py). Warpers run when do_sample.
   scratch: [vocab]. Fails with AM_INVALID_ARGUMENT when a field names a token beyond the vocabulary. */
am_status am_process_logits(const am_generation_config *c, const am_history *history, float *scores, int64_t vocab,
                            am_scored_token *scratch) AM_NODISCARD;

/* The `limit` best of `count` scores, best first, equal ones in order of place; gives how many, at most `count`. */
int64_t am_best_scores(const float *scores, int64_t count, int64_t limit, am_scored_token *out);

/* scores: [count] become logarithms of probabilities. */
void am_logits_normalize(float *scores, int64_t count);

/* Logarithm of the probability of the token at `place` by scores [count], each multiplied by `scale` first. */
double am_log_probability(const float *scores, int64_t count, int64_t place, double scale);

#endif
