#include "test_support.h"

#include "base/memory.h"
#include "base/threads.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

enum { LIMIT = 20000 };

typedef struct visits {
    atomic_int items[LIMIT];
    atomic_int slices;
    int64_t largest_slice; /* written by the only slice that is larger than what was allowed */
    int64_t grain, count;
} visits;

static void visit(void *context, int64_t begin, int64_t end)
{
    visits *v = context;
    atomic_fetch_add(&v->slices, 1);
    if (begin < 0 || end > v->count || begin >= end) v->largest_slice = INT64_MAX;
    for (int64_t i = begin; i < end; i++) atomic_fetch_add(&v->items[i], 1);
}

static void expect_each_once(int64_t count, int64_t grain)
{
    static visits v;
    memset(&v, 0, sizeof v);
    v.grain = grain;
    v.count = count;
    am_parallel_for(count, grain, visit, &v);
    assert_int_equal(v.largest_slice, 0);
    for (int64_t i = 0; i < LIMIT; i++) assert_int_equal(atomic_load(&v.items[i]), i < count);
    assert_in_range(atomic_load(&v.slices), count > 0, count > 0 ? count : 0);
}

static void base_threads__each_item_is_worked_on_once(void **state)
{
    static const int64_t counts[] = {-1, 0, 1, 2, 3, 7, 1000, LIMIT},
                         grains[] = {-5, 0, 1, 2, 3, 64, 1000, INT64_MAX / 2};
    for (int threads = 1; threads <= 5; threads++) {
        am_test_expect_ok(am_threads_set(threads));
        assert_int_equal(am_threads_count(), threads);
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
            for (size_t g = 0; g < sizeof grains / sizeof *grains; g++) expect_each_once(counts[c], grains[g]);
    }
    am_threads_shutdown();
}

static void base_threads__many_short_jobs(void **state)
{
    am_test_expect_ok(am_threads_set(4));
    for (int i = 0; i < 3000; i++) expect_each_once(i % 11, 1);
    am_threads_shutdown();
}

static void outer(void *context, int64_t begin, int64_t end)
{
    for (int64_t i = begin; i < end; i++) {
        visits *v = &((visits *)context)[i];
        v->count = 100;
        am_parallel_for(100, 7, visit, v);
    }
}

static void base_threads__work_may_call_for_more_work(void **state)
{
    enum { JOBS = 16 };
    static visits all[JOBS];
    memset(all, 0, sizeof all);
    am_test_expect_ok(am_threads_set(3));
    am_parallel_for(JOBS, 1, outer, all);
    for (int i = 0; i < JOBS; i++)
        for (int k = 0; k < 100; k++) assert_int_equal(atomic_load(&all[i].items[k]), 1);
    am_threads_shutdown();
}

static void *call_from_a_thread(void *context)
{
    visits *v = context;
    v->count = 500;
    for (int i = 0; i < 20; i++) am_parallel_for(500, 3, visit, v);
    return NULL;
}

static void base_threads__callers_take_turns(void **state)
{
    enum { CALLERS = 4 };
    static visits all[CALLERS];
    pthread_t callers[CALLERS];
    memset(all, 0, sizeof all);
    am_test_expect_ok(am_threads_set(3));
    for (int i = 0; i < CALLERS; i++)
        assert_int_equal(pthread_create(&callers[i], NULL, call_from_a_thread, &all[i]), 0);
    for (int i = 0; i < CALLERS; i++) assert_int_equal(pthread_join(callers[i], NULL), 0);
    for (int i = 0; i < CALLERS; i++)
        for (int k = 0; k < 500; k++) assert_int_equal(atomic_load(&all[i].items[k]), 20);
    am_threads_shutdown();
}

static void base_threads__work_goes_on_after_a_shutdown(void **state)
{
    am_test_expect_ok(am_threads_set(4));
    am_threads_shutdown();
    am_threads_shutdown();
    assert_int_equal(am_threads_count(), 1);
    expect_each_once(1000, 1);
    am_test_expect_ok(am_threads_set(2));
    expect_each_once(1000, 1);
    am_threads_shutdown();
}

static void base_threads__counts_are_checked(void **state)
{
    assert_in_range(am_threads_available(), 1, 1024);
    am_test_expect_ok(am_threads_set(0));
    assert_int_equal(am_threads_count(), am_threads_available());
    am_test_expect_error(am_threads_set(-1), AM_INVALID_ARGUMENT, "found -1");
    am_test_expect_error(am_threads_set(1025), AM_INVALID_ARGUMENT, "between 0 and 1024, found 1025");
    assert_int_equal(am_threads_count(), am_threads_available());
    am_threads_shutdown();
}

static void base_threads__a_failed_start_leaves_one_thread(void **state)
{
    am_memory_fail_after(0);
    am_status status = am_threads_set(3);
    am_memory_fail_after(-1);
    am_test_expect_error(status, AM_OUT_OF_MEMORY, "");
    assert_int_equal(am_threads_count(), 1);
    expect_each_once(100, 1);
}
