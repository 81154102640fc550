/* Chooses next tokens: of one row by argmax or a draw, or the continuations of a beam search. */
#ifndef AM_RUNTIME_SAMPLER_H
#define AM_RUNTIME_SAMPLER_H

#include "runtime/logits_processors.h"

typedef struct am_sampler am_sampler;

/* A sampler for a configuration, which is borrowed. Fails with AM_OUT_OF_MEMORY. */
am_status am_sampler_create(const am_generation_config *config, am_sampler **out) AM_NODISCARD;
void am_sampler_destroy(am_sampler *sampler);

/* Next token of one row. logits: [vocab]; `row` and the history's length name the place in the random stream, so a row
   draws the same whatever else is in the batch. *log_probability (null: not wanted) becomes that of the token among
   all that the processors left, at a temperature of 1. */
am_status am_sampler_choose(am_sampler *sampler, const float *logits, int64_t vocab, const am_history *history,
                            uint64_t row, int32_t *out, float *log_probability) AM_NODISCARD;

/* Logarithms of probabilities, processed: logits [vocab] to out [vocab]. */
am_status am_sampler_log_probabilities(am_sampler *sampler, const float *logits, int64_t vocab,
                                       const am_history *history, float *out) AM_NODISCARD;

/* `limit` places of scores: [count] (logarithms of weights): the best, or, sampling, drawn without replacement, in the
   order of drawing. Gives how many. `row` and `length` name the place in the random stream. */
int64_t am_sampler_continuations(am_sampler *sampler, const float *scores, int64_t count, int64_t limit, uint64_t row,
                                 int64_t length, float *scratch, am_scored_token *out);

#endif
