/* Where results that are expensive to compute are kept from run to run: ANYMODEL_CACHE, else XDG_CACHE_HOME/anymodel,
   else ~/.cache/anymodel. What lies there can be deleted at any time. */
#ifndef AM_BASE_CACHE_FOLDER_H
#define AM_BASE_CACHE_FOLDER_H

#include "base/arena.h"
#include "base/status.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* The folder for one kind of entry ("max"), made where it is missing, for this user only. In the arena. Fails with
   AM_IO where it cannot be made or written to. */
am_status am_cache_folder(am_arena *arena, const char *kind, char **out) AM_NODISCARD;

/* Where that folder is or would be; nothing is made. Null where there is no place for it, or no memory. */
char *am_cache_place(am_arena *arena, const char *kind);

/* The folder that all kinds are in, which need not be there. In the arena. Fails with AM_IO where there is no place for
   it. */
am_status am_cache_root(am_arena *arena, char **out) AM_NODISCARD;

/* A lock that one process holds at a time, over the file `path`, which is made and stays. Waits until it is free,
   reporting that by am_progress once a second as `waiting_for`; `cancelled` (may be null) ends waiting with
   AM_INTERNAL. The lock goes with the process, however that ends. */
am_status am_cache_lock(const char *path, const char *waiting_for, const atomic_bool *cancelled, int *out) AM_NODISCARD;
void am_cache_unlock(int lock);

/* Files below a folder and what they take together; 0 where it is not there. Links are not followed. */
typedef struct am_cache_size {
    int64_t files, bytes;
} am_cache_size;

am_cache_size am_cache_measure(const char *path);

/* Deletes a folder and everything in it; links are not followed. What cannot be deleted stays. */
void am_cache_delete_tree(const char *path);

#endif
