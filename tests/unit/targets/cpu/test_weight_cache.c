#define _POSIX_C_SOURCE 200809L
#include "test_support.h"

#include "base/file.h"
#include "targets/cpu/weight_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { WEIGHT = 1 << 18, BYTES = 1 << 19 };

static void sleep_milliseconds(int count)
{
    nanosleep(&(struct timespec){count / 1000, count % 1000 * 1000000L}, NULL);
}

/* A file of two weights, the second from an odd place. */
static const char *write_weights(uint8_t seed)
{
    static uint8_t bytes[2 * WEIGHT + 1];
    const char *path = am_test_format("%s/weights", am_test_temporary_directory());
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * 7 + i / 251 + seed);
    am_test_write_file(path, bytes, sizeof bytes);
    return path;
}

static const uint8_t *made_of(const uint8_t *weight)
{
    static uint8_t made[BYTES];
    for (size_t i = 0; i < BYTES; i++) made[i] = (uint8_t)(weight[i % WEIGHT] + i / WEIGHT + 1);
    return made;
}

static am_weight_form form_of(const void *source, uint8_t version)
{
    return (am_weight_form){source, WEIGHT, {version}, BYTES};
}

static const uint8_t *map_within(const am_weight_form *form, int milliseconds)
{
    const uint8_t *found = am_weight_cache_map(form);
    for (int i = 0; !found && i < milliseconds; i += 10) {
        sleep_milliseconds(10);
        found = am_weight_cache_map(form);
    }
    return found;
}

/* Keeps what is made of the weight, and waits until it is there. */
static void keep(const am_weight_form *form)
{
    const uint8_t *made = made_of(form->source), *found;
    am_weight_cache_keep(form, made);
    found = map_within(form, 30000);
    assert_non_null(found);
    assert_memory_equal(found, made, BYTES);
    am_weight_cache_unmap(found, BYTES);
    am_weight_cache_forget(made);
}

static void expect_none(const am_weight_form *form)
{
    assert_null(am_weight_cache_map(form));
}

typedef struct counting {
    const char *folder;
    int names, files;
    ino_t inodes[64];
} counting;

static void count_name(void *context, const char *name)
{
    counting *c = context;
    struct stat info;
    char path[4096];
    int i = 0;
    snprintf(path, sizeof path, "%s/%s", c->folder, name);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(strlen(name), 64);
    for (; i < c->files && c->inodes[i] != info.st_ino; i++) {
    }
    if (i == c->files) c->inodes[c->files++] = info.st_ino;
    c->names++;
}

static counting count_entries(const char *cache)
{
    counting c = {.folder = am_test_format("%s/weights", cache)};
    am_test_expect_ok(am_directory_each(c.folder, count_name, &c));
    return c;
}

static const char *use_cache(const char *limit)
{
    const char *cache = am_test_temporary_directory();
    assert_int_equal(setenv("ANYMODEL_CACHE", cache, 1), 0);
    assert_int_equal(setenv("ANYMODEL_WEIGHT_CACHE", limit, 1), 0);
    return cache;
}

static void cpu_weight_cache__finds_what_was_kept_while_the_file_is_the_same(void **state)
{
    am_test_skip_on_full_disk();
    (void)state;
    const char *cache = use_cache("1");
    const char *path = write_weights(1), *copy = write_weights(1);
    am_mapped_file file, other;
    am_test_expect_ok(am_file_map(path, &file));
    am_weight_form first = form_of(file.bytes, 1), second = form_of(file.bytes + WEIGHT + 1, 1),
                   another = form_of(file.bytes, 2), fresh = first;
    am_weight_cache_keep(&fresh, made_of(file.bytes)); /* may change without a later time of change */
    am_weight_cache_forget(made_of(file.bytes));
    expect_none(&first);
    sleep_milliseconds(2500);
    keep(&first);
    expect_none(&second);
    expect_none(&another);
    keep(&second);
    keep(&another);
    assert_int_equal(count_entries(cache).files, 3);
    assert_int_equal(count_entries(cache).names, 6);

    am_test_expect_ok(am_file_map(copy, &other)); /* the same content has the same entry */
    am_weight_form same = form_of(other.bytes, 1);
    expect_none(&same);
    keep(&same);
    assert_int_equal(count_entries(cache).files, 3);
    assert_int_equal(count_entries(cache).names, 7);
    am_file_unmap(&other);

    am_file_unmap(&file); /* another time of change is another file */
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(chmod(path, 0644), 0);
    am_test_expect_ok(am_file_map(path, &file));
    am_weight_form changed = form_of(file.bytes, 1);
    expect_none(&changed);
    am_file_unmap(&file);
}

static void truncate_entry(void *context, const char *name)
{
    assert_int_equal(truncate(am_test_format("%s/%s", (const char *)context, name), BYTES - 1), 0);
}

static void cpu_weight_cache__makes_room_and_does_without(void **state)
{
    am_test_skip_on_full_disk();
    (void)state;
    const char *cache = use_cache("0.0012"); /* two entries */
    const char *path = write_weights(2);
    am_mapped_file file;
    am_weight_form forms[4];
    sleep_milliseconds(2500);
    am_test_expect_ok(am_file_map(path, &file));
    for (uint8_t i = 0; i < 4; i++) {
        forms[i] = form_of(file.bytes, i);
        keep(&forms[i]);
        sleep_milliseconds(1100); /* times of use have seconds here */
    }
    assert_int_equal(count_entries(cache).files, 2);
    assert_int_equal(count_entries(cache).names, 4);
    expect_none(&forms[0]);
    expect_none(&forms[1]);
    assert_non_null(am_weight_cache_map(&forms[2]));
    assert_non_null(am_weight_cache_map(&forms[3]));

    char folder[4096];
    snprintf(folder, sizeof folder, "%s/weights", cache);
    am_test_expect_ok(am_directory_each(folder, truncate_entry, folder));
    expect_none(&forms[3]);

    assert_int_equal(setenv("ANYMODEL_WEIGHT_CACHE", "0", 1), 0);
    am_weight_cache_keep(&forms[1], made_of(file.bytes));
    am_weight_cache_forget(made_of(file.bytes));
    expect_none(&forms[1]);
    assert_int_equal(setenv("ANYMODEL_WEIGHT_CACHE", "1", 1), 0);
    assert_int_equal(setenv("ANYMODEL_CACHE", "/dev/null/cache", 1), 0);
    am_weight_cache_keep(&forms[1], made_of(file.bytes));
    am_weight_cache_forget(made_of(file.bytes));
    expect_none(&forms[1]);
    am_file_unmap(&file);

    static const uint8_t memory[WEIGHT]; /* of no file */
    am_weight_form none = form_of(memory, 1);
    am_weight_cache_keep(&none, made_of(memory));
    am_weight_cache_forget(made_of(memory));
    expect_none(&none);
}
