/* Generation as text: stop texts, pieces as they become certain, why it ended. What the public functions and
 * the tasks share. */
#ifndef AM_TASKS_TEXT_GENERATOR_H
#define AM_TASKS_TEXT_GENERATOR_H

#include "tasks/pipeline.h"

typedef struct am_text_job {
    const am_session_input *inputs; /* of an encoder */
    int input_count;
    const int32_t *ids; /* prompt, or what a decoder starts with (null: decoder_start_token_id): [length] */
    int64_t length;
    const am_generation_config *config;
    const char *const *stop; /* stop_count texts that end the answer and are cut off */
    size_t stop_count;
    bool (*on_text)(void *context, const char *text, size_t length); /* may be null */
    void *context;
} am_text_job;

typedef struct am_text_answer {
    char *text; /* without special tokens; ends with a zero byte */
    size_t length;
    int32_t *ids; /* new tokens, stop token included */
    int64_t id_count, prompt_tokens;
    const char *finish_reason; /* "stop", "length" or "cancelled"; static */
    double prefill_ms, decode_ms;
} am_text_answer;

/* Fails with AM_OUT_OF_RANGE, naming both numbers, when the prompt leaves no place in the context; new tokens
   end where the context does. Freed with am_text_answer_deinit. */
am_status am_generate_text(am_pipeline *p, const am_text_job *job, am_text_answer *out) AM_NODISCARD;
void am_text_answer_deinit(am_text_answer *answer);

/* A prompt for the model: tokens of a decoder, or the inputs of an encoder, in the arena; everything else of
 *job is left as it is. `special`: whether special tokens are added. */
am_status am_text_job_prompt(am_pipeline *p, am_arena *arena, const char *prompt, bool special,
                             am_text_job *job) AM_NODISCARD;

#endif
