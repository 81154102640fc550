#define _GNU_SOURCE
#include "targets/mojo/library.h"

#include "base/cache_folder.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/sha256.h"
#include "base/warning.h"
#include "targets/common/modular.h"
#include "targets/cpu/isa.h"
#include "targets/mojo/sources.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOG_LIMIT = 1 << 20, LOG_SHOWN = 2000, TEXT_LIMIT = 96, LIBRARY_LIMIT = 1 << 28 };

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

/* A folder of the cache for each key: the library, and what its bytes are. */
typedef struct entry {
    char key[AM_SHA256_TEXT];
    const char *cache;                  /* the folder of all entries */
    const char *folder;                 /* of this one; moved to its place when it is whole */
    const char *library, *check, *lock; /* paths; the lock lies beside the folder */
} entry;

/* Of all that the library's bytes depend on. */
static void key_of(const am_modular *sdk, char out[AM_SHA256_TEXT])
{
    const char *const words[] = {sdk->mojo_version, am_cpu_model_name(), am_cpu_features_text()};
    uint8_t digest[AM_SHA256_BYTES];
    am_sha256 hash;
    am_sha256_begin(&hash);
    for (const am_mojo_source *source = am_mojo_sources; source->name; source++) {
        am_sha256_add(&hash, source->name, strlen(source->name) + 1);
        am_sha256_add(&hash, source->text, source->length);
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) am_sha256_add(&hash, words[i], strlen(words[i]) + 1);
    am_sha256_end(&hash, digest);
    am_sha256_text(digest, out);
}

static am_status find_entry(am_arena *arena, const am_modular *sdk, entry *out)
{
    char *cache;
    AM_TRY(am_cache_folder(arena, "mojo", &cache));
    key_of(sdk, out->key);
    out->cache = cache;
    out->folder = am_path_join(arena, cache, out->key);
    if (!out->folder) return am_out_of_memory();
    out->library = am_path_join(arena, out->folder, "library.so");
    out->check = am_path_join(arena, out->folder, "check");
    out->lock = am_arena_printf(arena, "%s.lock", out->folder);
    return out->library && out->check && out->lock ? NULL : am_out_of_memory();
}

/* "KEY LENGTH SHA-256" of the library at `path`. */
static am_status describe(const entry *e, const char *path, am_buffer *out)
{
    char *bytes, hash[AM_SHA256_TEXT];
    size_t length;
    AM_TRY(am_file_read(path, LIBRARY_LIMIT, &bytes, &length));
    am_sha256_digits_of(bytes, length, hash);
    am_free(bytes);
    am_buffer_printf(out, "%s %zu %s\n", e->key, length, hash);
    return am_buffer_status(out);
}

/* Whether the entry is there and the library's bytes are those that were built: what the loader maps is not looked at
   by it, and a file that was cut short would end the process. */
static bool is_whole(const entry *e)
{
    am_buffer expected = {0};
    char *found = NULL;
    size_t length = 0;
    if (!am_file_exists(e->folder)) return false;
    am_status status = describe(e, e->library, &expected);
    if (!status) status = am_file_read(e->check, LOG_LIMIT, &found, &length);
    if (!status && strcmp(found, am_buffer_text(&expected)) != 0) status = am_error(AM_IO, "it is damaged");
    if (status) am_warn("%s is built again: %s", e->library, am_status_message(status));
    bool good = !status;
    am_status_free(status);
    am_buffer_deinit(&expected);
    am_free(found);
    return good;
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

/* Tells how long it goes on, once a second; ends the compiler when nobody waits for it any more. */
static am_status wait_for(pid_t child, const char *log, const atomic_bool *cancelled)
{
    double begun = am_clock_seconds();
    bool killed = false;
    int state, told = 0;
    for (;;) {
        pid_t ended = waitpid(child, &state, WNOHANG);
        if (ended == child) break;
        if (ended < 0 && errno != EINTR) return am_error_from_errno("wait for", "the Mojo compiler");
        if (!killed && cancelled && atomic_load(cancelled)) killed = kill(child, SIGKILL) == 0;
        int seconds = (int)(am_clock_seconds() - begun);
        if (seconds > told) am_progress("building the Mojo kernels: %d s", told = seconds);
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    if (killed) return am_error(AM_INTERNAL, "cancelled");
    if (WIFEXITED(state) && WEXITSTATUS(state) == 0) return NULL;
    if (WIFEXITED(state)) return build_failed(log, "ended with code", WEXITSTATUS(state));
    return build_failed(log, "was ended by signal", WTERMSIG(state));
}

/* The compiler gets no more of the environment than it needs: PATH, to find the linker's C compiler. */
static am_status run_compiler(am_arena *arena, const am_modular *sdk, const char *folder, const char *target,
                              const atomic_bool *cancelled)
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
    return failed ? am_error_from_errno("start", compiler) : wait_for(child, log, cancelled);
}

/* Whole, in a folder of its own. */
static am_status build_in(am_arena *arena, const am_modular *sdk, const entry *e, const char *work, const char *folder,
                          const atomic_bool *cancelled)
{
    am_buffer check = {0};
    const char *made = am_path_join(arena, folder, "library.so"), *path = am_path_join(arena, folder, "check");
    if (!made || !path) return am_out_of_memory();
    AM_TRY(write_sources(arena, work));
    AM_TRY(run_compiler(arena, sdk, work, made, cancelled));
    am_status status = describe(e, made, &check);
    if (!status) status = am_file_write(path, check.bytes, check.length);
    am_buffer_deinit(&check);
    return status;
}

/* What builders of this entry left that were ended: the lock is held, so none is at work. */
static void delete_remains(am_arena *arena, const entry *e)
{
    DIR *cache = opendir(e->cache);
    size_t length = strlen(e->key);
    for (struct dirent *found; cache && (found = readdir(cache));) {
        bool is_work =
            strncmp(found->d_name, e->key, length) == 0 && strncmp(found->d_name + length, ".build-", 7) == 0;
        const char *path = is_work ? am_path_join(arena, e->cache, found->d_name) : NULL;
        if (path) am_cache_delete_tree(path);
    }
    if (cache) closedir(cache);
}

/* Moved to its place in one step. */
static am_status build(am_arena *arena, const am_modular *sdk, const entry *e, const atomic_bool *cancelled)
{
    delete_remains(arena, e);
    char *work = am_arena_printf(arena, "%s.build-XXXXXX", e->folder);
    if (!work) return am_out_of_memory();
    if (!mkdtemp(work)) return am_error_from_errno("make the folder", work);
    const char *made = am_path_join(arena, work, "made");
    am_status status = made ? NULL : am_out_of_memory();
    if (!status && mkdir(made, 0700) != 0) status = am_error_from_errno("make the folder", made);
    if (!status) status = build_in(arena, sdk, e, work, made, cancelled);
    if (!status) {
        am_cache_delete_tree(e->folder);
        if (rename(made, e->folder) != 0) status = am_error_from_errno("move the Mojo library to", e->folder);
    }
    am_cache_delete_tree(work);
    return am_note(status, "building the Mojo kernels with %s/bin/mojo", sdk->root);
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

/* The lock is held until the library is loaded: nobody takes it away between looking and loading. */
static am_status find_and_load(am_arena *arena, const atomic_bool *cancelled)
{
    am_modular sdk;
    entry e;
    int lock;
    AM_TRY(find_sdk(&sdk));
    AM_TRY(find_entry(arena, &sdk, &e));
    AM_TRY(am_cache_lock(e.lock, "building the Mojo kernels", cancelled, &lock));
    am_status status = is_whole(&e) ? NULL : build(arena, &sdk, &e, cancelled);
    if (!status) {
        status = load(e.library, &sdk);
        if (status) am_cache_delete_tree(e.folder);
    }
    am_cache_unlock(lock);
    return status;
}

/* One thread opens, the others wait for it. */
static am_status begin_opening(const atomic_bool *cancelled)
{
    while (pthread_mutex_trylock(&library.opening) != 0) {
        if (cancelled && atomic_load(cancelled)) return am_error(AM_INTERNAL, "cancelled");
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return NULL;
}

am_status am_mojo_library_open(const atomic_bool *cancelled)
{
    am_arena arena = {0};
    AM_TRY(begin_opening(cancelled));
    am_status status = library.is_open ? NULL : find_and_load(&arena, cancelled);
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

/* --- in files --- */

static am_status export_entry(const entry *e, am_buffer *out)
{
    char *bytes = NULL;
    size_t length = 0;
    AM_TRY(am_file_read(e->library, LIBRARY_LIMIT, &bytes, &length));
    am_buffer_append(out, e->key, strlen(e->key) + 1);
    am_buffer_append(out, bytes, length);
    am_free(bytes);
    return am_buffer_status(out);
}

am_status am_mojo_export(const void *program, am_buffer *out)
{
    am_arena arena = {0};
    am_modular sdk;
    entry e;
    (void)program; /* all have the same */
    am_status status = find_sdk(&sdk);
    if (!status) status = find_entry(&arena, &sdk, &e);
    if (!status) status = export_entry(&e, out);
    am_arena_deinit(&arena);
    return status;
}

/* The library and what its bytes are, in a folder that is moved to its place when it is whole. */
static am_status write_entry(am_arena *arena, const entry *e, const char *bytes, size_t length)
{
    am_buffer check = {0};
    char *made = am_arena_printf(arena, "%s.build-XXXXXX", e->folder);
    if (!made) return am_out_of_memory();
    if (!mkdtemp(made)) return am_error_from_errno("make the folder", made);
    const char *path = am_path_join(arena, made, "library.so"), *note = am_path_join(arena, made, "check");
    am_status status = path && note ? am_file_write(path, bytes, length) : am_out_of_memory();
    if (!status) status = describe(e, path, &check);
    if (!status) status = am_file_write(note, check.bytes, check.length);
    am_buffer_deinit(&check);
    if (!status) {
        am_cache_delete_tree(e->folder);
        if (rename(made, e->folder) != 0) status = am_error_from_errno("move the Mojo library to", e->folder);
    }
    if (status) am_cache_delete_tree(made);
    return status;
}

static am_status install(am_arena *arena, const entry *e, const char *bytes, size_t length)
{
    int lock;
    const char *end = memchr(bytes, 0, length);
    if (!end || strcmp(bytes, e->key) != 0)
        return am_error(
            AM_UNSUPPORTED,
            "mojo: the kernels were built for another SDK, cpu or version of this program (%.16s, here %.16s)",
            end ? bytes : "", e->key);
    size_t head = (size_t)(end + 1 - bytes);
    AM_TRY(am_cache_lock(e->lock, "building the Mojo kernels", NULL, &lock));
    am_status status =
        am_file_exists(e->folder) && is_whole(e) ? NULL : write_entry(arena, e, bytes + head, length - head);
    am_cache_unlock(lock);
    return status;
}

am_status am_mojo_install(const void *bytes, size_t length)
{
    am_arena arena = {0};
    am_modular sdk;
    entry e;
    am_status status = find_sdk(&sdk);
    if (!status) status = find_entry(&arena, &sdk, &e);
    if (!status) status = install(&arena, &e, bytes, length);
    am_arena_deinit(&arena);
    return status;
}
