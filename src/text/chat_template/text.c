#include "text/chat_template/text.h"

#include "base/utf8.h"
#include "text/chat_template/big_integer.h"

#include <stdlib.h>
#include <string.h>

static bool is_ascii(const am_jstring *s)
{
    return s->length == s->characters;
}

uint32_t am_jstring_next(const am_jstring *s, size_t *offset)
{
    uint32_t c;
    *offset += am_utf8_next(s->bytes + *offset, s->length - *offset, &c);
    return c;
}

uint32_t am_jstring_previous(const am_jstring *s, size_t *offset)
{
    uint32_t c;
    do --*offset;
    while (*offset && ((unsigned char)s->bytes[*offset] & 0xC0) == 0x80);
    am_utf8_next(s->bytes + *offset, s->length - *offset, &c);
    return c;
}

size_t am_jstring_offset(const am_jstring *s, size_t position)
{
    if (position >= s->characters) return s->length;
    if (is_ascii(s)) return position;
    size_t offset = 0;
    for (size_t i = 0; i < position; i++) am_jstring_next(s, &offset);
    return offset;
}

static bool keep_markup(am_jinja *j, const am_jstring *s, am_jvalue *out)
{
    return am_jstring_mark(j, *out, s->markup, out);
}

static bool text_like(am_jtext *text, const am_jstring *s, am_jvalue *out)
{
    return am_jstring_of_text(text, out) && keep_markup(text->j, s, out);
}

bool am_jstring_part(am_jinja *j, const am_jstring *s, size_t begin, size_t end, am_jvalue *out)
{
    *out = (am_jvalue){.kind = AM_J_STRING, .string = s};
    if (begin == 0 && end == s->length) return true;
    return am_jcharge_bytes(j, end - begin) && am_jstring_borrow(j, s->bytes + begin, end - begin, out) &&
           keep_markup(j, s, out);
}

/* ---- finding ---- */

static bool matches(const am_jstring *s, const am_jstring *needle, size_t at)
{
    return memcmp(s->bytes + at, needle->bytes, needle->length) == 0;
}

size_t am_jbytes_find(const am_jstring *s, const am_jstring *needle, size_t begin, size_t end)
{
    if (begin > end || needle->length > end - begin) return SIZE_MAX;
    if (!needle->length) return begin;
    for (size_t last = end - needle->length; begin <= last; begin++) {
        const char *hit = memchr(s->bytes + begin, needle->bytes[0], last - begin + 1);
        if (!hit) break;
        begin = (size_t)(hit - s->bytes);
        if (matches(s, needle, begin)) return begin;
    }
    return SIZE_MAX;
}

size_t am_jbytes_find_last(const am_jstring *s, const am_jstring *needle, size_t begin, size_t end)
{
    if (begin > end || needle->length > end - begin) return SIZE_MAX;
    if (!needle->length) return end;
    for (size_t at = end - needle->length + 1; at-- > begin;)
        if (s->bytes[at] == needle->bytes[0] && matches(s, needle, at)) return at;
    return SIZE_MAX;
}

bool am_jstring_starts(const am_jstring *s, const am_jstring *prefix)
{
    return s->length >= prefix->length && matches(s, prefix, 0);
}

bool am_jstring_ends(const am_jstring *s, const am_jstring *suffix)
{
    return s->length >= suffix->length && matches(s, suffix, s->length - suffix->length);
}

static bool is_among(const am_jstring *characters, uint32_t c)
{
    if (!characters) return am_jchar_is_space(c);
    for (size_t at = 0; at < characters->length;)
        if (am_jstring_next(characters, &at) == c) return true;
    return false;
}

bool am_jstring_strip(am_jinja *j, const am_jstring *s, const am_jstring *characters, bool left, bool right,
                      am_jvalue *out)
{
    size_t begin = 0, end = s->length;
    for (size_t at = 0; left && at < end; begin = at)
        if (!is_among(characters, am_jstring_next(s, &at))) break;
    for (size_t at = end; right && at > begin; end = at)
        if (!is_among(characters, am_jstring_previous(s, &at))) break;
    return am_jcharge_bytes(j, s->length - (end - begin)) && am_jstring_part(j, s, begin, end, out);
}

/* ---- splitting ---- */

static bool push_part(am_jinja *j, am_jitems *items, const am_jstring *s, size_t begin, size_t end)
{
    am_jvalue part;
    return am_jcharge(j, 1) && am_jstring_part(j, s, begin, end, &part) && am_jitems_push(j, items, part);
}

static size_t skip_spaces(const am_jstring *s, size_t at)
{
    for (size_t next = at; next < s->length; at = next)
        if (!am_jchar_is_space(am_jstring_next(s, &next))) break;
    return at;
}

static size_t skip_word(const am_jstring *s, size_t at)
{
    for (size_t next = at; next < s->length; at = next)
        if (am_jchar_is_space(am_jstring_next(s, &next))) break;
    return at;
}

static bool split_spaces(am_jinja *j, const am_jstring *s, int64_t limit, am_jitems *items)
{
    for (size_t at = skip_spaces(s, 0); at < s->length;) {
        bool last = limit >= 0 && (int64_t)items->count == limit;
        size_t end = last ? s->length : skip_word(s, at);
        if (!push_part(j, items, s, at, end)) return false;
        at = skip_spaces(s, end);
    }
    return true;
}

static bool split_at(am_jinja *j, const am_jstring *s, const am_jstring *separator, int64_t limit, am_jitems *items)
{
    size_t begin = 0;
    while (limit < 0 || (int64_t)items->count < limit) {
        size_t at = am_jbytes_find(s, separator, begin, s->length);
        if (at == SIZE_MAX) break;
        if (!push_part(j, items, s, begin, at)) return false;
        begin = at + separator->length;
    }
    return push_part(j, items, s, begin, s->length);
}

bool am_jstring_split(am_jinja *j, const am_jstring *s, const am_jstring *separator, int64_t limit, am_jvalue *out)
{
    am_jitems items = {0};
    if (!am_jcharge_bytes(j, s->length)) return false;
    if (!(separator ? split_at(j, s, separator, limit, &items) : split_spaces(j, s, limit, &items))) return false;
    return am_jitems_list(j, &items, AM_J_LIST, out);
}

static size_t back_over_spaces(const am_jstring *s, size_t at)
{
    for (size_t before = at; before > 0; at = before)
        if (!am_jchar_is_space(am_jstring_previous(s, &before))) break;
    return at;
}

static size_t back_over_word(const am_jstring *s, size_t at)
{
    for (size_t before = at; before > 0; at = before)
        if (am_jchar_is_space(am_jstring_previous(s, &before))) break;
    return at;
}

static bool split_spaces_right(am_jinja *j, const am_jstring *s, int64_t limit, am_jitems *items)
{
    for (size_t at = back_over_spaces(s, s->length); at > 0;) {
        bool last = limit >= 0 && (int64_t)items->count == limit;
        size_t begin = last ? 0 : back_over_word(s, at);
        if (!push_part(j, items, s, begin, at)) return false;
        at = back_over_spaces(s, begin);
    }
    return true;
}

static bool split_at_right(am_jinja *j, const am_jstring *s, const am_jstring *separator, int64_t limit,
                           am_jitems *items)
{
    size_t end = s->length;
    while (limit < 0 || (int64_t)items->count < limit) {
        size_t at = am_jbytes_find_last(s, separator, 0, end);
        if (at == SIZE_MAX) break;
        if (!push_part(j, items, s, at + separator->length, end)) return false;
        end = at;
    }
    return push_part(j, items, s, 0, end);
}

bool am_jstring_split_right(am_jinja *j, const am_jstring *s, const am_jstring *separator, int64_t limit,
                            am_jvalue *out)
{
    am_jitems items = {0};
    if (!am_jcharge_bytes(j, s->length)) return false;
    if (!(separator ? split_at_right(j, s, separator, limit, &items) : split_spaces_right(j, s, limit, &items)))
        return false;
    for (size_t i = 0; i < items.count / 2; i++) {
        am_jvalue swap = items.items[i];
        items.items[i] = items.items[items.count - 1 - i];
        items.items[items.count - 1 - i] = swap;
    }
    return am_jitems_list(j, &items, AM_J_LIST, out);
}

bool am_jstring_split_lines(am_jinja *j, const am_jstring *s, bool keep_ends, am_jvalue *out)
{
    am_jitems items = {0};
    size_t begin = 0, at = 0;
    if (!am_jcharge_bytes(j, s->length)) return false;
    while (at < s->length) {
        size_t end = at;
        uint32_t c = am_jstring_next(s, &at);
        if (!am_jchar_ends_line(c)) continue;
        if (c == '\r' && at < s->length && s->bytes[at] == '\n') at++;
        if (!push_part(j, &items, s, begin, keep_ends ? at : end)) return false;
        begin = at;
    }
    if (begin < s->length && !push_part(j, &items, s, begin, s->length)) return false;
    return am_jitems_list(j, &items, AM_J_LIST, out);
}

/* ---- changing ---- */

static void replace_between_all(am_jtext *text, const am_jstring *s, const am_jstring *with, int64_t limit)
{
    size_t at = 0;
    for (int64_t done = 0; limit < 0 || done < limit; done++) {
        size_t begin = at;
        am_jtext_append(text, with->bytes, with->length);
        if (at == s->length || text->j->failed) break;
        am_jstring_next(s, &at);
        am_jtext_append(text, s->bytes + begin, at - begin);
    }
    am_jtext_append(text, s->bytes + at, s->length - at);
}

bool am_jstring_replace(am_jinja *j, const am_jstring *s, const am_jstring *old, const am_jstring *with, int64_t limit,
                        am_jvalue *out)
{
    am_jtext text = {.j = j};
    size_t begin = 0;
    *out = (am_jvalue){.kind = AM_J_STRING, .string = s};
    if (!am_jcharge_bytes(j, s->length)) return false;
    if (old->length && am_jbytes_find(s, old, 0, s->length) == SIZE_MAX) return true;
    if (!old->length) replace_between_all(&text, s, with, limit);
    for (int64_t done = 0; old->length && (limit < 0 || done < limit) && !j->failed; done++) {
        size_t at = am_jbytes_find(s, old, begin, s->length);
        if (at == SIZE_MAX) break;
        am_jtext_append(&text, s->bytes + begin, at - begin);
        am_jtext_append(&text, with->bytes, with->length);
        begin = at + old->length;
    }
    if (old->length) am_jtext_append(&text, s->bytes + begin, s->length - begin);
    return text_like(&text, s, out);
}

/* A capital sigma becomes the final form after a cased character and before the end of the word. */
static bool is_final_sigma(const am_jstring *s, size_t begin, size_t end)
{
    uint32_t c = 0;
    bool cased = false;
    while (begin > 0) {
        c = am_jstring_previous(s, &begin);
        if (am_jchar_is_case_ignorable(c)) continue;
        cased = am_jchar_is_cased(c);
        break;
    }
    if (!cased) return false;
    while (end < s->length) {
        c = am_jstring_next(s, &end);
        if (!am_jchar_is_case_ignorable(c)) return !am_jchar_is_cased(c);
    }
    return true;
}

static void append_case(am_jtext *text, const am_jstring *s, am_jcase which, uint32_t c, size_t begin, size_t end)
{
    uint32_t mapped[3];
    if (c == 0x3A3 && which == AM_J_LOWER) {
        am_jtext_append_code_point(text, is_final_sigma(s, begin, end) ? 0x3C2 : 0x3C3);
        return;
    }
    size_t count = am_jchar_to_case(which, c, mapped);
    for (size_t i = 0; i < count; i++) am_jtext_append_code_point(text, mapped[i]);
}

static char ascii_case(am_jcase which, char c)
{
    if (which == AM_J_UPPER || which == AM_J_TITLE) return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* One character of `s` at *at, in another case. */
static void append_next(am_jtext *text, const am_jstring *s, am_jcase which, size_t *at)
{
    size_t begin = *at;
    uint32_t c = am_jstring_next(s, at);
    if (c < 0x80) am_jtext_append_char(text, ascii_case(which, (char)c));
    else append_case(text, s, which, c, begin, *at);
}

bool am_jstring_to_case(am_jinja *j, const am_jstring *s, am_jcase which, am_jvalue *out)
{
    am_jtext text = {.j = j};
    if (!am_jcharge_bytes(j, s->length)) return false;
    for (size_t at = 0; at < s->length && !j->failed;) append_next(&text, s, which, &at);
    return text_like(&text, s, out);
}

bool am_jstring_title(am_jinja *j, const am_jstring *s, am_jvalue *out)
{
    am_jtext text = {.j = j};
    bool after_cased = false;
    if (!am_jcharge_bytes(j, s->length)) return false;
    for (size_t at = 0; at < s->length && !j->failed;) {
        size_t next = at;
        bool cased = am_jchar_is_cased(am_jstring_next(s, &next));
        append_next(&text, s, after_cased ? AM_J_LOWER : AM_J_TITLE, &at);
        after_cased = cased;
    }
    return text_like(&text, s, out);
}

bool am_jstring_capitalize(am_jinja *j, const am_jstring *s, am_jvalue *out)
{
    am_jtext text = {.j = j};
    if (!am_jcharge_bytes(j, s->length)) return false;
    for (size_t at = 0; at < s->length && !j->failed;) append_next(&text, s, at ? AM_J_LOWER : AM_J_TITLE, &at);
    return text_like(&text, s, out);
}

bool am_jstring_swapcase(am_jinja *j, const am_jstring *s, am_jvalue *out)
{
    am_jtext text = {.j = j};
    if (!am_jcharge_bytes(j, s->length)) return false;
    for (size_t at = 0; at < s->length && !j->failed;) {
        size_t begin = at;
        uint32_t c = am_jstring_next(s, &at);
        if (am_jchar_is_upper(c)) append_case(&text, s, AM_J_LOWER, c, begin, at);
        else if (am_jchar_is_lower(c)) append_case(&text, s, AM_J_UPPER, c, begin, at);
        else am_jtext_append_code_point(&text, c);
    }
    return text_like(&text, s, out);
}

bool am_jstring_pad(am_jinja *j, const am_jstring *s, int64_t width, const am_jstring *fill, bool left, bool right,
                    am_jvalue *out)
{
    am_jtext text = {.j = j};
    *out = (am_jvalue){.kind = AM_J_STRING, .string = s};
    if (width <= 0 || (size_t)width <= s->characters) return true;
    size_t missing = (size_t)width - s->characters;
    /* CPython's str.center puts the odd one to the left when the width is odd. */
    size_t before = !left ? 0 : !right ? missing : missing / 2 + (missing & (size_t)width & 1);
    am_jtext_append_times(&text, fill->bytes, fill->length, before);
    am_jtext_append(&text, s->bytes, s->length);
    am_jtext_append_times(&text, fill->bytes, fill->length, missing - before);
    return text_like(&text, s, out);
}

bool am_jstring_repeat(am_jinja *j, const am_jstring *s, int64_t times, am_jvalue *out)
{
    am_jtext text = {.j = j};
    if (times > 0 && s->length && (uint64_t)times > (uint64_t)PTRDIFF_MAX / s->length)
        return am_jfail(j, "OverflowError", "repeated string is too long");
    if (times > 0) am_jtext_append_times(&text, s->bytes, s->length, (size_t)times);
    return am_jcharge_bytes(j, text.length) && text_like(&text, s, out);
}

bool am_jstring_slice(am_jinja *j, const am_jstring *s, int64_t begin, size_t count, int64_t step, am_jvalue *out)
{
    am_jtext text = {.j = j};
    if (!am_jcharge_bytes(j, s->length)) return false;
    if (step == 1 || count <= 1) {
        size_t from = am_jstring_offset(s, (size_t)begin);
        size_t to = count ? am_jstring_offset(s, (size_t)begin + count) : from;
        return am_jstring_part(j, s, from, to, out);
    }
    size_t offset = am_jstring_offset(s, (size_t)begin);
    for (size_t i = 0; i < count && !j->failed; i++) {
        size_t next = offset;
        am_jstring_next(s, &next);
        am_jtext_append(&text, s->bytes + offset, next - offset);
        if (i + 1 == count) break;
        for (int64_t k = 0; k < step; k++) am_jstring_next(s, &offset);
        for (int64_t k = 0; k > step; k--) am_jstring_previous(s, &offset);
    }
    return text_like(&text, s, out);
}

bool am_jstring_reverse(am_jinja *j, const am_jstring *s, am_jvalue *out)
{
    return am_jstring_slice(j, s, s->characters ? (int64_t)s->characters - 1 : 0, s->characters, -1, out);
}

static const char *escaped(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '\'':
        return "&#39;";
    case '"':
        return "&#34;";
    default:
        return NULL;
    }
}

bool am_jstring_escape(am_jinja *j, const am_jstring *s, am_jvalue *out)
{
    am_jtext text = {.j = j};
    *out = (am_jvalue){.kind = AM_J_STRING, .string = s};
    if (s->markup) return true;
    if (!am_jcharge_bytes(j, s->length)) return false;
    for (size_t i = 0; i < s->length && !j->failed; i++) {
        const char *entity = escaped(s->bytes[i]);
        if (entity) am_jtext_append_string(&text, entity);
        else am_jtext_append_char(&text, s->bytes[i]);
    }
    return am_jstring_of_text(&text, out) && am_jstring_mark(j, *out, true, out);
}

/* ---- numbers ---- */

/* The text without surrounding white space and with digits of any script as ASCII, zero-terminated; null when
   it is too long, or holds other characters. */
static const char *plain_number(const am_jstring *s, char *out, size_t capacity)
{
    size_t begin = skip_spaces(s, 0), end = back_over_spaces(s, s->length), length = 0;
    while (begin < end) {
        uint32_t c = am_jstring_next(s, &begin);
        int digit = c < 0x80 ? -1 : am_jchar_decimal_value(c);
        if ((c >= 0x80 && digit < 0) || c == 0 || length + 1 >= capacity) return NULL;
        out[length++] = digit >= 0 ? (char)('0' + digit) : (char)c;
    }
    out[length] = 0;
    return out;
}

/* Removes underscores that stand between two digits; false when one stands elsewhere. */
static bool drop_underscores(char *text)
{
    size_t to = 0;
    for (size_t i = 0; text[i]; i++) {
        bool alnum_before =
            i > 0 && strchr("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", text[i - 1]);
        bool alnum_after =
            text[i + 1] && strchr("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", text[i + 1]);
        if (text[i] != '_') text[to++] = text[i];
        else if (!alnum_before || !alnum_after) return false;
    }
    text[to] = 0;
    return true;
}

static bool looks_like_real(const char *text)
{
    if (*text == '+' || *text == '-') text++;
    if (strspn(text, "0123456789.") == 0) {
        static const char *const words[] = {"inf", "infinity", "nan"};
        char lower[16] = "";
        for (size_t i = 0; i < sizeof lower - 1 && text[i]; i++) lower[i] = (char)(text[i] | 0x20);
        for (size_t i = 0; i < 3; i++)
            if (strcmp(lower, words[i]) == 0 && strlen(text) == strlen(words[i])) return true;
        return false;
    }
    return strspn(text, "0123456789.eE+-") == strlen(text); /* strtod finds the rest: no hexadecimals */
}

bool am_jtext_to_real(const am_jstring *s, double *out)
{
    enum { LONGEST = 4096 };
    char text[LONGEST], *end;
    if (!plain_number(s, text, sizeof text) || !drop_underscores(text) || !looks_like_real(text)) return false;
    *out = strtod(text, &end);
    return end != text && *end == 0;
}

/* Base by prefix (0x, 0o, 0b), and how long the prefix is. */
static size_t integer_prefix(const char *text, int64_t *base)
{
    char letter = text[0] == '0' ? (char)(text[1] | 0x20) : 0;
    int64_t named = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
    if (named && (*base == 0 || *base == named)) {
        *base = named;
        return text[2] == '_' ? 3 : 2;
    }
    if (*base == 0) *base = 10;
    return 0;
}

static bool all_digits(const char *text, int64_t base)
{
    for (; *text; text++) {
        char c = (char)(*text | 0x20);
        int digit = *text >= '0' && *text <= '9' ? *text - '0' : c >= 'a' && c <= 'z' ? c - 'a' + 10 : 99;
        if (digit >= base) return false;
    }
    return true;
}

bool am_jtext_to_integer(am_jinja *j, const am_jstring *s, int64_t base, bool *is_number, am_jvalue *out)
{
    bool any_base = base == 0;
    char *text = am_jalloc(j, s->length + 1);
    *is_number = false;
    if (!text) return false;
    const char *digits = plain_number(s, text, s->length + 1);
    if (!digits) return true;
    bool negative = *digits == '-';
    if (*digits == '-' || *digits == '+') digits++;
    digits += integer_prefix(digits, &base);
    if (!drop_underscores(text + (digits - text)) || !*digits || !all_digits(digits, base)) return true;
    if (any_base && base == 10 && digits[0] == '0' && strspn(digits, "0") != strlen(digits)) return true;
    *is_number = true;
    if (!am_jinteger_from_digits(j, digits, strlen(digits), (unsigned)base, out)) return false;
    return !negative || am_jinteger_subtract(j, am_jint(0), *out, out);
}
