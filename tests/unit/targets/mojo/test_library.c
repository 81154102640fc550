/* Finding an SDK and building with it, with SDKs that are no more than files of the right names and sizes. */
#include "test_support.h"

#include "targets/common/modular.h"
#include "targets/mojo/library.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const variables[] = {"MODULAR_MOJO_MAX_PACKAGE_ROOT",
                                        "MODULAR_HOME",
                                        "CONDA_PREFIX",
                                        "VIRTUAL_ENV",
                                        "ANYMODEL_SDKS",
                                        "HOME",
                                        "PATH",
                                        "XDG_CACHE_HOME"};

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

static void expect_open_fails(const char *compiler, am_code code, const char *part, int left)
{
    const char *folder = empty_world(), *root = am_test_format("%s/modular", folder);
    const char *cache = am_test_format("%s/cache/deep", folder);
    make_sdk(root, compiler);
    setenv("MODULAR_MOJO_MAX_PACKAGE_ROOT", root, 1);
    am_test_expect_error(am_mojo_library_open(&(am_mojo_library_options){cache}), code, part);
    assert_int_equal(count_entries(cache), left); /* the lock, and what was built */
    assert_null(am_mojo_function_of(AM_MOJO_UNARY));
    assert_string_equal(am_mojo_library_text(), "");
}

static void targets_mojo__passes_on_what_the_compiler_says(void **state)
{
    expect_open_fails("#!/bin/sh\necho 'Failed to initialize Crashpad: none' >&2\necho 'k.mojo:1: no such word' >&2\n"
                      "exit 3\n",
                      AM_FAILED, "ended with code 3: k.mojo:1: no such word", 1);
    expect_open_fails("#!/bin/sh\nkill -9 $$\n", AM_FAILED, "was ended by signal 9", 1);
}

/* It gets the sources, and its result is looked at before it is used. */
static void targets_mojo__refuses_a_library_that_is_none(void **state)
{
    expect_open_fails("#!/bin/sh\nwhile [ \"$1\" != -o ]; do shift; done\ncp \"$3\" \"$2\"\nexit 0\n", AM_INVALID_FILE,
                      "cannot load the Mojo library", 2);
}

static void targets_mojo__needs_a_folder_for_the_library(void **state)
{
    const char *folder = empty_world(), *root = am_test_format("%s/modular", folder);
    make_sdk(root, "");
    setenv("MODULAR_MOJO_MAX_PACKAGE_ROOT", root, 1);
    am_test_expect_error(am_mojo_library_open(NULL), AM_UNAVAILABLE, "neither XDG_CACHE_HOME nor HOME");
}
