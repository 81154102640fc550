/* What Python's str can do, on strings of the interpreter. Positions and counts are in characters (code
   points) unless they are called offsets or bytes. Results keep the markup of `s`. All fail only for want of
   memory or steps. */
#ifndef AM_TEXT_CHAT_TEMPLATE_TEXT_H
#define AM_TEXT_CHAT_TEMPLATE_TEXT_H

#include "text/chat_template/unicode.h"
#include "text/chat_template/value.h"

/* Byte offset of a character; `s->length` for positions at or beyond the end. */
size_t am_jstring_offset(const am_jstring *s, size_t position);

/* The bytes [begin, end) of `s`, shared with it. */
bool am_jstring_part(am_jinja *j, const am_jstring *s, size_t begin, size_t end, am_jvalue *out);

/* The next character of `s` at byte *offset, which moves on. */
uint32_t am_jstring_next(const am_jstring *s, size_t *offset);

/* The character that ends before byte *offset, which moves back; *offset > 0. */
uint32_t am_jstring_previous(const am_jstring *s, size_t *offset);

/* Byte offset of the first (last) occurrence inside [begin, end) bytes, SIZE_MAX when there is none. */
size_t am_jbytes_find(const am_jstring *s, const am_jstring *needle, size_t begin, size_t end);
size_t am_jbytes_find_last(const am_jstring *s, const am_jstring *needle, size_t begin, size_t end);

/* str.startswith, str.endswith. */
bool am_jstring_starts(const am_jstring *s, const am_jstring *prefix);
bool am_jstring_ends(const am_jstring *s, const am_jstring *suffix);

/* str.strip and its halves; `characters` null: white space. */
bool am_jstring_strip(am_jinja *j, const am_jstring *s, const am_jstring *characters, bool left, bool right,
                      am_jvalue *out);

/* str.split and str.rsplit: `separator` null: runs of white space; `limit` < 0: no limit. The separator is
   not empty. */
bool am_jstring_split(am_jinja *j, const am_jstring *s, const am_jstring *separator, int64_t limit, am_jvalue *out);
bool am_jstring_split_right(am_jinja *j, const am_jstring *s, const am_jstring *separator, int64_t limit,
                            am_jvalue *out);
bool am_jstring_split_lines(am_jinja *j, const am_jstring *s, bool keep_ends, am_jvalue *out);

/* str.replace; `limit` < 0: all. */
bool am_jstring_replace(am_jinja *j, const am_jstring *s, const am_jstring *old, const am_jstring *with, int64_t limit,
                        am_jvalue *out);

/* upper, lower, casefold; title (each word), capitalize (first character only), swapcase. */
bool am_jstring_to_case(am_jinja *j, const am_jstring *s, am_jcase which, am_jvalue *out);
bool am_jstring_title(am_jinja *j, const am_jstring *s, am_jvalue *out);
bool am_jstring_capitalize(am_jinja *j, const am_jstring *s, am_jvalue *out);
bool am_jstring_swapcase(am_jinja *j, const am_jstring *s, am_jvalue *out);

/* Padded with `fill` to `width` characters: `left` and `right` say on which sides. */
bool am_jstring_pad(am_jinja *j, const am_jstring *s, int64_t width, const am_jstring *fill, bool left, bool right,
                    am_jvalue *out);

/* The string `times` times. */
bool am_jstring_repeat(am_jinja *j, const am_jstring *s, int64_t times, am_jvalue *out);

/* s[start:stop:step] after resolving (begin, count and step as am_jslice_resolve gives them). */
bool am_jstring_slice(am_jinja *j, const am_jstring *s, int64_t begin, size_t count, int64_t step, am_jvalue *out);
bool am_jstring_reverse(am_jinja *j, const am_jstring *s, am_jvalue *out);

/* markupsafe.escape: &, <, >, ' and " replaced. Always markup. */
bool am_jstring_escape(am_jinja *j, const am_jstring *s, am_jvalue *out);

/* Python's float(text): surrounding white space, underscores, inf and nan; false when it is no number. Needs
   the C locale. */
bool am_jtext_to_real(const am_jstring *s, double *out);

/* Python's int(text, base), base 0 or 2 to 36; *is_number says whether it is one. False only when it is too
   large. */
bool am_jtext_to_integer(am_jinja *j, const am_jstring *s, int64_t base, bool *is_number, am_jvalue *out);

#endif
