/* Methods of list, tuple, dict, range, int and float. Those that change their object are forbidden by the
   sandbox. */
#include "text/chat_template/arguments.h"
#include "text/chat_template/big_integer.h"
#include "text/chat_template/evaluate.h"
#include "text/chat_template/iterate.h"
#include "text/chat_template/represent.h"

#include <math.h>

/* ---- sequences ---- */

/* Items of any sequence, without those of strings. */
static bool items_of(am_jinja *j, am_jvalue sequence, am_jitems *out)
{
    return am_jcollect(j, sequence, out);
}

static bool item_matches(am_jinja *j, am_jvalue item, am_jvalue wanted, bool *out)
{
    *out = am_jvalue_same(item, wanted);
    return *out || am_jvalue_equal(j, item, wanted, out);
}

static bool count(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    am_jitems items = {0};
    int64_t found = 0;
    bool equal;
    if (!items_of(j, c->self, &items)) return false;
    for (size_t i = 0; i < items.count; i++) {
        if (!item_matches(j, items.items[i], c->a[0], &equal)) return false;
        found += equal;
    }
    *out = am_jint(found);
    return true;
}

static bool not_there(am_jinja *j, const am_jcall *c)
{
    if (c->self.kind == AM_J_TUPLE) return am_jfail(j, "ValueError", "tuple.index(x): x not in tuple");
    if (c->self.kind == AM_J_RANGE && !am_jvalue_is_integer(c->a[0]))
        return am_jfail(j, "ValueError", "sequence.index(x): x not in sequence");
    return am_jfail(j, "ValueError", "%s is not in %s", am_jrepr_text(j, c->a[0]), am_jvalue_type(c->self));
}

static int64_t clip_index(int64_t index, size_t length)
{
    int64_t n = (int64_t)length;
    if (index < 0) index = index < -n ? 0 : index + n;
    return index > n ? n : index;
}

static bool find(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    am_jitems items = {0};
    int64_t begin, end;
    bool equal;
    if (!items_of(j, c->self, &items)) return false;
    for (size_t i = 1; i < 3; i++)
        if (am_jgiven(c->a[i]) && !am_jvalue_is_integer(c->a[i]))
            return am_jfail(j, "TypeError", "slice indices must be integers or have an __index__ method");
    if (!am_jargument_int(j, c->a[1], 0, &begin) || !am_jargument_int(j, c->a[2], INT64_MAX, &end)) return false;
    end = clip_index(end, items.count);
    for (int64_t i = clip_index(begin, items.count); i < end; i++) {
        *out = am_jint(i);
        if (!item_matches(j, items.items[i], c->a[0], &equal)) return false;
        if (equal) return true;
    }
    return not_there(j, c);
}

/* Values never change, so a copy is the value itself. */
static bool copy(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    (void)j;
    *out = c->self;
    return true;
}

/* ---- dicts ---- */

static bool get(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    const am_jvalue *found;
    if (!am_jdict_find(j, c->self.dict, c->a[0], &found)) return false;
    *out = found ? *found : am_jgiven(c->a[1]) ? c->a[1] : am_jnone();
    return true;
}

static bool keys(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    return am_jview_make(j, AM_J_KEYS, c->self.dict, out);
}

static bool values(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    return am_jview_make(j, AM_J_VALUES, c->self.dict, out);
}

static bool items(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    return am_jview_make(j, AM_J_ITEMS, c->self.dict, out);
}

static bool fromkeys(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    am_jitems names = {0};
    am_jvalue value = am_jgiven(c->a[1]) ? c->a[1] : am_jnone();
    if (!am_jcollect(j, c->a[0], &names) || !am_jdict_make(j, out)) return false;
    for (size_t i = 0; i < names.count; i++)
        if (!am_jdict_set(j, out->dict, names.items[i], value)) return false;
    return true;
}

/* ---- numbers ---- */

static bool bit_length(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    (void)j;
    *out = am_jint((int64_t)am_jinteger_bits(c->self));
    return true;
}

static bool is_integer(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    (void)j;
    *out = am_jbool(isfinite(c->self.real) && floor(c->self.real) == c->self.real);
    return true;
}

static const am_jroutine list_methods[] = {
    {"index", find, "/value start? stop?", "list.index"},
    {"count", count, "/value", "list.count"},
    {"copy", copy, "/", "list.copy"},
};

static const am_jroutine tuple_methods[] = {
    {"index", find, "/value start? stop?", "tuple.index"},
    {"count", count, "/value", "tuple.count"},
};

static const am_jroutine dict_methods[] = {
    {"get", get, "/key default?", "dict.get"}, {"items", items, "/", "dict.items"},
    {"keys", keys, "/", "dict.keys"},          {"values", values, "/", "dict.values"},
    {"copy", copy, "/", "dict.copy"},          {"fromkeys", fromkeys, "/iterable value?", "fromkeys"},
};

static const am_jroutine integer_methods[] = {
    {"bit_length", bit_length, "/", "int.bit_length"},
    {"conjugate", copy, "/", "int.conjugate"},
};

static const am_jroutine real_methods[] = {
    {"is_integer", is_integer, "/", "float.is_integer"},
    {"conjugate", copy, "/", "float.conjugate"},
};

static bool is_among(const char *const *names, size_t count_of_names, const am_jstring *name)
{
    for (size_t i = 0; i < count_of_names; i++)
        if (am_jstring_is(name, names[i])) return true;
    return false;
}

static bool changes_list(const am_jstring *name)
{
    static const char *const names[] = {"append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"};
    return is_among(names, sizeof names / sizeof *names, name);
}

static bool changes_dict(const am_jstring *name)
{
    static const char *const names[] = {"clear", "pop", "popitem", "setdefault", "update"};
    return is_among(names, sizeof names / sizeof *names, name);
}

#define FIND(table, name) am_jroutine_find(table, sizeof table / sizeof *table, name)

const am_jroutine *am_jcontainer_method(am_jvalue object, const am_jstring *name, bool *is_unsafe)
{
    *is_unsafe = (object.kind == AM_J_LIST && changes_list(name)) || (object.kind == AM_J_DICT && changes_dict(name));
    if (*is_unsafe) return NULL;
    switch (object.kind) {
    case AM_J_LIST:
        return FIND(list_methods, name);
    case AM_J_TUPLE:
    case AM_J_RANGE:
        return FIND(tuple_methods, name);
    case AM_J_DICT:
        return FIND(dict_methods, name);
    case AM_J_BOOL:
    case AM_J_INT:
    case AM_J_BIG:
        return FIND(integer_methods, name);
    case AM_J_REAL:
        return FIND(real_methods, name);
    case AM_J_FUNCTION: /* dict.fromkeys */
        if (!am_jstring_is(name, "fromkeys") || am_jfunction_name(object.function)[0] != 'd') return NULL;
        return FIND(dict_methods, name);
    default:
        return NULL;
    }
}
