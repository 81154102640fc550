/* The languages of Whisper, from transformers (tools/make_tokenizer_classes.py). Both tables end with nulls. */
#ifndef AM_TEXT_TOKENIZER_LANGUAGES_H
#define AM_TEXT_TOKENIZER_LANGUAGES_H

extern const char *const am_whisper_languages[][2];      /* in the order of their tokens: code and name */
extern const char *const am_whisper_language_names[][2]; /* other names, and the code */

#endif
