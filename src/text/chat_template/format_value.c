/* format(value, spec): Python's format specification mini-language. */
#include "text/chat_template/format.h"

#include "base/utf8.h"
#include "text/chat_template/big_integer.h"
#include "text/chat_template/represent.h"
#include "text/chat_template/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDEST = 100000 };

typedef struct spec {
    const char *fill;
    size_t fill_length;
    char align, sign, group, type; /* 0: not given */
    bool has_fill, alternate, zero, no_negative_zero, has_precision;
    size_t width, precision;
} spec;

/* A number in pieces: sign and base prefix, digits before the point, all after them. */
typedef struct pieces {
    char prefix[4];
    am_jtext digits, rest;
} pieces;

static bool invalid(am_jinja *j, const am_jstring *s, am_jvalue value)
{
    return am_jfail(j, "ValueError", "Invalid format specifier %s for object of type '%s'",
                    am_jrepr_text(j, (am_jvalue){.kind = AM_J_STRING, .string = s}), am_jvalue_type(value));
}

static bool is_align(char c)
{
    return c == '<' || c == '>' || c == '=' || c == '^';
}

static bool read_number(am_jinja *j, const am_jstring *s, size_t *at, size_t *out)
{
    *out = 0;
    for (; *at < s->length && s->bytes[*at] >= '0' && s->bytes[*at] <= '9'; ++*at) {
        *out = *out * 10 + (size_t)(s->bytes[*at] - '0');
        if (*out > WIDEST) return am_jfail(j, "ValueError", "Too many decimal digits in format string");
    }
    return true;
}

static void read_fill(const am_jstring *s, size_t *at, spec *out)
{
    uint32_t c;
    size_t first = s->length ? am_utf8_next(s->bytes, s->length, &c) : 0;
    *out = (spec){.fill = " ", .fill_length = 1};
    if (first && first < s->length && is_align(s->bytes[first])) {
        out->fill = s->bytes;
        out->fill_length = first;
        out->has_fill = true;
        out->align = s->bytes[first];
        *at = first + 1;
    } else if (s->length && is_align(*s->bytes)) {
        out->align = *s->bytes;
        *at = 1;
    }
}

static bool take(const am_jstring *s, size_t *at, const char *characters, char *out)
{
    bool found = *at < s->length && s->bytes[*at] && strchr(characters, s->bytes[*at]);
    if (found) *out = s->bytes[(*at)++];
    return found;
}

static bool read_spec(am_jinja *j, const am_jstring *s, am_jvalue value, spec *out)
{
    size_t at = 0;
    char ignored;
    read_fill(s, &at, out);
    take(s, &at, "+- ", &out->sign);
    out->no_negative_zero = take(s, &at, "z", &ignored);
    out->alternate = take(s, &at, "#", &ignored);
    out->zero = !out->has_fill && take(s, &at, "0", &ignored);
    if (out->zero) out->fill = "0";
    if (!read_number(j, s, &at, &out->width)) return false;
    take(s, &at, ",_", &out->group);
    if (take(s, &at, ".", &ignored)) {
        size_t begin = at;
        out->has_precision = true;
        if (!read_number(j, s, &at, &out->precision)) return false;
        if (at == begin) return am_jfail(j, "ValueError", "Format specifier missing precision");
    }
    if (s->length - at > 1) return invalid(j, s, value);
    if (at < s->length) out->type = s->bytes[at];
    else if (value.kind == AM_J_STRING) out->type = 's';
    const char *groupable = out->group == '_' ? "deEfFgG%boxX" : "deEfFgG%";
    if (!out->group || !out->type || strchr(groupable, out->type)) return true;
    return am_jfail(j, "ValueError", "Cannot specify '%c' with '%c'.", out->group, out->type);
}

static void append_padded(am_jtext *text, const spec *f, char align, const char *bytes, size_t length,
                          size_t characters)
{
    size_t missing = f->width > characters ? f->width - characters : 0;
    size_t before = align == '>' || align == '=' ? missing : align == '^' ? missing / 2 : 0;
    am_jtext_append_times(text, f->fill, f->fill_length, before);
    am_jtext_append(text, bytes, length);
    am_jtext_append_times(text, f->fill, f->fill_length, missing - before);
}

/* ---- strings ---- */

static bool format_string(am_jtext *text, const am_jstring *s, spec f)
{
    am_jinja *j = text->j;
    if (f.type && f.type != 's')
        return am_jfail(j, "ValueError", "Unknown format code '%c' for object of type 'str'", f.type);
    if (f.sign)
        return am_jfail(j, "ValueError", "%s not allowed in string format specifier", f.sign == ' ' ? "Space" : "Sign");
    if (f.no_negative_zero)
        return am_jfail(j, "ValueError", "Negative zero coercion (z) not allowed in string format specifier");
    if (f.alternate) return am_jfail(j, "ValueError", "Alternate form (#) not allowed in string format specifier");
    if (f.align == '=') return am_jfail(j, "ValueError", "'=' alignment not allowed in string format specifier");
    size_t characters = s->characters, length = s->length;
    if (f.has_precision && f.precision < characters) {
        characters = f.precision;
        length = am_jstring_offset(s, characters);
    }
    append_padded(text, &f, f.align ? f.align : '<', s->bytes, length, characters);
    return !j->failed;
}

/* ---- numbers ---- */

static size_t group_size(const spec *f)
{
    return f->group && f->type && strchr("boxX", f->type) ? 4 : 3;
}

/* Appends digits with separators; `minimum` digits, zeros before them. */
static void append_grouped(am_jtext *text, const am_jtext *digits, size_t minimum, const spec *f)
{
    size_t size = group_size(f), total = digits->length > minimum ? digits->length : minimum;
    for (size_t left = total; left > 0; left--) {
        if (f->group && left < total && left % size == 0) am_jtext_append_char(text, f->group);
        am_jtext_append_char(text, left > digits->length ? '0' : digits->bytes[digits->length - left]);
    }
}

static size_t grouped_length(size_t digits, const spec *f)
{
    return digits + (f->group && digits ? (digits - 1) / group_size(f) : 0);
}

static bool append_number(am_jtext *text, const pieces *p, const spec *given)
{
    spec f = *given;
    am_jtext body = {.j = text->j};
    char align = f.align ? f.align : f.zero ? '=' : '>';
    bool zeros = align == '=' && f.fill_length == 1 && *f.fill == '0';
    size_t other = strlen(p->prefix) + p->rest.length, minimum = p->digits.length;
    while (zeros && grouped_length(minimum, &f) + other < f.width) minimum++;
    append_grouped(&body, &p->digits, minimum, &f);
    am_jtext_append(&body, p->rest.bytes, p->rest.length);
    if (text->j->failed) return false;
    if (align == '=') {
        am_jtext_append_string(text, p->prefix);
        f.width = f.width > strlen(p->prefix) ? f.width - strlen(p->prefix) : 0;
        append_padded(text, &f, '>', body.bytes, body.length, body.length);
        return !text->j->failed;
    }
    am_jtext whole = {.j = text->j};
    am_jtext_append_string(&whole, p->prefix);
    am_jtext_append(&whole, body.bytes, body.length);
    append_padded(text, &f, align, whole.bytes, whole.length, whole.length);
    return !text->j->failed;
}

static void set_sign(pieces *p, bool negative, char sign)
{
    char c = negative ? '-' : sign == '+' || sign == ' ' ? sign : 0;
    p->prefix[0] = c;
    p->prefix[1] = 0;
}

static unsigned base_of(char type)
{
    return type == 'b' ? 2 : type == 'o' ? 8 : type == 'x' || type == 'X' ? 16 : 10;
}

static void to_upper(char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i] >= 'a' && bytes[i] <= 'z') bytes[i] = (char)(bytes[i] - 32);
}

static bool format_character(am_jtext *text, am_jvalue integer, spec f)
{
    char bytes[4];
    if (f.sign) return am_jfail(text->j, "ValueError", "Sign not allowed with integer format specifier 'c'");
    if (f.alternate)
        return am_jfail(text->j, "ValueError", "Alternate form (#) not allowed with integer format specifier 'c'");
    if (integer.kind == AM_J_BIG)
        return am_jfail(text->j, "OverflowError", "Python int too large to convert to C long");
    bool in_range = integer.integer >= 0 && integer.integer <= 0x10FFFF;
    size_t length = in_range ? am_utf8_put((uint32_t)integer.integer, bytes) : 0;
    if (!length) return am_jfail(text->j, "OverflowError", "%%c arg not in range(0x110000)");
    append_padded(text, &f, f.align ? f.align : '>', bytes, length, 1);
    return !text->j->failed;
}

static bool format_integer(am_jtext *text, am_jvalue integer, spec f)
{
    am_jinja *j = text->j;
    pieces p = {.digits = {.j = j}, .rest = {.j = j}};
    bool negative = am_jinteger_negative(integer);
    unsigned base = base_of(f.type);
    if (f.has_precision) return am_jfail(j, "ValueError", "Precision not allowed in integer format specifier");
    if (f.no_negative_zero)
        return am_jfail(j, "ValueError", "Negative zero coercion (z) not allowed in integer format specifier");
    if (!am_jinteger_add(j, integer, am_jint(0), &integer)) return false;
    if (f.type == 'c') return format_character(text, integer, f);
    if (negative && !am_jinteger_subtract(j, am_jint(0), integer, &integer)) return false;
    if (!am_jinteger_write(&p.digits, integer, base)) return false;
    if (f.type == 'X') to_upper(p.digits.bytes, p.digits.length);
    set_sign(&p, negative, f.sign);
    if (f.alternate && base != 10) {
        size_t length = strlen(p.prefix);
        p.prefix[length] = '0';
        p.prefix[length + 1] = f.type;
        p.prefix[length + 2] = 0;
    }
    return append_number(text, &p, &f);
}

/* Digits of a double as C's printf has them, split at the point. */
static void split_real(pieces *p, am_jtext *all)
{
    size_t whole = 0;
    while (whole < all->length && all->bytes[whole] >= '0' && all->bytes[whole] <= '9') whole++;
    am_jtext_append(&p->digits, all->bytes, whole);
    am_jtext_append(&p->rest, all->bytes + whole, all->length - whole);
}

static const char *conversion_of(char type, bool alternate)
{
    switch (type) {
    case 'e':
        return alternate ? "%#.*e" : "%.*e";
    case 'E':
        return alternate ? "%#.*E" : "%.*E";
    case 'f':
    case '%':
        return alternate ? "%#.*f" : "%.*f";
    case 'F':
        return alternate ? "%#.*F" : "%.*F";
    case 'G':
        return alternate ? "%#.*G" : "%.*G";
    default:
        return alternate ? "%#.*g" : "%.*g";
    }
}

void am_jreal_append(am_jtext *all, char type, bool alternate, int precision, double real)
{
    char bytes[64];
    const char *conversion = conversion_of(type, alternate);
    int length = snprintf(bytes, sizeof bytes, conversion, precision, real);
    if (length < (int)sizeof bytes) {
        am_jtext_append(all, bytes, length > 0 ? (size_t)length : 0);
        return;
    }
    char *longer = am_jalloc(all->j, (size_t)length + 1);
    if (!longer) return;
    snprintf(longer, (size_t)length + 1, conversion, precision, real);
    am_jtext_append(all, longer, (size_t)length);
}

/* Without a type: like 'g' with a digit behind the point, and an exponent where that digit would be one too
 * many. */
static void write_general(am_jtext *all, double magnitude, const spec *f)
{
    am_jtext scientific = {.j = all->j};
    int precision = f->precision ? (int)f->precision : 1;
    am_jreal_append(&scientific, 'e', f->alternate, precision - 1, magnitude);
    const char *text = am_jtext_string(&scientific), *e = strchr(text, 'e');
    int exponent = e ? (int)strtol(e + 1, NULL, 10) : 0;
    if (!e || (exponent >= -4 && exponent + 1 < precision)) {
        am_jreal_append(all, 'g', f->alternate, precision, magnitude);
        if (e && !memchr(all->bytes, '.', all->length)) am_jtext_append_string(all, ".0");
        return;
    }
    size_t mantissa = (size_t)(e - text);
    while (!f->alternate && mantissa > 1 && memchr(text, '.', mantissa) && strchr("0.", text[mantissa - 1]))
        if (text[--mantissa] == '.') break;
    am_jtext_append(all, text, mantissa);
    am_jtext_append_string(all, e);
}

/* The shortest text of a number; in the alternate form with a point even before an exponent. */
static void write_shortest(am_jtext *all, double magnitude, bool alternate)
{
    am_jtext shortest = {.j = all->j};
    am_jreal_repr(&shortest, magnitude);
    const char *text = am_jtext_string(&shortest), *e = strchr(text, 'e');
    bool add = alternate && e && !strchr(text, '.');
    am_jtext_append(all, text, add ? (size_t)(e - text) : shortest.length);
    if (add) am_jtext_printf(all, ".%s", e);
}

static bool write_real(am_jtext *all, double magnitude, const spec *f)
{
    if (!f->type && !f->has_precision) write_shortest(all, magnitude, f->alternate);
    else if (!f->type && isfinite(magnitude)) write_general(all, magnitude, f);
    else am_jreal_append(all, f->type, f->alternate, f->has_precision ? (int)f->precision : 6, magnitude);
    return !all->j->failed;
}

/* Whether only zeros are left of a number after rounding. */
static bool is_zero_text(const am_jtext *all)
{
    for (size_t i = 0; i < all->length && all->bytes[i] != 'e' && all->bytes[i] != 'E'; i++)
        if (all->bytes[i] != '0' && all->bytes[i] != '.' && all->bytes[i] != '%') return false;
    return true;
}

static bool format_real(am_jtext *text, double real, spec f)
{
    am_jinja *j = text->j;
    pieces p = {.digits = {.j = j}, .rest = {.j = j}};
    am_jtext all = {.j = j};
    if (f.type == '%') real *= 100;
    if (!write_real(&all, fabs(real), &f)) return false;
    if (f.type == '%') am_jtext_append_char(&all, '%');
    split_real(&p, &all);
    bool negative = signbit(real) && !isnan(real) && !(f.no_negative_zero && is_zero_text(&all));
    set_sign(&p, negative, f.sign);
    return append_number(text, &p, &f);
}

static bool format_number(am_jtext *text, am_jvalue value, spec f)
{
    am_jinja *j = text->j;
    bool real_type = f.type && strchr("eEfFgG%", f.type);
    if (value.kind != AM_J_REAL && (!f.type || strchr("bcdoxXn", f.type))) return format_integer(text, value, f);
    if (!real_type && !(value.kind == AM_J_REAL && (!f.type || f.type == 'n')))
        return am_jfail(j, "ValueError", "Unknown format code '%c' for object of type '%s'", f.type,
                        am_jvalue_type(value));
    double real = am_jnumber_real(value);
    if (isinf(real) && value.kind == AM_J_BIG) return am_jfail(j, "OverflowError", "int too large to convert to float");
    return format_real(text, real, f);
}

bool am_jformat_value(am_jtext *text, am_jvalue value, const am_jstring *s)
{
    spec f;
    if (!s->length) return am_jstr(text, value);
    if (value.kind != AM_J_STRING && !am_jvalue_is_number(value))
        return am_jfail(text->j, "TypeError", "unsupported format string passed to %s.__format__",
                        am_jvalue_type(value));
    if (!read_spec(text->j, s, value, &f)) return false;
    return value.kind == AM_J_STRING ? format_string(text, value.string, f) : format_number(text, value, f);
}
