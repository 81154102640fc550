/* Numbers drawn by torch, recorded by tools/record/record_torch_random.py. */
#include "test_support.h"

#include "base/json.h"
#include "base/torch_random.h"

#include <math.h>

enum { COUNT_LIMIT = 1000 };

/* What logarithms and cosines round differently is far below the difference of two draws. */
static void expect_numbers(am_json list, const float *drawn, uint64_t seed, int64_t count)
{
    for (am_json_iterator i = am_json_iterate(list); am_json_next(&i); drawn++) {
        double expected = am_json_real(i.value, NAN);
        if (!(fabs(*drawn - expected) <= 1e-6))
            fail_msg("seed %llu, %lld numbers: drew %.9g, expected %.9g", (unsigned long long)seed, (long long)count,
                     *drawn, expected);
    }
}

static void base_torch_random__draws_what_torch_draws(void **state)
{
    am_json_document *document;
    float drawn[COUNT_LIMIT];
    int cases = 0;
    am_test_expect_ok(am_json_open(am_test_source_path("tests/unit/base/data/torch_random.json"), &document));
    for (am_json_iterator i = am_json_iterate(am_json_root(document)); am_json_next(&i); cases++) {
        uint64_t seed = (uint64_t)am_json_int(am_json_get(i.value, "seed"), -1);
        int64_t count = am_json_int(am_json_get(i.value, "count"), -1);
        am_json last = am_json_get(i.value, "last");
        assert_in_range(count, 1, COUNT_LIMIT);
        am_torch_randn(seed, drawn, (size_t)count);
        expect_numbers(am_json_get(i.value, "first"), drawn, seed, count);
        expect_numbers(last, drawn + count - (int64_t)am_json_count(last), seed, count);
    }
    assert_int_equal(cases, 32);
    am_json_close(document);
}
