/* Python's operators. */
#include "text/chat_template/big_integer.h"
#include "text/chat_template/evaluate.h"
#include "text/chat_template/format.h"
#include "text/chat_template/iterate.h"
#include "text/chat_template/text.h"

#include <math.h>

static const char *symbol(am_jtoken_kind operator)
{
    return operator== AM_T_POW ? "** or pow()" : am_jtoken_describe_kind(operator);
}

static bool unsupported(am_jinja *j, am_jtoken_kind operator, am_jvalue a, am_jvalue b)
{
    return am_jfail(j, "TypeError", "unsupported operand type(s) for %s: '%s' and '%s'", symbol(operator),
                    am_jvalue_type(a), am_jvalue_type(b));
}

static bool division_by_zero(am_jinja *j, const char *message)
{
    return am_jfail(j, "ZeroDivisionError", "%s", message);
}

/* ---- numbers ---- */

static bool to_real(am_jinja *j, am_jvalue number, double *out)
{
    *out = am_jnumber_real(number);
    if (number.kind != AM_J_BIG || isfinite(*out)) return true;
    return am_jfail(j, "OverflowError", "int too large to convert to float");
}

static bool divide_integers(am_jinja *j, am_jvalue a, am_jvalue b, am_jvalue *out)
{
    if (am_jinteger_zero(b)) return division_by_zero(j, "division by zero");
    double quotient;
    if (!am_jinteger_true_divide(j, a, b, &quotient)) return false;
    if (!isfinite(quotient)) return am_jfail(j, "OverflowError", "integer division result too large for a float");
    *out = am_jreal(quotient);
    return true;
}

static bool power_of_integers(am_jinja *j, am_jvalue a, am_jvalue b, am_jvalue *out)
{
    if (!am_jinteger_negative(b)) return am_jinteger_power(j, a, b, out);
    if (am_jinteger_zero(a)) return division_by_zero(j, "0.0 cannot be raised to a negative power");
    *out = am_jreal(pow(am_jnumber_real(a), am_jnumber_real(b)));
    return true;
}

static bool operate_integers(am_jinja *j, am_jtoken_kind operator, am_jvalue a, am_jvalue b, am_jvalue *out)
{
    am_jvalue other;
    switch (operator) {
    case AM_T_ADD:
        return am_jinteger_add(j, a, b, out);
    case AM_T_SUB:
        return am_jinteger_subtract(j, a, b, out);
    case AM_T_MUL:
        return am_jinteger_multiply(j, a, b, out);
    case AM_T_DIV:
        return divide_integers(j, a, b, out);
    case AM_T_FLOORDIV:
        if (am_jinteger_zero(b)) return division_by_zero(j, "integer division or modulo by zero");
        return am_jinteger_divide(j, a, b, out, &other);
    case AM_T_MOD:
        if (am_jinteger_zero(b)) return division_by_zero(j, "integer modulo by zero");
        return am_jinteger_divide(j, a, b, &other, out);
    default:
        return power_of_integers(j, a, b, out);
    }
}

/* a % b with the sign of b. */
static double modulo(double a, double b)
{
    double rest = fmod(a, b);
    if (rest == 0) return copysign(0, b);
    return (rest < 0) != (b < 0) ? rest + b : rest;
}

/* a // b as CPython computes it: exact where the quotient is whole. */
static double floor_divide(double a, double b)
{
    double rest = fmod(a, b), quotient = (a - rest) / b;
    if (rest != 0 && (rest < 0) != (b < 0)) quotient -= 1;
    if (quotient == 0) return copysign(0, a / b);
    double whole = floor(quotient);
    return quotient - whole > 0.5 ? whole + 1 : whole;
}

static bool power_of_reals(am_jinja *j, double x, double y, am_jvalue *out)
{
    if (x == 0 && y < 0) return division_by_zero(j, "0.0 cannot be raised to a negative power");
    if (x < 0 && isfinite(x) && isfinite(y) && y != floor(y))
        return am_jfail_code(j, AM_UNSUPPORTED, "NotImplementedError", "complex numbers are not supported");
    *out = am_jreal(pow(x, y));
    if (isinf(out->real) && isfinite(x) && isfinite(y))
        return am_jfail(j, "OverflowError", "(34, 'Numerical result out of range')");
    return true;
}

static bool operate_reals(am_jinja *j, am_jtoken_kind operator, double x, double y, am_jvalue *out)
{
    switch (operator) {
    case AM_T_ADD:
        *out = am_jreal(x + y);
        return true;
    case AM_T_SUB:
        *out = am_jreal(x - y);
        return true;
    case AM_T_MUL:
        *out = am_jreal(x * y);
        return true;
    case AM_T_DIV:
        if (y == 0) return division_by_zero(j, "float division by zero");
        *out = am_jreal(x / y);
        return true;
    case AM_T_FLOORDIV:
        if (y == 0) return division_by_zero(j, "float floor division by zero");
        *out = am_jreal(floor_divide(x, y));
        return true;
    case AM_T_MOD:
        if (y == 0) return division_by_zero(j, "float modulo");
        *out = am_jreal(modulo(x, y));
        return true;
    default:
        return power_of_reals(j, x, y, out);
    }
}

static bool operate_numbers(am_jinja *j, am_jtoken_kind operator, am_jvalue a, am_jvalue b, am_jvalue *out)
{
    double x, y;
    if (a.kind != AM_J_REAL && b.kind != AM_J_REAL) return operate_integers(j, operator, a, b, out);
    return to_real(j, a, &x) && to_real(j, b, &y) && operate_reals(j, operator, x, y, out);
}

/* ---- sequences ---- */

static bool is_sequence(am_jvalue value)
{
    return value.kind == AM_J_STRING || value.kind == AM_J_LIST || value.kind == AM_J_TUPLE;
}

/* Joining anything to Markup escapes it first. */
static bool add_markup(am_jinja *j, am_jvalue a, am_jvalue b, am_jvalue *out)
{
    return am_jstring_escape(j, a.string, &a) && am_jstring_escape(j, b.string, &b) &&
           am_jstring_concat(j, a.string, b.string, out) && am_jstring_mark(j, *out, true, out);
}

static bool add_sequences(am_jinja *j, am_jvalue a, am_jvalue b, am_jvalue *out)
{
    const char *type = am_jvalue_type(a);
    if (a.kind == AM_J_STRING && b.kind == AM_J_STRING)
        return a.string->markup || b.string->markup ? add_markup(j, a, b, out)
                                                    : am_jstring_concat(j, a.string, b.string, out);
    if (a.kind == AM_J_STRING)
        return a.string->markup
                   ? unsupported(j, AM_T_ADD, a, b)
                   : am_jfail(j, "TypeError", "can only concatenate str (not \"%s\") to str", am_jvalue_type(b));
    if (a.kind == b.kind) return am_jlist_concat(j, a.kind, a.list, b.list, out);
    return am_jfail(j, "TypeError", "can only concatenate %s (not \"%s\") to %s", type, am_jvalue_type(b), type);
}

static bool repeat_list(am_jinja *j, am_jvalue list, int64_t times, am_jvalue *out)
{
    am_jitems items = {0};
    for (int64_t i = 0; list.list->count && i < times; i++)
        for (size_t k = 0; k < list.list->count; k++)
            if (!am_jcharge(j, 1) || !am_jitems_push(j, &items, list.list->items[k])) return false;
    return am_jitems_list(j, &items, list.kind, out);
}

static bool repeat(am_jinja *j, am_jvalue sequence, am_jvalue times, am_jvalue *out)
{
    if (!am_jvalue_is_integer(times))
        return am_jfail(j, "TypeError", "can't multiply sequence by non-int of type '%s'", am_jvalue_type(times));
    if (times.kind == AM_J_BIG) return am_jfail(j, "OverflowError", "cannot fit 'int' into an index-sized integer");
    int64_t count = times.kind == AM_J_BOOL ? times.boolean : times.integer;
    if (sequence.kind == AM_J_STRING) return am_jstring_repeat(j, sequence.string, count, out);
    return repeat_list(j, sequence, count, out);
}

bool am_jbinary(am_jinja *j, am_jtoken_kind operator, am_jvalue a, am_jvalue b, am_jvalue *out)
{
    if (am_jvalue_is_number(a) && am_jvalue_is_number(b)) return operate_numbers(j, operator, a, b, out);
    if (a.kind == AM_J_UNDEFINED) return am_jfail_undefined(j, a.undefined);
    if (operator== AM_T_MOD && a.kind == AM_J_STRING) return am_jformat_percent(j, a.string, b, out);
    if (b.kind == AM_J_UNDEFINED) return am_jfail_undefined(j, b.undefined);
    if (operator== AM_T_ADD && is_sequence(a)) return add_sequences(j, a, b, out);
    if (operator== AM_T_MUL && is_sequence(a)) return repeat(j, a, b, out);
    if (operator== AM_T_MUL && is_sequence(b)) return repeat(j, b, a, out);
    return unsupported(j, operator, a, b);
}

bool am_junary(am_jinja *j, am_jtoken_kind operator, am_jvalue a, am_jvalue *out)
{
    if (a.kind == AM_J_UNDEFINED) return am_jfail_undefined(j, a.undefined);
    if (!am_jvalue_is_number(a))
        return am_jfail(j, "TypeError", "bad operand type for unary %s: '%s'", operator== AM_T_SUB ? "-" : "+",
                        am_jvalue_type(a));
    if (a.kind != AM_J_REAL)
        return operator== AM_T_SUB ? am_jinteger_subtract(j, am_jint(0), a, out)
                                   : am_jinteger_add(j, a, am_jint(0), out);
    *out = am_jreal(operator== AM_T_SUB ? -a.real : a.real);
    return true;
}

/* ---- membership ---- */

static bool contains_text(am_jinja *j, const am_jstring *text, am_jvalue item, bool *out)
{
    if (item.kind != AM_J_STRING)
        return am_jfail(j, "TypeError", "'in <string>' requires string as left operand, not %s", am_jvalue_type(item));
    *out = am_jbytes_find(text, item.string, 0, text->length) != SIZE_MAX;
    return am_jcharge_bytes(j, text->length);
}

static bool contains_by_walking(am_jinja *j, am_jvalue container, am_jvalue item, bool *out)
{
    am_jiterator *iterator;
    am_jvalue next;
    *out = false;
    if (!am_jiterate(j, container, &iterator)) return false;
    while (!*out) {
        if (!am_jiterator_next(j, iterator, &next)) return false;
        if (next.kind == AM_J_MISSING) break;
        *out = am_jvalue_same(next, item);
        if (!*out && !am_jvalue_equal(j, next, item, out)) return false;
    }
    return true;
}

bool am_jcontains(am_jinja *j, am_jvalue container, am_jvalue item, bool *out)
{
    const am_jvalue *found;
    switch (container.kind) {
    case AM_J_STRING:
        return contains_text(j, container.string, item, out);
    case AM_J_DICT:
        if (!am_jdict_find(j, container.dict, item, &found)) return false;
        *out = found != NULL;
        return true;
    case AM_J_VIEW:
        if (container.view->kind == AM_J_KEYS)
            return am_jcontains(j, (am_jvalue){.kind = AM_J_DICT, .dict = container.view->dict}, item, out);
        return contains_by_walking(j, container, item, out);
    case AM_J_LIST:
    case AM_J_TUPLE:
    case AM_J_RANGE:
    case AM_J_ITERATOR:
    case AM_J_UNDEFINED:
        return contains_by_walking(j, container, item, out);
    default:
        return am_jfail(j, "TypeError", "argument of type '%s' is not iterable", am_jvalue_type(container));
    }
}
