/* Filters that make numbers, or compare. */
#include "text/chat_template/arguments.h"
#include "text/chat_template/big_integer.h"
#include "text/chat_template/filters.h"
#include "text/chat_template/format.h"
#include "text/chat_template/iterate.h"
#include "text/chat_template/represent.h"
#include "text/chat_template/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- int, float, abs ---- */

static bool integer_of_real(am_jinja *j, double real, am_jvalue *out)
{
    if (isnan(real)) return am_jfail(j, "ValueError", "cannot convert float NaN to integer");
    if (isinf(real)) return am_jfail(j, "OverflowError", "cannot convert float infinity to integer");
    return am_jinteger_from_real(j, real, out);
}

/* int("42", base), or by way of a float: "42.7". */
static bool integer_of_text(am_jinja *j, const am_jstring *s, am_jvalue base, am_jvalue fallback, am_jvalue *out)
{
    bool is_number = false;
    double real;
    int64_t radix = am_jgiven(base) ? 0 : 10;
    bool valid = !am_jgiven(base) || am_jvalue_is_integer(base);
    if (valid && !am_jargument_int(j, base, 10, &radix)) return false;
    valid = valid && (radix == 0 || (radix >= 2 && radix <= 36));
    if (valid && !am_jtext_to_integer(j, s, radix, &is_number, out)) return false;
    if (is_number) return true;
    *out = fallback;
    return !am_jtext_to_real(s, &real) || !isfinite(real) || am_jinteger_from_real(j, real, out);
}

bool am_jfilter_int(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    am_jvalue value = c->a[0], fallback = am_jgiven(c->a[1]) ? c->a[1] : am_jint(0);
    if (value.kind == AM_J_UNDEFINED) return am_jfail_undefined(j, value.undefined);
    if (value.kind == AM_J_STRING) return integer_of_text(j, value.string, c->a[2], fallback, out);
    if (am_jvalue_is_integer(value)) return am_jinteger_add(j, value, am_jint(0), out);
    *out = fallback;
    if (value.kind != AM_J_REAL || isnan(value.real)) return true;
    return integer_of_real(j, value.real, out);
}

/* float(value) of Python */
static bool to_real(am_jinja *j, am_jvalue value, double *out)
{
    if (value.kind == AM_J_UNDEFINED) return am_jfail_undefined(j, value.undefined);
    if (value.kind == AM_J_STRING)
        return am_jtext_to_real(value.string, out) ||
               am_jfail(j, "ValueError", "could not convert string to float: %s", am_jrepr_text(j, value));
    if (!am_jvalue_is_number(value))
        return am_jfail(j, "TypeError", "float() argument must be a string or a real number, not '%s'",
                        am_jvalue_type(value));
    *out = am_jnumber_real(value);
    return value.kind != AM_J_BIG || !isinf(*out) || am_jfail(j, "OverflowError", "int too large to convert to float");
}

bool am_jfilter_float(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    am_jvalue value = c->a[0];
    double real;
    *out = am_jgiven(c->a[1]) ? c->a[1] : am_jreal(0);
    bool text = value.kind == AM_J_STRING, number = am_jvalue_is_number(value) || value.kind == AM_J_UNDEFINED;
    if (text ? !am_jtext_to_real(value.string, &real) : !number) return true;
    if (!to_real(j, value, &real)) return false;
    *out = am_jreal(real);
    return true;
}

bool am_jfilter_abs(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    am_jvalue value = c->a[0];
    if (!am_jvalue_is_number(value))
        return am_jfail(j, "TypeError", "bad operand type for abs(): '%s'", am_jvalue_type(value));
    if (value.kind == AM_J_REAL) {
        *out = am_jreal(fabs(value.real));
        return true;
    }
    return am_jinteger_negative(value) ? am_jinteger_subtract(j, am_jint(0), value, out)
                                       : am_jinteger_add(j, value, am_jint(0), out);
}

/* ---- round ---- */

/* Rounds to 10^digits, half to even on the exact value. */
static double round_to_tens(double real, int digits)
{
    char text[400];
    int exponent = real != 0 ? (int)floor(log10(fabs(real))) : 0;
    double unit = pow(10, digits);
    if (fabs(real) >= pow(10, exponent + 1)) exponent++;
    if (exponent < digits - 1) return copysign(0, real);
    if (exponent == digits - 1) return fabs(real) > unit / 2 ? copysign(unit, real) : copysign(0, real);
    snprintf(text, sizeof text, "%.*e", exponent - digits, real);
    return strtod(text, NULL);
}

static bool round_real(am_jinja *j, double real, int64_t digits, am_jvalue *out)
{
    enum { MOST_DIGITS = 323, LEAST_DIGITS = -308 }; /* beyond: nothing changes; nothing is left */
    char text[700];
    *out = am_jreal(real);
    if (!isfinite(real) || digits > MOST_DIGITS) return true;
    if (digits < LEAST_DIGITS) {
        *out = am_jreal(copysign(0, real));
        return true;
    }
    if (digits < 0) *out = am_jreal(round_to_tens(real, (int)-digits));
    else {
        snprintf(text, sizeof text, "%.*f", (int)digits, real);
        *out = am_jreal(strtod(text, NULL));
    }
    return isfinite(out->real) || am_jfail(j, "OverflowError", "rounded value too large to represent");
}

static bool round_integer(am_jinja *j, am_jvalue value, int64_t digits, am_jvalue *out)
{
    am_jvalue unit, quotient, rest, twice;
    if (digits >= 0) return am_jinteger_add(j, value, am_jint(0), out);
    if (digits < -4000) digits = -4000;
    if (!am_jinteger_power(j, am_jint(10), am_jint(-digits), &unit)) return false;
    if (!am_jinteger_divide(j, value, unit, &quotient, &rest)) return false;
    if (!am_jinteger_add(j, rest, rest, &twice)) return false;
    am_jorder order = am_jnumber_compare(twice, unit);
    am_jvalue odd, half;
    if (!am_jinteger_divide(j, quotient, am_jint(2), &half, &odd)) return false;
    bool up = order == AM_J_GREATER || (order == AM_J_EQUAL && !am_jinteger_zero(odd));
    return am_jinteger_add(j, quotient, am_jint(up), &quotient) && am_jinteger_multiply(j, quotient, unit, out);
}

/* round(value, precision) of Python */
static bool round_common(am_jinja *j, am_jvalue value, am_jvalue precision, am_jvalue *out)
{
    int64_t digits = 0;
    if (!am_jvalue_is_number(value))
        return am_jfail(j, "TypeError", "type %s doesn't define __round__ method", am_jvalue_type(value));
    bool whole = precision.kind == AM_J_NONE;
    if (!whole && !am_jargument_int(j, precision, 0, &digits)) return false;
    if (value.kind != AM_J_REAL) return round_integer(j, value, digits, out);
    if (whole && !isfinite(value.real)) return integer_of_real(j, value.real, out);
    if (!round_real(j, value.real, digits, out)) return false;
    return !whole || integer_of_real(j, out->real, out);
}

/* func(value * 10**precision) / 10**precision, func being floor or ceil */
static bool round_directed(am_jinja *j, am_jvalue value, am_jvalue precision, bool up, am_jvalue *out)
{
    am_jvalue unit, scaled;
    if (!am_jgiven(precision)) precision = am_jint(0);
    if (!am_jbinary(j, AM_T_POW, am_jint(10), precision, &unit)) return false;
    if (!am_jbinary(j, AM_T_MUL, value, unit, &scaled)) return false;
    if (!am_jvalue_is_number(scaled))
        return am_jfail(j, "TypeError", "must be real number, not %s", am_jvalue_type(scaled));
    if (scaled.kind == AM_J_REAL && !integer_of_real(j, up ? ceil(scaled.real) : floor(scaled.real), &scaled))
        return false;
    return am_jbinary(j, AM_T_DIV, scaled, unit, out);
}

bool am_jfilter_round(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    if (!am_jvalue_hashable(j, c->a[2])) return false;
    const am_jstring *method = c->a[2].kind == AM_J_STRING ? c->a[2].string : NULL;
    bool up = method && am_jstring_is(method, "ceil"), down = method && am_jstring_is(method, "floor");
    if (!am_jgiven(c->a[2]) || (method && am_jstring_is(method, "common")))
        return round_common(j, c->a[0], c->a[1], out);
    if (!up && !down) return am_jfail(j, "FilterArgumentError", "method must be common, ceil or floor");
    return round_directed(j, c->a[0], c->a[1], up, out);
}

bool am_jfilter_filesizeformat(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    static const char letters[] = "kMGTPEZY";
    am_jvalue number;
    am_jtext text = {.j = j};
    bool binary = am_jargument_bool(c->a[1], false);
    double base = binary ? 1024 : 1000, unit = base, real;
    if (!to_real(j, c->a[0], &real)) return false;
    if (real == 1) return am_jstring_literal(j, "1 Byte", out);
    if (real < base) {
        if (!integer_of_real(j, real, &number) || !am_jinteger_write(&text, number, 10)) return false;
        am_jtext_append_string(&text, " Bytes");
        return am_jstring_of_text(&text, out);
    }
    size_t i = 0;
    for (unit *= base; i < 7 && !(real < unit); i++) unit *= base;
    am_jreal_append(&text, 'f', false, 1, base * real / unit);
    am_jtext_printf(&text, " %c%sB", binary && i == 0 ? 'K' : letters[i], binary ? "i" : "");
    return am_jstring_of_text(&text, out);
}

/* ---- sum, min, max ---- */

bool am_jfilter_sum(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    am_jpath path;
    am_jiterator *iterator;
    am_jvalue item;
    *out = am_jgiven(c->a[2]) ? c->a[2] : am_jint(0);
    if (!am_jpath_make(j, c->a[1], false, &path) || !am_jiterate(j, c->a[0], &iterator)) return false;
    if (out->kind == AM_J_STRING) return am_jfail(j, "TypeError", "sum() can't sum strings [use ''.join(seq) instead]");
    for (;;) {
        if (!am_jiterator_next(j, iterator, &item)) return false;
        if (item.kind == AM_J_MISSING) return true;
        if (!am_jpath_get(j, &path, item, &item) || !am_jbinary(j, AM_T_ADD, *out, item, out)) return false;
    }
}

static bool extreme(am_jinja *j, const am_jcall *c, const char *operator, am_jvalue * out)
{
    am_jpath path;
    am_jiterator *iterator;
    am_jvalue item, key, best_key = {.kind = AM_J_MISSING};
    if (!am_jpath_make(j, c->a[2], !am_jargument_bool(c->a[1], false), &path)) return false;
    if (!am_jiterate(j, c->a[0], &iterator)) return false;
    for (;;) {
        bool better = best_key.kind == AM_J_MISSING;
        if (!am_jiterator_next(j, iterator, &item)) return false;
        if (item.kind == AM_J_MISSING) break;
        if (!am_jpath_get(j, &path, item, &key)) return false;
        if (!better && !am_jvalue_compare(j, operator, key, best_key, &better)) return false;
        if (better) *out = item;
        if (better) best_key = key;
    }
    if (best_key.kind != AM_J_MISSING) return true;
    return am_jundefined_make(j, (am_jundefined){.hint = "No aggregated item, sequence was empty."}, out);
}

bool am_jfilter_min(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    return extreme(j, c, "<", out);
}

bool am_jfilter_max(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    return extreme(j, c, ">", out);
}
