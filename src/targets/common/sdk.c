#define _DEFAULT_SOURCE
#include "targets/common/sdk.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool am_sdk_join(char out[PATH_MAX], const char *folder, const char *name)
{
    int length = snprintf(out, PATH_MAX, "%s/%s", folder, name);
    if (length > 0 && length < PATH_MAX) return true;
    out[0] = 0;
    return false;
}

bool am_sdk_is_file(const char *path, int64_t least_bytes)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode) && (int64_t)info.st_size >= least_bytes;
}

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* --- folders of Python packages --- */

typedef struct site_search {
    bool (*look)(void *context, const char *site, const char *environment);
    void *context;
} site_search;

static bool look_in_environment(const site_search *s, const char *environment)
{
    char libraries[PATH_MAX], site[PATH_MAX], name[128];
    bool found = false;
    if (!am_sdk_join(libraries, environment, "lib")) return false;
    DIR *folder = opendir(libraries);
    if (!folder) return false;
    for (struct dirent *entry; !found && (entry = readdir(folder));) {
        if (!starts_with(entry->d_name, "python3")) continue;
        if (snprintf(name, sizeof name, "%.60s/site-packages", entry->d_name) < 0) continue;
        found = am_sdk_join(site, libraries, name) && is_folder(site) && s->look(s->context, site, environment);
    }
    closedir(folder);
    return found;
}

static bool look_in_variable(const site_search *s, const char *variable, const char *below)
{
    char path[PATH_MAX];
    const char *value = getenv(variable);
    return value && *value && am_sdk_join(path, value, below) && look_in_environment(s, path);
}

bool am_sdk_find_site(bool (*look)(void *context, const char *site, const char *environment), void *context)
{
    const site_search s = {look, context};
    return look_in_variable(&s, "ANYMODEL_SDKS", "python") || look_in_variable(&s, "VIRTUAL_ENV", "") ||
           look_in_variable(&s, "CONDA_PREFIX", "") || look_in_environment(&s, ".venv") ||
           look_in_environment(&s, ".pixi/envs/default") || look_in_variable(&s, "HOME", ".local") ||
           (!getenv("ANYMODEL_SDKS") && look_in_environment(&s, AM_SDKS_FOLDER "/python"));
}

/* --- libraries --- */

enum { LIBRARY_BYTES = 1 << 14 };

static bool find_in_list(const char *list, const char *const *names, char out[PATH_MAX])
{
    while (list && *list) {
        char folder[PATH_MAX];
        size_t length = strcspn(list, ":");
        if (length > 0 && length < sizeof folder) {
            memcpy(folder, list, length);
            folder[length] = 0;
            for (const char *const *name = names; *name; name++)
                if (am_sdk_join(out, folder, *name) && am_sdk_is_file(out, LIBRARY_BYTES)) return true;
        }
        list += length + (list[length] == ':');
    }
    out[0] = 0;
    return false;
}

bool am_sdk_find_library(const char *const *names, char out[PATH_MAX])
{
    static const char system[] =
#if defined(__x86_64__)
        "/usr/lib/x86_64-linux-gnu:"
#elif defined(__aarch64__)
        "/usr/lib/aarch64-linux-gnu:"
#endif
        "/usr/lib64:/usr/local/lib:/usr/lib:/usr/lib/wsl/lib:/opt/rocm/lib";
    return find_in_list(getenv("LD_LIBRARY_PATH"), names, out) || find_in_list(system, names, out);
}

bool am_sdk_find_file(const char *folder, const char *start, int64_t least_bytes, char out[PATH_MAX])
{
    DIR *d = opendir(folder);
    char best[256] = "", path[PATH_MAX];
    if (!d) return false;
    for (struct dirent *entry; (entry = readdir(d));)
        if (starts_with(entry->d_name, start) && strcmp(entry->d_name, best) > 0 &&
            strlen(entry->d_name) < sizeof best && am_sdk_join(path, folder, entry->d_name) &&
            am_sdk_is_file(path, least_bytes))
            memcpy(best, entry->d_name, strlen(entry->d_name) + 1);
    closedir(d);
    return best[0] && am_sdk_join(out, folder, best);
}

/* --- versions --- */

/* The version in "PACKAGE-VERSION<end>" of a folder's entries. */
static void find_version(const char *folder, const char *package, const char *end, char *out, size_t capacity)
{
    size_t length = strlen(package);
    DIR *d = opendir(folder);
    if (!d) return;
    for (struct dirent *entry; !*out && (entry = readdir(d));) {
        const char *name = entry->d_name;
        if (strncmp(name, package, length) != 0 || name[length] != '-' || !strstr(name, end)) continue;
        size_t digits = strspn(name + length + 1, "0123456789.abcdevprostu+");
        const char *stop = strstr(name + length + 1, end);
        if (stop && (size_t)(stop - (name + length + 1)) < digits) digits = (size_t)(stop - (name + length + 1));
        snprintf(out, capacity, "%.*s", (int)digits, name + length + 1);
    }
    closedir(d);
}

void am_sdk_version(const char *site, const char *environment, const char *package, char *out, size_t capacity)
{
    char folder[PATH_MAX], conda[64];
    *out = 0;
    find_version(site, package, ".dist-info", out, capacity);
    if (*out || !environment || !am_sdk_join(folder, environment, "conda-meta")) return;
    snprintf(conda, sizeof conda, "%s", package);
    for (char *c = conda; *c; c++)
        if (*c == '_') *c = '-';
    find_version(folder, conda, ".json", out, capacity);
}

void am_sdk_first_line(const char *path, char *out, size_t capacity)
{
    FILE *file = fopen(path, "re");
    *out = 0;
    if (!file) return;
    if (!fgets(out, (int)capacity, file)) *out = 0;
    out[strcspn(out, "\r\n")] = 0;
    fclose(file);
}
