#include "test_support.h"

#include "base/arena.h"
#include "base/memory.h"

#include <stdbool.h>
#include <string.h>

static void base_memory__the_nth_allocation_fails_once(void **state)
{
    for (int n = 0; n < 4; n++) {
        am_memory_fail_after(n);
        for (int i = 0; i < 6; i++) {
            void *block = am_alloc(8);
            assert_true((block == NULL) == (i == n));
            am_free(block);
        }
        am_memory_fail_after(-1);
    }
}

static void base_memory__counts_allocations(void **state)
{
    int64_t before = am_memory_allocations();
    void *block = am_realloc(am_alloc(1), 100);
    void *zeros = am_alloc_zeroed(3, 5);
    void *aligned = am_alloc_aligned(1);
    char *copy = am_copy_string("abc", 2);
    assert_int_equal(am_memory_allocations() - before, 5);
    assert_memory_equal(zeros, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 15);
    assert_string_equal(copy, "ab");
    am_free(block);
    am_free(zeros);
    am_free_aligned(aligned);
    am_free(copy);
}

static void base_memory__aligned_blocks_are_aligned(void **state)
{
    for (size_t bytes = 0; bytes < 300; bytes += 7) {
        unsigned char *block = am_alloc_aligned(bytes);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % 64, 0);
        memset(block, 1, bytes);
        am_free_aligned(block);
    }
    assert_null(am_alloc_aligned(SIZE_MAX));
    assert_null(am_alloc_aligned(SIZE_MAX - 63));
}

static void base_memory__nothing_of_zero_bytes_is_null(void **state)
{
    void *blocks[] = {am_alloc(0), am_alloc_zeroed(0, 8), am_alloc_zeroed(8, 0), am_realloc(NULL, 0)};
    for (int i = 0; i < 4; i++) {
        assert_non_null(blocks[i]);
        am_free(blocks[i]);
    }
    am_free(NULL);
    am_free_aligned(NULL);
}

static void base_memory__sizes_that_overflow_are_noticed(void **state)
{
    size_t out;
    assert_true(am_multiply_size(SIZE_MAX / 3, 3, &out));
    assert_int_equal(out, SIZE_MAX / 3 * 3);
    assert_false(am_multiply_size(SIZE_MAX / 2 + 1, 2, &out));
    assert_true(am_multiply_size(0, SIZE_MAX, &out));
    assert_int_equal(out, 0);
    assert_true(am_add_size(SIZE_MAX - 1, 1, &out));
    assert_false(am_add_size(SIZE_MAX, 1, &out));
    assert_null(am_copy_string("", SIZE_MAX)); /* one more byte for the zero would wrap to none */
}

static void base_arena__gives_zeroed_aligned_memory(void **state)
{
    am_arena arena = {0};
    for (size_t bytes = 0; bytes < 10000; bytes = bytes * 3 / 2 + 1) {
        unsigned char *block = am_arena_alloc(&arena, bytes);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % 16, 0);
        for (size_t i = 0; i < bytes; i++) assert_int_equal(block[i], 0);
        memset(block, 0xAA, bytes);
    }
    assert_true(arena.total_bytes >= 20000);
    am_arena_deinit(&arena);
    assert_null(arena.blocks);
    assert_int_equal(arena.total_bytes, 0);
    am_arena_deinit(&arena);
}

static void base_arena__blocks_do_not_overlap(void **state)
{
    enum { COUNT = 3000 };
    static unsigned char *blocks[COUNT];
    am_arena arena = {0};
    for (int i = 0; i < COUNT; i++) {
        blocks[i] = am_arena_alloc(&arena, (size_t)i);
        assert_non_null(blocks[i]);
        memset(blocks[i], i & 0xFF, (size_t)i);
    }
    for (int i = 0; i < COUNT; i++)
        for (int k = 0; k < i; k++) assert_int_equal(blocks[i][k], i & 0xFF);
    am_arena_deinit(&arena);
}

static void base_arena__large_blocks_fit(void **state)
{
    am_arena arena = {0};
    unsigned char *block = am_arena_alloc(&arena, 5 << 20);
    assert_non_null(block);
    block[(5 << 20) - 1] = 1;
    assert_non_null(am_arena_alloc(&arena, 1));
    am_arena_deinit(&arena);
}

static void base_arena__absurd_sizes_give_null(void **state)
{
    am_arena arena = {0};
    assert_null(am_arena_alloc(&arena, SIZE_MAX));
    assert_null(am_arena_alloc(&arena, (size_t)PTRDIFF_MAX + 1));
    assert_null(am_arena_array(&arena, SIZE_MAX / 2, 3));
    assert_null(am_arena_string(&arena, "", SIZE_MAX)); /* one more byte for the zero would wrap to none */
    assert_non_null(am_arena_array(&arena, 3, 5));
    am_arena_deinit(&arena);
}

static void base_arena__strings(void **state)
{
    am_arena arena = {0};
    assert_string_equal(am_arena_string(&arena, "abcdef", 3), "abc");
    assert_string_equal(am_arena_string(&arena, NULL, 0), "");
    assert_memory_equal(am_arena_string(&arena, "a\0b", 3), "a\0b", 4);
    assert_string_equal(am_arena_printf(&arena, "%s-%d", "x", 42), "x-42");
    char *longer = am_arena_printf(&arena, "%*d", 9000, 1);
    assert_int_equal(strlen(longer), 9000);
    am_arena_deinit(&arena);
}

static void base_arena__failed_allocations_give_null(void **state)
{
    am_arena arena = {0};
    am_memory_fail_after(0);
    assert_null(am_arena_alloc(&arena, 1));
    am_memory_fail_after(0);
    assert_null(am_arena_printf(&arena, "x"));
    am_memory_fail_after(-1);
    assert_non_null(am_arena_alloc(&arena, 1));
    am_arena_deinit(&arena);
}
