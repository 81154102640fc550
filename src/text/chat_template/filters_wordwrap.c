/* The filter wordwrap: lines of at most `width` characters, each line of the text by itself, as Python's textwrap
   makes them (expand_tabs and replace_whitespace off). */
#include "text/chat_template/arguments.h"
#include "text/chat_template/filters.h"
#include "text/chat_template/represent.h"
#include "text/chat_template/text.h"

/* A line of the text as characters; offsets[i] is where character i begins in `string`. */
typedef struct paragraph {
    const am_jstring *string;
    uint32_t *characters;
    size_t *offsets;
    size_t length;
} paragraph;

/* Characters [begin, end) that no line is broken within: white space, or a word or part of one. */
typedef struct chunk {
    size_t begin, end;
} chunk;

typedef struct wrapping {
    am_jinja *j;
    am_jtext out;
    am_jvalue width;
    size_t most_characters;               /* the width, as an integer */
    bool break_long_words, after_hyphens; /* break at hyphens where words must be broken */
    bool hyphens_end_chunks;
    const am_jstring *separator;
} wrapping;

/* ---- chunks ---- */

/* What textwrap takes for white space: ASCII's only. */
static bool is_gap(uint32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_letter(uint32_t c)
{
    return am_jchar_is_word(c) && !am_jchar_is_decimal(c);
}

static bool is_word_or_mark(uint32_t c)
{
    return am_jchar_is_word(c) || c == '!' || c == '"' || c == '\'' || c == '&' || c == '.' || c == ',' || c == '?';
}

static bool letter_at(const paragraph *p, size_t at)
{
    return at < p->length && is_letter(p->characters[at]);
}

/* The end of two or more dashes between words that begin at `at`, `at` when there are none. */
static size_t end_of_dashes(const paragraph *p, size_t at)
{
    size_t end = at;
    if (!at || !is_word_or_mark(p->characters[at - 1])) return at;
    while (end < p->length && p->characters[end] == '-') end++;
    return end - at >= 2 && end < p->length && am_jchar_is_word(p->characters[end]) ? end : at;
}

/* A hyphen inside a word: two letters before it, or a letter, a hyphen and another; behind it two letters, with a
   hyphen between them or not. */
static bool is_hyphen(const paragraph *p, size_t at)
{
    const uint32_t *c = p->characters;
    if (c[at] != '-') return false;
    bool after_two = at >= 2 && is_letter(c[at - 1]) && is_letter(c[at - 2]);
    bool after_one = at >= 3 && is_word_or_mark(c[at - 1]) && c[at - 2] == '-' && is_letter(c[at - 3]);
    if ((!after_two && !after_one) || !letter_at(p, at + 1)) return false;
    return letter_at(p, at + 2) || (at + 2 < p->length && c[at + 2] == '-' && letter_at(p, at + 3));
}

/* The end of the chunk that begins at `at`. */
static size_t end_of_chunk(const paragraph *p, size_t at, bool hyphens_end_chunks)
{
    size_t end = at + 1;
    if (is_gap(p->characters[at])) {
        while (end < p->length && is_gap(p->characters[end])) end++;
        return end;
    }
    if (hyphens_end_chunks && end_of_dashes(p, at) > at) return end_of_dashes(p, at);
    for (; end < p->length && !is_gap(p->characters[end]); end++) {
        if (!hyphens_end_chunks) continue;
        if (is_hyphen(p, end)) return end + 1;
        if (end_of_dashes(p, end) > end) return end;
    }
    return end;
}

/* ---- lines ---- */

static bool is_blank(const paragraph *p, chunk c)
{
    for (size_t i = c.begin; i < c.end; i++)
        if (!am_jchar_is_space(p->characters[i])) return false;
    return true;
}

static void separate(wrapping *w)
{
    am_jtext_append(&w->out, w->separator->bytes, w->separator->length);
}

static bool append_line(wrapping *w, const paragraph *p, chunk line)
{
    am_jvalue part;
    size_t begin = p->offsets[line.begin], end = p->offsets[line.end];
    if (!am_jstring_part(w->j, p->string, begin, end, &part)) return false;
    if (w->separator->markup && (!am_jstring_mark(w->j, part, false, &part) || /* textwrap gives a plain str */
                                 !am_jstring_escape(w->j, part.string, &part)))
        return false;
    am_jtext_append(&w->out, part.string->bytes, part.string->length);
    return !w->j->failed;
}

/* How much of a word that no line can hold goes into the `left` characters that a line still has: up to the last hyphen
   when there is more than hyphens before it. */
static size_t cut_word(const wrapping *w, const paragraph *p, chunk word, size_t left)
{
    if (!w->after_hyphens) return left;
    for (size_t hyphen = left; hyphen-- > 1;) {
        if (p->characters[word.begin + hyphen] != '-') continue;
        for (size_t i = 0; i < hyphen; i++)
            if (p->characters[word.begin + i] != '-') return hyphen + 1;
        break;
    }
    return left;
}

/* Fills lines with chunks: white space goes where a line begins (but the first) or ends. */
static bool fill_lines(wrapping *w, const paragraph *p, chunk *chunks, size_t count)
{
    bool first = true;
    for (size_t at = 0; at < count;) {
        if (!first && is_blank(p, chunks[at]) && ++at == count) break;
        chunk line = {chunks[at].begin, chunks[at].begin}, last = line;
        size_t parts = 0;
        for (; at < count && chunks[at].end - line.begin <= w->most_characters; at++, parts++) {
            last = chunks[at];
            line.end = last.end;
        }
        if (at < count && chunks[at].end - chunks[at].begin > w->most_characters) {
            if (w->break_long_words) {
                if (w->width.kind == AM_J_REAL && w->most_characters)
                    return am_jfail(w->j, "TypeError",
                                    "slice indices must be integers or None or have an __index__ method");
                size_t left = w->most_characters ? w->most_characters - (line.end - line.begin) : 1;
                line.end += cut_word(w, p, chunks[at], left);
                last = (chunk){chunks[at].begin, line.end};
                chunks[at].begin = line.end;
                parts++;
            } else if (!parts) {
                last = line = chunks[at++];
                parts++;
            }
        }
        if (parts && is_blank(p, last)) {
            line.end = last.begin;
            parts--;
        }
        if (!parts) continue;
        if (!first) separate(w);
        if (!append_line(w, p, line)) return false;
        first = false;
    }
    return true;
}

static bool wrap(wrapping *w, const am_jstring *text)
{
    am_jinja *j = w->j;
    size_t room = text->characters + 1, count = 0;
    paragraph p = {.string = text,
                   .characters = am_jarray(j, room, sizeof *p.characters),
                   .offsets = am_jarray(j, room, sizeof *p.offsets)};
    chunk *chunks = am_jarray(j, room, sizeof *chunks);
    if (j->failed || !am_jcharge_bytes(j, text->length)) return false;
    for (size_t offset = 0; offset < text->length; p.offsets[p.length] = offset)
        p.characters[p.length++] = am_jstring_next(text, &offset);
    for (size_t at = 0; at < p.length; at = chunks[count++].end)
        chunks[count] = (chunk){at, end_of_chunk(&p, at, w->hyphens_end_chunks)};
    return fill_lines(w, &p, chunks, count);
}

/* ---- arguments ---- */

static bool read_width(wrapping *w, am_jvalue given)
{
    int64_t width;
    bool too_small;
    w->width = am_jgiven(given) ? given : am_jint(79);
    if (!am_jvalue_compare(w->j, "<=", w->width, am_jint(0), &too_small)) return false;
    if (too_small || (w->width.kind == AM_J_REAL && w->width.real != w->width.real))
        return am_jfail(w->j, "ValueError", "invalid width %s (must be > 0)", am_jrepr_text(w->j, w->width));
    if (w->width.kind == AM_J_REAL) width = w->width.real < 1e15 ? (int64_t)w->width.real : INT64_MAX;
    else if (!am_jargument_int(w->j, w->width, 79, &width)) return false;
    w->most_characters = (size_t)width;
    return true;
}

static bool read_separator(wrapping *w, am_jvalue given)
{
    am_jvalue separator = given;
    if (am_jabsent(given) && !am_jstring_literal(w->j, "\n", &separator)) return false;
    if (separator.kind == AM_J_UNDEFINED) return am_jfail_undefined(w->j, separator.undefined);
    if (separator.kind != AM_J_STRING)
        return am_jfail(w->j, "AttributeError", "'%s' object has no attribute 'join'", am_jvalue_type(separator));
    w->separator = separator.string;
    return true;
}

bool am_jfilter_wordwrap(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    am_jvalue lines, hyphens = am_jgiven(c->a[4]) ? c->a[4] : am_jbool(true);
    wrapping w = {.j = j,
                  .out = {.j = j},
                  .break_long_words = am_jargument_bool(c->a[2], true),
                  .after_hyphens = am_jvalue_true(hyphens),
                  .hyphens_end_chunks = hyphens.kind == AM_J_BOOL && hyphens.boolean};
    if (!read_separator(&w, c->a[3])) return false;
    if (c->a[0].kind == AM_J_UNDEFINED) return am_jfail_undefined(j, c->a[0].undefined);
    if (c->a[0].kind != AM_J_STRING)
        return am_jfail(j, "AttributeError", "'%s' object has no attribute 'splitlines'", am_jvalue_type(c->a[0]));
    if (!am_jstring_split_lines(j, c->a[0].string, false, &lines)) return false;
    if (lines.list->count && !read_width(&w, c->a[1])) return false;
    for (size_t i = 0; i < lines.list->count; i++) {
        if (i) separate(&w);
        if (!wrap(&w, lines.list->items[i].string)) return false;
    }
    return am_jcharge_bytes(j, w.out.length) && am_jstring_of_text(&w.out, out) &&
           am_jstring_mark(j, *out, w.separator->markup, out);
}
