/* Methods of str. */
#include "text/chat_template/arguments.h"
#include "text/chat_template/big_integer.h"
#include "text/chat_template/evaluate.h"
#include "text/chat_template/format.h"
#include "text/chat_template/iterate.h"
#include "text/chat_template/represent.h"
#include "text/chat_template/text.h"

#include "base/utf8.h"

#include <string.h>

bool am_jargument_int(am_jinja *j, am_jvalue value, int64_t fallback, int64_t *out)
{
    *out = fallback;
    switch (value.kind) {
    case AM_J_MISSING:
        return true;
    case AM_J_BOOL:
        *out = value.boolean;
        return true;
    case AM_J_INT:
        *out = value.integer;
        return true;
    case AM_J_BIG:
        *out = value.big->negative ? INT64_MIN : INT64_MAX;
        return true;
    default:
        return am_jfail(j, "TypeError", "'%s' object cannot be interpreted as an integer", am_jvalue_type(value));
    }
}

bool am_jargument_bool(am_jvalue value, bool fallback)
{
    return am_jgiven(value) ? am_jvalue_true(value) : fallback;
}

static const am_jstring *self(const am_jcall *c)
{
    return c->self.string;
}

static bool give_bool(bool b, am_jvalue *out)
{
    *out = am_jbool(b);
    return true;
}

/* ---- case and classes ---- */

static bool upper(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    return am_jstring_to_case(j, self(c), AM_J_UPPER, out);
}

static bool lower(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    return am_jstring_to_case(j, self(c), AM_J_LOWER, out);
}

static bool casefold(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    return am_jstring_to_case(j, self(c), AM_J_FOLD, out);
}

static bool title(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    return am_jstring_title(j, self(c), out);
}

static bool capitalize(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    return am_jstring_capitalize(j, self(c), out);
}

static bool swapcase(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    return am_jstring_swapcase(j, self(c), out);
}

static bool all(const am_jstring *s, bool (*is)(uint32_t), bool empty)
{
    for (size_t at = 0; at < s->length;)
        if (!is(am_jstring_next(s, &at))) return false;
    return s->length || empty;
}

static bool is_ascii_character(uint32_t c)
{
    return c < 0x80;
}

static const struct {
    const char *name;
    bool (*is)(uint32_t);
    bool empty; /* the answer for "" */
} classes[] = {
    {"isalpha", am_jchar_is_alpha, false},        {"isalnum", am_jchar_is_alnum, false},
    {"isdecimal", am_jchar_is_decimal, false},    {"isdigit", am_jchar_is_digit, false},
    {"isnumeric", am_jchar_is_numeric, false},    {"isspace", am_jchar_is_space, false},
    {"isprintable", am_jchar_is_printable, true}, {"isascii", is_ascii_character, true},
};

static bool is_class(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    size_t i = 0;
    while (strcmp(classes[i].name, c->routine->name) != 0) i++;
    return am_jcharge_bytes(j, self(c)->length) && give_bool(all(self(c), classes[i].is, classes[i].empty), out);
}

/* islower, isupper: some character has case, and none the other one. */
static bool is_case(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    bool any = false, lower_wanted = strcmp(c->routine->name, "islower") == 0;
    const am_jstring *s = self(c);
    if (!am_jcharge_bytes(j, s->length)) return false;
    for (size_t at = 0; at < s->length;) {
        uint32_t ch = am_jstring_next(s, &at);
        bool is = lower_wanted ? am_jchar_is_lower(ch) : am_jchar_is_upper(ch);
        if (!is && am_jchar_is_cased(ch)) return give_bool(false, out);
        any = any || is;
    }
    return give_bool(any, out);
}

static bool istitle(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    bool any = false, after_cased = false;
    const am_jstring *s = self(c);
    if (!am_jcharge_bytes(j, s->length)) return false;
    for (size_t at = 0; at < s->length;) {
        uint32_t ch = am_jstring_next(s, &at);
        bool big = am_jchar_is_upper(ch) || am_jchar_is_title(ch), small = am_jchar_is_lower(ch);
        if ((big && after_cased) || (small && !after_cased)) return give_bool(false, out);
        after_cased = big || small;
        any = any || after_cased;
    }
    return give_bool(any, out);
}

static bool isidentifier(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    const am_jstring *s = self(c);
    if (!am_jcharge_bytes(j, s->length)) return false;
    for (size_t at = 0; at < s->length;) {
        bool first = at == 0;
        uint32_t ch = am_jstring_next(s, &at);
        if (!(first ? am_jchar_starts_name(ch) : am_jchar_continues_name(ch))) return give_bool(false, out);
    }
    return give_bool(s->length != 0, out);
}

/* ---- finding ---- */

/* Byte offsets of the part between the arguments `start` and `end`; false: start lies behind the end. */
static bool part_of(am_jinja *j, const am_jcall *c, size_t *begin, size_t *end, bool *possible)
{
    const am_jstring *s = self(c);
    int64_t length = (int64_t)s->characters, from = 0, to = length;
    am_jvalue start = am_jabsent(c->a[1]) ? am_jint(0) : c->a[1],
              stop = am_jabsent(c->a[2]) ? am_jint(length) : c->a[2];
    if ((!am_jvalue_is_integer(start)) || !am_jvalue_is_integer(stop))
        return am_jfail(j, "TypeError", "slice indices must be integers or None or have an __index__ method");
    if (!am_jargument_int(j, start, 0, &from) || !am_jargument_int(j, stop, length, &to)) return false;
    if (from < 0) from = from < -length ? 0 : from + length;
    if (to < 0) to = to < -length ? 0 : to + length;
    if (to > length) to = length;
    *possible = from <= to && from <= length;
    *begin = am_jstring_offset(s, *possible ? (size_t)from : 0);
    *end = am_jstring_offset(s, *possible ? (size_t)to : 0);
    return am_jcharge_bytes(j, s->length);
}

static bool text_argument(am_jinja *j, am_jvalue value)
{
    return value.kind == AM_J_STRING || am_jfail(j, "TypeError", "must be str, not %s", am_jvalue_type(value));
}

/* find, rfind, index, rindex */
static bool find(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    size_t begin, end, at = SIZE_MAX;
    bool possible, last = c->routine->name[0] == 'r', must = strstr(c->routine->name, "index") != NULL;
    if (!part_of(j, c, &begin, &end, &possible) || !text_argument(j, c->a[0])) return false;
    if (possible)
        at = last ? am_jbytes_find_last(self(c), c->a[0].string, begin, end)
                  : am_jbytes_find(self(c), c->a[0].string, begin, end);
    if (at == SIZE_MAX && must) return am_jfail(j, "ValueError", "substring not found");
    *out = am_jint(at == SIZE_MAX ? -1 : (int64_t)am_utf8_count(self(c)->bytes, at));
    return true;
}

static bool count(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    size_t begin, end, found = 0;
    bool possible;
    const am_jstring *needle = c->a[0].string;
    if (!part_of(j, c, &begin, &end, &possible) || !text_argument(j, c->a[0])) return false;
    if (possible && !needle->length) found = am_utf8_count(self(c)->bytes + begin, end - begin) + 1;
    while (possible && needle->length) {
        size_t at = am_jbytes_find(self(c), needle, begin, end);
        if (at == SIZE_MAX) break;
        found++;
        begin = at + needle->length;
    }
    *out = am_jint((int64_t)found);
    return true;
}

static bool affix_matches(const am_jstring *s, size_t begin, size_t end, const am_jstring *affix, bool at_end)
{
    if (affix->length > end - begin) return false;
    size_t at = at_end ? end - affix->length : begin;
    return memcmp(s->bytes + at, affix->bytes, affix->length) == 0;
}

/* startswith, endswith: a string or a tuple of them */
static bool has_affix(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    size_t begin, end;
    bool possible, found = false, at_end = c->routine->name[0] == 'e';
    am_jvalue affix = c->a[0];
    if (!part_of(j, c, &begin, &end, &possible)) return false;
    if (affix.kind != AM_J_STRING && affix.kind != AM_J_TUPLE)
        return am_jfail(j, "TypeError", "%s first arg must be str or a tuple of str, not %s", c->routine->name,
                        am_jvalue_type(affix));
    const am_jvalue *items = affix.kind == AM_J_TUPLE ? affix.list->items : &affix;
    size_t n = affix.kind == AM_J_TUPLE ? affix.list->count : 1;
    for (size_t i = 0; !found && i < n; i++) {
        if (items[i].kind != AM_J_STRING)
            return am_jfail(j, "TypeError", "tuple for %s must only contain str, not %s", c->routine->name,
                            am_jvalue_type(items[i]));
        found = possible && affix_matches(self(c), begin, end, items[i].string, at_end);
    }
    return give_bool(found, out);
}

/* ---- splitting and joining ---- */

static bool separator_argument(am_jinja *j, am_jvalue value, const am_jstring **out)
{
    *out = NULL;
    if (am_jabsent(value)) return true;
    if (value.kind != AM_J_STRING)
        return am_jfail(j, "TypeError", "must be str or None, not %s", am_jvalue_type(value));
    *out = value.string;
    return value.string->length || am_jfail(j, "ValueError", "empty separator");
}

/* Pieces of Markup are Markup already: parts keep it. */
static bool split(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    const am_jstring *separator;
    int64_t limit;
    bool right = c->routine->name[0] == 'r';
    if (!am_jargument_int(j, c->a[1], -1, &limit) || !separator_argument(j, c->a[0], &separator)) return false;
    return right ? am_jstring_split_right(j, self(c), separator, limit, out)
                 : am_jstring_split(j, self(c), separator, limit, out);
}

static bool splitlines(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    return am_jstring_split_lines(j, self(c), am_jargument_bool(c->a[0], false), out);
}

/* partition, rpartition */
static bool partition(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    const am_jstring *s = self(c), *separator;
    am_jvalue parts[3];
    bool right = c->routine->name[0] == 'r';
    if (!text_argument(j, c->a[0]) || !separator_argument(j, c->a[0], &separator)) return false;
    size_t at = right ? am_jbytes_find_last(s, separator, 0, s->length) : am_jbytes_find(s, separator, 0, s->length);
    bool found = at != SIZE_MAX;
    if (!found) at = right ? 0 : s->length;
    size_t end = found ? at + separator->length : at;
    if (!am_jcharge_bytes(j, s->length) || !am_jstring_part(j, s, 0, at, &parts[0]) ||
        !am_jstring_part(j, s, at, end, &parts[1]) || !am_jstring_part(j, s, end, s->length, &parts[2]))
        return false;
    return am_jlist_make(j, AM_J_TUPLE, parts, 3, out);
}

static bool join(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    am_jtext text = {.j = j};
    am_jitems items = {0};
    const am_jstring *s = self(c);
    if (!am_jvalue_is_iterable(c->a[0])) return am_jfail(j, "TypeError", "can only join an iterable");
    if (!am_jcollect(j, c->a[0], &items)) return false;
    for (size_t i = 0; i < items.count; i++) {
        am_jvalue item = items.items[i];
        if (item.kind != AM_J_STRING && !s->markup)
            return am_jfail(j, "TypeError", "sequence item %zu: expected str instance, %s found", i,
                            am_jvalue_type(item));
        if (s->markup && (!am_jvalue_to_soft_string(j, item, &item) || !am_jstring_escape(j, item.string, &item)))
            return false;
        if (i) am_jtext_append(&text, s->bytes, s->length);
        am_jtext_append(&text, item.string->bytes, item.string->length);
    }
    return am_jcharge_bytes(j, text.length) && am_jstring_of_text(&text, out) &&
           am_jstring_mark(j, *out, s->markup, out);
}

/* ---- changing ---- */

/* strip, lstrip, rstrip */
static bool strip(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    const char *name = c->routine->name;
    if (!am_jabsent(c->a[0]) && c->a[0].kind != AM_J_STRING)
        return am_jfail(j, "TypeError", "%s arg must be None or str", name);
    const am_jstring *characters = am_jabsent(c->a[0]) ? NULL : c->a[0].string;
    return am_jstring_strip(j, self(c), characters, *name != 'r', *name != 'l', out);
}

static bool replace(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    int64_t limit;
    am_jvalue with = c->a[1];
    for (int i = 0; i < 2; i++)
        if (c->a[i].kind != AM_J_STRING)
            return am_jfail(j, "TypeError", "replace() argument %d must be str, not %s", i + 1,
                            am_jvalue_type(c->a[i]));
    if (!am_jargument_int(j, c->a[2], -1, &limit)) return false;
    if (self(c)->markup && !am_jstring_escape(j, with.string, &with)) return false;
    return am_jstring_replace(j, self(c), c->a[0].string, with.string, limit, out);
}

/* removeprefix, removesuffix */
static bool remove_affix(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    const am_jstring *s = self(c), *affix = c->a[0].string;
    bool suffix = strcmp(c->routine->name, "removesuffix") == 0;
    if (c->a[0].kind != AM_J_STRING)
        return am_jfail(j, "TypeError", "%s() argument must be str, not %s", c->routine->name, am_jvalue_type(c->a[0]));
    bool has = suffix ? am_jstring_ends(s, affix) : am_jstring_starts(s, affix);
    size_t cut = has ? affix->length : 0;
    return am_jstring_part(j, s, suffix ? 0 : cut, suffix ? s->length - cut : s->length, out);
}

/* center, ljust, rjust */
static bool justify(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    int64_t width;
    am_jvalue fill = c->a[1];
    char which = c->routine->name[0];
    if (!am_jargument_int(j, c->a[0], 0, &width)) return false;
    if (!am_jgiven(fill) && !am_jstring_literal(j, " ", &fill)) return false;
    if (fill.kind != AM_J_STRING)
        return am_jfail(j, "TypeError", "The fill character must be a unicode character, not %s", am_jvalue_type(fill));
    if (self(c)->markup && !am_jstring_escape(j, fill.string, &fill)) return false;
    if (fill.string->characters != 1)
        return am_jfail(j, "TypeError", "The fill character must be exactly one character long");
    return am_jstring_pad(j, self(c), width, fill.string, which != 'l', which != 'r', out);
}

static bool zfill(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    int64_t width;
    const am_jstring *s = self(c);
    am_jtext text = {.j = j};
    if (!am_jargument_int(j, c->a[0], 0, &width)) return false;
    size_t sign = s->length && (*s->bytes == '+' || *s->bytes == '-');
    am_jtext_append(&text, s->bytes, sign);
    if (width > 0 && (size_t)width > s->characters) am_jtext_append_times(&text, "0", 1, (size_t)width - s->characters);
    am_jtext_append(&text, s->bytes + sign, s->length - sign);
    return am_jstring_of_text(&text, out) && am_jstring_mark(j, *out, s->markup, out);
}

static bool expandtabs(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    int64_t size, column = 0;
    const am_jstring *s = self(c);
    am_jtext text = {.j = j};
    if (!am_jargument_int(j, c->a[0], 8, &size) || !am_jcharge_bytes(j, s->length)) return false;
    for (size_t at = 0; at < s->length && !j->failed;) {
        size_t begin = at;
        uint32_t ch = am_jstring_next(s, &at);
        int64_t spaces = ch == '\t' && size > 0 ? size - column % size : 0;
        if (ch == '\t') am_jtext_append_times(&text, " ", 1, (size_t)spaces);
        else am_jtext_append(&text, s->bytes + begin, at - begin);
        column = ch == '\n' || ch == '\r' ? 0 : column + (ch == '\t' ? spaces : 1);
    }
    return am_jstring_of_text(&text, out) && am_jstring_mark(j, *out, s->markup, out);
}

/* ---- translation ---- */

static bool append_translated(am_jinja *j, am_jtext *text, const am_jvalue *to, uint32_t c)
{
    char bytes[4];
    if (!to) am_jtext_append_code_point(text, c);
    else if (to->kind == AM_J_STRING) am_jtext_append(text, to->string->bytes, to->string->length);
    else if (to->kind == AM_J_INT) {
        bool in_range = to->integer >= 0 && to->integer <= 0x10FFFF && am_utf8_put((uint32_t)to->integer, bytes);
        if (!in_range) return am_jfail(j, "ValueError", "character mapping must be in range(0x110000)");
        am_jtext_append_code_point(text, (uint32_t)to->integer);
    } else if (to->kind != AM_J_NONE)
        return am_jfail(j, "TypeError", "character mapping must return integer, None or str");
    return !j->failed;
}

static bool translate(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    am_jtext text = {.j = j};
    const am_jstring *s = self(c);
    const am_jvalue *to;
    if (c->a[0].kind != AM_J_DICT)
        return am_jfail(j, "TypeError", "'%s' object is not subscriptable", am_jvalue_type(c->a[0]));
    for (size_t at = 0; at < s->length;) {
        uint32_t ch = am_jstring_next(s, &at);
        if (!am_jcharge(j, 1) || !am_jdict_find(j, c->a[0].dict, am_jint(ch), &to)) return false;
        if (!append_translated(j, &text, to, ch)) return false;
    }
    return am_jstring_of_text(&text, out) && am_jstring_mark(j, *out, s->markup, out);
}

static uint32_t only_character(const am_jstring *s)
{
    size_t at = 0;
    return am_jstring_next(s, &at);
}

static bool table_of_dict(am_jinja *j, const am_jdict *dict, am_jdict *table)
{
    for (size_t i = 0; i < dict->count; i++) {
        am_jvalue key = dict->entries[i].key;
        if (key.kind == AM_J_STRING && key.string->characters != 1)
            return am_jfail(j, "ValueError", "string keys in translate table must be of length 1");
        if (key.kind == AM_J_STRING) key = am_jint(only_character(key.string));
        else if (!am_jvalue_is_integer(key))
            return am_jfail(j, "TypeError", "keys in translate table must be strings or integers");
        if (!am_jdict_set(j, table, key, dict->entries[i].value)) return false;
    }
    return true;
}

static bool table_of_texts(am_jinja *j, const am_jcall *c, am_jdict *table)
{
    const am_jstring *from = c->a[0].string, *to = c->a[1].string;
    if (from->characters != to->characters)
        return am_jfail(j, "ValueError", "the first two maketrans arguments must have equal length");
    for (size_t at = 0, to_at = 0; at < from->length;) {
        am_jvalue key = am_jint(am_jstring_next(from, &at));
        if (!am_jdict_set(j, table, key, am_jint(am_jstring_next(to, &to_at)))) return false;
    }
    for (size_t at = 0; c->a[2].kind == AM_J_STRING && at < c->a[2].string->length;)
        if (!am_jdict_set(j, table, am_jint(am_jstring_next(c->a[2].string, &at)), am_jnone())) return false;
    return true;
}

static bool maketrans(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    if (!am_jdict_make(j, out)) return false;
    if (c->a[0].kind == AM_J_DICT && !am_jgiven(c->a[1])) return table_of_dict(j, c->a[0].dict, out->dict);
    if (!am_jgiven(c->a[1]))
        return am_jfail(j, "TypeError", "if you give only one argument to maketrans it must be a dict");
    if (c->a[0].kind != AM_J_STRING)
        return am_jfail(j, "TypeError", "first maketrans argument must be a string if there is a second argument");
    if (c->a[1].kind != AM_J_STRING)
        return am_jfail(j, "TypeError", "maketrans() argument 2 must be str, not %s", am_jvalue_type(c->a[1]));
    if (am_jgiven(c->a[2]) && c->a[2].kind != AM_J_STRING)
        return am_jfail(j, "TypeError", "maketrans() argument 3 must be str, not %s", am_jvalue_type(c->a[2]));
    return table_of_texts(j, c, out->dict);
}

/* ---- formatting, bytes ---- */

static bool format(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    return am_jformat_braces(j, self(c), c->given, out);
}

static bool format_map(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    am_jarguments named = {0};
    const am_jdict *dict = c->a[0].dict;
    if (c->a[0].kind != AM_J_DICT)
        return am_jfail(j, "TypeError", "format_map() argument must be a mapping, not %s", am_jvalue_type(c->a[0]));
    const am_jstring **names = am_jarray(j, dict->count, sizeof *names);
    am_jvalue *values = am_jarray(j, dict->count, sizeof *values);
    if (!names || !values) return false;
    for (size_t i = 0; i < dict->count; i++) {
        if (dict->entries[i].key.kind != AM_J_STRING) continue;
        names[named.named_count] = dict->entries[i].key.string;
        values[named.named_count++] = dict->entries[i].value;
    }
    named.names = names;
    named.named = values;
    return am_jformat_braces(j, self(c), &named, out);
}

static bool encode(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    (void)c;
    (void)out;
    return am_jfail_code(j, AM_UNSUPPORTED, "NotImplementedError", "str.encode() is not supported in chat templates");
}

static const am_jroutine methods[] = {
    {"strip", strip, "/chars?", "str.strip"},
    {"lstrip", strip, "/chars?", "str.lstrip"},
    {"rstrip", strip, "/chars?", "str.rstrip"},
    {"split", split, "!sep? maxsplit?", "split"},
    {"rsplit", split, "!sep? maxsplit?", "rsplit"},
    {"splitlines", splitlines, "!keepends?", "splitlines"},
    {"startswith", has_affix, "/!prefix start? end?", "str.startswith"},
    {"endswith", has_affix, "/!suffix start? end?", "str.endswith"},
    {"replace", replace, "/old new count?", "str.replace"},
    {"join", join, "/iterable", "str.join"},
    {"format", format, "*", "str.format"},
    {"format_map", format_map, "/mapping", "str.format_map"},
    {"upper", upper, "/", "str.upper"},
    {"lower", lower, "/", "str.lower"},
    {"title", title, "/", "str.title"},
    {"capitalize", capitalize, "/", "str.capitalize"},
    {"swapcase", swapcase, "/", "str.swapcase"},
    {"casefold", casefold, "/", "str.casefold"},
    {"find", find, "/!sub start? end?", "str.find"},
    {"rfind", find, "/!sub start? end?", "str.rfind"},
    {"index", find, "/!sub start? end?", "str.index"},
    {"rindex", find, "/!sub start? end?", "str.rindex"},
    {"count", count, "/!sub start? end?", "str.count"},
    {"partition", partition, "/sep", "str.partition"},
    {"rpartition", partition, "/sep", "str.rpartition"},
    {"removeprefix", remove_affix, "/prefix", "str.removeprefix"},
    {"removesuffix", remove_affix, "/suffix", "str.removesuffix"},
    {"center", justify, "/width fillchar?", "str.center"},
    {"ljust", justify, "/width fillchar?", "str.ljust"},
    {"rjust", justify, "/width fillchar?", "str.rjust"},
    {"zfill", zfill, "/width", "str.zfill"},
    {"expandtabs", expandtabs, "!tabsize?", "expandtabs"},
    {"translate", translate, "/table", "str.translate"},
    {"maketrans", maketrans, "/x y? z?", "str.maketrans"},
    {"encode", encode, "!encoding? errors?", "encode"},
    {"isalpha", is_class, "/", "str.isalpha"},
    {"isalnum", is_class, "/", "str.isalnum"},
    {"isdecimal", is_class, "/", "str.isdecimal"},
    {"isdigit", is_class, "/", "str.isdigit"},
    {"isnumeric", is_class, "/", "str.isnumeric"},
    {"isspace", is_class, "/", "str.isspace"},
    {"isprintable", is_class, "/", "str.isprintable"},
    {"isascii", is_class, "/", "str.isascii"},
    {"islower", is_case, "/", "str.islower"},
    {"isupper", is_case, "/", "str.isupper"},
    {"istitle", istitle, "/", "str.istitle"},
    {"isidentifier", isidentifier, "/", "str.isidentifier"},
};

const am_jroutine *am_jstring_method(const am_jstring *name)
{
    return am_jroutine_find(methods, sizeof methods / sizeof *methods, name);
}
