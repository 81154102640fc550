#include "models/model.h"

#include <string.h>

enum { LONGEST = 512 };

/* All places of `from` in text, which holds LONGEST bytes, become `to`; false where that would not fit. */
static bool replace(char *text, const char *from, const char *to, bool *changed)
{
    bool at_start = from[0] == '^';
    size_t old = strlen(from) - at_start, added = strlen(to);
    char *at = text;
    while ((at = at_start ? (strncmp(text, from + 1, old) == 0 ? text : NULL) : strstr(at, from))) {
        size_t rest = strlen(at + old) + 1;
        if ((size_t)(at - text) + added + rest > LONGEST) return false;
        memmove(at + added, at + old, rest);
        memcpy(at, to, added);
        *changed = true;
        at += added;
        if (at_start) break;
    }
    return true;
}

bool am_rename_weight(const am_renaming *list, const char *name, char *out, size_t size)
{
    char text[LONGEST];
    size_t length = strlen(name);
    bool changed = false;
    if (length >= sizeof text) return false;
    memcpy(text, name, length + 1);
    for (; list->name; list++)
        if (!replace(text, list->name, list->in_file, &changed)) return false;
    length = strlen(text);
    if (!changed || length >= size) return false;
    memcpy(out, text, length + 1);
    return true;
}
