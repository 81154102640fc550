/* The tojson filter: json.dumps of Python's standard library. */
#include "text/chat_template/big_integer.h"
#include "text/chat_template/represent.h"
#include "text/chat_template/sort.h"
#include "text/chat_template/text.h"

#include <math.h>

typedef struct writer {
    am_jtext *text;
    const am_jjson_options *options;
    size_t level;
} writer;

static bool write_value(writer *w, am_jvalue value);

static void write_code_unit(am_jtext *text, uint32_t unit)
{
    am_jtext_printf(text, "\\u%04x", (unsigned)unit);
}

static void write_escaped(am_jtext *text, uint32_t c)
{
    switch (c) {
    case '"':
        am_jtext_append_string(text, "\\\"");
        return;
    case '\\':
        am_jtext_append_string(text, "\\\\");
        return;
    case '\n':
        am_jtext_append_string(text, "\\n");
        return;
    case '\r':
        am_jtext_append_string(text, "\\r");
        return;
    case '\t':
        am_jtext_append_string(text, "\\t");
        return;
    case '\f':
        am_jtext_append_string(text, "\\f");
        return;
    case '\b':
        am_jtext_append_string(text, "\\b");
        return;
    default:
        break;
    }
    if (c >= 0x10000) write_code_unit(text, 0xD800 + ((c - 0x10000) >> 10));
    write_code_unit(text, c >= 0x10000 ? 0xDC00 + (c & 0x3FF) : c);
}

static bool write_string(writer *w, const am_jstring *s)
{
    am_jtext *text = w->text;
    bool ascii = w->options->ensure_ascii;
    if (!am_jcharge_bytes(text->j, s->length)) return false;
    am_jtext_append_char(text, '"');
    for (size_t at = 0; at < s->length && !text->j->failed;) {
        size_t begin = at;
        uint32_t c = am_jstring_next(s, &at);
        if (c == '"' || c == '\\' || c < 0x20 || (ascii && c > 0x7E)) write_escaped(text, c);
        else am_jtext_append(text, s->bytes + begin, at - begin);
    }
    am_jtext_append_char(text, '"');
    return !text->j->failed;
}

static bool write_real(am_jtext *text, double real)
{
    if (isnan(real)) am_jtext_append_string(text, "NaN");
    else if (isinf(real)) am_jtext_append_string(text, real < 0 ? "-Infinity" : "Infinity");
    else am_jreal_repr(text, real);
    return !text->j->failed;
}

static void write_new_line(writer *w)
{
    const am_jstring *indent = w->options->indent;
    if (!indent) return;
    am_jtext_append_char(w->text, '\n');
    am_jtext_append_times(w->text, indent->bytes, indent->length, w->level);
}

static void write_separator(writer *w, size_t position)
{
    const am_jstring *separator = w->options->item_separator;
    if (position) am_jtext_append(w->text, separator->bytes, separator->length);
    write_new_line(w);
}

static bool open_container(writer *w, char bracket)
{
    am_jtext_append_char(w->text, bracket);
    w->level++;
    return am_jenter(w->text->j);
}

static bool close_container(writer *w, char bracket)
{
    w->level--;
    am_jleave(w->text->j);
    write_new_line(w);
    am_jtext_append_char(w->text, bracket);
    return !w->text->j->failed;
}

static bool write_list(writer *w, const am_jlist *list)
{
    if (!list->count) am_jtext_append_string(w->text, "[]");
    if (!list->count) return !w->text->j->failed;
    if (!open_container(w, '[')) return false;
    for (size_t i = 0; i < list->count; i++) {
        write_separator(w, i);
        if (!am_jcharge(w->text->j, 1) || !write_value(w, list->items[i])) return false;
    }
    return close_container(w, ']');
}

/* Keys that are no strings become the text of their JSON. */
static bool write_key(writer *w, am_jvalue key)
{
    if (key.kind == AM_J_STRING) return write_string(w, key.string);
    if (key.kind != AM_J_NONE && !am_jvalue_is_number(key))
        return am_jfail(w->text->j, "TypeError", "keys must be str, int, float, bool or None, not %s",
                        am_jvalue_type(key));
    am_jtext_append_char(w->text, '"');
    if (!write_value(w, key)) return false;
    am_jtext_append_char(w->text, '"');
    return true;
}

static bool sorted_entries(am_jinja *j, const am_jdict *dict, const am_jentry **out)
{
    am_jvalue *keys = am_jarray(j, dict->count, sizeof *keys);
    size_t *order = am_jarray(j, dict->count, sizeof *order);
    am_jentry *entries = am_jarray(j, dict->count, sizeof *entries);
    if (!keys || !order || !entries) return false;
    for (size_t i = 0; i < dict->count; i++) keys[i] = dict->entries[i].key;
    if (!am_jsort_order(j, keys, dict->count, false, order)) return false;
    for (size_t i = 0; i < dict->count; i++) entries[i] = dict->entries[order[i]];
    *out = entries;
    return true;
}

static bool write_dict(writer *w, const am_jdict *dict)
{
    const am_jentry *entries = dict->entries;
    const am_jstring *colon = w->options->key_separator;
    if (!dict->count) am_jtext_append_string(w->text, "{}");
    if (!dict->count) return !w->text->j->failed;
    if (w->options->sort_keys && !sorted_entries(w->text->j, dict, &entries)) return false;
    if (!open_container(w, '{')) return false;
    for (size_t i = 0; i < dict->count; i++) {
        write_separator(w, i);
        if (!am_jcharge(w->text->j, 1) || !write_key(w, entries[i].key)) return false;
        am_jtext_append(w->text, colon->bytes, colon->length);
        if (!write_value(w, entries[i].value)) return false;
    }
    return close_container(w, '}');
}

static bool write_value(writer *w, am_jvalue value)
{
    am_jtext *text = w->text;
    switch (value.kind) {
    case AM_J_NONE:
        am_jtext_append_string(text, "null");
        break;
    case AM_J_BOOL:
        am_jtext_append_string(text, value.boolean ? "true" : "false");
        break;
    case AM_J_INT:
    case AM_J_BIG:
        return am_jrepr(text, value);
    case AM_J_REAL:
        return write_real(text, value.real);
    case AM_J_STRING:
        return write_string(w, value.string);
    case AM_J_LIST:
    case AM_J_TUPLE:
        return write_list(w, value.list);
    case AM_J_DICT:
        return write_dict(w, value.dict);
    default:
        return am_jfail(text->j, "TypeError", "Object of type %s is not JSON serializable", am_jvalue_type(value));
    }
    return !text->j->failed;
}

bool am_jjson_write(am_jtext *text, am_jvalue value, const am_jjson_options *options)
{
    writer w = {.text = text, .options = options};
    return write_value(&w, value);
}
