/* Values as text: Python's str() and repr(), JSON as json.dumps writes it, pprint. */
#ifndef AM_TEXT_CHAT_TEMPLATE_REPRESENT_H
#define AM_TEXT_CHAT_TEMPLATE_REPRESENT_H

#include "text/chat_template/value.h"

/* repr(): appended. False when nested too deeply, or a number has too many digits. */
bool am_jrepr(am_jtext *text, am_jvalue value);

/* repr() for messages, zero-terminated; "" when memory is short. */
const char *am_jrepr_text(am_jinja *j, am_jvalue value);

/* str(): appended. Undefined is empty. */
bool am_jstr(am_jtext *text, am_jvalue value);

/* str() as a value: a plain string; a string that is no markup is itself. */
bool am_jvalue_to_string(am_jinja *j, am_jvalue value, am_jvalue *out);

/* markupsafe.soft_str: the same, but markup stays markup. */
bool am_jvalue_to_soft_string(am_jinja *j, am_jvalue value, am_jvalue *out);

/* repr(float): the shortest digits that read back as the same number (code 'r'). Needs the C locale. */
void am_jreal_repr(am_jtext *text, double real);

/* ascii(): repr() with everything beyond ASCII escaped. */
bool am_jascii(am_jtext *text, am_jvalue value);

/* Arguments of the tojson filter; values may be MISSING or none. */
typedef struct am_jjson_options {
    bool ensure_ascii, sort_keys;
    const am_jstring *indent; /* one level, null: everything on one line */
    const am_jstring *item_separator, *key_separator;
} am_jjson_options;

/* json.dumps(value), appended. */
bool am_jjson_write(am_jtext *text, am_jvalue value, const am_jjson_options *options);

/* pprint.pformat(value), appended. */
bool am_jpprint(am_jtext *text, am_jvalue value);

#endif
