#include "targets/target.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool am_reason_no(am_reason *reason, const char *format, ...)
{
    va_list arguments;
    if (!reason) return false;
    va_start(arguments, format);
    vsnprintf(reason->text, sizeof reason->text, format, arguments);
    va_end(arguments);
    return false;
}

const am_target *am_target_find(const char *name, size_t length)
{
    for (const am_target *const *t = am_target_registry; *t; t++)
        if (strlen((*t)->name) == length && memcmp((*t)->name, name, length) == 0) return *t;
    return NULL;
}
