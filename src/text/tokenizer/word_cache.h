/* Tokens of words that came before, a bounded number of them, in the scratch memory of a tokenizer. */
#ifndef AM_TEXT_TOKENIZER_WORD_CACHE_H
#define AM_TEXT_TOKENIZER_WORD_CACHE_H

#include "text/tokenizer/internal.h"

/* Where the tokens of a word are, or are to be put. */
typedef struct am_cache_place {
    struct am_cached_word *word; /* null: not cached, as it is too long */
    uint64_t hash;
} am_cache_place;

/* Appends the tokens of a word, when they are there, and answers whether. Else *out is for am_word_cache_put. */
bool am_word_cache_get(const am_model *model, am_scratch *scratch, am_text word, bool raw_bytes, am_cache_place *out);

/* Keeps scratch->tokens from `first` on as those of the word. */
void am_word_cache_put(const am_model *model, am_scratch *scratch, am_text word, bool raw_bytes, size_t first,
                       am_cache_place place);

#endif
