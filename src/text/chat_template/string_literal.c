#include "text/chat_template/string_literal.h"

#include "base/utf8.h"

#include <string.h>

typedef struct reader {
    am_jtext text;
    const char *bytes;
    size_t length, at;
} reader;

static bool fail(reader *r, const char *message)
{
    return am_jfail_code(r->text.j, AM_INVALID_FILE, "TemplateSyntaxError", "%s", message);
}

static int digit(char c, int base)
{
    char lower = (char)(c | 0x20);
    int value = c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 99;
    return value < base ? value : -1;
}

static bool append(reader *r, uint32_t c)
{
    if (c > 0x10FFFF) return fail(r, "illegal Unicode character");
    if (c >= 0xD800 && c <= 0xDFFF)
        return am_jfail_code(r->text.j, AM_INVALID_FILE, "UnicodeEncodeError",
                             "'utf-8' codec can't encode character '\\u%04x' in position %zu: surrogates not allowed",
                             (unsigned)c, am_utf8_count(r->text.length ? r->text.bytes : "", r->text.length));
    am_jtext_append_code_point(&r->text, c);
    return !r->text.j->failed;
}

static bool read_hexadecimal(reader *r, int digits, const char *message)
{
    uint32_t c = 0;
    for (int i = 0; i < digits; i++, r->at++) {
        int value = r->at < r->length ? digit(r->bytes[r->at], 16) : -1;
        if (value < 0) return fail(r, message);
        c = c << 4 | (uint32_t)value;
    }
    return append(r, c);
}

static bool read_octal(reader *r)
{
    uint32_t c = 0;
    for (int i = 0; i < 3 && r->at < r->length && digit(r->bytes[r->at], 8) >= 0; i++, r->at++)
        c = c << 3 | (uint32_t)digit(r->bytes[r->at], 8);
    return append(r, c);
}

/* A backslash before a character beyond ASCII: the codec sees that character as an escape already, and the
   two backslashes as one. */
static bool keep_escaped_character(reader *r)
{
    uint32_t c;
    r->at += am_utf8_next(r->bytes + r->at, r->length - r->at, &c);
    if (c < 0x100) am_jtext_printf(&r->text, "\\x%02x", (unsigned)c);
    else if (c < 0x10000) am_jtext_printf(&r->text, "\\u%04x", (unsigned)c);
    else am_jtext_printf(&r->text, "\\U%08x", (unsigned)c);
    return !r->text.j->failed;
}

static bool read_escape(reader *r)
{
    static const char letters[] = "\\'\"abfnrtv", values[] = "\\'\"\a\b\f\n\r\t\v";
    char c = r->bytes[r->at];
    const char *letter = c ? strchr(letters, c) : NULL;
    if ((unsigned char)c >= 0x80) return keep_escaped_character(r);
    if (digit(c, 8) >= 0) return read_octal(r);
    r->at++;
    if (c == '\n') return true;
    if (letter) return append(r, (uint32_t)values[letter - letters]);
    if (c == 'x') return read_hexadecimal(r, 2, "truncated \\xXX escape");
    if (c == 'u') return read_hexadecimal(r, 4, "truncated \\uXXXX escape");
    if (c == 'U') return read_hexadecimal(r, 8, "truncated \\UXXXXXXXX escape");
    if (c == 'N') /* the names of characters are not there */
        return fail(r, r->at < r->length && r->bytes[r->at] == '{' ? "unknown Unicode character name"
                                                                   : "malformed \\N character escape");
    return append(r, '\\') && append(r, (uint32_t)(unsigned char)c);
}

bool am_jstring_unescape(am_jinja *j, const char *bytes, size_t length, am_jvalue *out)
{
    reader r = {.text = {.j = j}, .bytes = bytes, .length = length};
    while (r.at < length && !j->failed) {
        const char *backslash = memchr(bytes + r.at, '\\', length - r.at);
        size_t end = backslash ? (size_t)(backslash - bytes) : length;
        am_jtext_append(&r.text, bytes + r.at, end - r.at);
        r.at = end + 1;
        if (backslash && !read_escape(&r)) return false;
    }
    return am_jstring_of_text(&r.text, out);
}
