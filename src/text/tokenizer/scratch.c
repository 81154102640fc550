/* Memory of one encode or decode call, kept for the next one. */
#include "text/tokenizer/internal.h"

#include "base/memory.h"

#include <stdalign.h>

struct am_scratch_block {
    am_scratch_block *next;
    size_t used, capacity;
    alignas(16) char bytes[];
};

/* Limits: of a text that is rewritten, and of the memory of all texts of a call. Honest tokenizers stay far
 * below. */
static const size_t LEAST_TEXT_BYTES = (size_t)1 << 16, LARGEST_GROWTH = 256, LEAST_BYTES = (size_t)1 << 30,
                    BYTES_PER_BYTE = 4096;

enum { FIRST_BLOCK_BYTES = 1 << 14, LARGEST_STEP_BYTES = 1 << 24 };

/* Whether the block was made for one allocation that fills it. */
static bool is_large(const am_scratch_block *block)
{
    return block->capacity > LARGEST_STEP_BYTES;
}

am_scratch *am_scratch_create(void)
{
    am_scratch *s = am_alloc_zeroed(1, sizeof *s);
    if (s) am_scratch_limit(s, 0);
    return s;
}

void am_scratch_destroy(am_scratch *s)
{
    if (!s) return;
    for (am_scratch_block *block = s->blocks, *next; block; block = next) {
        next = block->next;
        am_free(block);
    }
    am_regex_free_scratch(s);
    am_free(s->pieces);
    am_free(s->new_pieces);
    am_free(s->matches);
    am_free(s->tokens);
    am_free(s->word_cache);
    am_free(s->text);
    am_free(s->ranges);
    for (size_t i = 0; i < sizeof s->work / sizeof s->work[0]; i++) am_free(s->work[i]);
    am_free(s);
}

void am_scratch_reset(am_scratch *s)
{
    for (am_scratch_block **at = &s->blocks, *block; (block = *at);) {
        block->used = 0;
        if (is_large(block)) {
            *at = block->next;
            am_free(block);
        } else at = &block->next;
    }
    s->current = s->blocks;
    s->failed = s->too_long = false;
    s->allocated = 0;
    am_scratch_limit(s, 0);
    s->piece_count = s->new_piece_count = s->match_count = s->token_count = 0;
}

void am_scratch_limit(am_scratch *s, size_t bytes)
{
    size_t text =
        LEAST_TEXT_BYTES + (bytes < AM_TOKENIZER_TEXT_LIMIT ? bytes : AM_TOKENIZER_TEXT_LIMIT) * LARGEST_GROWTH;
    s->text_limit = text < AM_TOKENIZER_TEXT_LIMIT ? text : AM_TOKENIZER_TEXT_LIMIT;
    s->allocation_limit = LEAST_BYTES + bytes * BYTES_PER_BYTE;
}

am_status am_scratch_status(const am_scratch *s)
{
    if (!s->failed) return NULL;
    return s->too_long ? am_error(AM_OUT_OF_RANGE, "rewriting the text makes it longer than the limit of %zu bytes",
                                  s->text_limit)
                       : am_out_of_memory();
}

void am_scratch_overflow(am_scratch *s)
{
    s->failed = s->too_long = true;
}

/* Blocks grow, and are kept in the order they were made in. */
static am_scratch_block *add_block(am_scratch *s, size_t bytes)
{
    size_t capacity = s->current ? s->current->capacity * 2 : FIRST_BLOCK_BYTES;
    if (capacity > LARGEST_STEP_BYTES) capacity = LARGEST_STEP_BYTES;
    if (capacity < bytes) capacity = bytes;
    am_scratch_block *block = am_alloc(sizeof *block + capacity);
    if (!block) return NULL;
    *block = (am_scratch_block){.next = s->current ? s->current->next : NULL, .capacity = capacity};
    if (s->current) s->current->next = block;
    else s->blocks = block;
    return block;
}

static void *alloc_bytes(am_scratch *s, size_t bytes)
{
    bytes = (bytes + 15) & ~(size_t)15;
    while (s->current && s->current->capacity - s->current->used < bytes && s->current->next)
        s->current = s->current->next;
    if (!s->current || s->current->capacity - s->current->used < bytes) {
        am_scratch_block *block = add_block(s, bytes);
        if (!block) return NULL;
        s->current = block;
    }
    void *memory = s->current->bytes + s->current->used;
    s->current->used += bytes;
    return memory;
}

void *am_scratch_alloc(am_scratch *s, size_t count, size_t bytes)
{
    size_t total;
    void *memory = NULL;
    if (s->failed) return NULL;
    if (am_multiply_size(count, bytes, &total) && total <= s->allocation_limit - s->allocated)
        memory = alloc_bytes(s, total);
    else am_scratch_overflow(s);
    if (memory) s->allocated += total;
    else s->failed = true;
    return memory;
}

void *am_scratch_work(am_scratch *s, int i, size_t count, size_t bytes)
{
    size_t capacity = s->work_bytes[i] / bytes;
    bool fits = am_scratch_reserve(s, &s->work[i], &capacity, count, bytes);
    s->work_bytes[i] = capacity * bytes;
    return fits ? s->work[i] : NULL;
}

bool am_scratch_reserve(am_scratch *s, void *array, size_t *capacity, size_t count, size_t bytes)
{
    if (s->failed) return false;
    if (count <= *capacity) return true;
    size_t larger = *capacity * 2 > 64 ? *capacity * 2 : 64, total;
    if (larger < count) larger = count;
    void *memory = NULL, *old;
    memcpy(&old, array, sizeof old);
    if (am_multiply_size(larger, bytes, &total)) memory = am_realloc(old, total);
    if (!memory) {
        s->failed = true;
        return false;
    }
    memcpy(array, &memory, sizeof memory);
    *capacity = larger;
    return true;
}

static void trim(void *array, size_t *capacity, size_t bytes)
{
    void *memory;
    if (*capacity * bytes < LARGEST_STEP_BYTES) return;
    memcpy(&memory, array, sizeof memory);
    am_free(memory);
    memset(array, 0, sizeof memory);
    *capacity = 0;
}

void am_scratch_trim(am_scratch *s)
{
    trim(&s->new_pieces, &s->new_piece_capacity, sizeof *s->new_pieces);
    trim(&s->matches, &s->match_capacity, sizeof *s->matches);
    trim(&s->text, &s->text_capacity, 1);
    trim(&s->ranges, &s->range_capacity, sizeof *s->ranges);
    for (size_t i = 0; i < sizeof s->work / sizeof s->work[0]; i++) trim(&s->work[i], &s->work_bytes[i], 1);
}

void am_scratch_trim_tokens(am_scratch *s)
{
    trim(&s->tokens, &s->token_capacity, sizeof *s->tokens);
    if (!s->tokens) s->token_count = 0;
}

void am_scratch_give_back(am_scratch *s, const void *memory)
{
    am_scratch_block *before = NULL, *block = s->blocks;
    while (block && block->bytes != memory) before = block, block = block->next;
    if (!block || !before || block == s->current || !is_large(block)) return;
    before->next = block->next;
    am_free(block);
}

void am_scratch_take_new_pieces(am_scratch *s)
{
    am_piece *pieces = s->pieces;
    size_t capacity = s->piece_capacity;
    s->pieces = s->new_pieces, s->piece_count = s->new_piece_count, s->piece_capacity = s->new_piece_capacity;
    s->new_pieces = pieces, s->new_piece_count = 0, s->new_piece_capacity = capacity;
}
