/* Every allocation of the library goes through here, so that tests can make the n-th one fail. */
#ifndef AM_BASE_MEMORY_H
#define AM_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* malloc, calloc, realloc, free; null when there is no memory. Freed with am_free. */
void *am_alloc(size_t bytes);
void *am_alloc_zeroed(size_t count, size_t bytes);
void *am_realloc(void *block, size_t bytes);
void am_free(void *block);

/* `bytes` bytes aligned to 64 for vector loads; null when there is no memory. Freed with am_free_aligned. */
void *am_alloc_aligned(size_t bytes);
void am_free_aligned(void *block);

/* The same, on large pages where the block has whole ones and the system gives them. Freed with am_free_aligned. */
void *am_alloc_large(size_t bytes);

/* Memory for a table that will be used all over, not zeroed: on large pages, where the system has them, it is there
   sooner and found faster. Freed with am_free. */
void *am_alloc_table(size_t count, size_t bytes);

/* Asks for large pages below a block that others allocated. */
void am_memory_prefer_large_pages(void *block, size_t bytes);

/* Has the system provide the pages of a block now, where it can: at once, and on any thread, that takes less time than
   one by one when they are written to. */
void am_memory_populate(void *block, size_t bytes);

/* A copy of `length` bytes with a zero byte after them; null when there is no memory. */
char *am_copy_string(const char *text, size_t length);

/* a * b and a + b into out; false on overflow. */
bool am_multiply_size(size_t a, size_t b, size_t *out);
bool am_add_size(size_t a, size_t b, size_t *out);

/* Tests only: the allocation after `n` further ones fails (0: the next), once; negative: none fails. */
void am_memory_fail_after(int64_t n);

/* Tests only: allocations made so far. */
int64_t am_memory_allocations(void);

#endif
