/* Chooses the next token from logits: the processors of transformers' generate in its order, then argmax or a
 * draw. */
#ifndef AM_RUNTIME_SAMPLER_H
#define AM_RUNTIME_SAMPLER_H

#include "runtime/generate.h"

typedef struct am_sampler am_sampler;

/* A sampler for a configuration, which is copied. Fails with AM_OUT_OF_MEMORY. */
am_status am_sampler_create(const am_generation_config *config, am_sampler **out) AM_NODISCARD;
void am_sampler_destroy(am_sampler *sampler);

/* Next token of one row. ids: prompt and what was chosen so far, `length` of them, `prompt` of which are the
   prompt; `row` and length name the place in the random stream, so a row draws the same whatever else is in
   the batch. */
am_status am_sampler_choose(am_sampler *sampler, const float *logits, int64_t vocab, const int32_t *ids, int64_t length,
                            int64_t prompt, uint64_t row, int32_t *out) AM_NODISCARD;

#endif
