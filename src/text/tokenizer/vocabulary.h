/* Tokens by id and ids by token. */
#ifndef AM_TEXT_TOKENIZER_VOCABULARY_H
#define AM_TEXT_TOKENIZER_VOCABULARY_H

#include "base/arena.h"
#include "text/tokenizer.h"

#include <string.h>

typedef struct am_vocabulary_entry {
    uint32_t offset, length; /* of its text in `strings` */
    int32_t id;
    uint32_t hash;
} am_vocabulary_entry;

typedef struct am_vocabulary_slot {
    uint32_t hash, index;    /* index: entry plus one, 0: empty */
    uint32_t offset, length; /* those of the entry, for one look into memory less */
} am_vocabulary_slot;

/* Where the text of an id is in `strings`. */
typedef struct am_vocabulary_place {
    uint32_t offset, length; /* offset UINT32_MAX: there is none */
} am_vocabulary_place;

/* Texts with ids, found by text (open addressing) and by id (an array). */
typedef struct am_vocabulary {
    am_buffer strings;
    am_vocabulary_entry *entries;
    am_vocabulary_slot *slots;
    am_vocabulary_place *place_of_id;
    uint32_t count, capacity, slot_mask, longest_bytes;
    int32_t id_limit; /* largest id plus one */
} am_vocabulary;

enum { AM_VOCABULARY_ID_LIMIT = 1 << 24 };

/* Whether `length` bytes are the same; most are few, for which a call takes longer than the answer. */
static inline bool am_bytes_equal(const char *a, const char *b, size_t length)
{
    uint64_t first[2], last[2];
    if (length > 16) return memcmp(a, b, length) == 0;
    if (length < 8) {
        for (size_t i = 0; i < length; i++)
            if (a[i] != b[i]) return false;
        return true;
    }
    memcpy(&first[0], a, 8);
    memcpy(&first[1], b, 8);
    memcpy(&last[0], a + length - 8, 8);
    memcpy(&last[1], b + length - 8, 8);
    return first[0] == first[1] && last[0] == last[1];
}

#define AM_HASH_START 0x811c9dc5u

/* FNV-1a, one byte further: hashes of all prefixes of a text come for one pass over it. */
static inline uint32_t am_hash_byte(uint32_t hash, char byte)
{
    return (hash ^ (unsigned char)byte) * 0x01000193u;
}

static inline uint32_t am_hash_bytes(uint32_t hash, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) hash = am_hash_byte(hash, bytes[i]);
    return hash;
}

/* Prepares for about `expected` entries. Freed with am_vocabulary_deinit, also after a failure. */
am_status am_vocabulary_init(am_vocabulary *vocabulary, size_t expected) AM_NODISCARD;

/* Adds a text. One that is there already gets this id; with `keep_old` (lists) its old id still stands for
   the text. `what` names the vocabulary in messages. */
am_status am_vocabulary_add(am_vocabulary *vocabulary, am_text text, int64_t id, bool keep_old,
                            const char *what) AM_NODISCARD;

/* The same when the hash of the text is known already. */
am_status am_vocabulary_add_hashed(am_vocabulary *vocabulary, am_text text, uint32_t hash, int64_t id, bool keep_old,
                                   const char *what) AM_NODISCARD;

/* Builds the way back from ids, after the last add. */
am_status am_vocabulary_finish(am_vocabulary *vocabulary) AM_NODISCARD;

/* Entry of a text, or null. */
const am_vocabulary_entry *am_vocabulary_find(const am_vocabulary *vocabulary, am_text text);

/* The same when the hash of the text is known already. */
const am_vocabulary_entry *am_vocabulary_find_hashed(const am_vocabulary *vocabulary, am_text text, uint32_t hash);

/* Entry of two texts put together, or null; the hash is that of both. */
const am_vocabulary_entry *am_vocabulary_find_joined(const am_vocabulary *vocabulary, am_text left, am_text right,
                                                     uint32_t hash);

/* Starts loading what looking up a text of this hash will read first; then, that being there, what it will read next.
 */
void am_vocabulary_prefetch(const am_vocabulary *vocabulary, uint32_t hash);
void am_vocabulary_prefetch_entry(const am_vocabulary *vocabulary, uint32_t hash);

/* Id of a text or -1; text of an id or {null, 0}. */
int32_t am_vocabulary_id(const am_vocabulary *vocabulary, am_text text);
am_text am_vocabulary_text(const am_vocabulary *vocabulary, int32_t id);

static inline am_text am_vocabulary_entry_text(const am_vocabulary *vocabulary, const am_vocabulary_entry *entry)
{
    return (am_text){vocabulary->strings.bytes + entry->offset, entry->length};
}

void am_vocabulary_deinit(am_vocabulary *vocabulary);

/* Which texts are entries and which are only the beginning of some, by hash, so that looking for entries in a text ends
   where none goes on. Rarely more is answered than is so, never less. */
typedef struct am_prefixes {
    uint8_t *marks; /* of two bits each */
    uint32_t mask;
} am_prefixes;

enum { AM_PREFIX_GOES_ON = 1, AM_PREFIX_IS_ENTRY = 2 };

/* Of all entries, cut where code points begin; freed with am_prefixes_deinit. */
am_status am_prefixes_init(am_prefixes *prefixes, const am_vocabulary *vocabulary) AM_NODISCARD;
void am_prefixes_deinit(am_prefixes *prefixes);

static inline uint32_t am_hash_mix(uint32_t hash)
{
    hash ^= hash >> 16;
    hash *= 0x7feb352du;
    return hash ^ hash >> 15;
}

/* What the text of this hash is: AM_PREFIX_GOES_ON, AM_PREFIX_IS_ENTRY, both or 0. */
static inline unsigned am_prefixes_find(const am_prefixes *prefixes, uint32_t hash)
{
    uint32_t at = am_hash_mix(hash) & prefixes->mask;
    return (unsigned)prefixes->marks[at >> 2] >> (at & 3) * 2 & 3u;
}

#endif
