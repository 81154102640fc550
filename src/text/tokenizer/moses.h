/* The Moses tokenizer, punctuation normalizer and detokenizer (Koehn et al. 2007), as sacremoses 0.1.1 has them. */
#ifndef AM_TEXT_TOKENIZER_MOSES_H
#define AM_TEXT_TOKENIZER_MOSES_H

#include "text/tokenizer/python_text.h"

typedef struct am_moses am_moses;

typedef struct am_moses_options {
    const char *language;       /* two letters, of the text that is cut */
    bool aggressive_dash_splits; /* "a-b" becomes "a @-@ b" */
    bool escape;                /* "&" and others become entities of XML */
} am_moses_options;

/* Freed with am_moses_destroy. A language without prefixes of its own has those of English, as there. */
am_status am_moses_create(const am_moses_options *options, am_moses **out) AM_NODISCARD;
void am_moses_destroy(am_moses *moses);

/* replace_unicode_punct, MosesPunctNormalizer.normalize and remove_non_printing_char of transformers, in place. */
am_status am_moses_normalize(const am_moses *moses, am_buffer *text) AM_NODISCARD;

/* MosesTokenizer.tokenize, in place: words with white space between. */
am_status am_moses_tokenize(const am_moses *moses, am_buffer *text) AM_NODISCARD;

/* Whether there is a detokenizer of the language. */
bool am_moses_can_detokenize(am_text language);

/* MosesDetokenizer.detokenize of words with white space between, appended. */
am_status am_moses_detokenize(am_text words, am_text language, am_buffer *out) AM_NODISCARD;

#endif
