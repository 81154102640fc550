/* Arguments that callers give as JSON. */
#ifndef AM_API_ARGUMENTS_H
#define AM_API_ARGUMENTS_H

#include "base/json.h"
#include "text/tokenizer.h"

/* Parses an object; json null: *document null and *out MISSING. `name` stands for it in messages. Fails with
   AM_INVALID_FILE (no JSON), AM_INVALID_ARGUMENT (another kind of value). *document is closed with am_json_close. */
am_status am_read_object(const char *json, const char *name, am_json_document **document, am_json *out) AM_NODISCARD;

/* "auto" or null, "file". */
am_status am_read_tokenizer_mode(const char *how, am_tokenizer_mode *out) AM_NODISCARD;

#endif
