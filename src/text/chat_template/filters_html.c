/* Filters for HTML and URLs. Little use in chats, but some templates say `| safe` or `| e`. */
#include "text/chat_template/arguments.h"
#include "text/chat_template/big_integer.h"
#include "text/chat_template/filters.h"
#include "text/chat_template/iterate.h"
#include "text/chat_template/represent.h"
#include "text/chat_template/text.h"

#include <string.h>

bool am_jfilter_escape(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    return am_jvalue_to_soft_string(j, c->a[0], out) && am_jstring_escape(j, out->string, out);
}

bool am_jfilter_forceescape(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    return am_jvalue_to_string(j, c->a[0], out) && am_jstring_escape(j, out->string, out);
}

bool am_jfilter_safe(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    return am_jvalue_to_soft_string(j, c->a[0], out) && am_jstring_mark(j, *out, true, out);
}

/* ---- striptags ---- */

/* The text without "<...>" and comments; what is not closed stays. */
static void drop_tags(am_jtext *text, const am_jstring *s)
{
    const am_jstring open = {.bytes = "<", .length = 1}, close = {.bytes = ">", .length = 1},
                     comment = {.bytes = "<!--", .length = 4}, comment_end = {.bytes = "-->", .length = 3};
    size_t at = 0;
    for (;;) {
        size_t begin = am_jbytes_find(s, &open, at, s->length);
        if (begin == SIZE_MAX) break;
        bool is_comment = am_jbytes_find(s, &comment, begin, s->length) == begin;
        size_t end = is_comment ? am_jbytes_find(s, &comment_end, begin + 4, s->length)
                                : am_jbytes_find(s, &close, begin, s->length);
        if (end == SIZE_MAX) break;
        am_jtext_append(text, s->bytes + at, begin - at);
        at = end + (is_comment ? 3 : 1);
    }
    am_jtext_append(text, s->bytes + at, s->length - at);
}

/* Value of "#38" or "#x26", 0 when it is no number of a character. */
static uint32_t numeric_entity(const char *name, size_t length)
{
    uint32_t c = 0;
    bool hexadecimal = length > 1 && (name[1] | 0x20) == 'x';
    size_t at = hexadecimal ? 2 : 1;
    if (at >= length) return 0;
    for (; at < length; at++) {
        char lower = (char)(name[at] | 0x20);
        int digit = name[at] >= '0' && name[at] <= '9'            ? name[at] - '0'
                    : hexadecimal && lower >= 'a' && lower <= 'f' ? lower - 'a' + 10
                                                                  : -1;
        if (digit < 0) return 0;
        c = c * (hexadecimal ? 16 : 10) + (uint32_t)digit;
        if (c > 0x10FFFF) return 0xFFFD;
    }
    return c >= 0xD800 && c <= 0xDFFF ? 0xFFFD : c;
}

/* The character of an entity: numbers and the names that escape() and common texts use. */
static uint32_t entity(const char *name, size_t length)
{
    static const struct {
        const char *name;
        uint32_t c;
    } names[] = {{"amp", '&'},       {"lt", '<'},       {"gt", '>'},       {"quot", '"'},     {"apos", '\''},
                 {"nbsp", 0xA0},     {"copy", 0xA9},    {"reg", 0xAE},     {"laquo", 0xAB},   {"raquo", 0xBB},
                 {"hellip", 0x2026}, {"mdash", 0x2014}, {"ndash", 0x2013}, {"lsquo", 0x2018}, {"rsquo", 0x2019},
                 {"ldquo", 0x201C},  {"rdquo", 0x201D}, {"bull", 0x2022},  {"middot", 0xB7},  {"times", 0xD7},
                 {"deg", 0xB0},      {"euro", 0x20AC},  {"pound", 0xA3},   {"trade", 0x2122}};
    if (length && *name == '#') return numeric_entity(name, length);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i].name) == length && memcmp(names[i].name, name, length) == 0) return names[i].c;
    return 0;
}

static bool unescape(am_jinja *j, const am_jstring *s, am_jvalue *out)
{
    enum { LONGEST = 32 };
    am_jtext text = {.j = j};
    for (size_t at = 0; at < s->length && !j->failed; at++) {
        const char *name = s->bytes + at + 1;
        size_t left = s->length - at - 1;
        const char *end = s->bytes[at] == '&' ? memchr(name, ';', left < LONGEST ? left : LONGEST) : NULL;
        uint32_t c = end ? entity(name, (size_t)(end - name)) : 0;
        if (!c) am_jtext_append_char(&text, s->bytes[at]);
        if (!c) continue;
        am_jtext_append_code_point(&text, c);
        at = (size_t)(end - s->bytes);
    }
    return am_jstring_of_text(&text, out);
}

bool am_jfilter_striptags(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    am_jtext bare = {.j = j}, joined = {.j = j};
    am_jvalue value, words;
    if (!am_jvalue_to_string(j, c->a[0], &value) || !am_jcharge_bytes(j, value.string->length)) return false;
    drop_tags(&bare, value.string);
    if (!am_jstring_of_text(&bare, &value) || !am_jstring_split(j, value.string, NULL, -1, &words)) return false;
    for (size_t i = 0; i < words.list->count; i++) {
        if (i) am_jtext_append_char(&joined, ' ');
        if (!am_jstr(&joined, words.list->items[i])) return false;
    }
    return am_jstring_of_text(&joined, &value) && unescape(j, value.string, out);
}

/* ---- urlencode ---- */

static bool quote(am_jtext *text, am_jvalue value, bool query)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~";
    am_jvalue string;
    if (!am_jvalue_to_string(text->j, value, &string) || !am_jcharge_bytes(text->j, string.string->length))
        return false;
    for (size_t i = 0; i < string.string->length && !text->j->failed; i++) {
        char c = string.string->bytes[i];
        if (c && (strchr(plain, c) || (c == '/' && !query))) am_jtext_append_char(text, c);
        else if (c == ' ' && query) am_jtext_append_char(text, '+');
        else am_jtext_printf(text, "%%%02X", (unsigned)(unsigned char)c);
    }
    return !text->j->failed;
}

static bool quote_pair(am_jtext *text, am_jvalue pair)
{
    am_jitems two = {0};
    if (!am_junpack_two(text->j, pair, &two)) return false;
    if (!quote(text, two.items[0], true)) return false;
    am_jtext_append_char(text, '=');
    return quote(text, two.items[1], true);
}

bool am_jfilter_urlencode(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    am_jtext text = {.j = j};
    am_jvalue value = c->a[0], pair;
    am_jiterator *iterator;
    if (value.kind == AM_J_STRING || !am_jvalue_is_iterable(value))
        return quote(&text, value, false) && am_jstring_of_text(&text, out);
    if (value.kind == AM_J_DICT && !am_jview_make(j, AM_J_ITEMS, value.dict, &value)) return false;
    if (!am_jiterate(j, value, &iterator)) return false;
    for (bool first = true;; first = false) {
        if (!am_jiterator_next(j, iterator, &pair)) return false;
        if (pair.kind == AM_J_MISSING) return am_jstring_of_text(&text, out);
        if (!first) am_jtext_append_char(&text, '&');
        if (!quote_pair(&text, pair)) return false;
    }
}

/* ---- xmlattr ---- */

static bool append_attribute(am_jtext *text, am_jvalue key, am_jvalue value)
{
    am_jinja *j = text->j;
    if (key.kind != AM_J_STRING)
        return am_jfail(j, "TypeError", "expected string or bytes-like object, got '%s'", am_jvalue_type(key));
    for (size_t i = 0; i < key.string->length; i++)
        if (key.string->bytes[i] && strchr(" \t\n\r\f\v/>=", key.string->bytes[i]))
            return am_jfail(j, "ValueError", "Invalid character in attribute name: %s", am_jrepr_text(j, key));
    if (!am_jstring_escape(j, key.string, &key) || !am_jvalue_to_soft_string(j, value, &value) ||
        !am_jstring_escape(j, value.string, &value))
        return false;
    am_jtext_append(text, key.string->bytes, key.string->length);
    am_jtext_append_string(text, "=\"");
    am_jtext_append(text, value.string->bytes, value.string->length);
    am_jtext_append_char(text, '"');
    return !j->failed;
}

bool am_jfilter_xmlattr(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    am_jtext text = {.j = j};
    if (c->a[0].kind == AM_J_UNDEFINED) return am_jfail_undefined(j, c->a[0].undefined);
    if (c->a[0].kind != AM_J_DICT)
        return am_jfail(j, "AttributeError", "'%s' object has no attribute 'items'", am_jvalue_type(c->a[0]));
    const am_jdict *dict = c->a[0].dict;
    bool space = am_jargument_bool(c->a[1], true);
    for (size_t i = 0; i < dict->count; i++) {
        am_jvalue value = dict->entries[i].value;
        if (value.kind == AM_J_NONE || value.kind == AM_J_UNDEFINED) continue;
        if (text.length || space) am_jtext_append_char(&text, ' ');
        if (!append_attribute(&text, dict->entries[i].key, value)) return false;
    }
    return am_jstring_of_text(&text, out);
}
