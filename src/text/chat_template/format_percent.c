/* format % value: printf-style formatting of Python's str. */
#include "text/chat_template/format.h"

#include "base/utf8.h"
#include "text/chat_template/big_integer.h"
#include "text/chat_template/iterate.h"
#include "text/chat_template/represent.h"
#include "text/chat_template/text.h"

#include <math.h>
#include <string.h>

enum { WIDEST = 100000 };

typedef struct state {
    am_jtext text;
    const am_jstring *format;
    size_t at;
    am_jvalue value;
    bool is_mapping; /* names in parentheses, and no complaint about what is left */
    size_t used;     /* items of a tuple, or 1 when the value itself is used */
} state;

typedef struct spec {
    bool left, plus, space, alternate, zero, has_precision;
    int64_t width, precision;
    char type;
} spec;

static bool incomplete(state *s)
{
    return am_jfail(s->text.j, "ValueError", "incomplete format");
}

static bool next_argument(state *s, am_jvalue *out)
{
    bool tuple = s->value.kind == AM_J_TUPLE;
    if (s->used >= (tuple ? s->value.list->count : 1))
        return am_jfail(s->text.j, "TypeError", "not enough arguments for format string");
    *out = tuple ? s->value.list->items[s->used] : s->value;
    s->used++;
    return true;
}

/* ---- reading a conversion ---- */

static bool read_key(state *s, am_jvalue *out)
{
    am_jinja *j = s->text.j;
    const am_jvalue *found;
    am_jvalue key;
    size_t begin = s->at, depth = 1;
    while (s->at < s->format->length && depth) {
        char c = s->format->bytes[s->at++];
        depth += c == '(';
        depth -= c == ')';
    }
    if (depth) return am_jfail(j, "ValueError", "incomplete format key");
    if (s->value.kind != AM_J_DICT) return am_jfail(j, "TypeError", "format requires a mapping");
    if (!am_jstring_part(j, s->format, begin, s->at - 1, &key)) return false;
    if (!am_jdict_find(j, s->value.dict, key, &found)) return false;
    if (!found) return am_jfail(j, "KeyError", "%s", am_jrepr_text(j, key));
    *out = *found;
    return true;
}

static void read_flags(state *s, spec *f)
{
    for (; s->at < s->format->length; s->at++) {
        char c = s->format->bytes[s->at];
        if (c == '-') f->left = true;
        else if (c == '+') f->plus = true;
        else if (c == ' ') f->space = true;
        else if (c == '#') f->alternate = true;
        else if (c == '0') f->zero = true;
        else return;
    }
}

/* A width or precision: digits, or '*' for the next argument. */
static bool read_number(state *s, int64_t *out)
{
    am_jvalue value;
    *out = 0;
    if (s->at < s->format->length && s->format->bytes[s->at] == '*') {
        s->at++;
        if (!next_argument(s, &value)) return false;
        if (!am_jvalue_is_integer(value)) return am_jfail(s->text.j, "TypeError", "* wants int");
        *out = value.kind == AM_J_BIG ? WIDEST + 1 : value.kind == AM_J_BOOL ? value.boolean : value.integer;
    }
    for (; s->at < s->format->length && s->format->bytes[s->at] >= '0' && s->format->bytes[s->at] <= '9'; s->at++)
        if (*out <= WIDEST) *out = *out * 10 + (s->format->bytes[s->at] - '0');
    if (*out > WIDEST || *out < -WIDEST) return am_jfail(s->text.j, "ValueError", "width too big");
    return true;
}

static bool read_spec(state *s, spec *f)
{
    const am_jstring *format = s->format;
    read_flags(s, f);
    if (!read_number(s, &f->width)) return false;
    if (f->width < 0) {
        f->left = true;
        f->width = -f->width;
    }
    if (s->at < format->length && format->bytes[s->at] == '.') {
        s->at++;
        f->has_precision = true;
        if (!read_number(s, &f->precision)) return false;
        if (f->precision < 0) f->precision = 0;
    }
    if (s->at < format->length && strchr("hlL", format->bytes[s->at]) && format->bytes[s->at]) s->at++;
    if (s->at >= format->length) return incomplete(s);
    f->type = format->bytes[s->at++];
    return true;
}

/* ---- writing ---- */

/* `prefix` (sign, base) and `body` in the width; zeros go between the two. */
static void append(state *s, const spec *f, const char *prefix, const char *body, size_t length, size_t characters)
{
    size_t used = strlen(prefix) + characters;
    size_t missing = f->width > 0 && (size_t)f->width > used ? (size_t)f->width - used : 0;
    bool zeros = f->zero && !f->left;
    if (!f->left && !zeros) am_jtext_append_times(&s->text, " ", 1, missing);
    am_jtext_append_string(&s->text, prefix);
    if (zeros) am_jtext_append_times(&s->text, "0", 1, missing);
    am_jtext_append(&s->text, body, length);
    if (f->left) am_jtext_append_times(&s->text, " ", 1, missing);
}

static bool write_text(state *s, spec f, am_jvalue value)
{
    am_jinja *j = s->text.j;
    am_jtext text = {.j = j};
    am_jvalue string;
    bool ok = f.type == 's' ? am_jstr(&text, value) : f.type == 'r' ? am_jrepr(&text, value) : am_jascii(&text, value);
    if (!ok || !am_jstring_of_text(&text, &string)) return false;
    bool escape = s->format->markup && !(value.kind == AM_J_STRING && value.string->markup);
    if (escape && !am_jstring_escape(j, string.string, &string)) return false;
    size_t characters = string.string->characters, length = string.string->length;
    if (f.has_precision && (size_t)f.precision < characters) {
        characters = (size_t)f.precision;
        length = am_jstring_offset(string.string, characters);
    }
    f.zero = false;
    append(s, &f, "", string.string->bytes, length, characters);
    return !j->failed;
}

static bool write_character(state *s, spec f, am_jvalue value)
{
    char bytes[4];
    size_t length = 0;
    f.zero = false;
    if (value.kind == AM_J_STRING && value.string->characters == 1) {
        append(s, &f, "", value.string->bytes, value.string->length, 1);
        return !s->text.j->failed;
    }
    if (!am_jvalue_is_integer(value)) return am_jfail(s->text.j, "TypeError", "%%c requires int or char");
    if (value.kind == AM_J_BOOL) value = am_jint(value.boolean);
    if (value.kind == AM_J_INT && value.integer >= 0 && value.integer <= 0x10FFFF)
        length = am_utf8_put((uint32_t)value.integer, bytes);
    if (!length) return am_jfail(s->text.j, "OverflowError", "%%c arg not in range(0x110000)");
    append(s, &f, "", bytes, length, 1);
    return !s->text.j->failed;
}

static bool to_integer(state *s, const spec *f, am_jvalue *value)
{
    am_jinja *j = s->text.j;
    bool decimal = strchr("diu", f->type) != NULL;
    if (am_jvalue_is_integer(*value)) return true;
    if (decimal && value->kind == AM_J_UNDEFINED) return am_jfail_undefined(j, value->undefined);
    if (decimal && value->kind == AM_J_REAL) {
        if (isnan(value->real)) return am_jfail(j, "ValueError", "cannot convert float NaN to integer");
        if (isinf(value->real)) return am_jfail(j, "OverflowError", "cannot convert float infinity to integer");
        return am_jinteger_from_real(j, value->real, value);
    }
    return am_jfail(j, "TypeError", "%%%c format: %s is required, not %s", f->type,
                    decimal ? "a real number" : "an integer", am_jvalue_type(*value));
}

static const char *sign_of(const spec *f, bool negative)
{
    return negative ? "-" : f->plus ? "+" : f->space ? " " : "";
}

static bool write_integer(state *s, spec f, am_jvalue value)
{
    am_jinja *j = s->text.j;
    am_jtext digits = {.j = j}, prefix = {.j = j}, all = {.j = j};
    unsigned base = f.type == 'o' ? 8 : f.type == 'x' || f.type == 'X' ? 16 : 10;
    if (!to_integer(s, &f, &value)) return false;
    bool negative = am_jinteger_negative(value);
    if (negative && !am_jinteger_subtract(j, am_jint(0), value, &value)) return false;
    if (!am_jinteger_write(&digits, value, base)) return false;
    for (size_t i = 0; f.type == 'X' && i < digits.length; i++)
        if (digits.bytes[i] >= 'a') digits.bytes[i] = (char)(digits.bytes[i] - 32);
    am_jtext_append_string(&prefix, sign_of(&f, negative));
    if (f.alternate && base != 10) am_jtext_printf(&prefix, "0%c", f.type);
    if (f.has_precision && (size_t)f.precision > digits.length)
        am_jtext_append_times(&all, "0", 1, (size_t)f.precision - digits.length);
    am_jtext_append(&all, digits.bytes, digits.length);
    append(s, &f, am_jtext_string(&prefix), am_jtext_string(&all), all.length, all.length);
    return !j->failed;
}

static bool write_real(state *s, spec f, am_jvalue value)
{
    am_jinja *j = s->text.j;
    am_jtext digits = {.j = j};
    if (value.kind == AM_J_UNDEFINED) return am_jfail_undefined(j, value.undefined);
    if (!am_jvalue_is_number(value))
        return am_jfail(j, "TypeError", "must be real number, not %s", am_jvalue_type(value));
    double real = am_jnumber_real(value);
    if (value.kind == AM_J_BIG && isinf(real)) return am_jfail(j, "OverflowError", "int too large to convert to float");
    am_jreal_append(&digits, f.type, f.alternate, f.has_precision ? (int)f.precision : 6, fabs(real));
    append(s, &f, sign_of(&f, signbit(real) && !isnan(real)), am_jtext_string(&digits), digits.length, digits.length);
    return !j->failed;
}

static bool unknown(state *s)
{
    uint32_t c = 0;
    size_t at = s->at - 1;
    am_utf8_next(s->format->bytes + at, s->format->length - at, &c);
    size_t index = am_utf8_count(s->format->bytes, at);
    return am_jfail(s->text.j, "ValueError", "unsupported format character '%c' (0x%x) at index %zu",
                    c >= 0x20 && c < 0x7F ? (char)c : '?', (unsigned)c, index);
}

static bool convert(state *s)
{
    spec f = {.type = 0};
    am_jvalue value = {.kind = AM_J_MISSING};
    char next = s->at < s->format->length ? s->format->bytes[s->at] : 0;
    if (next == '%') {
        s->at++;
        am_jtext_append_char(&s->text, '%');
        return !s->text.j->failed;
    }
    if (next == '(') {
        s->at++;
        if (!read_key(s, &value)) return false;
    }
    if (!read_spec(s, &f)) return false;
    if (value.kind == AM_J_MISSING && !next_argument(s, &value)) return false;
    if (!f.type || !strchr("sradiuoxXeEfFgGc", f.type)) return unknown(s);
    if (strchr("sra", f.type)) return write_text(s, f, value);
    if (f.type == 'c') return write_character(s, f, value);
    return strchr("eEfFgG", f.type) ? write_real(s, f, value) : write_integer(s, f, value);
}

static bool has_items(am_jvalue value)
{
    switch (value.kind) {
    case AM_J_LIST:
    case AM_J_DICT:
    case AM_J_RANGE:
    case AM_J_UNDEFINED:
        return true;
    default:
        return false;
    }
}

bool am_jformat_percent(am_jinja *j, const am_jstring *format, am_jvalue value, am_jvalue *out)
{
    state s = {.text = {.j = j}, .format = format, .value = value, .is_mapping = has_items(value)};
    while (s.at < format->length) {
        const char *percent = memchr(format->bytes + s.at, '%', format->length - s.at);
        size_t end = percent ? (size_t)(percent - format->bytes) : format->length;
        am_jtext_append(&s.text, format->bytes + s.at, end - s.at);
        s.at = end + (percent != NULL);
        if (percent && (!am_jcharge(j, 1) || !convert(&s))) return false;
    }
    size_t count = value.kind == AM_J_TUPLE ? value.list->count : 1;
    if (!s.is_mapping && s.used < count)
        return am_jfail(j, "TypeError", "not all arguments converted during string formatting");
    return am_jstring_of_text(&s.text, out) && am_jstring_mark(j, *out, format->markup, out);
}
