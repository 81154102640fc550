/* Whisper's text normalizers, which make transcriptions comparable: English (numbers as digits, contractions written
   out, American spelling) and basic, for any language (english_normalizer.py of transformers). */
#ifndef AM_TEXT_WHISPER_NORMALIZER_H
#define AM_TEXT_WHISPER_NORMALIZER_H

#include "base/buffer.h"
#include "text/tokenizer.h"

typedef struct am_whisper_normalizer am_whisper_normalizer;

/* Reads normalizer.json (British spellings with the American ones) of a tokenizer's directory; without that file only
   the basic normalizer works. Closed with am_whisper_normalizer_close. Fails with AM_INVALID_FILE. */
am_status am_whisper_normalizer_open(const char *directory, am_whisper_normalizer **out) AM_NODISCARD;
void am_whisper_normalizer_close(am_whisper_normalizer *normalizer);

/* EnglishTextNormalizer: appends the text. Fails with AM_NOT_FOUND without normalizer.json, AM_OUT_OF_RANGE (a pattern
   needs too many steps on this text). */
am_status am_whisper_normalize_english(const am_whisper_normalizer *normalizer, am_text text,
                                       am_buffer *out) AM_NODISCARD;

/* BasicTextNormalizer: appends the text, on request without diacritics. */
am_status am_whisper_normalize_basic(const am_whisper_normalizer *normalizer, am_text text, bool remove_diacritics,
                                     am_buffer *out) AM_NODISCARD;

#endif
