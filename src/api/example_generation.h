/* Generating when nobody gives a prompt: what is measured and compiled. */
#ifndef AM_API_EXAMPLE_GENERATION_H
#define AM_API_EXAMPLE_GENERATION_H

#include "api/example_inputs.h"
#include "tasks/pipeline.h"

/* Writes `new_tokens` for each row of filled inputs, or as many as the context has room for; greedily, and no token
   ends it. *out has no steps where fewer than two fit: the first token is the prefill's. Freed with
   am_generated_deinit. */
am_status am_example_generate(am_pipeline *p, const am_example_inputs *inputs, int64_t new_tokens,
                              am_generated *out) AM_NODISCARD;

#endif
