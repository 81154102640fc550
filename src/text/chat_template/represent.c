#include "text/chat_template/represent.h"

#include "text/chat_template/big_integer.h"
#include "text/chat_template/evaluate.h"
#include "text/chat_template/iterate.h"
#include "text/chat_template/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- floats ---- */

/* The next larger decimal of as many digits, unless all of them are 9. */
static void step_up(char *text)
{
    char *at = strchr(text, 'e');
    while (at > text) {
        if (*--at == '.') continue;
        if (*at != '9') {
            ++*at;
            return;
        }
        *at = '0';
    }
    snprintf(text, 2, "0");
}

/* Whether the decimal, or the one above it, reads back as `real`. A power of two has more room above it than
   below, so that the nearest decimal of some length can miss it where the next one does not. */
static bool reads_back(char *text, double real)
{
    int exponent;
    if (strtod(text, NULL) == real) return true;
    if (frexp(real, &exponent) != 0.5) return false;
    step_up(text);
    return strtod(text, NULL) == real;
}

/* The shortest decimal that reads back as `real`: its digits and the exponent of the first of them. */
static int shortest_digits(double real, char digits[20], int *exponent)
{
    char text[40];
    for (int precision = 0; precision < 17; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, real);
        if (reads_back(text, real)) break;
    }
    int count = 0;
    const char *at = text;
    for (; *at && *at != 'e'; at++)
        if (*at >= '0' && *at <= '9') digits[count++] = *at;
    *exponent = (int)strtol(at + 1, NULL, 10);
    while (count > 1 && digits[count - 1] == '0') count--;
    return count;
}

static void append_scientific(am_jtext *text, const char *digits, int count, int exponent)
{
    am_jtext_append(text, digits, 1);
    if (count > 1) am_jtext_append_char(text, '.');
    am_jtext_append(text, digits + 1, (size_t)count - 1);
    am_jtext_printf(text, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
}

static void append_positional(am_jtext *text, const char *digits, int count, int exponent)
{
    if (exponent < 0) {
        am_jtext_append_string(text, "0.");
        am_jtext_append_times(text, "0", 1, (size_t)(-exponent - 1));
        am_jtext_append(text, digits, (size_t)count);
        return;
    }
    int whole = count < exponent + 1 ? count : exponent + 1;
    am_jtext_append(text, digits, (size_t)whole);
    am_jtext_append_times(text, "0", 1, (size_t)(exponent + 1 - whole));
    am_jtext_append_char(text, '.');
    if (count > whole) am_jtext_append(text, digits + whole, (size_t)(count - whole));
    else am_jtext_append_char(text, '0');
}

void am_jreal_repr(am_jtext *text, double real)
{
    char digits[20];
    int exponent = 0;
    if (isnan(real) || isinf(real)) {
        am_jtext_append_string(text, isnan(real) ? "nan" : real < 0 ? "-inf" : "inf");
        return;
    }
    if (signbit(real)) am_jtext_append_char(text, '-');
    int count = shortest_digits(fabs(real), digits, &exponent);
    if (exponent < -4 || exponent >= 16) append_scientific(text, digits, count, exponent);
    else append_positional(text, digits, count, exponent);
}

/* ---- repr ---- */

static void append_escaped(am_jtext *text, uint32_t c)
{
    if (c == '\n') am_jtext_append_string(text, "\\n");
    else if (c == '\r') am_jtext_append_string(text, "\\r");
    else if (c == '\t') am_jtext_append_string(text, "\\t");
    else if (c < 0x100) am_jtext_printf(text, "\\x%02x", (unsigned)c);
    else if (c < 0x10000) am_jtext_printf(text, "\\u%04x", (unsigned)c);
    else am_jtext_printf(text, "\\U%08x", (unsigned)c);
}

static bool repr_string(am_jtext *text, const am_jstring *s)
{
    bool single = memchr(s->bytes, '\'', s->length) && !memchr(s->bytes, '"', s->length);
    char quote = single ? '"' : '\'';
    if (!am_jcharge_bytes(text->j, s->length)) return false;
    if (s->markup) am_jtext_append_string(text, "Markup(");
    am_jtext_append_char(text, quote);
    for (size_t at = 0; at < s->length && !text->j->failed;) {
        size_t begin = at;
        uint32_t c = am_jstring_next(s, &at);
        if (c == (uint32_t)quote || c == '\\') am_jtext_append_char(text, '\\');
        if (am_jchar_is_printable(c)) am_jtext_append(text, s->bytes + begin, at - begin);
        else append_escaped(text, c);
    }
    am_jtext_append_char(text, quote);
    if (s->markup) am_jtext_append_char(text, ')');
    return !text->j->failed;
}

static bool repr_items(am_jtext *text, const am_jvalue *items, size_t count, const char *open, const char *close)
{
    if (!am_jenter(text->j)) return false;
    am_jtext_append_string(text, open);
    for (size_t i = 0; i < count; i++) {
        if (i) am_jtext_append_string(text, ", ");
        if (!am_jcharge(text->j, 1) || !am_jrepr(text, items[i])) return false;
    }
    am_jtext_append_string(text, close);
    am_jleave(text->j);
    return !text->j->failed;
}

static bool repr_entry(am_jtext *text, const am_jentry *entry, am_jkind kind, am_jview_kind view)
{
    if (kind == AM_J_VIEW && view == AM_J_KEYS) return am_jrepr(text, entry->key);
    if (kind == AM_J_VIEW && view == AM_J_VALUES) return am_jrepr(text, entry->value);
    bool pair = kind == AM_J_VIEW;
    if (pair) am_jtext_append_char(text, '(');
    if (!am_jrepr(text, entry->key)) return false;
    am_jtext_append_string(text, pair ? ", " : ": ");
    if (!am_jrepr(text, entry->value)) return false;
    if (pair) am_jtext_append_char(text, ')');
    return true;
}

/* The entries of a dict, or of a view of one. */
static bool repr_dict(am_jtext *text, const am_jdict *dict, am_jkind kind, am_jview_kind view, const char *open,
                      const char *close)
{
    if (!am_jenter(text->j)) return false;
    am_jtext_append_string(text, open);
    for (size_t i = 0; i < dict->count; i++) {
        if (i) am_jtext_append_string(text, ", ");
        if (!am_jcharge(text->j, 1) || !repr_entry(text, &dict->entries[i], kind, view)) return false;
    }
    am_jtext_append_string(text, close);
    am_jleave(text->j);
    return !text->j->failed;
}

static bool repr_view(am_jtext *text, am_jvalue value)
{
    am_jtext_append_string(text, am_jvalue_type(value));
    return repr_dict(text, value.view->dict, AM_J_VIEW, value.view->kind, "([", "])");
}

static bool repr_range(am_jtext *text, const am_jrange *range)
{
    am_jtext_printf(text, "range(%lld, %lld", (long long)range->start, (long long)range->stop);
    if (range->step != 1) am_jtext_printf(text, ", %lld", (long long)range->step);
    am_jtext_append_char(text, ')');
    return !text->j->failed;
}

static bool repr_macro(am_jtext *text, const am_jmacro *macro)
{
    am_jvalue name = am_jmacro_name(macro);
    am_jtext_append_string(text, "<Macro ");
    if (name.kind == AM_J_NONE) am_jtext_append_string(text, "anonymous");
    else am_jrepr(text, name);
    am_jtext_append_char(text, '>');
    return !text->j->failed;
}

static bool repr_loop(am_jtext *text, am_jloop *loop)
{
    size_t length;
    if (!am_jloop_length(text->j, loop, &length)) return false;
    am_jtext_printf(text, "<LoopContext %lld/%zu>", (long long)am_jloop_index(loop), length);
    return !text->j->failed;
}

/* Functions and iterators: Python would add an address. */
static bool repr_object(am_jtext *text, am_jvalue value)
{
    if (value.kind == AM_J_FUNCTION) am_jtext_printf(text, "<function %s>", am_jfunction_name(value.function));
    else if (value.kind == AM_J_ITERATOR) am_jtext_printf(text, "<%s object>", am_jvalue_type(value));
    else am_jtext_printf(text, "<%s>", am_jvalue_described(text->j, value));
    return !text->j->failed;
}

bool am_jrepr(am_jtext *text, am_jvalue value)
{
    switch (value.kind) {
    case AM_J_MISSING:
    case AM_J_UNDEFINED:
        am_jtext_append_string(text, "Undefined");
        break;
    case AM_J_NONE:
        am_jtext_append_string(text, "None");
        break;
    case AM_J_BOOL:
        am_jtext_append_string(text, value.boolean ? "True" : "False");
        break;
    case AM_J_INT:
        am_jtext_printf(text, "%lld", (long long)value.integer);
        break;
    case AM_J_BIG:
        return am_jinteger_write(text, value, 10);
    case AM_J_REAL:
        am_jreal_repr(text, value.real);
        break;
    case AM_J_STRING:
        return repr_string(text, value.string);
    case AM_J_LIST:
        return repr_items(text, value.list->items, value.list->count, "[", "]");
    case AM_J_TUPLE:
        return repr_items(text, value.list->items, value.list->count, "(", value.list->count == 1 ? ",)" : ")");
    case AM_J_DICT:
        return repr_dict(text, value.dict, AM_J_DICT, AM_J_ITEMS, "{", "}");
    case AM_J_NAMESPACE:
        return repr_dict(text, value.dict, AM_J_DICT, AM_J_ITEMS, "<Namespace {", "}>");
    case AM_J_RANGE:
        return repr_range(text, value.range);
    case AM_J_VIEW:
        return repr_view(text, value);
    case AM_J_MACRO:
        return repr_macro(text, value.macro);
    case AM_J_LOOP:
        return repr_loop(text, value.loop);
    case AM_J_FUNCTION:
    case AM_J_ITERATOR:
    case AM_J_CYCLER:
    case AM_J_JOINER:
        return repr_object(text, value);
    }
    return !text->j->failed;
}

const char *am_jrepr_text(am_jinja *j, am_jvalue value)
{
    am_jtext text = {.j = j};
    am_jrepr(&text, value);
    return am_jtext_string(&text);
}

bool am_jascii(am_jtext *text, am_jvalue value)
{
    am_jtext whole = {.j = text->j};
    am_jvalue string;
    if (!am_jrepr(&whole, value) || !am_jstring_of_text(&whole, &string)) return false;
    for (size_t at = 0; at < string.string->length && !text->j->failed;) {
        uint32_t c = am_jstring_next(string.string, &at);
        if (c < 0x80) am_jtext_append_char(text, (char)c);
        else append_escaped(text, c);
    }
    return !text->j->failed;
}

bool am_jstr(am_jtext *text, am_jvalue value)
{
    if (value.kind == AM_J_UNDEFINED) return true;
    if (value.kind != AM_J_STRING) return am_jrepr(text, value);
    am_jtext_append(text, value.string->bytes, value.string->length);
    return am_jcharge_bytes(text->j, value.string->length) && !text->j->failed;
}

bool am_jvalue_to_soft_string(am_jinja *j, am_jvalue value, am_jvalue *out)
{
    am_jtext text = {.j = j};
    *out = value;
    return value.kind == AM_J_STRING || (am_jstr(&text, value) && am_jstring_of_text(&text, out));
}

bool am_jvalue_to_string(am_jinja *j, am_jvalue value, am_jvalue *out)
{
    return am_jvalue_to_soft_string(j, value, out) && am_jstring_mark(j, *out, false, out);
}
