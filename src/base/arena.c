#include "base/arena.h"

#include "base/memory.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct am_arena_block {
    am_arena_block *next;
    size_t used, capacity;
    alignas(16) char bytes[];
};

enum { FIRST_BLOCK_BYTES = 4096, LARGEST_STEP_BYTES = 1 << 20 };

static am_arena_block *add_block(am_arena *arena, size_t bytes)
{
    size_t capacity = FIRST_BLOCK_BYTES;
    if (arena->blocks) capacity = arena->blocks->capacity * 2;
    if (capacity > LARGEST_STEP_BYTES) capacity = LARGEST_STEP_BYTES;
    if (capacity < bytes) capacity = bytes;
    am_arena_block *block = am_alloc(sizeof *block + capacity);
    if (!block) return NULL;
    *block = (am_arena_block){.next = arena->blocks, .capacity = capacity};
    arena->blocks = block;
    arena->total_bytes += capacity;
    return block;
}

void *am_arena_alloc(am_arena *arena, size_t bytes)
{
    if (bytes > PTRDIFF_MAX) return NULL;
    bytes = (bytes + 15) / 16 * 16;
    am_arena_block *block = arena->blocks;
    if (!block || block->capacity - block->used < bytes) block = add_block(arena, bytes);
    if (!block) return NULL;
    void *memory = block->bytes + block->used;
    block->used += bytes;
    return memset(memory, 0, bytes);
}

void *am_arena_array(am_arena *arena, size_t count, size_t bytes)
{
    size_t total;
    return am_multiply_size(count, bytes, &total) ? am_arena_alloc(arena, total) : NULL;
}

char *am_arena_string(am_arena *arena, const char *text, size_t length)
{
    char *copy = length < SIZE_MAX ? am_arena_alloc(arena, length + 1) : NULL;
    if (copy && length) memcpy(copy, text, length);
    return copy;
}

char *am_arena_printf(am_arena *arena, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = length < 0 ? NULL : am_arena_alloc(arena, (size_t)length + 1);
    if (text) vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

void am_arena_deinit(am_arena *arena)
{
    for (am_arena_block *block = arena->blocks, *next; block; block = next) {
        next = block->next;
        am_free(block);
    }
    *arena = (am_arena){0};
}
