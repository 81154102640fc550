/* Tests of Jinja2, what stands behind `is` (jinja2/tests.py). */
#include "text/chat_template/arguments.h"
#include "text/chat_template/evaluate.h"
#include "text/chat_template/iterate.h"
#include "text/chat_template/represent.h"

#include <string.h>

static bool give(bool b, am_jvalue *out)
{
    *out = am_jbool(b);
    return true;
}

/* Tests of the type alone, by their name. */
static bool type_test(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    const char *name = c->routine->name;
    am_jvalue v = c->a[0];
    (void)j;
    if (strcmp(name, "defined") == 0) return give(v.kind != AM_J_UNDEFINED, out);
    if (strcmp(name, "undefined") == 0) return give(v.kind == AM_J_UNDEFINED, out);
    if (strcmp(name, "none") == 0) return give(v.kind == AM_J_NONE, out);
    if (strcmp(name, "boolean") == 0) return give(v.kind == AM_J_BOOL, out);
    if (strcmp(name, "true") == 0) return give(v.kind == AM_J_BOOL && v.boolean, out);
    if (strcmp(name, "false") == 0) return give(v.kind == AM_J_BOOL && !v.boolean, out);
    if (strcmp(name, "integer") == 0) return give(v.kind == AM_J_INT || v.kind == AM_J_BIG, out);
    if (strcmp(name, "float") == 0) return give(v.kind == AM_J_REAL, out);
    if (strcmp(name, "number") == 0) return give(am_jvalue_is_number(v), out);
    if (strcmp(name, "string") == 0) return give(v.kind == AM_J_STRING, out);
    if (strcmp(name, "mapping") == 0) return give(v.kind == AM_J_DICT, out);
    if (strcmp(name, "iterable") == 0) return give(am_jvalue_is_iterable(v), out);
    if (strcmp(name, "callable") == 0) return give(am_jvalue_is_callable(v), out);
    if (strcmp(name, "escaped") == 0) return give(v.kind == AM_J_STRING && v.string->markup, out);
    /* sequence: has a length and items */
    return give(am_jvalue_has_length(v) && v.kind != AM_J_VIEW && v.kind != AM_J_LOOP, out);
}

/* value % by == wanted */
static bool remainder_is(am_jinja *j, am_jvalue value, am_jvalue by, int64_t wanted, am_jvalue *out)
{
    am_jvalue rest;
    bool equal;
    if (!am_jbinary(j, AM_T_MOD, value, by, &rest) || !am_jvalue_equal(j, rest, am_jint(wanted), &equal)) return false;
    return give(equal, out);
}

static bool odd(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    return remainder_is(j, c->a[0], am_jint(2), 1, out);
}

static bool even(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    return remainder_is(j, c->a[0], am_jint(2), 0, out);
}

static bool divisibleby(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    return remainder_is(j, c->a[0], c->a[1], 0, out);
}

/* lower, upper */
static bool case_test(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    am_jvalue text, name;
    const am_jarguments none = {0};
    bool is_lower = strcmp(c->routine->name, "lower") == 0;
    if (!am_jvalue_to_string(j, c->a[0], &text)) return false;
    if (!am_jstring_literal(j, is_lower ? "islower" : "isupper", &name)) return false;
    return am_jroutine_call(j, am_jstring_method(name.string), text, &none, out);
}

static bool sameas(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    (void)j;
    return give(am_jvalue_same(c->a[0], c->a[1]), out);
}

static bool in(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    bool found;
    return am_jcontains(j, c->a[1], c->a[0], &found) && give(found, out);
}

static bool equal(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    bool same;
    return am_jvalue_equal(j, c->a[0], c->a[1], &same) && give(same, out);
}

static bool not_equal(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    bool same;
    return am_jvalue_equal(j, c->a[0], c->a[1], &same) && give(!same, out);
}

/* lt, le, gt, ge: `called` is the operator's name in Python. */
static bool order(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    const char *name = c->routine->called;
    bool holds;
    const char *operator= strcmp(name, "lt") == 0 ? "<"
    : strcmp(name, "le") == 0                     ? "<="
    : strcmp(name, "gt") == 0                     ? ">"
                                                  : ">=";
    return am_jvalue_compare(j, operator, c->a[0], c->a[1], &holds) && give(holds, out);
}

static bool is_filter(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    return am_jvalue_hashable(j, c->a[0]) && give(c->a[0].kind == AM_J_STRING && am_jfilter_find(c->a[0].string), out);
}

static bool is_test(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    return am_jvalue_hashable(j, c->a[0]) && give(c->a[0].kind == AM_J_STRING && am_jtest_find(c->a[0].string), out);
}

static const am_jroutine tests[] = {
    {"defined", type_test, "value", "test_defined"},
    {"undefined", type_test, "value", "test_undefined"},
    {"none", type_test, "value", "test_none"},
    {"boolean", type_test, "value", "test_boolean"},
    {"true", type_test, "value", "test_true"},
    {"false", type_test, "value", "test_false"},
    {"integer", type_test, "value", "test_integer"},
    {"float", type_test, "value", "test_float"},
    {"number", type_test, "value", "test_number"},
    {"string", type_test, "value", "test_string"},
    {"mapping", type_test, "value", "test_mapping"},
    {"iterable", type_test, "value", "test_iterable"},
    {"sequence", type_test, "value", "test_sequence"},
    {"callable", type_test, "/obj", "callable"},
    {"escaped", type_test, "value", "test_escaped"},
    {"odd", odd, "value", "test_odd"},
    {"even", even, "value", "test_even"},
    {"divisibleby", divisibleby, "value num", "test_divisibleby"},
    {"lower", case_test, "value", "test_lower"},
    {"upper", case_test, "value", "test_upper"},
    {"sameas", sameas, "value other", "test_sameas"},
    {"in", in, "value seq", "test_in"},
    {"filter", is_filter, "@value", "test_filter"},
    {"test", is_test, "@value", "test_test"},
    {"==", equal, "/a b", "eq"},
    {"eq", equal, "/a b", "eq"},
    {"equalto", equal, "/a b", "eq"},
    {"!=", not_equal, "/a b", "ne"},
    {"ne", not_equal, "/a b", "ne"},
    {">", order, "/a b", "gt"},
    {"gt", order, "/a b", "gt"},
    {"greaterthan", order, "/a b", "gt"},
    {">=", order, "/a b", "ge"},
    {"ge", order, "/a b", "ge"},
    {"<", order, "/a b", "lt"},
    {"lt", order, "/a b", "lt"},
    {"lessthan", order, "/a b", "lt"},
    {"<=", order, "/a b", "le"},
    {"le", order, "/a b", "le"},
};

const am_jroutine *am_jtest_find(const am_jstring *name)
{
    return am_jroutine_find(tests, sizeof tests / sizeof *tests, name);
}
