/* Greedy, sampled and beam generation with caches, one token at a time, as transformers' generate does it. */
#ifndef AM_RUNTIME_GENERATE_H
#define AM_RUNTIME_GENERATE_H

#include "runtime/session.h"

enum { AM_STOP_TOKENS = 16, AM_SUPPRESSED_TOKENS = 256 };

/* Fields as generation_config.json names them. */
typedef struct am_generation_config {
    int64_t max_new_tokens; /* 0: until max_length */
    int64_t max_length;     /* of prompt and new tokens together; used when max_new_tokens is 0 */
    int64_t min_new_tokens, min_length;
    bool do_sample;
    double temperature, top_p, min_p, typical_p, repetition_penalty; /* 1, 1, 0, 1, 1: off */
    int64_t top_k, no_repeat_ngram_size;                             /* 0: off */
    int64_t num_beams;
    double length_penalty;
    bool early_stopping;
    uint64_t seed;
    int32_t eos_token_id[AM_STOP_TOKENS];
    int eos_count;
    int32_t pad_token_id, bos_token_id, decoder_start_token_id; /* -1: none */
    int32_t forced_bos_token_id, forced_eos_token_id;           /* -1: none */
    int32_t suppress_tokens[AM_SUPPRESSED_TOKENS];              /* never chosen */
    int32_t begin_suppress_tokens[AM_STOP_TOKENS];              /* not chosen first */
    int suppress_count, begin_suppress_count;
} am_generation_config;

/* Everything off, greedy, no stop token, 20 tokens in all. */
am_generation_config am_generation_config_default(void);

/* What DIRECTORY/generation_config.json and config.json say. */
am_status am_generation_config_read(const am_loaded_model *model, am_generation_config *out) AM_NODISCARD;

/* Fields that OBJECT (of a generation_config.json, or a task's parameters; `name` stands for it in messages)
   has replace those of *c. Fails with AM_INVALID_FILE when one is of another kind or out of range. */
am_status am_generation_config_merge(am_json object, const char *name, am_generation_config *c) AM_NODISCARD;

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
    void *context;
} am_generate_request;

/* New tokens of each row: ids[row * stride .. + lengths[row]], stop token included. */
typedef struct am_generated {
    int32_t *ids;
    int64_t *lengths;
    int64_t batch, stride;
    double prefill_ms, decode_ms; /* spent in the first run, and in all others */
    int64_t prompt_tokens, decode_steps;
} am_generated;

/* Fails with AM_UNSUPPORTED when the class does not generate, AM_OUT_OF_RANGE when prompt and new tokens
 * exceed the context. */
am_status am_generate(am_session *session, const am_generate_request *request, am_generated *out) AM_NODISCARD;
void am_generated_deinit(am_generated *out);

#endif
