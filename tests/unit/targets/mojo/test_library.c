/* Finding an SDK and building with it, with SDKs that are no more than files of the right names and sizes. */
#include "test_support.h"

#include "base/warning.h"
#include "targets/common/modular.h"
#include "targets/mojo/library.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *const variables[] = {"MODULAR_MOJO_MAX_PACKAGE_ROOT",
                                        "MODULAR_HOME",
                                        "CONDA_PREFIX",
                                        "VIRTUAL_ENV",
                                        "ANYMODEL_SDKS",
                                        "HOME",
                                        "PATH",
                                        "XDG_CACHE_HOME",
                                        "ANYMODEL_CACHE"};

/* A new folder, in which the search begins, and nothing else to be found. */
static const char *empty_world(void)
{
    const char *folder = am_test_temporary_directory();
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) unsetenv(variables[i]);
    setenv("ANYMODEL_SDKS", folder, 1); /* not the folder of `make sdks` */
    assert_int_equal(chdir(folder), 0);
    return folder;
}

static void make_folder(const char *path)
{
    char copy[4096];
    snprintf(copy, sizeof copy, "%s", path);
    for (char *end = strchr(copy + 1, '/'); end; end = strchr(end + 1, '/')) {
        *end = 0;
        mkdir(copy, 0777);
        *end = '/';
    }
    mkdir(copy, 0777);
}

/* `text`, and zeros up to `size`. */
static void make_file(const char *path, const char *text, off_t size)
{
    am_test_write_file(path, text, strlen(text));
    assert_int_equal(truncate(path, size), 0);
    assert_int_equal(chmod(path, 0755), 0);
}

static void make_sdk(const char *root, const char *compiler)
{
    make_folder(am_test_format("%s/bin", root));
    make_folder(am_test_format("%s/lib/mojo", root));
    make_file(am_test_format("%s/bin/mojo", root), compiler, 2 << 20);
    make_file(am_test_format("%s/lib/mojo/std.mojoc", root), "", 1 << 17);
}

static void expect_found(const char *root, const char *version)
{
    am_modular found;
    am_modular_find(&found);
    assert_true(found.has_mojo);
    struct stat expected, place;
    assert_int_equal(stat(root, &expected), 0);
    assert_int_equal(stat(found.root, &place), 0);
    assert_int_equal(place.st_ino, expected.st_ino);
    assert_string_equal(found.mojo_version, version);
}

static void targets_mojo__finds_a_wheel(void **state)
{
    const char *folder = empty_world();
    const char *packages = am_test_format("%s/env/lib/python3.11/site-packages", folder);
    const char *root = am_test_format("%s/modular", packages);
    make_sdk(root, "");
    make_folder(am_test_format("%s/mojo_compiler-1.2.0.dist-info", packages));
    setenv("MODULAR_MOJO_MAX_PACKAGE_ROOT", root, 1);
    expect_found(root, "1.2.0");
    unsetenv("MODULAR_MOJO_MAX_PACKAGE_ROOT");
    setenv("VIRTUAL_ENV", am_test_format("%s/env", folder), 1);
    expect_found(root, "1.2.0");
    unsetenv("VIRTUAL_ENV");
    am_test_write_text(folder, "modular.cfg", am_test_format("[mojo-max]\npackage_root = %s\n", root));
    setenv("MODULAR_HOME", folder, 1);
    expect_found(root, "1.2.0");
}

static void targets_mojo__finds_a_conda_environment(void **state)
{
    const char *folder = empty_world(), *prefix = am_test_format("%s/conda", folder);
    make_sdk(prefix, "");
    make_folder(am_test_format("%s/lib/python3.12/site-packages", prefix));
    setenv("CONDA_PREFIX", prefix, 1);
    make_folder(am_test_format("%s/conda-meta", prefix));
    make_file(am_test_format("%s/conda-meta/mojo-compiler-1.3.0-release.json", prefix), "{}", 2);
    expect_found(prefix, "1.3.0");
    unsetenv("CONDA_PREFIX");
    setenv("PATH", am_test_format("/nowhere:%s/bin", prefix), 1);
    expect_found(prefix, "1.3.0");
}

/* A launcher, or another program of the name. */
static void targets_mojo__takes_no_command_for_an_sdk(void **state)
{
    const char *folder = empty_world(), *root = am_test_format("%s/other", folder);
    make_sdk(root, "");
    make_file(am_test_format("%s/bin/mojo", root), "#!/bin/sh\n", 10);
    setenv("MODULAR_MOJO_MAX_PACKAGE_ROOT", root, 1);
    am_test_expect_error(am_mojo_library_open(NULL), AM_UNAVAILABLE, "no Mojo SDK: MODULAR_MOJO_MAX_PACKAGE_ROOT is");
}

static void targets_mojo__refuses_an_old_sdk(void **state)
{
    const char *folder = empty_world(), *root = am_test_format("%s/modular", folder);
    make_sdk(root, "");
    make_folder(am_test_format("%s/mojo_compiler-1.1.0.dist-info", folder));
    setenv("MODULAR_MOJO_MAX_PACKAGE_ROOT", root, 1);
    am_test_expect_error(am_mojo_library_open(NULL), AM_UNAVAILABLE, "Mojo 1.1.0 in");
}

/* Entries of a folder but . and .. */
static int count_entries(const char *path)
{
    int count = 0;
    DIR *directory = opendir(path);
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory));) count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

static void expect_open_fails(const char *compiler, am_code code, const char *part)
{
    const char *folder = empty_world(), *root = am_test_format("%s/modular", folder);
    const char *cache = am_test_format("%s/cache/deep", folder);
    make_sdk(root, compiler);
    setenv("MODULAR_MOJO_MAX_PACKAGE_ROOT", root, 1);
    setenv("ANYMODEL_CACHE", cache, 1);
    am_test_expect_error(am_mojo_library_open(NULL), code, part);
    assert_int_equal(count_entries(am_test_format("%s/mojo", cache)), 1); /* the lock */
    assert_null(am_mojo_function_of(AM_MOJO_UNARY));
    assert_string_equal(am_mojo_library_text(), "");
}

static void targets_mojo__passes_on_what_the_compiler_says(void **state)
{
    expect_open_fails("#!/bin/sh\necho 'Failed to initialize Crashpad: none' >&2\necho 'k.mojo:1: no such word' >&2\n"
                      "exit 3\n",
                      AM_FAILED, "ended with code 3: k.mojo:1: no such word");
    expect_open_fails("#!/bin/sh\nkill -9 $$\n", AM_FAILED, "was ended by signal 9");
}

/* It gets the sources, and its result is looked at before it is used. */
static void targets_mojo__refuses_a_library_that_is_none(void **state)
{
    expect_open_fails("#!/bin/sh\nwhile [ \"$1\" != -o ]; do shift; done\ncp \"$3\" \"$2\"\nexit 0\n", AM_INVALID_FILE,
                      "cannot load the Mojo library");
}

static void targets_mojo__needs_a_folder_for_the_library(void **state)
{
    const char *folder = empty_world(), *root = am_test_format("%s/modular", folder);
    make_sdk(root, "");
    setenv("MODULAR_MOJO_MAX_PACKAGE_ROOT", root, 1);
    am_test_expect_error(am_mojo_library_open(NULL), AM_IO, "neither ANYMODEL_CACHE nor HOME is set");
}

/* --- a compiler that makes a library of the right names, for processes that open it --- */

static const char *world; /* of this test */

static const char library_text[] = "#include <stdint.h>\n"
                                   "int64_t am_mojo_abi(void) { return ABI; }\n"
                                   "int64_t am_mojo_width(void) { return 8; }\n"
#define AM_MOJO_FUNCTION(id, name) "void am_mojo_" #name "(const int64_t *a, int64_t b, int64_t e) {}\n"
#include "targets/mojo/functions.def"
#undef AM_MOJO_FUNCTION
    ;

/* Runs `before`, then makes the library; each call adds a line to the file "built". */
static void use_compiler(const char *before)
{
    const char *root = am_test_format("%s/modular", world);
    make_sdk(root, am_test_format("#!/bin/sh\necho $$ >> %s/built\n%s\n"
                                  "while [ \"$1\" != -o ]; do shift; done\n"
                                  "exec cc -shared -fPIC -DABI=%d -o \"$2\" %s/fake.c\n",
                                  world, before, AM_MOJO_ABI, world));
    setenv("MODULAR_MOJO_MAX_PACKAGE_ROOT", root, 1);
}

static void begin(void)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s", empty_world());
    world = path;
    setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1);
    setenv("ANYMODEL_CACHE", am_test_format("%s/cache", world), 1);
    am_test_write_text(world, "fake.c", library_text);
    am_test_write_text(world, "built", "");
    use_compiler("");
}

static int count_built(void)
{
    int count = 0;
    char *text = am_test_read_file(am_test_format("%s/built", world), NULL);
    for (const char *c = text; *c; c++) count += *c == '\n';
    free(text);
    return count;
}

static char warning[4096];

static void on_warning(void *context, const char *message)
{
    snprintf(warning, sizeof warning, "%s", message);
}

/* A process that opens the library with room for `bytes` in each file (0: any), and ends with the status' code; what it
   has to say is in the file "said". */
static pid_t start_process(rlim_t bytes)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0) return child;
    am_warning_set_handler(on_warning, NULL, NULL);
    struct rlimit limit = {bytes, bytes}, before;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    limit.rlim_max = before.rlim_max;
    if (bytes) setrlimit(RLIMIT_FSIZE, &limit);
    am_status status = am_mojo_library_open(NULL);
    setrlimit(RLIMIT_FSIZE, &before);
    bool usable = status || (am_mojo_vector_width() == 8 && am_mojo_function_of(AM_MOJO_UNARY));
    am_test_write_text(world, "said", am_test_format("%s%s", warning, status ? am_status_message(status) : ""));
    _exit(usable ? (int)am_status_code(status) : 99);
}

static int end_of(pid_t process)
{
    int state;
    assert_int_equal(waitpid(process, &state, 0), process);
    return WIFEXITED(state) ? WEXITSTATUS(state) : -WTERMSIG(state);
}

static void expect_opens(void)
{
    assert_int_equal(end_of(start_process(0)), 0);
    assert_int_equal(count_entries(am_test_format("%s/cache/mojo", world)), 2); /* the entry and its lock */
}

static bool was_said(const char *part)
{
    char *text = am_test_read_file(am_test_format("%s/said", world), NULL);
    bool found = strstr(text, part) != NULL;
    free(text);
    return found;
}

/* Of the only entry. */
static const char *entry_file(const char *name)
{
    const char *cache = am_test_format("%s/cache/mojo", world), *found = NULL;
    DIR *d = opendir(cache);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        if (strlen(e->d_name) == 64) found = am_test_format("%s/%s/%s", cache, e->d_name, name);
    closedir(d);
    assert_non_null(found);
    return found;
}

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

static void wait_until_compiling(void)
{
    for (int i = 0; i < 2000 && count_built() == 0; i++) sleep_ms(10);
    assert_int_equal(count_built(), 1);
}

static void targets_mojo__is_built_once_for_all_processes(void **state)
{
    begin();
    use_compiler("sleep 0.5");
    pid_t first = start_process(0), second = start_process(0);
    assert_int_equal(end_of(first), 0);
    assert_int_equal(end_of(second), 0);
    expect_opens();
    assert_int_equal(count_built(), 1);
}

static void targets_mojo__damage_is_seen_before_loading(void **state)
{
    static const off_t lengths[] = {0, 64, 4096};
    begin();
    expect_opens();
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(truncate(entry_file("library.so"), lengths[i]), 0);
        expect_opens();
        assert_true(was_said("is built again: it is damaged"));
        assert_int_equal(count_built(), 2 + (int)i);
    }
    size_t length;
    char *bytes = am_test_read_file(entry_file("library.so"), &length);
    bytes[length / 2] ^= 1;
    am_test_write_file(entry_file("library.so"), bytes, length);
    free(bytes);
    expect_opens();
    assert_true(was_said("is built again: it is damaged"));
    assert_int_equal(unlink(entry_file("check")), 0);
    expect_opens();
    assert_int_equal(count_built(), 6);
    expect_opens();
    assert_int_equal(count_built(), 6);
}

static void targets_mojo__another_version_is_built_anew(void **state)
{
    begin();
    make_folder(am_test_format("%s/mojo_compiler-1.2.0.dist-info", world));
    expect_opens();
    assert_int_equal(rmdir(am_test_format("%s/mojo_compiler-1.2.0.dist-info", world)), 0);
    make_folder(am_test_format("%s/mojo_compiler-1.3.0.dist-info", world));
    assert_int_equal(end_of(start_process(0)), 0);
    assert_int_equal(count_built(), 2);
}

static void targets_mojo__a_full_disk_leaves_nothing_wrong(void **state)
{
    static const rlim_t bytes[] = {1, 1024, 8 << 10, 14 << 10, 64 << 10};
    begin();
    for (size_t i = 0; i < sizeof bytes / sizeof bytes[0]; i++) {
        int code = end_of(start_process(bytes[i]));
        assert_true(code == AM_OK || code == AM_IO || code == AM_FAILED);
        assert_true(code == AM_OK || was_said("building the Mojo kernels"));
        assert_true(i > 0 || code == AM_IO);
        expect_opens();
        assert_int_equal(unlink(entry_file("check")), 0); /* is built again */
    }
}

static void targets_mojo__a_compiler_that_is_killed_leaves_nothing_wrong(void **state)
{
    begin();
    use_compiler("kill -9 $$");
    assert_int_equal(end_of(start_process(0)), AM_FAILED);
    assert_true(was_said("was ended by signal 9"));
    use_compiler("");
    expect_opens();
}

/* With its compiler, which the system ends alone when memory is short. */
static void targets_mojo__a_builder_that_is_killed_leaves_nothing_wrong(void **state)
{
    begin();
    use_compiler("exec sleep 60");
    pid_t builder = start_process(0);
    wait_until_compiling();
    char *text = am_test_read_file(am_test_format("%s/built", world), NULL);
    assert_int_equal(kill(builder, SIGKILL), 0);
    assert_int_equal(kill((pid_t)atol(text), SIGKILL), 0);
    free(text);
    assert_int_equal(end_of(builder), -SIGKILL);
    use_compiler("");
    expect_opens();
}

static void *cancel_later(void *context)
{
    wait_until_compiling();
    atomic_store((atomic_bool *)context, true);
    return NULL;
}

static void targets_mojo__a_build_is_cancelled(void **state)
{
    atomic_bool cancelled = false;
    pthread_t thread;
    begin();
    use_compiler("exec sleep 60");
    assert_int_equal(pthread_create(&thread, NULL, cancel_later, &cancelled), 0);
    am_test_expect_error(am_mojo_library_open(&cancelled), AM_INTERNAL, "cancelled");
    pthread_join(thread, NULL);
    char *text = am_test_read_file(am_test_format("%s/built", world), NULL);
    assert_int_equal(kill((pid_t)atol(text), 0), -1); /* the compiler is gone */
    free(text);
    use_compiler("");
    expect_opens();
}

static int progress_lines;

static void on_progress(void *context, const char *message)
{
    progress_lines += strcmp(message, "building the Mojo kernels: 1 s") == 0;
}

static void targets_mojo__tells_how_long_it_builds(void **state)
{
    begin();
    use_compiler("sleep 1.2; exit 1");
    am_warning_set_handler(NULL, on_progress, NULL);
    am_test_expect_error(am_mojo_library_open(NULL), AM_FAILED, "ended with code 1");
    assert_int_equal(progress_lines, 1);
    am_progress_quiet(true); /* beside an answer */
    am_test_expect_error(am_mojo_library_open(NULL), AM_FAILED, "ended with code 1");
    assert_int_equal(progress_lines, 1);
    am_warning_set_handler(NULL, NULL, NULL);
}
