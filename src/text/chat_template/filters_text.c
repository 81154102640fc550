/* Filters that make text. */
#include "text/chat_template/arguments.h"
#include "text/chat_template/filters.h"
#include "text/chat_template/format.h"
#include "text/chat_template/iterate.h"
#include "text/chat_template/represent.h"
#include "text/chat_template/text.h"

#include <string.h>

/* The value of the filter as text, whatever it is. */
static bool text_of(am_jinja *j, const am_jcall *c, const am_jstring **out)
{
    am_jvalue value;
    if (!am_jvalue_to_soft_string(j, c->a[0], &value)) return false;
    *out = value.string;
    return true;
}

bool am_jfilter_upper(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    const am_jstring *s;
    return text_of(j, c, &s) && am_jstring_to_case(j, s, AM_J_UPPER, out);
}

bool am_jfilter_lower(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    const am_jstring *s;
    return text_of(j, c, &s) && am_jstring_to_case(j, s, AM_J_LOWER, out);
}

bool am_jfilter_capitalize(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    const am_jstring *s;
    return text_of(j, c, &s) && am_jstring_capitalize(j, s, out);
}

static bool begins_word(uint32_t c)
{
    return am_jchar_is_space(c) || c == '-' || c == '(' || c == '{' || c == '[' || c == '<';
}

/* The end of a run of characters that separate words, or of one that do not. */
static size_t end_of_run(const am_jstring *s, size_t at, bool separators)
{
    for (size_t next = at; next < s->length; at = next)
        if (begins_word(am_jstring_next(s, &next)) != separators) break;
    return at;
}

static bool append_in_case(am_jtext *text, const am_jstring *s, am_jcase which, size_t begin, size_t end)
{
    am_jvalue part;
    return am_jstring_part(text->j, s, begin, end, &part) && am_jstring_to_case(text->j, part.string, which, &part) &&
           am_jstr(text, part);
}

/* Words begin after -, white space and opening brackets; unlike str.title, the rest of a word is only
   lowered. */
bool am_jfilter_title(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    const am_jstring *s;
    am_jtext text = {.j = j};
    if (!text_of(j, c, &s)) return false;
    for (size_t at = 0; at < s->length;) {
        size_t word = end_of_run(s, at, true), first = word;
        am_jtext_append(&text, s->bytes + at, word - at);
        if (first < s->length) am_jstring_next(s, &first);
        at = end_of_run(s, word, false);
        if (word == at) continue;
        if (!append_in_case(&text, s, AM_J_UPPER, word, first) || !append_in_case(&text, s, AM_J_LOWER, first, at))
            return false;
    }
    return am_jstring_of_text(&text, out);
}

bool am_jfilter_trim(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    const am_jstring *s;
    if (!text_of(j, c, &s)) return false;
    if (!am_jabsent(c->a[1]) && c->a[1].kind != AM_J_STRING)
        return am_jfail(j, "TypeError", "strip arg must be None or str");
    return am_jstring_strip(j, s, am_jabsent(c->a[1]) ? NULL : c->a[1].string, true, true, out);
}

bool am_jfilter_string(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    return am_jvalue_to_soft_string(j, c->a[0], out);
}

bool am_jfilter_replace(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    am_jvalue s, old, with;
    int64_t limit = -1;
    if (!am_jabsent(c->a[3]) && !am_jargument_int(j, c->a[3], -1, &limit)) return false;
    return am_jvalue_to_string(j, c->a[0], &s) && am_jvalue_to_string(j, c->a[1], &old) &&
           am_jvalue_to_string(j, c->a[2], &with) &&
           am_jstring_replace(j, s.string, old.string, with.string, limit, out);
}

/* ---- indent ---- */

static bool indentation(am_jinja *j, am_jvalue width, am_jvalue *out)
{
    am_jvalue space;
    if (width.kind == AM_J_STRING) {
        *out = width;
        return true;
    }
    if (!am_jgiven(width)) width = am_jint(4);
    return am_jstring_literal(j, " ", &space) && am_jbinary(j, AM_T_MUL, space, width, out);
}

bool am_jfilter_indent(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    am_jtext text = {.j = j};
    am_jvalue prefix, new_line, lines, whole;
    bool first = am_jargument_bool(c->a[2], false), blank = am_jargument_bool(c->a[3], false);
    if (!indentation(j, c->a[1], &prefix) || !am_jstring_literal(j, "\n", &new_line)) return false;
    if (c->a[0].kind == AM_J_LIST) return am_jfail(j, "AttributeError", "'list' object has no attribute 'splitlines'");
    if (c->a[0].kind == AM_J_TUPLE) return am_jbinary(j, AM_T_ADD, c->a[0], new_line, out); /* fails */
    if (c->a[0].kind != AM_J_STRING && c->a[0].kind != AM_J_UNDEFINED)
        return am_jfail(j, "TypeError", "unsupported operand type(s) for +=: '%s' and 'str'", am_jvalue_type(c->a[0]));
    if (!am_jbinary(j, AM_T_ADD, c->a[0], new_line, &whole)) return false;
    if (!am_jstring_split_lines(j, whole.string, false, &lines)) return false;
    for (size_t i = 0; i < lines.list->count; i++) {
        const am_jstring *line = lines.list->items[i].string;
        if (i) am_jtext_append_char(&text, '\n');
        if (i ? blank || line->length : first) am_jtext_append(&text, prefix.string->bytes, prefix.string->length);
        am_jtext_append(&text, line->bytes, line->length);
    }
    return am_jcharge_bytes(j, text.length) && am_jstring_of_text(&text, out) &&
           am_jstring_mark(j, *out, c->a[0].string->markup, out);
}

/* ---- truncate, center, wordcount ---- */

/* assert length >= len(end) and leeway >= 0 */
static bool check_truncation(am_jinja *j, am_jvalue length, am_jvalue leeway, am_jvalue end)
{
    size_t shortest;
    bool enough;
    if (!am_jvalue_length(j, end, &shortest)) return false;
    if (!am_jvalue_compare(j, ">=", length, am_jint((int64_t)shortest), &enough)) return false;
    if (!enough)
        return am_jfail(j, "AssertionError", "expected length >= %zu, got %s", shortest, am_jrepr_text(j, length));
    if (!am_jvalue_compare(j, ">=", leeway, am_jint(0), &enough)) return false;
    return enough || am_jfail(j, "AssertionError", "expected leeway >= 0, got %s", am_jrepr_text(j, leeway));
}

/* The first characters, or all whole words among them. */
static bool cut_text(am_jinja *j, am_jvalue value, am_jvalue length, am_jvalue end, bool kill_words, am_jvalue *out)
{
    const am_jstring space = {.bytes = " ", .length = 1, .characters = 1};
    am_jvalue stop, words;
    size_t end_length;
    if (!am_jvalue_length(j, end, &end_length)) return false;
    if (!am_jbinary(j, AM_T_SUB, length, am_jint((int64_t)end_length), &stop)) return false;
    if (!am_jslice(j, value, am_jnone(), stop, am_jnone(), out) || kill_words) return !j->failed;
    if (out->kind != AM_J_STRING)
        return am_jfail(j, "AttributeError", "'%s' object has no attribute 'rsplit'", am_jvalue_type(*out));
    if (!am_jstring_split_right(j, out->string, &space, 1, &words)) return false;
    *out = words.list->items[0];
    return true;
}

bool am_jfilter_truncate(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    size_t size;
    bool fits;
    am_jvalue length = am_jgiven(c->a[1]) ? c->a[1] : am_jint(255), end = c->a[3], most;
    am_jvalue leeway = am_jabsent(c->a[4]) ? am_jint(5) : c->a[4];
    if (!am_jgiven(end) && !am_jstring_literal(j, "...", &end)) return false;
    if (!check_truncation(j, length, leeway, end) || !am_jvalue_length(j, c->a[0], &size)) return false;
    if (!am_jbinary(j, AM_T_ADD, length, leeway, &most)) return false;
    if (!am_jvalue_compare(j, "<=", am_jint((int64_t)size), most, &fits)) return false;
    *out = c->a[0];
    if (fits) return true;
    return cut_text(j, c->a[0], length, end, am_jargument_bool(c->a[2], false), out) &&
           am_jbinary(j, AM_T_ADD, *out, end, out);
}

bool am_jfilter_center(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    const am_jstring *s, space = {.bytes = " ", .length = 1, .characters = 1};
    int64_t width;
    return am_jargument_int(j, c->a[1], 80, &width) && text_of(j, c, &s) &&
           am_jstring_pad(j, s, width, &space, true, true, out);
}

bool am_jfilter_wordcount(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    const am_jstring *s;
    int64_t words = 0;
    bool inside = false;
    if (!text_of(j, c, &s) || !am_jcharge_bytes(j, s->length)) return false;
    for (size_t at = 0; at < s->length;) {
        uint32_t ch = am_jstring_next(s, &at);
        bool is = am_jchar_is_word(ch);
        words += is && !inside;
        inside = is;
    }
    *out = am_jint(words);
    return true;
}

/* ---- format, join ---- */

bool am_jfilter_format(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    am_jvalue format, values;
    const am_jarguments *given = c->given;
    if (!given->count) return am_jfail(j, "TypeError", "do_format() missing 1 required positional argument: 'value'");
    if (given->count > 1 && given->named_count)
        return am_jfail(j, "FilterArgumentError", "can't handle positional and keyword arguments at the same time");
    if (!am_jvalue_to_soft_string(j, given->positional[0], &format)) return false;
    if (!given->named_count) {
        if (!am_jlist_make(j, AM_J_TUPLE, given->positional + 1, given->count - 1, &values)) return false;
        return am_jformat_percent(j, format.string, values, out);
    }
    if (!am_jdict_make(j, &values)) return false;
    for (size_t i = 0; i < given->named_count; i++) {
        am_jvalue name = {.kind = AM_J_STRING, .string = given->names[i]};
        if (!am_jdict_set(j, values.dict, name, given->named[i])) return false;
    }
    return am_jformat_percent(j, format.string, values, out);
}

bool am_jfilter_join(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    am_jtext text = {.j = j};
    am_jvalue separator = c->a[1], item;
    am_jiterator *iterator;
    am_jpath path;
    if (!am_jgiven(separator) && !am_jstring_literal(j, "", &separator)) return false;
    if (!am_jvalue_to_string(j, separator, &separator) || !am_jpath_make(j, c->a[2], false, &path)) return false;
    if (!am_jiterate(j, c->a[0], &iterator)) return false;
    for (bool first = true;; first = false) {
        if (!am_jiterator_next(j, iterator, &item)) return false;
        if (item.kind == AM_J_MISSING) break;
        if (!first) am_jtext_append(&text, separator.string->bytes, separator.string->length);
        if (!am_jpath_get(j, &path, item, &item) || !am_jstr(&text, item)) return false;
    }
    return am_jstring_of_text(&text, out);
}

bool am_junpack_two(am_jinja *j, am_jvalue value, am_jitems *out)
{
    if (!am_jvalue_is_iterable(value))
        return am_jfail(j, "TypeError", "cannot unpack non-iterable %s object", am_jvalue_type(value));
    if (!am_jcollect(j, value, out)) return false;
    if (out->count > 2) return am_jfail(j, "ValueError", "too many values to unpack (expected 2)");
    return out->count == 2 ||
           am_jfail(j, "ValueError", "not enough values to unpack (expected 2, got %zu)", out->count);
}

/* ---- tojson, pprint ---- */

static bool read_separators(am_jinja *j, am_jvalue value, am_jjson_options *options)
{
    am_jitems two = {0};
    if (am_jabsent(value)) return true;
    if (!am_junpack_two(j, value, &two)) return false;
    for (size_t i = 2; i-- > 0;)
        if (two.items[i].kind != AM_J_STRING)
            return am_jfail(j, "TypeError", "make_encoder() argument %zu must be str, not %s", 6 - i,
                            am_jvalue_type(two.items[i]));
    options->item_separator = two.items[0].string;
    options->key_separator = two.items[1].string;
    return true;
}

bool am_jfilter_tojson(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    static const am_jstring comma = {.bytes = ", ", .length = 2}, bare_comma = {.bytes = ",", .length = 1},
                            colon = {.bytes = ": ", .length = 2};
    am_jtext text = {.j = j};
    am_jvalue indent;
    bool indented = !am_jabsent(c->a[2]) && c->a[0].kind != AM_J_STRING;
    am_jjson_options options = {.ensure_ascii = am_jargument_bool(c->a[1], false),
                                .sort_keys = am_jargument_bool(c->a[4], false),
                                .item_separator = indented ? &bare_comma : &comma,
                                .key_separator = &colon};
    if (indented) {
        if (!indentation(j, c->a[2], &indent)) return false;
        options.indent = indent.string;
    }
    return read_separators(j, c->a[3], &options) && am_jjson_write(&text, c->a[0], &options) &&
           am_jstring_of_text(&text, out);
}

bool am_jfilter_pprint(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    am_jtext text = {.j = j};
    return am_jpprint(&text, c->a[0]) && am_jstring_of_text(&text, out);
}
