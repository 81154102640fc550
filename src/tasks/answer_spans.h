/* Answers as spans of tokens: what extractive question answering makes of two rows of logits. */
#ifndef AM_TASKS_ANSWER_SPANS_H
#define AM_TASKS_ANSWER_SPANS_H

#include "tasks/task.h"

typedef struct am_answer_span {
    double score;
    int64_t start, end; /* tokens of the window */
} am_answer_span;

/* What spans of one window may be. */
typedef struct am_span_search {
    const bool *allowed; /* [T]: places that may be in an answer, and the class token's */
    int64_t T;
    int64_t max_answer_len; /* tokens */
    int64_t limit;          /* so many spans at most */
} am_span_search;

/* Which tokens of an encoding may be in an answer: those of sequence `context`, and class tokens; in the arena, null
   when there is no memory. */
bool *am_allowed_in_answers(const struct am_tokenizer *tokenizer, const struct am_encoding *e, int32_t context,
                            am_arena *arena);

/* The best spans of one window by its logits, [T] each, best first, in the arena: a span's score is the product of the
   probabilities of its ends. *null_score (may be null) is lowered to that of no answer, the first token's. */
am_status am_best_spans(const float *start_logits, const float *end_logits, const am_span_search *search,
                        am_arena *arena, am_answer_span **out, int64_t *out_count, double *null_score) AM_NODISCARD;

/* The same of the window that the model is run on. */
am_status am_find_spans(am_pipeline *p, const am_session_input *inputs, int count, const am_span_search *search,
                        am_arena *arena, am_answer_span **out, int64_t *out_count, double *null_score) AM_NODISCARD;

/* A whole number among the options, at least 1; the fallback when absent or null. */
am_status am_option_count(am_json options, const char *name, int64_t fallback, int64_t *out) AM_NODISCARD;

#endif
