/* EnglishNumberNormalizer of Whisper: spelled-out numbers as digits, with signs, currencies and suffixes. */
#ifndef AM_TEXT_WHISPER_NUMBERS_H
#define AM_TEXT_WHISPER_NUMBERS_H

#include "text/tokenizer/python_text.h"

/* \b of re before a word and behind one. */
#define AM_WORD_BEGINS "(?<![\\p{L}\\p{N}_])"
#define AM_WORD_ENDS   "(?![\\p{L}\\p{N}_])"

enum { AM_WHISPER_NUMBER_PATTERNS = 7 };

typedef struct am_whisper_numbers {
    am_py_regex *patterns[AM_WHISPER_NUMBER_PATTERNS];
} am_whisper_numbers;

/* deinit also after a failed init. */
am_status am_whisper_numbers_init(am_whisper_numbers *numbers) AM_NODISCARD;
void am_whisper_numbers_deinit(am_whisper_numbers *numbers);

/* Rewrites the text, which is in lower case. Fails with AM_OUT_OF_RANGE as patterns do. */
am_status am_whisper_numbers_apply(const am_whisper_numbers *numbers, am_buffer *text) AM_NODISCARD;

#endif
