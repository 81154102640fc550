/* The part of cmocka's interface that the tests of base, tensor, graph and kernels use, for cross builds:
   there is no cmocka for the other machine. A failed assertion ends the test by longjmp, as in cmocka. */
#ifndef AM_TESTS_CROSS_CMOCKA_H
#define AM_TESTS_CROSS_CMOCKA_H

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef uintmax_t LargestIntegralType;
typedef void (*CMUnitTestFunction)(void **state);

struct CMUnitTest {
    const char *name;
    CMUnitTestFunction test_func, setup_func, teardown_func;
    void *initial_state;
};

#define cmocka_unit_test(f)                                                                                            \
    {                                                                                                                  \
#f, f, NULL, NULL, NULL                                                                                        \
    }

enum { AM_CROSS_FAILED = 1, AM_CROSS_SKIPPED = 2 };
extern jmp_buf am_cross_end_of_test;

_Noreturn static inline void am_cross_end(int how, const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: %s\n", file, line, what);
    longjmp(am_cross_end_of_test, how);
}

#define print_message(...) ((void)fprintf(stdout, __VA_ARGS__))
#define print_error(...)   ((void)fprintf(stderr, __VA_ARGS__))
#define _fail(file, line)  am_cross_end(AM_CROSS_FAILED, (file), (line), "failed")
#define skip()             am_cross_end(AM_CROSS_SKIPPED, __FILE__, __LINE__, "skipped")
#define fail()             am_cross_end(AM_CROSS_FAILED, __FILE__, __LINE__, "failed")
#define fail_msg(...)      (print_error(__VA_ARGS__), fputc('\n', stderr), fail())
#define am_cross_require(condition, what)                                                                              \
    ((condition) ? (void)0 : am_cross_end(AM_CROSS_FAILED, __FILE__, __LINE__, what))

#define assert_true(c)             am_cross_require((c), #c " is false")
#define assert_false(c)            am_cross_require(!(c), #c " is true")
#define assert_null(p)             am_cross_require((p) == NULL, #p " is not null")
#define assert_non_null(p)         am_cross_require((p) != NULL, #p " is null")
#define assert_ptr_equal(a, b)     am_cross_require((const void *)(a) == (const void *)(b), #a " != " #b)
#define assert_ptr_not_equal(a, b) am_cross_require((const void *)(a) != (const void *)(b), #a " == " #b)
#define assert_int_equal(a, b)     am_cross_require((uintmax_t)(a) == (uintmax_t)(b), #a " != " #b)
#define assert_int_not_equal(a, b) am_cross_require((uintmax_t)(a) != (uintmax_t)(b), #a " == " #b)
#define assert_in_range(v, low, high)                                                                                  \
    am_cross_require((uintmax_t)(v) >= (uintmax_t)(low) && (uintmax_t)(v) <= (uintmax_t)(high), #v " out of range")
#define assert_float_equal(a, b, e)      am_cross_require((a) - (b) <= (e) && (b) - (a) <= (e), #a " != " #b)
#define assert_string_equal(a, b)        am_cross_require(!strcmp((a), (b)), #a " != " #b)
#define assert_string_not_equal(a, b)    am_cross_require(strcmp((a), (b)), #a " == " #b)
#define assert_memory_equal(a, b, n)     am_cross_require(!memcmp((a), (b), (n)), #a " != " #b)
#define assert_memory_not_equal(a, b, n) am_cross_require(memcmp((a), (b), (n)), #a " == " #b)

int _cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t count, CMUnitTestFunction setup,
                            CMUnitTestFunction teardown);

#endif
