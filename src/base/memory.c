#define _GNU_SOURCE
#include "base/memory.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE_BYTES = 1 << 12, LARGE_PAGE_BYTES = 1 << 21 };

static atomic_int_least64_t fail_countdown = -1;
static atomic_int_least64_t allocations;

void am_memory_fail_after(int64_t n)
{
    atomic_store(&fail_countdown, n);
}

int64_t am_memory_allocations(void)
{
    return atomic_load(&allocations);
}

static bool must_fail(void)
{
    atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
    if (atomic_load_explicit(&fail_countdown, memory_order_relaxed) < 0) return false;
    return atomic_fetch_sub(&fail_countdown, 1) == 0;
}

void *am_alloc(size_t bytes)
{
    return must_fail() ? NULL : malloc(bytes ? bytes : 1);
}

void *am_alloc_zeroed(size_t count, size_t bytes)
{
    return must_fail() ? NULL : calloc(count ? count : 1, bytes ? bytes : 1);
}

void *am_realloc(void *block, size_t bytes)
{
    return must_fail() ? NULL : realloc(block, bytes ? bytes : 1);
}

void am_free(void *block)
{
    free(block);
}

void *am_alloc_aligned(size_t bytes)
{
    if (bytes > SIZE_MAX - 64) return NULL;
    return must_fail() ? NULL : aligned_alloc(64, bytes ? (bytes + 63) / 64 * 64 : 64);
}

void am_free_aligned(void *block)
{
    free(block);
}

void am_memory_prefer_large_pages(void *block, size_t bytes)
{
    uintptr_t start = ((uintptr_t)block + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES,
              end = ((uintptr_t)block + bytes) / PAGE_BYTES * PAGE_BYTES;
    if (block && bytes >= LARGE_PAGE_BYTES && end > start) (void)madvise((void *)start, end - start, MADV_HUGEPAGE);
}

#ifndef MADV_POPULATE_WRITE /* Linux before 5.14 */
#define MADV_POPULATE_WRITE 23
#endif

void am_memory_populate(void *block, size_t bytes)
{
    uintptr_t start = ((uintptr_t)block + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES,
              end = ((uintptr_t)block + bytes) / PAGE_BYTES * PAGE_BYTES;
    if (block && end > start) (void)madvise((void *)start, end - start, MADV_POPULATE_WRITE);
}

void *am_alloc_large(size_t bytes)
{
    if (bytes < LARGE_PAGE_BYTES) return am_alloc_aligned(bytes);
    if (bytes > SIZE_MAX - LARGE_PAGE_BYTES || must_fail()) return NULL;
    void *block;
    if (posix_memalign(&block, LARGE_PAGE_BYTES, bytes) != 0) return NULL;
    am_memory_prefer_large_pages(block, bytes);
    return block;
}

void *am_alloc_table(size_t count, size_t bytes)
{
    size_t total;
    if (!am_multiply_size(count, bytes, &total) || total > SIZE_MAX - LARGE_PAGE_BYTES) return NULL;
    if (total < LARGE_PAGE_BYTES / 2) return am_alloc(total);
    if (must_fail()) return NULL;
    total = (total + LARGE_PAGE_BYTES - 1) / LARGE_PAGE_BYTES * LARGE_PAGE_BYTES;
    void *block = aligned_alloc(LARGE_PAGE_BYTES, total);
    am_memory_prefer_large_pages(block, total);
    return block;
}

char *am_copy_string(const char *text, size_t length)
{
    char *copy = length < SIZE_MAX ? am_alloc(length + 1) : NULL;
    if (!copy) return NULL;
    if (length) memcpy(copy, text, length);
    copy[length] = 0;
    return copy;
}

bool am_multiply_size(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

bool am_add_size(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}
