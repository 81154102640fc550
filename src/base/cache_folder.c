#define _XOPEN_SOURCE 700 /* nftw */
#include "base/cache_folder.h"

#include "base/file.h"
#include "base/warning.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *set(const char *variable)
{
    const char *value = getenv(variable);
    return value && *value ? value : NULL;
}

/* XDG's rule: a relative path there is as none. */
static char *root(am_arena *arena)
{
    const char *given = set("ANYMODEL_CACHE"), *xdg = set("XDG_CACHE_HOME"), *home = set("HOME");
    if (given) return am_arena_printf(arena, "%s", given);
    if (xdg && xdg[0] == '/') return am_arena_printf(arena, "%s/anymodel", xdg);
    return home ? am_arena_printf(arena, "%s/.cache/anymodel", home) : NULL;
}

/* Makes each missing folder of the path. */
static am_status make_folders(char *path)
{
    for (char *slash = path + 1;; slash++) {
        if (*slash && *slash != '/') continue;
        char kept = *slash;
        *slash = 0;
        bool failed = mkdir(path, 0700) != 0 && errno != EEXIST && !am_directory_exists(path);
        am_status status = failed ? am_error(AM_IO, "cannot create the folder %s: %s", path, strerror(errno)) : NULL;
        *slash = kept;
        if (status || !kept) return status;
    }
}

char *am_cache_place(am_arena *arena, const char *kind)
{
    char *folder = root(arena);
    return folder ? am_path_join(arena, folder, kind) : NULL;
}

am_status am_cache_root(am_arena *arena, char **out)
{
    *out = root(arena);
    return *out ? NULL : am_error(AM_IO, "no folder for a cache: neither ANYMODEL_CACHE nor HOME is set");
}

am_status am_cache_folder(am_arena *arena, const char *kind, char **out)
{
    char *folder;
    *out = NULL;
    AM_TRY(am_cache_root(arena, &folder));
    folder = am_path_join(arena, folder, kind);
    if (!folder) return am_out_of_memory();
    AM_TRY(make_folders(folder));
    if (access(folder, W_OK | X_OK) != 0)
        return am_error(AM_IO, "cannot write into the folder %s: %s", folder, strerror(errno));
    *out = folder;
    return NULL;
}

am_status am_cache_lock(const char *path, const char *waiting_for, const atomic_bool *cancelled, int *out)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    *out = -1;
    if (fd < 0) return am_error_from_errno("open", path);
    for (int tenths = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; tenths++) {
        am_status status = NULL;
        if (errno != EWOULDBLOCK && errno != EINTR) status = am_error_from_errno("lock", path);
        else if (cancelled && atomic_load(cancelled)) status = am_error(AM_INTERNAL, "cancelled");
        if (status) {
            close(fd);
            return status;
        }
        if (tenths % 10 == 9) am_progress("waiting for another process that is %s: %d s", waiting_for, tenths / 10 + 1);
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
    *out = fd;
    return NULL;
}

void am_cache_unlock(int lock)
{
    if (lock >= 0) close(lock);
}

/* nftw hands nothing on. */
static _Thread_local am_cache_size measured;

static int measure_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)path;
    (void)where;
    if (kind == FTW_F) measured.files++, measured.bytes += info->st_size;
    return 0;
}

am_cache_size am_cache_measure(const char *path)
{
    measured = (am_cache_size){0};
    (void)nftw(path, measure_one, 16, FTW_PHYS);
    return measured;
}

static int delete_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    (void)remove(path);
    return 0;
}

void am_cache_delete_tree(const char *path)
{
    (void)nftw(path, delete_one, 16, FTW_DEPTH | FTW_PHYS);
}
