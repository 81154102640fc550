/* The arguments of a tokenizer's call, as transformers names them. */
#ifndef AM_TEXT_CALL_OPTIONS_H
#define AM_TEXT_CALL_OPTIONS_H

#include "base/json.h"
#include "text/tokenizer.h"

/* From an object with add_special_tokens, padding, truncation, max_length ..; members of other names are not looked at.
 */
am_encode_options am_call_options_read(am_json arguments);

/* Fails with AM_INVALID_ARGUMENT, naming it, for a member of another name or kind, or a number out of range. */
am_status am_call_options_check(am_json arguments) AM_NODISCARD;

#endif
