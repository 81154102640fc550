/* Texts with ids: a table with open addressing over one block of strings. */
#include "text/tokenizer/internal.h"

#include "base/memory.h"

#include <inttypes.h>

/* Texts in a row of the table that a file may bring about; in an honest one it is a few dozen. */
enum { LONGEST_RUN = 4096 };

static am_status resize_slots(am_vocabulary *v, size_t entries)
{
    size_t count = 64;
    while (count < entries * 2) count *= 2;
    am_vocabulary_slot *slots = am_alloc_table(count, sizeof *slots);
    if (!slots) return am_out_of_memory();
    memset(slots, 0, count * sizeof *slots);
    am_free(v->slots);
    v->slots = slots;
    v->slot_mask = (uint32_t)(count - 1);
    for (uint32_t i = v->count; i-- > 0;) { /* from the last, so that of equal texts the last is found */
        uint32_t at = am_hash_mix(v->entries[i].hash) & v->slot_mask;
        while (slots[at].index) at = (at + 1) & v->slot_mask;
        slots[at] = (am_vocabulary_slot){v->entries[i].hash, i + 1, v->entries[i].offset, v->entries[i].length};
    }
    return NULL;
}

am_status am_vocabulary_init(am_vocabulary *v, size_t expected)
{
    *v = (am_vocabulary){0};
    if (expected > UINT32_MAX / 4) return am_out_of_memory();
    v->capacity = (uint32_t)(expected < 16 ? 16 : expected);
    v->entries = am_alloc_table(v->capacity, sizeof *v->entries);
    if (!v->entries) return am_out_of_memory();
    return resize_slots(v, v->capacity);
}

void am_vocabulary_deinit(am_vocabulary *v)
{
    am_buffer_deinit(&v->strings);
    am_free(v->entries);
    am_free(v->slots);
    am_free(v->place_of_id);
    *v = (am_vocabulary){0};
}

/* Slot of a text: its own, or the empty one where it belongs. *run counts the slots looked at. */
static am_vocabulary_slot *find_slot(const am_vocabulary *v, am_text text, uint32_t hash, uint32_t *run)
{
    uint32_t at = am_hash_mix(hash) & v->slot_mask;
    for (*run = 0;; at = (at + 1) & v->slot_mask, ++*run) {
        am_vocabulary_slot *slot = &v->slots[at];
        if (!slot->index) return slot;
        if (slot->hash == hash && am_text_equal((am_text){v->strings.bytes + slot->offset, slot->length}, text))
            return slot;
    }
}

static am_status grow(am_vocabulary *v)
{
    if (v->count < v->capacity) return NULL;
    if (v->capacity > UINT32_MAX / 8) return am_out_of_memory();
    am_vocabulary_entry *entries = am_realloc(v->entries, (size_t)v->capacity * 2 * sizeof *entries);
    if (!entries) return am_out_of_memory();
    v->entries = entries;
    v->capacity *= 2;
    return resize_slots(v, v->capacity);
}

static am_status append_string(am_vocabulary *v, am_text text, uint32_t *offset)
{
    if (v->strings.length > UINT32_MAX - text.length - 1) return am_out_of_memory();
    *offset = (uint32_t)v->strings.length;
    am_buffer_append(&v->strings, text.bytes, text.length);
    am_buffer_append_char(&v->strings, 0);
    return v->strings.failed ? am_out_of_memory() : NULL;
}

am_status am_vocabulary_add(am_vocabulary *v, am_text text, int64_t id, bool keep_old, const char *what)
{
    return am_vocabulary_add_hashed(v, text, am_hash_bytes(AM_HASH_START, text.bytes, text.length), id, keep_old, what);
}

am_status am_vocabulary_add_hashed(am_vocabulary *v, am_text text, uint32_t hash, int64_t id, bool keep_old,
                                   const char *what)
{
    uint32_t run, offset;
    if (id < 0 || id >= AM_VOCABULARY_ID_LIMIT)
        return am_error(AM_INVALID_FILE, "%s: id %" PRId64 " of \"%.*s\" is not in [0, %d)", what, id,
                        (int)(text.length < 60 ? text.length : 60), text.bytes, AM_VOCABULARY_ID_LIMIT);
    AM_TRY(grow(v));
    am_vocabulary_slot *slot = find_slot(v, text, hash, &run);
    if (run > LONGEST_RUN) return am_error(AM_INVALID_FILE, "%s: more than %d tokens collide", what, LONGEST_RUN);
    if (id >= v->id_limit) v->id_limit = (int32_t)id + 1;
    if (slot->index && !keep_old) {
        v->entries[slot->index - 1].id = (int32_t)id;
        return NULL;
    }
    if (slot->index) offset = v->entries[slot->index - 1].offset;
    else AM_TRY(append_string(v, text, &offset));
    v->entries[v->count] = (am_vocabulary_entry){offset, (uint32_t)text.length, (int32_t)id, hash};
    *slot = (am_vocabulary_slot){hash, ++v->count, offset, (uint32_t)text.length};
    if (text.length > v->longest_bytes) v->longest_bytes = (uint32_t)text.length;
    return NULL;
}

am_status am_vocabulary_finish(am_vocabulary *v)
{
    v->place_of_id = am_alloc_table((size_t)v->id_limit, sizeof *v->place_of_id);
    if (!v->place_of_id) return am_out_of_memory();
    memset(v->place_of_id, 0xFF, (size_t)v->id_limit * sizeof *v->place_of_id); /* UINT32_MAX: none */
    for (uint32_t i = 0; i < v->count; i++)
        v->place_of_id[v->entries[i].id] = (am_vocabulary_place){v->entries[i].offset, v->entries[i].length};
    return NULL;
}

const am_vocabulary_entry *am_vocabulary_find_hashed(const am_vocabulary *v, am_text text, uint32_t hash)
{
    uint32_t run;
    const am_vocabulary_slot *slot = find_slot(v, text, hash, &run);
    return slot->index ? &v->entries[slot->index - 1] : NULL;
}

void am_vocabulary_prefetch(const am_vocabulary *v, uint32_t hash)
{
    __builtin_prefetch(&v->slots[am_hash_mix(hash) & v->slot_mask]);
}

void am_vocabulary_prefetch_entry(const am_vocabulary *v, uint32_t hash)
{
    const am_vocabulary_slot *slot = &v->slots[am_hash_mix(hash) & v->slot_mask];
    if (!slot->index) return;
    __builtin_prefetch(&v->entries[slot->index - 1]);
    __builtin_prefetch(v->strings.bytes + slot->offset);
}

const am_vocabulary_entry *am_vocabulary_find_joined(const am_vocabulary *v, am_text left, am_text right, uint32_t hash)
{
    for (uint32_t at = am_hash_mix(hash) & v->slot_mask; v->slots[at].index; at = (at + 1) & v->slot_mask) {
        const am_vocabulary_slot *slot = &v->slots[at];
        const char *text = v->strings.bytes + slot->offset;
        if (slot->hash == hash && slot->length == left.length + right.length &&
            am_text_equal((am_text){text, left.length}, left) &&
            am_text_equal((am_text){text + left.length, right.length}, right))
            return &v->entries[slot->index - 1];
    }
    return NULL;
}

const am_vocabulary_entry *am_vocabulary_find(const am_vocabulary *v, am_text text)
{
    return am_vocabulary_find_hashed(v, text, am_hash_bytes(AM_HASH_START, text.bytes, text.length));
}

int32_t am_vocabulary_id(const am_vocabulary *v, am_text text)
{
    const am_vocabulary_entry *entry = am_vocabulary_find(v, text);
    return entry ? entry->id : -1;
}

am_text am_vocabulary_text(const am_vocabulary *v, int32_t id)
{
    if (id < 0 || id >= v->id_limit || v->place_of_id[id].offset == UINT32_MAX) return (am_text){0};
    return (am_text){v->strings.bytes + v->place_of_id[id].offset, v->place_of_id[id].length};
}

/* ---- beginnings ---- */

enum { PREFIXES_PER_ENTRY = 32 };

static void mark(am_prefixes *p, uint32_t hash, unsigned what)
{
    uint32_t at = am_hash_mix(hash) & p->mask;
    p->marks[at >> 2] |= (uint8_t)(what << (at & 3) * 2);
}

am_status am_prefixes_init(am_prefixes *p, const am_vocabulary *v)
{
    uint32_t count = 1024;
    while (count < (uint64_t)v->count * PREFIXES_PER_ENTRY && count < 1u << 28) count *= 2;
    *p = (am_prefixes){am_alloc_zeroed(count / 4, 1), count - 1};
    if (!p->marks) return am_out_of_memory();
    for (uint32_t i = 0; i < v->count; i++) {
        am_text text = am_vocabulary_entry_text(v, &v->entries[i]);
        uint32_t hash = AM_HASH_START;
        for (size_t end = 1; end < text.length; end++) {
            hash = am_hash_byte(hash, text.bytes[end - 1]);
            if (am_is_char_start(text.bytes[end])) mark(p, hash, AM_PREFIX_GOES_ON);
        }
        mark(p, v->entries[i].hash, AM_PREFIX_IS_ENTRY);
    }
    return NULL;
}

void am_prefixes_deinit(am_prefixes *p)
{
    am_free(p->marks);
    *p = (am_prefixes){0};
}
