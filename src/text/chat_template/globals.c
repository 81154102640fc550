/* What every template can call: range, dict, namespace, cycler, joiner, raise_exception, strftime_now. */
#include "text/chat_template/arguments.h"
#include "text/chat_template/evaluate.h"
#include "text/chat_template/iterate.h"
#include "text/chat_template/represent.h"

#include <stdio.h>
#include <string.h>

struct am_jcycler {
    am_jvalue items; /* a tuple */
    size_t position;
};

struct am_jjoiner {
    am_jvalue separator;
    bool used;
};

enum { MOST_ITEMS_OF_A_RANGE = 100000 };

/* ---- range ---- */

static size_t range_count(int64_t start, int64_t stop, int64_t step)
{
    uint64_t span, stride = step > 0 ? (uint64_t)step : 0 - (uint64_t)step;
    if (step > 0 ? start >= stop : start <= stop) return 0;
    span = step > 0 ? (uint64_t)stop - (uint64_t)start : (uint64_t)start - (uint64_t)stop;
    return (size_t)((span - 1) / stride + 1);
}

static bool make_range(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    int64_t v[3] = {0, 0, 1};
    size_t given = c->given->count;
    if (c->given->named_count)
        return am_jfail(j, "TypeError", "safe_range() got an unexpected keyword argument %s",
                        am_jrepr_text(j, (am_jvalue){.kind = AM_J_STRING, .string = c->given->names[0]}));
    if (!given) return am_jfail(j, "TypeError", "range expected at least 1 argument, got 0");
    if (given > 3) return am_jfail(j, "TypeError", "range expected at most 3 arguments, got %zu", given);
    for (size_t i = 0; i < given; i++)
        if (!am_jargument_int(j, c->given->positional[i], 0, &v[given == 1 ? 1 : i])) return false;
    if (v[2] == 0) return am_jfail(j, "ValueError", "range() arg 3 must not be zero");
    am_jrange *range = am_jalloc(j, sizeof *range);
    if (!range) return false;
    *range = (am_jrange){v[0], v[1], v[2], range_count(v[0], v[1], v[2])};
    *out = (am_jvalue){.kind = AM_J_RANGE, .range = range};
    if (range->count <= MOST_ITEMS_OF_A_RANGE) return true;
    if (range->count > INT64_MAX) return am_jfail(j, "OverflowError", "Python int too large to convert to C ssize_t");
    return am_jfail(j, "OverflowError", "Range too big. The sandbox blocks ranges larger than MAX_RANGE (%d).",
                    MOST_ITEMS_OF_A_RANGE);
}

/* ---- dict and namespace ---- */

static bool add_pair(am_jinja *j, am_jdict *dict, am_jvalue pair, size_t position)
{
    am_jitems two = {0};
    if (!am_jvalue_is_iterable(pair))
        return am_jfail(j, "TypeError", "cannot convert dictionary update sequence element #%zu to a sequence",
                        position);
    if (!am_jcollect(j, pair, &two)) return false;
    if (two.count != 2)
        return am_jfail(j, "ValueError", "dictionary update sequence element #%zu has length %zu; 2 is required",
                        position, two.count);
    return am_jdict_set(j, dict, two.items[0], two.items[1]);
}

static bool add_all(am_jinja *j, am_jdict *dict, am_jvalue from)
{
    am_jitems pairs = {0};
    if (from.kind == AM_J_UNDEFINED) return am_jfail_undefined(j, from.undefined);
    if (from.kind == AM_J_DICT) {
        for (size_t i = 0; i < from.dict->count; i++)
            if (!am_jdict_set(j, dict, from.dict->entries[i].key, from.dict->entries[i].value)) return false;
        return true;
    }
    if (!am_jcollect(j, from, &pairs)) return false;
    for (size_t i = 0; i < pairs.count; i++)
        if (!add_pair(j, dict, pairs.items[i], i)) return false;
    return true;
}

static bool make_dict(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    const am_jarguments *given = c->given;
    if (given->count > 1) return am_jfail(j, "TypeError", "dict expected at most 1 argument, got %zu", given->count);
    if (!am_jdict_make(j, out)) return false;
    if (given->count && !add_all(j, out->dict, given->positional[0])) return false;
    for (size_t i = 0; i < given->named_count; i++) {
        am_jvalue name = {.kind = AM_J_STRING, .string = given->names[i]};
        if (!am_jdict_set(j, out->dict, name, given->named[i])) return false;
    }
    return true;
}

static bool make_namespace(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    if (!make_dict(j, c, out)) return false;
    for (size_t i = 0; i < out->dict->count; i++) {
        am_jvalue name = out->dict->entries[i].key;
        if (name.kind == AM_J_STRING && name.string->length && name.string->bytes[0] == '_')
            return am_jfail(j, "SecurityError",
                            "Chat templates cannot store underscore-prefixed attributes on a namespace, but got %s. "
                            "Please rename the attribute.",
                            am_jrepr_text(j, name));
    }
    out->kind = AM_J_NAMESPACE;
    return true;
}

/* ---- cycler and joiner ---- */

static bool make_cycler(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    if (c->given->named_count) return am_jfail(j, "TypeError", "Cycler.__init__() got an unexpected keyword argument");
    if (!c->given->count) return am_jfail(j, "RuntimeError", "at least one item has to be provided");
    am_jcycler *cycler = am_jalloc(j, sizeof *cycler);
    if (!cycler) return false;
    *out = (am_jvalue){.kind = AM_J_CYCLER, .cycler = cycler};
    return am_jlist_make(j, AM_J_TUPLE, c->given->positional, c->given->count, &cycler->items);
}

static bool cycler_next(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    (void)j;
    am_jcycler *cycler = c->self.cycler;
    *out = cycler->items.list->items[cycler->position];
    cycler->position = (cycler->position + 1) % cycler->items.list->count;
    return true;
}

static bool cycler_reset(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    (void)j;
    c->self.cycler->position = 0;
    *out = am_jnone();
    return true;
}

static const am_jroutine cycler_methods[] = {
    {"next", cycler_next, "", "Cycler.next"},
    {"reset", cycler_reset, "", "Cycler.reset"},
};

static bool make_joiner(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    am_jjoiner *joiner = am_jalloc(j, sizeof *joiner);
    if (!joiner) return false;
    joiner->separator = c->a[0];
    *out = (am_jvalue){.kind = AM_J_JOINER, .joiner = joiner};
    return am_jgiven(c->a[0]) || am_jstring_literal(j, ", ", &joiner->separator);
}

bool am_jjoiner_call(am_jinja *j, am_jjoiner *joiner, am_jvalue *out)
{
    *out = joiner->separator;
    if (joiner->used) return true;
    joiner->used = true;
    return am_jstring_literal(j, "", out);
}

bool am_jhelper_attribute(am_jinja *j, am_jvalue object, const am_jstring *name, am_jvalue *out)
{
    *out = (am_jvalue){.kind = AM_J_MISSING};
    if (object.kind == AM_J_JOINER) {
        if (am_jstring_is(name, "sep")) *out = object.joiner->separator;
        else if (am_jstring_is(name, "used")) *out = am_jbool(object.joiner->used);
        return true;
    }
    const am_jcycler *cycler = object.cycler;
    const am_jroutine *method = am_jroutine_find(cycler_methods, 2, name);
    if (method) return am_jfunction_make(j, method, object, out);
    if (am_jstring_is(name, "current")) *out = cycler->items.list->items[cycler->position];
    else if (am_jstring_is(name, "items")) *out = cycler->items;
    else if (am_jstring_is(name, "pos")) *out = am_jint((int64_t)cycler->position);
    return true;
}

/* ---- exceptions, time ---- */

static bool raise_exception(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    (void)out;
    am_jtext text = {.j = j};
    if (!am_jstr(&text, c->a[0])) return false;
    return am_jfail(j, "TemplateError", "%s", am_jtext_string(&text));
}

/* What datetime.strftime replaces itself before it asks the C library: %f, and %z and %Z, empty without a
   time zone. */
static bool expand_format(am_jinja *j, const am_jstring *format, am_jtext *out)
{
    for (size_t i = 0; i < format->length; i++) {
        char c = format->bytes[i], next = i + 1 < format->length ? format->bytes[i + 1] : 0;
        if (!c) return am_jfail(j, "ValueError", "embedded null character");
        if (c != '%' || !next) {
            am_jtext_append_char(out, c);
            continue;
        }
        i++;
        if (next == 'f') am_jtext_printf(out, "%06d", j->run->microsecond);
        else if (next != 'z' && next != 'Z') {
            am_jtext_append_char(out, c);
            am_jtext_append_char(out, next);
        }
    }
    return !j->failed;
}

static bool strftime_now(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    am_jtext format = {.j = j};
    if (c->a[0].kind != AM_J_STRING)
        return am_jfail(j, "TypeError", "strftime() argument 1 must be str, not %s", am_jvalue_type(c->a[0]));
    if (!expand_format(j, c->a[0].string, &format)) return false;
    const char *text = am_jtext_string(&format);
    /* 0 means too long or empty: as CPython does, give up only where no such format can need more. */
    for (size_t size = 256; size <= 256 * (format.length + 1); size *= 2) {
        char *bytes = am_jalloc(j, size);
        if (!bytes) return false;
        size_t length = format.length ? strftime(bytes, size, text, &j->run->now) : 0;
        if (length) return am_jstring_make(j, bytes, length, out);
    }
    return am_jstring_literal(j, "", out);
}

static bool lipsum(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    (void)c;
    (void)out;
    return am_jfail_code(j, AM_UNSUPPORTED, "NotImplementedError", "lipsum() is random: not supported");
}

static const am_jroutine globals[] = {
    {"range", make_range, "*", "range"},
    {"dict", make_dict, "*", "dict"},
    {"namespace", make_namespace, "*", "namespace"},
    {"cycler", make_cycler, "*", "cycler"},
    {"joiner", make_joiner, "sep?", "Joiner.__init__"},
    {"raise_exception", raise_exception, "message", "_cached_compile_jinja_template.<locals>.raise_exception"},
    {"strftime_now", strftime_now, "format", "_cached_compile_jinja_template.<locals>.strftime_now"},
    {"lipsum", lipsum, "*", "generate_lorem_ipsum"},
};

bool am_jglobals_add(am_jinja *j, am_jdict *context)
{
    for (size_t i = 0; i < sizeof globals / sizeof *globals; i++) {
        am_jvalue function;
        if (!am_jfunction_make(j, &globals[i], (am_jvalue){.kind = AM_J_MISSING}, &function)) return false;
        if (!am_jdict_set_text(j, context, globals[i].name, function)) return false;
    }
    return true;
}
