/* What Whisper's decoder is told was said before a segment: a prompt, and what the last segments said
   (_prepare_decoder_input_ids of generation_whisper.py). */
#ifndef AM_TASKS_WHISPER_CONTEXT_H
#define AM_TASKS_WHISPER_CONTEXT_H

#include "tasks/task.h"

typedef struct am_whisper_context {
    bool conditions;      /* condition_on_prev_tokens: what was said is told */
    bool is_asked;        /* the options say so, not only the file: counts before the first segment */
    bool by_all_segments; /* prompt_condition_type: the prompt stands before each segment, not only the first */
    int32_t *prompt;      /* token ids; null: none */
    int64_t prompt_length;
    int32_t previous_start; /* prev_sot_token_id; -1: none */
    int32_t timestamp_begin;
    int64_t limit; /* of the tokens of what was said */
    int32_t *said;
    int64_t said_count, said_capacity;
    bool has_segments;
} am_whisper_context;

/* condition_on_prev_tokens, prompt_condition_type and prompt_ids (numbers, or a text, made to them as get_prompt_ids of
   the tokenizer does) of the options; `file` is generation_config.json. suppress_tokens: whose last but one the start
   of what was said is, where the file does not name it. Everything lies in the arena. Fails with AM_INVALID_ARGUMENT.
 */
am_status am_whisper_context_read(am_pipeline *p, am_json options, am_json file, const am_token_list *suppress_tokens,
                                  am_arena *arena, am_whisper_context *out) AM_NODISCARD;

/* Nothing was said yet: a new sound begins. */
am_status am_whisper_context_start(am_whisper_context *c, am_arena *arena) AM_NODISCARD;

/* What a segment said, with the tokens of its times. */
am_status am_whisper_context_add(am_whisper_context *c, am_arena *arena, const int32_t *ids,
                                 int64_t count) AM_NODISCARD;

/* What the decoder begins with, in the arena: what was said, when `tells`, or the prompt, and then start
 * [start_length]. */
am_status am_whisper_context_ids(const am_whisper_context *c, bool tells, const int32_t *start, int64_t start_length,
                                 am_arena *arena, int32_t **out, int64_t *length) AM_NODISCARD;

#endif
