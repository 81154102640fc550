/* Filters over sequences. Where Jinja2 has a generator, so is this: evaluated when walked through, and only
   once. */
#include "text/chat_template/arguments.h"
#include "text/chat_template/filters.h"
#include "text/chat_template/iterate.h"
#include "text/chat_template/represent.h"
#include "text/chat_template/sort.h"
#include "text/chat_template/text.h"

#include <string.h>

/* ---- attributes of items ---- */

static bool is_number(const am_jstring *s)
{
    for (size_t i = 0; i < s->length; i++)
        if (s->bytes[i] < '0' || s->bytes[i] > '9') return false;
    return s->length > 0 && s->length < 18;
}

static bool read_step(am_jinja *j, am_jvalue *step)
{
    bool number;
    return !is_number(step->string) || am_jtext_to_integer(j, step->string, 10, &number, step);
}

bool am_jpath_make(am_jinja *j, am_jvalue attribute, bool ignore_case, am_jpath *out)
{
    const am_jstring dot = {.bytes = ".", .length = 1, .characters = 1};
    am_jvalue steps;
    *out = (am_jpath){.ignore_case = ignore_case};
    if (am_jabsent(attribute)) return true;
    if (attribute.kind != AM_J_STRING) {
        if (!am_jlist_make(j, AM_J_LIST, &attribute, 1, &steps)) return false;
    } else if (!am_jstring_split(j, attribute.string, &dot, -1, &steps)) return false;
    out->count = steps.list->count;
    out->steps = am_jarray(j, out->count, sizeof *out->steps);
    if (!out->steps) return false;
    for (size_t i = 0; i < out->count; i++) {
        out->steps[i] = steps.list->items[i];
        if (attribute.kind == AM_J_STRING && !read_step(j, &out->steps[i])) return false;
    }
    return true;
}

bool am_jpath_get(am_jinja *j, const am_jpath *path, am_jvalue item, am_jvalue *out)
{
    *out = item;
    for (size_t i = 0; i < path->count; i++) {
        if (!am_jgetitem(j, *out, path->steps[i], out)) return false;
        if (out->kind == AM_J_UNDEFINED && !am_jabsent(path->fallback)) *out = path->fallback;
    }
    bool lowered = path->ignore_case && out->kind == AM_J_STRING;
    return !lowered || am_jstring_to_case(j, out->string, AM_J_LOWER, out);
}

/* ---- first, last, length, list, default, attr ---- */

static bool nothing(am_jinja *j, const char *hint, am_jvalue *out)
{
    return am_jundefined_make(j, (am_jundefined){.hint = hint}, out);
}

bool am_jfilter_first(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    am_jiterator *iterator;
    if (!am_jiterate(j, c->a[0], &iterator) || !am_jiterator_next(j, iterator, out)) return false;
    return out->kind != AM_J_MISSING || nothing(j, "No first item, sequence was empty.", out);
}

bool am_jfilter_last(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    am_jvalue reversed;
    if (!am_jreversed(j, c->a[0], &reversed) || !am_jiterator_next(j, reversed.iterator, out)) return false;
    return out->kind != AM_J_MISSING || nothing(j, "No last item, sequence was empty.", out);
}

bool am_jfilter_length(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    size_t length;
    if (!am_jvalue_length(j, c->a[0], &length)) return false;
    *out = am_jint((int64_t)length);
    return true;
}

bool am_jfilter_list(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    return am_jvalue_to_list(j, c->a[0], AM_J_LIST, out);
}

bool am_jfilter_default(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    bool replace = c->a[0].kind == AM_J_UNDEFINED || (am_jargument_bool(c->a[2], false) && !am_jvalue_true(c->a[0]));
    *out = replace ? c->a[1] : c->a[0];
    return out->kind != AM_J_MISSING || am_jstring_literal(j, "", out);
}

bool am_jfilter_attr(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    if (!am_jvalue_hashable(j, c->a[1])) return false;
    if (c->a[1].kind != AM_J_STRING)
        return am_jfail(j, "TypeError", "attribute name must be string, not '%s'", am_jvalue_type(c->a[1]));
    if (c->a[0].kind == AM_J_UNDEFINED) return am_jfail_undefined(j, c->a[0].undefined);
    if (!am_jattribute(j, c->a[0], c->a[1].string, out)) return false;
    return out->kind != AM_J_MISSING || am_jundefined_make(j, (am_jundefined){.object = c->a[0], .name = c->a[1]}, out);
}

bool am_jfilter_reverse(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    am_jvalue value = c->a[0], iterator;
    if (value.kind == AM_J_STRING) return am_jstring_reverse(j, value.string, out);
    if (!am_jvalue_is_iterable(value)) return am_jfail(j, "FilterArgumentError", "argument must be iterable");
    if (value.kind != AM_J_ITERATOR) return am_jreversed(j, value, out);
    /* A generator cannot be walked backwards: its items become a list. */
    if (!am_jvalue_to_list(j, value, AM_J_LIST, &value) || !am_jreversed(j, value, &iterator)) return false;
    return am_jvalue_to_list(j, iterator, AM_J_LIST, out);
}

/* ---- sorting ---- */

static bool sort_by(am_jinja *j, const am_jitems *items, const am_jvalue *keys, bool reverse, am_jitems *out)
{
    size_t *order = am_jarray(j, items->count, sizeof *order);
    if (!order || !am_jsort_order(j, keys, items->count, reverse, order)) return false;
    for (size_t i = 0; i < items->count; i++)
        if (!am_jitems_push(j, out, items->items[order[i]])) return false;
    return true;
}

/* sorted() wants an integer for `reverse`. */
static bool reverse_argument(am_jinja *j, am_jvalue value, bool *out)
{
    int64_t number = 0;
    bool ok = am_jargument_int(j, value, 0, &number);
    *out = number != 0;
    return ok;
}

/* "a,b": the items are compared by several attributes, one after the other. */
static bool sort_key(am_jinja *j, const am_jpath *paths, size_t count, am_jvalue item, am_jvalue *out)
{
    am_jitems parts = {0};
    for (size_t i = 0; i < count; i++) {
        am_jvalue part;
        if (!am_jpath_get(j, &paths[i], item, &part) || !am_jitems_push(j, &parts, part)) return false;
    }
    return am_jitems_list(j, &parts, AM_J_LIST, out);
}

static bool sort_paths(am_jinja *j, am_jvalue attribute, bool ignore_case, am_jpath **out, size_t *count)
{
    const am_jstring comma = {.bytes = ",", .length = 1, .characters = 1};
    am_jvalue names;
    bool text = attribute.kind == AM_J_STRING;
    if (text && !am_jstring_split(j, attribute.string, &comma, -1, &names)) return false;
    *count = text ? names.list->count : 1;
    *out = am_jarray(j, *count, sizeof **out);
    if (!*out) return false;
    for (size_t i = 0; i < *count; i++)
        if (!am_jpath_make(j, text ? names.list->items[i] : attribute, ignore_case, &(*out)[i])) return false;
    return true;
}

bool am_jfilter_sort(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    am_jitems items = {0}, sorted = {0};
    am_jpath *paths;
    size_t count;
    bool reverse;
    if (!sort_paths(j, c->a[3], !am_jargument_bool(c->a[2], false), &paths, &count)) return false;
    if (!am_jcollect(j, c->a[0], &items)) return false;
    am_jvalue *keys = am_jarray(j, items.count, sizeof *keys);
    if (!keys) return false;
    for (size_t i = 0; i < items.count; i++)
        if (!sort_key(j, paths, count, items.items[i], &keys[i])) return false;
    return reverse_argument(j, c->a[1], &reverse) && sort_by(j, &items, keys, reverse, &sorted) &&
           am_jitems_list(j, &sorted, AM_J_LIST, out);
}

static bool sort_position(am_jinja *j, am_jvalue by, bool *value)
{
    *value = by.kind == AM_J_STRING && am_jstring_is(by.string, "value");
    if (!am_jgiven(by) || *value || (by.kind == AM_J_STRING && am_jstring_is(by.string, "key"))) return true;
    return am_jfail(j, "FilterArgumentError", "You can only sort by either \"key\" or \"value\"");
}

bool am_jfilter_dictsort(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    bool by_value, reverse;
    am_jitems items = {0}, sorted = {0};
    const am_jpath path = {.ignore_case = !am_jargument_bool(c->a[1], false)};
    if (!sort_position(j, c->a[2], &by_value)) return false;
    if (c->a[0].kind == AM_J_UNDEFINED) return am_jfail_undefined(j, c->a[0].undefined);
    if (c->a[0].kind != AM_J_DICT)
        return am_jfail(j, "AttributeError", "'%s' object has no attribute 'items'", am_jvalue_type(c->a[0]));
    const am_jdict *dict = c->a[0].dict;
    am_jvalue *keys = am_jarray(j, dict->count, sizeof *keys), pair;
    if (!keys) return false;
    for (size_t i = 0; i < dict->count; i++) {
        const am_jentry *entry = &dict->entries[i];
        if (!am_jpair_make(j, entry->key, entry->value, &pair) || !am_jitems_push(j, &items, pair)) return false;
        if (!am_jpath_get(j, &path, by_value ? entry->value : entry->key, &keys[i])) return false;
    }
    return reverse_argument(j, c->a[3], &reverse) && sort_by(j, &items, keys, reverse, &sorted) &&
           am_jitems_list(j, &sorted, AM_J_LIST, out);
}

/* ---- groupby ---- */

static bool push_group(am_jinja *j, const am_jpath *path, am_jvalue key, const am_jitems *members, am_jitems *groups)
{
    am_jvalue list, group;
    am_jpath plain = *path;
    plain.ignore_case = false;
    /* Grouped without regard to case, a group is called what its first member is. */
    if (path->ignore_case && !am_jpath_get(j, &plain, members->items[0], &key)) return false;
    if (!am_jitems_list(j, members, AM_J_LIST, &list) || !am_jpair_make(j, key, list, &group)) return false;
    am_jlist *marked = am_jalloc(j, sizeof *marked);
    if (!marked) return false;
    *marked = *group.list;
    marked->is_group = true;
    group.list = marked;
    return am_jitems_push(j, groups, group);
}

bool am_jfilter_groupby(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    am_jitems items = {0}, groups = {0}, members = {0};
    am_jpath path;
    if (!am_jpath_make(j, c->a[1], !am_jargument_bool(c->a[3], false), &path)) return false;
    path.fallback = c->a[2];
    if (!am_jcollect(j, c->a[0], &items)) return false;
    am_jvalue *keys = am_jarray(j, items.count, sizeof *keys);
    size_t *order = am_jarray(j, items.count, sizeof *order);
    if (!keys || !order) return false;
    for (size_t i = 0; i < items.count; i++)
        if (!am_jpath_get(j, &path, items.items[i], &keys[i])) return false;
    if (!am_jsort_order(j, keys, items.count, false, order)) return false;
    for (size_t i = 0; i < items.count; i++) {
        bool same = i > 0;
        if (same && !am_jvalue_equal(j, keys[order[i]], keys[order[i - 1]], &same)) return false;
        if (!same && i > 0 && !push_group(j, &path, keys[order[i - 1]], &members, &groups)) return false;
        if (!same) members = (am_jitems){0};
        if (!am_jitems_push(j, &members, items.items[order[i]])) return false;
    }
    if (items.count && !push_group(j, &path, keys[order[items.count - 1]], &members, &groups)) return false;
    return am_jitems_list(j, &groups, AM_J_LIST, out);
}

/* ---- generators ---- */

/* Starts to walk through the source of a generator at its first step. */
static bool start(am_jinja *j, am_jiterator *iterator)
{
    return iterator->inner || am_jiterate(j, iterator->source, &iterator->inner);
}

static bool make_generator(am_jinja *j, am_jvalue source, bool (*next)(am_jinja *, am_jiterator *, am_jvalue *),
                           void *extra, am_jvalue *out)
{
    return am_jiterator_make(j, (am_jiterator){.type = "generator", .next = next, .source = source, .extra = extra},
                             out);
}

static bool next_pair(am_jinja *j, am_jiterator *iterator, am_jvalue *out)
{
    am_jvalue source = iterator->source;
    *out = (am_jvalue){.kind = AM_J_MISSING};
    if (source.kind == AM_J_UNDEFINED) return true;
    if (source.kind != AM_J_DICT) return am_jfail(j, "TypeError", "Can only get item pairs from a mapping.");
    if (iterator->position >= source.dict->count) return true;
    const am_jentry *entry = &source.dict->entries[iterator->position++];
    return am_jpair_make(j, entry->key, entry->value, out);
}

bool am_jfilter_items(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    return make_generator(j, c->a[0], next_pair, NULL, out);
}

typedef struct unique_state {
    am_jpath path;
    am_jvalue seen; /* a dict, for its keys */
} unique_state;

static bool next_unique(am_jinja *j, am_jiterator *iterator, am_jvalue *out)
{
    unique_state *state = iterator->extra;
    am_jvalue key;
    const am_jvalue *found;
    if (!start(j, iterator)) return false;
    for (;;) {
        if (!am_jiterator_next(j, iterator->inner, out)) return false;
        if (out->kind == AM_J_MISSING) return true;
        if (!am_jpath_get(j, &state->path, *out, &key)) return false;
        if (!am_jdict_find(j, state->seen.dict, key, &found)) return false;
        if (!found) return am_jdict_set(j, state->seen.dict, key, am_jbool(true));
    }
}

bool am_jfilter_unique(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    unique_state *state = am_jalloc(j, sizeof *state);
    if (!state || !am_jdict_make(j, &state->seen)) return false;
    if (!am_jpath_make(j, c->a[2], !am_jargument_bool(c->a[1], false), &state->path)) return false;
    return make_generator(j, c->a[0], next_unique, state, out);
}

/* ---- batch and slice ---- */

typedef struct parts_state {
    am_jvalue count, fill;
    am_jvalue held; /* the item that did not fit into the last batch */
    am_jvalue list; /* of slice */
    bool ended;
} parts_state;

static bool parts(am_jinja *j, const am_jcall *c, bool (*next)(am_jinja *, am_jiterator *, am_jvalue *), am_jvalue *out)
{
    parts_state *state = am_jalloc(j, sizeof *state);
    if (!state) return false;
    *state = (parts_state){.count = c->a[1], .fill = am_jgiven(c->a[2]) ? c->a[2] : am_jnone()};
    return make_generator(j, c->a[0], next, state, out);
}

static bool fill_batch(am_jinja *j, const parts_state *state, am_jitems *batch)
{
    int64_t wanted;
    bool is_short;
    if (state->fill.kind == AM_J_NONE) return true;
    if (!am_jvalue_compare(j, "<", am_jint((int64_t)batch->count), state->count, &is_short)) return false;
    if (!is_short) return true;
    if (state->count.kind == AM_J_REAL)
        return am_jfail(j, "TypeError", "can't multiply sequence by non-int of type 'float'");
    if (!am_jargument_int(j, state->count, 0, &wanted)) return false;
    while ((int64_t)batch->count < wanted)
        if (!am_jcharge(j, 1) || !am_jitems_push(j, batch, state->fill)) return false;
    return true;
}

static bool next_batch(am_jinja *j, am_jiterator *iterator, am_jvalue *out)
{
    parts_state *state = iterator->extra;
    am_jitems batch = {0};
    am_jvalue item = state->held;
    bool full = false;
    *out = (am_jvalue){.kind = AM_J_MISSING};
    if (state->ended) return true;
    if (!start(j, iterator)) return false;
    if (item.kind != AM_J_MISSING && !am_jitems_push(j, &batch, item)) return false;
    state->held = (am_jvalue){.kind = AM_J_MISSING};
    for (;;) {
        if (!am_jiterator_next(j, iterator->inner, &item)) return false;
        if (item.kind == AM_J_MISSING) break;
        if (!am_jvalue_equal(j, am_jint((int64_t)batch.count), state->count, &full)) return false;
        if (full) {
            state->held = item;
            return am_jitems_list(j, &batch, AM_J_LIST, out);
        }
        if (!am_jitems_push(j, &batch, item)) return false;
    }
    state->ended = true;
    if (!batch.count) return true;
    return fill_batch(j, state, &batch) && am_jitems_list(j, &batch, AM_J_LIST, out);
}

bool am_jfilter_batch(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    return parts(j, c, next_batch, out);
}

static bool next_slice(am_jinja *j, am_jiterator *iterator, am_jvalue *out)
{
    parts_state *state = iterator->extra;
    am_jitems slice = {0};
    int64_t count;
    *out = (am_jvalue){.kind = AM_J_MISSING};
    if (state->list.kind == AM_J_MISSING && !am_jvalue_to_list(j, iterator->source, AM_J_LIST, &state->list))
        return false;
    am_jvalue share, total = am_jint((int64_t)state->list.list->count);
    if (!am_jbinary(j, AM_T_FLOORDIV, total, state->count, &share)) return false; /* only for its errors */
    if (!am_jargument_int(j, state->count, 0, &count)) return false;
    if (count < 0 || iterator->position >= (size_t)count) return true;
    size_t number = iterator->position++, length = state->list.list->count;
    size_t each = length / (size_t)count, with_extra = length % (size_t)count;
    size_t begin = number * each + (number < with_extra ? number : with_extra);
    size_t size = each + (number < with_extra);
    for (size_t i = 0; i < size; i++)
        if (!am_jitems_push(j, &slice, state->list.list->items[begin + i])) return false;
    if (state->fill.kind != AM_J_NONE && number >= with_extra && !am_jitems_push(j, &slice, state->fill)) return false;
    return am_jitems_list(j, &slice, AM_J_LIST, out);
}

bool am_jfilter_slice(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    return parts(j, c, next_slice, out);
}

/* ---- map, select, reject, selectattr, rejectattr ---- */

typedef struct apply_state {
    am_jarguments given; /* of the filter, without the value */
    bool prepared, is_map, by_attribute, rejects;
    am_jpath path;
    am_jvalue name;             /* of a filter or test; MISSING: the attribute, or the truth of it */
    const am_jroutine *routine; /* looked up when there is something to apply it to */
    am_jarguments arguments;    /* of the routine */
} apply_state;

static bool routine_named(am_jinja *j, am_jvalue name, bool filter, const am_jroutine **out)
{
    const char *what = filter ? "filter" : "test";
    *out = NULL;
    if (!am_jvalue_hashable(j, name)) return false;
    if (name.kind == AM_J_STRING) *out = filter ? am_jfilter_find(name.string) : am_jtest_find(name.string);
    if (*out) return true;
    if (name.kind != AM_J_UNDEFINED)
        return am_jfail(j, "TemplateRuntimeError", "No %s named %s.", what, am_jrepr_text(j, name));
    return am_jfail(j, "TemplateRuntimeError",
                    "No %s named Undefined. (%s; did you forget to quote the callable name?)", what,
                    am_jundefined_message(j, name.undefined));
}

static void drop_first(const am_jarguments *from, size_t count, am_jarguments *to)
{
    *to = *from;
    to->positional += count;
    to->count -= count;
}

static bool prepare_map(am_jinja *j, apply_state *state)
{
    const am_jarguments *given = &state->given;
    am_jvalue attribute = am_jarguments_named(given, "attribute");
    if (given->count) {
        drop_first(given, 1, &state->arguments);
        state->name = given->positional[0];
        return true;
    }
    if (!am_jgiven(attribute)) return am_jfail(j, "FilterArgumentError", "map requires a filter argument");
    for (size_t i = 0; i < given->named_count; i++) {
        if (am_jstring_is(given->names[i], "attribute") || am_jstring_is(given->names[i], "default")) continue;
        am_jvalue name = {.kind = AM_J_STRING, .string = given->names[i]};
        return am_jfail(j, "FilterArgumentError", "Unexpected keyword argument %s", am_jrepr_text(j, name));
    }
    if (!am_jpath_make(j, attribute, false, &state->path)) return false;
    state->path.fallback = am_jarguments_named(given, "default");
    return true;
}

static bool prepare_select(am_jinja *j, apply_state *state)
{
    size_t used = state->by_attribute;
    const am_jarguments *given = &state->given;
    if (given->count < used) return am_jfail(j, "FilterArgumentError", "Missing parameter for attribute name");
    if (used && !am_jpath_make(j, given->positional[0], false, &state->path)) return false;
    if (given->count == used) return true;
    drop_first(given, used + 1, &state->arguments);
    state->name = given->positional[used];
    return true;
}

static bool apply(am_jinja *j, apply_state *state, am_jvalue item, am_jvalue *out)
{
    if (!am_jpath_get(j, &state->path, item, out)) return false;
    bool unknown = !state->routine && am_jgiven(state->name);
    if (unknown && !routine_named(j, state->name, state->is_map, &state->routine)) return false;
    return !state->routine || am_jroutine_apply(j, state->routine, *out, &state->arguments, out);
}

static bool next_applied(am_jinja *j, am_jiterator *iterator, am_jvalue *out)
{
    apply_state *state = iterator->extra;
    am_jvalue item;
    *out = (am_jvalue){.kind = AM_J_MISSING};
    if (!am_jvalue_true(iterator->source)) return true;
    if (!state->prepared && !(state->is_map ? prepare_map(j, state) : prepare_select(j, state))) return false;
    state->prepared = true;
    if (!start(j, iterator)) return false;
    for (;;) {
        if (!am_jiterator_next(j, iterator->inner, &item)) return false;
        if (item.kind == AM_J_MISSING) break;
        if (!apply(j, state, item, out)) return false;
        if (state->is_map) return true;
        if (am_jvalue_true(*out) == state->rejects) continue;
        *out = item;
        return true;
    }
    *out = (am_jvalue){.kind = AM_J_MISSING};
    return true;
}

static bool make_applied(am_jinja *j, const am_jcall *c, apply_state what, am_jvalue *out)
{
    apply_state *state = am_jalloc(j, sizeof *state);
    if (!c->given->count)
        return am_jfail(j, "TypeError", "%s() missing 1 required positional argument: 'value'", c->routine->called);
    if (!state) return false;
    *state = what;
    drop_first(c->given, 1, &state->given);
    return make_generator(j, c->given->positional[0], next_applied, state, out);
}

bool am_jfilter_map(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    return make_applied(j, c, (apply_state){.is_map = true}, out);
}

bool am_jfilter_select(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    const char *name = c->routine->name;
    return make_applied(j, c, (apply_state){.by_attribute = strstr(name, "attr") != NULL, .rejects = name[0] == 'r'},
                        out);
}
