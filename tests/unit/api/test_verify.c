#include "api/api_support.h"

static void count(void *context, const am_verify_case *report)
{
    ++*(int *)context;
    assert_string_equal(report->verdict, "unsupported");
    assert_string_equal(report->name, "new_model");
    assert_string_equal(report->architecture, "NewModel");
}

/* A class that no build has: the case is counted and reported as such. */
static void api_verify__reports_every_case(void **state)
{
    static const char text[] =
        "{\"format\": 1, \"cases\": [{\"case\": \"new_model\", \"class\": \"NewModel\", \"architecture\": "
        "\"NewModel\", "
        "\"config\": {\"model_type\": \"new\"}, \"weights\": [], \"inputs\": {}, \"outputs\": {}}]}";
    const char *path = am_test_write_text(am_test_temporary_directory(), "new.json", text);
    am_verify_summary summary = {.passed = 2};
    int cases = 0;
    am_test_expect_ok(am_verify_files(path, NULL, count, &cases, &summary));
    assert_int_equal(cases, 1);
    assert_int_equal(summary.unsupported, 1);
    assert_int_equal(summary.passed, 2);
    assert_int_equal(summary.failed, 0);
    am_test_expect_ok(am_verify_files(path, "other", count, &cases, &summary));
    assert_int_equal(cases, 1);
}

static void api_verify__bad_files_are_errors(void **state)
{
    am_verify_summary summary = {0};
    const char *path = am_test_write_text(am_test_temporary_directory(), "old.json", "{\"format\": 7}");
    am_test_expect_error(am_verify_files(path, NULL, NULL, NULL, &summary), AM_INVALID_FILE, "old.json");
    am_test_expect_error(am_verify_files("/nonexistent.json", NULL, NULL, NULL, &summary), AM_NOT_FOUND,
                         "/nonexistent.json");
    am_test_expect_error(am_verify_files(NULL, NULL, NULL, NULL, &summary), AM_INVALID_ARGUMENT, "");
}
