#define _XOPEN_SOURCE 700
#include "targets/common/modular.h"

#include "targets/common/sdk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROGRAM_BYTES = 1 << 20, PACKAGE_BYTES = 1 << 16 };

static bool has(const char *root, const char *file, int64_t least_bytes)
{
    char path[PATH_MAX];
    return am_sdk_join(path, root, file) && am_sdk_is_file(path, least_bytes);
}

/* Takes the root if either product is there. */
static bool take_root(am_modular *m, const char *root)
{
    m->has_mojo = has(root, "bin/mojo", PROGRAM_BYTES) && has(root, "lib/mojo/std.mojoc", PACKAGE_BYTES);
    m->has_max =
        has(root, "lib/libmax.so", PROGRAM_BYTES) && has(root, "lib/mojo/builtin_kernels.mojoc", PACKAGE_BYTES);
    if (!m->has_mojo && !m->has_max) return false;
    snprintf(m->root, sizeof m->root, "%s", root);
    return true;
}

static void read_versions(am_modular *m, const char *site, const char *environment)
{
    am_sdk_version(site, environment, "mojo_compiler", m->mojo_version, sizeof m->mojo_version);
    am_sdk_version(site, environment, "max_core", m->max_version, sizeof m->max_version);
}

/* A root inside site-packages has its packages' records beside it; a conda prefix is a root itself. */
static bool look_in_site(void *context, const char *site, const char *environment)
{
    char root[PATH_MAX];
    am_modular *m = context;
    bool found = (am_sdk_join(root, site, "modular") && take_root(m, root)) || take_root(m, environment);
    if (found) read_versions(m, site, environment);
    return found;
}

static bool take_given_root(am_modular *m, const char *root)
{
    char site[PATH_MAX];
    if (!root || !*root || !take_root(m, root)) return false;
    if (am_sdk_join(site, root, "..")) read_versions(m, site, root);
    return true;
}

/* "package_root = PATH" in a modular.cfg. */
static bool look_in_configuration(am_modular *m, const char *folder)
{
    char path[PATH_MAX], line[PATH_MAX];
    bool found = false;
    FILE *file = am_sdk_join(path, folder, "modular.cfg") ? fopen(path, "re") : NULL;
    while (file && !found && fgets(line, sizeof line, file)) {
        char *value = strstr(line, "package_root");
        value = value ? strchr(value, '=') : NULL;
        if (!value) continue;
        value += 1 + strspn(value + 1, " \t\"");
        value[strcspn(value, "\"\r\n")] = 0;
        found = take_given_root(m, value);
    }
    if (file) fclose(file);
    return found;
}

static bool look_at_home(am_modular *m)
{
    char folder[PATH_MAX];
    const char *modular = getenv("MODULAR_HOME"), *home = getenv("HOME");
    if (modular && *modular) return look_in_configuration(m, modular);
    return home && am_sdk_join(folder, home, ".modular") && look_in_configuration(m, folder);
}

/* The environment around a `mojo` on PATH. Ubuntu's snap of that name is Juju's tool, Perl's Mojolicious has one too.
 */
static bool look_at_path_entry(am_modular *m, const char *folder)
{
    char path[PATH_MAX], real[PATH_MAX], site[PATH_MAX];
    if (!am_sdk_join(path, folder, "mojo") || access(path, X_OK) != 0 || !realpath(path, real)) return false;
    if (strstr(real, "/snap")) {
        am_reason_no(&m->rejected, "%s is the snap of another program (Juju's), not the Mojo compiler", path);
        return false;
    }
    char *slash = strrchr(real, '/');
    if (slash) *slash = 0;
    slash = strrchr(real, '/');
    if (slash) *slash = 0;
    if (take_given_root(m, real)) return true;
    for (int minor = 9; minor <= 16; minor++) {
        char name[64];
        snprintf(name, sizeof name, "lib/python3.%d/site-packages", minor);
        if (am_sdk_join(site, real, name) && look_in_site(m, site, real)) return true;
    }
    if (!m->rejected.text[0])
        am_reason_no(&m->rejected,
                     "%s is not Modular's: neither bin/mojo nor lib/mojo/std.mojoc of its package is there", path);
    return false;
}

static bool look_at_path(am_modular *m)
{
    bool found = false;
    for (const char *list = getenv("PATH"); list && *list && !found;) {
        char folder[PATH_MAX];
        size_t length = strcspn(list, ":");
        if (length > 0 && length < sizeof folder) {
            memcpy(folder, list, length);
            folder[length] = 0;
            found = look_at_path_entry(m, folder);
        }
        list += length + (list[length] == ':');
    }
    return found;
}

void am_modular_find(am_modular *out)
{
    memset(out, 0, sizeof *out);
    const char *root = getenv("MODULAR_MOJO_MAX_PACKAGE_ROOT");
    if (root && *root) {
        if (!take_given_root(out, root))
            am_reason_no(&out->rejected, "MODULAR_MOJO_MAX_PACKAGE_ROOT is %.300s, where Modular's package is not",
                         root);
        return;
    }
    if (look_at_home(out) || am_sdk_find_site(look_in_site, out)) return;
    (void)look_at_path(out);
}
