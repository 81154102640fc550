/* Stable sorting with Python's `<`. */
#ifndef AM_TEXT_CHAT_TEMPLATE_SORT_H
#define AM_TEXT_CHAT_TEMPLATE_SORT_H

#include "text/chat_template/value.h"

/* Fills `order` with the positions of `keys` from the smallest to the largest (`reverse`: the other way
   round, equal ones still in their order). Fails where two keys have no order. */
bool am_jsort_order(am_jinja *j, const am_jvalue *keys, size_t count, bool reverse, size_t *order);

#endif
