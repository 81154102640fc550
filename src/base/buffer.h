/* Bounded growable byte buffer. After a failed append the buffer is `failed` and further appends do nothing,
   so that a writer checks once, at the end. */
#ifndef AM_BASE_BUFFER_H
#define AM_BASE_BUFFER_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct am_buffer {
    char *bytes; /* always followed by a zero byte once anything was appended */
    size_t length, capacity;
    size_t limit_bytes; /* 0: none */
    bool failed;
} am_buffer;

/* Appends; what does not fit the limit or memory sets `failed`. */
void am_buffer_append(am_buffer *buffer, const void *bytes, size_t length);
void am_buffer_append_string(am_buffer *buffer, const char *text);
void am_buffer_append_char(am_buffer *buffer, char c);
void am_buffer_printf(am_buffer *buffer, const char *format, ...) AM_PRINTF(2, 3);

/* Appends a JSON string literal with its quotes. `text` is UTF-8; ill-formed bytes become U+FFFD. */
void am_buffer_append_json_string(am_buffer *buffer, const char *text, size_t length);

/* The text so far, "" when empty; borrowed. */
const char *am_buffer_text(const am_buffer *buffer);

/* AM_OUT_OF_MEMORY when an append failed ("longer than N bytes" where a limit did it). */
am_status am_buffer_status(const am_buffer *buffer) AM_NODISCARD;

/* Empties without freeing; frees. */
void am_buffer_clear(am_buffer *buffer);
void am_buffer_deinit(am_buffer *buffer);

/* Gives the bytes (zero-terminated, freed with am_free) to the caller and empties the buffer; null when
 * failed. */
char *am_buffer_take(am_buffer *buffer);

#ifdef __cplusplus
}
#endif

#endif
