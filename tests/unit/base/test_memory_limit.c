#include "test_support.h"

#include "base/memory_limit.h"

#include <stdint.h>
#include <string.h>

static void base_memory_limit__names_what_limits(void **state)
{
    const char *name = NULL;
    size_t bytes = am_memory_available(&name);
    assert_non_null(name);
    assert_true(bytes > (size_t)16 << 20); /* this test runs */
    assert_true(bytes == SIZE_MAX || name[0]);
    assert_true(am_memory_available(NULL) > 0);
}

static void base_memory_limit__refuses_what_no_machine_has(void **state)
{
    am_test_expect_ok(am_memory_check(0, "nothing"));
    am_test_expect_ok(am_memory_check(2 << 20, "little"));
    if (am_memory_available(NULL) == SIZE_MAX) {
        print_message("skipped: no limit is known\n");
        skip();
    }
    am_test_expect_error(am_memory_check(SIZE_MAX / 2, "all there is"), AM_OUT_OF_MEMORY,
                         "all there is: 8796093022208.0 MiB are needed, ");
    am_test_expect_error(am_memory_check(SIZE_MAX / 2, "all there is"), AM_OUT_OF_MEMORY, " MiB are available (");
}
