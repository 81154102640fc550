/* Generated text, as generate and chat give it. */
#ifndef AM_CLI_ANSWER_H
#define AM_CLI_ANSWER_H

#include "cli/command.h"

/* The options of generation, as the first member of a command's values. */
typedef struct am_answer_values {
    int max_new_tokens, top_k, num_beams;
    double temperature, top_p, min_p, repetition_penalty;
    unsigned long long seed;
    am_cli_list stop;
    bool greedy, stream;
    am_cli_fields fields; /* of generation_config.json */
    am_cli_list options;  /* KEY=VALUE, the same */
} am_answer_values;

/* Rows of an option table for them. */
#define AM_ANSWER_OPTION(name, kind, member, argument, meaning, min, max)                                              \
    {                                                                                                                  \
        name, kind, offsetof(am_answer_values, member), argument, meaning, min, max                                    \
    }
/* clang-format off */
#define AM_ANSWER_OPTIONS                                                                                              \
    AM_ANSWER_OPTION("max-new-tokens", AM_OPTION_INT, max_new_tokens, "N", "write at most N tokens", 1, 1e9),          \
    AM_ANSWER_OPTION("temperature", AM_OPTION_REAL, temperature, "X", "sample; below 1 more likely tokens (0: greedy)", 0, 1e6), \
    AM_ANSWER_OPTION("top-k", AM_OPTION_INT, top_k, "N", "sample from the N likeliest tokens", 1, 1e9),                \
    AM_ANSWER_OPTION("top-p", AM_OPTION_REAL, top_p, "X", "sample from the likeliest tokens that make up X (0 to 1)", 0, 1), \
    AM_ANSWER_OPTION("min-p", AM_OPTION_REAL, min_p, "X", "drop tokens below X times the likeliest", 0, 1),            \
    AM_ANSWER_OPTION("repetition-penalty", AM_OPTION_REAL, repetition_penalty, "X", "above 1: fewer repetitions", 1e-6, 1e6), \
    AM_ANSWER_OPTION("num-beams", AM_OPTION_INT, num_beams, "N", "search with N beams", 1, 1024),                      \
    AM_ANSWER_OPTION("seed", AM_OPTION_SEED, seed, "N", "of the random numbers; the same seed gives the same text", 0, 0), \
    AM_ANSWER_OPTION("stop", AM_OPTION_LIST, stop, "TEXT", "end before TEXT; may be given again", 0, 0),               \
    AM_ANSWER_OPTION("greedy", AM_OPTION_FLAG, greedy, NULL, "always the likeliest token, whatever the model's files say", 0, 0), \
    AM_ANSWER_OPTION("option", AM_OPTION_LIST, options, "KEY=VALUE", "a field of generation_config.json; may be given again", 0, 0), \
    AM_GENERATION_OPTIONS(am_answer_values),                                                                           \
    AM_FIELD_OPTION(am_answer_values, "typical-p", "X", "sample; typical tokens that make up X", 0, 1), \
    AM_FIELD_OPTION(am_answer_values, "top-h", "X", "sample; likeliest tokens with a share X of the entropy", 0, 1), \
    AM_FIELD_OPTION(am_answer_values, "epsilon-cutoff", "X", "sample; drop tokens less likely than X", 0, 1), \
    AM_FIELD_OPTION(am_answer_values, "eta-cutoff", "X", "sample; the same, less strictly where much is likely", 0, 1), \
    AM_ANSWER_OPTION("stream", AM_OPTION_FLAG, stream, NULL, "print each piece of text as soon as it is certain", 0, 0)
/* clang-format on */

/* Asks the model for one answer and prints it; prompt: a text, or messages as JSON when is_chat. *answer (may
   be null) is its text, freed with free. An interrupt from the keyboard ends the answer, which is then
   AM_CANCELLED. Gives the exit code; errors are reported. */
int am_cli_answer(const am_globals *globals, am_model *model, const am_answer_values *values, const char *prompt,
                  bool is_chat, char **answer);

#endif
