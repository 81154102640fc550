#define _GNU_SOURCE /* dladdr, pipe2 */
#include "targets/max/compile.h"

#include "base/cache_folder.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/warning.h"
#include "targets/common/sdk.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MEF_LIMIT = 1 << 30, WORDS_BYTES = 1 << 16, TAIL_BYTES = 16, POLL_MS = 100, ROOM_BYTES = 1 << 28 };

extern char **environ;

static const char helper_name[] = "anymodel-max-compile", folder_stem[] = "anymodel-compile-";

/* --- the helper program --- */

static bool is_program(char out[PATH_MAX], const char *folder, const char *name)
{
    return am_sdk_join(out, folder, name) && access(out, X_OK) == 0;
}

/* In the folder of `file`, or in ../libexec/anymodel from there. */
static bool look_beside(char out[PATH_MAX], const char *file)
{
    char folder[PATH_MAX], libexec[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", file);
    char *slash = strrchr(folder, '/');
    if (!slash) return false;
    *slash = 0;
    if (is_program(out, folder, helper_name)) return true;
    return am_sdk_join(libexec, folder, "../libexec/anymodel") && is_program(out, libexec, helper_name);
}

static am_status find_helper(char out[PATH_MAX])
{
    char self[PATH_MAX];
    const char *given = getenv("ANYMODEL_LIBEXEC");
    Dl_info info;
    if (given && *given) {
        if (is_program(out, given, helper_name)) return NULL;
        return am_error(AM_UNAVAILABLE, "ANYMODEL_LIBEXEC is %.300s, where %s is not", given, helper_name);
    }
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    self[length > 0 ? length : 0] = 0;
    if (look_beside(out, self)) return NULL;
    if (dladdr(helper_name, &info) && info.dli_fname && look_beside(out, info.dli_fname)) return NULL;
    return am_error(AM_UNAVAILABLE,
                    "%s was not found beside the program, nor in ../libexec/anymodel from there (it may be "
                    "given by ANYMODEL_LIBEXEC)",
                    helper_name);
}

/* --- the child --- */

typedef struct child {
    pid_t pid;
    int words; /* what it says, on stdout and stderr */
    am_buffer said;
    const atomic_bool *cancelled;
    double begun_s;
} child;

static am_status start(child *c, char *const *arguments)
{
    int ends[2];
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    if (pipe2(ends, O_CLOEXEC) != 0) return am_error_from_errno("make a pipe for", arguments[0]);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, ends[1], 1);
    posix_spawn_file_actions_adddup2(&files, ends[1], 2);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    int failed = posix_spawn(&c->pid, arguments[0], &files, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    close(ends[1]);
    c->words = ends[0];
    c->begun_s = am_clock_seconds();
    if (!failed) return NULL;
    close(ends[0]);
    errno = failed;
    return am_error_from_errno("start", arguments[0]);
}

/* Keeps the beginning of what the child says; false at its end. */
static bool listen_once(child *c)
{
    char bytes[4096];
    struct pollfd p = {.fd = c->words, .events = POLLIN};
    int ready = poll(&p, 1, POLL_MS);
    if (ready < 0) return errno == EINTR;
    if (ready == 0) return true;
    ssize_t length = read(c->words, bytes, sizeof bytes);
    if (length < 0) return errno == EINTR || errno == EAGAIN;
    if (length > 0 && c->said.length < WORDS_BYTES) am_buffer_append(&c->said, bytes, (size_t)length);
    return length > 0;
}

/* Until the child has ended; gives what waitpid says. */
static am_status wait_for(child *c, int *out)
{
    int told = 0;
    bool talks = true, killed = false;
    for (;;) {
        if (c->cancelled && atomic_load(c->cancelled) && !killed) killed = kill(-c->pid, SIGKILL) == 0;
        if (talks) talks = listen_once(c);
        else nanosleep(&(struct timespec){.tv_nsec = 1000000L * POLL_MS}, NULL);
        pid_t ended = waitpid(c->pid, out, WNOHANG);
        if (ended == c->pid) break;
        if (ended < 0 && errno != EINTR) return am_error_from_errno("wait for", helper_name);
        int seconds = (int)(am_clock_seconds() - c->begun_s);
        if (seconds > told) am_progress("compiling for max: %d s", told = seconds);
    }
    fcntl(c->words, F_SETFL, O_NONBLOCK); /* what is left in the pipe; grandchildren may hold its other end */
    for (bool more = talks; more;) {
        char bytes[4096];
        ssize_t length = read(c->words, bytes, sizeof bytes);
        more = length > 0;
        if (more && c->said.length < WORDS_BYTES) am_buffer_append(&c->said, bytes, (size_t)length);
    }
    return killed ? am_error(AM_INTERNAL, "max: compiling was cancelled") : NULL;
}

/* The compiler's errors, or the beginning of what it said, without the traces of its own crash. */
static void put_words(am_buffer *out, const char *said)
{
    const char *error = strstr(said, "error: ");
    const char *at = error ? error : said, *stop = strstr(at, "Stack dump");
    const char *please = strstr(at, "PLEASE submit");
    size_t length = strlen(at);
    if (stop && (size_t)(stop - at) < length) length = (size_t)(stop - at);
    if (please && (size_t)(please - at) < length) length = (size_t)(please - at);
    if (length > 1200) length = 1200;
    while (length > 0 && (at[length - 1] == '\n' || at[length - 1] == ' ')) length--;
    am_buffer_append(out, at, length);
    for (size_t i = 0; i < out->length; i++)
        if (out->bytes[i] == '\n') out->bytes[i] = ' ';
}

/* Whether the compiler could write what it writes; without, how it failed says nothing about the graph. */
static bool had_room(const char *folder)
{
    struct statvfs disk;
    struct rlimit largest;
    if (statvfs(folder, &disk) != 0 || (uint64_t)disk.f_bavail * disk.f_frsize < ROOM_BYTES) return false;
    return getrlimit(RLIMIT_FSIZE, &largest) == 0 &&
           (largest.rlim_cur == RLIM_INFINITY || largest.rlim_cur >= ROOM_BYTES);
}

static bool is_the_graphs_fault(int end, const char *folder)
{
    int signal_number = WIFSIGNALED(end) ? WTERMSIG(end) : 0;
    bool by_itself = signal_number == SIGSEGV || signal_number == SIGABRT || signal_number == SIGILL ||
                     signal_number == SIGBUS || (WIFEXITED(end) && WEXITSTATUS(end) == 1);
    return by_itself && had_room(folder);
}

static am_status judge_end(const child *c, int end, const char *folder, am_max_mef *out)
{
    am_buffer words = {0};
    if (WIFEXITED(end) && WEXITSTATUS(end) == 0) return NULL;
    put_words(&words, am_buffer_text(&c->said));
    int signal_number = WIFSIGNALED(end) ? WTERMSIG(end) : 0;
    out->is_final = is_the_graphs_fault(end, folder);
    const char *colon = words.length ? ": " : "", *said = am_buffer_text(&words);
    am_status status = signal_number ? am_error(AM_INTERNAL, "max: its compiler was ended by signal %d (%s)%s%s",
                                                signal_number, strsignal(signal_number), colon, said)
                                     : am_error(AM_INTERNAL, "max: its compiler failed with exit code %d%s%s",
                                                WEXITSTATUS(end), colon, said);
    am_buffer_deinit(&words);
    return status;
}

/* --- what it made --- */

/* The largest file below the folder: the compiled graph is the one file that MAX keeps there. */
static void find_largest(const char *folder, char best[PATH_MAX], int64_t *best_bytes)
{
    char path[PATH_MAX];
    struct stat info;
    DIR *d = opendir(folder);
    if (!d) return;
    for (struct dirent *entry; (entry = readdir(d));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (!am_sdk_join(path, folder, entry->d_name) || lstat(path, &info) != 0) continue;
        if (S_ISDIR(info.st_mode)) find_largest(path, best, best_bytes);
        else if (S_ISREG(info.st_mode) && info.st_size > *best_bytes) {
            *best_bytes = info.st_size;
            memcpy(best, path, sizeof path);
        }
    }
    closedir(d);
}

/* An entry of MAX's cache is a MEF and 16 bytes behind it. */
static am_status read_mef(const char *folder, am_max_mef *out)
{
    char kept[PATH_MAX], path[PATH_MAX] = "";
    int64_t bytes = TAIL_BYTES;
    if (am_sdk_join(kept, folder, ".max_cache/mof/mef")) find_largest(kept, path, &bytes);
    if (!path[0]) return am_error(AM_INTERNAL, "max: its compiler left no compiled graph in its cache");
    AM_TRY(am_file_read(path, MEF_LIMIT, &out->bytes, &out->length));
    out->length -= TAIL_BYTES;
    return NULL;
}

static am_status compile_in(const char *folder, const char *root, const char *text, size_t length, child *c,
                            am_max_mef *out)
{
    char helper[PATH_MAX], graph[PATH_MAX], folder_text[PATH_MAX], root_text[PATH_MAX];
    int end = 0;
    AM_TRY(find_helper(helper));
    if (!am_sdk_join(graph, folder, "graph.mlir")) return am_error(AM_IO, "the path %.200s is too long", folder);
    AM_TRY(am_file_write(graph, text, length));
    snprintf(folder_text, sizeof folder_text, "%s", folder);
    snprintf(root_text, sizeof root_text, "%s", root);
    char *arguments[] = {helper, root_text, folder_text, graph, NULL};
    AM_TRY(start(c, arguments));
    am_status status = wait_for(c, &end);
    close(c->words);
    if (!status) status = judge_end(c, end, folder, out);
    return status ? status : read_mef(folder, out);
}

/* --- the temporary folder --- */

/* A folder "anymodel-compile-..." of this user's whose lock nobody has: who made it was killed. */
static bool is_abandoned(const char *folder)
{
    char path[PATH_MAX];
    struct stat info;
    if (lstat(folder, &info) != 0 || !S_ISDIR(info.st_mode) || info.st_uid != geteuid()) return false;
    int fd = am_sdk_join(path, folder, "lock") ? open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW) : -1;
    bool is_free = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (fd >= 0) close(fd);
    return is_free;
}

/* What a compile leaves when its process is killed is 50 MB and more. */
static void delete_abandoned(const char *temporary)
{
    char path[PATH_MAX];
    DIR *d = opendir(temporary);
    if (!d) return;
    for (struct dirent *entry; (entry = readdir(d));)
        if (strncmp(entry->d_name, folder_stem, sizeof folder_stem - 1) == 0 &&
            am_sdk_join(path, temporary, entry->d_name) && is_abandoned(path))
            am_cache_delete_tree(path);
    closedir(d);
}

static am_status make_folder(char out[PATH_MAX], int *out_lock)
{
    char path[PATH_MAX], name[sizeof folder_stem + 6];
    const char *given = getenv("TMPDIR"), *temporary = given && *given ? given : "/tmp";
    delete_abandoned(temporary);
    snprintf(name, sizeof name, "%sXXXXXX", folder_stem);
    if (!am_sdk_join(out, temporary, name) || !mkdtemp(out))
        return am_error_from_errno("create a temporary folder", out);
    if (!am_sdk_join(path, out, "lock")) return am_error(AM_IO, "the path %.200s is too long", out);
    return am_cache_lock(path, "compiling for max", NULL, out_lock);
}

am_status am_max_compile(const char *root, const char *text, size_t length, const atomic_bool *cancelled,
                         am_max_mef *out)
{
    char folder[PATH_MAX] = "";
    int lock = -1;
    child c = {.cancelled = cancelled};
    *out = (am_max_mef){0};
    am_status status = make_folder(folder, &lock);
    if (!status) status = compile_in(folder, root, text, length, &c, out);
    if (lock >= 0) am_cache_delete_tree(folder);
    am_cache_unlock(lock);
    am_buffer_deinit(&c.said);
    return status;
}
