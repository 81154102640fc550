/* For fuzzers of what recorded files of tests/unit hold: their paths. */
#ifndef AM_FUZZ_DATA_H
#define AM_FUZZ_DATA_H

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUZZ_DATA AM_FUZZ_SOURCE_ROOT "/tests/unit/"

/* Paths of what lies in a folder, by their names. */
typedef struct fuzz_paths {
    char **items;
    size_t count;
} fuzz_paths;

static inline void fuzz_list(const char *folder, fuzz_paths *paths)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    if (count < 0) abort();
    for (int i = 0; i < count; i++) {
        size_t room = strlen(folder) + strlen(entries[i]->d_name) + 2;
        char *path = entries[i]->d_name[0] == '.' ? NULL : malloc(room);
        if (path) {
            paths->items = realloc(paths->items, (paths->count + 1) * sizeof *paths->items);
            if (!paths->items) abort();
            snprintf(path, room, "%s/%s", folder, entries[i]->d_name);
            paths->items[paths->count++] = path;
        }
        free(entries[i]);
    }
    free(entries);
}

/* Of the name after the last slash, 16 bits (FNV-1a). */
static inline unsigned fuzz_hash(const char *path)
{
    uint32_t hash = 2166136261u;
    for (const char *at = strrchr(path, '/') + 1; *at; at++) hash = (hash ^ (unsigned char)*at) * 16777619u;
    return hash >> 16;
}

/* The path whose name's hash comes next after the number that two bytes make, so that inputs keep theirs when others
   are added. */
static inline size_t fuzz_choose(const fuzz_paths *paths, const uint8_t *bytes)
{
    unsigned number = bytes[0] * 256u + bytes[1], least = UINT32_MAX;
    size_t best = 0;
    for (size_t i = 0; i < paths->count; i++) {
        unsigned distance = (fuzz_hash(paths->items[i]) - number) & 0xffff;
        if (distance < least) least = distance, best = i;
    }
    return best;
}

#endif
