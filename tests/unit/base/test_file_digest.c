#define _POSIX_C_SOURCE 200809L
#include "test_support.h"

#include "base/file.h"
#include "base/file_digest.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; /* FIPS 180-4 */

static void expect_digest(const char *path, const char *digits)
{
    uint8_t digest[AM_SHA256_BYTES];
    char text[AM_SHA256_TEXT];
    am_test_expect_ok(am_file_digest(path, digest));
    am_sha256_text(digest, text);
    assert_string_equal(text, digits);
}

static void keep_name(void *context, const char *name)
{
    strcpy(context, name);
}

/* A remembered digest is what the entry says, which shows whether the file was read. */
static void base_file_digest__is_remembered_until_the_file_changes(void **state)
{
    (void)state;
    const char *cache = am_test_temporary_directory(), *path;
    char entry[512] = "", *text;
    size_t length;
    assert_int_equal(setenv("ANYMODEL_CACHE", cache, 1), 0);
    path = am_test_write_text(am_test_temporary_directory(), "file", "abc");
    expect_digest(path, abc); /* too fresh to be remembered */
    am_test_expect_ok(am_directory_each(am_test_format("%s/digests", cache), keep_name, entry));
    assert_string_equal(entry, "");
    nanosleep(&(struct timespec){.tv_sec = 3}, NULL);
    expect_digest(path, abc);
    am_test_expect_ok(am_directory_each(am_test_format("%s/digests", cache), keep_name, entry));
    assert_int_equal(strlen(entry), 64);
    text = am_test_read_file(am_test_format("%s/digests/%s", cache, entry), &length);
    memset(text + length - 65, '0', 64);
    am_test_write_file(am_test_format("%s/digests/%s", cache, entry), text, length);
    free(text);
    expect_digest(path, "0000000000000000000000000000000000000000000000000000000000000000");
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    am_test_write_file(path, "abd", 3);
    const struct timespec times[] = {info.st_atim, info.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0); /* the same size and time of change */
    expect_digest(path, "a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9");
}

static void base_file_digest__needs_a_regular_file(void **state)
{
    (void)state;
    uint8_t digest[AM_SHA256_BYTES];
    const char *folder = am_test_temporary_directory();
    am_test_expect_error(am_file_digest(am_test_format("%s/none", folder), digest), AM_NOT_FOUND, "/none");
    am_test_expect_error(am_file_digest(folder, digest), AM_IO, "not a regular file");
}
