#include "base/buffer.h"

#include "base/memory.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static bool reserve(am_buffer *buffer, size_t more)
{
    size_t need;
    if (buffer->failed) return false;
    buffer->failed = true;
    if (!am_add_size(buffer->length, more, &need) || need >= PTRDIFF_MAX) return false;
    if (buffer->limit_bytes && need > buffer->limit_bytes) return false;
    if (need + 1 > buffer->capacity) {
        size_t capacity = buffer->capacity * 2 > need + 1 ? buffer->capacity * 2 : need + 1;
        if (capacity < 64) capacity = 64;
        char *bytes = am_realloc(buffer->bytes, capacity);
        if (!bytes) return false;
        buffer->bytes = bytes;
        buffer->capacity = capacity;
    }
    buffer->failed = false;
    return true;
}

void am_buffer_append(am_buffer *buffer, const void *bytes, size_t length)
{
    if (!reserve(buffer, length)) return;
    if (length) memcpy(buffer->bytes + buffer->length, bytes, length);
    buffer->length += length;
    buffer->bytes[buffer->length] = 0;
}

void am_buffer_append_string(am_buffer *buffer, const char *text)
{
    am_buffer_append(buffer, text, strlen(text));
}

void am_buffer_append_char(am_buffer *buffer, char c)
{
    am_buffer_append(buffer, &c, 1);
}

void am_buffer_printf(am_buffer *buffer, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length >= 0 && reserve(buffer, (size_t)length)) {
        vsnprintf(buffer->bytes + buffer->length, (size_t)length + 1, format, arguments);
        buffer->length += (size_t)length;
    }
    va_end(arguments);
}

static void append_json_code_point(am_buffer *buffer, uint32_t c, const char *bytes, size_t length)
{
    switch (c) {
    case '"':
        am_buffer_append_string(buffer, "\\\"");
        return;
    case '\\':
        am_buffer_append_string(buffer, "\\\\");
        return;
    case '\n':
        am_buffer_append_string(buffer, "\\n");
        return;
    case '\r':
        am_buffer_append_string(buffer, "\\r");
        return;
    case '\t':
        am_buffer_append_string(buffer, "\\t");
        return;
    default:
        break;
    }
    if (c < 0x20 || c == 0x7f) am_buffer_printf(buffer, "\\u%04x", (unsigned)c);
    else if (c == AM_UTF8_INVALID) am_buffer_append_string(buffer, "\xef\xbf\xbd");
    else am_buffer_append(buffer, bytes, length);
}

void am_buffer_append_json_string(am_buffer *buffer, const char *text, size_t length)
{
    am_buffer_append_char(buffer, '"');
    for (size_t at = 0; at < length;) {
        uint32_t c;
        size_t step = am_utf8_next(text + at, length - at, &c);
        append_json_code_point(buffer, c, text + at, step);
        at += step;
    }
    am_buffer_append_char(buffer, '"');
}

const char *am_buffer_text(const am_buffer *buffer)
{
    return buffer->bytes ? buffer->bytes : "";
}

am_status am_buffer_status(const am_buffer *buffer)
{
    if (!buffer->failed) return NULL;
    if (buffer->limit_bytes) return am_error(AM_OUT_OF_MEMORY, "text is longer than %zu bytes", buffer->limit_bytes);
    return am_out_of_memory();
}

void am_buffer_clear(am_buffer *buffer)
{
    buffer->length = 0;
    buffer->failed = false;
    if (buffer->bytes) buffer->bytes[0] = 0;
}

void am_buffer_deinit(am_buffer *buffer)
{
    am_free(buffer->bytes);
    *buffer = (am_buffer){0};
}

char *am_buffer_take(am_buffer *buffer)
{
    am_buffer_append(buffer, "", 0);
    char *bytes = buffer->failed ? NULL : buffer->bytes;
    if (!bytes) am_free(buffer->bytes);
    *buffer = (am_buffer){0};
    return bytes;
}
