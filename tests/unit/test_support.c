#include "test_support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DIRECTORY_LIMIT = 256, FORMAT_BYTES = 4096, RUN_LIMIT_S = 120, SLOW_RUN_LIMIT_S = 1500 };

static char *directories[DIRECTORY_LIMIT];
static int directory_count;
static pid_t owner;

void am_test_expect_error_at(am_status status, am_code code, const char *part, const char *file, int line)
{
    am_code found = am_status_code(status);
    if (found == code && strstr(am_status_message(status), part)) {
        am_status_free(status);
        return;
    }
    print_error("expected: %s: ...%s...\nfound:    %s: %s\n", am_code_text(code), part, am_code_text(found),
                am_status_message(status));
    am_status_free(status);
    _fail(file, line);
}

void am_test_expect_ok_at(am_status status, const char *file, int line)
{
    if (!status) return;
    print_error("%s: %s\n", am_code_text(am_status_code(status)), am_status_message(status));
    am_status_free(status);
    _fail(file, line);
}

const char *am_test_format(const char *format, ...)
{
    static char buffers[16][FORMAT_BYTES];
    static unsigned next;
    char *buffer = buffers[next++ % 16];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(buffer, FORMAT_BYTES, format, arguments);
    va_end(arguments);
    assert_in_range(length, 0, FORMAT_BYTES - 1);
    return buffer;
}

const char *am_test_source_path(const char *path)
{
    return am_test_format("%s/%s", AM_TEST_SOURCE_ROOT, path);
}

static void remove_tree(const char *path)
{
    DIR *directory = opendir(path);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        char inner[FORMAT_BYTES];
        if (snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name) >= (int)sizeof inner) continue;
        if (unlink(inner)) remove_tree(inner);
    }
    if (directory) closedir(directory);
    rmdir(path);
}

static void remove_directories(void)
{
    if (getpid() != owner) return;
    for (int i = 0; i < directory_count; i++) {
        remove_tree(directories[i]);
        free(directories[i]);
    }
    directory_count = 0;
}

void am_test_skip_on_full_disk(void)
{
    struct statvfs disk;
    const double spare = 64 << 20;
    assert_int_equal(statvfs(am_test_temporary_directory(), &disk), 0);
    double free_bytes = (double)disk.f_bavail * (double)disk.f_frsize;
    if (free_bytes - spare > 0.1 * (double)disk.f_blocks * (double)disk.f_frsize) return;
    print_message("less than a tenth of the disk is free\n");
    skip();
}

const char *am_test_temporary_directory(void)
{
    const char *root = getenv("TMPDIR");
    const char *pattern = am_test_format("%s/anymodel_test_XXXXXX", root && *root ? root : "/tmp");
    assert_in_range(directory_count, 0, DIRECTORY_LIMIT - 1);
    char *path = strdup(pattern);
    assert_non_null(path);
    if (!mkdtemp(path)) fail_msg("cannot make %s: %s", path, strerror(errno));
    if (!owner) {
        owner = getpid();
        atexit(remove_directories);
    }
    directories[directory_count++] = path;
    return path;
}

void am_test_write_file(const char *path, const void *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");
    if (!file) fail_msg("cannot write %s: %s", path, strerror(errno));
    size_t written = length ? fwrite(bytes, 1, length, file) : 0;
    if (fclose(file) || written != length) fail_msg("cannot write %s: %s", path, strerror(errno));
}

const char *am_test_write_text(const char *directory, const char *name, const char *text)
{
    const char *path = am_test_format("%s/%s", directory, name);
    am_test_write_file(path, text, strlen(text));
    return path;
}

char *am_test_read_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    if (!file) fail_msg("cannot read %s: %s", path, strerror(errno));
    struct stat info;
    if (fstat(fileno(file), &info)) fail_msg("cannot read %s: %s", path, strerror(errno));
    size_t size = (size_t)info.st_size;
    char *bytes = malloc(size + 1);
    assert_non_null(bytes);
    if (fread(bytes, 1, size, file) != size) fail_msg("cannot read %s", path);
    fclose(file);
    bytes[size] = 0;
    if (length) *length = size;
    return bytes;
}

/* In the child: stdin, stdout and stderr are the three files, then the program takes over. */
static void become_program(const char *const argv[], const char *const files[3])
{
    for (int i = 0; i < 3; i++) {
        int file = open(files[i], i ? O_WRONLY | O_CREAT | O_TRUNC : O_RDONLY, 0600);
        if (file < 0 || dup2(file, i) < 0) _exit(126);
        if (file > 2) close(file);
    }
    alarm(getenv("ANYMODEL_TEST_SLOW") ? SLOW_RUN_LIMIT_S : RUN_LIMIT_S);
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    dprintf(2, "cannot start %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

am_test_result am_test_run(const char *const argv[], const char *input)
{
    const char *directory = am_test_temporary_directory();
    const char *const files[3] = {
        am_test_write_text(directory, "in", input ? input : ""),
        am_test_format("%s/out", directory),
        am_test_format("%s/err", directory),
    };
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) fail_msg("cannot fork: %s", strerror(errno));
    if (!child) become_program(argv, files);
    int state = 0;
    while (waitpid(child, &state, 0) < 0 && errno == EINTR) {
    }
    am_test_result result = {.exit_code = WIFEXITED(state) ? WEXITSTATUS(state) : -WTERMSIG(state)};
    result.out = am_test_read_file(files[1], &result.out_length);
    result.err = am_test_read_file(files[2], &result.err_length);
    remove_tree(directory);
    free(directories[--directory_count]);
    return result;
}

void am_test_result_free(am_test_result *result)
{
    free(result->out);
    free(result->err);
    *result = (am_test_result){0};
}

const char *am_test_program(void)
{
    return AM_TEST_BINARY_ROOT "/anymodel";
}

static bool is_wanted(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (!fnmatch(argv[i], name, 0)) return true;
    }
    return argc < 2;
}

/* Runs the wanted tests of one file; adds how many those were. */
static int run_file(const am_test_file *file, int argc, char **argv, size_t *ran)
{
    struct CMUnitTest *wanted = calloc(file->count, sizeof *wanted);
    if (!wanted) return 1;
    size_t count = 0;
    for (size_t i = 0; i < file->count; i++) {
        if (is_wanted(file->tests[i].name, argc, argv)) wanted[count++] = file->tests[i];
    }
    int failed = count ? _cmocka_run_group_tests(file->path, wanted, count, NULL, NULL) : 0;
    free(wanted);
    *ran += count;
    return failed;
}

int am_test_main(int argc, char **argv, const am_test_file *const files[])
{
    size_t ran = 0;
    int failed = 0;
    for (size_t i = 0; files[i]; i++) {
        failed += run_file(files[i], argc, argv, &ran);
    }
    if (!ran) {
        fprintf(stderr, "no test matches\n");
        return 2;
    }
    return failed ? 1 : 0;
}
