#define _GNU_SOURCE
#include "targets/mojo/sdk.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is smaller is a launcher or another program of the name. */
enum { COMPILER_BYTES = 1 << 20, STANDARD_LIBRARY_BYTES = 1 << 16, CONFIG_LINE = 4096 };

/* Names of a file that a package leaves behind: PREFIX version SUFFIX. */
typedef struct record {
    const char *prefix, *suffix;
} record;

static const record wheel = {"mojo_compiler-", ".dist-info"}, conda = {"mojo-compiler-", ".json"};

typedef struct search {
    am_arena *arena;
    am_mojo_sdk *out;
} search;

static bool is_file(const search *s, const char *folder, const char *name, off_t least)
{
    struct stat info;
    const char *path = am_arena_printf(s->arena, "%s/%s", folder, name);
    return path && stat(path, &info) == 0 && S_ISREG(info.st_mode) && info.st_size >= least;
}

static bool is_folder(const char *path)
{
    struct stat info;
    return path && stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* "1.2.0" of "mojo-compiler-1.2.0-release.json". */
static const char *version_in(const search *s, const char *name, const record *r)
{
    size_t length = strlen(name), before = strlen(r->prefix), after = strlen(r->suffix);
    if (length <= before + after || strncmp(name, r->prefix, before) != 0) return NULL;
    if (strcmp(name + length - after, r->suffix) != 0) return NULL;
    size_t count = length - before - after, dash = strcspn(name + before, "-");
    return am_arena_string(s->arena, name + before, dash < count ? dash : count);
}

static const char *version_of(const search *s, const char *folder, const record *r)
{
    const char *version = NULL;
    DIR *directory = folder ? opendir(folder) : NULL;
    if (!directory) return "unknown";
    for (struct dirent *entry; !version && (entry = readdir(directory));) version = version_in(s, entry->d_name, r);
    closedir(directory);
    return version ? version : "unknown";
}

/* `records`: the folder where packages leave their names. */
static bool try_root(const search *s, const char *root, const char *records, const record *r, const char *found)
{
    if (!root || !is_file(s, root, "bin/mojo", COMPILER_BYTES)) return false;
    if (!is_file(s, root, "lib/mojo/std.mojoc", STANDARD_LIBRARY_BYTES)) return false;
    *s->out = (am_mojo_sdk){am_arena_string(s->arena, root, strlen(root)), version_of(s, records, r), found};
    return s->out->root != NULL;
}

/* A root that stands beside its wheel's record. */
static bool try_package_root(const search *s, const char *root, const char *found)
{
    return try_root(s, root, am_arena_printf(s->arena, "%s/..", root), &wheel, found);
}

/* An environment of conda or pixi has the files in itself, one of Python in its packages. */
static bool try_environment(const search *s, const char *folder, const char *found)
{
    if (!folder || !*folder) return false;
    const char *meta = am_arena_printf(s->arena, "%s/conda-meta", folder);
    if (is_folder(meta) && try_root(s, folder, meta, &conda, found)) return true;
    for (int minor = 9; minor < 20; minor++) {
        const char *packages = am_arena_printf(s->arena, "%s/lib/python3.%d/site-packages", folder, minor);
        if (is_folder(packages) &&
            try_root(s, am_arena_printf(s->arena, "%s/modular", packages), packages, &wheel, found))
            return true;
    }
    return false;
}

/* The folder that a modular.cfg names: package_root = FOLDER. */
static bool try_config(const search *s, const char *folder)
{
    char line[CONFIG_LINE];
    bool done = false;
    const char *path = folder ? am_arena_printf(s->arena, "%s/modular.cfg", folder) : NULL;
    FILE *file = path ? fopen(path, "re") : NULL;
    if (!file) return false;
    while (!done && fgets(line, sizeof line, file)) {
        char *value = strstr(line, "package_root");
        if (!value || !(value = strchr(value, '='))) continue;
        value += 1 + strspn(value + 1, " \t");
        value[strcspn(value, "\r\n")] = 0;
        done = try_package_root(s, value, "modular.cfg");
    }
    fclose(file);
    return done;
}

static bool try_path(const search *s)
{
    const char *path = getenv("PATH");
    char real[PATH_MAX];
    while (path && *path) {
        size_t length = strcspn(path, ":");
        const char *command = am_arena_printf(s->arena, "%.*s/mojo", (int)length, path);
        path += length + (path[length] == ':');
        if (!command || access(command, X_OK) != 0 || !realpath(command, real)) continue;
        for (int up = 0; up < 2; up++) {
            char *slash = strrchr(real, '/');
            if (slash) *slash = 0;
        }
        if (try_environment(s, real, "PATH") || try_package_root(s, real, "PATH")) return true;
    }
    return false;
}

static bool find(const search *s)
{
    const char *home = getenv("HOME"), *root = getenv("MODULAR_MOJO_MAX_PACKAGE_ROOT");
    if (root && *root && try_package_root(s, root, "MODULAR_MOJO_MAX_PACKAGE_ROOT")) return true;
    if (try_config(s, getenv("MODULAR_HOME"))) return true;
    if (home && try_config(s, am_arena_printf(s->arena, "%s/.modular", home))) return true;
    if (try_environment(s, getenv("CONDA_PREFIX"), "CONDA_PREFIX")) return true;
    if (try_environment(s, getenv("VIRTUAL_ENV"), "VIRTUAL_ENV")) return true;
    if (try_environment(s, ".venv", ".venv") || try_environment(s, ".pixi/envs/default", ".pixi")) return true;
    if (home && try_environment(s, am_arena_printf(s->arena, "%s/.local", home), "~/.local")) return true;
    return try_path(s);
}

static bool is_too_old(const char *version)
{
    int major, minor, least_major, least_minor;
    if (sscanf(version, "%d.%d", &major, &minor) != 2) return false; /* the build will tell */
    if (sscanf(AM_MOJO_OLDEST, "%d.%d", &least_major, &least_minor) != 2) return false;
    return major < least_major || (major == least_major && minor < least_minor);
}

am_status am_mojo_sdk_find(am_arena *arena, am_mojo_sdk *out)
{
    search s = {arena, out};
    *out = (am_mojo_sdk){0};
    if (!find(&s))
        return am_error(AM_UNAVAILABLE, "no Mojo SDK found: bin/mojo and lib/mojo/std.mojoc are in none of the places "
                                        "where packages put them; MODULAR_MOJO_MAX_PACKAGE_ROOT can name theirs");
    if (!is_too_old(out->version)) return NULL;
    return am_error(AM_UNAVAILABLE, "Mojo %s in %s is too old: the kernels need %s", out->version, out->root,
                    AM_MOJO_OLDEST);
}
