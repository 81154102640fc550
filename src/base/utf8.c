#include "base/utf8.h"

#include <string.h>

/* Lead byte -> number of continuation bytes and the range the first of them must lie in (Unicode table 3-7).
 */
static int expected_tail(unsigned char lead, unsigned char *low, unsigned char *high)
{
    *low = 0x80;
    *high = 0xBF;
    if (lead >= 0xC2 && lead <= 0xDF) return 1;
    if (lead >= 0xE0 && lead <= 0xEF) {
        if (lead == 0xE0) *low = 0xA0;
        if (lead == 0xED) *high = 0x9F;
        return 2;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        if (lead == 0xF0) *low = 0x90;
        if (lead == 0xF4) *high = 0x8F;
        return 3;
    }
    return -1;
}

size_t am_utf8_next(const char *text, size_t length, uint32_t *out)
{
    unsigned char lead = (unsigned char)text[0], low, high;
    if (lead < 0x80) {
        *out = lead;
        return 1;
    }
    *out = AM_UTF8_INVALID;
    int tail = expected_tail(lead, &low, &high);
    if (tail < 0) return 1;
    uint32_t c = lead & (0x3Fu >> tail);
    for (int i = 1; i <= tail; i++) {
        if ((size_t)i >= length) return (size_t)i;
        unsigned char byte = (unsigned char)text[i];
        if (byte < low || byte > high) return (size_t)i;
        c = c << 6 | (byte & 0x3Fu);
        low = 0x80;
        high = 0xBF;
    }
    *out = c;
    return (size_t)tail + 1;
}

size_t am_utf8_put(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        if (c >= 0xD800 && c <= 0xDFFF) return 0;
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    if (c > 0x10FFFF) return 0;
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

bool am_utf8_valid(const char *text, size_t length, size_t *bad)
{
    for (size_t at = 0; at < length;) {
        uint32_t c;
        size_t step = am_utf8_next(text + at, length - at, &c);
        if (c == AM_UTF8_INVALID) {
            if (bad) *bad = at;
            return false;
        }
        at += step;
    }
    return true;
}

/* Bytes of ASCII that a text begins with, in steps of 8. */
static size_t ascii_run(const char *text, size_t length)
{
    const uint64_t upper = 0x8080808080808080;
    size_t at = 0;
    for (uint64_t word; at + sizeof word <= length; at += sizeof word) {
        memcpy(&word, text + at, sizeof word);
        if (word & upper) break;
    }
    return at;
}

size_t am_utf8_count(const char *text, size_t length)
{
    size_t count = 0;
    for (size_t at = 0; at < length; count++) {
        uint32_t c;
        size_t run = ascii_run(text + at, length - at);
        at += run;
        count += run;
        if (at == length) break;
        at += am_utf8_next(text + at, length - at, &c);
    }
    return count;
}
