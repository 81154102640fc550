/* Escapes in string literals of templates. */
#ifndef AM_TEXT_CHAT_TEMPLATE_STRING_LITERAL_H
#define AM_TEXT_CHAT_TEMPLATE_STRING_LITERAL_H

#include "text/chat_template/value.h"

/* What stands between the quotes, with escapes replaced as Python's unicode-escape codec does. Fails with
   TemplateSyntaxError; also for surrogates, which UTF-8 cannot hold. */
bool am_jstring_unescape(am_jinja *j, const char *bytes, size_t length, am_jvalue *out);

#endif
