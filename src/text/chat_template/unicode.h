/* Character classes and case as Python's str has them. Simple mappings and categories are utf8proc's; what it
   lacks (mappings to several characters, Other_Lowercase, numeric values of letters) are the tables in
   unicode.c. */
#ifndef AM_TEXT_CHAT_TEMPLATE_UNICODE_H
#define AM_TEXT_CHAT_TEMPLATE_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* str.isspace, and \s of regular expressions. */
bool am_jchar_is_space(uint32_t c);
bool am_jchar_is_alpha(uint32_t c);
bool am_jchar_is_decimal(uint32_t c);
bool am_jchar_is_digit(uint32_t c);
bool am_jchar_is_numeric(uint32_t c);
bool am_jchar_is_alnum(uint32_t c);
bool am_jchar_is_word(uint32_t c); /* \w */
bool am_jchar_is_printable(uint32_t c);
bool am_jchar_is_lower(uint32_t c);
bool am_jchar_is_upper(uint32_t c);
bool am_jchar_is_title(uint32_t c);

/* Has case at all; passed over when the end of a word is looked for (final sigma). */
bool am_jchar_is_cased(uint32_t c);
bool am_jchar_is_case_ignorable(uint32_t c);

/* First and further characters of an identifier. */
bool am_jchar_starts_name(uint32_t c);
bool am_jchar_continues_name(uint32_t c);

/* Line ends of str.splitlines ("\r\n" is one, made of two of these). */
bool am_jchar_ends_line(uint32_t c);

/* Value of a decimal digit of any script, -1 when it is none. */
int am_jchar_decimal_value(uint32_t c);

typedef enum am_jcase { AM_J_UPPER, AM_J_LOWER, AM_J_TITLE, AM_J_FOLD } am_jcase;

/* Full case mapping of one character into 1 to 3 others; returns how many. */
size_t am_jchar_to_case(am_jcase which, uint32_t c, uint32_t out[3]);

#endif
