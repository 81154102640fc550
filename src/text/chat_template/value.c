#include "text/chat_template/value.h"

#include "base/prng.h"
#include "base/utf8.h"
#include "text/chat_template/big_integer.h"
#include "text/chat_template/evaluate.h"
#include "text/chat_template/iterate.h"
#include "text/chat_template/represent.h"

#include <math.h>
#include <string.h>

enum { SMALL_DICT = 8 };

/* ---- strings ---- */

static bool new_string(am_jinja *j, am_jstring string, am_jvalue *out)
{
    am_jstring *made = am_jalloc(j, sizeof *made);
    if (!made) return false;
    *made = string;
    *out = (am_jvalue){.kind = AM_J_STRING, .string = made};
    return true;
}

bool am_jstring_borrow(am_jinja *j, const char *bytes, size_t length, am_jvalue *out)
{
    size_t characters = am_utf8_count(bytes, length);
    return new_string(j, (am_jstring){.bytes = bytes, .length = length, .characters = characters}, out);
}

bool am_jstring_make(am_jinja *j, const char *bytes, size_t length, am_jvalue *out)
{
    char *copy = am_jalloc(j, length);
    if (!copy) return false;
    if (length) memcpy(copy, bytes, length);
    return am_jstring_borrow(j, copy, length, out);
}

bool am_jstring_literal(am_jinja *j, const char *text, am_jvalue *out)
{
    return am_jstring_borrow(j, text, strlen(text), out);
}

bool am_jstring_of_text(am_jtext *text, am_jvalue *out)
{
    return !text->j->failed && am_jstring_borrow(text->j, text->length ? text->bytes : "", text->length, out);
}

bool am_jstring_mark(am_jinja *j, am_jvalue string, bool markup, am_jvalue *out)
{
    *out = string;
    if (string.string->markup == markup) return true;
    am_jstring marked = *string.string;
    marked.markup = markup;
    return new_string(j, marked, out);
}

static am_jroom *new_room(am_jinja *j, size_t used, size_t capacity, size_t unit)
{
    am_jroom *room = am_jalloc(j, sizeof *room);
    if (!room) return NULL;
    *room = (am_jroom){.used = used, .capacity = capacity, .memory = am_jarray(j, capacity, unit)};
    return room->memory ? room : NULL;
}

/* Room for a string or list of `old` units with `more` behind it. In place where `first` .. is the last user
   of its room
   (*moved false); else in a new room, twice as large as needed when it has grown before. */
static am_jroom *grow_room(am_jinja *j, am_jroom *room, const void *first, size_t old, size_t more, size_t unit,
                           bool *moved)
{
    *moved = !(room && first == room->memory && room->used == old && room->capacity - old >= more);
    if (!*moved) {
        room->used += more;
        return room;
    }
    size_t total = old + more;
    return new_room(j, total, room ? total * 2 : total + (total < 16 ? total : 16), unit);
}

bool am_jstring_concat(am_jinja *j, const am_jstring *a, const am_jstring *b, am_jvalue *out)
{
    bool moved;
    *out = (am_jvalue){.kind = AM_J_STRING, .string = b->length && !a->length ? b : a};
    if (!a->length || !b->length) return true;
    am_jroom *room = grow_room(j, a->room, a->bytes, a->length, b->length, 1, &moved);
    if (!room) return false;
    char *bytes = room->memory;
    if (moved) memcpy(bytes, a->bytes, a->length);
    memcpy(bytes + a->length, b->bytes, b->length);
    return new_string(j, (am_jstring){bytes, a->length + b->length, a->characters + b->characters, false, room}, out);
}

bool am_jstring_equals(const am_jstring *a, const am_jstring *b)
{
    return a->length == b->length && (a->bytes == b->bytes || memcmp(a->bytes, b->bytes, a->length) == 0);
}

bool am_jstring_is(const am_jstring *string, const char *text)
{
    size_t length = strlen(text);
    return string->length == length && memcmp(string->bytes, text, length) == 0;
}

/* ---- lists ---- */

static bool new_list(am_jinja *j, am_jkind kind, am_jlist list, am_jvalue *out)
{
    am_jlist *made = am_jalloc(j, sizeof *made);
    if (!made) return false;
    *made = list;
    *out = (am_jvalue){.kind = kind, .list = made};
    return true;
}

bool am_jlist_make(am_jinja *j, am_jkind kind, const am_jvalue *items, size_t count, am_jvalue *out)
{
    am_jvalue *copy = am_jarray(j, count, sizeof *copy);
    if (!copy) return false;
    if (count) memcpy(copy, items, count * sizeof *copy);
    return new_list(j, kind, (am_jlist){.items = copy, .count = count}, out);
}

bool am_jlist_part(am_jinja *j, am_jkind kind, const am_jlist *list, size_t first, size_t count, am_jvalue *out)
{
    return new_list(j, kind, (am_jlist){.items = count ? list->items + first : NULL, .count = count}, out);
}

bool am_jpair_make(am_jinja *j, am_jvalue first, am_jvalue second, am_jvalue *out)
{
    am_jvalue pair[2] = {first, second};
    return am_jlist_make(j, AM_J_TUPLE, pair, 2, out);
}

bool am_jitems_push(am_jinja *j, am_jitems *items, am_jvalue value)
{
    if (items->count == items->capacity) {
        size_t capacity = items->capacity ? items->capacity * 2 : 8;
        am_jvalue *grown = am_jarray(j, capacity, sizeof *grown);
        if (!grown) return false;
        if (items->count) memcpy(grown, items->items, items->count * sizeof *grown);
        items->items = grown;
        items->capacity = capacity;
    }
    items->items[items->count++] = value;
    return true;
}

bool am_jitems_list(am_jinja *j, const am_jitems *items, am_jkind kind, am_jvalue *out)
{
    return new_list(j, kind, (am_jlist){.items = items->items, .count = items->count}, out);
}

bool am_jlist_concat(am_jinja *j, am_jkind kind, const am_jlist *a, const am_jlist *b, am_jvalue *out)
{
    bool moved;
    am_jroom *room = grow_room(j, a->room, a->items, a->count, b->count, sizeof *a->items, &moved);
    if (!room) return false;
    am_jvalue *items = room->memory;
    if (moved && a->count) memcpy(items, a->items, a->count * sizeof *items);
    if (b->count) memcpy(items + a->count, b->items, b->count * sizeof *items);
    return new_list(j, kind, (am_jlist){.items = items, .count = a->count + b->count, .room = room}, out);
}

/* ---- hashes and dicts ---- */

static uint64_t mix(uint64_t hash)
{
    return am_splitmix(hash, 0);
}

static bool hash_value(am_jinja *j, am_jvalue value, uint64_t *out);

static bool hash_tuple(am_jinja *j, const am_jlist *list, uint64_t *out)
{
    uint64_t hash = 1, one;
    if (!am_jenter(j)) return false;
    for (size_t i = 0; i < list->count; i++) {
        if (!hash_value(j, list->items[i], &one)) return false;
        hash = mix(hash ^ one);
    }
    am_jleave(j);
    *out = hash;
    return true;
}

/* Equal numbers hash alike, whatever their type. */
static uint64_t hash_real(double real)
{
    uint64_t bits;
    if (real >= -9.2e18 && real <= 9.2e18 && real == floor(real)) return mix((uint64_t)(int64_t)real);
    memcpy(&bits, &real, sizeof bits);
    return mix(bits);
}

static bool hash_value(am_jinja *j, am_jvalue value, uint64_t *out)
{
    switch (value.kind) {
    case AM_J_STRING:
        *out = mix(am_fnv1a(value.string->bytes, value.string->length));
        return true;
    case AM_J_INT:
        *out = mix((uint64_t)value.integer);
        return true;
    case AM_J_BOOL:
        *out = mix(value.boolean);
        return true;
    case AM_J_REAL:
        *out = hash_real(value.real);
        return true;
    case AM_J_BIG:
        *out = hash_real(am_jbig_real(value.big));
        return true;
    case AM_J_NONE:
    case AM_J_UNDEFINED:
        *out = mix(~(uint64_t)value.kind);
        return true;
    case AM_J_TUPLE:
        return hash_tuple(j, value.list, out);
    case AM_J_RANGE:
        *out = mix((uint64_t)value.range->count);
        return true;
    case AM_J_LIST:
    case AM_J_DICT:
    case AM_J_VIEW:
        return am_jfail(j, "TypeError", "unhashable type: '%s'", am_jvalue_type(value));
    default:
        *out = mix((uint64_t)(uintptr_t)value.object);
        return true;
    }
}

bool am_jvalue_hashable(am_jinja *j, am_jvalue value)
{
    uint64_t hash;
    return hash_value(j, value, &hash);
}

bool am_jdict_make(am_jinja *j, am_jvalue *out)
{
    am_jdict *dict = am_jalloc(j, sizeof *dict);
    *out = (am_jvalue){.kind = AM_J_DICT, .dict = dict};
    return dict != NULL;
}

static bool key_equal(am_jinja *j, const am_jentry *entry, am_jvalue key, uint64_t hash, bool *out)
{
    *out = false;
    if (entry->hash != hash) return true;
    if (key.kind != AM_J_STRING || entry->key.kind != AM_J_STRING) return am_jvalue_equal(j, entry->key, key, out);
    *out = am_jstring_equals(entry->key.string, key.string);
    return true;
}

/* Position of the key, or SIZE_MAX. */
static bool find_entry(am_jinja *j, const am_jdict *dict, am_jvalue key, uint64_t hash, size_t *out)
{
    bool equal = false;
    *out = SIZE_MAX;
    for (size_t i = 0; !dict->table && i < dict->count; i++) {
        if (!key_equal(j, &dict->entries[i], key, hash, &equal)) return false;
        if (equal) *out = i;
        if (equal) return true;
    }
    size_t mask = dict->table_size - 1;
    for (size_t at = hash & mask; dict->table && dict->table[at]; at = (at + 1) & mask) {
        size_t i = dict->table[at] - 1;
        if (!am_jcharge(j, 1) || !key_equal(j, &dict->entries[i], key, hash, &equal)) return false;
        if (equal) *out = i;
        if (equal) return true;
    }
    return true;
}

static void put_in_table(am_jdict *dict, size_t position)
{
    size_t mask = dict->table_size - 1, at = dict->entries[position].hash & mask;
    while (dict->table[at]) at = (at + 1) & mask;
    dict->table[at] = (uint32_t)position + 1;
}

static bool grow_dict(am_jinja *j, am_jdict *dict)
{
    size_t capacity = dict->capacity ? dict->capacity * 2 : SMALL_DICT / 2;
    if (capacity > UINT32_MAX / 2) return am_jfail_memory(j);
    am_jentry *entries = am_jarray(j, capacity, sizeof *entries);
    if (!entries) return false;
    if (dict->count) memcpy(entries, dict->entries, dict->count * sizeof *entries);
    dict->entries = entries;
    dict->capacity = capacity;
    if (capacity <= SMALL_DICT) return true;
    dict->table_size = capacity * 2;
    dict->table = am_jarray(j, dict->table_size, sizeof *dict->table);
    if (!dict->table) return false;
    for (size_t i = 0; i < dict->count; i++) put_in_table(dict, i);
    return true;
}

bool am_jdict_set(am_jinja *j, am_jdict *dict, am_jvalue key, am_jvalue value)
{
    uint64_t hash;
    size_t position;
    if (!hash_value(j, key, &hash) || !find_entry(j, dict, key, hash, &position)) return false;
    if (position != SIZE_MAX) {
        dict->entries[position].value = value;
        return true;
    }
    if (dict->count == dict->capacity && !grow_dict(j, dict)) return false;
    dict->entries[dict->count++] = (am_jentry){.key = key, .value = value, .hash = hash};
    if (dict->table) put_in_table(dict, dict->count - 1);
    return true;
}

bool am_jdict_set_text(am_jinja *j, am_jdict *dict, const char *key, am_jvalue value)
{
    am_jvalue name;
    return am_jstring_literal(j, key, &name) && am_jdict_set(j, dict, name, value);
}

bool am_jdict_find(am_jinja *j, const am_jdict *dict, am_jvalue key, const am_jvalue **out)
{
    uint64_t hash;
    size_t position;
    *out = NULL;
    if (!hash_value(j, key, &hash) || !find_entry(j, dict, key, hash, &position)) return false;
    if (position != SIZE_MAX) *out = &dict->entries[position].value;
    return true;
}

const am_jvalue *am_jdict_find_text(const am_jdict *dict, const char *key)
{
    for (size_t i = 0; i < dict->count; i++) {
        const am_jentry *entry = &dict->entries[i];
        if (entry->key.kind == AM_J_STRING && am_jstring_is(entry->key.string, key)) return &entry->value;
    }
    return NULL;
}

bool am_jdict_copy(am_jinja *j, const am_jdict *dict, am_jvalue *out)
{
    if (!am_jdict_make(j, out)) return false;
    for (size_t i = 0; i < dict->count; i++)
        if (!am_jdict_set(j, out->dict, dict->entries[i].key, dict->entries[i].value)) return false;
    return true;
}

/* ---- equality and order ---- */

bool am_jvalue_is_integer(am_jvalue value)
{
    return value.kind == AM_J_BOOL || value.kind == AM_J_INT || value.kind == AM_J_BIG;
}

bool am_jvalue_is_number(am_jvalue value)
{
    return am_jvalue_is_integer(value) || value.kind == AM_J_REAL;
}

static int compare_strings(const am_jstring *a, const am_jstring *b)
{
    /* The order of UTF-8 bytes is that of code points. */
    size_t shorter = a->length < b->length ? a->length : b->length;
    int order = shorter ? memcmp(a->bytes, b->bytes, shorter) : 0;
    return order ? order : (a->length > b->length) - (a->length < b->length);
}

/* Position of the first pair of items that differ, or the length of the shorter list. */
static bool first_difference(am_jinja *j, const am_jlist *a, const am_jlist *b, size_t *out)
{
    size_t shorter = a->count < b->count ? a->count : b->count, i = 0;
    if (!am_jenter(j)) return false;
    for (bool equal = true; i < shorter; i++) {
        if (!am_jcharge(j, 1)) return false;
        if (!am_jvalue_same(a->items[i], b->items[i]) && !am_jvalue_equal(j, a->items[i], b->items[i], &equal))
            return false;
        if (!equal) break;
    }
    am_jleave(j);
    *out = i;
    return true;
}

static bool lists_equal(am_jinja *j, const am_jlist *a, const am_jlist *b, bool *out)
{
    size_t first;
    *out = a == b;
    if (a == b || a->count != b->count) return true;
    if (!first_difference(j, a, b, &first)) return false;
    *out = first == a->count;
    return true;
}

static bool dicts_equal(am_jinja *j, const am_jdict *a, const am_jdict *b, bool *out)
{
    *out = a == b;
    if (a == b || a->count != b->count) return true;
    if (!am_jenter(j)) return false;
    *out = true;
    for (size_t i = 0; *out && i < a->count; i++) {
        size_t position;
        if (!am_jcharge(j, 1) || !find_entry(j, b, a->entries[i].key, a->entries[i].hash, &position)) return false;
        if (position == SIZE_MAX) *out = false;
        else if (!am_jvalue_equal(j, a->entries[i].value, b->entries[position].value, out)) return false;
    }
    am_jleave(j);
    return true;
}

static bool ranges_equal(const am_jrange *a, const am_jrange *b)
{
    if (a->count != b->count) return false;
    return a->count == 0 || (a->start == b->start && (a->count == 1 || a->step == b->step));
}

bool am_jvalue_equal(am_jinja *j, am_jvalue a, am_jvalue b, bool *out)
{
    if (am_jvalue_is_number(a) && am_jvalue_is_number(b)) {
        *out = am_jnumber_compare(a, b) == AM_J_EQUAL;
        return true;
    }
    *out = false;
    if (a.kind != b.kind) return true;
    switch (a.kind) {
    case AM_J_NONE:
    case AM_J_UNDEFINED:
        *out = true;
        return true;
    case AM_J_STRING:
        *out = am_jstring_equals(a.string, b.string);
        return a.string->length != b.string->length || am_jcharge_bytes(j, a.string->length);
    case AM_J_LIST:
    case AM_J_TUPLE:
        return lists_equal(j, a.list, b.list, out);
    case AM_J_DICT:
        return dicts_equal(j, a.dict, b.dict, out);
    case AM_J_RANGE:
        *out = ranges_equal(a.range, b.range);
        return true;
    default:
        *out = a.object == b.object;
        return true;
    }
}

static bool holds(const char *operator, am_jorder order)
{
    if (order == AM_J_UNORDERED) return false;
    if (order == AM_J_EQUAL) return operator[1] == '=';
    return (operator[0] == '<') == (order == AM_J_LESS);
}

static am_jorder order_of(int64_t difference)
{
    return difference < 0 ? AM_J_LESS : difference > 0 ? AM_J_GREATER : AM_J_EQUAL;
}

static bool compare_lists(am_jinja *j, const char *operator, const am_jlist * a, const am_jlist *b, bool *out)
{
    size_t first;
    if (!first_difference(j, a, b, &first)) return false;
    if (first < a->count && first < b->count) {
        bool ok = am_jenter(j) && am_jvalue_compare(j, operator, a->items[first], b->items[first], out);
        if (ok) am_jleave(j);
        return ok;
    }
    *out = holds(operator, order_of((a->count > b->count) - (a->count < b->count)));
    return true;
}

bool am_jvalue_compare(am_jinja *j, const char *operator, am_jvalue a, am_jvalue b, bool *out)
{
    if (a.kind == AM_J_UNDEFINED) return am_jfail_undefined(j, a.undefined);
    if (b.kind == AM_J_UNDEFINED) return am_jfail_undefined(j, b.undefined);
    if (am_jvalue_is_number(a) && am_jvalue_is_number(b)) {
        *out = holds(operator, am_jnumber_compare(a, b));
        return true;
    }
    if (a.kind == AM_J_STRING && b.kind == AM_J_STRING) {
        *out = holds(operator, order_of(compare_strings(a.string, b.string)));
        return am_jcharge_bytes(j, a.string->length);
    }
    if (a.kind == b.kind && (a.kind == AM_J_LIST || a.kind == AM_J_TUPLE))
        return compare_lists(j, operator, a.list, b.list, out);
    return am_jfail(j, "TypeError", "'%s' not supported between instances of '%s' and '%s'", operator,
                    am_jvalue_type(a), am_jvalue_type(b));
}

bool am_jvalue_same(am_jvalue a, am_jvalue b)
{
    if (a.kind != b.kind) return false;
    switch (a.kind) {
    case AM_J_NONE:
        return true;
    case AM_J_BOOL:
        return a.boolean == b.boolean;
    case AM_J_INT:
        return a.integer == b.integer;
    case AM_J_STRING:
        return am_jstring_equals(a.string, b.string); /* as if all were interned */
    case AM_J_REAL:
        return false;
    default:
        return a.object == b.object;
    }
}

/* ---- truth, length, names ---- */

bool am_jvalue_true(am_jvalue value)
{
    size_t length;
    switch (value.kind) {
    case AM_J_MISSING:
    case AM_J_UNDEFINED:
    case AM_J_NONE:
        return false;
    case AM_J_BOOL:
        return value.boolean;
    case AM_J_INT:
        return value.integer != 0;
    case AM_J_REAL:
        return value.real != 0;
    case AM_J_STRING:
    case AM_J_LIST:
    case AM_J_TUPLE:
    case AM_J_DICT:
    case AM_J_RANGE:
    case AM_J_VIEW:
        return am_jvalue_length(NULL, value, &length) && length;
    default:
        return true;
    }
}

bool am_jvalue_has_length(am_jvalue value)
{
    return value.kind == AM_J_UNDEFINED || (value.kind >= AM_J_STRING && value.kind <= AM_J_VIEW) ||
           value.kind == AM_J_LOOP;
}

bool am_jvalue_length(am_jinja *j, am_jvalue value, size_t *out)
{
    switch (value.kind) {
    case AM_J_UNDEFINED:
        *out = 0;
        return true;
    case AM_J_STRING:
        *out = value.string->characters;
        return true;
    case AM_J_LIST:
    case AM_J_TUPLE:
        *out = value.list->count;
        return true;
    case AM_J_DICT:
        *out = value.dict->count;
        return true;
    case AM_J_RANGE:
        *out = value.range->count;
        return true;
    case AM_J_VIEW:
        *out = value.view->dict->count;
        return true;
    case AM_J_LOOP:
        return am_jloop_length(j, value.loop, out);
    default:
        return am_jfail(j, "TypeError", "object of type '%s' has no len()", am_jvalue_type(value));
    }
}

static const char *view_type(const am_jview *view)
{
    static const char *const names[] = {"dict_keys", "dict_values", "dict_items"};
    return names[view->kind];
}

const char *am_jvalue_type(am_jvalue value)
{
    switch (value.kind) {
    case AM_J_MISSING:
    case AM_J_UNDEFINED:
        return "Undefined";
    case AM_J_NONE:
        return "NoneType";
    case AM_J_BOOL:
        return "bool";
    case AM_J_INT:
    case AM_J_BIG:
        return "int";
    case AM_J_REAL:
        return "float";
    case AM_J_STRING:
        return value.string->markup ? "Markup" : "str";
    case AM_J_LIST:
        return "list";
    case AM_J_TUPLE:
        return value.list->is_group ? "_GroupTuple" : "tuple";
    case AM_J_DICT:
        return "dict";
    case AM_J_RANGE:
        return "range";
    case AM_J_VIEW:
        return view_type(value.view);
    case AM_J_ITERATOR:
        return am_jiterator_type(value.iterator);
    case AM_J_NAMESPACE:
        return "TemplateNamespace";
    case AM_J_MACRO:
        return "Macro";
    case AM_J_FUNCTION:
        return value.function->self.kind == AM_J_MISSING ? "function" : "builtin_function_or_method";
    case AM_J_LOOP:
        return "LoopContext";
    case AM_J_CYCLER:
        return "Cycler";
    case AM_J_JOINER:
        return "Joiner";
    }
    return "object";
}

/* The Python module of a type, null for builtins. */
static const char *module_of(am_jvalue value)
{
    switch (value.kind) {
    case AM_J_UNDEFINED:
    case AM_J_MACRO:
    case AM_J_LOOP:
        return "jinja2.runtime";
    case AM_J_CYCLER:
    case AM_J_JOINER:
        return "jinja2.utils";
    case AM_J_NAMESPACE:
        return "transformers.utils.chat_template_utils";
    case AM_J_STRING:
        return value.string->markup ? "markupsafe" : NULL;
    case AM_J_TUPLE:
        return value.list->is_group ? "jinja2.filters" : NULL;
    default:
        return NULL;
    }
}

const char *am_jvalue_described(am_jinja *j, am_jvalue value)
{
    am_jtext text = {.j = j};
    const char *module = module_of(value);
    if (value.kind == AM_J_NONE) return "None";
    if (module) am_jtext_printf(&text, "%s.", module);
    am_jtext_printf(&text, "%s object", am_jvalue_type(value));
    return am_jtext_string(&text);
}

bool am_jundefined_make(am_jinja *j, am_jundefined undefined, am_jvalue *out)
{
    am_jundefined *made = am_jalloc(j, sizeof *made);
    if (!made) return false;
    *made = undefined;
    *out = (am_jvalue){.kind = AM_J_UNDEFINED, .undefined = made};
    return true;
}

const char *am_jundefined_message(am_jinja *j, const am_jundefined *undefined)
{
    am_jtext text = {.j = j};
    if (undefined->hint) return undefined->hint;
    const char *name = am_jrepr_text(j, undefined->name);
    if (undefined->is_unsafe)
        am_jtext_printf(&text, "access to attribute %s of '%s' object is unsafe.", name,
                        am_jvalue_type(undefined->object));
    else if (undefined->object.kind == AM_J_MISSING) am_jtext_printf(&text, "%s is undefined", name);
    else if (undefined->name.kind != AM_J_STRING)
        am_jtext_printf(&text, "%s has no element %s", am_jvalue_described(j, undefined->object), name);
    else am_jtext_printf(&text, "'%s' has no attribute %s", am_jvalue_described(j, undefined->object), name);
    return am_jtext_string(&text);
}

bool am_jfail_undefined(am_jinja *j, const am_jundefined *undefined)
{
    return am_jfail(j, undefined->is_unsafe ? "SecurityError" : "UndefinedError", "%s",
                    am_jundefined_message(j, undefined));
}
