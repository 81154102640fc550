/* For fuzzers of several files at once: parts of the input, with zero bytes between, and folders made of them. */
#ifndef AM_FUZZ_PARTS_H
#define AM_FUZZ_PARTS_H

#include "base/mount.h"

#include <anymodel/encoding.h>

#include <stdlib.h>
#include <string.h>

enum { FUZZ_MOST_FILES = 24 };

/* Cuts the input at its first `count` - 1 zero bytes; parts that are not there are empty. */
static inline void fuzz_cut(const uint8_t *data, size_t size, am_text *parts, size_t count)
{
    const char *at = (const char *)data, *end = at + size;
    for (size_t i = 0; i < count; i++) {
        parts[i] = (am_text){"", 0};
        if (!size || at > end) continue;
        const char *zero = i + 1 < count && at < end ? memchr(at, 0, (size_t)(end - at)) : NULL;
        parts[i] = (am_text){at, (size_t)((zero ? zero : end) - at)};
        at += parts[i].length + 1;
    }
}

/* A folder in memory, in which a file is missing whose part is empty. The bytes are borrowed until am_unmount. */
static inline am_mount *fuzz_mount(const char *const *names, const am_text *parts, size_t count)
{
    am_mounted_file files[FUZZ_MOST_FILES];
    am_mount *mount;
    size_t used = 0;
    for (size_t i = 0; i < count && used < FUZZ_MOST_FILES; i++)
        if (parts[i].length)
            files[used++] = (am_mounted_file){.name = names[i], .bytes = parts[i].bytes, .length = parts[i].length};
    if (am_mount_create("fuzz", files, used, &mount)) abort();
    return mount;
}

#endif
