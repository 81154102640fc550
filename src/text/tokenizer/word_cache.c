/* Words come again and again: a table of the last ones, by hash, with their tokens. It belongs to the scratch memory of
   a tokenizer, so that threads need not take turns. */
#include "text/tokenizer/word_cache.h"

#include "base/memory.h"

#include <stdalign.h>

enum { WORDS = 1 << 14, LONGEST_WORD = 52, MOST_TOKENS = 10, RAW_BYTES = 0x80, LINE_BYTES = 64 };

typedef struct am_cached_word {
    alignas(LINE_BYTES) uint64_t hash;
    uint8_t length, count; /* length with RAW_BYTES for such words; 0: nothing here */
    char bytes[LONGEST_WORD + 2];
    int32_t ids[MOST_TOKENS];
    uint8_t ends[MOST_TOKENS]; /* each token starts where the one before ends */
} am_cached_word;

/* Zeroed by the system as far as it is used, and not aligned. */
struct am_word_cache {
    char bytes[(WORDS + 1) * sizeof(am_cached_word)];
};

static am_cached_word *words_of(struct am_word_cache *cache)
{
    return (am_cached_word *)(((uintptr_t)cache + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES);
}

static uint64_t load(const char *bytes, size_t length)
{
    uint64_t value = 0;
    memcpy(&value, bytes, length);
    return value;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 32;
}

static uint64_t hash_word(am_text word)
{
    uint64_t hash = word.length;
    size_t at = 0;
    for (; at + 8 <= word.length; at += 8) hash = mix(hash, load(word.bytes + at, 8));
    return mix(hash, load(word.bytes + at, word.length - at));
}

static uint8_t key_length(am_text word, bool raw_bytes)
{
    return (uint8_t)(word.length | (raw_bytes ? RAW_BYTES : 0));
}

static bool create(am_scratch *s)
{
    s->word_cache = am_alloc_zeroed(1, sizeof *s->word_cache);
    if (!s->word_cache) s->failed = true;
    return s->word_cache;
}

static void add_tokens(const am_model *model, am_scratch *s, const am_cached_word *word)
{
    uint32_t start = 0;
    for (uint8_t i = 0; i < word->count; i++) {
        am_text text = am_vocabulary_text(&model->vocabulary, word->ids[i]);
        am_scratch_add_token(s, (am_token){word->ids[i], start, word->ends[i], false, text});
        start = word->ends[i];
    }
}

bool am_word_cache_get(const am_model *model, am_scratch *s, am_text word, bool raw_bytes, am_cache_place *out)
{
    *out = (am_cache_place){0};
    if (word.length == 0 || word.length > LONGEST_WORD || s->failed) return false;
    if (!s->word_cache && !create(s)) return false;
    out->hash = hash_word(word);
    out->word = &words_of(s->word_cache)[out->hash & (WORDS - 1)];
    if (out->word->hash != out->hash || out->word->length != key_length(word, raw_bytes) ||
        !am_bytes_equal(out->word->bytes, word.bytes, word.length))
        return false;
    add_tokens(model, s, out->word);
    return true;
}

/* Whether add_tokens makes the same tokens again. */
static bool is_repeatable(const am_model *model, const am_token *tokens, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        am_text text = am_vocabulary_text(&model->vocabulary, tokens[i].id);
        if (tokens[i].transient || tokens[i].text.bytes != text.bytes || tokens[i].text.length != text.length ||
            tokens[i].start != (i ? tokens[i - 1].end : 0) || tokens[i].end > LONGEST_WORD)
            return false;
    }
    return true;
}

void am_word_cache_put(const am_model *model, am_scratch *s, am_text word, bool raw_bytes, size_t first,
                       am_cache_place place)
{
    size_t count = s->token_count - first;
    const am_token *tokens = count ? s->tokens + first : NULL;
    if (!place.word || s->failed || count > MOST_TOKENS || !is_repeatable(model, tokens, count)) return;
    place.word->hash = place.hash;
    place.word->length = key_length(word, raw_bytes);
    place.word->count = (uint8_t)count;
    memcpy(place.word->bytes, word.bytes, word.length);
    for (size_t i = 0; i < count; i++) {
        place.word->ids[i] = tokens[i].id;
        place.word->ends[i] = (uint8_t)tokens[i].end;
    }
}
