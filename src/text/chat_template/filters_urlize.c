/* The filter urlize: addresses in a text become links (jinja2.utils.urlize). Its regular expressions are read by hand:
   each has one way to match at most. */
#include "text/chat_template/arguments.h"
#include "text/chat_template/filters.h"
#include "text/chat_template/iterate.h"
#include "text/chat_template/represent.h"
#include "text/chat_template/sort.h"
#include "text/chat_template/text.h"

#include <string.h>

typedef struct links {
    am_jinja *j;
    am_jtext out;
    am_jvalue limit;        /* of characters shown; none: no limit */
    am_jvalue attributes;   /* rel and target, as text */
    am_jitems more_schemes; /* strings */
} links;

/* The bytes [begin, end) of the escaped text. */
typedef struct span {
    const am_jstring *s;
    size_t begin, end;
} span;

/* ---- pieces of regular expressions; those of ASCII letters ignore case, as Python does: K, long s and the Turkish i's
   are letters, too ---- */

static uint32_t lowered(uint32_t c)
{
    if (c >= 'A' && c <= 'Z') return c + 32;
    return c == 0x212A ? 'k' : c == 0x17F ? 's' : c == 0x130 || c == 0x131 ? 'i' : c;
}

static bool is_ascii_letter(uint32_t c)
{
    return lowered(c) >= 'a' && lowered(c) <= 'z';
}

static bool is_hexadecimal(uint32_t c)
{
    return am_jchar_is_decimal(c) || (lowered(c) >= 'a' && lowered(c) <= 'f');
}

static bool is_word_or_percent(uint32_t c)
{
    return am_jchar_is_word(c) || c == '%';
}

static bool is_of_label(uint32_t c)
{
    return is_word_or_percent(c) || c == '-';
}

static bool is_of_mail_domain(uint32_t c)
{
    return am_jchar_is_word(c) || c == '.' || c == '-';
}

static bool is_of_scheme(uint32_t c)
{
    return am_jchar_is_word(c) || c == '.' || c == '+' || c == '-';
}

/* Whether all characters are of a class, and there are `least` to `most` of them. */
static bool all_are(span t, bool (*is)(uint32_t), size_t least, size_t most)
{
    size_t count = 0;
    for (size_t at = t.begin; at < t.end; count++)
        if (!is(am_jstring_next(t.s, &at)) || count == most) return false;
    return count >= least;
}

/* Where `text` ends that `t` begins with, upper or lower case; SIZE_MAX when it does not. */
static size_t after_prefix(span t, const char *text)
{
    for (; *text; text++)
        if (t.begin >= t.end || lowered(am_jstring_next(t.s, &t.begin)) != (uint32_t)(unsigned char)*text)
            return SIZE_MAX;
    return t.begin;
}

static bool equals_text(span t, const char *text)
{
    return after_prefix(t, text) == t.end;
}

static bool starts(span t, const char *text)
{
    size_t length = strlen(text);
    return t.end - t.begin >= length && memcmp(t.s->bytes + t.begin, text, length) == 0;
}

/* The first (last) byte `c` of a span, its end when there is none. */
static size_t find_byte(span t, char c)
{
    const char *found = memchr(t.s->bytes + t.begin, c, t.end - t.begin);
    return found ? (size_t)(found - t.s->bytes) : t.end;
}

static size_t find_last_byte(span t, char c)
{
    for (size_t at = t.end; at-- > t.begin;)
        if (t.s->bytes[at] == c) return at;
    return t.end;
}

static span from(span t, size_t begin)
{
    return (span){t.s, begin, t.end};
}

static span up_to(span t, size_t end)
{
    return (span){t.s, t.begin, end};
}

/* ---- addresses ---- */

/* Labels with a '.' behind each. */
static bool are_labels(span t, size_t least, size_t most)
{
    while (t.begin < t.end) {
        size_t dot = find_byte(t, '.');
        if (dot == t.end || !all_are(up_to(t, dot), is_of_label, least, most)) return false;
        t.begin = dot + 1;
    }
    return true;
}

/* The part of a host's name behind its last '.'. */
static span last_label(span host)
{
    size_t dot = find_last_byte(host, '.');
    return from(host, dot == host.end ? host.begin : dot + 1);
}

/* What may follow http://, https:// or www. */
static bool is_host(span t)
{
    span top = last_label(t);
    size_t international = after_prefix(top, "xn--");
    if (!are_labels(up_to(t, top.begin), 1, SIZE_MAX)) return false;
    return all_are(top, is_ascii_letter, 2, 63) ||
           (international != SIZE_MAX && all_are(from(top, international), is_word_or_percent, 2, 59));
}

/* A name that is known without a scheme: it ends in a common top-level domain. */
static bool is_common_domain(span t)
{
    static const char *const tops[] = {"com", "net", "int", "edu", "gov", "org", "info", "mil"};
    span top = last_label(t);
    if (top.begin == t.begin || !are_labels(up_to(t, top.begin), 2, 63)) return false;
    for (size_t i = 0; i < sizeof tops / sizeof *tops; i++)
        if (equals_text(top, tops[i])) return true;
    return false;
}

static bool is_ipv4(span t)
{
    for (size_t i = 0; i < 3; i++) {
        size_t dot = find_byte(t, '.');
        if (dot == t.end || !all_are(up_to(t, dot), am_jchar_is_decimal, 1, 3)) return false;
        t.begin = dot + 1;
    }
    return all_are(t, am_jchar_is_decimal, 1, 3);
}

/* ([\da-f]{0,4}:){2}([\da-f]{0,4}:?){1,6}: two groups with a colon, then up to six with one or without. */
static bool is_ipv6(span t)
{
    size_t groups = 0;
    for (size_t i = 0; i < 2; i++) {
        size_t colon = find_byte(t, ':');
        if (colon == t.end || !all_are(up_to(t, colon), is_hexadecimal, 0, 4)) return false;
        t.begin = colon + 1;
    }
    for (size_t digits = 0; t.begin < t.end; digits++) {
        uint32_t c = am_jstring_next(t.s, &t.begin);
        if (c == ':' ? digits == 0 : digits % 4 == 0) groups++;
        if (c == ':') digits = SIZE_MAX;
        else if (!is_hexadecimal(c)) return false;
    }
    return groups <= 6;
}

/* Port and path, if any. */
static bool is_rest(span t)
{
    if (t.begin < t.end && t.s->bytes[t.begin] == ':') {
        size_t digits = ++t.begin;
        while (digits < t.end && !strchr("/?#", t.s->bytes[digits])) digits++;
        if (!all_are(up_to(t, digits), am_jchar_is_decimal, 1, 5)) return false;
        t.begin = digits;
    }
    return t.begin == t.end || t.s->bytes[t.begin] == '/' || t.s->bytes[t.begin] == '?' || t.s->bytes[t.begin] == '#';
}

/* Where the host ends that a span begins with. */
static size_t end_of_host(span t)
{
    size_t at = t.begin;
    while (at < t.end && (!t.s->bytes[at] || !strchr(":/?#", t.s->bytes[at]))) at++;
    return at;
}

static bool is_host_and_rest(span t, bool (*is)(span))
{
    size_t end = end_of_host(t);
    return is(up_to(t, end)) && is_rest(from(t, end));
}

static bool is_ipv6_and_rest(span t)
{
    if (t.begin == t.end || t.s->bytes[t.begin] != '[') return false;
    size_t close = find_byte(t, ']');
    return close < t.end && is_ipv6((span){t.s, t.begin + 1, close}) && is_rest(from(t, close + 1));
}

static bool is_url(span t)
{
    size_t http = after_prefix(t, "http://"), www = after_prefix(t, "www.");
    if (http == SIZE_MAX) http = after_prefix(t, "https://");
    if (http != SIZE_MAX) {
        span rest = from(t, http);
        if (is_host_and_rest(rest, is_host) || is_host_and_rest(rest, is_ipv4) || is_ipv6_and_rest(rest)) return true;
    }
    return (www != SIZE_MAX && is_host_and_rest(from(t, www), is_host)) || is_host_and_rest(t, is_common_domain);
}

static bool is_mail_address(span t)
{
    size_t at = find_last_byte(t, '@');
    if (at == t.end || at == t.begin) return false;
    span domain = from(t, at + 1);
    size_t dot = find_last_byte(domain, '.'), first = domain.begin;
    return dot != domain.end && dot > domain.begin && am_jchar_is_word(am_jstring_next(t.s, &first)) &&
           all_are(up_to(domain, dot), is_of_mail_domain, 1, SIZE_MAX) &&
           all_are(from(domain, dot + 1), am_jchar_is_word, 1, SIZE_MAX);
}

/* ---- words ---- */

static void append_span(links *l, span t)
{
    am_jtext_append(&l->out, t.s->bytes + t.begin, t.end - t.begin);
}

static bool shown(links *l, span t, am_jvalue *out)
{
    bool is_longer;
    size_t length;
    if (!am_jstring_part(l->j, t.s, t.begin, t.end, out) || am_jabsent(l->limit)) return !l->j->failed;
    if (!am_jvalue_length(l->j, *out, &length)) return false;
    if (!am_jvalue_compare(l->j, ">", am_jint((int64_t)length), l->limit, &is_longer) || !is_longer)
        return !l->j->failed;
    am_jvalue dots;
    return am_jslice(l->j, *out, am_jnone(), l->limit, am_jnone(), out) && am_jstring_literal(l->j, "...", &dots) &&
           am_jbinary(l->j, AM_T_ADD, *out, dots, out);
}

/* <a href="PREFIX TARGET"ATTRIBUTES>TEXT</a> */
static bool append_link(links *l, const char *prefix, span target, bool with_attributes, am_jvalue text)
{
    am_jtext_append_string(&l->out, "<a href=\"");
    am_jtext_append_string(&l->out, prefix);
    append_span(l, target);
    am_jtext_append_char(&l->out, '"');
    if (with_attributes) am_jtext_append(&l->out, l->attributes.string->bytes, l->attributes.string->length);
    am_jtext_append_char(&l->out, '>');
    am_jtext_append(&l->out, text.string->bytes, text.string->length);
    am_jtext_append_string(&l->out, "</a>");
    return !l->j->failed;
}

/* A link of another scheme, or the text as it is. */
static bool append_other(links *l, span t)
{
    am_jvalue text;
    for (size_t i = 0; i < l->more_schemes.count; i++) {
        const am_jstring *scheme = l->more_schemes.items[i].string;
        if (t.end - t.begin <= scheme->length || memcmp(t.s->bytes + t.begin, scheme->bytes, scheme->length) != 0)
            continue;
        return am_jstring_part(l->j, t.s, t.begin, t.end, &text) && append_link(l, "", t, true, text);
    }
    append_span(l, t);
    return !l->j->failed;
}

static bool append_middle(links *l, span t)
{
    am_jvalue text;
    if (is_url(t)) {
        bool has_scheme = starts(t, "https://") || starts(t, "http://");
        return shown(l, t, &text) && append_link(l, has_scheme ? "" : "https://", t, true, text);
    }
    if (starts(t, "mailto:") && is_mail_address(from(t, t.begin + 7)))
        return am_jstring_part(l->j, t.s, t.begin + 7, t.end, &text) && append_link(l, "", t, false, text);
    if (!starts(t, "www.") && !starts(t, "@") && find_byte(t, ':') == t.end && is_mail_address(t))
        return am_jstring_part(l->j, t.s, t.begin, t.end, &text) && append_link(l, "mailto:", t, false, text);
    return append_other(l, t);
}

/* The end of the brackets that a word begins with; the beginning of the marks that it ends with. */
static size_t end_of_opening(span t)
{
    for (;;) {
        if (starts(t, "(") || starts(t, "<")) t.begin++;
        else if (starts(t, "&lt;")) t.begin += 4;
        else return t.begin;
    }
}

static size_t begin_of_closing(span t)
{
    while (t.begin < t.end) {
        if (memchr(")>.,", t.s->bytes[t.end - 1], 4)) t.end--;
        else if (t.end - t.begin >= 4 && starts(from(t, t.end - 4), "&gt;")) t.end -= 4;
        else break;
    }
    return t.end;
}

static size_t count_in(span t, const char *text)
{
    size_t count = 0;
    for (; t.begin < t.end; t.begin++) count += starts(t, text);
    return count;
}

/* Takes closing brackets back into the middle while more are opened in it than closed. */
static size_t balanced(span word, size_t begin, size_t end)
{
    static const char *const pairs[][2] = {{"(", ")"}, {"<", ">"}, {"&lt;", "&gt;"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const char *close = pairs[i][1];
        size_t opened = count_in((span){word.s, begin, end}, pairs[i][0]);
        if (opened <= count_in((span){word.s, begin, end}, close)) continue;
        size_t there = count_in(from(word, end), close);
        for (size_t k = opened < there ? opened : there; k > 0; k--) {
            while (!starts(from(word, end), close)) end++;
            end += strlen(close);
        }
    }
    return end;
}

static bool append_word(links *l, span word)
{
    if (!am_jcharge_bytes(l->j, word.end - word.begin)) return false;
    size_t begin = end_of_opening(word), end = balanced(word, begin, begin_of_closing(from(word, begin)));
    append_span(l, up_to(word, begin));
    if (!append_middle(l, (span){word.s, begin, end})) return false;
    append_span(l, from(word, end));
    return !l->j->failed;
}

/* The end of a run of white space that begins at `at`, or of one of anything else. */
static size_t end_of_run(const am_jstring *s, size_t at, bool space)
{
    for (size_t next = at; next < s->length; at = next)
        if (am_jchar_is_space(am_jstring_next(s, &next)) != space) break;
    return at;
}

/* ---- arguments ---- */

/* The words of `rel`, "noopener" and what `nofollow` adds: in order, each once. */
static bool read_relations(links *l, am_jvalue rel, bool no_follow, am_jtext *out)
{
    am_jinja *j = l->j;
    am_jvalue words, literal;
    am_jitems all = {0};
    if (!am_jstring_literal(j, "noopener", &literal) || !am_jitems_push(j, &all, literal)) return false;
    if (no_follow && (!am_jstring_literal(j, "nofollow", &literal) || !am_jitems_push(j, &all, literal))) return false;
    if (am_jgiven(rel) && am_jvalue_true(rel)) {
        if (rel.kind != AM_J_STRING)
            return am_jfail(j, "AttributeError", "'%s' object has no attribute 'split'", am_jvalue_type(rel));
        if (!am_jstring_split(j, rel.string, NULL, -1, &words)) return false;
        for (size_t i = 0; i < words.list->count; i++)
            if (!am_jitems_push(j, &all, words.list->items[i])) return false;
    }
    size_t *order = am_jarray(j, all.count, sizeof *order);
    if (!order || !am_jsort_order(j, all.items, all.count, false, order)) return false;
    for (size_t i = 0; i < all.count; i++) {
        const am_jstring *word = all.items[order[i]].string;
        if (i && am_jstring_equals(all.items[order[i - 1]].string, word)) continue;
        if (i) am_jtext_append_char(out, ' ');
        am_jtext_append(out, word->bytes, word->length);
    }
    return !j->failed;
}

static bool append_attribute(am_jtext *text, const char *name, am_jvalue value)
{
    if (!am_jvalue_to_soft_string(text->j, value, &value) || !am_jstring_escape(text->j, value.string, &value))
        return false;
    am_jtext_printf(text, " %s=\"", name);
    am_jtext_append(text, value.string->bytes, value.string->length);
    am_jtext_append_char(text, '"');
    return !text->j->failed;
}

/* "x:", "x:/" or "x://", with two characters or more before the colon. */
static bool is_scheme(span t)
{
    size_t colon = find_byte(t, ':');
    if (colon == t.end || t.end - colon > 3 || !all_are(up_to(t, colon), is_of_scheme, 2, SIZE_MAX)) return false;
    for (size_t at = colon + 1; at < t.end; at++)
        if (t.s->bytes[at] != '/') return false;
    return true;
}

static bool read_schemes(links *l, am_jvalue given)
{
    am_jinja *j = l->j;
    if (am_jabsent(given)) return true;
    if (!am_jcollect(j, given, &l->more_schemes)) return false;
    for (size_t i = 0; i < l->more_schemes.count; i++) {
        am_jvalue scheme = l->more_schemes.items[i];
        if (scheme.kind != AM_J_STRING)
            return am_jfail(j, "TypeError", "expected string or bytes-like object, got '%s'", am_jvalue_type(scheme));
        if (!is_scheme((span){scheme.string, 0, scheme.string->length}))
            return am_jfail(j, "FilterArgumentError", "%s is not a valid URI scheme prefix.", am_jrepr_text(j, scheme));
    }
    return true;
}

bool am_jfilter_urlize(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    links l = {.j = j, .out = {.j = j}, .limit = c->a[1]};
    am_jtext relations = {.j = j}, attributes = {.j = j};
    am_jvalue text, rel, target = c->a[3];
    if (!read_relations(&l, c->a[4], am_jargument_bool(c->a[2], false), &relations) || !read_schemes(&l, c->a[5]) ||
        !am_jvalue_to_soft_string(j, c->a[0], &text) || !am_jstring_escape(j, text.string, &text) ||
        !am_jstring_of_text(&relations, &rel) || !append_attribute(&attributes, "rel", rel))
        return false;
    if (am_jgiven(target) && am_jvalue_true(target) && !append_attribute(&attributes, "target", target)) return false;
    if (!am_jstring_of_text(&attributes, &l.attributes)) return false;
    for (size_t at = 0; at < text.string->length;) {
        size_t word = end_of_run(text.string, at, true), end = end_of_run(text.string, word, false);
        append_span(&l, (span){text.string, at, word});
        if (end > word && !append_word(&l, (span){text.string, word, end})) return false;
        at = end;
    }
    return am_jstring_of_text(&l.out, out);
}
