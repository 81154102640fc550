#include <stddef.h>

#include "cmocka.h"

jmp_buf am_cross_end_of_test;

int _cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t count, CMUnitTestFunction setup,
                            CMUnitTestFunction teardown)
{
    (void)setup;
    (void)teardown;
    volatile int failed = 0;
    for (volatile size_t i = 0; i < count; i++) {
        void *state = NULL;
        int how = setjmp(am_cross_end_of_test);
        if (!how) tests[i].test_func(&state);
        const char *word = how == AM_CROSS_SKIPPED ? " SKIPPED" : how ? "  FAILED" : "      OK";
        printf("[ %s ] %s\n", word, tests[i].name);
        failed += how == AM_CROSS_FAILED;
    }
    printf("%s: %d failed\n", name, failed);
    return failed;
}
