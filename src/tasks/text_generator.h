/* Generation as text: stop texts, pieces as they become certain, why it ended. What the public functions and
 * the tasks share. */
#ifndef AM_TASKS_TEXT_GENERATOR_H
#define AM_TASKS_TEXT_GENERATOR_H

#include "tasks/pipeline.h"

struct am_encode_options;

/* Options of the tasks that generate. */
#define AM_GENERATION_PARAMETERS                                                                                       \
    "max_new_tokens, max_length, min_new_tokens, min_length, num_beams, early_stopping, length_penalty, "              \
    "num_return_sequences, do_sample, seed, temperature, top_k, top_p, min_p, top_h, typical_p, epsilon_cutoff, "      \
    "eta_cutoff, repetition_penalty, encoder_repetition_penalty, no_repeat_ngram_size, encoder_no_repeat_ngram_size, " \
    "bad_words_ids, sequence_bias, suppress_tokens, begin_suppress_tokens, forced_bos_token_id, forced_eos_token_id, " \
    "eos_token_id, exponential_decay_length_penalty, renormalize_logits, remove_invalid_values, stop_strings"

typedef struct am_text_job {
    const am_session_input *inputs; /* of an encoder */
    int input_count;
    const int32_t *ids; /* prompt, or what a decoder starts with (null: decoder_start_token_id): [length] */
    int64_t length;
    const am_generation_config *config;
    const char *const *stop; /* stop_count texts that end the answer and are cut off */
    size_t stop_count;
    bool (*on_text)(void *context, const char *text, size_t length); /* of the first sequence; may be null */
    void *context;
} am_text_job;

typedef struct am_text_sequence {
    char *text; /* without special tokens; ends with a zero byte */
    size_t length;
    bool is_cut;  /* at a stop text */
    int32_t *ids; /* new tokens, stop token included */
    int64_t id_count;
    const char *finish_reason; /* "stop", "length" or "cancelled"; static */
    double score;              /* with beams: see am_generated */
} am_text_sequence;

typedef struct am_text_answer {
    am_text_sequence *sequences; /* num_return_sequences, with beams the best first */
    int64_t count;
    int64_t prompt_tokens;
    bool has_scores;
    double prefill_ms, decode_ms;
} am_text_answer;

/* Fails with AM_OUT_OF_RANGE, naming both numbers, when the prompt leaves no place in the context; new tokens
   end where the context does. Freed with am_text_answer_deinit. */
am_status am_generate_text(am_pipeline *p, const am_text_job *job, am_text_answer *out) AM_NODISCARD;
void am_text_answer_deinit(am_text_answer *answer);

/* Appends [{FIELD: prefix and text}, ...], one for each sequence. */
am_status am_append_answer(const am_text_answer *answer, const char *field, const char *prefix,
                           am_buffer *out) AM_NODISCARD;

/* What a generating task is told. Values of *base stand where neither the model's files, nor `section` (of
   config.json's task_specific_params; may be MISSING), nor options say otherwise. A max_length of the files or the
   options goes before base's max_new_tokens; that of a section, as in transformers, does not. Options also give the
   seed. */
am_status am_read_generation(am_pipeline *p, const am_generation_config *base, am_json section, am_json options,
                             am_arena *arena, am_generation_config *out) AM_NODISCARD;

/* A prompt for the model: tokens of a decoder, or the inputs of an encoder, in the arena; everything else of
 *job is left as it is. */
am_status am_text_job_prompt(am_pipeline *p, am_arena *arena, const char *prompt,
                             const struct am_encode_options *options, am_text_job *job) AM_NODISCARD;

#endif
