#include "base/status.h"

#include "base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct am_status_object {
    am_code code;
    char message[];
};

static struct {
    am_code code;
    char message[16];
} no_memory = {AM_OUT_OF_MEMORY, "out of memory"};

am_code am_status_code(am_status status)
{
    return status ? status->code : AM_OK;
}

const char *am_status_message(am_status status)
{
    return status ? status->message : "";
}

void am_status_free(am_status status)
{
    if ((void *)status != (void *)&no_memory) am_free(status);
}

const char *am_code_text(am_code code)
{
    switch (code) {
#define ROW(id, number, text, meaning)                                                                                 \
    case id:                                                                                                           \
        return text;
        AM_STATUS_CODES(ROW)
#undef ROW
    }
    return "unknown error";
}

am_status am_out_of_memory(void)
{
    return (am_status)(void *)&no_memory;
}

am_status am_error_v(am_code code, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0) return am_out_of_memory();
    am_status status = am_alloc(sizeof *status + (size_t)length + 1);
    if (!status) return am_out_of_memory();
    status->code = code;
    vsnprintf(status->message, (size_t)length + 1, format, arguments);
    return status;
}

am_status am_error(am_code code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    am_status status = am_error_v(code, format, arguments);
    va_end(arguments);
    return status;
}

am_status am_note(am_status status, const char *format, ...)
{
    if (!status) return NULL;
    char note[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(note, sizeof note, format, arguments);
    va_end(arguments);
    am_status with_note = am_error(status->code, "%s: %s", note, status->message);
    am_status_free(status);
    return with_note;
}

am_status am_error_from_errno(const char *what, const char *path)
{
    int number = errno;
    am_code code = number == ENOENT || number == ENOTDIR ? AM_NOT_FOUND : number == ENOMEM ? AM_OUT_OF_MEMORY : AM_IO;
    return am_error(code, "cannot %s %s: %s", what, path, strerror(number));
}
