/* Reading arguments of routines, with Python's complaints about their types. */
#ifndef AM_TEXT_CHAT_TEMPLATE_ARGUMENTS_H
#define AM_TEXT_CHAT_TEMPLATE_ARGUMENTS_H

#include "text/chat_template/evaluate.h"

static inline bool am_jgiven(am_jvalue value)
{
    return value.kind != AM_J_MISSING;
}

/* Not given, or none. */
static inline bool am_jabsent(am_jvalue value)
{
    return value.kind == AM_J_MISSING || value.kind == AM_J_NONE;
}

/* An index or count; `fallback` when it is not given. Large ones are clipped to what fits. */
bool am_jargument_int(am_jinja *j, am_jvalue value, int64_t fallback, int64_t *out);

/* The truth of an argument, `fallback` when it is not given. */
bool am_jargument_bool(am_jvalue value, bool fallback);

#endif
