/* Beam search as transformers' GenerationMixin._beam_search: what is decided between two runs of the decoder. */
#ifndef AM_RUNTIME_BEAM_SEARCH_H
#define AM_RUNTIME_BEAM_SEARCH_H

#include "runtime/sampler.h"

/* Whether the new tokens of a text end it, besides eos_token_id: ids [length] begin with the prompt. */
typedef bool (*am_stop_test)(void *context, const int32_t *ids, int64_t length, int64_t prompt);

typedef struct am_beam_problem {
    const am_generation_config *config; /* borrowed */
    const am_history *prompts;          /* [batch]: of each row, length == prompt */
    int64_t batch;
    am_stop_test stops; /* may be null */
    void *context;
    bool wants_log_probabilities;
} am_beam_problem;

typedef struct am_beam_search am_beam_search;

/* Begins with each row's prompt. Everything in the problem is borrowed. */
am_status am_beam_search_create(const am_beam_problem *problem, am_beam_search **out) AM_NODISCARD;
void am_beam_search_destroy(am_beam_search *search);

/* Takes the logits of each beam's next token, [batch * num_beams, vocab]. Then beam i goes on with (*next)[i] after
   what beam (*origin)[i] held; both are [batch * num_beams] and borrowed until the next step. *done when the search is
   over. */
am_status am_beam_search_step(am_beam_search *search, const float *logits, int64_t vocab, const int32_t **next,
                              const int32_t **origin, bool *done) AM_NODISCARD;

/* The rank-th best finished hypothesis of a row, of num_return_sequences: its new tokens, borrowed. */
typedef struct am_hypothesis {
    const int32_t *ids;
    int64_t length;
    float score;                    /* sum of logarithms of probabilities over length ** length_penalty */
    const float *log_probabilities; /* [length], of each token among all that the processors left; null: not wanted */
} am_hypothesis;

am_hypothesis am_beam_search_result(const am_beam_search *search, int64_t row, int64_t rank);

#endif
