/* Formatting: the % operator, str.format, format(). */
#ifndef AM_TEXT_CHAT_TEMPLATE_FORMAT_H
#define AM_TEXT_CHAT_TEMPLATE_FORMAT_H

#include "text/chat_template/evaluate.h"

/* format % value. */
bool am_jformat_percent(am_jinja *j, const am_jstring *format, am_jvalue value, am_jvalue *out);

/* format.format(*arguments, **named), by way of the sandbox's lookups. */
bool am_jformat_braces(am_jinja *j, const am_jstring *format, const am_jarguments *arguments, am_jvalue *out);

/* format(value, spec), appended. */
bool am_jformat_value(am_jtext *text, am_jvalue value, const am_jstring *spec);

/* A double by one of C's conversions: `type` of eEfFgG% ('%' as 'f'), with '#' when `alternate`. Needs the C
   locale. */
void am_jreal_append(am_jtext *text, char type, bool alternate, int precision, double real);

#endif
