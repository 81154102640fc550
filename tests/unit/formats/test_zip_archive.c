#include "test_support.h"

#include "base/memory.h"
#include "formats/zip_archive.h"

#include <stdlib.h>
#include <string.h>
#include <zip.h>

/* An archive of "d/a" (stored), "d/b" (compressed) and "d/c" (stored, empty); the first encrypted or not. */
static const char *make_archive(bool encrypted)
{
    static const char stored[] = "stored bytes, longer than what is probed: 0123456789012345678901234567890123456789";
    static char zeros[1000];
    static const struct {
        const char *name, *bytes;
        size_t length;
        zip_int32_t method;
    } members[] = {{"d/a", stored, sizeof stored, ZIP_CM_STORE},
                   {"d/b", zeros, sizeof zeros, ZIP_CM_DEFLATE},
                   {"d/c", zeros, 0, ZIP_CM_STORE}};
    const char *path = am_test_format("%s/x.zip", am_test_temporary_directory());
    zip_t *archive = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, NULL);
    assert_non_null(archive);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        zip_source_t *source = zip_source_buffer(archive, members[i].bytes, members[i].length, 0);
        assert_int_equal(zip_file_add(archive, members[i].name, source, 0), i);
        assert_int_equal(zip_set_file_compression(archive, i, members[i].method, 0), 0);
    }
    if (encrypted) assert_int_equal(zip_file_set_encryption(archive, 0, ZIP_EM_AES_256, "password"), 0);
    assert_int_equal(zip_close(archive), 0);
    return path;
}

static void formats_zip_archive__views_what_is_stored(void **state)
{
    am_mapped_file file;
    am_zip *zip;
    am_zip_member a, b, c;
    const uint8_t *view;
    const char *path = make_archive(false);
    am_test_expect_ok(am_file_map(path, &file));
    am_test_expect_ok(am_zip_open(&file, path, &zip));
    assert_int_equal(am_zip_count(zip), 3);
    am_test_expect_ok(am_zip_find(zip, "d/a", &a));
    am_test_expect_ok(am_zip_at(zip, 1, &b));
    am_test_expect_ok(am_zip_find(zip, "d/c", &c));
    assert_string_equal(b.name, "d/b");
    assert_int_equal(b.size_bytes, 1000);

    am_test_expect_ok(am_zip_view(zip, &a, &view));
    assert_true(view > file.bytes && view + a.size_bytes < file.bytes + file.size_bytes);
    assert_memory_equal(view, "stored bytes", 12);
    assert_string_equal((const char *)view + a.size_bytes - 11, "0123456789");
    am_test_expect_ok(am_zip_view(zip, &b, &view));
    assert_null(view); /* compressed */
    am_test_expect_ok(am_zip_view(zip, &c, &view));
    assert_null(view); /* empty */

    char bytes[1000];
    memset(bytes, 1, sizeof bytes);
    am_test_expect_ok(am_zip_extract(zip, &b, bytes));
    for (size_t i = 0; i < sizeof bytes; i++) assert_int_equal(bytes[i], 0);
    am_test_expect_ok(am_zip_extract(zip, &a, bytes));
    assert_memory_equal(bytes, "stored bytes", 12);
    am_test_expect_ok(am_zip_extract(zip, &c, bytes));
    am_zip_close(zip);
    am_file_unmap(&file);
}

static void formats_zip_archive__says_what_is_missing(void **state)
{
    am_mapped_file file;
    am_zip *zip;
    am_zip_member member;
    const char *path = make_archive(false);
    am_test_expect_ok(am_file_map(path, &file));
    am_test_expect_ok(am_zip_open(&file, path, &zip));
    assert_true(am_zip_has(zip, "d/a"));
    assert_false(am_zip_has(zip, "d/A"));
    assert_false(am_zip_has(zip, "a"));
    am_test_expect_error(am_zip_find(zip, "d/x", &member), AM_INVALID_FILE, "x.zip: archive member d/x is missing");
    am_test_expect_error(am_zip_at(zip, 3, &member), AM_INVALID_FILE, "no archive member 3");
    am_test_expect_error(am_zip_at(zip, UINT64_MAX, &member), AM_INVALID_FILE, "no archive member");
    am_zip_close(zip);
    am_file_unmap(&file);
}

static void formats_zip_archive__rejects_encrypted_members(void **state)
{
    am_mapped_file file;
    am_zip *zip;
    am_zip_member member;
    const char *path = make_archive(true);
    am_test_expect_ok(am_file_map(path, &file));
    am_test_expect_ok(am_zip_open(&file, path, &zip));
    am_test_expect_error(am_zip_find(zip, "d/a", &member), AM_INVALID_FILE, "archive member d/a is encrypted");
    am_test_expect_ok(am_zip_find(zip, "d/b", &member));
    am_zip_close(zip);
    am_file_unmap(&file);
}

static void expect_no_archive(const void *bytes, size_t length, const char *part)
{
    am_zip *zip;
    const am_mapped_file file = {bytes, length};
    am_test_expect_error(am_zip_open(&file, "x.zip", &zip), AM_INVALID_FILE, part);
    assert_null(zip);
}

static void formats_zip_archive__rejects_what_is_no_archive(void **state)
{
    expect_no_archive(NULL, 0, "x.zip: not a zip archive");
    expect_no_archive("text", 4, "x.zip: not a zip archive");
    size_t length;
    char *bytes = am_test_read_file(make_archive(false), &length);
    for (size_t cut = 1; cut < length; cut += 5) expect_no_archive(bytes, cut, "not a zip archive (truncated?)");
    for (size_t i = 0; i + 4 < length; i++) /* both headers of d/b are made those of another d/a */
        if (memcmp(bytes + i, "d/b", 3) == 0) bytes[i + 2] = 'a';
    expect_no_archive(bytes, length, "x.zip: two archive members of one name");
    free(bytes);
}

static void formats_zip_archive__failed_allocations_lose_nothing(void **state)
{
    am_mapped_file file;
    am_zip *zip;
    const char *path = make_archive(false);
    am_test_expect_ok(am_file_map(path, &file));
    am_memory_fail_after(0);
    am_status status = am_zip_open(&file, path, &zip);
    am_memory_fail_after(-1);
    am_test_expect_error(status, AM_OUT_OF_MEMORY, "");
    assert_null(zip);
    am_file_unmap(&file);
}
