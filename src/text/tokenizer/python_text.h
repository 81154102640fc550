/* Text as Python's str has it: what the tokenizers that transformers writes in Python rest on. Properties are those of
   unicodedata of Python 3.11, which is Unicode 14. */
#ifndef AM_TEXT_TOKENIZER_PYTHON_TEXT_H
#define AM_TEXT_TOKENIZER_PYTHON_TEXT_H

#include "text/tokenizer/internal.h"

bool am_py_is_space(uint32_t c);   /* str.isspace, \s of re */
bool am_py_is_decimal(uint32_t c); /* str.isdecimal, \d of re */
bool am_py_is_digit(uint32_t c);   /* str.isdigit: also those of circles and above the line */
bool am_py_is_word(uint32_t c);    /* \w of re */

/* First letter of unicodedata.category: 'C' also for what Unicode 14 has not assigned. */
char am_py_category(uint32_t c);
bool am_py_is_nonspacing(uint32_t c); /* category Mn */

/* _is_whitespace, _is_control and _is_punctuation of transformers.tokenization_python. */
bool am_py_is_blank(uint32_t c);
bool am_py_is_control(uint32_t c);
bool am_py_is_punctuation(uint32_t c);

/* str.strip, lstrip, rstrip: parts of the text. */
am_text am_py_strip(am_text text);
am_text am_py_lstrip(am_text text);
am_text am_py_rstrip(am_text text);

/* str.split(): takes the next word off the front of *rest; false when there is none. */
bool am_py_next_word(am_text *rest, am_text *word);

/* str.split(separator) of one byte: takes the next part off; false when there is none left. Start with *more true. */
bool am_py_next_part(am_text *rest, char separator, bool *more, am_text *part);

/* str.lower, appended, or in place; str.upper of a character, appended. */
void am_py_lower(am_text text, am_buffer *out);
void am_py_lower_in_place(am_buffer *text);
void am_py_append_upper(uint32_t c, am_buffer *out);

typedef enum am_py_form { AM_PY_NFC, AM_PY_NFD, AM_PY_NFKC, AM_PY_NFKD } am_py_form;

/* unicodedata.normalize, appended. */
am_status am_py_normalize(am_text text, am_py_form form, am_buffer *out) AM_NODISCARD;

/* str.replace in place. */
am_status am_py_replace(am_buffer *text, const char *from, const char *to) AM_NODISCARD;

/* Appends a code point. */
void am_py_append(am_buffer *out, uint32_t c);

/* bytes.decode("utf-8", errors="ignore" or "replace"), appended. */
void am_py_decode_utf8(const char *bytes, size_t length, bool replace, am_buffer *out);

static inline am_text am_buffer_view(const am_buffer *buffer)
{
    return (am_text){am_buffer_text(buffer), buffer->length};
}

/* ---- python_regex.c: patterns of Python's re ---- */

typedef struct am_py_regex am_py_regex;

/* A set of code points that patterns name: {name} inside a class stands for its members. */
typedef struct am_py_set {
    const char *name;
    const uint32_t (*ranges)[2]; /* inclusive */
    size_t count;
} am_py_set;

/* Compiles a pattern of `re`, written with {space}, {digit}, {word} inside classes for \s, \d, \w, and with the names
   of `sets` (null name at the end; may be null). Destroyed with am_py_regex_destroy. */
am_status am_py_regex_create(const char *pattern, bool ignore_case, const am_py_set *sets,
                             am_py_regex **out) AM_NODISCARD;
void am_py_regex_destroy(am_py_regex *regex);

/* Finds the first match from byte `from` on. groups[2 * i] and [2 * i + 1] are the bytes of group i, (SIZE_MAX,
   SIZE_MAX) where it took no part; at most `group_count` are written. *found false: no match. */
am_status am_py_regex_search(const am_py_regex *regex, am_text text, size_t from, size_t *groups, size_t group_count,
                             bool *found) AM_NODISCARD;

/* re.sub in place: \1 ... \9 of the replacement are groups. */
am_status am_py_regex_replace(const am_py_regex *regex, am_buffer *text, const char *replacement) AM_NODISCARD;

#endif
