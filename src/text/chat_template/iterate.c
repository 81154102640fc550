#include "text/chat_template/iterate.h"

#include "text/chat_template/evaluate.h"
#include "text/chat_template/text.h"

static bool end_of(am_jvalue *out)
{
    *out = (am_jvalue){.kind = AM_J_MISSING};
    return true;
}

static bool next_item(am_jinja *j, am_jiterator *i, am_jvalue *out)
{
    (void)j;
    if (i->position == i->source.list->count) return end_of(out);
    *out = i->source.list->items[i->position++];
    return true;
}

static bool next_item_back(am_jinja *j, am_jiterator *i, am_jvalue *out)
{
    (void)j;
    if (!i->position) return end_of(out);
    *out = i->source.list->items[--i->position];
    return true;
}

/* Characters of Markup are plain strings. */
static bool next_character(am_jinja *j, am_jiterator *i, am_jvalue *out)
{
    size_t begin = i->offset;
    if (begin == i->source.string->length) return end_of(out);
    am_jstring_next(i->source.string, &i->offset);
    return am_jstring_borrow(j, i->source.string->bytes + begin, i->offset - begin, out);
}

am_jvalue am_jrange_at(const am_jrange *range, size_t index)
{
    return am_jint(range->start + (int64_t)index * range->step);
}

static bool next_in_range(am_jinja *j, am_jiterator *i, am_jvalue *out)
{
    (void)j;
    if (i->position == i->source.range->count) return end_of(out);
    *out = am_jrange_at(i->source.range, i->position++);
    return true;
}

static bool next_key(am_jinja *j, am_jiterator *i, am_jvalue *out)
{
    (void)j;
    if (i->position >= i->source.dict->count) return end_of(out);
    *out = i->source.dict->entries[i->position++].key;
    return true;
}

static bool next_in_view(am_jinja *j, am_jiterator *i, am_jvalue *out)
{
    const am_jdict *dict = i->source.view->dict;
    if (i->position >= dict->count) return end_of(out);
    const am_jentry *entry = &dict->entries[i->position++];
    if (i->source.view->kind == AM_J_ITEMS) return am_jpair_make(j, entry->key, entry->value, out);
    *out = i->source.view->kind == AM_J_KEYS ? entry->key : entry->value;
    return true;
}

/* A loop gives out its items itself, each with the loop. */
static bool next_of_loop(am_jinja *j, am_jiterator *i, am_jvalue *out)
{
    if (!am_jloop_advance(j, i->source.loop, out)) return false;
    return out->kind == AM_J_MISSING || am_jpair_make(j, *out, i->source, out);
}

static bool next_nothing(am_jinja *j, am_jiterator *i, am_jvalue *out)
{
    (void)j;
    (void)i;
    return end_of(out);
}

static const struct {
    am_jkind kind;
    const char *type;
    bool (*next)(am_jinja *j, am_jiterator *iterator, am_jvalue *out);
} iterables[] = {
    {AM_J_LIST, "list_iterator", next_item},       {AM_J_TUPLE, "tuple_iterator", next_item},
    {AM_J_STRING, "str_iterator", next_character}, {AM_J_RANGE, "range_iterator", next_in_range},
    {AM_J_DICT, "dict_keyiterator", next_key},     {AM_J_VIEW, "dict_itemiterator", next_in_view},
    {AM_J_UNDEFINED, "generator", next_nothing},   {AM_J_LOOP, "LoopContext", next_of_loop},
};

bool am_jiterate(am_jinja *j, am_jvalue value, am_jiterator **out)
{
    *out = value.iterator;
    if (value.kind == AM_J_ITERATOR) return true;
    for (size_t i = 0; i < sizeof iterables / sizeof *iterables; i++) {
        if (iterables[i].kind != value.kind) continue;
        *out = am_jalloc(j, sizeof **out);
        if (!*out) return false;
        **out = (am_jiterator){.type = iterables[i].type, .next = iterables[i].next, .source = value};
        return true;
    }
    return am_jfail(j, "TypeError", "'%s' object is not iterable", am_jvalue_type(value));
}

bool am_jvalue_is_iterable(am_jvalue value)
{
    if (value.kind == AM_J_ITERATOR) return true;
    for (size_t i = 0; i < sizeof iterables / sizeof *iterables; i++)
        if (iterables[i].kind == value.kind) return true;
    return false;
}

bool am_jiterator_make(am_jinja *j, am_jiterator iterator, am_jvalue *out)
{
    am_jiterator *made = am_jalloc(j, sizeof *made);
    if (!made) return false;
    *made = iterator;
    *out = (am_jvalue){.kind = AM_J_ITERATOR, .iterator = made};
    return true;
}

bool am_jiterator_next(am_jinja *j, am_jiterator *iterator, am_jvalue *out)
{
    /* Iterators can be stacked as deep as a template likes (x|map(...)|map(...) in a loop). */
    if (!am_jcharge(j, 1) || !am_jenter(j)) return false;
    bool ok = iterator->next(j, iterator, out);
    am_jleave(j);
    return ok;
}

const char *am_jiterator_type(const am_jiterator *iterator)
{
    return iterator->type;
}

bool am_jcollect(am_jinja *j, am_jvalue value, am_jitems *out)
{
    am_jiterator *iterator;
    am_jvalue next;
    if (!am_jiterate(j, value, &iterator)) return false;
    for (;;) {
        if (!am_jiterator_next(j, iterator, &next)) return false;
        if (next.kind == AM_J_MISSING) return true;
        if (!am_jitems_push(j, out, next)) return false;
    }
}

bool am_jvalue_to_list(am_jinja *j, am_jvalue value, am_jkind kind, am_jvalue *out)
{
    am_jitems items = {0};
    return am_jcollect(j, value, &items) && am_jitems_list(j, &items, kind, out);
}

bool am_jreversed(am_jinja *j, am_jvalue value, am_jvalue *out)
{
    am_jvalue list;
    const char *type = value.kind == AM_J_LIST ? "list_reverseiterator" : "reversed";
    bool values = value.kind == AM_J_VIEW || value.kind == AM_J_DICT || value.kind == AM_J_STRING ||
                  value.kind == AM_J_RANGE || value.kind == AM_J_UNDEFINED;
    if (!values && value.kind != AM_J_LIST && value.kind != AM_J_TUPLE)
        return am_jfail(j, "TypeError", "'%s' object is not reversible", am_jvalue_type(value));
    list = value;
    if (values && !am_jvalue_to_list(j, value, AM_J_LIST, &list)) return false;
    am_jiterator iterator = {.type = type, .next = next_item_back, .source = list, .position = list.list->count};
    return am_jiterator_make(j, iterator, out);
}

bool am_jview_make(am_jinja *j, am_jview_kind kind, am_jdict *dict, am_jvalue *out)
{
    am_jview *view = am_jalloc(j, sizeof *view);
    if (!view) return false;
    *view = (am_jview){kind, dict};
    *out = (am_jvalue){.kind = AM_J_VIEW, .view = view};
    return true;
}
