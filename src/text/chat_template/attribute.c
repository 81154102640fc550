/* Attributes, items and slices, with what ImmutableSandboxedEnvironment forbids. */
#include "text/chat_template/evaluate.h"

#include "text/chat_template/big_integer.h"
#include "text/chat_template/iterate.h"
#include "text/chat_template/text.h"

#include <string.h>

static bool missing(am_jvalue *out)
{
    *out = (am_jvalue){.kind = AM_J_MISSING};
    return true;
}

/* ---- attributes ---- */

/* Names with underscores that every Python object has: they exist, and the sandbox forbids them. */
static bool is_internal(const am_jstring *name)
{
    static const char *const names[] = {
        "__class__",   "__delattr__", "__dir__",           "__doc__",          "__eq__",
        "__format__",  "__ge__",      "__getattribute__",  "__getstate__",     "__gt__",
        "__hash__",    "__init__",    "__init_subclass__", "__le__",           "__lt__",
        "__ne__",      "__new__",     "__reduce__",        "__reduce_ex__",    "__repr__",
        "__setattr__", "__sizeof__",  "__str__",           "__subclasshook__",
    };
    if (name->length < 5 || name->bytes[0] != '_' || name->bytes[1] != '_') return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (am_jstring_is(name, names[i])) return true;
    return false;
}

static bool parameter_names(am_jinja *j, const am_jmacro_node *node, am_jvalue *out)
{
    am_jitems items = {0};
    for (size_t i = 0; i < node->parameters.count; i++) {
        am_jvalue name = {.kind = AM_J_STRING, .string = node->parameters.items[i]->name.name};
        if (!am_jitems_push(j, &items, name)) return false;
    }
    return am_jitems_list(j, &items, AM_J_TUPLE, out);
}

static bool macro_attribute(am_jinja *j, const am_jmacro *macro, const am_jstring *name, am_jvalue *out)
{
    const am_jmacro_node *node = macro->node;
    bool caller = node->caller.index != UINT32_MAX;
    if (am_jstring_is(name, "name")) *out = am_jmacro_name(macro);
    else if (am_jstring_is(name, "arguments")) return parameter_names(j, node, out);
    else if (am_jstring_is(name, "catch_kwargs")) *out = am_jbool(node->kwargs.index != UINT32_MAX);
    else if (am_jstring_is(name, "catch_varargs")) *out = am_jbool(node->varargs.index != UINT32_MAX);
    else if (am_jstring_is(name, "caller")) *out = am_jbool(caller);
    else if (am_jstring_is(name, "explicit_caller")) *out = am_jbool(node->explicit_caller);
    else return missing(out);
    return true;
}

static bool loop_cycle(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    if (!c->given->count) return am_jfail(j, "TypeError", "no items for cycling given");
    *out = c->given->positional[(size_t)c->self.loop->index0 % c->given->count];
    return true;
}

static bool loop_changed(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    am_jloop *loop = c->self.loop;
    am_jvalue now;
    bool equal = false;
    if (!am_jlist_make(j, AM_J_TUPLE, c->given->positional, c->given->count, &now)) return false;
    if (loop->changed.kind != AM_J_MISSING && !am_jvalue_equal(j, loop->changed, now, &equal)) return false;
    if (!equal) loop->changed = now;
    *out = am_jbool(!equal);
    return true;
}

static const am_jroutine loop_methods[] = {
    {"cycle", loop_cycle, "*", "LoopContext.cycle"},
    {"changed", loop_changed, "*", "LoopContext.changed"},
};

/* loop.previtem and loop.nextitem */
static bool neighbour(am_jinja *j, am_jvalue item, const char *hint, am_jvalue *out)
{
    *out = item;
    return item.kind != AM_J_MISSING || am_jundefined_make(j, (am_jundefined){.hint = hint}, out);
}

static bool loop_length_attribute(am_jinja *j, am_jloop *loop, const am_jstring *name, am_jvalue *out)
{
    size_t length;
    if (!am_jloop_length(j, loop, &length)) return false;
    int64_t n = (int64_t)length;
    *out = am_jint(am_jstring_is(name, "length")     ? n
                   : am_jstring_is(name, "revindex") ? n - loop->index0
                                                     : n - am_jloop_index(loop));
    return true;
}

static bool loop_attribute(am_jinja *j, am_jvalue self, const am_jstring *name, am_jvalue *out)
{
    am_jloop *loop = self.loop;
    am_jvalue next;
    const am_jroutine *method = am_jroutine_find(loop_methods, 2, name);
    if (method) return am_jfunction_make(j, method, self, out);
    if (am_jstring_is(name, "length") || am_jstring_is(name, "revindex") || am_jstring_is(name, "revindex0"))
        return loop_length_attribute(j, loop, name, out);
    if (am_jstring_is(name, "previtem"))
        return neighbour(j, loop->index0 ? loop->before : (am_jvalue){.kind = AM_J_MISSING},
                         "there is no previous item", out);
    if (am_jstring_is(name, "nextitem") || am_jstring_is(name, "last")) {
        if (!am_jloop_peek(j, loop, &next)) return false;
        if (am_jstring_is(name, "nextitem")) return neighbour(j, next, "there is no next item", out);
        *out = am_jbool(next.kind == AM_J_MISSING);
        return true;
    }
    if (am_jstring_is(name, "index")) *out = am_jint(am_jloop_index(loop));
    else if (am_jstring_is(name, "index0")) *out = am_jint(loop->index0);
    else if (am_jstring_is(name, "first")) *out = am_jbool(loop->index0 == 0);
    else if (am_jstring_is(name, "depth")) *out = am_jint(loop->depth0 + 1);
    else if (am_jstring_is(name, "depth0")) *out = am_jint(loop->depth0);
    else return missing(out);
    return true;
}

static bool group_attribute(am_jvalue group, const am_jstring *name, am_jvalue *out)
{
    if (am_jstring_is(name, "grouper")) *out = group.list->items[0];
    else if (am_jstring_is(name, "list")) *out = group.list->items[1];
    return out->kind != AM_J_MISSING;
}

static bool range_attribute(const am_jrange *range, const am_jstring *name, am_jvalue *out)
{
    if (am_jstring_is(name, "start")) *out = am_jint(range->start);
    else if (am_jstring_is(name, "stop")) *out = am_jint(range->stop);
    else if (am_jstring_is(name, "step")) *out = am_jint(range->step);
    return out->kind != AM_J_MISSING;
}

static bool unsafe(am_jinja *j, am_jvalue object, const am_jstring *name, am_jvalue *out)
{
    am_jvalue string = {.kind = AM_J_STRING, .string = name};
    return am_jundefined_make(j, (am_jundefined){.object = object, .name = string, .is_unsafe = true}, out);
}

static bool method_of(am_jinja *j, am_jvalue object, const am_jstring *name, am_jvalue *out)
{
    bool is_unsafe = false;
    const am_jroutine *method =
        object.kind == AM_J_STRING ? am_jstring_method(name) : am_jcontainer_method(object, name, &is_unsafe);
    if (is_unsafe) return unsafe(j, object, name, out);
    return method ? am_jfunction_make(j, method, object, out) : missing(out);
}

static bool number_attribute(am_jinja *j, am_jvalue number, const am_jstring *name, am_jvalue *out)
{
    bool integer = number.kind != AM_J_REAL;
    if (am_jstring_is(name, "real"))
        return integer ? am_jinteger_add(j, number, am_jint(0), out) : (*out = number, true);
    if (am_jstring_is(name, "imag")) *out = integer ? am_jint(0) : am_jreal(0);
    else if (integer && am_jstring_is(name, "numerator")) return am_jinteger_add(j, number, am_jint(0), out);
    else if (integer && am_jstring_is(name, "denominator")) *out = am_jint(1);
    else return method_of(j, number, name, out);
    return true;
}

bool am_jattribute(am_jinja *j, am_jvalue object, const am_jstring *name, am_jvalue *out)
{
    missing(out);
    if (object.kind == AM_J_NAMESPACE) {
        am_jvalue key = {.kind = AM_J_STRING, .string = name};
        const am_jvalue *found;
        if (!am_jdict_find(j, object.dict, key, &found)) return false;
        if (found) *out = *found;
        return true;
    }
    if (is_internal(name)) return unsafe(j, object, name, out);
    switch (object.kind) {
    case AM_J_MACRO:
        return macro_attribute(j, object.macro, name, out);
    case AM_J_LOOP:
        return loop_attribute(j, object, name, out);
    case AM_J_CYCLER:
    case AM_J_JOINER:
        return am_jhelper_attribute(j, object, name, out);
    case AM_J_BOOL:
    case AM_J_INT:
    case AM_J_BIG:
    case AM_J_REAL:
        return number_attribute(j, object, name, out);
    case AM_J_RANGE:
        return range_attribute(object.range, name, out) || method_of(j, object, name, out);
    case AM_J_TUPLE:
        return (object.list->is_group && group_attribute(object, name, out)) || method_of(j, object, name, out);
    case AM_J_STRING:
    case AM_J_LIST:
    case AM_J_DICT:
    case AM_J_FUNCTION:
        return method_of(j, object, name, out);
    default:
        return true;
    }
}

/* ---- items ---- */

bool am_jindex_resolve(int64_t index, size_t length, size_t *out)
{
    if (index < 0) index += (int64_t)length;
    *out = (size_t)index;
    return index >= 0 && (size_t)index < length;
}

static bool character_at(am_jinja *j, const am_jstring *s, size_t index, am_jvalue *out)
{
    size_t begin = am_jstring_offset(s, index), end = begin;
    am_jstring_next(s, &end);
    return am_jcharge_bytes(j, begin) && am_jstring_part(j, s, begin, end, out);
}

static bool sequence_item(am_jinja *j, am_jvalue object, am_jvalue index, am_jvalue *out)
{
    size_t length, at;
    if (index.kind != AM_J_INT && index.kind != AM_J_BOOL) return true;
    int64_t position = index.kind == AM_J_BOOL ? index.boolean : index.integer;
    if (!am_jvalue_length(j, object, &length)) return false;
    if (!am_jindex_resolve(position, length, &at)) return true;
    if (object.kind == AM_J_STRING) return character_at(j, object.string, at, out);
    *out = object.kind == AM_J_RANGE ? am_jrange_at(object.range, at) : object.list->items[at];
    return true;
}

/* object[index] without the detour to attributes; MISSING where Python raises TypeError or LookupError. */
static bool plain_item(am_jinja *j, am_jvalue object, am_jvalue index, am_jvalue *out)
{
    const am_jvalue *found = NULL;
    missing(out);
    switch (object.kind) {
    case AM_J_DICT:
        if (index.kind == AM_J_LIST || index.kind == AM_J_DICT || index.kind == AM_J_VIEW) return true;
        if (!am_jdict_find(j, object.dict, index, &found)) return false;
        if (found) *out = *found;
        return true;
    case AM_J_STRING:
    case AM_J_LIST:
    case AM_J_TUPLE:
    case AM_J_RANGE:
        return sequence_item(j, object, index, out);
    default:
        return true;
    }
}

static bool nothing_there(am_jinja *j, am_jvalue object, am_jvalue name, am_jvalue *out)
{
    return am_jundefined_make(j, (am_jundefined){.object = object, .name = name}, out);
}

bool am_jgetattr(am_jinja *j, am_jvalue object, am_jvalue name, am_jvalue *out)
{
    if (object.kind == AM_J_UNDEFINED && !is_internal(name.string)) return am_jfail_undefined(j, object.undefined);
    if (!am_jattribute(j, object, name.string, out)) return false;
    if (out->kind != AM_J_MISSING) return true;
    if (!plain_item(j, object, name, out)) return false;
    return out->kind != AM_J_MISSING || nothing_there(j, object, name, out);
}

bool am_jgetitem(am_jinja *j, am_jvalue object, am_jvalue index, am_jvalue *out)
{
    if (object.kind == AM_J_UNDEFINED) return am_jfail_undefined(j, object.undefined);
    if (!plain_item(j, object, index, out)) return false;
    if (out->kind != AM_J_MISSING) return true;
    if (index.kind == AM_J_STRING && !am_jattribute(j, object, index.string, out)) return false;
    return out->kind != AM_J_MISSING || nothing_there(j, object, index, out);
}

/* ---- slices ---- */

/* A bound of a slice as an integer; clipped, as nothing is longer. */
static bool slice_bound(am_jinja *j, am_jvalue value, int64_t fallback, int64_t *out)
{
    *out = fallback;
    switch (value.kind) {
    case AM_J_MISSING:
    case AM_J_NONE:
        return true;
    case AM_J_BOOL:
        *out = value.boolean;
        return true;
    case AM_J_INT:
        *out = value.integer;
        break;
    case AM_J_BIG:
        *out = value.big->negative ? INT64_MIN : INT64_MAX;
        break;
    default:
        return am_jfail(j, "TypeError", "slice indices must be integers or None or have an __index__ method");
    }
    if (*out < -INT64_MAX / 4) *out = -INT64_MAX / 4;
    if (*out > INT64_MAX / 4) *out = INT64_MAX / 4;
    return true;
}

static int64_t clip(int64_t value, int64_t length, int64_t low, int64_t high)
{
    if (value < 0) value += length;
    return value < low ? low : value > high ? high : value;
}

/* First index and number of items of a slice, as slice.indices() has them. */
static bool resolve_slice(am_jinja *j, size_t size, am_jvalue start, am_jvalue stop, am_jvalue step, int64_t *first,
                          size_t *count, int64_t *stride)
{
    int64_t length = (int64_t)size, begin, end;
    if (!slice_bound(j, step, 1, stride)) return false;
    if (*stride == 0) return am_jfail(j, "ValueError", "slice step cannot be zero");
    bool down = *stride < 0, has_stop = stop.kind != AM_J_NONE && stop.kind != AM_J_MISSING;
    int64_t low = down ? -1 : 0, high = down ? length - 1 : length;
    if (!slice_bound(j, start, down ? length : 0, &begin) || !slice_bound(j, stop, length, &end)) return false;
    begin = clip(begin, length, low, high);
    end = has_stop ? clip(end, length, low, high) : down ? -1 : length;
    int64_t span = down ? begin - end : end - begin, size_of_step = down ? -*stride : *stride;
    *first = begin;
    *count = span > 0 ? (size_t)((span - 1) / size_of_step + 1) : 0;
    return true;
}

static bool slice_range(am_jinja *j, const am_jrange *range, int64_t first, size_t count, int64_t step, am_jvalue *out)
{
    am_jrange *made = am_jalloc(j, sizeof *made);
    if (!made) return false;
    /* Only the items count: what overflows is a step that is never taken. */
    uint64_t start = (uint64_t)range->start + (uint64_t)first * (uint64_t)range->step;
    uint64_t stride = (uint64_t)range->step * (uint64_t)step;
    *made = (am_jrange){(int64_t)start, (int64_t)(start + count * stride), (int64_t)stride, count};
    *out = (am_jvalue){.kind = AM_J_RANGE, .range = made};
    return true;
}

static bool slice_list(am_jinja *j, am_jvalue list, int64_t first, size_t count, int64_t step, am_jvalue *out)
{
    if (step == 1) return am_jlist_part(j, list.kind, list.list, (size_t)first, count, out);
    am_jvalue *items = am_jarray(j, count, sizeof *items);
    if (!items || !am_jcharge(j, count)) return false;
    for (size_t i = 0; i < count; i++) items[i] = list.list->items[first + (int64_t)i * step];
    const am_jitems made = {.items = items, .count = count};
    return am_jitems_list(j, &made, list.kind, out);
}

bool am_jslice(am_jinja *j, am_jvalue object, am_jvalue start, am_jvalue stop, am_jvalue step, am_jvalue *out)
{
    size_t length, count = 0;
    int64_t first = 0, stride = 1;
    switch (object.kind) {
    case AM_J_STRING:
    case AM_J_LIST:
    case AM_J_TUPLE:
    case AM_J_RANGE:
        break;
    case AM_J_UNDEFINED:
        return am_jfail_undefined(j, object.undefined);
    case AM_J_DICT:
        return am_jfail(j, "TypeError", "unhashable type: 'slice'");
    default:
        return am_jfail(j, "TypeError", "'%s' object is not subscriptable", am_jvalue_type(object));
    }
    if (!am_jvalue_length(j, object, &length)) return false;
    if (!resolve_slice(j, length, start, stop, step, &first, &count, &stride)) return false;
    if (object.kind == AM_J_RANGE) return slice_range(j, object.range, first, count, stride, out);
    if (object.kind != AM_J_STRING) return slice_list(j, object, first, count, stride, out);
    return am_jstring_slice(j, object.string, first, count, stride, out);
}
