/* For fuzzers of what recorded files of tests/unit hold: their paths. */
#ifndef AM_FUZZ_DATA_H
#define AM_FUZZ_DATA_H

#include <dirent.h>
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

#endif
