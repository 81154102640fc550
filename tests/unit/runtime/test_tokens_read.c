#include "base/memory.h"
#include "runtime/tokens_read.h"

#include "test_support.h"

static const int32_t PROMPTS[] = {1, 2, 3, 11, 12, 13}; /* [2, 3] */
static const int32_t ORIGIN[] = {1, 0, 1};

static am_status read_some(am_tokens_read *read)
{
    *read = (am_tokens_read){0};
    AM_TRY(am_tokens_read_append(read, PROMPTS, 2, 3));
    AM_TRY(am_tokens_read_reorder(read, ORIGIN, 3));
    return am_tokens_read_append(read, (const int32_t[]){21, 22, 23}, 3, 1);
}

static void runtime_tokens_read__rows_follow_their_origin(void **state)
{
    static const int32_t expected[] = {11, 12, 13, 21, 31, 1, 2, 3, 22, 32, 11, 12, 13, 23, 33}; /* [3, 5] */
    am_tokens_read read;
    int32_t joined[15];
    am_test_expect_ok(read_some(&read));
    am_tokens_read_join(&read, (const int32_t[]){31, 32, 33}, 3, 1, joined);
    assert_memory_equal(joined, expected, sizeof expected);
    am_tokens_read_deinit(&read);
}

static void runtime_tokens_read__reorders_nothing_before_the_first_token(void **state)
{
    am_tokens_read read = {0};
    am_test_expect_ok(am_tokens_read_reorder(&read, ORIGIN, 3));
    assert_int_equal(read.length, 0);
    am_tokens_read_deinit(&read);
}

static void runtime_tokens_read__survives_every_failed_allocation(void **state)
{
    for (int failures = 0; failures < 3; failures++) {
        am_tokens_read read;
        am_memory_fail_after(failures);
        am_status status = read_some(&read);
        am_memory_fail_after(-1);
        am_test_expect_error(status, AM_OUT_OF_MEMORY, "");
        am_tokens_read_deinit(&read);
    }
}
