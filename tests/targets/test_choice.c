#include "test_support.h"

#include "base/warning.h"
#include "targets/choice.h"
#include "targets/common/modular.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void set(const char *name, const char *value)
{
    if (value) setenv(name, value, 1);
    else unsetenv(name);
}

static void clear(void)
{
    set("ANYMODEL_TARGET", NULL);
    set("ANYMODEL_TARGET_POLICY", NULL);
    set("USE_MOJO_MAX_TARGET", NULL);
}

static char warning[1024];

static void on_warning(void *context, const char *message)
{
    snprintf(warning, sizeof warning, "%s", message);
}

static void targets_choice__what_is_said_first_wins(void **state)
{
    am_target_choice choice;
    clear();
    set("USE_MOJO_MAX_TARGET", "1");
    set("ANYMODEL_TARGET", "cpu");
    am_test_expect_ok(am_target_choose(NULL, NULL, &choice));
    assert_int_equal(choice.count, 1);
    assert_string_equal(choice.picks[0].target->name, "cpu");
    assert_int_equal(choice.policy, AM_TARGET_PREFER);
    set("ANYMODEL_TARGET", "nothing");
    am_test_expect_ok(am_target_choose("cpu", "require", &choice));
    assert_int_equal(choice.policy, AM_TARGET_REQUIRE);
    set("ANYMODEL_TARGET_POLICY", "prefer");
    am_test_expect_ok(am_target_choose("cpu", "require", &choice));
    assert_int_equal(choice.policy, AM_TARGET_REQUIRE);
    clear();
    am_test_expect_ok(am_target_choose(NULL, NULL, &choice));
    assert_int_equal(choice.policy, AM_TARGET_AUTO);
}

static void targets_choice__names_that_do_not_exist_are_told(void **state)
{
    am_target_choice choice;
    clear();
    am_test_expect_error(am_target_choose("tpu", NULL, &choice), AM_INVALID_ARGUMENT, "there is no target \"tpu\"");
    am_test_expect_error(am_target_choose("cpu,tpu", NULL, &choice), AM_INVALID_ARGUMENT, "\"tpu\"");
    am_test_expect_error(am_target_choose("", NULL, &choice), AM_INVALID_ARGUMENT, "no target");
    am_test_expect_error(am_target_choose("cpu,cpu", NULL, &choice), AM_INVALID_ARGUMENT, "twice");
    am_test_expect_error(am_target_choose("cpu:", NULL, &choice), AM_INVALID_ARGUMENT, "no device");
    am_test_expect_error(am_target_choose("cpu", "demand", &choice), AM_INVALID_ARGUMENT, "\"demand\"");
    am_test_expect_error(am_target_choose("auto", "require", &choice), AM_INVALID_ARGUMENT, "require");
    set("USE_MOJO_MAX_TARGET", "maybe");
    am_test_expect_error(am_target_choose(NULL, NULL, &choice), AM_INVALID_ARGUMENT, "USE_MOJO_MAX_TARGET");
    set("USE_MOJO_MAX_TARGET", "no");
    am_test_expect_ok(am_target_choose(NULL, NULL, &choice));
    clear();
}

static void targets_choice__an_absent_target_is_a_warning_or_an_error(void **state)
{
    am_target_choice choice;
    clear();
    set("ANYMODEL_OPENVINO", "/nonexistent/openvino");
    am_warning_set_handler(on_warning, NULL, NULL);
    am_test_expect_ok(am_target_choose("openvino", NULL, &choice));
    assert_int_equal(choice.count, 0);
    assert_non_null(strstr(warning, "target openvino is not available: ANYMODEL_OPENVINO is /nonexistent/openvino"));
    assert_non_null(strstr(warning, "pip install openvino"));
    am_warning_set_handler(NULL, NULL, NULL);
    am_test_expect_error(am_target_choose("openvino", "require", &choice), AM_UNAVAILABLE, "pip install openvino");
    set("ANYMODEL_OPENVINO", NULL);
}

/* --- what is not Modular's --- */

static void make_file(const char *path, const char *text, off_t size)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(truncate(path, size ? size : (off_t)strlen(text)), 0);
    assert_int_equal(chmod(path, 0755), 0);
}

static void make_folder(const char *path)
{
    mkdir(path, 0755);
}

static void targets_choice__impostors_are_not_taken_for_modular(void **state)
{
    const char *folder = am_test_temporary_directory();
    am_modular found;
    const char *bin = am_test_format("%s/bin", folder);
    make_folder(bin);
    make_file(am_test_format("%s/mojo", bin), "#!/bin/sh\nexit 0\n", 0);
    make_file(am_test_format("%s/max", bin), "", 0);
    set("MODULAR_MOJO_MAX_PACKAGE_ROOT", NULL);
    set("MODULAR_HOME", NULL);
    set("ANYMODEL_SDKS", folder);
    set("HOME", folder);
    set("PATH", bin);
    set("VIRTUAL_ENV", NULL);
    set("CONDA_PREFIX", NULL);
    am_modular_find(&found);
    assert_false(found.has_mojo || found.has_max);
    assert_non_null(strstr(found.rejected.text, "is not Modular's"));
    set("MODULAR_MOJO_MAX_PACKAGE_ROOT", folder);
    am_modular_find(&found);
    assert_false(found.has_mojo || found.has_max);
    assert_non_null(strstr(found.rejected.text, "MODULAR_MOJO_MAX_PACKAGE_ROOT"));
    set("MODULAR_MOJO_MAX_PACKAGE_ROOT", NULL);
}

/* The launcher of a broken environment is a script of a few bytes; the compiler is more than a megabyte. */
static void targets_choice__modular_is_found_by_its_files(void **state)
{
    const char *folder = am_test_temporary_directory();
    am_modular found;
    const char *site = am_test_format("%s/python/lib/python3.11/site-packages", folder);
    static const char *const folders[] = {"python",
                                          "python/lib",
                                          "python/lib/python3.11",
                                          "python/lib/python3.11/site-packages",
                                          "python/lib/python3.11/site-packages/modular",
                                          "python/lib/python3.11/site-packages/modular/bin",
                                          "python/lib/python3.11/site-packages/modular/lib",
                                          "python/lib/python3.11/site-packages/modular/lib/mojo",
                                          "python/lib/python3.11/site-packages/mojo_compiler-1.2.0.dist-info"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        make_folder(am_test_format("%s/%s", folder, folders[i]));
    set("MODULAR_MOJO_MAX_PACKAGE_ROOT", NULL);
    set("MODULAR_HOME", NULL);
    set("ANYMODEL_SDKS", folder);
    set("HOME", folder);
    set("PATH", "/nonexistent");
    set("VIRTUAL_ENV", NULL);
    set("CONDA_PREFIX", NULL);
    make_file(am_test_format("%s/modular/bin/mojo", site), "#!/bin/sh\n", 0);
    make_file(am_test_format("%s/modular/lib/mojo/std.mojoc", site), "", 1 << 16);
    am_modular_find(&found);
    assert_false(found.has_mojo);
    make_file(am_test_format("%s/modular/bin/mojo", site), "", 1 << 20);
    am_modular_find(&found);
    assert_true(found.has_mojo);
    assert_false(found.has_max);
    assert_string_equal(found.mojo_version, "1.2.0");
}
