#include "formats/tensor_table.h"

#include "base/memory.h"
#include "base/prng.h"

#include <string.h>

enum { FIRST_CAPACITY = 64, COUNT_LIMIT = 1 << 30 };

/* Makes room for one more element; *array is left as it was on failure. */
static bool grow(void *array, size_t count, size_t *capacity, size_t element_bytes)
{
    void *block;
    size_t bytes, more = *capacity ? *capacity * 2 : FIRST_CAPACITY;
    if (count < *capacity) return true;
    if (!am_multiply_size(more, element_bytes, &bytes)) return false;
    memcpy(&block, array, sizeof block);
    block = am_realloc(block, bytes);
    if (!block) return false;
    memcpy(array, &block, sizeof block);
    *capacity = more;
    return true;
}

static bool has_name(const am_named_tensor *tensor, const char *name, size_t length)
{
    return strncmp(tensor->name, name, length) == 0 && tensor->name[length] == 0;
}

/* The slot that holds the name, or the free one where it belongs. Slots are a power of two and never all
   taken. */
static size_t slot_of(const am_tensor_table *table, const char *name, size_t length)
{
    size_t mask = table->slot_count - 1, slot = (size_t)am_fnv1a(name, length) & mask;
    while (table->slots[slot] && !has_name(&table->tensors[table->slots[slot] - 1], name, length))
        slot = (slot + 1) & mask;
    return slot;
}

static bool grow_slots(am_tensor_table *table)
{
    if (table->slot_count > table->count * 2 + 1) return true;
    size_t slot_count = table->slot_count ? table->slot_count * 2 : FIRST_CAPACITY * 2;
    uint32_t *slots = am_alloc_zeroed(slot_count, sizeof *slots);
    if (!slots) return false;
    am_free(table->slots);
    table->slots = slots;
    table->slot_count = slot_count;
    for (size_t i = 0; i < table->count; i++) {
        const char *name = table->tensors[i].name;
        slots[slot_of(table, name, strlen(name))] = (uint32_t)(i + 1);
    }
    return true;
}

am_status am_tensor_table_add(am_tensor_table *table, const am_named_tensor *tensor, size_t name_length)
{
    const char *name = tensor->name;
    if (memchr(name, 0, name_length))
        return am_error(AM_INVALID_FILE, "%s: tensor name %s has a zero byte in it", tensor->file, name);
    if (table->count >= COUNT_LIMIT)
        return am_error(AM_INVALID_FILE, "%s: more than %d tensors", tensor->file, COUNT_LIMIT);
    if (!grow_slots(table) || !grow(&table->tensors, table->count, &table->capacity, sizeof *table->tensors))
        return am_out_of_memory();
    size_t slot = slot_of(table, name, name_length);
    if (table->slots[slot])
        return am_error(AM_INVALID_FILE, "%s: tensor %.*s is there twice, first in %s", tensor->file, (int)name_length,
                        name, table->tensors[table->slots[slot] - 1].file);
    am_named_tensor copy = *tensor;
    copy.name = am_arena_string(&table->arena, name, name_length);
    if (!copy.name) return am_out_of_memory();
    table->tensors[table->count++] = copy;
    table->slots[slot] = (uint32_t)table->count;
    return NULL;
}

const am_named_tensor *am_tensor_table_find(const am_tensor_table *table, const char *name)
{
    if (!table->slot_count) return NULL;
    uint32_t found = table->slots[slot_of(table, name, strlen(name))];
    return found ? &table->tensors[found - 1] : NULL;
}

am_status am_tensor_table_take_file(am_tensor_table *table, am_mapped_file *file)
{
    bool room = grow(&table->files, table->file_count, &table->file_capacity, sizeof *table->files);
    if (room) table->files[table->file_count++] = *file;
    else am_file_unmap(file);
    *file = (am_mapped_file){0};
    return room ? NULL : am_out_of_memory();
}

am_status am_tensor_table_take_memory(am_tensor_table *table, void *block)
{
    bool room = grow(&table->owned, table->owned_count, &table->owned_capacity, sizeof *table->owned);
    if (room) table->owned[table->owned_count++] = block;
    else am_free_aligned(block);
    return room ? NULL : am_out_of_memory();
}

void am_tensor_table_deinit(am_tensor_table *table)
{
    for (size_t i = 0; i < table->file_count; i++) am_file_unmap(&table->files[i]);
    for (size_t i = 0; i < table->owned_count; i++) am_free_aligned(table->owned[i]);
    am_free(table->files);
    am_free(table->owned);
    am_free(table->tensors);
    am_free(table->slots);
    am_arena_deinit(&table->arena);
    *table = (am_tensor_table){0};
}
