/* Arguments that callers give as JSON. */
#ifndef AM_API_ARGUMENTS_H
#define AM_API_ARGUMENTS_H

#include "base/json.h"
#include "runtime/session.h"
#include "text/tokenizer.h"

/* Parses an object; json null: *document null and *out MISSING. `name` stands for it in messages. Fails with
   AM_INVALID_FILE (no JSON), AM_INVALID_ARGUMENT (another kind of value). *document is closed with am_json_close. */
am_status am_read_object(const char *json, const char *name, am_json_document **document, am_json *out) AM_NODISCARD;

/* "auto" or null, "file". */
am_status am_read_tokenizer_mode(const char *how, am_tokenizer_mode *out) AM_NODISCARD;

/* Reads am_model_options.weights and dtype into options whose targets are known. Where they round, the policy auto
   leaves the cpu alone: other targets would take the weights as numbers of 32 bits again. */
am_status am_read_precision(const char *weights, const char *dtype, am_session_options *options) AM_NODISCARD;

#endif
