/* Greedy, sampled and beam generation with caches, one token at a time, as transformers' generate does it. */
#ifndef AM_RUNTIME_GENERATE_H
#define AM_RUNTIME_GENERATE_H

#include "runtime/beam_search.h"
#include "runtime/generation_config.h"
#include "runtime/session.h"

/* Called with each new token of a row as it is chosen (not with beams); false stops. */
typedef bool (*am_token_callback)(void *context, int64_t row, int32_t token);

typedef struct am_generate_request {
    const am_session_input *inputs; /* of the encoder, or besides input_ids (token_type_ids, attention_mask: [B, T]) */
    int input_count;
    const int32_t *ids; /* prompt: [batch, length]; of an encoder-decoder what the decoder starts with (null:
                           decoder_start_token_id) */
    int64_t batch, length;
    const am_generation_config *config;
    am_token_callback on_token; /* may be null */
    am_stop_test stops;         /* what ends a row besides eos_token_id; may be null */
    void *context;              /* of both */
    bool wants_log_probabilities;
} am_generate_request;

/* New tokens of each sequence: ids[i * stride .. + lengths[i]], stop token included. Row r of the batch has sequences
   r * num_return_sequences and on, with beams the best first. */
typedef struct am_generated {
    int32_t *ids;
    int64_t *lengths;
    float *scores; /* with beams: sum of logarithms of probabilities over length ** length_penalty; else null */
    /* As ids, where they are wanted (else null): of each new token among all that the logits processors left. */
    float *log_probabilities;
    int64_t batch, stride;        /* sequences of all rows; room of each */
    double prefill_ms, decode_ms; /* spent in the first run, and in all others */
    int64_t prompt_tokens, decode_steps;
} am_generated;

/* Fails with AM_UNSUPPORTED when the class does not generate, AM_OUT_OF_RANGE when prompt and new tokens exceed the
   context, and as am_generation_config_check. */
am_status am_generate(am_session *session, const am_generate_request *request, am_generated *out) AM_NODISCARD;
void am_generated_deinit(am_generated *out);

#endif
