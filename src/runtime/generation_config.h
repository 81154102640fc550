/* What generate is told: the fields of transformers' GenerationConfig that this build honours. */
#ifndef AM_RUNTIME_GENERATION_CONFIG_H
#define AM_RUNTIME_GENERATION_CONFIG_H

#include "runtime/model.h"

typedef struct am_token_list {
    const int32_t *ids;
    int64_t count;
} am_token_list;

/* A sequence of tokens and what is added to the score of its last when the others stand before. */
typedef struct am_biased_sequence {
    am_token_list tokens;
    float bias;
} am_biased_sequence;

typedef struct am_biased_sequences {
    const am_biased_sequence *items;
    int64_t count;
} am_biased_sequences;

typedef struct am_stop_texts {
    const char *const *items;
    int64_t count;
} am_stop_texts;

typedef enum am_early_stopping {
    AM_EARLY_STOPPING_FALSE, /* ends when better hypotheses are unlikely */
    AM_EARLY_STOPPING_TRUE,  /* ends with num_beams finished hypotheses */
    AM_EARLY_STOPPING_NEVER, /* ends when no better one is possible */
} am_early_stopping;

/* Fields as generation_config.json names them. Lists live in the arena that they were read into. */
typedef struct am_generation_config {
    int64_t max_new_tokens; /* 0: until max_length */
    int64_t max_length;     /* of prompt and new tokens together; used when max_new_tokens is 0; 0: 20 new tokens */
    int64_t min_new_tokens; /* -1: min_length counts */
    int64_t min_length;
    bool do_sample, renormalize_logits, remove_invalid_values;
    double temperature, top_p, typical_p;                       /* 1: off */
    double min_p, top_h, epsilon_cutoff, eta_cutoff;            /* 0: off */
    int64_t top_k;                                              /* 0: off */
    double repetition_penalty, encoder_repetition_penalty;      /* 1: off */
    int64_t no_repeat_ngram_size, encoder_no_repeat_ngram_size; /* 0: off */
    int64_t decay_start;                                        /* exponential_decay_length_penalty */
    double decay_factor;                                        /* 1: off */
    int64_t num_beams, num_return_sequences;
    double length_penalty;
    am_early_stopping early_stopping;
    uint64_t seed;
    int32_t pad_token_id, bos_token_id, decoder_start_token_id, forced_bos_token_id; /* -1: none */
    am_token_list eos_token_id, forced_eos_token_id;
    am_token_list suppress_tokens;       /* never chosen */
    am_token_list begin_suppress_tokens; /* not chosen first */
    int32_t timestamp_begin;             /* Whisper's first token of time, where times are wanted; -1: none */
    int64_t max_initial_timestamp_index; /* largest time that comes first, in tokens; -1: any */
    am_biased_sequences bad_words_ids;   /* bias is minus infinity */
    am_biased_sequences sequence_bias;
    am_stop_texts stop_strings; /* end the answer, of which they are part */
} am_generation_config;

/* Everything off, greedy, no stop token, 20 new tokens. */
am_generation_config am_generation_config_default(void);

/* What DIRECTORY/generation_config.json says (without that file: config.json), `base` where it says nothing. Lists go
   into the arena. Fails as am_generation_config_merge, with AM_INVALID_FILE. */
am_status am_generation_config_read(const am_loaded_model *model, const am_generation_config *base, am_arena *arena,
                                    am_generation_config *out) AM_NODISCARD;

/* Fields that OBJECT (of a generation_config.json, or a task's parameters; `name` stands for it in messages) has
   replace those of *c; lists go into the arena. Fails with `wrong` when one is of another kind or out of range,
   AM_UNSUPPORTED when one asks for a way of generating that is not in this build. */
am_status am_generation_config_merge(am_json object, const char *name, am_code wrong, am_arena *arena,
                                     am_generation_config *c) AM_NODISCARD;

/* Whether a token ends a text. */
bool am_generation_config_stops(const am_generation_config *c, int32_t token);

/* Length at which generation ends when it began with `prompt` tokens. */
int64_t am_generation_config_end(const am_generation_config *c, int64_t prompt);

/* AM_INVALID_ARGUMENT unless the fields go together (num_return_sequences and num_beams, a prompt shorter than
 * max_length). */
am_status am_generation_config_check(const am_generation_config *c, int64_t prompt) AM_NODISCARD;

#endif
