/* Calls: binding arguments to parameters, with the messages that Python has for it. */
#include "text/chat_template/evaluate.h"

#include "text/chat_template/represent.h"

#include <string.h>

enum { MOST_PARAMETERS = 8 };

/* The parameters of a routine, read from its declaration. */
typedef struct signature {
    const char *names[MOST_PARAMETERS];
    size_t lengths[MOST_PARAMETERS];
    size_t count, required;
    bool by_position, by_format;
    size_t hidden; /* parameters that Jinja2 fills in */
} signature;

bool am_jfunction_make(am_jinja *j, const am_jroutine *routine, am_jvalue self, am_jvalue *out)
{
    am_jfunction *made = am_jalloc(j, sizeof *made);
    if (!made) return false;
    *made = (am_jfunction){routine, self};
    *out = (am_jvalue){.kind = AM_J_FUNCTION, .function = made};
    return true;
}

const char *am_jfunction_name(const am_jfunction *function)
{
    return function->routine->name;
}

const am_jroutine *am_jroutine_find(const am_jroutine *table, size_t count, const am_jstring *name)
{
    for (size_t i = 0; i < count; i++)
        if (am_jstring_is(name, table[i].name)) return &table[i];
    return NULL;
}

am_jvalue am_jarguments_at(const am_jarguments *arguments, size_t index)
{
    return index < arguments->count ? arguments->positional[index] : (am_jvalue){.kind = AM_J_MISSING};
}

am_jvalue am_jarguments_named(const am_jarguments *arguments, const char *name)
{
    for (size_t i = 0; i < arguments->named_count; i++)
        if (am_jstring_is(arguments->names[i], name)) return arguments->named[i];
    return (am_jvalue){.kind = AM_J_MISSING};
}

/* ---- routines ---- */

static signature read_signature(const char *parameters)
{
    signature s = {0};
    for (; *parameters && strchr("/!@", *parameters); parameters++) {
        if (*parameters == '/') s.by_position = true;
        else if (*parameters == '!') s.by_format = true;
        else s.hidden++;
    }
    for (const char *at = parameters; *at && s.count < MOST_PARAMETERS;) {
        size_t length = strcspn(at, " ?");
        s.names[s.count] = at;
        s.lengths[s.count++] = length;
        at += length;
        if (*at == '?') at++;
        else s.required = s.count;
        if (*at == ' ') at++;
    }
    return s;
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

/* Functions written in C (methods, builtins) and those written in Python complain differently. */
static bool too_many(am_jinja *j, const am_jroutine *routine, const signature *s, size_t given)
{
    const char *name = routine->called;
    size_t most = s->count + s->hidden, least = s->required + s->hidden;
    if (s->by_format)
        return am_jfail(j, "TypeError", "%s() takes at most %zu argument%s (%zu given)", routine->name, s->count,
                        plural(s->count), given);
    if (!s->by_position) given += s->hidden;
    if (!s->by_position && least == most)
        return am_jfail(j, "TypeError", "%s() takes %zu positional argument%s but %zu %s given", name, most,
                        plural(most), given, given == 1 ? "was" : "were");
    if (!s->by_position)
        return am_jfail(j, "TypeError", "%s() takes from %zu to %zu positional arguments but %zu were given", name,
                        least, most, given);
    if (!s->count) return am_jfail(j, "TypeError", "%s() takes no arguments (%zu given)", name, given);
    if (s->count == 1 && s->required == 1)
        return am_jfail(j, "TypeError", "%s() takes exactly one argument (%zu given)", name, given);
    return am_jfail(j, "TypeError", "%s expected at most %zu argument%s, got %zu", routine->name, s->count,
                    plural(s->count), given);
}

static bool missing_arguments(am_jinja *j, const am_jroutine *routine, const signature *s, const am_jvalue *a,
                              size_t given)
{
    am_jtext list = {.j = j};
    size_t missing = 0, named = 0;
    for (size_t i = 0; i < s->required; i++) missing += a[i].kind == AM_J_MISSING;
    if (s->by_format)
        return am_jfail(j, "TypeError", "%s() takes at least %zu argument%s (%zu given)", routine->name, s->required,
                        plural(s->required), given);
    if (s->by_position && s->count == 1)
        return am_jfail(j, "TypeError", "%s() takes exactly one argument (%zu given)", routine->called, given);
    if (s->by_position)
        return am_jfail(j, "TypeError", "%s expected at least %zu argument%s, got %zu", routine->name, s->required,
                        plural(s->required), given);
    for (size_t i = 0; i < s->required; i++) {
        if (a[i].kind != AM_J_MISSING) continue;
        const char *separator = !named ? "" : named + 1 < missing ? ", " : missing > 2 ? ", and " : " and ";
        am_jtext_printf(&list, "%s'%.*s'", separator, (int)s->lengths[i], s->names[i]);
        named++;
    }
    return am_jfail(j, "TypeError", "%s() missing %zu required positional argument%s: %s", routine->called, missing,
                    plural(missing), am_jtext_string(&list));
}

static bool bind_named(am_jinja *j, const am_jroutine *routine, const signature *s, const am_jarguments *given,
                       am_jvalue *a)
{
    for (size_t i = 0; i < given->named_count; i++) {
        const am_jstring *name = given->names[i];
        size_t at = 0;
        while (at < s->count &&
               !(s->lengths[at] == name->length && memcmp(s->names[at], name->bytes, name->length) == 0))
            at++;
        if (s->by_position) return am_jfail(j, "TypeError", "%s() takes no keyword arguments", routine->called);
        const char *quoted = am_jrepr_text(j, (am_jvalue){.kind = AM_J_STRING, .string = name});
        if (at == s->count && s->by_format)
            return am_jfail(j, "TypeError", "%s is an invalid keyword argument for %s()", quoted, routine->name);
        if (at == s->count)
            return am_jfail(j, "TypeError", "%s() got an unexpected keyword argument %s", routine->called, quoted);
        if (a[at].kind != AM_J_MISSING)
            return am_jfail(j, "TypeError", "%s() got multiple values for argument %s", routine->called, quoted);
        a[at] = given->named[i];
    }
    return true;
}

static bool bind_arguments(am_jinja *j, const am_jroutine *routine, const am_jarguments *given,
                           am_jvalue a[MOST_PARAMETERS])
{
    signature s = read_signature(routine->parameters);
    if (given->count > s.count) return too_many(j, routine, &s, given->count);
    for (size_t i = 0; i < given->count; i++) a[i] = given->positional[i];
    if (!bind_named(j, routine, &s, given, a)) return false;
    for (size_t i = 0; i < s.required; i++)
        if (a[i].kind == AM_J_MISSING) return missing_arguments(j, routine, &s, a, given->count);
    return true;
}

bool am_jroutine_call(am_jinja *j, const am_jroutine *routine, am_jvalue self, const am_jarguments *arguments,
                      am_jvalue *out)
{
    am_jvalue a[MOST_PARAMETERS] = {{.kind = AM_J_MISSING}};
    const am_jcall call = {.routine = routine, .self = self, .a = a, .given = arguments};
    if (*routine->parameters != '*' && !bind_arguments(j, routine, arguments, a)) return false;
    return routine->call(j, &call, out);
}

bool am_jroutine_apply(am_jinja *j, const am_jroutine *routine, am_jvalue first, const am_jarguments *arguments,
                       am_jvalue *out)
{
    am_jarguments all = *arguments;
    am_jvalue *values = am_jarray(j, arguments->count + 1, sizeof *values);
    if (!values) return false;
    values[0] = first;
    if (arguments->count) memcpy(values + 1, arguments->positional, arguments->count * sizeof *values);
    all.positional = values;
    all.count++;
    return am_jroutine_call(j, routine, (am_jvalue){.kind = AM_J_MISSING}, &all, out);
}

/* ---- macros ---- */

bool am_jmacro_make(am_jinja *j, const am_jmacro_node *node, am_jenv *env, am_jvalue *out)
{
    am_jmacro *made = am_jalloc(j, sizeof *made);
    if (!made) return false;
    *made = (am_jmacro){node, env};
    *out = (am_jvalue){.kind = AM_J_MACRO, .macro = made};
    return true;
}

am_jvalue am_jmacro_name(const am_jmacro *macro)
{
    if (!macro->node->name) return am_jnone();
    return (am_jvalue){.kind = AM_J_STRING, .string = macro->node->name};
}

static bool wants(am_jslot slot)
{
    return slot.index != UINT32_MAX;
}

/* Arguments by name that the macro has not used yet. */
typedef struct named_rest {
    const am_jarguments *given;
    bool *used;
} named_rest;

static am_jvalue take_named(const named_rest *rest, const char *name, const am_jstring *string)
{
    for (size_t i = 0; i < rest->given->named_count; i++) {
        const am_jstring *key = rest->given->names[i];
        if (rest->used[i] || !(string ? am_jstring_equals(key, string) : am_jstring_is(key, name))) continue;
        rest->used[i] = true;
        return rest->given->named[i];
    }
    return (am_jvalue){.kind = AM_J_MISSING};
}

static bool give_caller(am_jinja *j, const am_jmacro_node *node, const named_rest *rest, am_jenv *env)
{
    am_jvalue caller, name;
    if (!wants(node->caller)) return true;
    caller = take_named(rest, "caller", NULL);
    if (caller.kind == AM_J_MISSING || caller.kind == AM_J_NONE) {
        if (!am_jstring_literal(j, "caller", &name)) return false;
        if (!am_jundefined_make(j, (am_jundefined){.hint = "No caller defined", .name = name}, &caller)) return false;
    }
    *am_jslot_of(env, node->caller) = caller;
    return true;
}

static bool unused_argument(am_jinja *j, const am_jmacro *macro, const am_jstring *unused)
{
    const char *name = am_jrepr_text(j, am_jmacro_name(macro));
    if (am_jstring_is(unused, "caller"))
        return am_jfail(j, "TypeError",
                        "macro %s was invoked with two values for the special caller argument. This is "
                        "most likely a bug.",
                        name);
    return am_jfail(j, "TypeError", "macro %s takes no keyword argument %s", name,
                    am_jrepr_text(j, (am_jvalue){.kind = AM_J_STRING, .string = unused}));
}

static bool give_kwargs(am_jinja *j, const am_jmacro *macro, const named_rest *rest, am_jenv *env)
{
    am_jvalue dict;
    const am_jstring *unused = NULL;
    if (!am_jdict_make(j, &dict)) return false;
    for (size_t i = 0; i < rest->given->named_count; i++) {
        if (rest->used[i]) continue;
        am_jvalue name = {.kind = AM_J_STRING, .string = rest->given->names[i]};
        if (!unused || am_jstring_is(name.string, "caller")) unused = name.string;
        if (!am_jdict_set(j, dict.dict, name, rest->given->named[i])) return false;
    }
    if (wants(macro->node->kwargs)) *am_jslot_of(env, macro->node->kwargs) = dict;
    else if (unused) return unused_argument(j, macro, unused);
    return true;
}

static bool give_varargs(am_jinja *j, const am_jmacro *macro, const am_jarguments *given, am_jenv *env)
{
    am_jvalue rest;
    size_t count = macro->node->parameters.count, more = given->count > count ? given->count - count : 0;
    if (!wants(macro->node->varargs))
        return !more || am_jfail(j, "TypeError", "macro %s takes not more than %zu argument(s)",
                                 am_jrepr_text(j, am_jmacro_name(macro)), count);
    if (!am_jlist_make(j, AM_J_TUPLE, more ? given->positional + count : NULL, more, &rest)) return false;
    *am_jslot_of(env, macro->node->varargs) = rest;
    return true;
}

/* The default of a parameter that was not given, evaluated inside of the macro. */
static bool default_of(am_jinja *j, const am_jmacro_node *node, size_t position, am_jenv *env, am_jvalue *out)
{
    size_t first = node->parameters.count - node->defaults.count;
    if (position >= first) return am_jevaluate(j, node->defaults.items[position - first], env, out);
    am_jtext hint = {.j = j};
    am_jvalue name = {.kind = AM_J_STRING, .string = node->parameters.items[position]->name.name};
    am_jtext_printf(&hint, "parameter %s was not provided", am_jrepr_text(j, name));
    return am_jundefined_make(j, (am_jundefined){.hint = am_jtext_string(&hint), .name = name}, out);
}

static bool give_arguments(am_jinja *j, const am_jmacro *macro, const am_jarguments *given, am_jenv *env)
{
    const am_jmacro_node *node = macro->node;
    named_rest rest = {given, am_jarray(j, given->named_count, sizeof *rest.used)};
    if (!rest.used) return false;
    for (size_t i = 0; i < node->parameters.count; i++) {
        const am_jnode *parameter = node->parameters.items[i];
        *am_jslot_of(env, parameter->name.slot) =
            i < given->count ? given->positional[i] : take_named(&rest, NULL, parameter->name.name);
    }
    if (!give_caller(j, node, &rest, env) || !give_kwargs(j, macro, &rest, env) || !give_varargs(j, macro, given, env))
        return false;
    for (size_t i = 0; i < node->parameters.count; i++) {
        am_jvalue *slot = am_jslot_of(env, node->parameters.items[i]->name.slot);
        if (slot->kind == AM_J_MISSING && !default_of(j, node, i, env, slot)) return false;
    }
    return true;
}

bool am_jmacro_call(am_jinja *j, const am_jmacro *macro, const am_jarguments *arguments, am_jvalue *out)
{
    if (!am_jenter(j)) return false;
    am_jenv *env = am_jenv_make(j, macro->env, macro->node->slots);
    bool ok = env && am_jscope_enter(j, &macro->node->scope, env) && give_arguments(j, macro, arguments, env) &&
              am_jcapture(j, &macro->node->body, env, out) == AM_J_GO_ON;
    am_jleave(j);
    return ok;
}

/* ---- anything ---- */

static bool call_loop(am_jinja *j, const am_jloop *loop, const am_jarguments *arguments, am_jvalue *out)
{
    am_jvalue iterable = am_jarguments_at(arguments, 0);
    if (iterable.kind == AM_J_MISSING) iterable = am_jarguments_named(arguments, "iterable");
    if (iterable.kind == AM_J_MISSING)
        return am_jfail(j, "TypeError", "LoopContext.__call__() missing 1 required positional argument: 'iterable'");
    return am_jloop_recurse(j, loop, iterable, out);
}

bool am_jvalue_is_callable(am_jvalue value)
{
    return value.kind == AM_J_FUNCTION || value.kind == AM_J_MACRO || value.kind == AM_J_LOOP ||
           value.kind == AM_J_JOINER || value.kind == AM_J_UNDEFINED;
}

bool am_jvalue_call(am_jinja *j, am_jvalue callee, const am_jarguments *arguments, am_jvalue *out)
{
    switch (callee.kind) {
    case AM_J_UNDEFINED:
        return am_jfail_undefined(j, callee.undefined);
    case AM_J_FUNCTION:
        return am_jroutine_call(j, callee.function->routine, callee.function->self, arguments, out);
    case AM_J_MACRO:
        return am_jmacro_call(j, callee.macro, arguments, out);
    case AM_J_LOOP:
        return call_loop(j, callee.loop, arguments, out);
    case AM_J_JOINER:
        return am_jjoiner_call(j, callee.joiner, out);
    default:
        return am_jfail(j, "TypeError", "'%s' object is not callable", am_jvalue_type(callee));
    }
}
