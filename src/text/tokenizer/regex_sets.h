/* Sets of code points as Oniguruma names them, written as PCRE2 reads them between brackets. */
#ifndef AM_TEXT_TOKENIZER_REGEX_SETS_H
#define AM_TEXT_TOKENIZER_REGEX_SETS_H

#include "text/tokenizer/internal.h"

/* \w and \s. Of the numbers that are no digits \w has those of Latin-1, but not in brackets. */
extern const char am_regex_word[], am_regex_word_in_brackets[], am_regex_space[];

/* What the name of a property stands for, static or in the buffer; "" when it is none PCRE2 could know either. */
const char *am_regex_property(const char *name, char buffer[48]);

/* Appends a set; `exact`: with what Unicode 15 and 16 changed in it spelled out. *is_rare becomes true where that is
   more than am_text_has_new_chars finds without being told. */
void am_regex_put_set(const char *set, bool exact, am_buffer *out, bool *is_rare);

#endif
