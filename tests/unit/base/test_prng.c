#include "test_support.h"

#include "base/prng.h"

#include <string.h>

/* The check values of tests/golden/data/FORMAT.md. */
static void base_prng__gives_the_numbers_of_the_golden_files(void **state)
{
    static const float expected[] = {0.98556006f, 0.969471812f, -0.916301489f};
    const char *name = "lm_head.weight";
    uint64_t seed = am_fnv1a(name, strlen(name));
    assert_true(seed == UINT64_C(0xab67eb515e1b6f0d));
    for (uint64_t i = 0; i < 3; i++) assert_true((float)(-1.0 + 2.0 * am_uniform(seed, i)) == expected[i]);
}

/* The test vectors of the function's authors (draft-eastlake-fnv). */
static void base_prng__fnv1a_test_vectors(void **state)
{
    assert_true(am_fnv1a("", 0) == UINT64_C(0xcbf29ce484222325));
    assert_true(am_fnv1a("a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
    assert_true(am_fnv1a("foobar", 6) == UINT64_C(0x85944171f73967e8));
    assert_true(am_fnv1a_more(am_fnv1a("foo", 3), "bar", 3) == am_fnv1a("foobar", 6));
}

/* Outputs of the generator as published with seed 1234567. */
static void base_prng__splitmix_test_vectors(void **state)
{
    static const uint64_t expected[] = {UINT64_C(6457827717110365317), UINT64_C(3203168211198807973),
                                        UINT64_C(9817491932198370423), UINT64_C(4593380528125082431),
                                        UINT64_C(16408922859458223821)};
    for (uint64_t i = 0; i < 5; i++) assert_true(am_splitmix(1234567, i) == expected[i]);
}

static void base_prng__uniform_numbers_are_below_one(void **state)
{
    double sum = 0;
    for (uint64_t i = 0; i < 100000; i++) {
        double u = am_uniform(42, i);
        assert_true(u >= 0 && u < 1 && u * 0x1p24 == (double)(int64_t)(u * 0x1p24));
        sum += u;
    }
    assert_true(sum > 49500 && sum < 50500); /* five standard deviations are 457 */
}
