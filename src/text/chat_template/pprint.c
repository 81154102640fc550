/* pprint.pformat of Python's standard library: width 80, one space a level, dicts sorted. */
#include "text/chat_template/represent.h"
#include "text/chat_template/sort.h"
#include "text/chat_template/text.h"

#include <string.h>

enum { WIDTH = 80 };

typedef struct printer {
    am_jtext *text;
} printer;

/* ---- a copy with all dicts sorted ---- */

static bool sort_deeply(am_jinja *j, am_jvalue value, am_jvalue *out);

static bool sort_items(am_jinja *j, am_jvalue value, am_jvalue *out)
{
    am_jitems items = {0};
    for (size_t i = 0; i < value.list->count; i++) {
        am_jvalue item;
        if (!sort_deeply(j, value.list->items[i], &item) || !am_jitems_push(j, &items, item)) return false;
    }
    return am_jitems_list(j, &items, value.kind, out);
}

static bool sort_dict(am_jinja *j, const am_jdict *dict, am_jvalue *out)
{
    bool all_text = true;
    am_jvalue *keys = am_jarray(j, dict->count, sizeof *keys);
    size_t *order = am_jarray(j, dict->count, sizeof *order);
    if (!keys || !order || !am_jdict_make(j, out)) return false;
    for (size_t i = 0; i < dict->count; i++) {
        keys[i] = dict->entries[i].key;
        order[i] = i;
        all_text = all_text && keys[i].kind == AM_J_STRING;
    }
    if (all_text && !am_jsort_order(j, keys, dict->count, false, order)) return false;
    for (size_t i = 0; i < dict->count; i++) {
        am_jvalue value;
        if (!sort_deeply(j, dict->entries[order[i]].value, &value)) return false;
        if (!am_jdict_set(j, out->dict, keys[order[i]], value)) return false;
    }
    return true;
}

static bool sort_deeply(am_jinja *j, am_jvalue value, am_jvalue *out)
{
    bool ok = true;
    *out = value;
    if (value.kind != AM_J_LIST && value.kind != AM_J_TUPLE && value.kind != AM_J_DICT) return true;
    if (!am_jcharge(j, 1) || !am_jenter(j)) return false;
    ok = value.kind == AM_J_DICT ? sort_dict(j, value.dict, out) : sort_items(j, value, out);
    am_jleave(j);
    return ok;
}

/* ---- layout ---- */

static bool print_value(printer *p, am_jvalue value, size_t indent, size_t allowance, int level);

static bool repr_of(am_jinja *j, am_jvalue value, am_jvalue *out)
{
    am_jtext text = {.j = j};
    return am_jrepr(&text, value) && am_jstring_of_text(&text, out);
}

static void print_new_line(printer *p, size_t indent)
{
    am_jtext_append_char(p->text, '\n');
    am_jtext_append_times(p->text, " ", 1, indent);
}

static bool print_items(printer *p, const am_jlist *list, size_t indent, size_t allowance, int level)
{
    for (size_t i = 0; i < list->count; i++) {
        bool last = i + 1 == list->count;
        if (!print_value(p, list->items[i], indent + 1, last ? allowance : 1, level)) return false;
        if (last) break;
        am_jtext_append_char(p->text, ',');
        print_new_line(p, indent + 1);
    }
    return true;
}

static bool print_list(printer *p, am_jvalue value, size_t indent, size_t allowance, int level)
{
    bool list = value.kind == AM_J_LIST;
    const char *close = list ? "]" : value.list->count == 1 ? ",)" : ")";
    am_jtext_append_char(p->text, list ? '[' : '(');
    if (!print_items(p, value.list, indent, allowance + strlen(close), level)) return false;
    am_jtext_append_string(p->text, close);
    return true;
}

static bool print_dict(printer *p, const am_jdict *dict, size_t indent, size_t allowance, int level)
{
    am_jvalue key;
    am_jtext_append_char(p->text, '{');
    for (size_t i = 0; i < dict->count; i++) {
        bool last = i + 1 == dict->count;
        if (!repr_of(p->text->j, dict->entries[i].key, &key)) return false;
        am_jtext_append(p->text, key.string->bytes, key.string->length);
        am_jtext_append_string(p->text, ": ");
        size_t column = indent + 1 + key.string->characters + 2;
        if (!print_value(p, dict->entries[i].value, column, last ? allowance + 1 : 1, level)) return false;
        if (last) break;
        am_jtext_append_char(p->text, ',');
        print_new_line(p, indent + 1);
    }
    am_jtext_append_char(p->text, '}');
    return true;
}

static bool push_repr(am_jinja *j, am_jitems *chunks, const am_jstring *s, size_t begin, size_t end)
{
    am_jvalue part, repr;
    if (begin == end) return true;
    return am_jstring_part(j, s, begin, end, &part) && repr_of(j, part, &repr) && am_jitems_push(j, chunks, repr);
}

/* End of the word and the white space after it that begin at byte `at`. */
static size_t end_of_word(const am_jstring *s, size_t at)
{
    bool in_space = false;
    for (size_t next = at; next < s->length; at = next) {
        bool space = am_jchar_is_space(am_jstring_next(s, &next));
        if (in_space && !space) break;
        in_space = space;
    }
    return at;
}

/* A line of a string that is too long: words as long as they fit. */
static bool break_line(am_jinja *j, am_jitems *chunks, const am_jstring *line, size_t width, size_t last_width)
{
    size_t begin = 0, end = 0;
    while (end < line->length) {
        am_jvalue part, repr;
        size_t next = end_of_word(line, end);
        if (!am_jstring_part(j, line, begin, next, &part) || !repr_of(j, part, &repr)) return false;
        if (repr.string->characters > (next == line->length ? last_width : width)) {
            if (!push_repr(j, chunks, line, begin, end)) return false;
            begin = end;
        }
        end = next;
    }
    return push_repr(j, chunks, line, begin, end);
}

static bool string_chunks(am_jinja *j, const am_jstring *s, size_t width, size_t last_width, am_jitems *chunks)
{
    am_jvalue lines, repr;
    if (!am_jstring_split_lines(j, s, true, &lines)) return false;
    for (size_t i = 0; i < lines.list->count; i++) {
        am_jvalue line = lines.list->items[i];
        size_t limit = i + 1 == lines.list->count ? last_width : width;
        if (!repr_of(j, line, &repr)) return false;
        bool ok = repr.string->characters <= limit ? am_jitems_push(j, chunks, repr)
                                                   : break_line(j, chunks, line.string, width, limit);
        if (!ok) return false;
    }
    return true;
}

static bool print_string(printer *p, am_jvalue value, size_t indent, size_t allowance, int level)
{
    am_jitems chunks = {0};
    bool outermost = level == 1;
    indent += outermost;
    allowance += outermost;
    size_t width = indent < WIDTH ? WIDTH - indent : 0, last = allowance < width ? width - allowance : 0;
    if (!string_chunks(p->text->j, value.string, width, last, &chunks)) return false;
    bool wrap = outermost && chunks.count > 1;
    if (wrap) am_jtext_append_char(p->text, '(');
    for (size_t i = 0; i < chunks.count; i++) {
        if (i) print_new_line(p, indent);
        am_jtext_append(p->text, chunks.items[i].string->bytes, chunks.items[i].string->length);
    }
    if (wrap) am_jtext_append_char(p->text, ')');
    return !p->text->j->failed;
}

static bool print_value(printer *p, am_jvalue value, size_t indent, size_t allowance, int level)
{
    am_jvalue repr;
    am_jinja *j = p->text->j;
    bool ok = true;
    if (!repr_of(j, value, &repr)) return false;
    bool fits = repr.string->characters + indent + allowance <= WIDTH;
    bool empty = am_jvalue_has_length(value) && !am_jvalue_true(value);
    if (!am_jenter(j)) return false;
    if (!fits && !empty && (value.kind == AM_J_LIST || value.kind == AM_J_TUPLE))
        ok = print_list(p, value, indent, allowance, level + 1);
    else if (!fits && !empty && value.kind == AM_J_DICT) ok = print_dict(p, value.dict, indent, allowance, level + 1);
    else if (!fits && !empty && value.kind == AM_J_STRING) ok = print_string(p, value, indent, allowance, level + 1);
    else am_jtext_append(p->text, repr.string->bytes, repr.string->length);
    am_jleave(j);
    return ok && !j->failed;
}

bool am_jpprint(am_jtext *text, am_jvalue value)
{
    printer p = {.text = text};
    am_jvalue sorted;
    return sort_deeply(text->j, value, &sorted) && print_value(&p, sorted, 0, 0, 0);
}
