/* Words of Whisper's tokens, for their times: combine_tokens_into_words of tokenization_whisper.py. */
#ifndef AM_TASKS_WHISPER_WORDS_H
#define AM_TASKS_WHISPER_WORDS_H

#include "base/arena.h"
#include "text/tokenizer.h"

/* The tokens [first, end) and their text, of the arena. */
typedef struct am_whisper_word {
    char *text;
    size_t length;
    int64_t first, end;
} am_whisper_word;

/* Splits `count` tokens at spaces and punctuation, or at every character of a language that is written without spaces;
   quotes and brackets go to the word that they belong to. `language` ("english") may be null. */
am_status am_whisper_words(const am_tokenizer *tokenizer, const int32_t *ids, int64_t count, const char *language,
                           am_arena *arena, am_whisper_word **out, int64_t *out_count) AM_NODISCARD;

#endif
