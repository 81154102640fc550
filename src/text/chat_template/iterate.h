/* Iteration over anything iterable. Generators of filters are lazy, and empty once walked through, as in
   Python. */
#ifndef AM_TEXT_CHAT_TEMPLATE_ITERATE_H
#define AM_TEXT_CHAT_TEMPLATE_ITERATE_H

#include "text/chat_template/value.h"

struct am_jiterator {
    const char *type; /* "generator" */
    bool (*next)(am_jinja *j, am_jiterator *iterator, am_jvalue *out);
    am_jvalue source;    /* what is walked through */
    am_jiterator *inner; /* an iterator over it, for those that need one */
    size_t position, offset;
    void *extra; /* what `next` needs besides */
};

/* Iterator over a value; an iterator is its own. Fails with TypeError when it is not iterable. */
bool am_jiterate(am_jinja *j, am_jvalue value, am_jiterator **out);

/* A new iterator value. */
bool am_jiterator_make(am_jinja *j, am_jiterator iterator, am_jvalue *out);

/* The next item, MISSING at the end. */
bool am_jiterator_next(am_jinja *j, am_jiterator *iterator, am_jvalue *out);

/* type(iterator).__name__ */
const char *am_jiterator_type(const am_jiterator *iterator);

/* All items that are left. */
bool am_jcollect(am_jinja *j, am_jvalue value, am_jitems *out);

/* list(value) and tuple(value). */
bool am_jvalue_to_list(am_jinja *j, am_jvalue value, am_jkind list_or_tuple, am_jvalue *out);

/* Whether iter(value) works. */
bool am_jvalue_is_iterable(am_jvalue value);

/* reversed(value): the value itself must be a sequence or a dict. */
bool am_jreversed(am_jinja *j, am_jvalue value, am_jvalue *out);

/* Item `index` of a range. */
am_jvalue am_jrange_at(const am_jrange *range, size_t index);

/* A view of a dict. */
bool am_jview_make(am_jinja *j, am_jview_kind kind, am_jdict *dict, am_jvalue *out);

#endif
