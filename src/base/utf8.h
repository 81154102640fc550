/* UTF-8 as RFC 3629 has it: no surrogates, no overlong forms, nothing above U+10FFFF. */
#ifndef AM_BASE_UTF8_H
#define AM_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AM_UTF8_INVALID UINT32_MAX

/* Decodes the code point at `text` (length >= 1 bytes left) and returns how many bytes it takes.
   Ill-formed: *out is AM_UTF8_INVALID and the count is that of the maximal ill-formed subpart (Unicode 3.9,
   at least 1). */
size_t am_utf8_next(const char *text, size_t length, uint32_t *out);

/* Encodes a scalar value into up to 4 bytes; returns the count, 0 when `c` is no scalar value. */
size_t am_utf8_put(uint32_t c, char out[4]);

/* Whether all of the text is well-formed; *bad (may be null) is the offset of the first byte that is not. */
bool am_utf8_valid(const char *text, size_t length, size_t *bad);

/* Code points in well-formed text (ill-formed subparts count as one each). */
size_t am_utf8_count(const char *text, size_t length);

#endif
