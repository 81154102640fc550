#include "text/chat_template/jinja.h"

#include "base/memory.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

bool am_jfail_memory(am_jinja *j)
{
    if (j->failed) return false;
    j->failed = true;
    j->error = (am_jerror){.code = AM_OUT_OF_MEMORY};
    return false;
}

bool am_jfail_v(am_jinja *j, am_code code, const char *class_name, const char *format, va_list arguments)
{
    va_list again;
    if (j->failed) return false;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *message = length < 0 ? NULL : am_arena_alloc(&j->arena, (size_t)length + 1);
    if (!message) return am_jfail_memory(j);
    vsnprintf(message, (size_t)length + 1, format, arguments);
    j->failed = true;
    j->error = (am_jerror){.class_name = class_name, .message = message, .code = code};
    return false;
}

bool am_jfail(am_jinja *j, const char *class_name, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    am_jfail_v(j, AM_INVALID_ARGUMENT, class_name, format, arguments);
    va_end(arguments);
    return false;
}

bool am_jfail_code(am_jinja *j, am_code code, const char *class_name, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    am_jfail_v(j, code, class_name, format, arguments);
    va_end(arguments);
    return false;
}

void am_jfail_at(am_jinja *j, size_t offset)
{
    if (!j->failed || j->error.has_offset) return;
    j->error.has_offset = true;
    j->error.offset = offset;
}

void *am_jalloc(am_jinja *j, size_t bytes)
{
    if (j->failed) return NULL;
    if (bytes > j->memory_limit_bytes || j->arena.total_bytes > j->memory_limit_bytes - bytes) {
        am_jfail_code(j, AM_OUT_OF_MEMORY, "MemoryError", "the template needs more than %zu bytes of memory",
                      j->memory_limit_bytes);
        return NULL;
    }
    void *memory = am_arena_alloc(&j->arena, bytes);
    if (!memory) am_jfail_memory(j);
    return memory;
}

void *am_jarray(am_jinja *j, size_t count, size_t bytes)
{
    size_t total;
    if (am_multiply_size(count, bytes, &total)) return am_jalloc(j, total);
    am_jfail_memory(j);
    return NULL;
}

bool am_jcharge(am_jinja *j, size_t steps)
{
    if (steps <= (size_t)INT64_MAX && j->steps_left >= (int64_t)steps) {
        j->steps_left -= (int64_t)steps;
        return true;
    }
    return am_jfail_code(j, AM_OUT_OF_MEMORY, "RuntimeError", "the template takes more steps than the limit allows");
}

bool am_jcharge_bytes(am_jinja *j, size_t bytes)
{
    enum { BYTES_A_STEP = 64 };
    return bytes < BYTES_A_STEP || am_jcharge(j, bytes / BYTES_A_STEP);
}

bool am_jenter(am_jinja *j)
{
    if (j->depth >= AM_J_DEPTH_LIMIT)
        return am_jfail_code(j, AM_OUT_OF_MEMORY, "RecursionError", "maximum recursion depth exceeded");
    j->depth++;
    return true;
}

void am_jleave(am_jinja *j)
{
    j->depth--;
}

static bool reserve(am_jtext *text, size_t more)
{
    size_t need;
    am_jinja *j = text->j;
    if (j->failed) return false;
    if (!am_add_size(text->length, more, &need) || need >= PTRDIFF_MAX) return am_jfail_memory(j);
    if (text->limit_bytes && need > text->limit_bytes)
        return am_jfail_code(j, AM_OUT_OF_MEMORY, "MemoryError", "the rendered text is longer than %zu bytes",
                             text->limit_bytes);
    if (need < text->capacity) return true;
    size_t capacity = text->capacity * 2 > need + 1 ? text->capacity * 2 : need + 1;
    if (capacity < 64) capacity = 64;
    char *bytes = am_jalloc(j, capacity);
    if (!bytes) return false;
    if (text->length) memcpy(bytes, text->bytes, text->length);
    text->bytes = bytes;
    text->capacity = capacity;
    return true;
}

void am_jtext_append(am_jtext *text, const void *bytes, size_t length)
{
    if (!length || !reserve(text, length)) return;
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
}

void am_jtext_append_string(am_jtext *text, const char *string)
{
    am_jtext_append(text, string, strlen(string));
}

void am_jtext_append_char(am_jtext *text, char c)
{
    am_jtext_append(text, &c, 1);
}

void am_jtext_append_code_point(am_jtext *text, uint32_t c)
{
    char bytes[4];
    am_jtext_append(text, bytes, am_utf8_put(c, bytes));
}

void am_jtext_append_times(am_jtext *text, const char *bytes, size_t length, size_t times)
{
    size_t total;
    if (!length) return;
    if (!am_multiply_size(length, times, &total)) {
        am_jfail_memory(text->j);
        return;
    }
    if (!reserve(text, total)) return;
    for (size_t i = 0; i < times; i++) am_jtext_append(text, bytes, length);
}

void am_jtext_printf(am_jtext *text, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length >= 0 && reserve(text, (size_t)length)) {
        vsnprintf(text->bytes + text->length, (size_t)length + 1, format, arguments);
        text->length += (size_t)length;
    }
    va_end(arguments);
}

const char *am_jtext_string(am_jtext *text)
{
    if (!text->length || !reserve(text, 0)) return "";
    text->bytes[text->length] = 0;
    return text->bytes;
}
