/* Inputs for a class when nobody gives any: what plans are made for and benchmarks run on. */
#ifndef AM_API_EXAMPLE_INPUTS_H
#define AM_API_EXAMPLE_INPUTS_H

#include "runtime/session.h"

enum { AM_EXAMPLE_INPUTS = 4 };

typedef struct am_example_inputs {
    am_session_input items[AM_EXAMPLE_INPUTS]; /* names are static; data is null until filled */
    int count;
} am_example_inputs;

/* Finds the inputs that the model's class reads by building its graph. Sizes are those of `shapes`
   ("batch=1,length=128", or null), else of config.json, else common ones; a text has `most_tokens` tokens at
   most. Names: batch, length (tokens), decoder_length, choices, image (height and width), height, width,
   samples, frames. Fails with AM_INVALID_ARGUMENT on another name or a size below 1 or above 2^24, and as
   am_loaded_model_build does when a weight is missing or malformed. */
am_status am_example_inputs_choose(am_loaded_model *model, const char *shapes, int64_t most_tokens,
                                   am_example_inputs *out) AM_NODISCARD;

/* Gives them data in the arena: token ids below vocab_size that end with eos_token_id, masks of ones, waves.
 * The same in every process. */
am_status am_example_inputs_fill(const am_loaded_model *model, am_arena *arena, am_example_inputs *inputs) AM_NODISCARD;

/* The input of that name, or null. */
const am_session_input *am_example_inputs_find(const am_example_inputs *inputs, const char *name);

#endif
