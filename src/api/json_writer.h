/* Writing JSON into a buffer, member by member; commas are put where they are due. A name is null inside an
 * array. */
#ifndef AM_API_JSON_WRITER_H
#define AM_API_JSON_WRITER_H

#include "base/buffer.h"
#include "tensor/shape.h"

#include <stdbool.h>
#include <stdint.h>

/* Starts and ends an object ('{', '}') or an array ('[', ']'). */
void am_put_open(am_buffer *out, const char *name, char bracket);
void am_put_close(am_buffer *out, char bracket);

/* One value. text null is written as null, a real that is not finite too. */
void am_put_text(am_buffer *out, const char *name, const char *text);
void am_put_text_part(am_buffer *out, const char *name, const char *text, size_t length);
void am_put_integer(am_buffer *out, const char *name, int64_t value);
void am_put_real(am_buffer *out, const char *name, double value);
void am_put_bool(am_buffer *out, const char *name, bool value);
void am_put_shape(am_buffer *out, const char *name, const am_shape *shape);

/* The separator and the name only; whatever is appended next is the value. */
void am_put_name(am_buffer *out, const char *name);

/* Ends a call: gives the text (freed with am_string_free), or frees it where `status` or the buffer failed.
 */
am_status am_put_finish(am_buffer *out, am_status status, char **out_json) AM_NODISCARD;

#endif
