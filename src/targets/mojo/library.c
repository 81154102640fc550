#define _GNU_SOURCE
#include "targets/mojo/library.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/prng.h"
#include "targets/common/modular.h"
#include "targets/cpu/isa.h"
#include "targets/mojo/sources.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOG_LIMIT = 1 << 20, LOG_SHOWN = 2000, TEXT_LIMIT = 96 };

static struct {
    pthread_mutex_t opening;
    bool is_open;
    int64_t width;
    char text[TEXT_LIMIT];
    am_mojo_work functions[AM_MOJO_FUNCTION_COUNT];
} library = {.opening = PTHREAD_MUTEX_INITIALIZER};

static const char *const function_names[] = {
#define AM_MOJO_FUNCTION(id, name) "am_mojo_" #name,
#include "targets/mojo/functions.def"
#undef AM_MOJO_FUNCTION
};

/* --- the SDK --- */

static bool is_too_old(const char *version)
{
    int major, minor, least_major, least_minor;
    if (sscanf(version, "%d.%d", &major, &minor) != 2) return false; /* the build will tell */
    if (sscanf(AM_MOJO_OLDEST, "%d.%d", &least_major, &least_minor) != 2) return false;
    return major < least_major || (major == least_major && minor < least_minor);
}

static am_status find_sdk(am_modular *sdk)
{
    am_modular_find(sdk);
    if (!sdk->has_mojo)
        return am_error(AM_UNAVAILABLE, "no Mojo SDK: %s",
                        sdk->rejected.text[0] ? sdk->rejected.text : "bin/mojo with lib/mojo/std.mojoc was not found");
    if (!is_too_old(sdk->mojo_version)) return NULL;
    return am_error(AM_UNAVAILABLE, "Mojo %s in %s is too old: the kernels need %s", sdk->mojo_version, sdk->root,
                    AM_MOJO_OLDEST);
}

/* --- where it lies --- */

static am_status make_folders(const char *path)
{
    char *copy = am_copy_string(path, strlen(path));
    am_status status = copy ? NULL : am_out_of_memory();
    for (char *end = copy; end && !status;) {
        end = strchr(end + 1, '/');
        if (end) *end = 0;
        if (mkdir(copy, 0777) != 0 && errno != EEXIST) status = am_error_from_errno("make the folder", copy);
        if (end) *end = '/';
    }
    am_free(copy);
    return status;
}

static am_status cache_folder(am_arena *arena, const am_mojo_library_options *options, const char **out)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (options && options->cache_directory)
        *out = am_arena_string(arena, options->cache_directory, strlen(options->cache_directory));
    else if (cache && *cache == '/') *out = am_arena_printf(arena, "%s/anymodel", cache);
    else if (home && *home) *out = am_arena_printf(arena, "%s/.cache/anymodel", home);
    else return am_error(AM_UNAVAILABLE, "no folder for the Mojo library: neither XDG_CACHE_HOME nor HOME is set");
    return *out ? make_folders(*out) : am_out_of_memory();
}

/* Of all that the library's bytes depend on. */
static uint64_t key_of(const am_modular *sdk)
{
    const char *const words[] = {sdk->mojo_version, am_cpu_model_name(), am_cpu_features_text()};
    uint64_t key = am_fnv1a("", 0);
    for (const am_mojo_source *s = am_mojo_sources; s->name; s++) {
        key = am_fnv1a_more(key, s->name, strlen(s->name) + 1);
        key = am_fnv1a_more(key, s->text, s->length);
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) key = am_fnv1a_more(key, words[i], strlen(words[i]) + 1);
    return key;
}

/* --- building it --- */

static am_status write_sources(am_arena *arena, const char *folder)
{
    for (const am_mojo_source *s = am_mojo_sources; s->name; s++) {
        const char *path = am_path_join(arena, folder, s->name);
        if (!path) return am_out_of_memory();
        AM_TRY(am_file_write(path, s->text, s->length));
    }
    return NULL;
}

/* What the compiler says, without its line on the crash reporter, which wheels do not contain. */
static am_status build_failed(const char *log, const char *how, int number)
{
    char *text = NULL;
    size_t length = 0;
    am_status_free(am_file_read(log, LOG_LIMIT, &text, &length));
    const char *from = text ? text : "";
    if (strncmp(from, "Failed to initialize Crashpad", 29) == 0) from += strcspn(from, "\n");
    from += strspn(from, "\n");
    am_status status = am_error(AM_FAILED, "the Mojo compiler %s %d: %.*s", how, number, LOG_SHOWN, from);
    am_free(text);
    return status;
}

static am_status wait_for(pid_t child, const char *log)
{
    int state;
    while (waitpid(child, &state, 0) < 0)
        if (errno != EINTR) return am_error_from_errno("wait for", "the Mojo compiler");
    if (WIFEXITED(state) && WEXITSTATUS(state) == 0) return NULL;
    if (WIFEXITED(state)) return build_failed(log, "ended with code", WEXITSTATUS(state));
    return build_failed(log, "was ended by signal", WTERMSIG(state));
}

/* The compiler gets no more of the environment than it needs: PATH, to find the linker's C compiler. */
static am_status run_compiler(am_arena *arena, const am_modular *sdk, const char *folder, const char *target)
{
    const char *path = getenv("PATH"), *log = am_path_join(arena, folder, "log");
    char *compiler = am_arena_printf(arena, "%s/bin/mojo", sdk->root);
    char *source = am_arena_printf(arena, "%s/library.mojo", folder);
    char *environment[] = {am_arena_printf(arena, "PATH=%s", path ? path : "/usr/bin:/bin"),
                           am_arena_printf(arena, "HOME=%s", folder),
                           am_arena_printf(arena, "TMPDIR=%s", folder),
                           am_arena_printf(arena, "MODULAR_CACHE_DIR=%s/cache", folder),
                           am_arena_printf(arena, "MODULAR_MOJO_MAX_PACKAGE_ROOT=%s", sdk->root),
                           am_arena_printf(arena, "MODULAR_MOJO_MAX_IMPORT_PATH=%s/lib/mojo", sdk->root),
                           NULL};
    /* Without contraction a vector and the elements after the last one are computed alike. */
    char *arguments[] = {
        compiler, "build", "--emit", "shared-lib", "--fp-mode", "contract=off", "-o", (char *)(uintptr_t)target,
        source,   NULL};
    posix_spawn_file_actions_t actions;
    pid_t child;
    for (int i = 0; i < 6; i++)
        if (!environment[i]) return am_out_of_memory();
    if (!log || !compiler || !source) return am_out_of_memory();
    if (posix_spawn_file_actions_init(&actions) != 0) return am_out_of_memory();
    int failed = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (!failed)
        failed = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (!failed) failed = posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    if (!failed) failed = posix_spawn(&child, compiler, &actions, NULL, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    errno = failed;
    return failed ? am_error_from_errno("start", compiler) : wait_for(child, log);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info, (void)kind, (void)place;
    return remove(path);
}

/* In a folder of its own, then moved to its place in one step. */
static am_status build_in(am_arena *arena, const am_modular *sdk, const char *folder, const char *path)
{
    const char *target = am_path_join(arena, folder, "library.so");
    if (!target) return am_out_of_memory();
    AM_TRY(write_sources(arena, folder));
    AM_TRY(run_compiler(arena, sdk, folder, target));
    return rename(target, path) == 0 ? NULL : am_error_from_errno("move the Mojo library to", path);
}

static am_status build(am_arena *arena, const am_modular *sdk, const char *cache, const char *path)
{
    char *folder = am_arena_printf(arena, "%s/mojo-build-XXXXXX", cache);
    if (!folder) return am_out_of_memory();
    if (!mkdtemp(folder)) return am_error_from_errno("make the folder", folder);
    am_status status = build_in(arena, sdk, folder, path);
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return am_note(status, "building the Mojo kernels with %s/bin/mojo", sdk->root);
}

/* One process builds, the others find what it made. */
static am_status build_once(am_arena *arena, const am_modular *sdk, const char *cache, const char *path)
{
    const char *name = am_path_join(arena, cache, "mojo.lock");
    if (!name) return am_out_of_memory();
    int lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (lock < 0) return am_error_from_errno("open", name);
    am_status status = NULL;
    if (flock(lock, LOCK_EX) != 0) status = am_error_from_errno("lock", name);
    else if (!am_file_exists(path)) status = build(arena, sdk, cache, path);
    close(lock);
    return status;
}

/* --- loading it --- */

/* ISO C has no conversion from what dlsym gives to a function. */
static am_mojo_work function_in(void *handle, const char *name)
{
    void *symbol = dlsym(handle, name);
    am_mojo_work function;
    memcpy(&function, &symbol, sizeof function);
    return symbol ? function : NULL;
}

static int64_t number_in(void *handle, const char *name)
{
    void *symbol = dlsym(handle, name);
    int64_t (*function)(void);
    memcpy(&function, &symbol, sizeof function);
    return symbol ? function() : -1;
}

static am_status take_functions(void *handle, const char *path)
{
    int64_t abi = number_in(handle, "am_mojo_abi");
    if (abi != AM_MOJO_ABI)
        return am_error(AM_INVALID_FILE, "%s has kernels of interface %lld, expected %d", path, (long long)abi,
                        AM_MOJO_ABI);
    for (int i = 0; i < AM_MOJO_FUNCTION_COUNT; i++) {
        library.functions[i] = function_in(handle, function_names[i]);
        if (!library.functions[i]) return am_error(AM_INVALID_FILE, "%s does not export %s", path, function_names[i]);
    }
    return NULL;
}

static am_status load(const char *path, const am_modular *sdk)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) return am_error(AM_INVALID_FILE, "cannot load the Mojo library: %s", dlerror());
    am_status status = take_functions(handle, path);
    if (status) {
        dlclose(handle);
        return status;
    }
    library.width = number_in(handle, "am_mojo_width");
    snprintf(library.text, sizeof library.text, "Mojo %s, %lld floats a vector", sdk->mojo_version,
             (long long)library.width);
    library.is_open = true;
    return NULL;
}

static am_status place(am_arena *arena, const am_mojo_library_options *options, const am_modular *sdk,
                       const char **cache, const char **path)
{
    AM_TRY(cache_folder(arena, options, cache));
    *path = am_arena_printf(arena, "%s/mojo-%016llx.so", *cache, (unsigned long long)key_of(sdk));
    return *path ? NULL : am_out_of_memory();
}

am_status am_mojo_library_path(am_arena *arena, const char **out)
{
    am_modular sdk;
    const char *cache;
    *out = NULL;
    AM_TRY(find_sdk(&sdk));
    return place(arena, NULL, &sdk, &cache, out);
}

static am_status find_and_load(am_arena *arena, const am_mojo_library_options *options)
{
    am_modular sdk;
    const char *cache, *path;
    AM_TRY(find_sdk(&sdk));
    AM_TRY(place(arena, options, &sdk, &cache, &path));
    if (!am_file_exists(path)) AM_TRY(build_once(arena, &sdk, cache, path));
    return load(path, &sdk);
}

am_status am_mojo_library_open(const am_mojo_library_options *options)
{
    am_arena arena = {0};
    pthread_mutex_lock(&library.opening);
    am_status status = library.is_open ? NULL : find_and_load(&arena, options);
    pthread_mutex_unlock(&library.opening);
    am_arena_deinit(&arena);
    return status;
}

const char *am_mojo_library_text(void)
{
    return library.text;
}

int64_t am_mojo_vector_width(void)
{
    return library.width;
}

am_mojo_work am_mojo_function_of(am_mojo_function function)
{
    return library.is_open ? library.functions[function] : NULL;
}
