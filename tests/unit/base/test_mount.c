#include "test_support.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/mount.h"

#include <stdlib.h>
#include <string.h>

static am_mount *mount_at(const char *path, const char *real)
{
    const am_mounted_file files[] = {{.name = "config.json", .bytes = "{}", .length = 2},
                                     {.name = "empty.txt", .bytes = "", .length = 0},
                                     {.name = "extra/a.jinja", .bytes = "A", .length = 1},
                                     {.name = "extra/b.jinja", .bytes = "B", .length = 1},
                                     {.name = "weights.bin", .path = real}};
    am_mount *mount;
    am_test_expect_ok(am_mount_create(path, files, 5, &mount));
    return mount;
}

static void base_mount__files_are_read_where_they_are(void **state)
{
    (void)state;
    const char *real = am_test_write_text(am_test_temporary_directory(), "real", "weights"), *path = "/none/m.compiled";
    am_mount *mount = mount_at(path, real);
    am_mapped_file mapped;
    char *text;
    size_t length;
    assert_string_equal(am_mount_path(mount), path);
    am_test_expect_ok(am_file_read("/none/m.compiled/config.json", 100, &text, &length));
    assert_int_equal(length, 2);
    assert_string_equal(text, "{}");
    am_free(text);
    am_test_expect_ok(am_file_read("/none/m.compiled/empty.txt", 100, &text, &length));
    assert_int_equal(length, 0);
    am_free(text);
    am_test_expect_error(am_file_read("/none/m.compiled/config.json", 1, &text, &length), AM_OUT_OF_MEMORY,
                         "/none/m.compiled/config.json");
    am_test_expect_ok(am_file_map("/none/m.compiled//config.json", &mapped));
    assert_int_equal(mapped.size_bytes, 2);
    assert_memory_equal(mapped.bytes, "{}", 2);
    assert_string_equal(am_file_mapped_at(mapped.bytes), "/none/m.compiled//config.json");
    am_file_unmap(&mapped);
    am_test_expect_ok(am_file_map("/none/m.compiled/weights.bin", &mapped));
    assert_memory_equal(mapped.bytes, "weights", 7);
    assert_string_equal(am_file_mapped_at(mapped.bytes), real);
    am_file_unmap(&mapped);
    am_unmount(mount);
    am_test_expect_error(am_file_map("/none/m.compiled/config.json", &mapped), AM_NOT_FOUND, "config.json");
}

static void count_name(void *context, const char *name)
{
    int *seen = context;
    *seen += strcmp(name, "a.jinja") == 0 ? 1 : strcmp(name, "b.jinja") == 0 ? 10 : 100;
}

static void base_mount__folders_are_folders(void **state)
{
    (void)state;
    int seen = 0;
    am_mount *mount = mount_at("/none/m.compiled", "/none/real");
    assert_true(am_directory_exists("/none/m.compiled"));
    assert_true(am_directory_exists("/none/m.compiled/extra"));
    assert_true(am_file_exists("/none/m.compiled/extra/a.jinja"));
    assert_true(am_file_exists("/none/m.compiled/weights.bin"));
    assert_false(am_directory_exists("/none/m.compiled/config.json"));
    assert_false(am_file_exists("/none/m.compiled/extra/c.jinja"));
    assert_false(am_file_exists("/none/m.compiled2/config.json"));
    assert_false(am_file_exists("/none/m.compiled/config.json.bak"));
    am_test_expect_ok(am_directory_each("/none/m.compiled/extra", count_name, &seen));
    assert_int_equal(seen, 11);
    am_test_expect_error(am_directory_each("/none/m.compiled/none", count_name, &seen), AM_NOT_FOUND, "none");
    am_unmount(mount);
    assert_false(am_directory_exists("/none/m.compiled"));
}

static void base_mount__one_path_can_be_mounted_twice(void **state)
{
    (void)state;
    am_mount *first = mount_at("/none/m", "/none/real"), *second = mount_at("/none/m", "/none/real");
    assert_string_equal(am_mount_path(first), "/none/m");
    assert_string_equal(am_mount_path(second), "/none/m#2");
    am_unmount(first);
    assert_true(am_file_exists("/none/m#2/config.json"));
    am_unmount(second);
    assert_false(am_file_exists("/none/m#2/config.json"));
}
