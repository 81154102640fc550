/* Arena: many small allocations with one lifetime (a model, a session, a request), freed together. */
#ifndef AM_BASE_ARENA_H
#define AM_BASE_ARENA_H

#include "base/status.h"

#include <stdarg.h>
#include <stddef.h>

typedef struct am_arena_block am_arena_block;

/* Lives in the caller's storage; all zeros is an empty arena. Not for two threads at once. */
typedef struct am_arena {
    am_arena_block *blocks;
    size_t total_bytes;
} am_arena;

/* Zeroed memory aligned to 16, valid until am_arena_deinit; null when there is no memory. */
void *am_arena_alloc(am_arena *arena, size_t bytes);

/* Zeroed array of `count` elements; null when there is no memory or count * bytes overflows. */
void *am_arena_array(am_arena *arena, size_t count, size_t bytes);

/* A copy of `length` bytes with a zero byte after them; null when there is no memory. */
char *am_arena_string(am_arena *arena, const char *text, size_t length);

/* printf into the arena; null when there is no memory. */
char *am_arena_printf(am_arena *arena, const char *format, ...) AM_PRINTF(2, 3);

/* Frees everything; the arena is empty again. */
void am_arena_deinit(am_arena *arena);

#endif
