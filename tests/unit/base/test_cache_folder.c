#include "test_support.h"

#include "base/cache_folder.h"
#include "base/file.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void expect_folder(const char *expected)
{
    am_arena arena = {0};
    char *folder;
    am_test_expect_ok(am_cache_folder(&arena, "kind", &folder));
    assert_string_equal(folder, expected);
    assert_true(am_directory_exists(folder));
    am_arena_deinit(&arena);
}

static void base_cache_folder__our_variable_wins_then_xdg_then_home(void **state)
{
    const char *root = am_test_temporary_directory();
    setenv("HOME", am_test_format("%s/home", root), 1);
    setenv("XDG_CACHE_HOME", am_test_format("%s/xdg", root), 1);
    setenv("ANYMODEL_CACHE", am_test_format("%s/a/b", root), 1);
    expect_folder(am_test_format("%s/a/b/kind", root));
    unsetenv("ANYMODEL_CACHE");
    expect_folder(am_test_format("%s/xdg/anymodel/kind", root));
    setenv("XDG_CACHE_HOME", "relative", 1);
    expect_folder(am_test_format("%s/home/.cache/anymodel/kind", root));
}

static void base_cache_folder__its_place_is_told_without_making_it(void **state)
{
    am_arena arena = {0};
    setenv("ANYMODEL_CACHE", am_test_format("%s/new", am_test_temporary_directory()), 1);
    const char *place = am_cache_place(&arena, "kind");
    assert_false(am_file_exists(getenv("ANYMODEL_CACHE")));
    expect_folder(place);
    unsetenv("ANYMODEL_CACHE");
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    assert_null(am_cache_place(&arena, "kind"));
    am_arena_deinit(&arena);
}

static void base_cache_folder__says_why_there_is_none(void **state)
{
    am_arena arena = {0};
    char *folder;
    const char *file = am_test_write_text(am_test_temporary_directory(), "file", "x");
    setenv("ANYMODEL_CACHE", file, 1);
    am_test_expect_error(am_cache_folder(&arena, "kind", &folder), AM_IO, "file/kind");
    unsetenv("ANYMODEL_CACHE");
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    am_test_expect_error(am_cache_folder(&arena, "kind", &folder), AM_IO, "neither ANYMODEL_CACHE nor HOME");
    am_arena_deinit(&arena);
}

static void base_cache_folder__one_process_holds_a_lock_at_a_time(void **state)
{
    const char *path = am_test_format("%s/x.lock", am_test_temporary_directory());
    atomic_bool cancelled = true;
    int mine, other;
    am_test_expect_ok(am_cache_lock(path, "testing", NULL, &mine));
    am_test_expect_error(am_cache_lock(path, "testing", &cancelled, &other), AM_INTERNAL, "cancelled");
    am_cache_unlock(mine);
    am_test_expect_ok(am_cache_lock(path, "testing", &cancelled, &other));
    am_cache_unlock(other);
}

/* The holder dies without a word; who waits goes on. */
static void base_cache_folder__a_lock_goes_with_its_process(void **state)
{
    char byte;
    int ends[2], mine;
    const char *path = am_test_format("%s/x.lock", am_test_temporary_directory());
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        am_status failed = am_cache_lock(path, "testing", NULL, &mine);
        if (!failed && write(ends[1], "x", 1) == 1) pause();
        _exit(1);
    }
    assert_int_equal(read(ends[0], &byte, 1), 1);
    kill(child, SIGKILL);
    am_test_expect_ok(am_cache_lock(path, "testing", NULL, &mine));
    am_cache_unlock(mine);
    waitpid(child, NULL, 0);
    close(ends[0]);
    close(ends[1]);
}

static void base_cache_folder__deletes_trees_and_follows_no_links(void **state)
{
    const char *root = am_test_temporary_directory();
    const char *kept = am_test_format("%s/kept", root), *tree = am_test_format("%s/tree", root);
    mkdir(kept, 0700);
    am_test_write_text(kept, "a", "1");
    mkdir(tree, 0700);
    mkdir(am_test_format("%s/inner", tree), 0700);
    am_test_write_text(am_test_format("%s/inner", tree), "b", "2");
    assert_int_equal(symlink(kept, am_test_format("%s/link", tree)), 0);
    am_cache_delete_tree(tree);
    assert_false(am_file_exists(tree));
    assert_true(am_file_exists(am_test_format("%s/a", kept)));
}
